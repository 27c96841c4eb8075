//! Presence (RFC 6121 sections 3 and 4): who is there, and who may know it.

use crate::addressing::{self, CLIENT, Unreadable};
use crate::xml::{Draft, draft};
use crate::{caps, message};
use dormouse_model::{Availability, BareJid, Jid};
use minidom::Element;

/// What a `<presence/>` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// A client is there, or is there no longer.
    Is {
        /// Which client; a bare address speaks for all of them.
        from: Jid,
        /// How available.
        availability: Availability,
    },
    /// Somebody asks to see our presence (section 3.1.3).
    Asked(BareJid),
    /// Somebody lets us see theirs (section 3.1.6). The roster push says it too.
    Approved(BareJid),
    /// Somebody no longer wants to see ours (section 3.3.3).
    Left(BareJid),
    /// Somebody no longer lets us see theirs, or never will (section 3.2.3).
    Denied(BareJid),
    /// Presence of ours came back (section 4.3.2.2, 8.3 of RFC 6120): theirs can't be known.
    Failed {
        /// Whose.
        from: Jid,
        /// The error condition.
        condition: String,
    },
    /// A type that clients are never sent, or that is not known.
    Nothing,
}

/// Reads a presence to the account `own`.
pub fn read(presence: &Element, own: &BareJid) -> Result<Presence, Unreadable> {
    if !presence.is("presence", CLIENT) {
        return Err(Unreadable::NotA("presence"));
    }
    let from = addressing::from(presence, own)?;
    Ok(match presence.attr("type") {
        None => Presence::Is {
            from,
            availability: shown(presence),
        },
        Some("unavailable") => Presence::Is {
            from,
            availability: Availability::Offline,
        },
        Some("subscribe") => Presence::Asked(from.into_bare()),
        Some("subscribed") => Presence::Approved(from.into_bare()),
        Some("unsubscribe") => Presence::Left(from.into_bare()),
        Some("unsubscribed") => Presence::Denied(from.into_bare()),
        Some("error") => Presence::Failed {
            from,
            condition: presence
                .get_child("error", CLIENT)
                .and_then(message::condition)
                .unwrap_or_else(|| "undefined-condition".to_owned()),
        },
        Some(_) => Presence::Nothing,
    })
}

/// The `<show/>` (section 4.7.2.1); what is not known is simply there.
fn shown(presence: &Element) -> Availability {
    let show = presence.get_child("show", CLIENT).map(Element::text);
    match show.as_deref().map(str::trim) {
        Some("away") => Availability::Away,
        Some("dnd") => Availability::DoNotDisturb,
        Some("xa") => Availability::ExtendedAway,
        _ => Availability::Online,
    }
}

/// "I am here": the initial presence (section 4.2), after which the server delivers messages. It names what this
/// client can do (XEP-0115). Its priority is 0, the default.
pub fn available() -> Element {
    draft("presence", CLIENT).child(caps::ours()).done()
}

/// "I am leaving" (section 4.5).
pub fn unavailable() -> Element {
    draft("presence", CLIENT).attr("type", "unavailable").done()
}

/// Asks to see somebody's presence (section 3.1.1).
pub fn subscribe(to: &BareJid) -> Element {
    directed("subscribe", to).done()
}

/// Lets somebody see ours: the answer to a request (section 3.1.4).
pub fn approve(to: &BareJid) -> Element {
    directed("subscribed", to).done()
}

/// Does not let somebody see ours, or no longer (sections 3.1.4 and 3.2.1).
pub fn deny(to: &BareJid) -> Element {
    directed("unsubscribed", to).done()
}

/// No longer wants to see theirs (section 3.3.1).
pub fn unsubscribe(to: &BareJid) -> Element {
    directed("unsubscribe", to).done()
}

fn directed(kind: &str, to: &BareJid) -> Draft {
    draft("presence", CLIENT)
        .attr("type", kind)
        .attr("to", to.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> BareJid {
        BareJid::new("me@home.example").unwrap()
    }

    fn of(text: &str) -> Result<Presence, Unreadable> {
        read(&text.parse().unwrap(), &own())
    }

    fn bob() -> BareJid {
        BareJid::new("bob@b.example").unwrap()
    }

    #[test]
    fn each_show_is_an_availability() {
        for (show, expected) in [
            ("", Availability::Online),
            ("<show>chat</show>", Availability::Online),
            ("<show>away</show>", Availability::Away),
            ("<show>dnd</show>", Availability::DoNotDisturb),
            ("<show> xa </show>", Availability::ExtendedAway),
            ("<show>dancing</show>", Availability::Online),
            ("<show xmlns='urn:other'>away</show>", Availability::Online),
        ] {
            let read = of(&format!(
                "<presence xmlns='jabber:client' from='bob@b.example/home' to='me@home.example'>{show}\
                 <priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='x' ver='y'/></presence>"
            ));
            assert_eq!(
                read,
                Ok(Presence::Is {
                    from: Jid::new("bob@b.example/home").unwrap(),
                    availability: expected
                }),
                "{show}"
            );
        }
    }

    #[test]
    fn who_leaves_is_offline_whatever_is_shown() {
        assert_eq!(
            of(
                "<presence xmlns='jabber:client' type='unavailable' from='bob@b.example/home'><show>chat</show></presence>"
            ),
            Ok(Presence::Is {
                from: Jid::new("bob@b.example/home").unwrap(),
                availability: Availability::Offline
            })
        );
    }

    #[test]
    fn requests_and_answers_about_presence_are_by_bare_address() {
        for (kind, expected) in [
            ("subscribe", Presence::Asked(bob())),
            ("subscribed", Presence::Approved(bob())),
            ("unsubscribe", Presence::Left(bob())),
            ("unsubscribed", Presence::Denied(bob())),
            ("probe", Presence::Nothing),
            ("sing", Presence::Nothing),
        ] {
            assert_eq!(
                of(&format!(
                    "<presence xmlns='jabber:client' type='{kind}' from='bob@b.example/home'/>"
                )),
                Ok(expected)
            );
        }
    }

    #[test]
    fn presence_that_came_back_says_why() {
        assert_eq!(
            of(
                "<presence xmlns='jabber:client' type='error' from='b.example'><error type='cancel'>\
                <remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
            ),
            Ok(Presence::Failed {
                from: Jid::new("b.example").unwrap(),
                condition: "remote-server-not-found".to_owned()
            })
        );
    }

    #[test]
    fn what_is_no_presence_is_not_read_as_one() {
        assert!(of("<message xmlns='jabber:client'/>").is_err());
        assert!(of("<presence xmlns='urn:other'/>").is_err());
        assert!(of("<presence xmlns='jabber:client' from='@@'/>").is_err());
    }

    #[test]
    fn what_we_say_is_read_as_what_we_mean() {
        let seen_by_them = |stanza: Element| {
            let mut wire = String::from(&stanza);
            wire = wire.replacen("<presence", "<presence from='bob@b.example'", 1);
            of(&wire).unwrap()
        };
        let to = own();
        assert_eq!(seen_by_them(subscribe(&to)), Presence::Asked(bob()));
        assert_eq!(seen_by_them(approve(&to)), Presence::Approved(bob()));
        assert_eq!(seen_by_them(unsubscribe(&to)), Presence::Left(bob()));
        assert_eq!(seen_by_them(deny(&to)), Presence::Denied(bob()));
        assert_eq!(subscribe(&to).attr("to"), Some("me@home.example"));
        assert!(matches!(
            seen_by_them(available()),
            Presence::Is {
                availability: Availability::Online,
                ..
            }
        ));
        assert!(matches!(
            seen_by_them(unavailable()),
            Presence::Is {
                availability: Availability::Offline,
                ..
            }
        ));
        assert!(available().has_child("c", caps::NS));
    }
}

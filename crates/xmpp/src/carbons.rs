//! Message carbons (XEP-0280): copies of what our other clients send and receive.
//!
//! A carbon puts words into other people's mouths, so it is believed only from the own bare address, which
//! is the server speaking for the account (section 11), and only if it says what a carbon can say: what we
//! received was for us, what we sent was from us.

use crate::addressing::{self, Unreadable};
use crate::forwarding;
use crate::message::{self, Trust};
use crate::xml::draft;
use dormouse_model::{BareJid, Claim, Incoming, Refusal, Stamp};
use minidom::Element;

/// The namespace, and the feature of a server that can send them.
pub const NS: &str = "urn:xmpp:carbons:2";

/// Which way the copied message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To another of our clients.
    Received,
    /// From another of our clients.
    Sent,
}

/// A copy that may be believed.
#[derive(Debug, Clone, Copy)]
pub struct Carbon<'a> {
    /// Which way it went.
    pub direction: Direction,
    /// The message itself.
    pub message: &'a Element,
    /// When the server forwarded it, if it says so.
    pub stamp: Option<Stamp>,
}

impl Carbon<'_> {
    /// Reads the copied message.
    pub fn read(&self, own: &BareJid, trust: Trust) -> Result<Incoming, Unreadable> {
        let mut incoming = message::read(self.message, own, trust)?;
        incoming.stamp = incoming.stamp.or(self.stamp);
        Ok(incoming)
    }
}

/// The payload of the request that switches carbons on for this session (section 4).
pub fn enable() -> Element {
    draft("enable", NS).done()
}

/// Opens a carbon: none if the message is not one, an error if it is one that may not be believed.
pub fn unwrap<'a>(message: &'a Element, own: &BareJid) -> Option<Result<Carbon<'a>, Refusal>> {
    let (direction, wrapper) = message.children().find_map(|child| {
        if child.is("received", NS) {
            Some((Direction::Received, child))
        } else if child.is("sent", NS) {
            Some((Direction::Sent, child))
        } else {
            None
        }
    })?;
    let Ok(from) = addressing::stated_from(message) else {
        return Some(Err(refused(None)));
    };
    if let Err(refusal) = Claim::Carbon.by(from.as_ref(), own) {
        return Some(Err(refusal));
    }
    let Some(forwarded) = forwarding::open(wrapper) else {
        return Some(Err(refused(from)));
    };
    let Some(inner) = forwarded.message else {
        return Some(Err(refused(from)));
    };
    let party = match direction {
        Direction::Received => addressing::to(inner, own),
        Direction::Sent => addressing::from(inner, own),
    };
    if party.is_ok_and(|party| party.to_bare() == *own) {
        Some(Ok(Carbon {
            direction,
            message: inner,
            stamp: forwarded.stamp,
        }))
    } else {
        Some(Err(refused(from)))
    }
}

fn refused(from: Option<dormouse_model::Jid>) -> Refusal {
    Refusal {
        claim: Claim::Carbon.word(),
        from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::{ArchiveId, Payload};

    const TRUSTED: Trust = Trust {
        strips_forged_ids: true,
    };

    fn own() -> BareJid {
        BareJid::new("me@home.example").unwrap()
    }

    fn carbon(from: &str, direction: &str, inner: &str) -> Element {
        format!(
            "<message xmlns='jabber:client' {from} to='me@home.example/here' type='chat'>\
             <{direction} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded>\
             </{direction}></message>"
        )
        .parse()
        .unwrap()
    }

    // As Prosody 0.12 sends them.
    const RECEIVED: &str = "<message xmlns='jabber:client' from='bob@b.example/home' to='me@home.example/phone' type='chat' id='1'>\
        <body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='me@home.example' id='a-1'/></message>";
    const SENT: &str = "<message xmlns='jabber:client' from='me@home.example/phone' to='bob@b.example' type='chat' id='2'>\
        <body>hello</body></message>";

    #[test]
    fn carbons_of_both_directions_are_opened() {
        let message = carbon("from='me@home.example'", "received", RECEIVED);
        let opened = unwrap(&message, &own()).unwrap().unwrap();
        assert_eq!(opened.direction, Direction::Received);
        let incoming = opened.read(&own(), TRUSTED).unwrap();
        assert_eq!(incoming.from.as_str(), "bob@b.example/home");
        assert_eq!(incoming.payload, Payload::Text("hi".to_owned()));
        assert_eq!(incoming.archive, Some(ArchiveId::from("a-1")));

        let message = carbon("from='me@home.example'", "sent", SENT);
        let opened = unwrap(&message, &own()).unwrap().unwrap();
        assert_eq!(opened.direction, Direction::Sent);
        let incoming = opened.read(&own(), TRUSTED).unwrap();
        assert_eq!(incoming.to.as_str(), "bob@b.example");
    }

    #[test]
    fn a_carbon_by_anybody_but_the_own_bare_address_is_refused() {
        for forger in [
            "mallory@evil.example",
            "mallory@evil.example/x",
            "me@home.example/phone",
            "home.example",
            "me@evil.example",
            "@@",
        ] {
            for (direction, inner) in [("received", RECEIVED), ("sent", SENT)] {
                let message = carbon(&format!("from='{forger}'"), direction, inner);
                assert!(
                    unwrap(&message, &own()).unwrap().is_err(),
                    "{direction} by {forger}"
                );
            }
        }
    }

    #[test]
    fn a_carbon_that_says_what_none_can_say_is_refused() {
        let swapped = carbon("from='me@home.example'", "sent", RECEIVED);
        assert!(unwrap(&swapped, &own()).unwrap().is_err());
        let swapped = carbon("from='me@home.example'", "received", SENT);
        assert!(unwrap(&swapped, &own()).unwrap().is_err());
        for inner in ["", "<iq xmlns='jabber:client'/>", "<message xmlns='urn:evil'/>"] {
            let empty = carbon("from='me@home.example'", "received", inner);
            assert!(unwrap(&empty, &own()).unwrap().is_err(), "{inner}");
        }
    }

    #[test]
    fn a_carbon_within_a_carbon_is_not_opened() {
        let nested = format!(
            "<message xmlns='jabber:client' from='bob@b.example/home' to='me@home.example' id='3'>\
             <received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{SENT}</forwarded></received>\
             </message>"
        );
        let message = carbon("from='me@home.example'", "received", &nested);
        let opened = unwrap(&message, &own()).unwrap().unwrap();
        let incoming = opened.read(&own(), TRUSTED).unwrap();
        assert_eq!(incoming.from.as_str(), "bob@b.example/home");
        assert_eq!(incoming.payload, Payload::Nothing);
    }

    #[test]
    fn an_ordinary_message_is_no_carbon() {
        let message: Element = RECEIVED.parse().unwrap();
        assert!(unwrap(&message, &own()).is_none());
        let message: Element =
            "<message xmlns='jabber:client'><received xmlns='urn:xmpp:receipts' id='a'/></message>"
                .parse()
                .unwrap();
        assert!(unwrap(&message, &own()).is_none());
    }
}

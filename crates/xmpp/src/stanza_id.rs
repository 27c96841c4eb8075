//! Unique and stable stanza ids (XEP-0359): the sender's own name for a message, and the archive's.
//!
//! Anybody can put a `<stanza-id/>` with any `by` into a message. It means something only where the
//! entity named in `by` takes out those it did not write itself, which it says by announcing
//! `urn:xmpp:sid:0` (section 5, "Business Rules"); whether ours does is [`Trust`], learnt by disco.

use dormouse_model::{ArchiveId, BareJid, Jid, OriginId, StanzaId};
use minidom::Element;

/// The namespace, and the feature by which a server says that it strips forgeries.
pub const NS: &str = "urn:xmpp:sid:0";

/// Ids longer than this (in bytes) are not taken for ids: they become keys on disk, and a peer could
/// fill it with them. Real ones have 10 to 80.
pub const LONGEST_ID: usize = 1024;

/// What is known of the own server, and with it which claims in a message can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    /// The own account announces [`NS`]: a `<stanza-id/>` by it was put there by it.
    pub strips_forged_ids: bool,
}

/// The id, if it can serve as one.
pub(crate) fn usable(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)
}

/// The `id` attribute of an element.
pub(crate) fn attribute(element: &Element) -> Option<StanzaId> {
    usable(element.attr("id")).map(StanzaId::from)
}

/// The sender's own id for a message.
pub fn origin(message: &Element) -> Option<OriginId> {
    let origin = message.children().find(|child| child.is("origin-id", NS))?;
    usable(origin.attr("id")).map(OriginId::from)
}

/// The own archive's id for a message that came live. None if the own server lets forgeries through, or
/// if there are two different ones, of which one must be forged.
pub fn by_own_archive(message: &Element, own: &BareJid, trust: Trust) -> Option<ArchiveId> {
    if !trust.strips_forged_ids {
        return None;
    }
    let mut ids = message
        .children()
        .filter(|child| child.is("stanza-id", NS))
        .filter(|child| {
            child
                .attr("by")
                .and_then(|by| Jid::new(by).ok())
                .is_some_and(|by| by.is_bare() && by.to_bare() == *own)
        })
        .filter_map(|child| usable(child.attr("id")));
    let id = ids.next()?;
    ids.all(|other| other == id).then(|| ArchiveId::from(id))
}

/// An `<origin-id/>`.
pub(crate) fn write_origin(id: &OriginId) -> Element {
    crate::xml::draft("origin-id", NS).attr("id", id.as_str()).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUSTED: Trust = Trust {
        strips_forged_ids: true,
    };

    fn own() -> BareJid {
        BareJid::new("me@home.example").unwrap()
    }

    fn message(children: &str) -> Element {
        format!("<message xmlns='jabber:client'>{children}</message>")
            .parse()
            .unwrap()
    }

    #[test]
    fn the_own_archives_id_is_believed_only_where_the_server_strips_forgeries() {
        let m = message("<stanza-id xmlns='urn:xmpp:sid:0' by='me@home.example' id='1732269600123456'/>");
        assert_eq!(
            by_own_archive(&m, &own(), TRUSTED),
            Some(ArchiveId::from("1732269600123456"))
        );
        assert_eq!(by_own_archive(&m, &own(), Trust::default()), None);
    }

    #[test]
    fn an_id_by_anybody_else_is_not_the_own_archives() {
        for by in [
            "mallory@evil.example",
            "home.example",
            "me@home.example/phone",
            "room@muc.example",
            "@@",
            "",
        ] {
            let m = message(&format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='x'/>"));
            assert_eq!(by_own_archive(&m, &own(), TRUSTED), None, "by {by}");
        }
        let m = message("<stanza-id xmlns='urn:xmpp:sid:0' id='x'/>");
        assert_eq!(by_own_archive(&m, &own(), TRUSTED), None);
        let m = message("<stanza-id xmlns='urn:xmpp:sid:1' by='me@home.example' id='x'/>");
        assert_eq!(by_own_archive(&m, &own(), TRUSTED), None);
    }

    #[test]
    fn a_foreign_id_beside_the_own_one_does_no_harm() {
        let m = message(
            "<stanza-id xmlns='urn:xmpp:sid:0' by='mallory@evil.example' id='x'/>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='me@home.example' id='y'/>",
        );
        assert_eq!(by_own_archive(&m, &own(), TRUSTED), Some(ArchiveId::from("y")));
    }

    #[test]
    fn two_different_ids_by_the_own_archive_are_none() {
        let m = message(
            "<stanza-id xmlns='urn:xmpp:sid:0' by='me@home.example' id='x'/>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='me@home.example' id='y'/>",
        );
        assert_eq!(by_own_archive(&m, &own(), TRUSTED), None);
    }

    #[test]
    fn an_empty_or_endless_id_is_no_id() {
        assert_eq!(
            origin(&message("<origin-id xmlns='urn:xmpp:sid:0' id=''/>")),
            None
        );
        assert_eq!(origin(&message("<origin-id xmlns='urn:xmpp:sid:0'/>")), None);
        let endless = "x".repeat(LONGEST_ID + 1);
        let m = message(&format!("<origin-id xmlns='urn:xmpp:sid:0' id='{endless}'/>"));
        assert_eq!(origin(&m), None);
        let m = message("<origin-id xmlns='urn:xmpp:sid:0' id='o-1'/>");
        assert_eq!(origin(&m), Some(OriginId::from("o-1")));
    }
}

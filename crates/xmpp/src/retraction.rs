//! Message retraction (XEP-0424): "I take that back", and the tombstone an archive keeps in its place.
//!
//! A tombstone is the original stanza, with its addresses and ids, its content replaced by `<retracted/>` (section 5).
//! It says the same as the retraction did, "the message with this id is withdrawn", so it is read as one
//! that names itself; the `id` inside `<retracted/>` is the retraction's and of no use here.

use crate::stanza_id;
use crate::xml::draft;
use dormouse_model::StanzaId;
use minidom::Element;

/// The namespace.
pub const NS: &str = "urn:xmpp:message-retract:1";

/// The namespace until 2021, still in archives.
const NS_0: &str = "urn:xmpp:message-retract:0";

/// What wrapped a retraction of version 0 (XEP-0422).
const FASTEN: &str = "urn:xmpp:fasten:0";

/// What a message says about withdrawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retraction {
    /// The message with this id is withdrawn: an origin-id, or an `id` where there was none.
    Of(StanzaId),
    /// This was a message, which has been withdrawn, and nothing names it.
    Nameless,
}

/// Reads a retraction or a tombstone. A retraction without target is none: its text is shown instead.
pub fn read(message: &Element) -> Option<Retraction> {
    if let Some(id) = message.get_child("retract", NS).and_then(stanza_id::attribute) {
        return Some(Retraction::Of(id));
    }
    if let Some(fastened) = message.get_child("apply-to", FASTEN)
        && fastened.has_child("retract", NS_0)
        && let Some(id) = stanza_id::attribute(fastened)
    {
        return Some(Retraction::Of(id));
    }
    if message.has_child("retracted", NS) || message.has_child("retracted", NS_0) {
        let name = stanza_id::origin(message)
            .map(|origin| StanzaId(origin.0))
            .or_else(|| stanza_id::attribute(message));
        return Some(name.map_or(Retraction::Nameless, Retraction::Of));
    }
    None
}

/// Withdraws the message with this id.
pub(crate) fn write(target: &StanzaId) -> Element {
    draft("retract", NS).attr("id", target.as_str()).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(attributes: &str, children: &str) -> Option<Retraction> {
        let message: Element = format!("<message xmlns='jabber:client' {attributes}>{children}</message>")
            .parse()
            .unwrap();
        read(&message)
    }

    fn named(id: &str) -> Option<Retraction> {
        Some(Retraction::Of(StanzaId::from(id)))
    }

    #[test]
    fn both_versions_of_a_retraction_name_their_target() {
        assert_eq!(
            of("id='r'", "<retract xmlns='urn:xmpp:message-retract:1' id='a'/>"),
            named("a")
        );
        assert_eq!(
            of(
                "id='r'",
                "<apply-to xmlns='urn:xmpp:fasten:0' id='a'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>"
            ),
            named("a")
        );
    }

    #[test]
    fn a_tombstone_withdraws_the_message_it_stands_for() {
        let tombstone = "<retracted xmlns='urn:xmpp:message-retract:1' stamp='2019-09-20T23:09:32Z' id='the-retraction'/>";
        assert_eq!(of("id='a'", tombstone), named("a"));
        assert_eq!(
            of(
                "id='a'",
                &format!("<origin-id xmlns='urn:xmpp:sid:0' id='o'/>{tombstone}")
            ),
            named("o")
        );
        assert_eq!(of("", tombstone), Some(Retraction::Nameless));
    }

    #[test]
    fn without_target_or_in_another_namespace_nothing_is_withdrawn() {
        assert_eq!(
            of("id='r'", "<retract xmlns='urn:xmpp:message-retract:1'/>"),
            None
        );
        assert_eq!(of("id='r'", "<retract xmlns='urn:other' id='a'/>"), None);
        assert_eq!(
            of(
                "id='r'",
                "<apply-to xmlns='urn:xmpp:fasten:0' id='a'><like/></apply-to>"
            ),
            None
        );
    }
}

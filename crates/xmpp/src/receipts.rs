//! Delivery receipts (XEP-0184): "one of my clients has it".

use crate::stanza_id;
use crate::xml::draft;
use dormouse_model::StanzaId;
use minidom::Element;

/// The namespace.
pub const NS: &str = "urn:xmpp:receipts";

/// Whether the sender asks for a receipt. It can only be given by the message's `id` (section 5.3).
pub fn is_wanted(message: &Element) -> bool {
    message.has_child("request", NS) && stanza_id::attribute(message).is_some()
}

/// Which message a receipt is for.
pub fn received(message: &Element) -> Option<StanzaId> {
    stanza_id::attribute(message.get_child("received", NS)?)
}

/// Asks for a receipt.
pub(crate) fn request() -> Element {
    draft("request", NS).done()
}

/// The receipt for a message.
pub(crate) fn receipt(of: &StanzaId) -> Element {
    draft("received", NS).attr("id", of.as_str()).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(text: &str) -> Element {
        text.parse().unwrap()
    }

    #[test]
    fn a_receipt_is_wanted_only_for_a_message_that_can_be_named() {
        assert!(is_wanted(&element(
            "<message xmlns='jabber:client' id='a'><request xmlns='urn:xmpp:receipts'/></message>"
        )));
        assert!(!is_wanted(&element(
            "<message xmlns='jabber:client'><request xmlns='urn:xmpp:receipts'/></message>"
        )));
        assert!(!is_wanted(&element(
            "<message xmlns='jabber:client' id='a'><request xmlns='urn:other'/></message>"
        )));
    }

    #[test]
    fn a_receipt_without_the_id_it_is_for_says_nothing() {
        assert_eq!(
            received(&element(
                "<message xmlns='jabber:client' id='r'><received xmlns='urn:xmpp:receipts' id='a'/></message>"
            )),
            Some(StanzaId::from("a"))
        );
        assert_eq!(
            received(&element(
                "<message xmlns='jabber:client' id='r'><received xmlns='urn:xmpp:receipts'/></message>"
            )),
            None
        );
    }
}

//! Displayed markers (XEP-0333): "everything up to this message has been on my screen".

use crate::stanza_id;
use crate::xml::draft;
use dormouse_model::StanzaId;
use minidom::Element;

/// The namespace.
pub const NS: &str = "urn:xmpp:chat-markers:0";

/// The last message that has been displayed. Version 0.4 had `received` (now XEP-0184's) and
/// `acknowledged`, which nobody used: both are ignored.
pub fn displayed(message: &Element) -> Option<StanzaId> {
    stanza_id::attribute(message.get_child("displayed", NS)?)
}

/// Says that a marker is welcome for this message.
pub(crate) fn markable() -> Element {
    draft("markable", NS).done()
}

/// The marker for a message.
pub(crate) fn marker(of: &StanzaId) -> Element {
    draft("displayed", NS).attr("id", of.as_str()).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_names_the_message_displayed_last() {
        let message: Element = "<message xmlns='jabber:client' id='m'>\
            <displayed xmlns='urn:xmpp:chat-markers:0' id='a'/></message>"
            .parse()
            .unwrap();
        assert_eq!(displayed(&message), Some(StanzaId::from("a")));
    }

    #[test]
    fn nothing_else_of_the_namespace_is_a_marker() {
        for child in [
            "<displayed xmlns='urn:xmpp:chat-markers:0'/>",
            "<markable xmlns='urn:xmpp:chat-markers:0' id='a'/>",
            "<displayed xmlns='urn:other' id='a'/>",
        ] {
            let message: Element = format!("<message xmlns='jabber:client'>{child}</message>")
                .parse()
                .unwrap();
            assert_eq!(displayed(&message), None, "{child}");
        }
    }
}

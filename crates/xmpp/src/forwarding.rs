//! Forwarded stanzas (XEP-0297): the envelope that carbons and archive results use.

use crate::addressing::CLIENT;
use crate::delay;
use dormouse_model::Stamp;
use minidom::Element;

/// The namespace.
pub const NS: &str = "urn:xmpp:forward:0";

/// What is in an envelope.
#[derive(Debug, Clone, Copy)]
pub struct Forwarded<'a> {
    /// The message; none if it was removed, or is no message.
    pub message: Option<&'a Element>,
    /// When the entity that forwards it got it.
    pub stamp: Option<Stamp>,
}

/// Opens the envelope that is a child of this element; the first, should there be several.
pub fn open(parent: &Element) -> Option<Forwarded<'_>> {
    let envelope = parent.get_child("forwarded", NS)?;
    Some(Forwarded {
        message: envelope.get_child("message", CLIENT),
        stamp: envelope.get_child("delay", delay::NS).and_then(delay::stamp),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_without_message_keeps_its_time() {
        let parent: Element = "<result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'>\
            <delay xmlns='urn:xmpp:delay' stamp='2024-11-22T10:00:00Z'/></forwarded></result>"
            .parse()
            .unwrap();
        let opened = open(&parent).unwrap();
        assert!(opened.message.is_none());
        assert_eq!(opened.stamp, Some(Stamp(1_732_269_600_000)));
    }

    #[test]
    fn only_a_message_of_a_clients_stream_is_taken_out() {
        for inner in [
            "<message xmlns='urn:evil'/>",
            "<iq xmlns='jabber:client'/>",
            "<message/>",
            "<wrapper xmlns='urn:w'><message xmlns='jabber:client'/></wrapper>",
        ] {
            let parent: Element =
                format!("<r xmlns='urn:r'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></r>")
                    .parse()
                    .unwrap();
            assert!(open(&parent).unwrap().message.is_none(), "{inner}");
        }
        let parent: Element = "<r xmlns='urn:r'><forwarded xmlns='urn:xmpp:forward:1'/></r>"
            .parse()
            .unwrap();
        assert!(open(&parent).is_none());
    }
}

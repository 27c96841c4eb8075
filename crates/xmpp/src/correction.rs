//! Last message correction (XEP-0308): "this is what I meant to say".

use crate::stanza_id;
use crate::xml::draft;
use dormouse_model::StanzaId;
use minidom::Element;

/// The namespace.
pub const NS: &str = "urn:xmpp:message-correct:0";

/// The `id` of the message whose body this one's replaces. Whether the sender may, is for
/// [`dormouse_model::Claim::Edit`].
pub fn replaces(message: &Element) -> Option<StanzaId> {
    stanza_id::attribute(message.get_child("replace", NS)?)
}

/// Marks a message as the replacement of an earlier one.
pub(crate) fn write(target: &StanzaId) -> Element {
    draft("replace", NS).attr("id", target.as_str()).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_without_target_replaces_nothing() {
        let with = |child: &str| -> Element {
            format!("<message xmlns='jabber:client'>{child}</message>")
                .parse()
                .unwrap()
        };
        assert_eq!(
            replaces(&with("<replace xmlns='urn:xmpp:message-correct:0' id='a'/>")),
            Some(StanzaId::from("a"))
        );
        assert_eq!(
            replaces(&with("<replace xmlns='urn:xmpp:message-correct:0'/>")),
            None
        );
        assert_eq!(replaces(&with("<replace xmlns='urn:other' id='a'/>")), None);
    }
}

//! An [`Outgoing`] as a `<message type='chat'/>`.
//!
//! Each message has one name: `id` and origin-id are the same (XEP-0359), so that every copy of it, from the
//! archive, a carbon or a bounce, can be recognised. What is sent again bears the same name and a `<delay/>`.

use crate::addressing::CLIENT;
use crate::xml::{Draft, draft};
use crate::{chat_markers, chat_states, correction, delay, hints, receipts, retraction, stanza_id};
use dormouse_model::{BareJid, ChatState, OriginId, Outgoing, Stamp};
use minidom::Element;

/// What a retraction says to clients that don't know it (XEP-0424 section 4 asks for a text).
const RETRACTION_FALLBACK: &str = "A message was withdrawn here, which this client can't show.";

/// The namespace of fallback indication (XEP-0428).
const FALLBACK: &str = "urn:xmpp:fallback:0";

/// Writes a message. Text is cleaned of what XML can't carry.
pub fn write(outgoing: &Outgoing) -> Element {
    match outgoing {
        Outgoing::Text {
            to,
            id,
            body,
            first_sent,
            replaces,
            receipt,
        } => {
            let mut message = named(to, id, *first_sent).child(draft("body", CLIENT).text(body));
            if let Some(target) = replaces {
                message = message.child(correction::write(target));
            }
            // Asking for receipts and telling that we attend to the conversation go together: both are for
            // people who may see us.
            if *receipt {
                message = message
                    .child(receipts::request())
                    .child(chat_markers::markable())
                    .child(chat_states::write(ChatState::Active));
            }
            message.done()
        }
        Outgoing::Retract {
            to,
            id,
            target,
            first_sent,
        } => named(to, id, *first_sent)
            .child(retraction::write(target))
            .child(draft("fallback", FALLBACK).attr("for", retraction::NS))
            .child(draft("body", CLIENT).text(RETRACTION_FALLBACK))
            .child(hints::store())
            .done(),
        Outgoing::Receipt { to, of } => chat(to).child(receipts::receipt(of)).child(hints::store()).done(),
        Outgoing::Displayed { to, of } => chat(to)
            .child(chat_markers::marker(of))
            .child(hints::store())
            .done(),
        Outgoing::ChatState { to, state } => chat(to)
            .child(chat_states::write(*state))
            .child(hints::no_store())
            .done(),
    }
}

fn chat(to: &BareJid) -> Draft {
    draft("message", CLIENT)
        .attr("type", "chat")
        .attr("to", to.as_str())
}

fn named(to: &BareJid, id: &OriginId, first_sent: Option<Stamp>) -> Draft {
    let message = chat(to)
        .attr("id", id.as_str())
        .child(stanza_id::write_origin(id));
    match first_sent {
        Some(stamp) => message.child(delay::write(stamp)),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{self, Trust};
    use crate::xml::clean;
    use dormouse_model::{Incoming, Kind, Payload, StanzaId};
    use proptest::prelude::*;

    fn bob() -> BareJid {
        BareJid::new("bob@b.example").unwrap()
    }

    fn text(body: &str) -> Outgoing {
        Outgoing::Text {
            to: bob(),
            id: OriginId::from("o-1"),
            body: body.to_owned(),
            first_sent: None,
            replaces: None,
            receipt: false,
        }
    }

    /// As the other side reads it: the server has put in who sent it.
    fn read_by_bob(outgoing: &Outgoing) -> Incoming {
        let wire = String::from(&write(outgoing));
        let stamped = wire.replacen("<message", "<message from='me@home.example/here'", 1);
        let element: Element = stamped.parse().unwrap();
        message::read(&element, &bob(), Trust::default()).unwrap()
    }

    #[test]
    fn a_text_has_one_name_and_asks_for_nothing_unless_told_to() {
        let plain = write(&text("hi"));
        assert_eq!(plain.attr("id"), Some("o-1"));
        assert_eq!(plain.attr("type"), Some("chat"));
        assert_eq!(plain.attr("to"), Some("bob@b.example"));
        assert_eq!(plain.attr("from"), None);
        assert!(!plain.has_child("request", receipts::NS));
        assert!(!plain.has_child("markable", chat_markers::NS));
        assert!(!plain.has_child("active", chat_states::NS));
        let read = read_by_bob(&text("hi"));
        assert_eq!(read.kind, Kind::Chat);
        assert_eq!(read.id, Some(StanzaId::from("o-1")));
        assert_eq!(read.origin, Some(OriginId::from("o-1")));
        assert!(!read.receipt_wanted && !read.resent);
        assert_eq!(read.chat_state, None);
    }

    #[test]
    fn towards_those_who_may_see_us_a_text_asks_for_receipt_and_marker_and_says_active() {
        let Outgoing::Text { to, id, body, .. } = text("hi") else {
            unreachable!()
        };
        let asking = Outgoing::Text {
            to,
            id,
            body,
            first_sent: None,
            replaces: None,
            receipt: true,
        };
        assert!(write(&asking).has_child("markable", chat_markers::NS));
        let read = read_by_bob(&asking);
        assert!(read.receipt_wanted);
        assert_eq!(read.chat_state, Some(ChatState::Active));
    }

    #[test]
    fn a_message_sent_again_says_when_it_was_first_sent() {
        let again = Outgoing::Text {
            to: bob(),
            id: OriginId::from("o-1"),
            body: "hi".to_owned(),
            first_sent: Some(Stamp(1_732_269_600_123)),
            replaces: None,
            receipt: false,
        };
        let read = read_by_bob(&again);
        assert!(read.resent);
        assert_eq!(read.stamp, Some(Stamp(1_732_269_600_123)));
        assert_eq!(read.origin, Some(OriginId::from("o-1")));
    }

    #[test]
    fn an_edit_and_a_retraction_name_their_target() {
        let edit = Outgoing::Text {
            to: bob(),
            id: OriginId::from("o-2"),
            body: "better".to_owned(),
            first_sent: None,
            replaces: Some(StanzaId::from("o-1")),
            receipt: false,
        };
        assert_eq!(
            read_by_bob(&edit).payload,
            Payload::Edit {
                replaces: StanzaId::from("o-1"),
                body: "better".to_owned()
            }
        );
        let retract = Outgoing::Retract {
            to: bob(),
            id: OriginId::from("o-3"),
            target: StanzaId::from("o-1"),
            first_sent: None,
        };
        assert_eq!(
            read_by_bob(&retract).payload,
            Payload::Retract(StanzaId::from("o-1"))
        );
        let element = write(&retract);
        assert!(element.has_child("store", hints::NS));
        assert_eq!(
            element
                .get_child("fallback", FALLBACK)
                .and_then(|f| f.attr("for")),
            Some(retraction::NS)
        );
        assert!(element.has_child("body", CLIENT));
    }

    #[test]
    fn receipts_and_markers_are_stored_and_typing_is_not() {
        let receipt = Outgoing::Receipt {
            to: bob(),
            of: StanzaId::from("a"),
        };
        assert_eq!(
            read_by_bob(&receipt).payload,
            Payload::Received(StanzaId::from("a"))
        );
        assert!(write(&receipt).has_child("store", hints::NS));
        let marker = Outgoing::Displayed {
            to: bob(),
            of: StanzaId::from("a"),
        };
        assert_eq!(
            read_by_bob(&marker).payload,
            Payload::Displayed(StanzaId::from("a"))
        );
        assert!(write(&marker).has_child("store", hints::NS));
        let typing = Outgoing::ChatState {
            to: bob(),
            state: ChatState::Composing,
        };
        assert_eq!(read_by_bob(&typing).payload, Payload::Nothing);
        assert_eq!(read_by_bob(&typing).chat_state, Some(ChatState::Composing));
        assert!(write(&typing).has_child("no-store", hints::NS));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_the_same(body in "(?s).{1,200}", id in "[!-~]{1,40}") {
            prop_assume!(!clean(&body).is_empty() && !body.starts_with("?OTR"));
            let outgoing = Outgoing::Text {
                to: bob(),
                id: OriginId(id.clone()),
                body: body.clone(),
                first_sent: None,
                replaces: None,
                receipt: true,
            };
            let read = read_by_bob(&outgoing);
            prop_assert_eq!(read.payload, Payload::Text(clean(&body).into_owned()));
            prop_assert_eq!(read.id, Some(StanzaId(id.clone())));
            prop_assert_eq!(read.origin, Some(OriginId(id)));
        }
    }
}

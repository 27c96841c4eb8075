//! A `<message/>` taken apart (RFC 6121 section 5), into [`Incoming`].
//!
//! Children are read one by one, each by the file of its extension, and each leniently: a child that can't be
//! read is as if it were not there and never takes the body with it. Only a message of which not even the
//! sender is known is [`Unreadable`] as a whole.
//!
//! Nothing here decides whether the sender may say what it says: that is [`dormouse_model::Claim`]'s.

use crate::addressing::{self, CLIENT};
use crate::body::{self, Body};
use crate::retraction::{self, Retraction};
use crate::xml::excerpt;
use crate::{chat_markers, chat_states, correction, delay, eme, receipts, stanza_id};
use dormouse_model::{BareJid, Incoming, Kind, Payload};
use minidom::Element;

pub use crate::addressing::Unreadable;
pub use crate::stanza_id::Trust;

/// The namespace of stanza error conditions (RFC 6120 section 8.3.2).
const CONDITIONS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// How much is quoted of the words in an error, in characters.
const LONGEST_QUOTATION: usize = 500;

/// Reads a message that came to the account `own` on its stream, as a carbon, or from its archive.
pub fn read(message: &Element, own: &BareJid, trust: Trust) -> Result<Incoming, Unreadable> {
    if !message.is("message", CLIENT) {
        return Err(Unreadable::NotA("message"));
    }
    let from = addressing::from(message, own)?;
    let to = addressing::to(message, own)?;
    let kind = kind(message);
    let delays = delay::read(message, &from, own);
    let payload = payload(message, kind);
    let is_error = kind == Kind::Error;
    Ok(Incoming {
        id: stanza_id::attribute(message),
        origin: stanza_id::origin(message),
        archive: stanza_id::by_own_archive(message, own, trust),
        stamp: delays.stamp,
        resent: delays.by_sender,
        receipt_wanted: matches!(kind, Kind::Chat | Kind::Normal) && receipts::is_wanted(message),
        // A bounce bears what we sent (RFC 6120 section 8.3.1): our own typing, not the other side's.
        chat_state: if is_error {
            None
        } else {
            chat_states::read(message)
        },
        payload,
        from,
        to,
        kind,
    })
}

/// The `type`; what is not known means `normal` (RFC 6121 section 5.2.2).
fn kind(message: &Element) -> Kind {
    match message.attr("type") {
        Some("chat") => Kind::Chat,
        Some("groupchat") => Kind::Groupchat,
        Some("headline") => Kind::Headline,
        Some("error") => Kind::Error,
        _ => Kind::Normal,
    }
}

/// What a message carries, in the order of precedence that [`Payload`] has.
fn payload(message: &Element, kind: Kind) -> Payload {
    if kind == Kind::Error {
        return bounce(message);
    }
    // The body beside a retraction is a fallback for clients that don't know it (XEP-0428).
    match retraction::read(message) {
        Some(Retraction::Of(id)) => return Payload::Retract(id),
        Some(Retraction::Nameless) => return Payload::Unreadable("a message that was withdrawn".to_owned()),
        None => {}
    }
    let body = body::select(message);
    let text = match &body {
        Body::Text(text) => Some(text.as_str()),
        Body::None | Body::NotText => None,
    };
    if let Some(way) = eme::read(message, text) {
        return Payload::Encrypted(way);
    }
    let text = match body {
        Body::Text(text) => Some(text),
        Body::NotText => None,
        Body::None => subject(message, kind),
    };
    if let Some(body) = text {
        return match correction::replaces(message) {
            Some(replaces) => Payload::Edit { replaces, body },
            None => Payload::Text(body),
        };
    }
    if let Some(id) = receipts::received(message) {
        return Payload::Received(id);
    }
    if let Some(id) = chat_markers::displayed(message) {
        return Payload::Displayed(id);
    }
    match body::select(message) {
        Body::NotText => Payload::Unreadable("a body that is not text".to_owned()),
        Body::None | Body::Text(_) => Payload::Nothing,
    }
}

/// A message may say all it has to say in its subject (RFC 6121 section 5.2.4), except in rooms, where a
/// subject alone is the room's (XEP-0045 section 8.1).
fn subject(message: &Element, kind: Kind) -> Option<String> {
    if kind == Kind::Groupchat {
        return None;
    }
    let subject = message.get_child("subject", CLIENT)?.text();
    (!subject.trim().is_empty()).then_some(subject)
}

fn bounce(message: &Element) -> Payload {
    let error = message.get_child("error", CLIENT);
    Payload::Bounce {
        condition: error
            .and_then(condition)
            .unwrap_or_else(|| "undefined-condition".to_owned()),
        text: error.and_then(words),
    }
}

/// The condition's element name in a stanza's `<error/>` (RFC 6120 section 8.3.3).
pub(crate) fn condition(error: &Element) -> Option<String> {
    error
        .children()
        .find(|child| child.has_ns(CONDITIONS) && child.name() != "text")
        .map(|child| excerpt(child.name(), LONGEST_QUOTATION))
}

/// The server's own words in a stanza's `<error/>`.
pub(crate) fn words(error: &Element) -> Option<String> {
    let text = excerpt(&error.get_child("text", CONDITIONS)?.text(), LONGEST_QUOTATION);
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;

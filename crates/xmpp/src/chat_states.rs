//! Chat states (XEP-0085): typing, and the like. Never kept.

use crate::xml::draft;
use dormouse_model::ChatState;
use minidom::Element;

/// The namespace.
pub const NS: &str = "http://jabber.org/protocol/chatstates";

const NAMES: [(&str, ChatState); 5] = [
    ("active", ChatState::Active),
    ("composing", ChatState::Composing),
    ("paused", ChatState::Paused),
    ("inactive", ChatState::Inactive),
    ("gone", ChatState::Gone),
];

/// The state that a message carries; the first one, should there be several.
pub fn read(message: &Element) -> Option<ChatState> {
    message
        .children()
        .filter(|child| child.has_ns(NS))
        .find_map(|child| NAMES.iter().find(|(name, _)| *name == child.name()))
        .map(|(_, state)| *state)
}

/// A state to send along.
pub fn write(state: ChatState) -> Element {
    let name = NAMES
        .iter()
        .find(|(_, known)| *known == state)
        .map_or("active", |(name, _)| name);
    draft(name, NS).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_it_is_written() {
        for (name, state) in NAMES {
            let mut message = Element::bare("message", "jabber:client");
            message.append_child(write(state));
            assert_eq!(read(&message), Some(state), "{name}");
        }
    }

    #[test]
    fn an_unknown_state_is_none() {
        let message: Element = "<message xmlns='jabber:client'>\
            <dancing xmlns='http://jabber.org/protocol/chatstates'/><composing xmlns='urn:other'/></message>"
            .parse()
            .unwrap();
        assert_eq!(read(&message), None);
    }
}

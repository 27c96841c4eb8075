//! What is kept on disk, and under which key.
//!
//! One tree, ordered by the bytes of the key: a batch is atomic within one tree only. Every key
//! starts with a byte for its kind, so that a kind is one contiguous range, and its parts are
//! encoded so that bytes sort as the parts do. Values are MessagePack with named fields, so that a
//! field can be added without a new schema.

use crate::{ArchiveId, BareJid, BatchId, MessageId, OriginId, Place, StanzaId};
use serde::{Deserialize, Serialize};

/// The version of everything below. Raised when old records can no longer be read as they are.
pub const SCHEMA: u32 = 1;

/// The name of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// [`SCHEMA`], a `u32`.
    Schema,
    /// Numbers that must not be given twice (the next message id).
    Counters,
    /// The session as it can be resumed. Belongs to the session alone.
    Session,
    /// A stanza sent and not acknowledged, by its 0198 count. Belongs to the session alone.
    Unacked(u32),
    /// What was learnt of the server and the path (mechanism pinned, way to the server, idle interval).
    Learnt(String),
    /// A message.
    Message(MessageId),
    /// The conversation's order: -> [`MessageId`].
    Timeline(BareJid, Place),
    /// The account's line of history: see the timeline's own record.
    Line(Place),
    /// Which item an archive calls this: see the timeline's own record.
    ByArchiveId(BareJid, ArchiveId),
    /// Messages of this conversation and sender (bare) with this origin-id: see the timeline's own record.
    ByOriginId(BareJid, BareJid, OriginId),
    /// Messages of this conversation and sender (bare) with this `id`: see the timeline's own record.
    ByStanzaId(BareJid, BareJid, StanzaId),
    /// An edit or a retraction, as an item of history of its own: see the timeline's own record.
    Amendment(MessageId),
    /// The edits and retractions of this message: -> list of [`MessageId`] of amendments.
    AmendmentsOf(MessageId),
    /// How much of this archive is known.
    Coverage(BareJid),
    /// A message of ours whose fate is not settled.
    Outbox(MessageId),
    /// What is kept of a conversation beside its messages: unread count, how far either side has read.
    Conversation(BareJid),
    /// What was typed into a conversation and not sent: a text.
    Draft(BareJid),
    /// Somebody blocked (XEP-0191).
    Blocked(BareJid),
    /// Somebody on the roster.
    Contact(BareJid),
    /// Somebody who asks to see our presence.
    Request(BareJid),
    /// A line of the connection's journal.
    Journal(u64),
    /// A change of the connection's state: -> [`Transition`](crate::Transition).
    Transition(u64),
    /// A frame that crashed the core, by its hash: -> how often.
    Quarantine([u8; 16]),
    /// Something that waits for a message not known yet (an edit, a receipt before its message).
    Orphan(BareJid, BareJid, StanzaId),
}

impl Key {
    /// The key as bytes that sort as the parts do.
    pub fn bytes(&self) -> Vec<u8> {
        let mut b = Vec::with_capacity(48);
        match self {
            Key::Schema => b.push(b'!'),
            Key::Counters => b.push(b'#'),
            Key::Session => b.push(b's'),
            Key::Unacked(count) => push(&mut b, b'u', &count.to_be_bytes()),
            Key::Learnt(what) => push_text(&mut b, b'l', &[what]),
            Key::Message(id) => push(&mut b, b'm', &id.0.to_be_bytes()),
            Key::Timeline(conversation, place) => {
                push_text(&mut b, b't', &[conversation.as_str()]);
                b.extend_from_slice(&place.0.to_be_bytes());
            }
            Key::Line(place) => push(&mut b, b'p', &place.0.to_be_bytes()),
            Key::ByArchiveId(archive, id) => push_text(&mut b, b'a', &[archive.as_str(), id.as_str()]),
            Key::ByOriginId(conversation, sender, id) => {
                push_text(
                    &mut b,
                    b'o',
                    &[conversation.as_str(), sender.as_str(), id.as_str()],
                );
            }
            Key::ByStanzaId(conversation, sender, id) => {
                push_text(
                    &mut b,
                    b'i',
                    &[conversation.as_str(), sender.as_str(), id.as_str()],
                );
            }
            Key::Amendment(id) => push(&mut b, b'e', &id.0.to_be_bytes()),
            Key::AmendmentsOf(id) => push(&mut b, b'f', &id.0.to_be_bytes()),
            Key::Coverage(archive) => push_text(&mut b, b'c', &[archive.as_str()]),
            Key::Outbox(id) => push(&mut b, b'q', &id.0.to_be_bytes()),
            Key::Conversation(with) => push_text(&mut b, b'v', &[with.as_str()]),
            Key::Draft(with) => push_text(&mut b, b'd', &[with.as_str()]),
            Key::Blocked(address) => push_text(&mut b, b'k', &[address.as_str()]),
            Key::Contact(address) => push_text(&mut b, b'r', &[address.as_str()]),
            Key::Request(address) => push_text(&mut b, b'w', &[address.as_str()]),
            Key::Journal(number) => push(&mut b, b'j', &number.to_be_bytes()),
            Key::Transition(number) => push(&mut b, b'n', &number.to_be_bytes()),
            Key::Quarantine(hash) => push(&mut b, b'x', hash),
            Key::Orphan(conversation, sender, id) => {
                push_text(
                    &mut b,
                    b'h',
                    &[conversation.as_str(), sender.as_str(), id.as_str()],
                );
            }
        }
        b
    }

    /// The range of all keys that start like the given bytes: `[from, to)`.
    pub fn range_of(prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut to = prefix.to_vec();
        while let Some(last) = to.pop() {
            if last < u8::MAX {
                to.push(last + 1);
                break;
            }
        }
        (prefix.to_vec(), to)
    }

    /// The range of a whole kind, named by any key of it.
    pub fn kind_range(&self) -> (Vec<u8>, Vec<u8>) {
        Self::range_of(&self.bytes()[..1])
    }

    /// Whose conversation a record belongs to, by its key: a place in its order, its summary or its draft. None for
    /// any other kind.
    pub fn conversation_of(key: &[u8]) -> Option<BareJid> {
        let (b't' | b'v' | b'd', address) = key.split_first()? else {
            return None;
        };
        // An address holds neither of the two bytes that would be written differently.
        let end = address.iter().position(|byte| *byte == 0)?;
        let text = std::str::from_utf8(address.get(..end)?).ok()?;
        BareJid::new(text).ok()
    }

    /// The range of one conversation's order.
    pub fn timeline_range(conversation: &BareJid) -> (Vec<u8>, Vec<u8>) {
        let mut prefix = Vec::new();
        push_text(&mut prefix, b't', &[conversation.as_str()]);
        Self::range_of(&prefix)
    }
}

fn push(bytes: &mut Vec<u8>, kind: u8, part: &[u8]) {
    bytes.push(kind);
    bytes.extend_from_slice(part);
}

/// Text parts end in a zero byte; a zero inside becomes `01 01` and a one `01 02`, so that order is
/// kept and no part can imitate a boundary.
fn push_text(bytes: &mut Vec<u8>, kind: u8, parts: &[&str]) {
    bytes.push(kind);
    for part in parts {
        for byte in part.bytes() {
            match byte {
                0 => bytes.extend_from_slice(&[1, 1]),
                1 => bytes.extend_from_slice(&[1, 2]),
                other => bytes.push(other),
            }
        }
        bytes.push(0);
    }
}

/// Writes that reach the disk together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Batch {
    /// Its number; batches are applied in this order.
    pub id: BatchId,
    /// Key and value, none to delete, in the order written: later ones win.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// A value as bytes. Can't fail for our own types: they have no maps with odd keys and no failing impls.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).unwrap_or_default()
}

/// A value read back, if it is one.
pub fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    rmp_serde::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn places_of_a_conversation_sort_as_numbers() {
        let a = Key::Timeline(bare("a@x"), Place(255)).bytes();
        let b = Key::Timeline(bare("a@x"), Place(256)).bytes();
        assert!(a < b);
        let (from, to) = Key::timeline_range(&bare("a@x"));
        assert!(from <= a && b < to);
        assert!(
            !(from <= Key::Timeline(bare("a@xy"), Place(1)).bytes()
                && Key::Timeline(bare("a@xy"), Place(1)).bytes() < to)
        );
    }

    #[test]
    fn no_part_of_a_key_can_imitate_a_boundary() {
        let one = Key::ByArchiveId(bare("a@x"), ArchiveId("b\0c".into())).bytes();
        let two = Key::ByOriginId(bare("a@x"), bare("b"), OriginId("c".into())).bytes();
        assert_ne!(one[1..], two[1..]);
        let low = Key::ByArchiveId(bare("a@x"), ArchiveId("b".into())).bytes();
        assert!(low < one);
    }

    #[test]
    fn the_conversation_is_read_back_from_the_keys_that_belong_to_one() {
        let with = bare("jos\u{e9}\\20x@\u{fc}nter.example");
        for key in [
            Key::Timeline(with.clone(), Place(0)),
            Key::Conversation(with.clone()),
            Key::Draft(with.clone()),
        ] {
            assert_eq!(Key::conversation_of(&key.bytes()), Some(with.clone()), "{key:?}");
        }
        for key in [Key::Contact(with), Key::Message(MessageId(7)), Key::Session] {
            assert_eq!(Key::conversation_of(&key.bytes()), None, "{key:?}");
        }
    }

    #[test]
    fn a_range_ends_behind_its_last_key() {
        assert_eq!(Key::range_of(&[1, 255]), (vec![1, 255], vec![2]));
        assert_eq!(Key::range_of(b"t"), (b"t".to_vec(), b"u".to_vec()));
    }
}

//! History: a piece of one conversation, as it is shown.

use crate::conversation::Conversation;
use crate::coverage::Coverage;
use dormouse_model::{BareJid, Key, Memory, Message, MessageId, Place, ReadError, Walk, record::decode};

/// Which part of a conversation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The newest messages.
    Latest,
    /// The newest before this place.
    Before(Place),
    /// The oldest after this place.
    After(Place),
}

/// A piece of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretch {
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
    /// Between these two places the archive may hold more, which is not read yet; told where any of it would stand
    /// in this stretch.
    pub hole: Option<(Place, Place)>,
    /// Older ones are kept here.
    pub more: bool,
    /// Newer ones are kept here.
    pub newer: bool,
    /// The archive is known to hold nothing older than what is kept here.
    pub beginning: bool,
}

/// A piece of a conversation: at most `limit` messages of the part wanted.
pub fn history(
    memory: &dyn Memory,
    account: &BareJid,
    conversation: &BareJid,
    part: Part,
    limit: usize,
) -> Result<Stretch, ReadError> {
    let (start, end) = Key::timeline_range(conversation);
    let key = |place: Place| Key::Timeline(conversation.clone(), place).bytes();
    let behind = |place: Place| key(Place(place.0.saturating_add(1)));
    let (from, to, walk) = match part {
        Part::Latest => (start.clone(), end.clone(), Walk::Backwards),
        Part::Before(place) => (start.clone(), key(place), Walk::Backwards),
        Part::After(place) => (behind(place), end.clone(), Walk::Forwards),
    };
    let found = memory.range(&from, &to, walk, limit.saturating_add(1))?;
    let further = found.len() > limit;
    let mut messages = Vec::with_capacity(found.len());
    for (_, value) in found.iter().take(limit) {
        let id: MessageId = decode(value).ok_or(ReadError::Damaged('t'))?;
        messages.extend(memory.read::<Message>(&Key::Message(id))?);
    }
    if walk == Walk::Backwards {
        messages.reverse();
    }
    let any = |from: &[u8], to: &[u8]| -> Result<bool, ReadError> {
        Ok(!memory.range(from, to, Walk::Forwards, 1)?.is_empty())
    };
    let (more, newer) = match part {
        Part::Latest => (further, false),
        Part::Before(place) => (further, any(&key(place), &end)?),
        Part::After(place) => (any(&start, &behind(place))?, further),
    };
    // Where the stretch reaches to on either side: as far as nothing else is kept.
    let low = match part {
        Part::After(place) => place,
        _ if more => messages.first().map_or(Place(0), |message| message.place),
        _ => Place(0),
    };
    let high = match part {
        Part::Before(place) => place,
        _ if newer => messages.last().map_or(Place(u128::MAX), |message| message.place),
        _ => Place(u128::MAX),
    };
    let coverage: Coverage = memory.read(&Key::Coverage(account.clone()))?.unwrap_or_default();
    let summary: Conversation = memory
        .read(&Key::Conversation(conversation.clone()))?
        .unwrap_or_default();
    Ok(Stretch {
        messages,
        hole: coverage.hole().filter(|(from, to)| low < *to && *from < high),
        more,
        newer,
        beginning: summary.beginning,
    })
}

//! History: a piece of one conversation, as it is shown.

use crate::conversation::Conversation;
use crate::coverage::Coverage;
use dormouse_model::{BareJid, Key, Memory, Message, MessageId, Place, ReadError, Walk, record::decode};

/// A piece of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretch {
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
    /// A part of the archive that is not read yet may hold more, within this stretch or after it (before
    /// the place asked for).
    pub gap: bool,
    /// Older ones are kept here.
    pub more: bool,
    /// The archive is known to hold nothing older than what is kept here.
    pub beginning: bool,
}

/// A piece of a conversation: at most `limit` messages, the newest ones before a place (or at all).
pub fn history(
    memory: &dyn Memory,
    account: &BareJid,
    conversation: &BareJid,
    before: Option<Place>,
    limit: usize,
) -> Result<Stretch, ReadError> {
    let (from, end) = Key::timeline_range(conversation);
    let to = before.map_or(end, |before| Key::Timeline(conversation.clone(), before).bytes());
    let found = memory.range(&from, &to, Walk::Backwards, limit.saturating_add(1))?;
    let more = found.len() > limit;
    let mut messages = Vec::with_capacity(found.len());
    for (_, value) in found.iter().take(limit) {
        let id: MessageId = decode(value).ok_or(ReadError::Damaged('t'))?;
        if let Some(message) = memory.read::<Message>(&Key::Message(id))? {
            messages.push(message);
        }
    }
    messages.reverse();
    let coverage: Coverage = memory.read(&Key::Coverage(account.clone()))?.unwrap_or_default();
    let oldest = if more {
        messages.first().map_or(Place(0), |message| message.place)
    } else {
        Place(0)
    };
    let gap = coverage
        .hole()
        .is_some_and(|(low, high)| oldest < high && before.is_none_or(|before| low < before));
    let summary: Conversation = memory
        .read(&Key::Conversation(conversation.clone()))?
        .unwrap_or_default();
    Ok(Stretch {
        messages,
        gap,
        more,
        beginning: summary.beginning,
    })
}

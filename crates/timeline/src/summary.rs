//! A conversation as the list of them shows it, worked out from the records.
//!
//! Nothing of it is kept besides: what one input made of a conversation is the difference between the memory before
//! it and the draft after it. So a list that took every change is a list read anew, whatever an input did
//! (an edit, a retraction, a message seated elsewhere, one discarded).

use crate::conversation::Conversation as Kept;
use crate::ledger::Item;
use dormouse_model::record::decode;
use dormouse_model::{BareJid, Conversation, Draft, Key, Memory, Message, MessageId, Place, ReadError, Walk};
use std::collections::BTreeSet;

/// One conversation; [nothing](Conversation::is_nothing) where there is neither a message nor a draft.
pub fn conversation(memory: &dyn Memory, with: &BareJid) -> Result<Conversation, ReadError> {
    let draft: String = memory.read(&Key::Draft(with.clone()))?.unwrap_or_default();
    let (from, to) = Key::timeline_range(with);
    let last = match memory.range(&from, &to, Walk::Backwards, 1)?.first() {
        Some((_, value)) => {
            let id: MessageId = decode(value).ok_or(ReadError::Damaged('t'))?;
            memory.read::<Message>(&Key::Message(id))?
        }
        None => None,
    };
    let mut summary = Conversation {
        last,
        draft,
        ..Conversation::nothing(with.clone())
    };
    if summary.last.is_some()
        && let Some(kept) = memory.read::<Kept>(&Key::Conversation(with.clone()))?
    {
        summary.unread = kept.unread;
        for id in [kept.read, kept.read_elsewhere].into_iter().flatten() {
            summary.read_up_to = summary.read_up_to.max(place(memory, id)?);
        }
    }
    Ok(summary)
}

/// Every conversation there is.
pub fn conversations(memory: &dyn Memory) -> Result<Vec<Conversation>, ReadError> {
    let anyone = BareJid::new("a").map_err(|error| ReadError::Failed(error.to_string()))?;
    let mut people = BTreeSet::new();
    for kind in [Key::Timeline(anyone.clone(), Place(0)), Key::Draft(anyone)] {
        let (mut from, to) = kind.kind_range();
        // One look-up for each conversation, not for each message.
        while let Some((key, _)) = memory.range(&from, &to, Walk::Forwards, 1)?.first() {
            let damaged = || ReadError::Damaged(key.first().map_or('?', |kind| char::from(*kind)));
            let with = Key::conversation_of(key).ok_or_else(damaged)?;
            from = match kind {
                Key::Timeline(..) => Key::timeline_range(&with).1,
                _ => Key::range_of(key).1,
            };
            people.insert(with);
        }
    }
    let all = people.iter().map(|with| conversation(memory, with));
    all.filter(|one| one.as_ref().map_or(true, |one| !one.is_nothing()))
        .collect()
}

/// The conversations that look different after an input than before.
pub fn changed(before: &dyn Memory, after: &Draft<'_>) -> Result<Vec<Conversation>, ReadError> {
    let mut people = BTreeSet::new();
    for (key, value) in after.written() {
        match (key.first(), value) {
            (Some(b'm'), Some(value)) => {
                let message: Message = decode(value).ok_or(ReadError::Damaged('m'))?;
                people.insert(message.conversation);
            }
            _ => people.extend(Key::conversation_of(key)),
        }
    }
    let mut changed = Vec::new();
    for with in &people {
        let now = conversation(after, with)?;
        if conversation(before, with)? != now {
            changed.push(now);
        }
    }
    Ok(changed)
}

fn place(memory: &dyn Memory, id: MessageId) -> Result<Option<Place>, ReadError> {
    if let Some(message) = memory.read::<Message>(&Key::Message(id))? {
        return Ok(Some(message.place));
    }
    let amendment = memory.read(&Key::Amendment(id))?;
    Ok(amendment.map(|amendment| Item::Amendment(Box::new(amendment)).place()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_known_by_the_kind_of_their_key() {
        assert_eq!(Key::Message(MessageId(0)).bytes().first(), Some(&b'm'));
    }
}

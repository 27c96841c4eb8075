//! What the window called a message when it was sent: so that it knows its own message again when that
//! comes back from the engine, under the engine's number.

use dormouse_engine::model::MessageId;
use std::collections::{BTreeMap, VecDeque};

/// How many are remembered. The window needs one on the message's first change only.
const KEPT: usize = 256;

/// The latest tags.
#[derive(Debug, Default)]
pub struct Tags {
    by_id: BTreeMap<MessageId, String>,
    order: VecDeque<MessageId>,
}

impl Tags {
    /// Remembers a tag.
    pub fn insert(&mut self, id: MessageId, tag: String) {
        if self.by_id.insert(id, tag).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.by_id.remove(&oldest);
            }
        }
    }

    /// The tag of a message, if it has one.
    pub fn of(&self, id: MessageId) -> Option<String> {
        self.by_id.get(&id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_tags_are_kept_and_the_oldest_forgotten() {
        let mut tags = Tags::default();
        for number in 0..=KEPT as u64 {
            tags.insert(MessageId(number), number.to_string());
        }
        assert_eq!(tags.of(MessageId(0)), None);
        assert_eq!(tags.of(MessageId(1)).as_deref(), Some("1"));
        assert_eq!(tags.of(MessageId(KEPT as u64)), Some(KEPT.to_string()));
    }
}

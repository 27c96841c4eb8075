//! Which messages are new, and what has become known of the own ones.
//!
//! Ids are given in the order in which messages become known: what has a higher one than all before is new, anything
//! else is an old one that changed. What happened to messages that were there before the counting began is not counted.

use dormouse_model::{Delivery, Message, MessageId, Side, Tick};
use std::collections::BTreeMap;
use std::time::Duration;

/// As many own ones are followed. Those before are not counted on: nobody waits for that many receipts.
const FOLLOWED: usize = 10_000;

/// What became known of a message, in the order in which it does.
const STATES: [&str; 4] = ["queued", "sent", "delivered", "read"];

/// Every direction and state in which a message is counted.
pub(crate) const COUNTED: [(&str, &str); 6] = [
    ("in", "received"),
    ("out", "queued"),
    ("out", "sent"),
    ("out", "delivered"),
    ("out", "read"),
    ("out", "failed"),
];

/// The messages that may still change.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    newest: Option<MessageId>,
    /// How far own ones have come: an index of [`STATES`].
    own: BTreeMap<MessageId, usize>,
    handed_over: BTreeMap<MessageId, Tick>,
}

/// What a message that is told of adds to the counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    /// What is counted, of [`COUNTED`].
    pub(crate) counted: Vec<(&'static str, &'static str)>,
    /// The server has it, so long after it was handed over.
    pub(crate) arrived_after: Option<Duration>,
}

impl Messages {
    /// What is not newer than this was there before.
    pub(crate) fn begin(&mut self, newest: Option<MessageId>) {
        self.newest = newest;
    }

    /// A message was handed over, perhaps again: then the first time counts.
    pub(crate) fn handed_over(&mut self, now: Tick, id: MessageId) {
        self.handed_over.entry(id).or_insert(now);
        bound(&mut self.handed_over);
    }

    /// A message is new, or looks different now.
    pub(crate) fn told(&mut self, now: Tick, message: &Message) -> Added {
        let mut added = Added::default();
        let id = message.id;
        let is_new = self.newest.is_none_or(|newest| newest < id);
        if is_new {
            self.newest = Some(id);
        }
        let Side::Own(delivery) = &message.side else {
            if is_new {
                added.counted.push(("in", "received"));
            }
            return added;
        };
        let reached = match delivery {
            Delivery::Queued => 0,
            Delivery::Sent => 1,
            Delivery::Delivered => 2,
            Delivery::Read => 3,
            Delivery::Failed(_) => {
                self.handed_over.remove(&id);
                if self.own.remove(&id).is_some() || is_new {
                    added.counted.push(("out", "failed"));
                }
                return added;
            }
        };
        if reached > 0 {
            let handed = self.handed_over.remove(&id);
            added.arrived_after = handed.map(|handed| now.since(handed));
        }
        // One from another device is sent when it becomes known; of one written here each step is counted, also one that
        // was passed over because a later one proves it.
        let first = match self.own.get(&id) {
            Some(before) => before + 1,
            None if is_new => reached,
            None => return added,
        };
        let steps = STATES.iter().take(reached + 1).skip(first);
        added.counted.extend(steps.map(|state| ("out", *state)));
        let before = self.own.get(&id).copied().unwrap_or_default();
        self.own.insert(id, before.max(reached));
        bound(&mut self.own);
        added
    }
}

fn bound<T>(followed: &mut BTreeMap<MessageId, T>) {
    if followed.len() > FOLLOWED {
        followed.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::{BareJid, Content, Failure, Jid, Names, Place, Stamp};

    fn message(id: u64, side: Side) -> Message {
        Message {
            id: MessageId(id),
            conversation: BareJid::new("bob@home.example").unwrap(),
            place: Place(1),
            sender: Jid::new("bob@home.example/x").unwrap(),
            side,
            stamp: Stamp(0),
            content: Content::Text("hello".into()),
            names: Names::default(),
            edited: None,
        }
    }

    fn own(messages: &mut Messages, id: u64, delivery: Delivery) -> Vec<&'static str> {
        let added = messages.told(Tick(0), &message(id, Side::Own(delivery)));
        added.counted.into_iter().map(|(_, state)| state).collect()
    }

    #[test]
    fn each_step_of_an_own_message_is_counted_once_and_none_is_left_out() {
        let mut messages = Messages::default();
        assert_eq!(own(&mut messages, 1, Delivery::Queued), ["queued"]);
        assert!(own(&mut messages, 1, Delivery::Queued).is_empty());
        assert_eq!(own(&mut messages, 1, Delivery::Delivered), ["sent", "delivered"]);
        assert!(own(&mut messages, 1, Delivery::Delivered).is_empty());
        assert_eq!(own(&mut messages, 1, Delivery::Read), ["read"]);
        assert_eq!(
            own(&mut messages, 2, Delivery::Sent),
            ["sent"],
            "from another device"
        );
        let failure = Failure::TooLarge;
        assert_eq!(
            own(&mut messages, 2, Delivery::Failed(failure.clone())),
            ["failed"]
        );
        assert!(own(&mut messages, 2, Delivery::Failed(failure)).is_empty());
    }

    #[test]
    fn what_was_there_before_is_not_counted_again_and_what_comes_from_the_archive_is() {
        let mut messages = Messages::default();
        messages.begin(Some(MessageId(7)));
        assert!(own(&mut messages, 7, Delivery::Delivered).is_empty());
        let mut theirs = |id| messages.told(Tick(0), &message(id, Side::Theirs)).counted.len();
        assert_eq!([theirs(3), theirs(8), theirs(9), theirs(8)], [0, 1, 1, 0]);
    }

    #[test]
    fn a_delivery_takes_from_the_first_handing_over_until_the_server_has_it() {
        let mut messages = Messages::default();
        let mut told = |now, delivery| {
            let message = message(1, Side::Own(delivery));
            messages.told(Tick(now), &message).arrived_after
        };
        assert_eq!(told(0, Delivery::Queued), None);
        let _ = told;
        messages.handed_over(Tick(10), MessageId(1));
        messages.handed_over(Tick(5_000), MessageId(1));
        let sent = message(1, Side::Own(Delivery::Sent));
        assert_eq!(
            messages.told(Tick(6_010), &sent).arrived_after,
            Some(Duration::from_secs(6))
        );
        assert_eq!(messages.told(Tick(7_000), &sent).arrived_after, None);
    }

    #[test]
    fn what_is_followed_is_bounded() {
        let mut messages = Messages::default();
        for id in 0..FOLLOWED as u64 + 50 {
            own(&mut messages, id, Delivery::Queued);
            messages.handed_over(Tick(0), MessageId(id));
        }
        assert_eq!(messages.own.len(), FOLLOWED);
        assert_eq!(messages.handed_over.len(), FOLLOWED);
    }
}

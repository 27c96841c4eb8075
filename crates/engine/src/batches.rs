//! How a window is told: a few changes at once, many of them gathered.
//!
//! While thousands of missed messages are read back, the engine has thousands of changes a second to tell, and whoever
//! draws each of them does nothing else. So batches have an allowance, which fills steadily: the few changes of a chat
//! never wait, and of a flood so many are told together as have gathered until the next batch is allowed. They keep
//! their order, and none is left out but those that a later one of the same batch makes void.

use dormouse_model::{BareJid, Change};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

/// In a flood, from one batch to the next.
const EVERY: Duration = Duration::from_millis(100);
/// Batches that may come without a pause, after a quiet time: as long as it was, up to this many.
const AT_ONCE: u32 = 8;
/// The most changes in a batch; what is more comes with the next one.
const MOST: usize = 500;

/// An engine's changes for somebody who draws them. See [`crate::Subscription::batches`].
pub struct Batches {
    changes: UnboundedReceiver<Change>,
    gathered: Vec<Change>,
    pace: Pace,
}

impl Batches {
    pub(crate) fn new(changes: UnboundedReceiver<Change>) -> Self {
        Self {
            changes,
            gathered: Vec::new(),
            pace: Pace::default(),
        }
    }

    /// The next changes, in order and at least one; none once the engine has ended. A call that is dropped before it is
    /// done has lost nothing.
    pub async fn next(&mut self) -> Option<Vec<Change>> {
        if self.gathered.is_empty() {
            let first = self.changes.recv().await?;
            self.gathered.push(first);
        }
        let wait = self.pace.wait(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        while self.gathered.len() < MOST
            && let Ok(change) = self.changes.try_recv()
        {
            self.gathered.push(change);
        }
        self.pace.told(Instant::now());
        Some(without_void(std::mem::take(&mut self.gathered)))
    }
}

/// The allowance of batches.
#[derive(Debug, Default)]
struct Pace {
    /// When a batch would be due if they all came [`EVERY`] so often.
    due: Option<Instant>,
}

impl Pace {
    /// How long the next batch has to wait.
    fn wait(&self, now: Instant) -> Duration {
        let early = EVERY * (AT_ONCE - 1);
        self.due
            .map_or(Duration::ZERO, |due| due.saturating_duration_since(now + early))
    }

    fn told(&mut self, now: Instant) {
        self.due = Some(self.due.map_or(now, |due| due.max(now)) + EVERY);
    }
}

/// What a later change of the same kind makes void.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Conversation(BareJid),
    CatchUp,
    Stored,
}

fn topic(change: &Change) -> Option<Topic> {
    match change {
        Change::Conversation(conversation) => Some(Topic::Conversation(conversation.with.clone())),
        Change::CatchUp { .. } => Some(Topic::CatchUp),
        // The later one holds for everything before it, too.
        Change::Stored => Some(Topic::Stored),
        _ => None,
    }
}

/// The same changes; of those on one topic only the last, in its place.
fn without_void(mut changes: Vec<Change>) -> Vec<Change> {
    let mut told = BTreeSet::new();
    changes.reverse();
    changes.retain(|change| topic(change).is_none_or(|topic| told.insert(topic)));
    changes.reverse();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::Conversation;
    use tokio::sync::mpsc::unbounded_channel;

    fn bare(address: &str) -> BareJid {
        BareJid::new(address).unwrap()
    }

    fn conversation(with: &str, unread: u64) -> Change {
        Change::Conversation(Box::new(Conversation {
            unread,
            ..Conversation::nothing(bare(with))
        }))
    }

    fn asked(number: usize) -> Change {
        Change::Request(bare(&format!("p{number}@b.example")))
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(work)
    }

    #[test]
    fn a_few_batches_come_at_once_and_a_flood_comes_ten_times_a_second() {
        let start = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..AT_ONCE {
            assert_eq!(pace.wait(start), Duration::ZERO);
            pace.told(start);
        }
        let mut now = start;
        let mut told = 0;
        while now < start + Duration::from_secs(10) {
            now += pace.wait(now);
            pace.told(now);
            told += 1;
        }
        assert_eq!(told, 100);
    }

    #[test]
    fn a_quiet_time_gives_back_as_many_as_it_had_room_for_and_no_more_than_that() {
        let start = Instant::now();
        let mut pace = Pace::default();
        (0..AT_ONCE).for_each(|_| pace.told(start));
        assert_eq!(pace.wait(start), EVERY);
        let free = |mut pace: Pace, now: Instant| {
            let mut count = 0;
            while pace.wait(now) == Duration::ZERO {
                pace.told(now);
                count += 1;
            }
            count
        };
        let later = start + 3 * EVERY;
        assert_eq!(free(Pace { due: pace.due }, later), 3);
        let much_later = start + Duration::from_secs(3600);
        assert_eq!(free(pace, much_later), AT_ONCE);
    }

    #[test]
    fn nothing_is_lost_and_the_order_is_kept_also_when_a_call_is_dropped() {
        let (tell, changes) = unbounded_channel();
        let all = MOST * 3;
        (0..all).for_each(|number| tell.send(asked(number)).unwrap());
        drop(tell);
        let told = run(async {
            let mut batches = Batches::new(changes);
            let mut told = Vec::new();
            (0..AT_ONCE).for_each(|_| batches.pace.told(Instant::now()));
            let dropped = tokio::time::timeout(Duration::from_millis(1), batches.next()).await;
            assert!(dropped.is_err(), "it has to wait");
            while let Some(batch) = batches.next().await {
                assert!(batch.len() <= MOST);
                told.push(batch);
            }
            told
        });
        assert_eq!(told.len(), 3);
        let expected: Vec<Change> = (0..all).map(asked).collect();
        assert_eq!(told.concat(), expected);
    }

    #[test]
    fn a_conversation_is_told_once_a_batch_as_it_is_last() {
        let changes = vec![
            conversation("a@b.example", 1),
            Change::Stored,
            asked(1),
            conversation("c@b.example", 1),
            conversation("a@b.example", 2),
            asked(1),
            Change::Stored,
            conversation("a@b.example", 3),
        ];
        let expected = vec![
            asked(1),
            conversation("c@b.example", 1),
            asked(1),
            Change::Stored,
            conversation("a@b.example", 3),
        ];
        assert_eq!(without_void(changes), expected);
    }
}

//! What is done before the core is rebuilt, by the reason why it must be.

use dormouse_account::quarantine;
use dormouse_model::{Batch, BatchId, Key, Notice, ReadError, Tick, record};
use dormouse_store::{SetAside, Store, StoreError};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// Why the core can't be trusted any more.
#[derive(Debug)]
pub enum Rebuild {
    /// A record could not be read.
    Unreadable(ReadError),
    /// The core crashed; on this frame, if it was one.
    Crashed(Option<[u8; 16]>),
    /// The database was set aside while it was reopened.
    SetAside(SetAside),
}

impl fmt::Display for Rebuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rebuild::Unreadable(error) => error.fmt(f),
            Rebuild::Crashed(Some(_)) => f.write_str("a frame crashed the core"),
            Rebuild::SetAside(aside) => write!(f, "the cache was set aside ({})", aside.why),
            Rebuild::Crashed(None) => f.write_str("the core crashed"),
        }
    }
}

/// What the user is told of a cache that was set aside.
pub fn notice(aside: &SetAside) -> Notice {
    Notice::CacheSetAside {
        saved: aside.saved as u64,
    }
}

/// Keeps rebuilding from becoming a busy loop.
#[derive(Debug, Default)]
pub struct Rebuilds(VecDeque<Tick>);

impl Rebuilds {
    /// Notes one; how long to pause before it: nothing at first, then longer the more there were in the
    /// last minute.
    pub fn note(&mut self, now: Tick) -> Duration {
        while self
            .0
            .front()
            .is_some_and(|first| now.since(*first) > Duration::from_secs(60))
        {
            self.0.pop_front();
        }
        self.0.push_back(now);
        let earlier = u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX);
        Duration::from_millis(200)
            .saturating_mul(earlier)
            .min(Duration::from_secs(5))
    }

    /// Makes the store fit for a new core: all that was applied is on disk afterwards.
    pub fn mend(
        &mut self,
        why: &Rebuild,
        next_batch: BatchId,
        store: &Store,
    ) -> Result<Option<Notice>, StoreError> {
        match why {
            Rebuild::Unreadable(error) => {
                if let ReadError::Damaged(_) = error {
                    store.report_damage();
                }
                store
                    .reopen()
                    .map(|reopened| reopened.set_aside.as_ref().map(notice))
            }
            Rebuild::SetAside(aside) => Ok(Some(notice(aside))),
            Rebuild::Crashed(Some(frame)) => {
                let key = Key::Quarantine(*frame);
                let before = quarantine::count(store, frame).unwrap_or(0);
                let writes = vec![(key.bytes(), Some(record::encode(&(before + 1))))];
                store.apply(Batch {
                    id: next_batch,
                    writes,
                });
                store.flush().map(|_| None)
            }
            Rebuild::Crashed(None) => store.flush().map(|_| None),
        }
    }
}

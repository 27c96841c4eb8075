//! What was applied and is not durable yet.
//!
//! Each key holds its newest value and the round of commits it came in. A commit takes a copy of
//! everything; when it is through, it removes what has not been written again since.

use dormouse_model::memory::Record;
use dormouse_model::{Batch, BatchId, Walk};
use std::collections::BTreeMap;
use std::ops::Bound;

/// A value, or none for a deleted key.
pub(crate) type Value = Option<Vec<u8>>;

#[derive(Debug)]
struct Entry {
    round: u64,
    value: Value,
}

/// The overlay.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    entries: BTreeMap<Vec<u8>, Entry>,
    round: u64,
    bytes: usize,
    last: BatchId,
}

/// Everything in the overlay at one moment, ready to be written.
#[derive(Debug)]
pub(crate) struct Commit {
    round: u64,
    /// The last batch it covers.
    pub(crate) last: BatchId,
    pub(crate) writes: Vec<(Vec<u8>, Value)>,
}

impl Overlay {
    pub(crate) fn apply(&mut self, batch: Batch) {
        self.last = batch.id;
        for (key, value) in batch.writes {
            self.put(key, value);
        }
    }

    fn put(&mut self, key: Vec<u8>, value: Value) {
        self.bytes += key.len() + size_of_value(&value);
        let size = key.len();
        let entry = Entry {
            round: self.round,
            value,
        };
        if let Some(old) = self.entries.insert(key, entry) {
            self.bytes -= size + size_of_value(&old.value);
        }
    }

    /// Bytes of keys and values held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The last batch applied.
    pub(crate) fn last(&self) -> BatchId {
        self.last
    }

    /// The newest value of a key; the outer none says that the overlay knows nothing of it.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    pub(crate) fn commit(&mut self) -> Commit {
        let round = self.round;
        self.round += 1;
        Commit {
            round,
            last: self.last,
            writes: self
                .entries
                .iter()
                .map(|(key, entry)| (key.clone(), entry.value.clone()))
                .collect(),
        }
    }

    /// The commit is on disk: what was not written again since need not be held any longer.
    pub(crate) fn committed(&mut self, commit: &Commit) {
        for (key, _) in &commit.writes {
            if self
                .entries
                .get(key)
                .is_some_and(|entry| entry.round <= commit.round)
                && let Some(entry) = self.entries.remove(key)
            {
                self.bytes -= key.len() + size_of_value(&entry.value);
            }
        }
    }

    /// Drops everything: the database it was meant for is gone.
    pub(crate) fn forget(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// The stored range as it will be: `read(limit)` gives the first records of the stored one.
    pub(crate) fn range<E>(
        &self,
        from: &[u8],
        to: &[u8],
        walk: Walk,
        limit: usize,
        read: impl FnOnce(usize) -> Result<Vec<Record>, E>,
    ) -> Result<Vec<Record>, E> {
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let changed = || self.entries.range::<[u8], _>(bounds);
        // A deleted record may hide one of the stored ones; the limit counts what is left.
        let hidden = changed().filter(|(_, entry)| entry.value.is_none()).count();
        let stored = read(limit.saturating_add(hidden))?;
        let mut merged: BTreeMap<Vec<u8>, Value> = stored
            .into_iter()
            .map(|(key, value)| (key, Some(value)))
            .collect();
        for (key, entry) in changed() {
            merged.insert(key.clone(), entry.value.clone());
        }
        let present = |(key, value): (Vec<u8>, Value)| value.map(|value| (key, value));
        Ok(match walk {
            Walk::Forwards => merged.into_iter().filter_map(present).take(limit).collect(),
            Walk::Backwards => merged.into_iter().rev().filter_map(present).take(limit).collect(),
        })
    }
}

fn size_of_value(value: &Value) -> usize {
    value.as_ref().map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(id: u64, key: &[u8], value: Option<&[u8]>) -> Batch {
        Batch {
            id: BatchId(id),
            writes: vec![(key.to_vec(), value.map(<[u8]>::to_vec))],
        }
    }

    #[test]
    fn what_is_written_during_a_commit_outlives_it() {
        let mut overlay = Overlay::default();
        overlay.apply(batch(1, b"a", Some(b"1")));
        overlay.apply(batch(2, b"b", Some(b"1")));
        let commit = overlay.commit();
        assert_eq!(commit.last, BatchId(2));
        overlay.apply(batch(3, b"a", Some(b"2")));
        overlay.committed(&commit);
        assert_eq!(overlay.get(b"a"), Some(&Some(b"2".to_vec())));
        assert_eq!(overlay.get(b"b"), None);
        assert_eq!(overlay.bytes(), 2);
        let commit = overlay.commit();
        overlay.committed(&commit);
        assert_eq!(overlay.bytes(), 0);
    }

    #[test]
    fn a_failed_commit_loses_nothing_and_the_next_one_covers_it() {
        let mut overlay = Overlay::default();
        overlay.apply(batch(1, b"a", None));
        let _failed = overlay.commit();
        overlay.apply(batch(2, b"b", Some(b"1")));
        let commit = overlay.commit();
        assert_eq!(commit.writes.len(), 2);
        overlay.committed(&commit);
        assert_eq!(overlay.bytes(), 0);
    }

    #[test]
    fn deleted_records_do_not_use_up_the_limit() {
        let mut overlay = Overlay::default();
        overlay.apply(batch(1, b"a", None));
        overlay.apply(batch(2, b"d", Some(b"new")));
        let stored: Vec<Record> = [b"a", b"b", b"c"].map(|k| (k.to_vec(), b"old".to_vec())).into();
        let keys = |walk, limit| -> Vec<Vec<u8>> {
            overlay
                .range(b"a", b"z", walk, limit, |n| {
                    let walked: Vec<Record> = match walk {
                        Walk::Forwards => stored.iter().take(n).cloned().collect(),
                        Walk::Backwards => stored.iter().rev().take(n).cloned().collect(),
                    };
                    Ok::<_, ()>(walked)
                })
                .unwrap()
                .into_iter()
                .map(|(key, _)| key)
                .collect()
        };
        assert_eq!(keys(Walk::Forwards, 1), [b"b"]);
        assert_eq!(keys(Walk::Backwards, 2), [b"d", b"c"]);
        assert_eq!(keys(Walk::Forwards, 9), [b"b", b"c", b"d"]);
    }
}

//! Reading what is kept, and drafting what will be.

use crate::record::{decode, encode};
use crate::{Batch, BatchId, Key};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which way a range is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// From its start, upwards.
    Forwards,
    /// From its end, downwards.
    Backwards,
}

/// A record could not be read. The input being handled is dropped unprocessed (and unacknowledged), and
/// the store is reopened before it is trusted again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The disk or the database failed.
    #[error("the store could not be read: {0}")]
    Failed(String),
    /// The record is there and makes no sense.
    #[error("a record of kind {0:?} is damaged")]
    Damaged(char),
}

/// A key and its value, as bytes.
pub type Record = (Vec<u8>, Vec<u8>);

/// Read-only look-ups. Every batch issued so far is visible, durable or not.
pub trait Memory {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError>;
    /// At most `limit` records of `[from, to)`, in the order walked.
    fn range(&self, from: &[u8], to: &[u8], walk: Walk, limit: usize) -> Result<Vec<Record>, ReadError>;
}

impl dyn Memory + '_ {
    /// A record, decoded.
    pub fn read<T: for<'de> Deserialize<'de>>(&self, key: &Key) -> Result<Option<T>, ReadError> {
        decode_at(key, self.get(&key.bytes())?)
    }
}

fn decode_at<T: for<'de> Deserialize<'de>>(
    key: &Key,
    value: Option<Vec<u8>>,
) -> Result<Option<T>, ReadError> {
    match value {
        None => Ok(None),
        Some(bytes) => match decode(&bytes) {
            Some(value) => Ok(Some(value)),
            None => Err(ReadError::Damaged(
                key.bytes().first().map_or('?', |b| char::from(*b)),
            )),
        },
    }
}

/// The memory as it will be once the writes collected so far are applied.
///
/// One input is handled over one draft: rules that look up what an earlier part of the same input
/// wrote see it. The draft ends as one atomic [`Batch`], or is dropped and nothing has happened.
pub struct Draft<'m> {
    memory: &'m dyn Memory,
    pending: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'m> Draft<'m> {
    /// Nothing written yet.
    pub fn over(memory: &'m dyn Memory) -> Self {
        Self {
            memory,
            pending: BTreeMap::new(),
        }
    }

    /// A record, decoded.
    pub fn read<T: for<'de> Deserialize<'de>>(&self, key: &Key) -> Result<Option<T>, ReadError> {
        decode_at(key, self.get(&key.bytes())?)
    }

    /// Writes a record.
    pub fn put<T: Serialize + ?Sized>(&mut self, key: &Key, value: &T) {
        self.pending.insert(key.bytes(), Some(encode(value)));
    }

    /// Deletes a record.
    pub fn delete(&mut self, key: &Key) {
        self.pending.insert(key.bytes(), None);
    }

    /// What has been written so far: each key with its value, none where it was deleted.
    pub fn written(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.pending
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// The writes as one batch.
    pub fn into_batch(self, id: BatchId) -> Batch {
        Batch {
            id,
            writes: self.pending.into_iter().collect(),
        }
    }
}

impl Memory for Draft<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self.pending.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.memory.get(key),
        }
    }

    fn range(&self, from: &[u8], to: &[u8], walk: Walk, limit: usize) -> Result<Vec<Record>, ReadError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let changed = self.pending.range(from.to_vec()..to.to_vec());
        // Deleted records may hide that many of the stored ones.
        let hidden = changed.clone().filter(|(_, value)| value.is_none()).count();
        let mut merged: BTreeMap<Vec<u8>, Option<Vec<u8>>> = self
            .memory
            .range(from, to, walk, limit.saturating_add(hidden))?
            .into_iter()
            .map(|(key, value)| (key, Some(value)))
            .collect();
        for (key, value) in changed {
            merged.insert(key.clone(), value.clone());
        }
        let present = |(key, value): (Vec<u8>, Option<Vec<u8>>)| value.map(|value| (key, value));
        Ok(match walk {
            Walk::Forwards => merged.into_iter().filter_map(present).take(limit).collect(),
            Walk::Backwards => merged.into_iter().rev().filter_map(present).take(limit).collect(),
        })
    }
}

/// A memory without a disk: for the simulator and for tests.
impl Memory for BTreeMap<Vec<u8>, Vec<u8>> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(BTreeMap::get(self, key).cloned())
    }

    fn range(&self, from: &[u8], to: &[u8], walk: Walk, limit: usize) -> Result<Vec<Record>, ReadError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let found = BTreeMap::range(self, from.to_vec()..to.to_vec());
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(match walk {
            Walk::Forwards => found.take(limit).map(copy).collect(),
            Walk::Backwards => found.rev().take(limit).map(copy).collect(),
        })
    }
}

impl Batch {
    /// Applies the writes to a memory without a disk.
    pub fn apply_to(&self, memory: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
        for (key, value) in &self.writes {
            match value {
                Some(value) => memory.insert(key.clone(), value.clone()),
                None => memory.remove(key),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BareJid, MessageId, Place};

    fn key(place: u128) -> Key {
        Key::Timeline(BareJid::new("a@x").unwrap(), Place(place))
    }

    #[test]
    fn a_draft_reads_back_what_it_wrote_and_leaves_the_memory_alone() {
        let mut kept = BTreeMap::new();
        kept.insert(key(1).bytes(), encode(&MessageId(1)));
        kept.insert(key(2).bytes(), encode(&MessageId(2)));
        let mut draft = Draft::over(&kept);
        draft.delete(&key(1));
        draft.put(&key(3), &MessageId(3));
        assert_eq!(draft.read::<MessageId>(&key(1)).unwrap(), None);
        assert_eq!(draft.read::<MessageId>(&key(3)).unwrap(), Some(MessageId(3)));
        let (from, to) = Key::timeline_range(&BareJid::new("a@x").unwrap());
        let ids = |walk, limit| -> Vec<u64> {
            draft
                .range(&from, &to, walk, limit)
                .unwrap()
                .iter()
                .map(|(_, v)| decode::<MessageId>(v).unwrap().0)
                .collect()
        };
        assert_eq!(ids(Walk::Forwards, 9), [2, 3]);
        assert_eq!(ids(Walk::Backwards, 1), [3]);
        assert_eq!(
            ids(Walk::Forwards, 1),
            [2],
            "a deleted record does not use up the limit"
        );
        let batch = draft.into_batch(BatchId(1));
        assert_eq!(kept.len(), 2);
        batch.apply_to(&mut kept);
        assert_eq!(kept.len(), 2);
        assert!(kept.contains_key(&key(3).bytes()));
    }

    #[test]
    fn a_damaged_record_is_an_error_and_not_an_absence() {
        let mut kept = BTreeMap::new();
        kept.insert(Key::Session.bytes(), vec![0xc1]);
        assert_eq!(
            Draft::over(&kept).read::<String>(&Key::Session),
            Err(ReadError::Damaged('s'))
        );
    }
}

//! A client's disk: what is applied, what of it is durable, and what goes wrong with either.

use dormouse_model::memory::Record;
use dormouse_model::record::{decode, encode};
use dormouse_model::{Batch, BatchId, Key, Memory, Random, ReadError, Walk};
use serde_json::Value;
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};

/// A key space, as the store has it.
pub type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// By how much the counters of a session grow, which stands for days of traffic.
#[derive(Debug, Clone)]
pub struct Aged {
    /// The session, as the server calls it.
    pub session: String,
    /// Stanzas to the server.
    pub up: u32,
    /// Stanzas from the server.
    pub down: u32,
}

/// The disk of one client. Look-ups see every batch issued; a kill leaves what is durable.
#[derive(Debug, Default)]
pub struct Disk {
    applied: Records,
    durable: Records,
    pending: VecDeque<Batch>,
    /// Writes are refused.
    pub refuses: bool,
    /// Before it refuses, it takes a part of what waits, and nobody is told how much.
    pub takes_a_part: bool,
    /// The core has been told so.
    pub refusal_told: bool,
    /// The last batch of this process that is durable.
    pub durable_to: Option<BatchId>,
    /// A look-up will fail after so many others.
    fails_in: Cell<Option<u32>>,
}

impl Disk {
    /// Applies a batch; it is durable later.
    pub fn apply(&mut self, batch: Batch) {
        batch.apply_to(&mut self.applied);
        self.pending.push_back(batch);
    }

    /// It takes everything again.
    pub fn works(&mut self) {
        self.refuses = false;
        self.takes_a_part = false;
    }

    /// The disk gets full in the middle of what waits.
    pub fn fill(&mut self, random: &mut Random) {
        if std::mem::take(&mut self.takes_a_part) {
            let part = random.below(self.pending.len() as u64 + 1);
            if let Some(last) = usize::try_from(part).ok().and_then(|part| self.pending.get(part)) {
                self.flush(BatchId(last.id.0.saturating_sub(1)));
            }
        }
    }

    /// The last batch that waits to become durable.
    pub fn waiting(&self) -> Option<BatchId> {
        self.pending.back().map(|batch| batch.id)
    }

    /// Everything up to this batch reaches the disk.
    pub fn flush(&mut self, to: BatchId) {
        while self.pending.front().is_some_and(|batch| batch.id <= to) {
            if let Some(batch) = self.pending.pop_front() {
                batch.apply_to(&mut self.durable);
                self.durable_to = Some(batch.id);
            }
        }
    }

    /// The process is gone: what was not durable has never been.
    pub fn lose(&mut self) {
        if !self.pending.is_empty() {
            self.applied = self.durable.clone();
            self.pending.clear();
        }
        self.durable_to = None;
        self.refusal_told = false;
        self.fails_in.set(None);
    }

    /// A look-up fails after so many others; none: all work again.
    pub fn fail_reading(&self, after: Option<u32>) {
        self.fails_in.set(after);
    }

    /// By how much the counters of the session kept here must grow to be so short of 2^32; none if there is none.
    pub fn aged(&self, up: u32, down: u32) -> Option<Aged> {
        let kept: Value = decode(self.durable.get(&Key::Session.bytes())?)?;
        let managed = kept.get("managed")?;
        let count = |name: &str| u32::try_from(managed.get(name)?.as_u64()?).ok();
        Some(Aged {
            session: managed.get("id")?.as_str()?.to_owned(),
            up: (u32::MAX - up).wrapping_sub(count("acked")?),
            down: (u32::MAX - down).wrapping_sub(count("handled")?),
        })
    }

    /// The counters grow. No process is running.
    pub fn age(&mut self, aged: &Aged) {
        let key = Key::Session.bytes();
        let Some(mut kept) = self.durable.get(&key).and_then(|bytes| decode::<Value>(bytes)) else {
            return;
        };
        for (name, by) in [("acked", aged.up), ("handled", aged.down)] {
            if let Some(count) = kept.get_mut("managed").and_then(|managed| managed.get_mut(name)) {
                let old = count
                    .as_u64()
                    .and_then(|old| u32::try_from(old).ok())
                    .unwrap_or(0);
                *count = old.wrapping_add(by).into();
            }
        }
        self.durable.insert(key, encode(&kept));
        let (from, to) = Key::Unacked(0).kind_range();
        let waiting: Vec<(Vec<u8>, Vec<u8>)> = self
            .durable
            .range(from..to)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for (key, _) in &waiting {
            self.durable.remove(key);
        }
        for (key, value) in waiting {
            let count = key
                .get(1..)
                .and_then(|bytes| bytes.try_into().ok())
                .map_or(0, u32::from_be_bytes);
            self.durable
                .insert(Key::Unacked(count.wrapping_add(aged.up)).bytes(), value);
        }
        self.applied = self.durable.clone();
    }

    /// Everything as it was last written, for a reader whose look-ups never fail.
    pub fn records(&self) -> &Records {
        &self.applied
    }

    fn try_reading(&self) -> Result<(), ReadError> {
        match self.fails_in.get() {
            None => Ok(()),
            Some(0) => {
                self.fails_in.set(None);
                Err(ReadError::Failed("the simulator says so".into()))
            }
            Some(more) => {
                self.fails_in.set(Some(more - 1));
                Ok(())
            }
        }
    }
}

impl Memory for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.try_reading()?;
        Memory::get(&self.applied, key)
    }

    fn range(&self, from: &[u8], to: &[u8], walk: Walk, limit: usize) -> Result<Vec<Record>, ReadError> {
        self.try_reading()?;
        Memory::range(&self.applied, from, to, walk, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(id: u64, key: u8) -> Batch {
        Batch {
            id: BatchId(id),
            writes: vec![(vec![key], Some(vec![key]))],
        }
    }

    #[test]
    fn a_killed_process_finds_what_was_durable_and_nothing_else() {
        let mut disk = Disk::default();
        disk.apply(batch(1, 1));
        disk.apply(batch(2, 2));
        disk.flush(BatchId(1));
        assert!(Memory::get(&disk, &[2]).unwrap().is_some());
        disk.lose();
        assert!(Memory::get(&disk, &[1]).unwrap().is_some());
        assert!(Memory::get(&disk, &[2]).unwrap().is_none());
    }
}

//! Records kept under consecutive numbers, the oldest forgotten: what a journal is on the disk.

use dormouse_model::{Draft, Key, Memory, ReadError, Walk, record};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A kind of record that is kept under consecutive numbers.
pub trait Kind: Serialize + DeserializeOwned {
    /// How many are kept.
    const LENGTH: u64;
    /// Where the one with this number is.
    fn key(number: u64) -> Key;
}

/// Numbers what is appended and forgets the oldest.
#[derive(Debug)]
pub struct Numbered<T> {
    next: u64,
    kind: PhantomData<fn(T)>,
}

impl<T: Kind> Numbered<T> {
    /// Goes on where it stopped.
    pub fn restore(memory: &dyn Memory) -> Result<Self, ReadError> {
        let (from, to) = T::key(0).kind_range();
        let last = memory.range(&from, &to, Walk::Backwards, 1)?;
        let number = last
            .first()
            .and_then(|(key, _)| key.get(1..9))
            .and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            next: number.map_or(0, |bytes| u64::from_be_bytes(bytes).wrapping_add(1)),
            kind: PhantomData,
        })
    }

    /// Keeps one more.
    pub fn append(&mut self, record: &T, draft: &mut Draft) {
        draft.put(&T::key(self.next), record);
        if let Some(oldest) = self.next.checked_sub(T::LENGTH) {
            draft.delete(&T::key(oldest));
        }
        self.next = self.next.wrapping_add(1);
    }
}

/// The last `limit` of a kind, oldest first. What can't be read is left out.
pub fn last<T: Kind>(memory: &dyn Memory, limit: usize) -> Result<Vec<T>, ReadError> {
    let (from, to) = T::key(0).kind_range();
    let mut records: Vec<T> = memory
        .range(&from, &to, Walk::Backwards, limit)?
        .into_iter()
        .filter_map(|(_, value)| record::decode(&value))
        .collect();
    records.reverse();
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::{BatchId, JournalEntry, Stamp};
    use std::collections::BTreeMap;

    #[test]
    fn what_is_numbered_goes_on_after_a_restart_and_forgets_its_oldest() {
        let mut kept = BTreeMap::new();
        for half in 0..2 {
            let mut lines = Numbered::restore(&kept).unwrap();
            let mut draft = Draft::over(&kept);
            for line in 0..JournalEntry::LENGTH {
                let entry = JournalEntry {
                    at: Stamp(0),
                    text: format!("{half} {line}"),
                };
                lines.append(&entry, &mut draft);
            }
            let batch = draft.into_batch(BatchId(half));
            batch.apply_to(&mut kept);
        }
        let lines: Vec<JournalEntry> = last(&kept, usize::MAX).unwrap();
        assert_eq!(lines.len() as u64, JournalEntry::LENGTH);
        assert_eq!(lines.first().map(|line| line.text.as_str()), Some("1 0"));
        let newest = format!("1 {}", JournalEntry::LENGTH - 1);
        assert_eq!(last::<JournalEntry>(&kept, 1).unwrap()[0].text, newest);
    }
}

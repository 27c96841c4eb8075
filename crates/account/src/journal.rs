//! The connection's journal: what happened and why, kept across restarts, bounded in size.

use dormouse_model::{Draft, JournalEntry, Key, Memory, Now, ReadError, Walk, record};

/// How many lines are kept.
pub const LENGTH: u64 = 2_000;

/// Numbers the lines and forgets the oldest.
#[derive(Debug, Default)]
pub struct Journal {
    next: u64,
}

impl Journal {
    /// Goes on where it stopped.
    pub fn restore(memory: &dyn Memory) -> Result<Self, ReadError> {
        let (from, to) = Key::Journal(0).kind_range();
        let last = memory.range(&from, &to, Walk::Backwards, 1)?;
        let number = last
            .first()
            .and_then(|(key, _)| key.get(1..9))
            .and_then(|b| b.try_into().ok());
        Ok(Self {
            next: number.map_or(0, |bytes| u64::from_be_bytes(bytes).wrapping_add(1)),
        })
    }

    /// Writes a line.
    pub fn write(&mut self, now: Now, text: String, draft: &mut Draft) -> JournalEntry {
        let entry = JournalEntry { at: now.stamp, text };
        draft.put(&Key::Journal(self.next), &entry);
        if let Some(oldest) = self.next.checked_sub(LENGTH) {
            draft.delete(&Key::Journal(oldest));
        }
        self.next += 1;
        entry
    }
}

/// The last `limit` lines, oldest first.
pub fn last(memory: &dyn Memory, limit: usize) -> Result<Vec<JournalEntry>, ReadError> {
    let (from, to) = Key::Journal(0).kind_range();
    let mut lines: Vec<JournalEntry> = memory
        .range(&from, &to, Walk::Backwards, limit)?
        .into_iter()
        .filter_map(|(_, value)| record::decode(&value))
        .collect();
    lines.reverse();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::BatchId;
    use std::collections::BTreeMap;

    #[test]
    fn the_journal_goes_on_after_a_restart_and_forgets_its_oldest_lines() {
        let mut kept = BTreeMap::new();
        for half in 0..2 {
            let mut journal = Journal::restore(&kept).unwrap();
            let mut draft = Draft::over(&kept);
            for line in 0..LENGTH {
                journal.write(Now::default(), format!("{half} {line}"), &mut draft);
            }
            let batch = draft.into_batch(BatchId(half));
            batch.apply_to(&mut kept);
        }
        let lines = last(&kept, usize::MAX).unwrap();
        assert_eq!(lines.len() as u64, LENGTH);
        assert_eq!(lines.first().map(|l| l.text.as_str()), Some("1 0"));
        assert_eq!(last(&kept, 1).unwrap()[0].text, format!("1 {}", LENGTH - 1));
    }
}

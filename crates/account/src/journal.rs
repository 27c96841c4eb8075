//! The connection's journal: what happened and why, kept across restarts, bounded in size.

use dormouse_model::{Draft, JournalEntry, Key, Memory, Now, ReadError, Walk, record};

/// How many lines are kept.
pub const LENGTH: u64 = 2_000;
/// What is longer is cut, in characters: a line may quote what others sent.
const LONGEST_LINE: usize = 1_000;

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
    pub fn write(&mut self, now: Now, mut text: String, draft: &mut Draft) -> JournalEntry {
        if let Some((end, _)) = text.char_indices().nth(LONGEST_LINE) {
            text.truncate(end);
            text.push('…');
        }
        let entry = JournalEntry { at: now.stamp, text };
        draft.put(&Key::Journal(self.next), &entry);
        if let Some(oldest) = self.next.checked_sub(LENGTH) {
            draft.delete(&Key::Journal(oldest));
        }
        self.next = self.next.wrapping_add(1);
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
    fn a_line_that_quotes_without_end_is_cut() {
        let kept = BTreeMap::new();
        let mut draft = Draft::over(&kept);
        let mut line = |text: &str| {
            Journal::default()
                .write(Now::default(), text.to_owned(), &mut draft)
                .text
        };
        let fits = "\u{e4}".repeat(LONGEST_LINE);
        assert_eq!(line(&fits), fits);
        assert_eq!(line(&format!("{fits}b")), format!("{fits}…"));
    }

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

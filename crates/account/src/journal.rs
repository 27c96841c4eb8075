//! The connection's journal: what happened and why, kept across restarts, bounded in size.

use crate::numbered::{Kind, Numbered, last as last_numbered};
use dormouse_model::{Draft, JournalEntry, Key, Memory, Now, ReadError};

/// What is longer is cut, in characters: a line may quote what others sent.
const LONGEST_LINE: usize = 1_000;

impl Kind for JournalEntry {
    const LENGTH: u64 = 2_000;

    fn key(number: u64) -> Key {
        Key::Journal(number)
    }
}

/// Writes the lines.
#[derive(Debug)]
pub struct Journal(Numbered<JournalEntry>);

impl Journal {
    /// Goes on where it stopped.
    pub fn restore(memory: &dyn Memory) -> Result<Self, ReadError> {
        Numbered::restore(memory).map(Self)
    }

    /// Writes a line.
    pub fn write(&mut self, now: Now, mut text: String, draft: &mut Draft) -> JournalEntry {
        if let Some((end, _)) = text.char_indices().nth(LONGEST_LINE) {
            text.truncate(end);
            text.push('…');
        }
        let entry = JournalEntry { at: now.stamp, text };
        self.0.append(&entry, draft);
        entry
    }
}

/// The last `limit` lines, oldest first.
pub fn last(memory: &dyn Memory, limit: usize) -> Result<Vec<JournalEntry>, ReadError> {
    last_numbered(memory, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_line_that_quotes_without_end_is_cut() {
        let kept = BTreeMap::new();
        let mut draft = Draft::over(&kept);
        let mut line = |text: &str| {
            let mut journal = Journal::restore(&kept).unwrap();
            journal.write(Now::default(), text.to_owned(), &mut draft).text
        };
        let fits = "\u{e4}".repeat(LONGEST_LINE);
        assert_eq!(line(&fits), fits);
        assert_eq!(line(&format!("{fits}b")), format!("{fits}…"));
    }

    #[test]
    fn the_last_lines_are_read_oldest_first() {
        let mut kept: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut journal = Journal::restore(&kept).unwrap();
        let batch = {
            let mut draft = Draft::over(&kept);
            for text in ["one", "two", "three"] {
                journal.write(Now::default(), text.to_owned(), &mut draft);
            }
            draft.into_batch(dormouse_model::BatchId(1))
        };
        batch.apply_to(&mut kept);
        let texts: Vec<String> = last(&kept, 2)
            .unwrap()
            .into_iter()
            .map(|line| line.text)
            .collect();
        assert_eq!(texts, ["two", "three"]);
    }
}

//! Lines of the journal about what others do: so many, and no more.
//!
//! Anybody can send what is dropped or can't be read, a thousand times a second. The journal keeps two thousand
//! lines, the log all of a week; neither is there for that. What is left out is counted and told.

use dormouse_model::Tick;
use std::time::Duration;

/// Lines in one [`SPELL`].
const LINES: u32 = 100;
/// A spell begins with its first line.
const SPELL: Duration = Duration::from_secs(60);

/// How much has been said lately.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    since: Option<Tick>,
    lines: u32,
    left_out: u64,
}

impl Flood {
    /// What to write where this line is due: nothing, the line, or the line with what is to be said about those that
    /// are left out.
    pub fn line(&mut self, now: Tick, text: String) -> Vec<String> {
        let mut lines = Vec::new();
        if self.since.is_none_or(|since| now.since(since) >= SPELL) {
            if self.left_out > 0 {
                lines.push(format!(
                    "{} more lines about what others send were left out.",
                    self.left_out
                ));
            }
            *self = Self {
                since: Some(now),
                ..Self::default()
            };
        }
        if self.lines < LINES {
            self.lines += 1;
            lines.push(text);
            if self.lines == LINES {
                let seconds = SPELL.as_secs();
                lines.push(format!(
                    "That was line {LINES} about what others send within {seconds} s: the next ones are only counted."
                ));
            }
        } else {
            self.left_out += 1;
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_what_is_dropped_leaves_the_journal_to_the_rest_and_is_counted() {
        let mut flood = Flood::default();
        let at = |second: u64| Tick(second * 1_000);
        let written = (0..1_000)
            .flat_map(|_| flood.line(at(1), "dropped".into()))
            .count();
        assert_eq!(written, 101, "a hundred, and that the rest is only counted");
        assert_eq!(flood.line(at(60), "dropped".into()), Vec::<String>::new());
        let then = flood.line(at(61), "dropped".into());
        assert_eq!(
            then,
            ["901 more lines about what others send were left out.", "dropped"]
        );
        assert_eq!(flood.line(at(61), "dropped".into()), ["dropped"], "a new spell");
    }
}

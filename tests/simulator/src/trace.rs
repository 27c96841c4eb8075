//! What happened in a life, to be read by people and compared by machines.

use dormouse_model::Tick;
use std::collections::VecDeque;

/// Lines kept for a reader; the hash covers all.
const KEPT: usize = 40_000;
/// Characters of one line.
const WIDTH: usize = 420;

/// The story of one life.
#[derive(Debug)]
pub struct Trace {
    told: bool,
    lines: VecDeque<String>,
    hash: u64,
    /// Things that happened.
    pub steps: u64,
}

impl Trace {
    /// An empty one. `told`: keep lines to read; else only the hash.
    pub fn new(told: bool) -> Self {
        Self {
            told,
            lines: VecDeque::new(),
            hash: 0xcbf2_9ce4_8422_2325,
            steps: 0,
        }
    }

    /// Something happened to somebody.
    pub fn note(&mut self, at: Tick, who: &str, what: &str, detail: &str) {
        self.mark(at, who, what, detail);
        self.tell(at, who, what, detail);
    }

    /// For the hash only: the reader is told in other words.
    pub fn mark(&mut self, at: Tick, who: &str, what: &str, detail: &str) {
        self.steps += 1;
        for byte in
            at.0.to_be_bytes()
                .iter()
                .chain(who.as_bytes())
                .chain(what.as_bytes())
        {
            self.mix(u64::from(*byte));
        }
        for word in detail.as_bytes().chunks(8) {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            self.mix(u64::from_le_bytes(bytes));
        }
    }

    /// For the reader only: it follows from the rest.
    pub fn tell(&mut self, at: Tick, who: &str, what: &str, detail: &str) {
        if !self.told {
            return;
        }
        let (seconds, milliseconds) = (at.0 / 1000, at.0 % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let short: String = detail.chars().take(WIDTH).collect();
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(format!(
            "{hour:02}:{minute:02}:{second:02}.{milliseconds:03} {who:<4} {what} {short}"
        ));
    }

    /// Whether details are wanted that cost time to write.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// The last lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// Stands for the whole story: equal for equal lives.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// FNV-1a, a word at a time.
    fn mix(&mut self, word: u64) {
        self.hash = (self.hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(17);
    }
}

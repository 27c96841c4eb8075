//! What is measured: ways in which a sleep can go, at servers of different makes.

use std::fmt;
use std::time::Duration;

/// The server, by what it can do for a fast sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// SASL2, Bind 2, FAST.
    Prosody13,
    /// Classic.
    Prosody012,
    /// SASL2, Bind 2, FAST.
    Ejabberd2412,
    /// Classic.
    Ejabberd2301,
}

/// What became of connection, session and process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Nothing was missed and the connection lives.
    Alive,
    /// The flow is dead in both directions; the server holds the session.
    Dead,
    /// What the server sends is lost; it holds the session.
    Mute,
    /// Flow and session are gone.
    Night,
    /// The process is started again; the server holds the session.
    Start,
}

/// One of them at one of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// The server.
    pub make: Make,
    /// What happens.
    pub what: What,
}

/// All of them, the headline first.
pub fn all() -> Vec<Case> {
    use Make::*;
    use What::*;
    [
        (Night, Prosody13),
        (Night, Prosody012),
        (Night, Ejabberd2301),
        (Night, Ejabberd2412),
        (Alive, Prosody13),
        (Alive, Prosody012),
        (Dead, Prosody13),
        (Mute, Prosody13),
        (Dead, Ejabberd2412),
        (Dead, Prosody012),
        (Mute, Prosody012),
        (Dead, Ejabberd2301),
        (Mute, Ejabberd2301),
        (Start, Prosody13),
        (Start, Prosody012),
        (Start, Ejabberd2301),
    ]
    .map(|(what, make)| Case { make, what })
    .to_vec()
}

impl Make {
    /// As in the tables, and in `--cases`.
    pub fn name(self) -> &'static str {
        match self {
            Make::Prosody13 => "prosody-13",
            Make::Prosody012 => "prosody-0.12",
            Make::Ejabberd2412 => "ejabberd-24.12",
            Make::Ejabberd2301 => "ejabberd-23.01",
        }
    }

    /// Whether one flight signs in.
    fn is_fast(self) -> bool {
        matches!(self, Make::Prosody13 | Make::Ejabberd2412)
    }
}

impl Case {
    /// Whether its name has all these words.
    pub fn has(self, words: &[String]) -> bool {
        let name = self.to_string();
        words
            .iter()
            .all(|word| name.split(' ').any(|part| part == word.as_str()))
    }

    /// The round trips that the protocol needs: 3 until the WebSocket stands. Then FAST needs one; classic SASL two, where
    /// the SCRAM response, `<open/>` and `<resume/>` go together. With the session gone, Bind 2 is part of the same
    /// reply and the archive is one more; classic binding is one more, and the archive another. (Prosody 0.12 can't read
    /// what follows a refused resumption that came with the proof: a session that is probably gone is asked for behind it,
    /// on every classic server, which is one more than this.)
    pub fn floor(self) -> u32 {
        match (self.what, self.make.is_fast()) {
            (What::Alive, _) => 1,
            (What::Dead | What::Mute | What::Start, true) => 4,
            (What::Dead | What::Mute | What::Start, false) => 5,
            (What::Night, true) => 5,
            (What::Night, false) => 7,
        }
    }

    /// What is to be reached at 100 ms without loss.
    pub fn target(self, rtt: Duration) -> Option<Duration> {
        let more = Duration::from_millis;
        match (self.what, self.make) {
            (What::Alive, _) => Some(rtt + more(30)),
            (What::Dead | What::Mute | What::Start, make) if make.is_fast() => Some(4 * rtt + more(60)),
            (What::Dead | What::Mute | What::Start, Make::Prosody012) => Some(5 * rtt + more(60)),
            (What::Dead | What::Mute | What::Start, _) => Some(6 * rtt + more(60)),
            (What::Night, _) => None,
        }
    }

    /// Round trips from the bound session to the newest page, at most, where the session is gone.
    pub fn page_after_bound(self) -> Option<u32> {
        (self.what == What::Night).then_some(if self.make.is_fast() { 1 } else { 2 })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Alive => "alive",
            What::Dead => "dead",
            What::Mute => "mute",
            What::Night => "night",
            What::Start => "start",
        };
        write!(f, "{what} {}", self.make.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_chosen_by_the_words_of_their_names() {
        let chosen = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            all().into_iter().filter(|case| case.has(&words)).count()
        };
        assert_eq!(chosen(&[]), all().len());
        assert_eq!(chosen(&["night", "prosody-13"]), 1);
        assert_eq!(chosen(&["prosody"]), 0, "whole words");
    }

    #[test]
    fn no_target_is_below_the_floor() {
        let rtt = Duration::from_millis(100);
        for case in all() {
            if let Some(target) = case.target(rtt) {
                assert!(target >= rtt * case.floor(), "{case}");
            }
        }
    }
}

//! Finds what was lost, doubled, put out of order or untrue.
//!
//! It knows what each user typed and what each window shows, at the end and along the way, and nothing of how
//! either came about. Only to tell what is *possible* it asks the model server: whether a message has reached
//! it, in which order its archive holds what was said, and what that has lost when the server was killed.
//!
//! `typed` is what was typed; `window` looks along the way, `end` when everything is over, with `order` and `lost`.

mod end;
mod lost;
mod order;
mod typed;
mod window;

pub use typed::{Hand, Typed};
pub use window::{list, window};

use dormouse_model::{MessageId, Tick};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Within this time (awake) a dead link is noticed; the rest is what is under way on it.
const NOTICED: Duration = Duration::from_secs(36);
/// Enough to know what is wrong.
const ENOUGH: usize = 12;
/// Who does not exist, and is written to: the account after the last.
pub const NOBODY: &str = "nobody@home.example";

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// When it was found.
    pub at: Tick,
    /// With whom.
    pub who: String,
    /// What.
    pub what: String,
}

/// The checker.
#[derive(Debug, Default)]
pub struct Checker {
    typed: Vec<Typed>,
    /// Which message of a client is which.
    ids: BTreeMap<(usize, MessageId), usize>,
    /// Messages that a client of this account has shown as theirs, by the sender's name for them.
    shown: BTreeSet<(usize, String)>,
    /// Who has read a conversation with whom.
    read: BTreeSet<(usize, usize)>,
    findings: Vec<Finding>,
    at_end: Tick,
}

impl Checker {
    /// Something is wrong.
    pub fn found(&mut self, at: Tick, who: &str, what: String) {
        if self.findings.len() < ENOUGH {
            self.findings.push(Finding {
                at,
                who: who.to_owned(),
                what,
            });
        }
    }

    /// A client broke the protocol.
    pub fn protocol(&mut self, what: String) {
        self.found(self.at_end, "srv", what);
    }

    /// Whether there is no sense in going on.
    pub fn is_hopeless(&self) -> bool {
        self.findings.len() >= ENOUGH
    }

    /// What was found.
    pub fn findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    /// "Live" has been untrue for so long.
    pub fn live_untrue(&mut self, at: Tick, who: &str, length: Duration) {
        if length > NOTICED {
            self.found(
                at,
                who,
                format!("shows \"live\" though the link has been dead for {length:?}"),
            );
        }
    }
}

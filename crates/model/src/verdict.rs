//! What the end of a connection, or a failed dial, means for the next step.

use crate::Cause;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What to do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What to do.
    pub action: Action,
    /// Why; a sentence can be made of it.
    pub cause: Cause,
}

/// What to do after a connection or a dial failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Dial again with the ordinary backoff.
    Retry,
    /// The server is restarting: everybody was told at once, so the first delay is random.
    RetryScattered,
    /// Dial again, not before this long.
    RetryAfter(Duration),
    /// Something is wrong that time may mend: start from the longest ordinary backoff.
    RetrySlowly,
    /// Try again at once, once, in a plainer way (step by step, a fresh session, without a token).
    RetryPlainly,
    /// Another client took our resource: bind under a new one; stop if it repeats within a minute.
    NewResource,
    /// Only the user can mend it.
    Stop,
}

impl Verdict {
    /// A verdict in one line.
    pub fn new(action: Action, cause: Cause) -> Self {
        Self { action, cause }
    }
}

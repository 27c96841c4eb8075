//! Time as an input.
//!
//! Two clocks, because they answer different questions. A [`Tick`] measures how long something took
//! and counts the time the machine slept; it never jumps, but its origin means nothing. A [`Stamp`]
//! says what the calendar says, and may jump when the user or the network sets it.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on a clock that counts sleep, in milliseconds from an arbitrary origin.
///
/// Deadlines are kept as ticks: a deadline that passed during a sleep has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Tick(pub u64);

/// A moment in UTC, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Stamp(pub i64);

/// The present, on both clocks. Every decision is given one and reads no clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// For deadlines and lengths of time.
    pub tick: Tick,
    /// For what is shown to people and said to servers.
    pub stamp: Stamp,
}

impl Tick {
    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Tick) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Tick {
    type Output = Tick;
    fn add(self, length: Duration) -> Tick {
        Tick(
            self.0
                .saturating_add(u64::try_from(length.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub<Tick> for Tick {
    type Output = Duration;
    fn sub(self, earlier: Tick) -> Duration {
        self.since(earlier)
    }
}

impl Stamp {
    /// This moment moved by `milliseconds`, backwards if negative.
    pub fn shifted(self, milliseconds: i64) -> Stamp {
        Stamp(self.0.saturating_add(milliseconds))
    }
}

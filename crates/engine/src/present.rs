//! The present, as this system's clocks tell it.

use dormouse_model::{Now, Stamp, Tick};
use dormouse_wake::clock::{Clock, SystemClock};

/// The present, on the clocks by which every state and deadline of the engine is told.
pub fn now() -> Now {
    let clock = SystemClock;
    let tick = u64::try_from(clock.now().as_millis()).unwrap_or(u64::MAX);
    Now {
        tick: Tick(tick),
        stamp: Stamp(clock.wall_ms()),
    }
}

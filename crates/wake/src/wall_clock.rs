//! Whether the wall clock was set.
//!
//! The wall clock is compared with the clock that counts sleep: while nobody sets it, both advance alike,
//! awake and asleep. Each reading is compared with the one before, so that the slow correction of a
//! clock (at most half a millisecond a second) does not add up to a jump.

use std::time::Duration;

/// Smaller corrections are a clock being kept right, not set.
const LEAST_JUMP_MS: i64 = 2_000;

#[derive(Debug)]
pub(crate) struct WallClock {
    /// Wall clock minus counting clock, in milliseconds.
    offset_ms: i64,
}

impl WallClock {
    pub(crate) fn new(wall_ms: i64, now: Duration) -> Self {
        Self {
            offset_ms: offset(wall_ms, now),
        }
    }

    /// By how many milliseconds the clock was set since the last look, if it was.
    pub(crate) fn look(&mut self, wall_ms: i64, now: Duration) -> Option<i64> {
        let offset_ms = offset(wall_ms, now);
        let by = offset_ms.saturating_sub(self.offset_ms);
        self.offset_ms = offset_ms;
        (by.saturating_abs() >= LEAST_JUMP_MS).then_some(by)
    }
}

fn offset(wall_ms: i64, now: Duration) -> i64 {
    wall_ms.saturating_sub(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn look(wall: &mut WallClock, clock: &ManualClock) -> Option<i64> {
        wall.look(clock.wall_ms(), clock.now())
    }

    #[test]
    fn setting_the_clock_is_told_once_with_its_sign() {
        let clock = ManualClock::default();
        let mut wall = WallClock::new(clock.wall_ms(), clock.now());
        clock.set_wall(-3_600_000);
        clock.pass(Duration::from_secs(5));
        assert_eq!(look(&mut wall, &clock), Some(-3_600_000));
        assert_eq!(look(&mut wall, &clock), None);
        clock.set_wall(2_000);
        assert_eq!(look(&mut wall, &clock), Some(2_000));
    }

    #[test]
    fn sleep_does_not_set_the_clock() {
        let clock = ManualClock::default();
        let mut wall = WallClock::new(clock.wall_ms(), clock.now());
        clock.sleep(Duration::from_secs(30_000));
        clock.pass(Duration::from_secs(9));
        assert_eq!(look(&mut wall, &clock), None);
    }

    #[test]
    fn small_corrections_never_add_up_to_a_jump() {
        let clock = ManualClock::default();
        let mut wall = WallClock::new(clock.wall_ms(), clock.now());
        for _ in 0..100 {
            clock.set_wall(1_999);
            assert_eq!(look(&mut wall, &clock), None);
        }
    }
}

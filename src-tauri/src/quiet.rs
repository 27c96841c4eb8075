//! Quiet hours: the part of each day in which nothing is notified. What comes is counted, and told with what comes afterwards.

use serde::{Deserialize, Serialize};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// From when to when, in minutes since midnight of the local day; past midnight if the end is before the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// The first quiet minute.
    pub from: u16,
    /// The first minute that no longer is.
    pub to: u16,
}

impl Quiet {
    /// Whether it is a part of a day.
    pub fn is_sound(self) -> bool {
        self.from < DAY && self.to < DAY && self.from != self.to
    }

    /// Whether this minute of the day is quiet.
    pub fn holds(self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// The minute of the local day that it is.
pub fn minute_now() -> u16 {
    let time = jiff::Zoned::now().time();
    u16::try_from(time.hour()).unwrap_or_default() * 60 + u16::try_from(time.minute()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_goes_past_midnight_and_an_afternoon_does_not() {
        let night = Quiet {
            from: 22 * 60,
            to: 7 * 60,
        };
        for (minute, quiet) in [
            (21 * 60 + 59, false),
            (22 * 60, true),
            (0, true),
            (419, true),
            (420, false),
        ] {
            assert_eq!(night.holds(minute), quiet, "{minute}");
        }
        let nap = Quiet {
            from: 13 * 60,
            to: 14 * 60,
        };
        assert!(nap.holds(13 * 60) && !nap.holds(14 * 60) && !nap.holds(0));
    }

    #[test]
    fn what_is_no_part_of_a_day_is_not_taken() {
        assert!(Quiet { from: 0, to: 1 }.is_sound());
        assert!(!Quiet { from: 60, to: 60 }.is_sound());
        assert!(!Quiet { from: 0, to: DAY }.is_sound());
    }

    #[test]
    fn the_clock_says_a_minute_of_a_day() {
        assert!(minute_now() < DAY);
    }
}

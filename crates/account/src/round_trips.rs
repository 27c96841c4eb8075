//! How long answers took lately.

use dormouse_model::RoundTrip;
use std::collections::VecDeque;
use std::time::Duration;

/// As many are remembered: an hour and a half of heartbeats.
const REMEMBERED: usize = 240;

/// The samples.
#[derive(Debug, Default)]
pub(crate) struct RoundTrips(VecDeque<Duration>);

impl RoundTrips {
    /// One more.
    pub(crate) fn note(&mut self, took: Duration) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// What they come to; none before the first.
    pub(crate) fn summary(&self) -> Option<RoundTrip> {
        let now = *self.0.back()?;
        let mut sorted: Vec<Duration> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        Some(RoundTrip {
            now,
            median: *sorted.get((sorted.len() - 1) / 2)?,
            worst: *sorted.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn nothing_is_said_before_the_first_answer() {
        assert_eq!(RoundTrips::default().summary(), None);
    }

    #[test]
    fn the_last_the_median_and_the_worst_are_told_and_what_is_long_past_is_forgotten() {
        let mut trips = RoundTrips::default();
        for took in [900, 20, 30, 10, 40] {
            trips.note(ms(took));
        }
        let told = RoundTrip {
            now: ms(40),
            median: ms(30),
            worst: ms(900),
        };
        assert_eq!(trips.summary(), Some(told));
        for _ in 0..REMEMBERED {
            trips.note(ms(50));
        }
        assert_eq!(trips.summary().map(|it| it.worst), Some(ms(50)));
    }
}

//! How long answers took lately.

use dormouse_model::RoundTrip;
use std::collections::VecDeque;
use std::time::Duration;

/// As many are remembered: an hour and a half of heartbeats.
const REMEMBERED: usize = 240;

/// The samples. What they come to is told with every heartbeat, so they are kept in both orders.
#[derive(Debug, Default)]
pub(crate) struct RoundTrips {
    /// As they came.
    lately: VecDeque<Duration>,
    /// The same ones, by length.
    sorted: Vec<Duration>,
}

impl RoundTrips {
    /// One more.
    pub(crate) fn note(&mut self, took: Duration) {
        if self.lately.len() == REMEMBERED
            && let Some(oldest) = self.lately.pop_front()
            && let Ok(place) = self.sorted.binary_search(&oldest)
        {
            self.sorted.remove(place);
        }
        self.lately.push_back(took);
        let place = self.sorted.partition_point(|other| *other < took);
        self.sorted.insert(place, took);
    }

    /// What they come to; none before the first.
    pub(crate) fn summary(&self) -> Option<RoundTrip> {
        Some(RoundTrip {
            now: *self.lately.back()?,
            median: *self.sorted.get((self.sorted.len() - 1) / 2)?,
            worst: *self.sorted.last()?,
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

    #[test]
    fn the_median_is_always_that_of_the_samples_remembered() {
        let mut trips = RoundTrips::default();
        let samples: Vec<Duration> = (0..3 * REMEMBERED as u64).map(|it| ms(it * 7919 % 101)).collect();
        for (number, took) in samples.iter().enumerate() {
            trips.note(*took);
            let mut remembered = samples[(number + 1).saturating_sub(REMEMBERED)..=number].to_vec();
            remembered.sort_unstable();
            let told = RoundTrip {
                now: *took,
                median: remembered[(remembered.len() - 1) / 2],
                worst: remembered[remembered.len() - 1],
            };
            assert_eq!(trips.summary(), Some(told), "sample {number}");
        }
    }
}

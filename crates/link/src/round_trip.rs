//! How long an answer usually takes: RFC 6298's smoothed round trip and its variance.
//!
//! Only unambiguous samples are given (Karn's rule): the answer to a numbered probe, or to the only open
//! `<r/>`, with no sleep in between.

use std::time::Duration;

/// An answer is not called late before this, however fast the path (RFC 6298 rule 2.4).
const FLOOR: Duration = Duration::from_secs(1);
/// An answer is called late after this, however slow the path has been; keeps detection inside its bound.
const CEILING: Duration = Duration::from_secs(5);

/// The measured round trip.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoundTrip(Option<Measured>);

#[derive(Debug, Clone)]
struct Measured {
    smoothed: Duration,
    variance: Duration,
}

impl RoundTrip {
    /// Takes a sample in (RFC 6298 rules 2.2 and 2.3: alpha = 1/8, beta = 1/4).
    pub(crate) fn sample(&mut self, sample: Duration) {
        self.0 = Some(match &self.0 {
            None => Measured {
                smoothed: sample,
                variance: sample / 2,
            },
            Some(old) => Measured {
                variance: (old.variance * 3 + old.smoothed.abs_diff(sample)) / 4,
                smoothed: (old.smoothed * 7 + sample) / 8,
            },
        });
    }

    /// The smoothed round trip, if there is one.
    pub(crate) fn smoothed(&self) -> Option<Duration> {
        self.0.as_ref().map(|measured| measured.smoothed)
    }

    /// After this an answer is late: RFC 6298's retransmission timeout.
    pub(crate) fn late_after(&self) -> Duration {
        match &self.0 {
            None => FLOOR,
            Some(m) => (m.smoothed + m.variance * 4).clamp(FLOOR, CEILING),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn the_first_sample_is_taken_whole_and_its_half_is_the_variance() {
        let mut path = RoundTrip::default();
        path.sample(ms(800));
        assert_eq!(path.smoothed(), Some(ms(800)));
        assert_eq!(path.late_after(), ms(800 + 4 * 400));
    }

    #[test]
    fn later_samples_move_the_mean_by_an_eighth_and_the_variance_by_a_quarter() {
        let mut path = RoundTrip::default();
        path.sample(ms(800));
        path.sample(ms(1600));
        assert_eq!(path.smoothed(), Some(ms(900)));
        // variance: (3 * 400 + 800) / 4 = 500
        assert_eq!(path.late_after(), ms(900 + 4 * 500));
    }

    #[test]
    fn a_steady_path_is_trusted_more_and_a_wild_one_less() {
        let (mut steady, mut wild) = (RoundTrip::default(), RoundTrip::default());
        for n in 0..40 {
            steady.sample(ms(1200));
            wild.sample(ms(if n % 2 == 0 { 400 } else { 2000 }));
        }
        assert!(steady.late_after() < ms(1250));
        assert!(wild.late_after() > ms(3000));
    }

    #[test]
    fn an_answer_is_never_late_within_a_second_nor_in_time_after_five() {
        let mut path = RoundTrip::default();
        assert_eq!(path.late_after(), FLOOR);
        path.sample(ms(10));
        assert_eq!(path.late_after(), FLOOR);
        for _ in 0..20 {
            path.sample(ms(60_000));
        }
        assert_eq!(path.late_after(), CEILING);
    }
}

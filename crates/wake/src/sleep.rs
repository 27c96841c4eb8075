//! One sleep, one resume: joins the system's signal and the clock that counts sleep.
//!
//! Both may tell of the same sleep, in either order, and either may be absent. What has been told is
//! remembered as the reading of "slept so far" that it covers: growth beyond it is news, and nothing else is. A stopped
//! or throttled program shows no growth, so it has not slept, however long it was gone.

use std::time::Duration;

use crate::event::Proof;

/// Growth below this is not a sleep: the two clocks are never read at quite the same instant, and no machine
/// suspends and resumes faster. A signal needs no such proof.
pub(crate) const LEAST_SLEEP: Duration = Duration::from_secs(2);

/// What is fed in, each time with the present reading of "slept so far".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observation {
    /// The system says that it prepares to sleep.
    Preparing,
    /// The system says that it is awake: after a sleep, after one that was called off, or when asked.
    Awake,
    /// The system's signals can no longer be heard.
    SignalsLost,
    /// Somebody looked at the clock.
    Look,
}

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    Suspending,
    Resumed { slept: Option<Duration>, proof: Proof },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Awake,
    /// `Suspending` was said and `Resumed` is owed.
    Preparing,
    /// The clock showed the sleep before the signal did: the signal's resume is already told.
    SignalOwed,
}

#[derive(Debug)]
pub(crate) struct SleepTracker {
    phase: Phase,
    /// The sleep that has been told of, or that lies before our time.
    told: Option<Duration>,
}

impl SleepTracker {
    pub(crate) fn new(slept: Option<Duration>) -> Self {
        Self {
            phase: Phase::Awake,
            told: slept,
        }
    }

    /// Nothing, or one transition, or (a sleep that nobody signalled, noticed when the next one is announced) two.
    pub(crate) fn observe(&mut self, what: Observation, slept: Option<Duration>) -> Vec<Transition> {
        let growth = match (self.told, slept) {
            (Some(told), Some(slept)) => Some(slept.saturating_sub(told)),
            _ => None,
        };
        let proven = growth.is_some_and(|growth| growth >= LEAST_SLEEP);
        let by_clock = Transition::Resumed {
            slept: growth,
            proof: Proof::Clock,
        };
        let by_signal = Transition::Resumed {
            slept: growth,
            proof: Proof::Signal,
        };
        let mut out = Vec::new();
        match (what, self.phase) {
            (Observation::Preparing, Phase::Preparing) => {
                // Said again, as after a new connection to the bus: nothing new.
            }
            (Observation::Preparing, Phase::Awake | Phase::SignalOwed) => {
                if proven {
                    out.push(by_clock);
                }
                out.push(Transition::Suspending);
                self.phase = Phase::Preparing;
            }
            (Observation::Look, Phase::Preparing) => {
                if proven {
                    out.push(by_clock);
                    self.phase = Phase::SignalOwed;
                }
            }
            (Observation::Look, Phase::Awake | Phase::SignalOwed) => {
                if proven {
                    out.push(by_clock);
                }
            }
            (Observation::Awake, Phase::Preparing) => {
                out.push(by_signal);
                self.phase = Phase::Awake;
            }
            (Observation::Awake, Phase::Awake | Phase::SignalOwed) => {
                if proven {
                    out.push(by_signal);
                }
                self.phase = Phase::Awake;
            }
            (Observation::SignalsLost, Phase::Preparing) => {
                // Nobody will tell us whether the sleep is called off, and whoever waits must not wait for ever.
                // If the machine does go to sleep, the clock will tell.
                out.push(if proven { by_clock } else { by_signal });
                self.phase = Phase::Awake;
            }
            (Observation::SignalsLost, Phase::Awake | Phase::SignalOwed) => {
                if proven {
                    out.push(by_clock);
                }
                self.phase = Phase::Awake;
            }
        }
        // Growth too small to be told is not forgotten. What a resume covers is not told twice.
        if self.told.is_none()
            || out
                .iter()
                .any(|transition| matches!(transition, Transition::Resumed { .. }))
        {
            self.told = slept;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Observation::{Awake, Look, Preparing, SignalsLost};

    const fn secs(secs: u64) -> Option<Duration> {
        Some(Duration::from_secs(secs))
    }

    fn resumed(slept: Option<Duration>, proof: Proof) -> Vec<Transition> {
        vec![Transition::Resumed { slept, proof }]
    }

    /// Feeds a story to a fresh tracker that knows of 100 s of sleep; returns all that came out.
    fn story(observations: &[(Observation, Option<Duration>)]) -> Vec<Transition> {
        let mut tracker = SleepTracker::new(secs(100));
        observations
            .iter()
            .flat_map(|(what, slept)| tracker.observe(*what, *slept))
            .collect()
    }

    #[test]
    fn a_signalled_sleep_tells_its_length_by_the_clock() {
        let told = story(&[(Preparing, secs(100)), (Awake, secs(140)), (Look, secs(140))]);
        let slept = Transition::Resumed {
            slept: secs(40),
            proof: Proof::Signal,
        };
        assert_eq!(told, [Transition::Suspending, slept]);
    }

    #[test]
    fn a_sleep_seen_by_clock_and_signal_is_one_sleep() {
        let told = story(&[
            (Preparing, secs(100)),
            (Look, secs(140)),
            (Awake, secs(140)),
            (Look, secs(140)),
        ]);
        let slept = Transition::Resumed {
            slept: secs(40),
            proof: Proof::Clock,
        };
        assert_eq!(told, [Transition::Suspending, slept]);
    }

    #[test]
    fn a_sleep_that_nobody_signalled_is_seen_by_the_clock_once() {
        assert_eq!(
            story(&[(Look, secs(140)), (Look, secs(140))]),
            resumed(secs(40), Proof::Clock)
        );
    }

    #[test]
    fn a_program_that_was_only_stopped_has_not_slept() {
        // However long the stop: the clocks went on together.
        assert_eq!(story(&[(Look, secs(100)), (Look, secs(100))]), []);
    }

    #[test]
    fn growth_below_the_threshold_is_not_a_sleep_and_not_forgotten() {
        assert_eq!(story(&[(Look, secs(101))]), []);
        assert_eq!(
            story(&[(Look, secs(101)), (Look, secs(102))]),
            resumed(secs(2), Proof::Clock)
        );
    }

    #[test]
    fn a_sleep_called_off_is_resumed_after_zero_seconds() {
        let told = story(&[(Preparing, secs(100)), (Awake, secs(100))]);
        assert_eq!(told[1..], resumed(secs(0), Proof::Signal));
    }

    #[test]
    fn looking_at_the_clock_while_the_system_prepares_does_not_resume() {
        assert_eq!(
            story(&[(Preparing, secs(100)), (Look, secs(100))]),
            [Transition::Suspending]
        );
    }

    #[test]
    fn two_sleeps_are_two_resumes() {
        let told = story(&[
            (Preparing, secs(100)),
            (Awake, secs(140)),
            (Preparing, secs(140)),
            (Look, secs(145)),
            (Awake, secs(145)),
        ]);
        assert_eq!(told.len(), 4);
        assert_eq!(told[1..2], resumed(secs(40), Proof::Signal));
        assert_eq!(told[3..], resumed(secs(5), Proof::Clock));
    }

    #[test]
    fn a_sleep_interrupted_between_suspend_and_hibernate_is_told_each_time_the_machine_ran() {
        let told = story(&[
            (Preparing, secs(100)),
            (Look, secs(140)),
            (Look, secs(400)),
            (Awake, secs(400)),
        ]);
        assert_eq!(told.len(), 3);
        assert_eq!(told[2..], resumed(secs(260), Proof::Clock));
    }

    #[test]
    fn being_told_twice_of_preparation_is_being_told_once() {
        assert_eq!(
            story(&[(Preparing, secs(100)), (Preparing, secs(100))]),
            [Transition::Suspending]
        );
    }

    #[test]
    fn an_awake_that_ends_no_preparation_and_no_sleep_says_nothing() {
        assert_eq!(story(&[(Awake, secs(100))]), []);
        assert_eq!(story(&[(Look, secs(140)), (Awake, secs(140))]).len(), 1);
    }

    #[test]
    fn an_awake_whose_preparation_was_missed_proves_the_sleep_if_the_clock_agrees() {
        assert_eq!(story(&[(Awake, secs(140))]), resumed(secs(40), Proof::Signal));
    }

    #[test]
    fn losing_the_signals_ends_a_preparation_and_the_clock_goes_on() {
        let told = story(&[
            (Preparing, secs(100)),
            (SignalsLost, secs(100)),
            (Look, secs(140)),
        ]);
        assert_eq!(told[1..2], resumed(secs(0), Proof::Signal));
        assert_eq!(told[2..], resumed(secs(40), Proof::Clock));
    }

    #[test]
    fn an_unsignalled_sleep_is_told_before_the_next_one_is_announced() {
        let told = story(&[(Preparing, secs(140)), (Awake, secs(140))]);
        assert_eq!(told[..1], resumed(secs(40), Proof::Clock));
        assert_eq!(told[1], Transition::Suspending);
        assert_eq!(told[2..], resumed(secs(0), Proof::Signal));
    }

    #[test]
    fn without_a_clock_the_signal_is_believed_and_the_length_unknown() {
        let mut tracker = SleepTracker::new(None);
        assert_eq!(tracker.observe(Look, None), []);
        assert_eq!(tracker.observe(Preparing, None), [Transition::Suspending]);
        assert_eq!(tracker.observe(Awake, None), resumed(None, Proof::Signal));
    }
}

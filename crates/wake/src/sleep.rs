//! One sleep, one resume: joins the system's signal and the clock that counts sleep.
//!
//! Both may tell of the same sleep, in either order, and either may be absent. What has been told is
//! remembered as the reading of "slept so far" that it covers: growth beyond it is news, and nothing else is. A stopped
//! or throttled program shows no growth, so it has not slept, however long it was gone.
//!
//! Where the clocks may miss a sleep ([`Clocks::MayMissStandby`]) two things more are believed: the time between the
//! system's words before and after a sleep, and the system's word that the time has changed when nobody set it and this program has just
//! stood still. A standstill alone proves nothing there either.

use std::time::Duration;

use crate::event::Proof;

/// Growth below this is not a sleep: the two clocks are never read at quite the same instant, and no machine
/// suspends and resumes faster. A signal needs no such proof.
pub(crate) const LEAST_SLEEP: Duration = Duration::from_secs(2);

/// A program that did not run for so long has stood still, beyond what a busy machine and the rarest ticks (every 20 s) explain.
const LEAST_STANDSTILL: Duration = Duration::from_secs(60);
/// The word that the time has changed belongs to a standstill that ended no longer ago.
const AFTER_STANDSTILL: Duration = Duration::from_secs(10);

/// Whether the clocks show every sleep of this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(any(windows, test)), allow(dead_code))]
pub(crate) enum Clocks {
    /// Linux and macOS: each sleep is one during which one clock stops and the other does not.
    SeeEverySleep,
    /// Windows: in Modern Standby the processor is not off but idle, and programs are frozen. Whether a clock stops then differs between
    /// machines. Once announced there, a sleep is not called off.
    MayMissStandby,
}

/// What the clocks say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The clock that counts sleep.
    pub(crate) now: Duration,
    /// How long the machine has slept so far, where that can be told.
    pub(crate) slept: Option<Duration>,
}

/// What is fed in, each time with the present reading of the clocks.
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
    /// The system says that the time has changed, but the wall clock was not set.
    TimeChanged,
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
    /// `Suspending` was said at this moment, and `Resumed` is owed.
    Preparing {
        since: Duration,
    },
    /// The clock showed the sleep before the signal did: the signal's resume is already told.
    SignalOwed,
}

#[derive(Debug)]
pub(crate) struct SleepTracker {
    clocks: Clocks,
    phase: Phase,
    /// The sleep that has been told of, or that lies before our time.
    told: Option<Duration>,
    /// When something was last observed.
    seen: Duration,
    /// The last time that this program did not run: when that ended, and how long it was.
    standstill: Option<(Duration, Duration)>,
}

impl SleepTracker {
    pub(crate) fn new(clocks: Clocks, reading: Reading) -> Self {
        Self {
            clocks,
            phase: Phase::Awake,
            told: reading.slept,
            seen: reading.now,
            standstill: None,
        }
    }

    /// Nothing, or one transition, or (a sleep that nobody signalled, noticed when the next one is announced) two.
    pub(crate) fn observe(&mut self, what: Observation, reading: Reading) -> Vec<Transition> {
        let Reading { now, slept } = reading;
        let unseen = self.unseen(what, now);
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
            slept: growth.max(unseen),
            proof: Proof::Signal,
        };
        let mut out = Vec::new();
        match (what, self.phase) {
            (Observation::Preparing, Phase::Preparing { .. }) => {
                // Said again, as after a new connection to the bus: nothing new.
            }
            (Observation::Preparing, Phase::Awake | Phase::SignalOwed) => {
                if proven {
                    out.push(by_clock);
                }
                out.push(Transition::Suspending);
                self.phase = Phase::Preparing { since: now };
            }
            (Observation::Look | Observation::TimeChanged, Phase::Preparing { .. }) => {
                if proven {
                    out.push(by_clock);
                    self.phase = Phase::SignalOwed;
                }
            }
            (Observation::Look | Observation::TimeChanged, Phase::Awake | Phase::SignalOwed) => {
                if proven {
                    out.push(by_clock);
                } else if unseen.is_some() {
                    out.push(by_signal);
                }
            }
            (Observation::Awake, Phase::Preparing { .. }) => {
                out.push(by_signal);
                self.phase = Phase::Awake;
            }
            (Observation::Awake, Phase::Awake | Phase::SignalOwed) => {
                if proven || unseen.is_some() {
                    out.push(by_signal);
                }
                self.phase = Phase::Awake;
            }
            (Observation::SignalsLost, Phase::Preparing { .. }) => {
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
        if !out.is_empty() {
            self.standstill = None;
        }
        out
    }

    /// How long a sleep was that no clock need have seen, if this observation speaks of one.
    fn unseen(&mut self, what: Observation, now: Duration) -> Option<Duration> {
        let still = now.saturating_sub(self.seen);
        self.seen = now;
        if still >= LEAST_STANDSTILL {
            self.standstill = Some((now, still));
        }
        if self.clocks == Clocks::SeeEverySleep {
            return None;
        }
        let standstill = self
            .standstill
            .filter(|(ended, _)| now.saturating_sub(*ended) <= AFTER_STANDSTILL)
            .map(|(_, length)| length);
        match (what, self.phase) {
            (Observation::Awake, Phase::Preparing { since }) => Some(now.saturating_sub(since)),
            (Observation::Awake | Observation::TimeChanged, Phase::Awake) => standstill,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Observation::{Awake, Look, Preparing, SignalsLost, TimeChanged};

    const fn secs(secs: u64) -> Option<Duration> {
        Some(Duration::from_secs(secs))
    }

    fn resumed(slept: Option<Duration>, proof: Proof) -> Vec<Transition> {
        vec![Transition::Resumed { slept, proof }]
    }

    /// Feeds a story to a fresh tracker that knows of 100 s of sleep; returns all that came out.
    fn story(observations: &[(Observation, Option<Duration>)]) -> Vec<Transition> {
        let mut tracker = SleepTracker::new(Clocks::SeeEverySleep, at_boot(secs(100)));
        observations
            .iter()
            .flat_map(|(what, slept)| tracker.observe(*what, at_boot(*slept)))
            .collect()
    }

    fn at_boot(slept: Option<Duration>) -> Reading {
        Reading {
            now: Duration::ZERO,
            slept,
        }
    }

    /// The same where no clock shows a sleep: each observation with its time, from a beginning at 1000 s.
    fn unseen_story(clocks: Clocks, observations: &[(Observation, u64)]) -> Vec<Transition> {
        let reading = |now| Reading {
            now: Duration::from_secs(now),
            slept: secs(0),
        };
        let mut tracker = SleepTracker::new(clocks, reading(1_000));
        observations
            .iter()
            .flat_map(|(what, now)| tracker.observe(*what, reading(*now)))
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
        let mut tracker = SleepTracker::new(Clocks::SeeEverySleep, at_boot(None));
        assert_eq!(tracker.observe(Look, at_boot(None)), []);
        assert_eq!(
            tracker.observe(Preparing, at_boot(None)),
            [Transition::Suspending]
        );
        assert_eq!(
            tracker.observe(Awake, at_boot(None)),
            resumed(None, Proof::Signal)
        );
    }

    #[test]
    fn a_standby_that_no_clock_saw_lasted_from_word_to_word() {
        let standby = [(Preparing, 1_010), (Look, 1_011), (Awake, 4_610), (Awake, 4_611)];
        let told = unseen_story(Clocks::MayMissStandby, &standby);
        assert_eq!(told[0], Transition::Suspending);
        assert_eq!(told[1..], resumed(secs(3_600), Proof::Signal));
        let where_clocks_see_all = unseen_story(Clocks::SeeEverySleep, &standby);
        assert_eq!(where_clocks_see_all[1..], resumed(secs(0), Proof::Signal));
    }

    #[test]
    fn a_clock_that_did_see_part_of_a_standby_does_not_shorten_it() {
        let reading = |now, slept| Reading {
            now: Duration::from_secs(now),
            slept: secs(slept),
        };
        let mut tracker = SleepTracker::new(Clocks::MayMissStandby, reading(1_000, 0));
        let _ = tracker.observe(Preparing, reading(1_000, 0));
        assert_eq!(
            tracker.observe(Awake, reading(1_600, 200)),
            resumed(secs(600), Proof::Signal)
        );
        assert_eq!(tracker.observe(Look, reading(1_602, 200)), []);
    }

    #[test]
    fn a_changed_time_that_nobody_set_after_a_standstill_is_a_sleep_whoever_speaks_first() {
        for first in [
            [(TimeChanged, 4_600), (Look, 4_601)],
            [(Look, 4_600), (TimeChanged, 4_603)],
        ] {
            let told = unseen_story(Clocks::MayMissStandby, &first);
            assert_eq!(told, resumed(secs(3_600), Proof::Signal), "{first:?}");
            assert_eq!(unseen_story(Clocks::SeeEverySleep, &first), []);
        }
        let several = [(Look, 4_600), (TimeChanged, 4_601), (TimeChanged, 4_602)];
        assert_eq!(unseen_story(Clocks::MayMissStandby, &several).len(), 1);
    }

    #[test]
    fn neither_a_standstill_nor_a_changed_time_alone_is_a_sleep() {
        assert_eq!(unseen_story(Clocks::MayMissStandby, &[(Look, 4_600)]), []);
        assert_eq!(unseen_story(Clocks::MayMissStandby, &[(TimeChanged, 1_020)]), []);
        let long_after = [(Look, 4_600), (Look, 4_620), (TimeChanged, 4_621)];
        assert_eq!(unseen_story(Clocks::MayMissStandby, &long_after), []);
    }

    #[test]
    fn an_awake_whose_preparation_was_missed_is_believed_after_a_standstill() {
        let told = unseen_story(Clocks::MayMissStandby, &[(Awake, 4_600), (Awake, 4_601)]);
        assert_eq!(told, resumed(secs(3_600), Proof::Signal));
        assert_eq!(unseen_story(Clocks::MayMissStandby, &[(Awake, 1_020)]), []);
    }
}

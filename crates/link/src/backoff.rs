//! How long to wait before the next dial.
//!
//! One second, doubling to thirty, plus chance up to half of it, on every path: a server that many lost at
//! the same moment must not be found again by all at the same moment. What was counted is forgotten
//! when a session has *lived*, not when a dial came through: a server that accepts and drops is no less
//! in trouble than one that refuses.
//!
//! Right after a wake, or when the network comes back, the first tries often meet a network that is not
//! up yet. For a while (the *grace*) a failure there costs a fraction of a second and is not counted, and a
//! dial that hangs is begun anew instead of waiting for the kernel's retransmissions. Grace has a bound in
//! time and in number.

use dormouse_model::{Now, Random, Tick};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// A restarting server's clients come back spread over this.
const SCATTER: Duration = Duration::from_secs(15);
/// A server may ask for so much patience, not for more: the user may be waiting.
const MOST_PATIENCE: Duration = Duration::from_secs(3600);
const GRACE: Duration = Duration::from_secs(15);
const QUICK_TRIES: u32 = 12;
const QUICKEST: Duration = Duration::from_millis(250);
const LEAST_QUICK: Duration = Duration::from_secs(1);

/// Counts failures and answers with waits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    failures: u32,
    attempts: u32,
    grace: Option<Grace>,
}

#[derive(Debug, Clone)]
struct Grace {
    until: Tick,
    tries: u32,
}

impl Backoff {
    /// A session has lived: begin from the beginning.
    pub(crate) fn lived(&mut self) {
        self.failures = 0;
        self.attempts = 0;
    }

    /// A dial begins: which attempt it is, from 1.
    pub(crate) fn attempt(&mut self) -> u32 {
        self.attempts = self.attempts.saturating_add(1);
        self.attempts
    }

    /// The attempt that runs, or ran last.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The machine woke, or the network is back: for a while failures are expected and cost little.
    pub(crate) fn grace(&mut self, now: Now) {
        self.grace = Some(Grace {
            until: now.tick + GRACE,
            tries: 0,
        });
    }

    fn gracious(&mut self, now: Now) -> Option<&mut Grace> {
        self.grace
            .as_mut()
            .filter(|grace| now.tick < grace.until && grace.tries < QUICK_TRIES)
    }

    /// The wait after an ordinary failure.
    pub(crate) fn ordinary(&mut self, now: Now, random: &mut Random) -> Duration {
        if let Some(quick) = self.quick(now, random) {
            return quick;
        }
        let wait = FIRST.saturating_mul(1 << self.failures.min(5)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        wait + random.up_to(wait / 2)
    }

    /// The wait within the grace, if there is any left.
    pub(crate) fn quick(&mut self, now: Now, random: &mut Random) -> Option<Duration> {
        let grace = self.gracious(now)?;
        let wait = QUICKEST * (1 + grace.tries / 2);
        grace.tries += 1;
        let wait = wait.min(LEAST_QUICK);
        Some(wait + random.up_to(wait / 2))
    }

    /// How long a dial may take before it is begun anew; none outside the grace. Grows, so that a path that
    /// is merely slow gets its time.
    pub(crate) fn patience(&mut self, now: Now, round_trip: Option<Duration>) -> Option<Duration> {
        let tries = self.gracious(now)?.tries;
        // Name, TCP, TLS and WebSocket: four round trips, and as much again for good measure.
        let usual = round_trip.map_or(Duration::ZERO, |rtt| rtt * 8);
        Some(Duration::from_secs(2).max(usual) * (2 + tries) / 2)
    }

    /// The wait after something that only time may mend.
    pub(crate) fn slow(&mut self, random: &mut Random) -> Duration {
        self.failures = self.failures.max(5).saturating_add(1);
        LONGEST + random.up_to(LONGEST / 2)
    }

    /// The wait of one who was turned away because too many came. All of those came at the same moment, and must not
    /// meet again: spread nearly twice as wide as [`Backoff::slow`].
    pub(crate) fn crowded(&mut self, random: &mut Random) -> Duration {
        self.failures = self.failures.max(5).saturating_add(1);
        LONGEST / 3 + random.up_to(LONGEST * 5 / 6)
    }

    /// The wait for a server that restarts.
    pub(crate) fn scattered(&mut self, random: &mut Random) -> Duration {
        self.failures = self.failures.saturating_add(1);
        FIRST + random.up_to(SCATTER)
    }

    /// The wait that the server asked for; never before it, and others were told the same.
    pub(crate) fn asked(&mut self, wait: Duration, random: &mut Random) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let wait = wait.min(MOST_PATIENCE);
        wait + random.up_to((wait / 2).clamp(FIRST, SCATTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Now {
        Now {
            tick: Tick(ms),
            ..Now::default()
        }
    }

    #[test]
    fn waits_double_from_one_second_to_thirty_and_bear_chance_up_to_half() {
        let mut spread = false;
        for seed in 0..50 {
            let mut random = Random::from_seed([seed; 32]);
            let mut backoff = Backoff::default();
            for usual in [1, 2, 4, 8, 16, 30, 30, 30] {
                let usual = Duration::from_secs(usual);
                let wait = backoff.ordinary(at(0), &mut random);
                assert!(
                    wait >= usual && wait <= usual + usual / 2,
                    "{wait:?} for {usual:?}"
                );
                spread |= wait > usual + usual / 4;
            }
        }
        assert!(spread);
    }

    #[test]
    fn only_a_session_that_lived_makes_it_begin_anew() {
        let mut random = Random::from_seed([1; 32]);
        let mut backoff = Backoff::default();
        for _ in 0..6 {
            backoff.attempt();
            backoff.ordinary(at(0), &mut random);
        }
        assert!(backoff.ordinary(at(0), &mut random) >= LONGEST);
        backoff.lived();
        assert!(backoff.ordinary(at(0), &mut random) < FIRST * 2);
        assert_eq!(backoff.attempt(), 1);
    }

    #[test]
    fn a_wait_that_the_server_asked_for_is_spread_over_half_of_it_again() {
        let mut random = Random::from_seed([1; 32]);
        let wait = Duration::from_secs(10);
        let mut drawn = || Backoff::default().asked(wait, &mut random);
        let waits: Vec<Duration> = (0..200).map(|_| drawn()).collect();
        assert!(
            waits.iter().all(|it| *it >= wait && *it <= wait * 3 / 2),
            "{waits:?}"
        );
        assert!(waits.iter().any(|it| *it > wait * 5 / 4));
    }

    #[test]
    fn first_failures_after_waking_cost_little_and_are_not_counted() {
        let mut random = Random::from_seed([1; 32]);
        let mut backoff = Backoff::default();
        backoff.grace(at(1_000));
        for n in 0..QUICK_TRIES {
            let most = if n == 0 { 375 } else { 1_500 };
            assert!(backoff.ordinary(at(2_000), &mut random) <= Duration::from_millis(most));
        }
        let next = backoff.ordinary(at(2_000), &mut random);
        assert!(next >= FIRST && next < FIRST * 2);
        let counted = backoff.ordinary(at(2_000), &mut random);
        assert!(counted >= FIRST * 2);
    }

    #[test]
    fn grace_ends_with_time_too() {
        let mut random = Random::from_seed([1; 32]);
        let mut backoff = Backoff::default();
        backoff.grace(at(1_000));
        assert!(backoff.patience(at(15_999), None).is_some());
        assert!(backoff.patience(at(16_000), None).is_none());
        assert!(backoff.ordinary(at(16_000), &mut random) >= FIRST);
    }

    #[test]
    fn patience_with_a_hanging_dial_grows_and_respects_a_slow_path() {
        let mut random = Random::from_seed([1; 32]);
        let mut backoff = Backoff::default();
        backoff.grace(at(0));
        let first = backoff.patience(at(0), None);
        backoff.quick(at(0), &mut random);
        assert!(backoff.patience(at(0), None) > first);
        assert!(backoff.patience(at(0), Some(Duration::from_secs(1))) >= Some(Duration::from_secs(8)));
    }

    #[test]
    fn slow_retries_begin_with_the_longest_wait_and_stay_there() {
        let mut random = Random::from_seed([1; 32]);
        let mut backoff = Backoff::default();
        assert!(backoff.slow(&mut random) >= LONGEST);
        assert!(backoff.ordinary(at(0), &mut random) >= LONGEST);
    }

    #[test]
    fn who_is_turned_away_in_a_crowd_comes_back_spread_over_25_s() {
        let waits: Vec<_> = (0..200)
            .map(|seed| Backoff::default().crowded(&mut Random::from_seed([seed; 32])))
            .collect();
        for part in 0..5 {
            let from = LONGEST / 3 + LONGEST * part / 6;
            let inside = waits
                .iter()
                .filter(|w| **w >= from && **w <= from + LONGEST / 6)
                .count();
            assert!(inside > 15, "{inside} of 200 in fifth {part}");
        }
    }

    #[test]
    fn a_restarting_servers_clients_come_back_spread() {
        let waits: Vec<_> = (0..200)
            .map(|seed| Backoff::default().scattered(&mut Random::from_seed([seed; 32])))
            .collect();
        assert!(
            waits
                .iter()
                .all(|wait| *wait >= FIRST && *wait <= FIRST + SCATTER)
        );
        for part in 0..5 {
            let from = FIRST + SCATTER * part / 5;
            let inside = waits
                .iter()
                .filter(|w| **w >= from && **w < from + SCATTER / 5)
                .count();
            assert!(inside > 15, "{inside} of 200 in fifth {part}");
        }
    }

    #[test]
    fn what_the_server_asked_for_is_kept_and_bounded() {
        let mut random = Random::from_seed([1; 32]);
        let mut backoff = Backoff::default();
        let wait = backoff.asked(Duration::from_secs(90), &mut random);
        assert!(wait >= Duration::from_secs(90) && wait <= Duration::from_secs(90) + SCATTER);
        assert!(backoff.asked(Duration::from_secs(1_000_000), &mut random) <= MOST_PATIENCE + SCATTER);
    }
}

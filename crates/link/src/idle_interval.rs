//! How long a path lets a socket be idle, learnt from the sockets that died idle. A path is an endpoint as seen from one network.
//!
//! Middleboxes forget a silent flow, proxies close it. Where that happens before the ordinary heartbeat,
//! no session lives long. So two deaths in silence, with no longer silence survived in between, shrink
//! the interval under what killed them; one alone may have been the server's own. What was shrunk comes
//! back slowly: paths change, and each probe costs power. An interval that the user gives holds on all paths; what is learnt
//! meanwhile is not forgotten.

use dormouse_model::{Endpoint, Network};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Never ask more often than this.
pub(crate) const SHORTEST: Duration = Duration::from_secs(5);
/// As many silences must be survived before the interval grows.
const SURVIVALS: u32 = 60;
/// As many paths are remembered.
const PATHS: usize = 16;

/// What is known of one path. Kept on disk, and equal to another where the same is kept: a count that moves with
/// every heartbeat must not be written with every heartbeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdleInterval {
    /// The interval learnt, in milliseconds; none while the ordinary one will do.
    shrunk: Option<u64>,
    /// A socket died after as many milliseconds of silence, and nothing has yet shown that this was chance.
    suspicion: Option<u64>,
    /// Silences survived since the interval last changed.
    #[serde(skip)]
    survived: u32,
}

impl PartialEq for IdleInterval {
    fn eq(&self, other: &Self) -> bool {
        (self.shrunk, self.suspicion) == (other.shrunk, other.suspicion)
    }
}

impl Eq for IdleInterval {}

impl Default for IdleInterval {
    fn default() -> Self {
        Self::NEW
    }
}

impl IdleInterval {
    const NEW: Self = Self {
        shrunk: None,
        suspicion: None,
        survived: 0,
    };

    /// The interval to use where the ordinary one would be `ordinary`.
    pub(crate) fn interval(&self, ordinary: Duration) -> Duration {
        match self.shrunk {
            None => ordinary,
            Some(shrunk) => Duration::from_millis(shrunk).clamp(SHORTEST.min(ordinary), ordinary),
        }
    }

    /// A socket turned out dead after this silence. Says whether the interval has shrunk.
    pub(crate) fn died(&mut self, silence: Duration, ordinary: Duration) -> bool {
        let silence = millis(silence.min(ordinary));
        if silence < millis(SHORTEST) {
            return false; // Whatever killed it, it was not silence.
        }
        let Some(earlier) = self.suspicion.take() else {
            self.suspicion = Some(silence);
            return false;
        };
        let now = millis(self.interval(ordinary));
        // Three quarters of the shorter one: under it, with room for a timer that fires late.
        let shrunk = (earlier.min(silence).min(now) * 3 / 4).max(millis(SHORTEST));
        self.survived = 0;
        self.shrunk = Some(shrunk);
        shrunk < now
    }

    /// A socket lived through this silence. Says whether anything has changed that is worth keeping.
    pub(crate) fn survived(&mut self, silence: Duration, ordinary: Duration) -> bool {
        let silence = millis(silence);
        let cleared = self.suspicion.is_some_and(|suspicion| suspicion <= silence);
        if cleared {
            self.suspicion = None;
        }
        let Some(shrunk) = self.shrunk else { return cleared };
        self.survived += 1;
        if self.survived < SURVIVALS {
            return cleared;
        }
        self.survived = 0;
        let grown = shrunk + shrunk / 10;
        self.shrunk = (grown < millis(ordinary)).then_some(grown);
        true
    }
}

/// What is known of all paths of an account. A serde record: keep it under `Key::Learnt("idle")`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IdleIntervals {
    paths: BTreeMap<PathName, IdleInterval>,
    /// The interval that the user gave, in milliseconds.
    given: Option<u64>,
}

/// An endpoint, as seen from one network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(crate) struct PathName {
    pub(crate) endpoint: Endpoint,
    pub(crate) network: Network,
}

impl IdleIntervals {
    /// The interval to use on this path where the ordinary one would be `ordinary`.
    pub(crate) fn interval(&self, path: &PathName, ordinary: Duration) -> Duration {
        match self.given() {
            Some(given) => given.clamp(SHORTEST.min(ordinary), ordinary),
            None => self.of(path).interval(ordinary),
        }
    }

    /// The interval that the user gave.
    pub fn given(&self) -> Option<Duration> {
        self.given.map(Duration::from_millis)
    }

    /// The user gives an interval, or leaves it to what is learnt.
    pub(crate) fn give(&mut self, interval: Option<Duration>) {
        self.given = interval.map(millis);
    }

    /// What is known of a path.
    fn of(&self, path: &PathName) -> &IdleInterval {
        self.paths.get(path).unwrap_or(&IdleInterval::NEW)
    }

    /// The same, to learn more. Forgets another path if there are too many.
    pub(crate) fn of_mut(&mut self, path: &PathName) -> &mut IdleInterval {
        if !self.paths.contains_key(path)
            && self.paths.len() >= PATHS
            && let Some(other) = self.paths.keys().next().cloned()
        {
            self.paths.remove(&other);
        }
        self.paths.entry(path.clone()).or_default()
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: Duration = Duration::from_secs(25);

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn one_death_in_silence_is_chance() {
        let mut path = IdleInterval::default();
        assert!(!path.died(secs(20), ORDINARY));
        assert_eq!(path.interval(ORDINARY), ORDINARY);
    }

    #[test]
    fn a_silence_survived_changes_nothing_that_is_kept_until_the_interval_grows() {
        let mut path = IdleInterval::default();
        path.died(secs(20), ORDINARY);
        path.died(secs(22), ORDINARY);
        let kept = path.clone();
        for _ in 1..SURVIVALS {
            path.survived(secs(15), ORDINARY);
            assert_eq!(path, kept);
        }
        path.survived(secs(15), ORDINARY);
        assert_ne!(path, kept);
    }

    #[test]
    fn two_deaths_in_silence_shrink_the_interval_under_the_shorter() {
        let mut path = IdleInterval::default();
        path.died(secs(20), ORDINARY);
        assert!(path.died(secs(22), ORDINARY));
        assert_eq!(path.interval(ORDINARY), secs(15));
    }

    #[test]
    fn a_longer_silence_survived_in_between_makes_both_deaths_chance() {
        let mut path = IdleInterval::default();
        path.died(secs(20), ORDINARY);
        path.survived(secs(25), ORDINARY);
        path.died(secs(20), ORDINARY);
        assert_eq!(path.interval(ORDINARY), ORDINARY);
    }

    #[test]
    fn a_shorter_silence_survived_in_between_explains_nothing() {
        let mut path = IdleInterval::default();
        path.died(secs(20), ORDINARY);
        path.survived(secs(12), ORDINARY);
        assert!(path.died(secs(20), ORDINARY));
    }

    #[test]
    fn a_socket_that_died_talking_teaches_nothing() {
        let mut path = IdleInterval::default();
        for _ in 0..10 {
            path.died(secs(2), ORDINARY);
        }
        assert_eq!(path, IdleInterval::default());
    }

    #[test]
    fn the_interval_never_shrinks_below_five_seconds() {
        let mut path = IdleInterval::default();
        for _ in 0..40 {
            path.died(secs(6), ORDINARY);
        }
        assert_eq!(path.interval(ORDINARY), SHORTEST);
    }

    #[test]
    fn a_shrunk_interval_recovers_slowly_and_wholly() {
        let mut path = IdleInterval::default();
        path.died(secs(20), ORDINARY);
        path.died(secs(20), ORDINARY);
        for _ in 0..SURVIVALS - 1 {
            path.survived(secs(15), ORDINARY);
        }
        assert_eq!(path.interval(ORDINARY), secs(15));
        path.survived(secs(15), ORDINARY);
        assert_eq!(path.interval(ORDINARY), Duration::from_millis(16_500));
        for _ in 0..10 * SURVIVALS {
            let interval = path.interval(ORDINARY);
            path.survived(interval, ORDINARY);
        }
        assert_eq!(path.interval(ORDINARY), ORDINARY);
    }

    fn path(endpoint: &str, own: [u8; 4]) -> PathName {
        PathName {
            endpoint: Endpoint(format!("wss://{endpoint}.example/ws")),
            network: Network::around(own.into()),
        }
    }

    /// What is known after two deaths on one path.
    fn shrunk_on(one: &PathName) -> IdleIntervals {
        let mut paths = IdleIntervals::default();
        paths.of_mut(one).died(secs(20), ORDINARY);
        paths.of_mut(one).died(secs(20), ORDINARY);
        paths
    }

    #[test]
    fn each_endpoint_has_its_own_interval_on_each_network_and_few_are_remembered() {
        let home = path("one", [192, 168, 1, 5]);
        let mut paths = shrunk_on(&home);
        let interval = |of: &PathName| paths.interval(of, ORDINARY);
        assert_eq!(interval(&home), secs(15));
        assert_eq!(interval(&path("one", [192, 168, 1, 77])), secs(15));
        assert_eq!(interval(&path("one", [10, 0, 0, 5])), ORDINARY);
        assert_eq!(interval(&path("two", [192, 168, 1, 5])), ORDINARY);
        for n in 0..100 {
            paths.of_mut(&path(&n.to_string(), [10, 0, 0, 5]));
        }
        assert_eq!(paths.paths.len(), PATHS);
    }

    #[test]
    fn what_the_user_gives_holds_everywhere_within_bounds_until_it_is_left_to_what_is_learnt() {
        let home = path("one", [192, 168, 1, 5]);
        let mut paths = shrunk_on(&home);
        for (given, used) in [(8, 8), (1, 5), (600, 25)] {
            paths.give(Some(secs(given)));
            assert_eq!(paths.interval(&home, ORDINARY), secs(used));
        }
        paths.give(None);
        assert_eq!(paths.interval(&home, ORDINARY), secs(15));
    }

    #[test]
    fn what_was_learnt_and_given_survives_the_disk() {
        let mut paths = shrunk_on(&path("one", [192, 168, 1, 5]));
        paths.give(Some(secs(9)));
        let bytes = dormouse_model::record::encode(&paths);
        assert_eq!(dormouse_model::record::decode(&bytes), Some(paths));
    }
}

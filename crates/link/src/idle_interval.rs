//! How long a path lets a socket be idle, learnt from the sockets that died idle.
//!
//! Middleboxes forget a silent flow, proxies close it. Where that happens before the ordinary heartbeat,
//! no session lives long. So two deaths in silence, with no longer silence survived in between, shrink
//! the interval under what killed them; one alone may have been the server's own. What was shrunk comes
//! back slowly: paths change, and each probe costs power.

use dormouse_model::Endpoint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Never ask more often than this.
const SHORTEST: Duration = Duration::from_secs(5);
/// As many silences must be survived before the interval grows.
const SURVIVALS: u32 = 60;
/// As many endpoints are remembered.
const ENDPOINTS: usize = 8;

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
pub struct IdleIntervals {
    endpoints: BTreeMap<Endpoint, IdleInterval>,
}

impl IdleIntervals {
    /// What is known of the path to this endpoint.
    pub(crate) fn of(&self, endpoint: &Endpoint) -> &IdleInterval {
        self.endpoints.get(endpoint).unwrap_or(&IdleInterval::NEW)
    }

    /// The same, to learn more. Forgets another endpoint if there are too many.
    pub(crate) fn of_mut(&mut self, endpoint: &Endpoint) -> &mut IdleInterval {
        if !self.endpoints.contains_key(endpoint)
            && self.endpoints.len() >= ENDPOINTS
            && let Some(other) = self.endpoints.keys().next().cloned()
        {
            self.endpoints.remove(&other);
        }
        self.endpoints.entry(endpoint.clone()).or_default()
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

    #[test]
    fn each_endpoint_has_its_own_interval_and_few_are_remembered() {
        let mut paths = IdleIntervals::default();
        let one = Endpoint("wss://one.example/ws".into());
        paths.of_mut(&one).died(secs(20), ORDINARY);
        paths.of_mut(&one).died(secs(20), ORDINARY);
        assert_eq!(paths.of(&one).interval(ORDINARY), secs(15));
        assert_eq!(
            paths
                .of(&Endpoint("wss://two.example/ws".into()))
                .interval(ORDINARY),
            ORDINARY
        );
        for n in 0..100 {
            paths.of_mut(&Endpoint(format!("wss://{n}.example/ws")));
        }
        assert_eq!(paths.endpoints.len(), ENDPOINTS);
    }

    #[test]
    fn what_was_learnt_survives_the_disk() {
        let mut paths = IdleIntervals::default();
        let one = Endpoint("wss://one.example/ws".into());
        paths.of_mut(&one).died(secs(20), ORDINARY);
        paths.of_mut(&one).died(secs(20), ORDINARY);
        let bytes = dormouse_model::record::encode(&paths);
        assert_eq!(dormouse_model::record::decode(&bytes), Some(paths));
    }
}

//! A budget that refills with time: a token bucket. Bounds what can be done in any stretch of time,
//! whatever the reasons for doing it.

use dormouse_model::Tick;
use std::time::Duration;

/// So many at once, and one more each time `refill` has passed.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    burst: u32,
    refill: Duration,
    left: u32,
    /// When the token that is being refilled began to be.
    since: Tick,
}

impl Budget {
    pub(crate) fn new(burst: u32, refill: Duration) -> Self {
        Self {
            burst,
            refill,
            left: burst,
            since: Tick::default(),
        }
    }

    /// Spends one, if there is one.
    pub(crate) fn take(&mut self, now: Tick) -> bool {
        self.refill(now);
        if self.left == 0 {
            return false;
        }
        if self.left == self.burst {
            self.since = now;
        }
        self.left -= 1;
        true
    }

    /// When one may be spent: now, or when the next has been refilled.
    pub(crate) fn ready_at(&mut self, now: Tick) -> Tick {
        self.refill(now);
        if self.left > 0 {
            now
        } else {
            self.since + self.refill
        }
    }

    fn refill(&mut self, now: Tick) {
        while self.left < self.burst && now >= self.since + self.refill {
            self.left += 1;
            self.since = self.since + self.refill;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_comes_back_one_by_one() {
        let mut budget = Budget::new(2, Duration::from_secs(10));
        let at = |s: u64| Tick(s * 1000);
        assert!(budget.take(at(100)));
        assert!(budget.take(at(101)));
        assert!(!budget.take(at(109)));
        assert_eq!(budget.ready_at(at(109)), at(110));
        assert!(budget.take(at(110)));
        assert!(!budget.take(at(119)));
        assert!(budget.take(at(120)));
        assert!(budget.take(at(1_000)) && budget.take(at(1_000)) && !budget.take(at(1_000)));
    }
}

//! Network events come in bursts: a roaming laptop reports a dozen changes in a second.
//!
//! The first few are acted on at once, so that an ordinary change costs no time; after that what comes is
//! merged and acted on when the budget allows. The last word about "up" wins; a lost route stays lost.

use crate::budget::Budget;
use dormouse_model::Tick;
use std::time::Duration;

/// What the network did, merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NetworkEvent {
    pub(crate) up: bool,
    pub(crate) route_lost: bool,
}

/// Lets events through, or keeps them for later.
#[derive(Debug, Clone)]
pub(crate) struct Debounce {
    budget: Budget,
    pending: Option<(Tick, NetworkEvent)>,
}

impl Default for Debounce {
    fn default() -> Self {
        Self {
            budget: Budget::new(3, Duration::from_secs(2)),
            pending: None,
        }
    }
}

impl Debounce {
    /// An event: it is returned if it is to be acted on now.
    pub(crate) fn offer(&mut self, now: Tick, event: NetworkEvent) -> Option<NetworkEvent> {
        let merged = match self.pending {
            None => event,
            // Having been down on the way means that the route was gone, even if it is back.
            Some((_, earlier)) => NetworkEvent {
                up: event.up,
                route_lost: earlier.route_lost || event.route_lost || !earlier.up,
            },
        };
        if self.budget.take(now) {
            self.pending = None;
            return Some(merged);
        }
        self.pending = Some((self.budget.ready_at(now), merged));
        None
    }

    /// The kept event, whether or not it is time.
    pub(crate) fn drain(&mut self) -> Option<NetworkEvent> {
        self.pending.take().map(|(_, event)| event)
    }

    /// When a kept event is to be acted on.
    pub(crate) fn due(&self) -> Option<Tick> {
        self.pending.map(|(due, _)| due)
    }

    /// The kept event, if it is time.
    pub(crate) fn take(&mut self, now: Tick) -> Option<NetworkEvent> {
        let (due, event) = self.pending?;
        if now < due || !self.budget.take(now) {
            return None;
        }
        self.pending = None;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: NetworkEvent = NetworkEvent {
        up: true,
        route_lost: false,
    };

    #[test]
    fn an_ordinary_change_is_acted_on_at_once() {
        let mut debounce = Debounce::default();
        let down = NetworkEvent {
            up: false,
            route_lost: true,
        };
        assert_eq!(debounce.offer(Tick(10_000), down), Some(down));
        assert_eq!(debounce.offer(Tick(10_400), CHANGED), Some(CHANGED));
        assert_eq!(debounce.due(), None);
    }

    /// One that has let through all it may at once.
    fn spent() -> Debounce {
        let mut debounce = Debounce::default();
        for n in 0..3 {
            assert_eq!(debounce.offer(Tick(10_000 + n), CHANGED), Some(CHANGED));
        }
        debounce
    }

    #[test]
    fn of_what_is_merged_a_lost_route_stays_lost_and_none_is_lost_that_was_not() {
        let lost = NetworkEvent {
            up: true,
            route_lost: true,
        };
        for (events, merged) in [
            ([lost, CHANGED], lost),
            ([CHANGED, lost], lost),
            ([CHANGED, CHANGED], CHANGED),
        ] {
            let mut debounce = spent();
            for event in events {
                assert_eq!(debounce.offer(Tick(10_010), event), None);
            }
            assert_eq!(debounce.drain(), Some(merged));
            assert_eq!(debounce.drain(), None);
        }
    }

    #[test]
    fn what_is_kept_is_acted_on_however_late_and_costs_as_much_as_the_others() {
        let mut debounce = spent();
        assert_eq!(debounce.offer(Tick(10_010), CHANGED), None);
        let due = debounce.due().unwrap();
        let mut late = debounce.clone();
        assert_eq!(late.take(due + Duration::from_secs(60)), Some(CHANGED));
        assert_eq!(debounce.take(due), Some(CHANGED));
        assert_eq!(debounce.offer(due, CHANGED), None, "its share is spent");
    }

    #[test]
    fn a_burst_is_merged_and_its_last_word_is_not_lost() {
        let mut debounce = Debounce::default();
        let mut acted = 0;
        for n in 0..1000 {
            let event = NetworkEvent {
                up: n % 2 == 1,
                route_lost: false,
            };
            acted += usize::from(debounce.offer(Tick(10_000 + n), event).is_some());
        }
        assert_eq!(acted, 3);
        let due = debounce.due().unwrap();
        assert_eq!(debounce.take(Tick(due.0 - 1)), None);
        let last = NetworkEvent {
            up: true,
            route_lost: true,
        };
        assert_eq!(debounce.take(due), Some(last));
        assert_eq!(debounce.due(), None);
    }
}

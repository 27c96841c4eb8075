//! Signing in without waiting to be asked: what a server offered last time, and whether it takes what is sent
//! before it has offered anything.
//!
//! Each question that waits for an answer costs a round trip. What the server will offer is known from last time,
//! so the opening of the stream and the sign-in leave together. A server that refuses or loses what comes
//! early is signed in to step by step, and tried again later, each time after twice as long: the network
//! may have been to blame. A flight that is never answered costs ten seconds, and says less of the server than of the network:
//! after one the next sign-in goes step by step, and after another of those that follow the server is blamed.

use crate::stream::StreamFeatures;
use dormouse_model::Stamp;
use serde::{Deserialize, Serialize};

/// So many flights in a row without a word from the server, with nothing but sign-ins step by step between them, and it is
/// blamed.
const SILENT: u8 = 2;
const HOUR: i64 = 3600 * 1000;
/// A month.
const LONGEST: u32 = 30 * 24;

/// What is known of a server. Kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OneFlight {
    /// What it offered before the last sign-in.
    offer: Option<StreamFeatures>,
    /// Flights in a row that ended without an answer.
    broken: u8,
    /// The last one was: until a sign-in works, each goes step by step.
    plainly: bool,
    /// Not to be tried before.
    not_before: Option<Stamp>,
    /// For how many hours it was not to be tried, last time.
    hours: u32,
}

impl OneFlight {
    /// What to expect of the server, if it may be counted on now.
    pub(crate) fn expected(&self, now: Stamp) -> Option<&StreamFeatures> {
        let waits = self.plainly || self.not_before.is_some_and(|stamp| now < stamp);
        self.offer.as_ref().filter(|_| !waits)
    }

    /// A sign-in worked, on this offer.
    pub(crate) fn worked(&mut self, offer: &StreamFeatures) {
        self.offer = Some(offer.clone());
        self.plainly = false;
    }

    /// What was sent ahead was answered as if it had been asked for. Whether that is news.
    pub(crate) fn answered(&mut self) -> bool {
        let news = self.broken != 0 || self.not_before.is_some() || self.hours != 0;
        self.broken = 0;
        self.not_before = None;
        self.hours = 0;
        news
    }

    /// A flight ended and nobody said why.
    pub(crate) fn broke(&mut self, now: Stamp) {
        self.plainly = true;
        self.broken = self.broken.saturating_add(1);
        if self.broken >= SILENT {
            self.refused(now);
        }
    }

    /// The server refused a flight whose steps it takes one by one.
    pub(crate) fn refused(&mut self, now: Stamp) {
        self.broken = 0;
        self.hours = (self.hours * 2).clamp(1, LONGEST);
        self.not_before = Some(now.shifted(i64::from(self.hours) * HOUR));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> OneFlight {
        let mut flight = OneFlight::default();
        flight.worked(&StreamFeatures::default());
        flight
    }

    #[test]
    fn nothing_is_sent_ahead_to_a_server_that_was_never_met() {
        assert_eq!(OneFlight::default().expected(Stamp(0)), None);
        assert!(known().expected(Stamp(0)).is_some());
    }

    #[test]
    fn a_broken_flight_is_followed_by_one_sign_in_step_by_step_and_the_second_blames_the_server() {
        let mut flight = known();
        flight.broke(Stamp(0));
        assert_eq!(flight.expected(Stamp(0)), None);
        assert_eq!(
            flight.expected(Stamp(HOUR)),
            None,
            "until one works, however long that takes"
        );
        flight.worked(&StreamFeatures::default());
        assert!(flight.expected(Stamp(0)).is_some());
        flight.broke(Stamp(0));
        flight.worked(&StreamFeatures::default());
        assert_eq!(flight.expected(Stamp(HOUR - 1)), None);
        assert!(flight.expected(Stamp(HOUR)).is_some());
    }

    #[test]
    fn a_flight_that_worked_clears_the_network() {
        let mut flight = known();
        flight.broke(Stamp(0));
        assert!(flight.answered());
        assert!(!flight.answered());
        flight.broke(Stamp(0));
        flight.worked(&StreamFeatures::default());
        assert!(flight.expected(Stamp(0)).is_some());
    }

    #[test]
    fn each_refusal_is_remembered_twice_as_long_up_to_a_month() {
        let mut flight = known();
        for hours in [1, 2, 4, 8] {
            flight.refused(Stamp(0));
            flight.worked(&StreamFeatures::default());
            assert_eq!(flight.expected(Stamp(hours * HOUR - 1)), None);
            assert!(flight.expected(Stamp(hours * HOUR)).is_some());
        }
        (0..40).for_each(|_| flight.refused(Stamp(0)));
        assert!(flight.expected(Stamp(i64::from(LONGEST) * HOUR)).is_some());
    }
}

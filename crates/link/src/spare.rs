//! Doubt, and the spare connection that is dialled because of it.
//!
//! A link is in doubt for a reason, and the reason says how soon a spare is worth its price. After sleep the
//! old socket is more often dead or mute than not, so both are tried at once. A hint costs one
//! question first. An answer that is merely late is most often a server that is busy, with everybody else
//! waiting too: there the spare comes late and spread by chance.

use dormouse_model::{ConnId, Random, Tick};
use std::time::Duration;

/// Why a link is in doubt, as far as it decides what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Proven sleep, or the socket's route is gone.
    Interrupted,
    /// Something happened that may have killed it, or this program did not run for a while.
    Hint,
    /// An answer, or an acknowledgement, asked for at this moment is late.
    Late(Tick),
}

impl Reason {
    /// When to dial a spare.
    pub(crate) fn spare_at(self, now: Tick, round_trip: Option<Duration>, random: &mut Random) -> Tick {
        match self {
            Reason::Interrupted => now,
            Reason::Hint => {
                now + Duration::from_millis(300).max(round_trip.unwrap_or(Duration::from_millis(150)) * 2)
            }
            Reason::Late(asked) => {
                // Nor before two round trips: on a slow path an answer is no sooner there by another connection.
                let earliest = asked + Duration::from_secs(2).max(round_trip.unwrap_or_default() * 2);
                // A stall of three seconds is over before most have begun to dial.
                (earliest + random.up_to(Duration::from_secs(4))).max(now)
            }
        }
    }
}

/// A link in doubt.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    /// Why.
    pub(crate) reason: Reason,
    /// When it is given up.
    pub(crate) due: Tick,
    /// How often it may still be asked again instead, because this program did not run when it was due.
    pub(crate) second_chances: u8,
    /// The spare.
    pub(crate) spare: Spare,
    /// Whether this doubt has had its share of the budget: a spare that failed is replaced for nothing, for
    /// most often it has not even reached the server.
    pub(crate) paid: bool,
    /// From then on its spare needs nothing of the budget, because the machine has slept.
    pub(crate) free_at: Option<Tick>,
}

/// The one spare that a link in doubt may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spare {
    /// Will be dialled, if there is still doubt.
    At(Tick),
    /// Is being dialled.
    Dialling {
        conn: ConnId,
        since: Tick,
        /// Given up then, in favour of a new one.
        until: Tick,
    },
    /// None, and none to come.
    None,
}

impl Spare {
    /// When something is to be done about it.
    pub(crate) fn due(&self) -> Option<Tick> {
        match self {
            Spare::At(at) => Some(*at),
            Spare::Dialling { until, .. } => Some(*until),
            Spare::None => None,
        }
    }

    /// The connection being dialled.
    pub(crate) fn conn(&self) -> Option<ConnId> {
        match self {
            Spare::Dialling { conn, .. } => Some(*conn),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_an_interruption_the_spare_is_dialled_at_once() {
        let mut random = Random::from_seed([0; 32]);
        assert_eq!(Reason::Interrupted.spare_at(Tick(7), None, &mut random), Tick(7));
    }

    #[test]
    fn a_hint_waits_two_round_trips_or_300_ms_whichever_is_more() {
        let mut random = Random::from_seed([0; 32]);
        let mut wait = |ms| Reason::Hint.spare_at(Tick(0), Some(Duration::from_millis(ms)), &mut random);
        assert_eq!(wait(20), Tick(300));
        assert_eq!(wait(400), Tick(800));
    }

    #[test]
    fn a_late_answer_waits_two_seconds_and_then_by_chance() {
        let waits: Vec<Tick> = (0..100)
            .map(|seed| Reason::Late(Tick(0)).spare_at(Tick(1_000), None, &mut Random::from_seed([seed; 32])))
            .collect();
        assert!(waits.iter().all(|at| *at >= Tick(2_000) && *at <= Tick(6_000)));
        assert!(waits.iter().filter(|at| **at > Tick(3_000)).count() > 50);
    }

    #[test]
    fn on_a_slow_path_a_late_answer_waits_two_round_trips_as_a_hint_does() {
        let slow = Some(Duration::from_millis(3_600));
        let mut waits = (0..100).map(|seed| {
            Reason::Late(Tick(0)).spare_at(Tick(3_900), slow, &mut Random::from_seed([seed; 32]))
        });
        assert!(waits.all(|at| at >= Tick(7_200) && at <= Tick(11_200)));
    }
}

//! One account: what its engine tells, added up.

use crate::families::{
    Families, OfAccount, OfConnection, OfHeartbeat, OfInterruption, OfMessage, OfReconnection, OfRecovery,
    OfSignIn, OfState,
};
use crate::labels::{self, Word};
use crate::messages::{COUNTED, Messages};
use dormouse_model::{
    Cause, Change, Condition, Connection, Continuation, Now, Observation, RoundTrip, Transition,
};
use std::time::Duration;

const STATES: [Condition; 9] = [
    Condition::Asleep,
    Condition::Offline,
    Condition::Connecting,
    Condition::SigningIn,
    Condition::CatchingUp,
    Condition::Live,
    Condition::Suspect,
    Condition::Waiting,
    Condition::Stopped,
];

/// A question was not answered as soon as the path usually answers.
const LATE: &str = "late";
/// A message was not acknowledged in that time.
const UNACKNOWLEDGED: &str = "unacknowledged";
/// A question was not answered until the deadline, and the connection given up.
const UNANSWERED: &str = "unanswered";

/// One account's part of the counts. Dropped, it takes what is true only of a running account with it.
#[derive(Debug)]
pub(crate) struct Tally {
    families: Families,
    account: u32,
    messages: Messages,
    interruption: Interruption,
}

/// Whether the connection is interrupted, and why.
#[derive(Debug, Clone, Copy)]
enum Interruption {
    /// It has not been live yet: that is no interruption of anything.
    Start,
    None,
    Since(&'static str),
}

impl Tally {
    pub(crate) fn begin(families: Families, account: u32) -> Self {
        let tally = Self {
            families,
            account,
            messages: Messages::default(),
            interruption: Interruption::Start,
        };
        // A rate needs to have been seen at nought.
        for (direction, state) in COUNTED {
            tally.messages(direction, state, 0);
        }
        for what in [LATE, UNACKNOWLEDGED, UNANSWERED] {
            tally.missed(what, 0);
        }
        drop(tally.families.round_trip.get_or_create(&tally.own()));
        drop(tally.families.delivery.get_or_create(&tally.own()));
        tally
    }

    pub(crate) fn take(&mut self, now: Now, observation: Observation<'_>) {
        match observation {
            Observation::Begins(newest) => self.messages.begin(newest),
            Observation::Change(change) => self.change(now, change),
            Observation::Transition(transition) => self.transition(transition),
            Observation::SignedIn { mechanism, resumed } => {
                let labels = OfSignIn {
                    account: self.account,
                    mechanism: labels::mechanism(mechanism),
                    resumed: if resumed { "yes" } else { "no" },
                };
                self.families.sign_ins.get_or_create(&labels).inc();
            }
            Observation::Dialling(_) => {}
            Observation::DialFailed(_, failure) => self.connection_over(labels::dial_failure(failure)),
            Observation::Closed(_, closing) => self.connection_over(labels::closing(closing)),
            Observation::GivenUp(_) => self.connection_over(("given-up", Word::Borrowed(""))),
            Observation::HandedOver(id) => self.messages.handed_over(now.tick, id),
            Observation::Unsettled { outbox, caught_up } => {
                let outbox = i64::try_from(outbox).unwrap_or(i64::MAX);
                self.families.outbox.get_or_create(&self.own()).set(outbox);
                self.gap(!caught_up);
            }
        }
    }

    fn change(&mut self, now: Now, change: &Change) {
        match change {
            Change::Connection(Connection { state, .. }) => {
                let holds = state.condition();
                if holds == Condition::Live {
                    self.interruption = Interruption::None;
                }
                for state in STATES {
                    self.families
                        .state
                        .get_or_create(&self.of_state(state))
                        .set(i64::from(state == holds));
                }
            }
            Change::RoundTrip(RoundTrip { now: took, .. }) => {
                let histogram = self.families.round_trip.get_or_create(&self.own());
                histogram.observe(took.as_secs_f64());
            }
            Change::Message(message) => {
                let added = self.messages.told(now.tick, message);
                for (direction, state) in added.counted {
                    self.messages(direction, state, 1);
                }
                if let Some(after) = added.arrived_after {
                    let histogram = self.families.delivery.get_or_create(&self.own());
                    histogram.observe(after.as_secs_f64());
                }
            }
            Change::CatchUp {
                stored,
                expected,
                done,
            } => {
                let left = expected.filter(|_| !done).unwrap_or_default();
                let left = i64::try_from(left.saturating_sub(*stored)).unwrap_or(i64::MAX);
                self.families
                    .gap_messages
                    .get_or_create(&self.own())
                    .set(if *done { 0 } else { left });
            }
            _ => {}
        }
    }

    fn transition(&mut self, transition: &Transition) {
        match (transition.to, &transition.cause) {
            (_, Cause::NoAnswer) => self.missed(UNANSWERED, 1),
            (Condition::Suspect, Cause::SlowAnswer) => self.missed(LATE, 1),
            (Condition::Suspect, Cause::Unacknowledged) => self.missed(UNACKNOWLEDGED, 1),
            _ => {}
        }
        if transition.to != Condition::Live {
            if let Interruption::None = self.interruption {
                let cause = labels::cause(&transition.cause);
                self.interruption = Interruption::Since(cause);
                let account = self.account;
                let labels = OfInterruption { account, cause };
                self.families.interruptions.get_or_create(&labels).inc();
            }
            return;
        }
        let before = std::mem::replace(&mut self.interruption, Interruption::None);
        let Some(recovery) = transition.recovery else {
            return;
        };
        let account = self.account;
        let by = match before {
            Interruption::Start => "start",
            _ => recovery.by.name(),
        };
        let histogram = self.families.recovery.get_or_create(&OfRecovery { account, by });
        histogram.observe(Duration::from_millis(recovery.took_ms).as_secs_f64());
        if let Interruption::Since(cause) = before
            && recovery.by != Continuation::OldConnection
        {
            let labels = OfReconnection { account, cause, by };
            self.families.reconnections.get_or_create(&labels).inc();
        }
    }

    fn own(&self) -> OfAccount {
        OfAccount {
            account: self.account,
        }
    }

    fn of_state(&self, state: Condition) -> OfState {
        OfState {
            account: self.account,
            state: state.name(),
        }
    }

    fn connection_over(&self, (outcome, code): (&'static str, Word)) {
        let account = self.account;
        let labels = OfConnection {
            account,
            outcome,
            code,
        };
        self.families.connections.get_or_create(&labels).inc();
    }

    fn messages(&self, direction: &'static str, state: &'static str, more: u64) {
        let account = self.account;
        let labels = OfMessage {
            account,
            direction,
            state,
        };
        self.families.messages.get_or_create(&labels).inc_by(more);
    }

    fn missed(&self, what: &'static str, more: u64) {
        let account = self.account;
        let labels = OfHeartbeat { account, what };
        self.families
            .heartbeats_missed
            .get_or_create(&labels)
            .inc_by(more);
    }

    fn gap(&self, open: bool) {
        self.families.gap.get_or_create(&self.own()).set(i64::from(open));
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        for state in STATES {
            self.families.state.remove(&self.of_state(state));
        }
        for gauge in [
            &self.families.outbox,
            &self.families.gap,
            &self.families.gap_messages,
        ] {
            gauge.remove(&self.own());
        }
    }
}

#[cfg(test)]
mod tests;

//! The connection's history: its transitions, and of each interruption how long it took and what it brought.
//!
//! An interruption begins when the connection stops being live and ends when it is live again. What the machine slept, or was
//! without a network, is nobody's fault and not counted: the clock starts anew when that is over. A program that
//! starts begins with an interruption too.

use crate::numbered::{Kind, Numbered, last as last_numbered};
use dormouse_model::{
    Closing, Condition, Connection, ConnectionState, Continuation, Draft, Key, Memory, MessageId, Now,
    ReadError, Recovery, Stamp, Tick, Transition,
};
use std::time::Duration;

/// How often it is noted that the program still runs, in milliseconds. A write to the disk each time.
const STILL_RUNNING: u64 = 10 * 60 * 1000;

impl Kind for Transition {
    /// A week of ordinary days several times over.
    const LENGTH: u64 = 4_000;

    fn key(number: u64) -> Key {
        Key::Transition(number)
    }
}

/// Writes the transitions.
#[derive(Debug)]
pub(crate) struct Chronicle {
    kept: Numbered<Transition>,
    /// What it is, if this program has said so.
    condition: Option<Condition>,
    interruption: Option<Interruption>,
    /// When anything came last on the connection in use.
    heard: Option<Tick>,
    /// How a socket ended in this turn, after how many milliseconds of silence.
    closing: Option<(Closing, Option<u64>)>,
    /// Until when an earlier program ran, until the first transition tells it.
    ran_until: Option<Stamp>,
    /// When it was last noted that the program runs.
    noted: Option<Tick>,
}

#[derive(Debug, Clone, Copy)]
struct Interruption {
    since: Tick,
    by: Continuation,
    /// Messages that came meanwhile, and the number of the newest of them.
    messages: u64,
    newest: Option<MessageId>,
}

impl Interruption {
    fn begins(now: Now) -> Self {
        Self {
            since: now.tick,
            by: Continuation::OldConnection,
            messages: 0,
            newest: None,
        }
    }
}

fn still_running() -> Key {
    Key::Learnt("ran until".to_owned())
}

impl Chronicle {
    /// Goes on where it stopped.
    pub(crate) fn restore(memory: &dyn Memory) -> Result<Self, ReadError> {
        Ok(Self {
            kept: Numbered::restore(memory)?,
            condition: None,
            interruption: None,
            heard: None,
            closing: None,
            ran_until: memory.read(&still_running())?,
            noted: None,
        })
    }

    /// Something came.
    pub(crate) fn heard(&mut self, now: Now) {
        self.heard = Some(now.tick);
    }

    /// The socket in use ended like this: the transition that follows in this turn, if one does, is because of it.
    pub(crate) fn closed(&mut self, now: Now, closing: Closing) {
        let silence = self.heard.take().map(|heard| millis(now.tick.since(heard)));
        self.closing = Some((closing, silence));
    }

    /// A session goes on, or a new one has begun.
    pub(crate) fn signed_in(&mut self, resumed: bool) {
        if let Some(interruption) = &mut self.interruption {
            // Nothing that comes later makes a session that was lost the earlier one again.
            if interruption.by != Continuation::FreshSession {
                interruption.by = match resumed {
                    true => Continuation::Resumed,
                    false => Continuation::FreshSession,
                };
            }
        }
    }

    /// A message of somebody else's is new, or looks different now.
    pub(crate) fn message(&mut self, id: MessageId) {
        if let Some(interruption) = &mut self.interruption
            && interruption.newest.is_none_or(|newest| newest < id)
        {
            interruption.newest = Some(id);
            interruption.messages += 1;
        }
    }

    /// The state changed. What is kept of it.
    pub(crate) fn entered(&mut self, now: Now, connection: &Connection, draft: &mut Draft) -> Transition {
        let to = connection.state.condition();
        let from = self.condition.replace(to);
        let excused = matches!(from, Some(Condition::Asleep | Condition::Offline));
        let recovery = match to {
            Condition::Live => self.interruption.take().map(|it| it.ended(now)),
            _ if excused => {
                // What arrived before the lid was closed is not what this one brings.
                self.interruption = Some(Interruption::begins(now));
                None
            }
            _ => {
                self.interruption.get_or_insert(Interruption::begins(now));
                None
            }
        };
        let (wait_ms, attempt) = match connection.state {
            ConnectionState::Waiting { until, attempt } => {
                (Some(millis(until.since(now.tick))), Some(attempt))
            }
            ConnectionState::Connecting { attempt } => (None, Some(attempt)),
            _ => (None, None),
        };
        let (closing, silence_ms) = self.closing.take().unzip();
        let transition = Transition {
            at: connection.since,
            to,
            cause: connection.cause.clone(),
            closing,
            silence_ms: silence_ms.flatten(),
            wait_ms,
            attempt,
            recovery,
            ran_until: self.ran_until.take(),
        };
        self.kept.append(&transition, draft);
        transition
    }

    /// The turn is over: notes now and then that the program runs, so that a later one knows until when it did.
    pub(crate) fn end_turn(&mut self, now: Now, draft: &mut Draft) {
        self.closing = None;
        let due = |noted: Tick| millis(now.tick.since(noted)) >= STILL_RUNNING;
        if self.condition.is_some() && self.noted.is_none_or(due) {
            self.runs(now, draft);
        }
    }

    /// The program runs now.
    pub(crate) fn runs(&mut self, now: Now, draft: &mut Draft) {
        self.noted = Some(now.tick);
        draft.put(&still_running(), &now.stamp);
    }
}

impl Interruption {
    fn ended(self, now: Now) -> Recovery {
        Recovery {
            took_ms: millis(now.tick.since(self.since)),
            by: self.by,
            messages: self.messages,
        }
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// The last `limit` transitions, oldest first.
pub fn last(memory: &dyn Memory, limit: usize) -> Result<Vec<Transition>, ReadError> {
    last_numbered(memory, limit)
}

/// Until when the program is known to have run: at most ten minutes before it really ended.
pub fn ran_until(memory: &dyn Memory) -> Result<Option<Stamp>, ReadError> {
    memory.read(&still_running())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::{BatchId, Cause};
    use std::collections::BTreeMap;

    /// A disk, and what is written on it.
    #[derive(Default)]
    struct Told {
        disk: BTreeMap<Vec<u8>, Vec<u8>>,
    }

    fn at(second: u64) -> Now {
        Now {
            tick: Tick(second * 1000),
            stamp: Stamp(1_000_000 + second as i64 * 1000),
        }
    }

    impl Told {
        fn write(&mut self, chronicle: &mut Chronicle, write: impl FnOnce(&mut Chronicle, &mut Draft)) {
            let mut draft = Draft::over(&self.disk);
            write(chronicle, &mut draft);
            let batch = draft.into_batch(BatchId(1));
            batch.apply_to(&mut self.disk);
        }

        fn enter(&mut self, chronicle: &mut Chronicle, second: u64, state: ConnectionState, cause: Cause) {
            let connection = Connection {
                state,
                since: at(second).stamp,
                cause,
            };
            self.write(chronicle, |chronicle, draft| {
                chronicle.entered(at(second), &connection, draft);
            });
        }

        fn last(&self) -> Transition {
            last(&self.disk, 1).unwrap().remove(0)
        }
    }

    #[test]
    fn a_recovery_is_told_with_its_length_its_kind_and_what_it_brought() {
        let mut told = Told::default();
        let mut chronicle = Chronicle::restore(&told.disk).unwrap();
        told.enter(
            &mut chronicle,
            0,
            ConnectionState::Connecting { attempt: 1 },
            Cause::Started,
        );
        chronicle.signed_in(false);
        told.enter(&mut chronicle, 1, ConnectionState::Live, Cause::CaughtUp);
        chronicle.message(MessageId(4));
        told.enter(&mut chronicle, 100, ConnectionState::Suspect, Cause::SlowAnswer);
        told.enter(&mut chronicle, 104, ConnectionState::SigningIn, Cause::SpareReady);
        chronicle.signed_in(true);
        for id in [5, 6, 5, 6] {
            chronicle.message(MessageId(id));
        }
        told.enter(&mut chronicle, 105, ConnectionState::Live, Cause::CaughtUp);
        let recovery = Recovery {
            took_ms: 5_000,
            by: Continuation::Resumed,
            messages: 2,
        };
        assert_eq!(told.last().recovery, Some(recovery));
    }

    #[test]
    fn neither_sleep_nor_an_outage_of_the_network_counts_as_time_to_recover() {
        let mut told = Told::default();
        let mut chronicle = Chronicle::restore(&told.disk).unwrap();
        told.enter(&mut chronicle, 0, ConnectionState::Live, Cause::CaughtUp);
        for (away, cause) in [
            (ConnectionState::Asleep, Cause::Suspending),
            (ConnectionState::Offline, Cause::NetworkDown),
        ] {
            told.enter(&mut chronicle, 10, away, cause);
            told.enter(&mut chronicle, 5_000, ConnectionState::Suspect, Cause::Woke);
            told.enter(&mut chronicle, 5_002, ConnectionState::Live, Cause::Answered);
            let recovery = told.last().recovery.unwrap();
            assert_eq!(
                (recovery.took_ms, recovery.by),
                (2_000, Continuation::OldConnection)
            );
        }
    }

    #[test]
    fn the_code_of_a_close_is_kept_with_the_transition_it_led_to_and_no_other() {
        let mut told = Told::default();
        let mut chronicle = Chronicle::restore(&told.disk).unwrap();
        let close = Closing::Frame {
            code: 1012,
            reason: "see you".into(),
        };
        chronicle.heard(at(2));
        chronicle.closed(at(5), close.clone());
        let waiting = ConnectionState::Waiting {
            until: Tick(7_500),
            attempt: 2,
        };
        told.enter(&mut chronicle, 5, waiting, Cause::ServerRestarting);
        let transition = told.last();
        assert_eq!(transition.closing, Some(close));
        assert_eq!(transition.silence_ms, Some(3_000));
        assert_eq!((transition.wait_ms, transition.attempt), (Some(2_500), Some(2)));
        chronicle.closed(at(6), Closing::Eof);
        told.write(&mut chronicle, |chronicle, draft| {
            chronicle.end_turn(at(6), draft)
        });
        told.enter(
            &mut chronicle,
            8,
            ConnectionState::Connecting { attempt: 2 },
            Cause::BackoffOver,
        );
        assert_eq!(told.last().closing, None);
    }

    #[test]
    fn the_next_program_knows_to_within_ten_minutes_until_when_the_last_one_ran() {
        let mut told = Told::default();
        let mut chronicle = Chronicle::restore(&told.disk).unwrap();
        told.enter(&mut chronicle, 0, ConnectionState::Live, Cause::CaughtUp);
        let mut writes = 0;
        for second in (0..7200).step_by(25) {
            let before = told.disk.clone();
            told.write(&mut chronicle, |chronicle, draft| {
                chronicle.end_turn(at(second), draft)
            });
            writes += u32::from(told.disk != before);
        }
        assert_eq!(writes, 12, "a heartbeat is no reason to write");
        let mut next = Chronicle::restore(&told.disk).unwrap();
        told.enter(
            &mut next,
            9_000,
            ConnectionState::Connecting { attempt: 1 },
            Cause::Started,
        );
        let until = told.last().ran_until.unwrap();
        assert!(until >= at(6600).stamp && until <= at(7200).stamp, "{until:?}");
        told.enter(&mut next, 9_001, ConnectionState::SigningIn, Cause::Dialled);
        assert_eq!(told.last().ran_until, None);
    }
}

//! A signed-in connection: asking it, doubting it, believing it again or giving it up.

use crate::interruption::BEFORE_THE_CHANGE;
use crate::link::{Link, Session, State};
use crate::spare::{Doubt, Reason, Spare};
use crate::{Output, Probe};
use dormouse_model::{Action, Cause, ConnId, Now, Tick, Verdict};
use std::mem;
use std::time::Duration;

/// How often a link is asked again instead of being given up, because this program did not run.
const SECOND_CHANCES: u8 = 3;
/// A question asked within this is fresh enough for the next event.
const FRESH: Duration = Duration::from_secs(1);

impl Link {
    /// When something is to be done about a signed-in connection.
    pub(crate) fn session_due(&self, session: &Session) -> Tick {
        let heartbeat = &session.heartbeat;
        match &session.doubt {
            Some(doubt) => doubt.spare.due().map_or(doubt.due, |spare| spare.min(doubt.due)),
            None => {
                let late = heartbeat.open_since().map(|since| since + self.late_after());
                let ask = (!heartbeat.is_asked()).then(|| heartbeat.proof + self.interval());
                // One of the two always is: without an open question the next one is due some time.
                [late, ask].into_iter().flatten().min().unwrap_or(heartbeat.proof)
            }
        }
    }

    /// The interval has changed: what has been silent for longer than the new one is asked now, not found late. What has been so for
    /// longer than the one before is late.
    pub(crate) fn ask_if_silent(&mut self, now: Now, before: Duration) {
        let interval = self.interval();
        let State::Up(session) = &self.state else {
            return;
        };
        let (conn, heartbeat) = (session.conn, &session.heartbeat);
        let overdue = now.tick.since(heartbeat.proof + before);
        let is_due = heartbeat.proof + interval <= now.tick && overdue <= self.settings.late;
        if session.doubt.is_none() && heartbeat.open_since().is_none() && is_due {
            self.ask(now, conn);
        }
    }

    /// Something of a signed-in connection is due.
    pub(crate) fn run_session_timer(&mut self, now: Now) {
        let late_after = self.late_after();
        let State::Up(session) = &mut self.state else {
            return;
        };
        let (conn, heartbeat) = (session.conn, &mut session.heartbeat);
        match &mut session.doubt {
            Some(doubt) if doubt.due <= now.tick => {
                let late = now.tick.since(doubt.due) > self.settings.late;
                if !late || doubt.second_chances == 0 {
                    return self.give_up(now);
                }
                doubt.second_chances -= 1;
                doubt.due = now.tick + short_patience(&self.path).min(self.settings.answer);
                heartbeat.forget_questions();
                self.say("this program did not run for a while: asking the link again");
                self.ask(now, conn);
            }
            Some(doubt) => match doubt.spare {
                Spare::At(_) => self.dial_spare(now),
                Spare::Dialling {
                    conn: spare,
                    since,
                    until,
                } if now.tick.since(until) > self.settings.late => {
                    // It may be ready, and its news unread. The doubt's own deadline bounds this.
                    doubt.spare = Spare::Dialling {
                        conn: spare,
                        since,
                        until: now.tick + FRESH,
                    };
                }
                Spare::Dialling { conn: spare, .. } => {
                    doubt.spare = Spare::At(now.tick);
                    self.out.push(Output::Hangup(spare));
                    self.backoff.quick(now, &mut self.random);
                }
                Spare::None => {}
            },
            None => {
                let asked = heartbeat.open_since();
                let late_at = asked.map(|since| since + late_after);
                match (asked, late_at) {
                    (Some(asked), Some(late_at)) if late_at <= now.tick => {
                        let cause = if heartbeat.waits_for_ack() {
                            Cause::Unacknowledged
                        } else {
                            Cause::SlowAnswer
                        };
                        if now.tick.since(late_at) > self.settings.late {
                            self.doubt_after_gap(now, cause);
                        } else {
                            self.doubt(now, Reason::Late(asked), cause);
                        }
                    }
                    _ => {
                        let due = heartbeat.proof + self.learnt.interval(&self.aim, self.settings.heartbeat);
                        if now.tick.since(due) > self.settings.late {
                            self.doubt_after_gap(now, Cause::SlowAnswer);
                        } else if heartbeat.is_ambiguous() {
                            self.ask(now, conn);
                        } else {
                            heartbeat.ask_quietly(now.tick);
                            self.out.push(Output::Probe(conn, Probe::Quiet));
                        }
                    }
                }
            }
        }
    }

    /// This program did not run for a while, nobody knows why: ask, and don't wait long for the answer.
    fn doubt_after_gap(&mut self, now: Now, cause: Cause) {
        self.say("this program did not run for a while: asking whether the link lives");
        self.doubt(now, Reason::Hint, cause);
        let patience = short_patience(&self.path).min(self.settings.answer);
        if let State::Up(Session {
            doubt: Some(doubt), ..
        }) = &mut self.state
        {
            doubt.due = now.tick + patience;
        }
    }

    /// The link is in doubt from now on, or in deeper doubt than before.
    pub(crate) fn doubt(&mut self, now: Now, reason: Reason, cause: Cause) {
        let answer = self.settings.answer;
        if !matches!(self.state, State::Up(_)) {
            return;
        }
        let spare_at = self.spare_at(now, reason);
        let patience = answer + self.under_way.takes();
        let State::Up(session) = &mut self.state else {
            return;
        };
        let conn = session.conn;
        let Some(doubt) = &mut session.doubt else {
            if !matches!(reason, Reason::Late(_)) {
                session.heartbeat.forget_questions();
            }
            let due = match reason {
                Reason::Late(asked) => asked + patience,
                _ => now.tick + answer,
            };
            session.doubt = Some(Doubt {
                reason,
                due,
                second_chances: SECOND_CHANCES,
                spare: Spare::At(spare_at),
                paid: false,
                free_at: None,
            });
            self.say(format!("connection {conn} is in doubt: {}", cause.sentence()));
            self.cause = cause;
            return self.ask(now, conn);
        };
        if matches!(reason, Reason::Late(_)) {
            return;
        }
        let stale = |since: Tick| now.tick.since(since) >= FRESH;
        // A spare dialled into the network as it was before may hang long.
        let outdated = |since: Tick| {
            let age = now.tick.since(since);
            match cause {
                Cause::NetworkChanged | Cause::NetworkUp => age >= BEFORE_THE_CHANGE,
                _ => reason == Reason::Interrupted && age >= FRESH,
            }
        };
        let mut drop_spare = None;
        doubt.spare = match doubt.spare {
            Spare::Dialling { conn, since, .. } if outdated(since) => {
                drop_spare = Some(conn);
                doubt.paid = false;
                Spare::At(now.tick)
            }
            Spare::At(at) => Spare::At(at.min(spare_at)),
            Spare::None => Spare::At(spare_at),
            dialling @ Spare::Dialling { .. } => dialling,
        };
        if reason == Reason::Interrupted {
            doubt.due = now.tick + answer;
            doubt.second_chances = SECOND_CHANCES;
            doubt.reason = reason;
        } else if matches!(doubt.reason, Reason::Late(_)) {
            doubt.reason = reason;
        }
        let ask = session.heartbeat.numbered_since().is_none_or(stale);
        if ask {
            session.heartbeat.forget_questions();
        }
        self.out.extend(drop_spare.map(Output::Hangup));
        if ask {
            self.say(format!("asking connection {conn} again: {}", cause.sentence()));
            self.ask(now, conn);
        }
    }

    /// After this an answer is late. A long message buys time before a spare and before the end, but no longer belief: what is shown as
    /// live must not rest on older proof than ever.
    fn late_after(&self) -> Duration {
        let usual = self.path.late_after();
        usual.max((usual + self.under_way.takes()).min(self.settings.answer))
    }

    /// When this doubt is worth a spare.
    fn spare_at(&mut self, now: Now, reason: Reason) -> Tick {
        let reason = match reason {
            Reason::Late(asked) => Reason::Late(asked + self.under_way.takes()),
            reason => reason,
        };
        reason.spare_at(now.tick, self.path.smoothed(), &mut self.random)
    }

    /// Messages were acknowledged that an answer stands behind. One that is merely late has been so for them: it comes after what
    /// they have left, and a new connection would have to be told all that again.
    pub(crate) fn goes_on(&mut self, now: Now) {
        if !self.is_merely_late() {
            return;
        }
        let due = now.tick + self.settings.answer + self.under_way.takes();
        let spare_at = self.spare_at(now, Reason::Late(now.tick));
        let State::Up(Session {
            doubt: Some(doubt), ..
        }) = &mut self.state
        else {
            return;
        };
        doubt.due = due;
        self.out.extend(doubt.spare.conn().map(Output::Hangup));
        doubt.spare = Spare::At(spare_at);
    }

    /// In doubt, and not for anything that happened.
    fn is_merely_late(&self) -> bool {
        match &self.state {
            State::Up(session) => {
                let reason = session.doubt.as_ref().map(|doubt| doubt.reason);
                matches!(reason, Some(Reason::Late(_)))
            }
            _ => false,
        }
    }

    fn ask(&mut self, now: Now, conn: ConnId) {
        let probe = self.new_probe();
        if let Some(session) = self.session(conn) {
            session.heartbeat.ask(now.tick, probe);
            self.out.push(Output::Probe(conn, Probe::Numbered(probe)));
        }
    }

    /// Asks the connection held while the system says that there is no network: an answer would prove it wrong.
    pub(crate) fn probe_held(&mut self, now: Now) {
        if let State::Offline { held: Some(session) } = &self.state {
            let conn = session.conn;
            self.ask(now, conn);
        }
    }

    fn dial_spare(&mut self, now: Now) {
        let patience = self.dial_patience(now);
        let State::Up(Session {
            doubt: Some(doubt), ..
        }) = &mut self.state
        else {
            return;
        };
        let mut ready = self
            .dials
            .ready_at(now.tick)
            .max(self.not_before.unwrap_or(now.tick));
        if !doubt.paid {
            let budget = self.spares.ready_at(now.tick);
            ready = ready.max(doubt.free_at.map_or(budget, |free| free.min(budget)));
        }
        if ready > now.tick {
            doubt.spare = Spare::At(ready);
            return;
        }
        self.dials.take(now.tick);
        let free = doubt.free_at.is_some_and(|free| free <= now.tick);
        doubt.paid = doubt.paid || free || self.spares.take(now.tick);
        self.last_conn = self.last_conn.next();
        let conn = self.last_conn;
        doubt.spare = Spare::Dialling {
            conn,
            since: now.tick,
            until: now.tick + patience,
        };
        self.say(format!("dialling a spare, connection {conn}"));
        self.out.push(Output::Dial { conn, spare: true });
    }

    pub(crate) fn spare_failed(&mut self, now: Now, verdict: Verdict) {
        self.say(format!("the spare failed: {}", verdict.cause.sentence()));
        let again = match verdict.action {
            Action::Stop | Action::RetrySlowly => None,
            Action::RetryAfter(wait) => {
                let at = now.tick + self.backoff.asked(wait, &mut self.random);
                self.not_before = Some(at);
                Some(at)
            }
            _ => {
                let quick = self.backoff.quick(now, &mut self.random);
                let wait = quick
                    .unwrap_or_else(|| Duration::from_secs(2) + self.random.up_to(Duration::from_secs(2)));
                Some(now.tick + wait)
            }
        };
        if let State::Up(Session {
            doubt: Some(doubt), ..
        }) = &mut self.state
        {
            doubt.spare = again.map_or(Spare::None, Spare::At);
        }
    }

    /// The spare is ready and the old link has not answered: it is dead, or alive but mute.
    pub(crate) fn switch_to_spare(&mut self, now: Now, spare: ConnId) {
        let Some(old) = self.take_session() else { return };
        let conn = old.conn;
        self.say(format!("the spare was ready first: giving up connection {conn}"));
        self.learn_death(&old);
        self.ended(old);
        self.backoff.attempt();
        self.sign_in(now, spare, Cause::SpareReady);
        self.out.push(Output::Hangup(conn));
    }

    /// No answer until the deadline.
    fn give_up(&mut self, now: Now) {
        let Some(session) = self.take_session() else {
            return;
        };
        self.say(format!(
            "connection {} did not answer: giving it up",
            session.conn
        ));
        self.out.push(Output::Hangup(session.conn));
        self.learn_death(&session);
        let doubt = self.ended(session);
        self.go_on_with(now, doubt, Verdict::new(Action::Retry, Cause::NoAnswer));
    }

    /// The connection in use has ended by itself.
    pub(crate) fn session_closed(&mut self, now: Now, verdict: Verdict) {
        let Some(session) = self.take_session() else {
            return;
        };
        let quiet = session
            .doubt
            .as_ref()
            .is_none_or(|doubt| matches!(doubt.reason, Reason::Late(_)));
        let silence = session
            .heartbeat
            .silence
            .unwrap_or_else(|| session.heartbeat.idle(now.tick));
        let unexplained = verdict.action == Action::Retry
            && matches!(verdict.cause, Cause::Lost | Cause::ClosedByServer { .. });
        // A longer silence than we ever allow was a sleep not yet told of.
        if quiet && unexplained && silence <= self.settings.heartbeat + self.settings.answer {
            self.silence_killed(silence);
        }
        let doubt = self.ended(session);
        self.go_on_with(now, doubt, verdict);
    }

    /// The old link is gone. A spare on its way becomes the connection, unless the verdict forbids. After an
    /// interruption the old link's news of a restart is as old as the interruption.
    fn go_on_with(&mut self, now: Now, doubt: Option<Doubt>, verdict: Verdict) {
        let (spare, reason) = doubt.map_or((Spare::None, Reason::Hint), |doubt| (doubt.spare, doubt.reason));
        let goes_on = match verdict.action {
            Action::Retry => true,
            Action::RetryScattered | Action::RetryPlainly => reason == Reason::Interrupted,
            _ => false,
        };
        match spare {
            Spare::Dialling { conn, since, until } if goes_on => {
                self.backoff.attempt();
                let state = State::Dialling {
                    conn,
                    since,
                    until,
                    extended: false,
                };
                self.enter(state, verdict.cause);
            }
            spare => {
                self.out.extend(spare.conn().map(Output::Hangup));
                self.fail(now, verdict);
            }
        }
    }

    fn take_session(&mut self) -> Option<Session> {
        match mem::replace(&mut self.state, State::Stopped) {
            State::Up(session) => Some(session),
            other => {
                self.state = other;
                None
            }
        }
    }
}

/// After a gap in which this program did not run the answer may be waiting to be read: it needs little time.
fn short_patience(path: &crate::round_trip::RoundTrip) -> Duration {
    (path.late_after() * 2).max(Duration::from_secs(3))
}

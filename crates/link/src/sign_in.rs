//! A connection's way from open socket to signed-in session, and how it ends.

use crate::Output;
use crate::heartbeat::Heartbeat;
use crate::link::{Link, Session, State};
use crate::spare::Doubt;
use crate::under_way::UnderWay;
use dormouse_model::{Action, Cause, ConnId, Now, Verdict};

impl Link {
    pub(crate) fn dialled(&mut self, now: Now, conn: ConnId) {
        if self.session(conn).is_some() {
            return;
        }
        match &self.state {
            State::Dialling { conn: ours, .. } if *ours == conn => self.sign_in(now, conn, Cause::Dialled),
            State::Up(session) if session.doubt.as_ref().and_then(|d| d.spare.conn()) == Some(conn) => {
                self.switch_to_spare(now, conn);
            }
            State::SigningIn { conn: ours, .. } if *ours == conn => {}
            // Hung up while it was coming through.
            _ => self.out.push(Output::Hangup(conn)),
        }
    }

    /// The session begins on this connection.
    pub(crate) fn sign_in(&mut self, now: Now, conn: ConnId, cause: Cause) {
        self.out.push(Output::Use(conn));
        let state = State::SigningIn {
            conn,
            since: now.tick,
            whole: now.tick + self.settings.sign_in,
            silence: now.tick + self.settings.sign_in_silence,
            extended: false,
        };
        self.enter(state, cause);
    }

    pub(crate) fn signed_in(&mut self, now: Now, conn: ConnId, resumed: bool) {
        match self.state {
            State::SigningIn {
                conn: ours, since, ..
            } if ours == conn => {
                let took = now.tick.since(since).as_millis();
                self.say(format!(
                    "signed in on connection {conn} in {took} ms, resumed: {resumed}"
                ));
                self.not_before = None;
                // What the old connection had not read is told again, if it is written again.
                self.under_way = UnderWay::default();
                let mut heartbeat = Heartbeat::new(now.tick);
                if resumed {
                    heartbeat.asked_with_the_resumption(now.tick);
                }
                let session = Session {
                    conn,
                    since: now.tick,
                    caught_up: false,
                    heartbeat,
                    doubt: None,
                };
                let cause = if resumed { Cause::Resumed } else { Cause::SignedIn };
                self.enter(State::Up(session), cause);
            }
            _ => {}
        }
    }

    pub(crate) fn caught_up(&mut self, conn: ConnId) {
        let Some(session) = self.session(conn) else { return };
        session.caught_up = true;
        if session.doubt.is_none() && matches!(self.state, State::Up(_)) {
            self.cause = Cause::CaughtUp;
        }
    }

    pub(crate) fn inbound(&mut self, now: Now, conn: ConnId) {
        let patience = now.tick + self.settings.sign_in_silence;
        match &mut self.state {
            State::SigningIn {
                conn: ours, silence, ..
            } if *ours == conn => *silence = patience,
            _ => {
                if let Some(session) = self.session(conn) {
                    session.heartbeat.inbound(now.tick);
                }
            }
        }
    }

    pub(crate) fn closed(&mut self, now: Now, conn: ConnId, verdict: Verdict) {
        match &mut self.state {
            State::Dialling { conn: ours, .. } | State::SigningIn { conn: ours, .. } if *ours == conn => {
                self.fail(now, verdict);
            }
            State::Up(session) if session.conn == conn => self.session_closed(now, verdict),
            State::Up(session) if session.doubt.as_ref().and_then(|d| d.spare.conn()) == Some(conn) => {
                self.spare_failed(now, verdict);
            }
            State::Asleep { held, .. } | State::Offline { held }
                if held.as_ref().is_some_and(|session| session.conn == conn) =>
            {
                let session = held.take();
                self.say(format!("connection {conn} ended: {}", verdict.cause.sentence()));
                session.map(|session| self.ended(session));
                match verdict.action {
                    Action::Stop => self.enter(State::Stopped, verdict.cause),
                    Action::RetryAfter(wait) => {
                        self.not_before = Some(now.tick + self.backoff.asked(wait, &mut self.random))
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// A session is over: if it has lived, its end is a first failure. Returns the doubt it was in.
    pub(crate) fn ended(&mut self, session: Session) -> Option<Doubt> {
        if session.heartbeat.proof.since(session.since) >= self.settings.lived {
            self.backoff.lived();
        }
        session.doubt
    }
}

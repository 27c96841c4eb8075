//! What proves that a link lives, and what its life or death teaches about the path.

use crate::Output;
use crate::link::{Link, Session, State};
use dormouse_model::{Cause, ConnId, Now, ProbeId};
use std::mem;
use std::time::Duration;

impl Link {
    pub(crate) fn answer(&mut self, now: Now, conn: ConnId, probe: ProbeId) {
        let Some(session) = self.session(conn) else { return };
        let Some(took) = session.heartbeat.answer(now.tick, probe) else {
            return;
        };
        if matches!(self.state, State::Offline { .. }) {
            self.say("the link answers: there is a network, whatever the system says");
            self.network = true;
            if let State::Offline { held: Some(session) } = mem::replace(&mut self.state, State::Stopped) {
                self.enter(State::Up(session), Cause::Answered);
            }
        }
        self.proven(took);
    }

    pub(crate) fn quiet_answer(&mut self, now: Now, conn: ConnId) {
        let quiet_times = self.is_quiet();
        let Some(session) = self.session(conn) else { return };
        if let Some(took) = session.heartbeat.quiet_answer(now.tick, quiet_times) {
            self.proven(took);
        }
    }

    pub(crate) fn acked(&mut self, now: Now, conn: ConnId, all: bool) {
        let quiet_times = self.is_quiet();
        let held_up = !self.under_way.takes().is_zero();
        let Some(session) = self.session(conn) else { return };
        let awaited = session.heartbeat.awaits_ack();
        let took = session.heartbeat.acked(now.tick, all, quiet_times);
        // How long a long message took is no measure of the path.
        if let Some(took) = took.filter(|_| !held_up) {
            self.measured(took);
        }
        // What was asked behind a long message has waited for it, and would be late in the same moment. This is proof enough.
        if let Some(session) = self.session(conn).filter(|_| held_up && quiet_times) {
            session.heartbeat.forget_questions_behind();
        }
        if all {
            self.under_way.all_arrived();
        }
        if awaited {
            self.goes_on(now);
        }
    }

    fn measured(&mut self, took: Duration) {
        self.path.sample(took);
        self.out.push(Output::RoundTrip(took));
    }

    fn is_quiet(&self) -> bool {
        matches!(&self.state, State::Up(session) if session.doubt.is_none())
    }

    /// The link lives: it took so long to say so.
    pub(crate) fn proven(&mut self, took: Duration) {
        if took <= self.settings.answer {
            self.measured(took);
        }
        let State::Up(session) = &mut self.state else {
            return;
        };
        let silence = session.heartbeat.silence.take();
        let doubt = session.doubt.take();
        if let Some(silence) = silence {
            self.learnt
                .of_mut(&self.aim)
                .survived(silence, self.settings.heartbeat);
        }
        if let Some(doubt) = doubt {
            self.say(format!("the link answers, after {} ms", took.as_millis()));
            if let Some(spare) = doubt.spare.conn() {
                self.out.push(Output::Hangup(spare));
            }
            self.cause = Cause::Answered;
        }
    }

    /// A link did not answer: if nothing but silence came before, silence may have killed it.
    pub(crate) fn learn_death(&mut self, session: &Session) {
        if let Some(silence) = session.heartbeat.silence {
            self.silence_killed(silence);
        }
    }

    pub(crate) fn silence_killed(&mut self, silence: Duration) {
        let path = self.learnt.of_mut(&self.aim);
        if path.died(silence, self.settings.heartbeat) {
            let interval = path.interval(self.settings.heartbeat).as_secs();
            self.say(format!(
                "silence kills sockets here: asking every {interval} s from now on"
            ));
        }
    }
}

//! What the user, the machine and the network do to the link: showing, retrying, sleeping, waking, roaming.

use crate::Output;
use crate::debounce::NetworkEvent;
use crate::link::{Link, Session, State};
use crate::spare::Reason;
use dormouse_model::{Cause, Now};
use std::mem;
use std::time::Duration;

/// Two events so close are one: a wake is often reported twice.
const SAME_MOMENT: Duration = Duration::from_secs(1);
/// A dial older than this was begun in the network as it was before the event.
pub(crate) const BEFORE_THE_CHANGE: Duration = Duration::from_millis(300);
/// Sleeps that end so long after each other are a user's, whose lid shuts again: none of them waits. As often as this a
/// link may dial in the long run anyway.
const APART: Duration = Duration::from_secs(3);

impl Link {
    pub(crate) fn retry_now(&mut self, now: Now) {
        self.not_before = None;
        match &self.state {
            State::Stopped | State::Waiting { .. } => {
                self.network = true;
                self.connect(now, Cause::UserAsked);
            }
            State::Offline { .. } => {
                self.say("the user does not believe that there is no network");
                self.network = true;
                self.leave_offline(now, Cause::UserAsked);
            }
            State::Dialling { since, .. } | State::SigningIn { since, .. } => {
                if now.tick.since(*since) >= Duration::from_secs(3) {
                    self.let_go();
                    self.connect(now, Cause::UserAsked);
                }
            }
            State::Asleep { .. } => self.resumed(now, None, false),
            State::Up(_) => self.doubt(now, Reason::Hint, Cause::UserAsked),
        }
    }

    /// Somebody is about to look.
    pub(crate) fn shown_to_user(&mut self, now: Now, why: Cause) {
        match &self.state {
            State::Asleep { .. } => self.resumed(now, None, false),
            State::Up(session)
                if session.doubt.is_none()
                    && now.tick.since(session.heartbeat.proof) >= self.settings.fresh =>
            {
                self.doubt(now, Reason::Hint, why);
            }
            _ => {}
        }
    }

    pub(crate) fn suspending(&mut self, now: Now, why: Cause) {
        let mut gone = false;
        if let Some(event) = self.debounce.drain() {
            self.network = event.up;
            gone = event.route_lost;
        }
        if matches!(self.state, State::Stopped | State::Asleep { .. }) {
            return;
        }
        let held = self.hold();
        let asleep = State::Asleep {
            until: now.tick + self.settings.asleep,
            held,
            route_lost: gone || !self.network,
        };
        self.enter(asleep, why);
    }

    pub(crate) fn resumed(&mut self, now: Now, slept: Option<Duration>, proven: bool) {
        if matches!(self.state, State::Stopped) {
            return;
        }
        self.say(match slept {
            Some(slept) => format!("the machine slept for {} s (proven: {proven})", slept.as_secs()),
            None => format!("the machine may have slept (proven: {proven})"),
        });
        if proven {
            // What was known of the network was known before. If there is none, the dial will tell.
            self.network = true;
            self.backoff.grace(now);
        }
        let reason = if proven { Reason::Interrupted } else { Reason::Hint };
        let woke = match self.cause {
            Cause::SimulatedSleep => Cause::SimulatedWake,
            _ => Cause::Woke,
        };
        match mem::replace(&mut self.state, State::Stopped) {
            State::Asleep { held, route_lost, .. } => {
                self.backoff.grace(now);
                let reason = if route_lost { Reason::Interrupted } else { reason };
                match held {
                    held if !self.network => self.enter(State::Offline { held }, Cause::NetworkDown),
                    Some(session) => {
                        self.state = State::Up(session);
                        self.doubt(now, reason, woke);
                    }
                    None => self.connect(now, woke),
                }
            }
            State::Offline { held } => {
                self.state = State::Offline { held };
                if proven {
                    self.leave_offline(now, woke);
                }
            }
            State::Waiting { .. } => self.connect(now, woke),
            State::Up(session) => {
                self.state = State::Up(session);
                self.doubt(now, reason, woke);
            }
            State::Dialling { conn, since, .. } | State::SigningIn { conn, since, .. }
                if proven && now.tick.since(since) >= SAME_MOMENT =>
            {
                self.out.push(Output::Hangup(conn));
                self.connect(now, woke);
            }
            other => self.state = other,
        }
        if proven {
            self.free_spare(now);
        }
    }

    /// The spare of a machine that has slept is not refused for want of budget, which is there for servers that stall: they
    /// put no machine to sleep. After sleeps in quick succession the old connection is asked first.
    fn free_spare(&mut self, now: Now) {
        let since = self.woke.map(|woke| now.tick.since(woke));
        if since.is_some_and(|since| since < SAME_MOMENT) {
            return;
        }
        self.woke = Some(now.tick);
        let free_at = if since.is_none_or(|since| since >= APART) {
            now.tick
        } else {
            Reason::Hint.spare_at(now.tick, self.path.smoothed(), &mut self.random)
        };
        if let State::Up(Session {
            doubt: Some(doubt), ..
        }) = &mut self.state
        {
            doubt.free_at = Some(free_at);
        }
    }

    pub(crate) fn network_event(&mut self, now: Now, event: NetworkEvent) {
        match &mut self.state {
            State::Asleep { route_lost, .. } => {
                *route_lost |= event.route_lost || !event.up;
                self.network = event.up;
            }
            _ => {
                if let Some(event) = self.debounce.offer(now.tick, event) {
                    self.network_changed(now, event);
                }
            }
        }
    }

    pub(crate) fn network_changed(&mut self, now: Now, event: NetworkEvent) {
        let was = mem::replace(&mut self.network, event.up);
        if !event.up {
            if matches!(
                self.state,
                State::Stopped | State::Asleep { .. } | State::Offline { .. }
            ) {
                return;
            }
            self.say("there is no network");
            let held = self.hold();
            self.enter(State::Offline { held }, Cause::NetworkDown);
            self.probe_held(now);
            return;
        }
        let lost = event.route_lost || !was;
        let cause = if was {
            Cause::NetworkChanged
        } else {
            Cause::NetworkUp
        };
        if lost || matches!(self.state, State::Waiting { .. } | State::Dialling { .. }) {
            self.backoff.grace(now);
        }
        match &self.state {
            State::Offline { .. } => self.leave_offline(now, cause),
            State::Waiting { .. } => self.connect(now, cause),
            State::Up(_) => {
                let reason = if lost { Reason::Interrupted } else { Reason::Hint };
                self.doubt(now, reason, cause);
            }
            State::Dialling { since, .. } if lost || now.tick.since(*since) >= BEFORE_THE_CHANGE => {
                self.let_go();
                self.connect(now, cause);
            }
            State::SigningIn { .. } if lost => {
                self.let_go();
                self.connect(now, cause);
            }
            _ => {}
        }
    }

    /// There is a network again: what was held lost its route meanwhile.
    pub(crate) fn leave_offline(&mut self, now: Now, cause: Cause) {
        self.backoff.grace(now);
        match mem::replace(&mut self.state, State::Stopped) {
            State::Offline { held: Some(session) } => {
                self.state = State::Up(session);
                self.doubt(now, Reason::Interrupted, cause);
            }
            State::Offline { held: None } => self.connect(now, cause),
            other => self.state = other,
        }
    }
}

//! The connection policy as one state machine: [`State`] says what the link is, `handle` what moves it.
//!
//! What is shown is derived from the state in one place ([`Link::show`]), so that no path through the rules
//! can show a link as live that is in doubt.

use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::debounce::{Debounce, NetworkEvent};
use crate::heartbeat::Heartbeat;
use crate::idle_interval::PathName;
use crate::round_trip::RoundTrip;
use crate::spare::Doubt;
use crate::under_way::UnderWay;
use crate::{IdleIntervals, Input, Output, Settings};
use dormouse_model::{
    Action, Cause, ConnId, Connection, ConnectionState, Endpoint, Network, Now, ProbeId, Random, Stamp, Tick,
    Verdict,
};
use std::mem;
use std::time::Duration;

/// The connection of one account.
#[derive(Debug)]
pub struct Link {
    pub(crate) settings: Settings,
    pub(crate) random: Random,
    pub(crate) state: State,
    /// Whether there is a network, as far as we were told or have seen.
    pub(crate) network: bool,
    pub(crate) debounce: Debounce,
    pub(crate) backoff: Backoff,
    /// The server asked not to be dialled before; the user may overrule it.
    pub(crate) not_before: Option<Tick>,
    /// All dials of this account. No sequence of events makes more than this.
    pub(crate) dials: Budget,
    /// Spares among them.
    pub(crate) spares: Budget,
    pub(crate) path: RoundTrip,
    pub(crate) under_way: UnderWay,
    pub(crate) learnt: IdleIntervals,
    pub(crate) aim: PathName,
    pub(crate) conflict: Option<Tick>,
    pub(crate) plainly: Option<Tick>,
    /// When a proven sleep ended last.
    pub(crate) woke: Option<Tick>,
    pub(crate) last_conn: ConnId,
    last_probe: ProbeId,
    shown: Connection,
    /// Why the present state was entered.
    pub(crate) cause: Cause,
    pub(crate) out: Vec<Output>,
}

/// What the link is.
#[derive(Debug)]
pub(crate) enum State {
    /// Needs the user.
    Stopped,
    /// The machine is about to sleep, or sleeps. A signed-in connection is held: it may survive.
    Asleep {
        /// Then nobody will tell us any more that it woke.
        until: Tick,
        held: Option<Session>,
        route_lost: bool,
    },
    /// No network. A signed-in connection is held: outages are often short, and the system may be wrong.
    Offline { held: Option<Session> },
    /// Before the next dial.
    Waiting { until: Tick },
    /// A dial is under way.
    Dialling {
        conn: ConnId,
        since: Tick,
        until: Tick,
        extended: bool,
    },
    /// The session begins on this connection.
    SigningIn {
        conn: ConnId,
        since: Tick,
        whole: Tick,
        silence: Tick,
        extended: bool,
    },
    /// Signed in.
    Up(Session),
}

/// A signed-in connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) conn: ConnId,
    pub(crate) since: Tick,
    pub(crate) caught_up: bool,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) doubt: Option<Doubt>,
}

impl Link {
    /// A link that waits for [`Input::Start`]: shown as `Stopped`, with the cause `Started`.
    pub fn new(settings: Settings, random: Random) -> Self {
        Self {
            settings,
            random,
            state: State::Stopped,
            network: true,
            debounce: Debounce::default(),
            backoff: Backoff::default(),
            not_before: None,
            dials: Budget::new(20, Duration::from_secs(3)),
            spares: Budget::new(4, Duration::from_secs(20)),
            path: RoundTrip::default(),
            under_way: UnderWay::default(),
            learnt: IdleIntervals::default(),
            aim: PathName::default(),
            conflict: None,
            plainly: None,
            woke: None,
            last_conn: ConnId::default(),
            last_probe: ProbeId::default(),
            shown: Connection {
                state: ConnectionState::Stopped,
                since: Stamp::default(),
                cause: Cause::Started,
            },
            cause: Cause::Started,
            out: Vec::new(),
        }
    }

    /// What is shown.
    pub fn connection(&self) -> &Connection {
        &self.shown
    }

    /// Which endpoint is in use from now on, through which network; what is learnt of the path belongs to both.
    pub fn aim(&mut self, endpoint: Endpoint, network: Network) {
        self.aim = PathName { endpoint, network };
    }

    /// How long the connection may be silent before it is asked: as given, or as learnt for its path.
    pub fn interval(&self) -> Duration {
        self.learnt.interval(&self.aim, self.settings.heartbeat)
    }

    /// The same, on a path of which nothing was learnt.
    pub fn ordinary_interval(&self) -> Duration {
        self.settings.heartbeat
    }

    /// What has been learnt of the paths, to be kept under `Key::Learnt("idle")` when it changes.
    pub fn learnt(&self) -> &IdleIntervals {
        &self.learnt
    }

    /// Takes up what an earlier run has learnt.
    pub fn restore(&mut self, learnt: IdleIntervals) {
        self.learnt = learnt;
    }

    /// Takes what happened, says what to do. Whatever was due by `now` is done as well, after the input: an
    /// answer that came together with its deadline is an answer.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        match input {
            Input::Start => {
                if matches!(self.state, State::Stopped) {
                    self.connect(now, Cause::Started);
                }
            }
            Input::RetryNow => self.retry_now(now),
            Input::Interval(given) => {
                let before = self.interval();
                self.learnt.give(given);
                self.ask_if_silent(now, before);
            }
            Input::SignOut => {
                self.let_go();
                self.enter(State::Stopped, Cause::UserAsked);
            }
            Input::Dialled(conn) => self.dialled(now, conn),
            Input::DialFailed(conn, verdict) | Input::Closed(conn, verdict) => {
                self.closed(now, conn, verdict)
            }
            Input::Inbound(conn) => self.inbound(now, conn),
            Input::Answer(conn, probe) => self.answer(now, conn, probe),
            Input::QuietAnswer(conn) => self.quiet_answer(now, conn),
            Input::AckAwaited { conn, bytes } => {
                if let Some(session) = self.session(conn) {
                    session.heartbeat.await_ack(now.tick);
                    self.under_way.written(bytes);
                }
            }
            Input::Acked { conn, all } => self.acked(now, conn, all),
            Input::SignedIn { conn, resumed } => self.signed_in(now, conn, resumed),
            Input::CaughtUp(conn) => self.caught_up(conn),
            Input::Suspending => self.suspending(now, Cause::Suspending),
            Input::SimulatedSleep => self.suspending(now, Cause::SimulatedSleep),
            Input::Resumed { slept, proven } => self.resumed(now, slept, proven),
            Input::Network { up, route_lost } => self.network_event(now, NetworkEvent { up, route_lost }),
            Input::Visible(true) => self.shown_to_user(now, Cause::Shown),
            Input::Unlocked => self.shown_to_user(now, Cause::Unlocked),
            Input::Visible(false) | Input::Tick => {}
        }
        self.run_timers(now);
        self.show(now);
        mem::take(&mut self.out)
    }

    /// When to call [`Link::handle`] with [`Input::Tick`] next.
    pub fn deadline(&self) -> Option<Tick> {
        let own = match &self.state {
            State::Stopped | State::Offline { .. } => None,
            State::Asleep { until, .. } | State::Waiting { until } | State::Dialling { until, .. } => {
                Some(*until)
            }
            State::SigningIn { whole, silence, .. } => Some(*whole.min(silence)),
            State::Up(session) => Some(self.session_due(session)),
        };
        [own, self.debounce.due()].into_iter().flatten().min()
    }

    /// Drops all connections.
    pub(crate) fn let_go(&mut self) {
        let held = self.hold();
        if let Some(session) = held {
            self.out.push(Output::Hangup(session.conn));
            self.ended(session);
        }
    }

    /// Keeps a signed-in connection, without its questions and spare, and drops all others. The caller enters
    /// another state.
    pub(crate) fn hold(&mut self) -> Option<Session> {
        match mem::replace(&mut self.state, State::Stopped) {
            State::Up(mut session) => {
                if let Some(conn) = session.doubt.take().and_then(|doubt| doubt.spare.conn()) {
                    self.out.push(Output::Hangup(conn));
                }
                session.heartbeat.forget_questions();
                Some(session)
            }
            State::Asleep { held, .. } | State::Offline { held } => held,
            State::Dialling { conn, .. } | State::SigningIn { conn, .. } => {
                self.out.push(Output::Hangup(conn));
                None
            }
            State::Stopped | State::Waiting { .. } => None,
        }
    }

    // Time.

    fn run_timers(&mut self, now: Now) {
        // Each round moves a deadline; the bound is a belt beside the braces.
        for _ in 0..32 {
            if let Some(event) = self.debounce.take(now.tick) {
                self.network_changed(now, event);
                continue;
            }
            if self.deadline().is_none_or(|due| due > now.tick) {
                return;
            }
            self.run_timer(now);
        }
    }

    fn run_timer(&mut self, now: Now) {
        let late = |due: Tick| now.tick.since(due) > self.settings.late;
        match &mut self.state {
            State::Stopped | State::Offline { .. } => {}
            State::Asleep { .. } => self.resumed(now, None, false),
            State::Waiting { .. } => self.connect(now, Cause::BackoffOver),
            State::Dialling { until, extended, .. } if late(*until) && !*extended => {
                *extended = true;
                *until = now.tick + self.settings.sign_in_silence / 2;
            }
            State::Dialling { conn, .. } => {
                self.out.push(Output::Hangup(*conn));
                match self.backoff.quick(now, &mut self.random) {
                    Some(wait) => {
                        self.say("the dial hangs; beginning anew");
                        self.enter(
                            State::Waiting {
                                until: now.tick + wait,
                            },
                            Cause::NoAnswer,
                        );
                    }
                    None => self.fail(now, Verdict::new(Action::Retry, Cause::NoAnswer)),
                }
            }
            State::SigningIn {
                whole,
                silence,
                extended,
                ..
            } if late((*whole).min(*silence)) && !*extended => {
                *extended = true;
                *silence = now.tick + self.settings.sign_in_silence / 2;
                *whole = (*whole).max(*silence);
            }
            State::SigningIn { conn, .. } => {
                self.out.push(Output::Hangup(*conn));
                self.fail(now, Verdict::new(Action::Retry, Cause::NoAnswer));
            }
            State::Up(_) => self.run_session_timer(now),
        }
    }

    /// The signed-in connection of this id, in use or held.
    pub(crate) fn session(&mut self, conn: ConnId) -> Option<&mut Session> {
        match &mut self.state {
            State::Up(session) => Some(session),
            State::Asleep { held, .. } | State::Offline { held } => held.as_mut(),
            _ => None,
        }
        .filter(|session| session.conn == conn)
    }

    pub(crate) fn new_conn(&mut self) -> ConnId {
        self.last_conn = self.last_conn.next();
        self.last_conn
    }

    pub(crate) fn new_probe(&mut self) -> ProbeId {
        self.last_probe = self.last_probe.next();
        self.last_probe
    }

    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.out.push(Output::Journal(text.into()));
    }

    pub(crate) fn enter(&mut self, state: State, cause: Cause) {
        self.state = state;
        self.cause = cause;
    }

    /// Tells what is shown, if it changed.
    fn show(&mut self, now: Now) {
        let state = match &self.state {
            State::Stopped => ConnectionState::Stopped,
            State::Asleep { .. } => ConnectionState::Asleep,
            State::Offline { .. } => ConnectionState::Offline,
            State::Waiting { until } => ConnectionState::Waiting {
                until: *until,
                attempt: self.backoff.attempts().saturating_add(1),
            },
            State::Dialling { .. } => ConnectionState::Connecting {
                attempt: self.backoff.attempts(),
            },
            State::SigningIn { .. } => ConnectionState::SigningIn,
            State::Up(session) if session.doubt.is_some() => ConnectionState::Suspect,
            State::Up(session) if session.caught_up => ConnectionState::Live,
            State::Up(_) => ConnectionState::CatchingUp,
        };
        if state != self.shown.state {
            self.shown = Connection {
                state,
                since: now.stamp,
                cause: self.cause.clone(),
            };
            self.out.push(Output::State(self.shown.clone()));
        }
    }
}

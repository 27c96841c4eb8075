//! Is the link alive, and what to do when it may not be: the whole connection policy of one account.
//!
//! # The model
//!
//! A link is **believed** only as long as there is proof that what we write arrives and what the server
//! writes reaches us. Proof is an answer to something we asked: bytes that merely come in show that one
//! direction works. Proof ages: 25 s after the last one the link is asked again, and 10 s later at the
//! most it is either proven again or given up. So no link is called live on proof older than 35 s.
//!
//! - In quiet times the question is an XEP-0198 `<r/>` ([`Probe::Quiet`]). Its answer `<a/>` bears no id,
//!   so it proves nothing once there is **doubt**: then only the answer to a ping with a fresh number
//!   ([`Probe::Numbered`]), on this very connection, counts.
//! - Doubt has a cause, and the cause decides how soon a **spare** connection is dialled beside the old one:
//!   after proven sleep or the loss of the socket's route at once; after a hint (the window was shown, the
//!   network changed) once two round trips have passed; for an answer that is merely late not before
//!   2 s, spread by chance. If the old link answers first, the spare is dropped; if the spare is ready
//!   first, the old link is given up unread. Spares have a budget, so have all dials, and network events
//!   are debounced: a server that stalls is not buried under the cure.
//! - A dial or a session that failed is followed by a wait that doubles and bears chance; the reason
//!   ([`Verdict`]) decides which kind of wait. Only a verdict or the user stops a link for good.
//! - Deadlines are [`Tick`]s of a clock that counts sleep. A deadline that is met much too late shows that
//!   this program did not run, which says nothing about the link: it is asked again before it is judged.
//!
//! The link sees no stanza and does no IO: it is told what happened ([`Input`]) and says what to do
//! ([`Output`]). The same inputs with the same seed give the same outputs.

mod backoff;
mod budget;
mod debounce;
mod doubt;
mod heartbeat;
mod idle_interval;
mod interruption;
mod link;
mod proof;
mod redial;
mod round_trip;
mod settings;
mod sign_in;
mod spare;
mod under_way;

pub use idle_interval::{IdleInterval, IdleIntervals};
pub use link::Link;
pub use settings::Settings;

use dormouse_model::{ConnId, Connection, ProbeId, Verdict};
use std::time::Duration;

#[cfg(doc)]
use dormouse_model::Tick;

/// What happened. What concerns a connection that is not (or no longer) ours is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Begin to connect; at the program's start, or after [`Input::SignOut`].
    Start,
    /// The user does not want to wait. Cuts every wait short, a server's `Retry-After` included, and is
    /// believed over the system that says there is no network.
    RetryNow,
    /// How long the link may be silent before it is asked, on every path; none: as long as each path is known to allow. At
    /// least 5 s and at most [`Settings::heartbeat`], for what is shown as live must not rest on older proof.
    Interval(Option<Duration>),
    /// The user leaves: all sockets are dropped. A `<close/>` that the session wants to say must have been
    /// handed to the driver before.
    SignOut,
    /// A dial has come through: TCP, TLS and WebSocket are open.
    Dialled(ConnId),
    /// A dial came to nothing.
    DialFailed(ConnId, Verdict),
    /// The socket or the stream ended.
    Closed(ConnId, Verdict),
    /// Any bytes came.
    Inbound(ConnId),
    /// The result or the error of a numbered ping.
    Answer(ConnId, ProbeId),
    /// An `<a/>` (XEP-0198), or what stands for it on a server without it.
    QuietAnswer(ConnId),
    /// A message was written, followed by `<r/>`.
    AckAwaited {
        /// On which connection.
        conn: ConnId,
        /// How much was written. Who reads slowly, as servers do that bound what a client may write, takes long for it, and
        /// answers nothing meanwhile.
        bytes: usize,
    },
    /// Messages were acknowledged.
    Acked {
        /// On which connection.
        conn: ConnId,
        /// Whether nothing is left unacknowledged.
        all: bool,
    },
    /// The server accepted the sign-in.
    SignedIn {
        /// On which connection.
        conn: ConnId,
        /// Whether the earlier session goes on.
        resumed: bool,
    },
    /// The archive has been read up to the present.
    CaughtUp(ConnId),
    /// The machine is about to sleep.
    Suspending,
    /// Nothing will be written, read or due until [`Input::Resumed`]: the user wants to see what a sleep does.
    SimulatedSleep,
    /// The machine woke, or may have slept.
    Resumed {
        /// How long it slept, where that is known.
        slept: Option<Duration>,
        /// Whether it certainly slept. A process that was only throttled has not.
        proven: bool,
    },
    /// The network changed.
    Network {
        /// Whether there is any.
        up: bool,
        /// Whether the address or route of the current socket is gone.
        route_lost: bool,
    },
    /// The window was shown or hidden.
    Visible(bool),
    /// The screen was unlocked.
    Unlocked,
    /// Time has passed: see [`Link::deadline`]. Harmless at any other moment.
    Tick,
}

/// What to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a connection under this id. Every step must have a deadline of its own.
    Dial {
        /// Its id from now on.
        conn: ConnId,
        /// Whether it is a spare beside a link in doubt: nothing may be written on it until [`Output::Use`].
        spare: bool,
    },
    /// Begin the session on this connection. An earlier connection is given up: what it still delivers is
    /// discarded unread.
    Use(ConnId),
    /// Drop the socket, or stop dialling it; the stream is left open, so that its session can be resumed.
    Hangup(ConnId),
    /// Ask whether the link lives.
    Probe(ConnId, Probe),
    /// The connection's state has changed.
    State(Connection),
    /// A line for the connection's journal.
    Journal(String),
    /// An answer took this long, with nothing in between that would make it the path's and not somebody's delay.
    RoundTrip(Duration),
}

/// How to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// By `<r/>` (XEP-0198 section 4), or a ping (XEP-0199) where there is no 0198.
    Quiet,
    /// By a ping whose id bears this number; its error is as good as its result.
    Numbered(ProbeId),
}

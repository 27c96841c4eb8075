//! The state of an account's connection, as it is shown: always with when and why.

use crate::{CertificateProblem, DialStep, ProxyProblem, Stamp, Tick};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the connection is, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// What it is.
    pub state: ConnectionState,
    /// Since when.
    pub since: Stamp,
    /// Why it was entered.
    pub cause: Cause,
}

/// The states of a connection. `Live` is never a hope: it has been shown that traffic flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// The machine is about to sleep, or sleeps.
    Asleep,
    /// The machine has no network.
    Offline,
    /// Dialling.
    Connecting {
        /// Which attempt since the last session that lived, from 1.
        attempt: u32,
    },
    /// The stream is open; signing in or resuming.
    SigningIn,
    /// Signed in; reading what was missed.
    CatchingUp,
    /// Everything known has been read and the link answers.
    Live,
    /// The link's life is in doubt and is being checked.
    Suspect,
    /// Waiting to dial again.
    Waiting {
        /// Until when, unless something happens before.
        until: Tick,
        /// The attempt that will follow.
        attempt: u32,
    },
    /// Needs the user.
    Stopped,
}

impl ConnectionState {
    /// The state's name in the journal and in `dormouse-cli`'s events.
    pub fn name(&self) -> &'static str {
        self.condition().name()
    }

    /// The state without its particulars.
    pub fn condition(&self) -> Condition {
        match self {
            ConnectionState::Asleep => Condition::Asleep,
            ConnectionState::Offline => Condition::Offline,
            ConnectionState::Connecting { .. } => Condition::Connecting,
            ConnectionState::SigningIn => Condition::SigningIn,
            ConnectionState::CatchingUp => Condition::CatchingUp,
            ConnectionState::Live => Condition::Live,
            ConnectionState::Suspect => Condition::Suspect,
            ConnectionState::Waiting { .. } => Condition::Waiting,
            ConnectionState::Stopped => Condition::Stopped,
        }
    }
}

/// A [`ConnectionState`] without its particulars, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The machine sleeps or is about to.
    Asleep,
    /// No network.
    Offline,
    /// Dialling.
    Connecting,
    /// Signing in or resuming.
    SigningIn,
    /// Reading what was missed.
    CatchingUp,
    /// All is read and the link answers.
    Live,
    /// Its life is being checked.
    Suspect,
    /// Waiting to dial again.
    Waiting,
    /// Needs the user.
    Stopped,
}

impl Condition {
    /// As [`ConnectionState::name`].
    pub fn name(self) -> &'static str {
        match self {
            Condition::Asleep => "asleep",
            Condition::Offline => "offline",
            Condition::Connecting => "connecting",
            Condition::SigningIn => "signing-in",
            Condition::CatchingUp => "catching-up",
            Condition::Live => "live",
            Condition::Suspect => "suspect",
            Condition::Waiting => "waiting",
            Condition::Stopped => "stopped",
        }
    }
}

/// How long answers took, as far as is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// The last one.
    pub now: Duration,
    /// The median.
    pub median: Duration,
    /// The longest.
    pub worst: Duration,
}

/// Why a state was entered or a connection ended. Codes, so that words can be translated and tests need
/// not read them; [`Cause::sentence`] says it in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The program started.
    Started,
    /// The user asked for it.
    UserAsked,
    /// A dial succeeded.
    Dialled,
    /// The server accepted the sign-in.
    SignedIn,
    /// The server resumed the earlier session.
    Resumed,
    /// The archive has been read up to the present.
    CaughtUp,
    /// A probe was answered.
    Answered,
    /// The machine is about to sleep.
    Suspending,
    /// The machine woke.
    Woke,
    /// The user has the program cut itself off, as if the machine slept.
    SimulatedSleep,
    /// That is over.
    SimulatedWake,
    /// The window was shown.
    Shown,
    /// The screen was unlocked.
    Unlocked,
    /// The network changed.
    NetworkChanged,
    /// The network is gone.
    NetworkDown,
    /// The network is back.
    NetworkUp,
    /// No answer within the time that the path usually takes.
    SlowAnswer,
    /// No answer until the deadline.
    NoAnswer,
    /// A message was not acknowledged in time.
    Unacknowledged,
    /// The spare connection was ready before the old one answered.
    SpareReady,
    /// It was time for the next attempt.
    BackoffOver,

    /// The connection ended without a word.
    Lost,
    /// The server closed with this WebSocket code and reason.
    ClosedByServer {
        /// RFC 6455 section 7.4.
        code: u16,
        /// The server's words: data.
        reason: String,
    },
    /// The server is shutting down or restarting.
    ServerRestarting,
    /// The server asks to slow down.
    Throttled,
    /// The server is overloaded or broken at the moment.
    ServerTrouble {
        /// A condition's name or an HTTP status.
        what: String,
    },
    /// The server refused us by its policy.
    PolicyViolation {
        /// The server's words: data.
        text: Option<String>,
    },
    /// Another client of this account took over the session.
    Conflict,
    /// The session could not be resumed; a new one follows.
    SessionGone,
    /// The server sent us elsewhere.
    SeeOther(String),
    /// The server broke the protocol.
    ProtocolViolation(String),
    /// A step of dialling took too long.
    TimedOut(DialStep),
    /// The server's name does not exist.
    NameNotFound(String),
    /// The domain offers no WebSocket.
    NoWebSocket(String),
    /// The endpoint is not one we may use.
    BadEndpoint(String),
    /// The server can't be reached.
    Unreachable,
    /// The proxy in between let nobody through.
    Proxy {
        /// Which, as a URL without user and password.
        proxy: String,
        /// What it did.
        problem: ProxyProblem,
    },
    /// The certificate is not trusted, and this account has never worked.
    BadCertificate(CertificateProblem),
    /// The certificate is not trusted, on an account that has worked: this network intercepts the connection.
    Intercepted(CertificateProblem),
    /// No password has been given.
    NoPassword,
    /// The password was refused.
    WrongPassword,
    /// The account is disabled or gone.
    AccountDisabled {
        /// The server's words: data.
        text: Option<String>,
    },
    /// The server offers no way to sign in that is safe here.
    NoSafeMechanism,
    /// The server could not prove that it knows the password, or changed what was pinned.
    ServerNotGenuine,
    /// The local store failed.
    StoreFailed,
}

impl Cause {
    /// What happened and, where there is something to do, what to do. Plain English, one or two sentences.
    pub fn sentence(&self) -> String {
        use Cause::*;
        match self {
            Started => "Dormouse has started.".into(),
            UserAsked => "You asked for it.".into(),
            Dialled => "The server answered.".into(),
            SignedIn => "Signed in with a new session.".into(),
            Resumed => "The earlier session was resumed.".into(),
            CaughtUp => "Everything missed has been read.".into(),
            Answered => "The server answers.".into(),
            Suspending => "The computer is going to sleep.".into(),
            Woke => "The computer woke up.".into(),
            SimulatedSleep => "A simulated sleep: Dormouse has cut itself off, as you asked.".into(),
            SimulatedWake => "The simulated sleep is over.".into(),
            Shown => "The window was shown.".into(),
            Unlocked => "The screen was unlocked.".into(),
            NetworkChanged => "The network changed.".into(),
            NetworkDown => "There is no network.".into(),
            NetworkUp => "The network is back.".into(),
            SlowAnswer => "The server is slow to answer.".into(),
            NoAnswer => "The server did not answer in time.".into(),
            Unacknowledged => "The server did not confirm a message in time.".into(),
            SpareReady => "A new connection was ready before the old one answered.".into(),
            BackoffOver => "It is time to try again.".into(),
            Lost => "The connection was lost.".into(),
            ClosedByServer { code, reason } if reason.is_empty() => {
                format!("The server closed the connection (code {code}).")
            }
            ClosedByServer { code, reason } => {
                format!("The server closed the connection (code {code}: “{reason}”).")
            }
            ServerRestarting => "The server is restarting.".into(),
            Throttled => "The server asks us to slow down.".into(),
            ServerTrouble { what } => format!("The server is in trouble ({what})."),
            PolicyViolation { text: Some(text) } => {
                format!("The server refused the connection by its rules: “{text}”.")
            }
            PolicyViolation { text: None } => "The server refused the connection by its rules.".into(),
            Conflict => "Another client of this account took over the session.".into(),
            SessionGone => "The server no longer had the earlier session.".into(),
            SeeOther(host) => format!("The server sent us to {host}."),
            ProtocolViolation(what) => {
                format!("The server sent something that can't be understood ({what}).")
            }
            TimedOut(step) => match step {
                DialStep::Discovery => "The server's address could not be found in time.".into(),
                DialStep::Names => "The name look-up took too long.".into(),
                DialStep::Tcp => "The server could not be reached in time.".into(),
                DialStep::Proxy => "The proxy did not open the way to the server in time.".into(),
                DialStep::Tls => "The server did not finish the encryption handshake in time.".into(),
                DialStep::WebSocket => "The server did not open the connection in time.".into(),
            },
            NameNotFound(name) => {
                format!("There is no server called {name}. Check the part of the address after the @.")
            }
            NoWebSocket(name) => format!(
                "{name} offers no connection over WebSocket. Ask its operator, or give the endpoint yourself if you know it."
            ),
            BadEndpoint(what) => format!("This endpoint can't be used: {what}."),
            Unreachable => "The server can't be reached.".into(),
            Proxy { proxy, problem } => problem.sentence(proxy),
            BadCertificate(problem) => format!(
                "The server's certificate is not trusted: {}. Don't go on unless you know why; ask the server's operator.",
                problem.words()
            ),
            Intercepted(problem) => format!(
                "This network intercepts the connection (the certificate shown is not your server's: {}). If it has a sign-in page, open it in a browser.",
                problem.words()
            ),
            NoPassword => "Dormouse needs your password to sign in.".into(),
            WrongPassword => "The server refused the password. Check the address and sign in again.".into(),
            AccountDisabled { text: Some(text) } => {
                format!("The server says that this account is disabled: “{text}”. Ask its operator.")
            }
            AccountDisabled { text: None } => {
                "The server says that this account is disabled. Ask its operator.".into()
            }
            NoSafeMechanism => {
                "The server offers no safe way to sign in over this connection. Ask its operator.".into()
            }
            ServerNotGenuine => {
                "The server could not prove that it is the one this account belongs to. Dormouse goes on trying; don't give your password to anyone.".into()
            }
            StoreFailed => {
                "What arrives can't be stored on this computer. Make room on the disk; Dormouse goes on by itself.".into()
            }
        }
    }
}

impl CertificateProblem {
    /// In a few words.
    pub fn words(&self) -> &'static str {
        match self {
            CertificateProblem::WrongName => "it belongs to another name",
            CertificateProblem::Expired => "it has expired or is not valid yet",
            CertificateProblem::UnknownIssuer => "nobody this computer trusts has signed it",
            CertificateProblem::Revoked => "it has been revoked",
            CertificateProblem::Invalid => "it is not valid",
        }
    }
}

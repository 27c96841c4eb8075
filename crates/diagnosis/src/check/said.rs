//! What a step of a check found.

use dormouse_model::{Cause, Continuation, Endpoint};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How a step went, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// There was nothing to do.
    NotNeeded,
    /// Well.
    Fine,
    /// It works, and something is missing that would make it better.
    Lacking,
    /// Not at all.
    Failed,
}

impl Mark {
    /// A sign for it, of one character's width.
    pub fn sign(self) -> &'static str {
        match self {
            Mark::NotNeeded => "-",
            Mark::Fine => "✓",
            Mark::Lacking => "!",
            Mark::Failed => "✗",
        }
    }
}

/// What a step found: one variant a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The name leads to these addresses.
    Addresses {
        /// The name.
        host: String,
        /// At least one.
        addresses: Vec<IpAddr>,
    },
    /// It is no name but this address.
    IsAddress(IpAddr),
    /// No name can be looked up at all.
    NoNames,
    /// Names are looked up by the proxy.
    LeftToProxy,
    /// The user gave the endpoint.
    Given(Endpoint),
    /// The domain names it.
    Named {
        /// What it names.
        endpoint: Endpoint,
        /// What worked last, where that is something else.
        before: Option<Endpoint>,
    },
    /// The domain could not be asked, but something worked before.
    OnlyRemembered {
        /// What worked.
        endpoint: Endpoint,
        /// Why the domain could not be asked.
        cause: Cause,
    },
    /// Somebody listens there.
    Reached(SocketAddr),
    /// Nobody listens there.
    Refused(Endpoint),
    /// The endpoint's name leads nowhere.
    EndpointNotFound {
        /// The endpoint.
        endpoint: Endpoint,
        /// The user gave it; otherwise the domain names it.
        given: bool,
    },
    /// Nobody stands in between.
    NoProxy,
    /// The proxy opened the way.
    Through(String),
    /// Encrypted, and the computer's own list of authorities vouches for the server.
    Secured {
        /// The version of TLS.
        version: &'static str,
        /// Who issued the certificate, as it says itself.
        issuer: Option<String>,
    },
    /// Not encrypted, because it does not leave this computer.
    Plain,
    /// HTTP 101, with the subprotocol `xmpp`.
    Upgraded,
    /// The server took the password.
    SignedIn {
        /// The SASL mechanism.
        mechanism: &'static str,
        /// How often an answer was waited for until a session stood.
        round_trips: u32,
    },
    /// The session went on, on a new connection.
    Resumed {
        /// How often an answer was waited for.
        round_trips: u32,
    },
    /// The server holds no session for an interrupted connection.
    NotResumable,
    /// It had promised to hold it and did not.
    SessionGone,
    /// The archive gave its newest entry, or said that it has none.
    Archive {
        /// It has none.
        empty: bool,
    },
    /// There is none.
    NoArchive,
    /// It refused, under this condition.
    ArchiveRefused(String),
    /// So long answers took.
    RoundTrips {
        /// Of so many.
        count: u32,
        /// The median.
        median: Duration,
        /// The longest.
        worst: Duration,
    },
    /// The connection answered after the silence.
    Held {
        /// The silence, in seconds.
        seconds: u64,
        /// The server said something by itself, after so many seconds at the most: so long the silence was.
        broken: Option<u64>,
    },
    /// The connection was ended during the silence.
    IdleTimeout {
        /// After so many seconds.
        seconds: u64,
        /// With this WebSocket close code; 1006 if it just ended.
        code: u16,
    },
    /// The connection still looked open after the silence, and carried nothing.
    Forgotten {
        /// The silence, in seconds.
        seconds: u64,
    },
    /// The app's connection is live again.
    Recovered {
        /// For so many seconds it was cut off.
        slept: u64,
        /// From then on until everything missed had been read, in milliseconds.
        took_ms: u64,
        /// What it went on with.
        by: Continuation,
        /// Messages of others that came with it.
        messages: u64,
    },
    /// The app's connection was not live before, so a sleep would show nothing: why it is not.
    NotLive(Cause),
    /// The app's connection did not come back in time: what it says last.
    NotBack {
        /// For so many seconds it was waited for.
        seconds: u64,
        /// What it says.
        cause: Cause,
    },
    /// The account can't be run here, in a sentence.
    NotRun(String),
    /// What went wrong.
    Trouble(Cause),
}

impl Said {
    /// How the step went.
    pub fn mark(&self) -> Mark {
        match self {
            Said::IsAddress(_) | Said::LeftToProxy | Said::NoProxy | Said::Plain => Mark::NotNeeded,
            Said::Addresses { .. }
            | Said::Given(_)
            | Said::Named { .. }
            | Said::Reached(_)
            | Said::Through(_)
            | Said::Secured { .. }
            | Said::Upgraded
            | Said::SignedIn { .. }
            | Said::Resumed { .. }
            | Said::Archive { .. }
            | Said::RoundTrips { .. }
            | Said::Held { .. }
            | Said::Recovered { .. } => Mark::Fine,
            Said::OnlyRemembered { .. } | Said::NotResumable | Said::NoArchive => Mark::Lacking,
            Said::NoNames
            | Said::Refused(_)
            | Said::EndpointNotFound { .. }
            | Said::SessionGone
            | Said::ArchiveRefused(_)
            | Said::IdleTimeout { .. }
            | Said::Forgotten { .. }
            | Said::NotLive(_)
            | Said::NotBack { .. }
            | Said::NotRun(_)
            | Said::Trouble(_) => Mark::Failed,
        }
    }
}

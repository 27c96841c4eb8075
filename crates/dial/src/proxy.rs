//! Through a proxy: HTTP's CONNECT (RFC 9110 section 9.3.6) or SOCKS5 (RFC 1928).
//!
//! ```text
//! setting.rs       whether an account goes through one: the system's, none, or one that was given
//! system.rs        the system's: environment.rs first, then desktop.rs, with what exceptions.rs leaves out
//! http_connect.rs  \  how it is asked
//! socks5.rs        /
//! ```
//!
//! A proxy stands in front of TLS, so it sees a name, a port and how many bytes pass, and nothing else. The server's
//! *name* is handed to it and is never looked up here: nobody on the way learns whom we talk to, and Tor can find what no
//! name server knows. This machine itself is never reached through a proxy.
//!
//! Plain code instead of a crate: those there are (hyper-util's tunnels, tokio-socks) tell neither the status nor the
//! reply with which a proxy refuses, or bring a connector of their own.

pub(crate) mod chooser;
mod desktop;
mod environment;
mod exceptions;
mod http_connect;
pub mod setting;
mod socks5;
mod system;

use crate::endpoint::Host;
use crate::quick_ack::QuickAck;
use crate::settings::Settings;
use crate::{names, tcp};
use dormouse_model::{DialFailure, DialStep, ProxyProblem};
use std::fmt;
use std::net::SocketAddr;
use zeroize::Zeroizing;

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

/// Where a proxy is. Shown as a URL, in which there are no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    kind: Kind,
    host: Host,
    port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host.in_url(), self.port)
    }
}

/// Who we are to a proxy. Never shown by `Debug`.
#[derive(Clone)]
pub struct Login {
    user: String,
    password: Zeroizing<String>,
}

impl Login {
    /// A user, which has no colon in it, and a password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: Zeroizing::new(password.into()),
        }
    }

    /// From `user:password`.
    pub fn from_line(line: &str) -> Self {
        let (user, password) = line.split_once(':').unwrap_or((line, ""));
        Self::new(user, password)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// A proxy to go through.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    address: Address,
    login: Option<Login>,
}

impl Proxy {
    /// Where it is: no secret.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    fn failure(&self, problem: ProxyProblem) -> DialFailure {
        DialFailure::Proxy {
            proxy: self.address.to_string(),
            problem,
        }
    }

    /// The proxy's own addresses: its name is looked up, the server's is not. The caller sets the deadline.
    pub(crate) async fn resolve(&self, settings: &Settings) -> Result<Vec<SocketAddr>, DialFailure> {
        names::resolve(settings, &self.address.host, self.address.port)
            .await
            .map_err(|_| self.failure(ProxyProblem::Unreachable))
    }

    /// A connection to the proxy itself. The caller sets the deadline.
    pub(crate) async fn reach(
        &self,
        settings: &Settings,
        addresses: &[SocketAddr],
    ) -> Result<QuickAck, DialFailure> {
        tcp::race(addresses, std::future::ready(Vec::new()), settings.stagger)
            .await
            .map_err(|_| self.failure(ProxyProblem::Unreachable))
    }

    /// From here on the stream leads to the server. The caller sets the deadline.
    pub(crate) async fn open(
        &self,
        mut stream: QuickAck,
        host: &Host,
        port: u16,
    ) -> Result<QuickAck, DialFailure> {
        let login = self.login.as_ref();
        let asked = match self.address.kind {
            Kind::Http => http_connect::ask(&mut stream, host, port, login).await,
            Kind::Socks5 => socks5::ask(&mut stream, host, port, login).await,
        };
        asked.map(|()| stream).map_err(|problem| self.failure(problem))
    }

    /// All three, where nobody counts the steps. The caller sets the deadline.
    pub(crate) async fn connect(
        &self,
        settings: &Settings,
        host: &Host,
        port: u16,
    ) -> Result<QuickAck, DialFailure> {
        let addresses = self.resolve(settings).await?;
        let stream = self.reach(settings, &addresses).await?;
        self.open(stream, host, port).await
    }

    /// That it took too long to be reached is its own failure, not the server's.
    pub(crate) fn blame(&self, failure: DialFailure) -> DialFailure {
        match failure {
            DialFailure::TimedOut(DialStep::Names | DialStep::Tcp) => self.failure(ProxyProblem::Unreachable),
            other => other,
        }
    }
}

//! What can go wrong at a proxy: between us and the server, and neither.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a proxy did, or did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProxyProblem {
    /// Nobody answers where it should be.
    Unreachable,
    /// It wants a user and a password, and none are known.
    WantsPassword,
    /// It did not take the user and password it was given.
    WrongPassword,
    /// It does not let us through, by its rules.
    Refused(ProxyAnswer),
    /// It would let us through and can't reach the server.
    CannotReach(ProxyAnswer),
    /// What answers there is no proxy, or one of another kind.
    NotAProxy,
    /// The system's settings name what is no address of a proxy, or a kind of proxy that we don't know.
    Unusable,
}

/// How a proxy said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProxyAnswer {
    /// By a status (RFC 9110 section 9.3.6).
    Http(u16),
    /// By a reply (RFC 1928 section 6).
    Socks(u8),
}

impl fmt::Display for ProxyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyAnswer::Http(status) => write!(f, "HTTP {status}"),
            ProxyAnswer::Socks(reply) => write!(f, "SOCKS {reply}"),
        }
    }
}

impl ProxyProblem {
    /// What happened at this proxy and what to do, in a sentence or two.
    pub(crate) fn sentence(self, proxy: &str) -> String {
        match self {
            ProxyProblem::Unreachable => {
                format!("The proxy {proxy} can't be reached. Check the network and the proxy's address.")
            }
            ProxyProblem::WantsPassword => {
                format!("The proxy {proxy} wants a user and a password. Sign in again and give them.")
            }
            ProxyProblem::WrongPassword => {
                format!("The proxy {proxy} refused its user or password. Sign in again with the right ones.")
            }
            ProxyProblem::Refused(answer) => {
                format!("The proxy {proxy} does not let the connection through ({answer}). Ask its operator.")
            }
            ProxyProblem::CannotReach(answer) => {
                format!("The proxy {proxy} can't reach the server ({answer}).")
            }
            ProxyProblem::NotAProxy => {
                format!("What answers at {proxy} is no such proxy. Check its address and kind.")
            }
            ProxyProblem::Unusable => format!(
                "The system's settings name a proxy that can't be used ({proxy}). Dormouse knows http:// and socks5://."
            ),
        }
    }
}

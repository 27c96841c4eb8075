//! What comes of dialling, and how a connection ends.

use crate::ProxyProblem;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

/// Where to dial: a WebSocket URL that has been checked (`wss`, or `ws` to a loopback address).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Endpoint(pub String);

/// The network that a connection left this machine through, as far as its own address tells: the /24 (IPv4) or /64 (IPv6)
/// around it. Two networks with the same private addresses are taken for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Network(String);

impl Network {
    /// The network around an address of this machine.
    pub fn around(own: IpAddr) -> Self {
        Self(match own.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        })
    }
}

/// How a server was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What was dialled.
    pub endpoint: Endpoint,
    /// Addresses of its host, to be tried in this order.
    pub addresses: Vec<IpAddr>,
}

/// The steps of a dial, each with a deadline of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DialStep {
    /// Finding the endpoint (XEP-0156).
    Discovery,
    /// Looking up addresses.
    Names,
    /// TCP.
    Tcp,
    /// The way through the proxy, where there is one.
    Proxy,
    /// TLS.
    Tls,
    /// The WebSocket handshake.
    WebSocket,
}

/// Why a dial came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DialFailure {
    /// The name does not exist.
    NameNotFound,
    /// The look-up itself failed: most often there is no network.
    NamesUnavailable,
    /// The domain exists and offers no WebSocket (XEP-0156).
    NoWebSocket,
    /// The endpoint given or found is not one we may use.
    BadEndpoint(String),
    /// Nobody listens there.
    Refused,
    /// No way there: host or network unreachable.
    Unreachable,
    /// A step took too long.
    TimedOut(DialStep),
    /// The proxy in between let nobody through.
    Proxy {
        /// Which, as a URL without user and password.
        proxy: String,
        /// What it did.
        problem: ProxyProblem,
    },
    /// The certificate is not trusted.
    Certificate(CertificateProblem),
    /// TLS failed otherwise.
    Tls(String),
    /// The server answered the upgrade with this HTTP status.
    Http {
        /// The status code.
        status: u16,
        /// From `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// What answered does not speak WebSocket, or not XMPP over it (RFC 7395 section 3.1).
    NotWebSocket(String),
    /// The connection broke while dialling.
    Broken(String),
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificateProblem {
    /// For another name.
    WrongName,
    /// Expired, or not valid yet.
    Expired,
    /// Signed by nobody the system trusts.
    UnknownIssuer,
    /// Revoked.
    Revoked,
    /// Anything else.
    Invalid,
}

/// What a ready connection offers to sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Channel {
    /// TLS is in use.
    pub encrypted: bool,
    /// The peer is on this machine: plain text does not leave it.
    pub loopback: bool,
    /// Channel binding data for `tls-exporter` (RFC 9266), with TLS 1.3.
    pub exporter: Option<[u8; 32]>,
}

/// How a connection ended, as far as the socket tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closing {
    /// A WebSocket close frame (RFC 6455 section 7.4); 1005 if it bore no code.
    Frame {
        /// The code.
        code: u16,
        /// The server's words: data.
        reason: String,
    },
    /// The stream of bytes ended without a close frame (1006).
    Eof,
    /// Reset, or another error of the socket.
    Broken(String),
    /// The server sent a frame larger than we take.
    TooLarge,
    /// The server sent what is not XMPP over WebSocket: a binary frame, broken UTF-8, a broken frame.
    Malformed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_what_lies_around_the_own_address() {
        let around = |own: &str| Network::around(own.parse().unwrap());
        assert_eq!(around("192.168.1.5"), around("192.168.1.77"));
        assert_ne!(around("192.168.1.5"), around("192.168.2.5"));
        assert_eq!(around("2001:db8:1:2::5"), around("2001:db8:1:2:9::1"));
        assert_ne!(around("2001:db8:1:2::5"), around("2001:db8:1:3::5"));
        assert_eq!(around("::ffff:192.168.1.5"), around("192.168.1.5"));
    }
}

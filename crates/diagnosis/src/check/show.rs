//! What of a check's findings may be shown, and to whom.

use dormouse_model::{Cause, Endpoint};
use std::net::IpAddr;

/// What may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Everything: to the user.
    All,
    /// Which server it is, but not whose account, and nothing that the server said.
    Server,
    /// Neither.
    Nobody,
}

/// In place of the server's name.
const SERVER: &str = "<server>";

impl Show {
    /// A name of the server's.
    pub(crate) fn host(self, host: &str) -> String {
        match self {
            Show::All | Show::Server => host.to_owned(),
            Show::Nobody => SERVER.to_owned(),
        }
    }

    /// An endpoint. What stands behind its path may be anything, a secret too.
    pub(crate) fn endpoint(self, endpoint: &Endpoint) -> String {
        let url = endpoint.0.as_str();
        match self {
            Show::All => url.to_owned(),
            Show::Server => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
            Show::Nobody => match url.split_once("://") {
                Some((scheme, _)) => format!("{scheme}://{SERVER}"),
                None => SERVER.to_owned(),
            },
        }
    }

    /// An address.
    pub(crate) fn address(self, address: IpAddr) -> String {
        match self {
            Show::All | Show::Server => address.to_string(),
            Show::Nobody if address.is_loopback() => "this computer".to_owned(),
            Show::Nobody => format!("<{} address>", family(address)),
        }
    }

    /// A proxy, which is the user's own, or his employer's.
    pub(crate) fn proxy(self, proxy: &str) -> String {
        match self {
            Show::All => proxy.to_owned(),
            Show::Server | Show::Nobody => "<proxy>".to_owned(),
        }
    }

    /// Text that came from elsewhere, as far as it is a name of the protocol's: the rest is nobody's business.
    pub(crate) fn condition(self, text: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match self {
            Show::All => text.to_owned(),
            _ if text.len() <= 40 && text.bytes().all(plain) => text.to_owned(),
            _ => "not shown".to_owned(),
        }
    }

    /// A sentence that came from elsewhere, if it may be shown.
    pub(crate) fn words(self, text: &str) -> Option<&str> {
        (self == Show::All).then_some(text)
    }

    /// Why something went wrong.
    pub(crate) fn cause(self, cause: &Cause) -> String {
        if self == Show::All {
            return cause.sentence();
        }
        match cause {
            Cause::ClosedByServer { code, .. } => Cause::ClosedByServer {
                code: *code,
                reason: String::new(),
            },
            Cause::PolicyViolation { .. } => Cause::PolicyViolation { text: None },
            Cause::AccountDisabled { .. } => Cause::AccountDisabled { text: None },
            Cause::SeeOther(_) => Cause::SeeOther("<another server>".to_owned()),
            Cause::NameNotFound(name) => Cause::NameNotFound(self.host(name)),
            Cause::NoWebSocket(name) => Cause::NoWebSocket(self.host(name)),
            Cause::BadEndpoint(_) => return "The endpoint can't be used.".to_owned(),
            Cause::Proxy { proxy, problem } => Cause::Proxy {
                proxy: self.proxy(proxy),
                problem: *problem,
            },
            Cause::ServerTrouble { what } => Cause::ServerTrouble { what: trouble(what) },
            Cause::ProtocolViolation(_) => {
                return "The server sent something that can't be understood.".to_owned();
            }
            other => other.clone(),
        }
        .sentence()
    }
}

/// What trouble a server is in, as far as the protocol has a name for it.
fn trouble(what: &str) -> String {
    let number = what
        .strip_prefix("HTTP ")
        .or_else(|| what.strip_prefix("WebSocket "));
    match number {
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => what.to_owned(),
        _ if what == "TLS" => what.to_owned(),
        _ => Show::Nobody.condition(what),
    }
}

/// IPv4 or IPv6.
pub(crate) fn family(address: IpAddr) -> &'static str {
    if address.is_ipv6() { "IPv6" } else { "IPv4" }
}

//! Which URLs may be dialled: `wss`, and `ws` only where plain text can't leave this machine.

use dormouse_model::{DialFailure, Endpoint};
use hyper::Uri;
use std::net::{IpAddr, Ipv6Addr};

/// A host as it stands in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

/// The parts of an endpoint, or of an https URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) encrypted: bool,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// Path and query.
    pub(crate) path: String,
}

impl Host {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match (bare, text.parse::<IpAddr>()) {
            (Some(inner), _) => inner.parse::<Ipv6Addr>().ok().map(|v6| Host::Address(v6.into())),
            (None, Ok(address)) => Some(Host::Address(address)),
            (None, Err(_)) => {
                let name = idna::domain_to_ascii(text).ok()?;
                // What looks like a number to some resolvers is not a name (0x7f000001, 127.1).
                let numeric = name.rsplit('.').next().is_none_or(|last| {
                    last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit())
                });
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
                let usable = !name.is_empty() && name.len() <= 253 && name.bytes().all(plain) && !numeric;
                usable.then_some(Host::Name(name))
            }
        }
    }

    pub(crate) fn may_be_loopback(&self) -> bool {
        match self {
            Host::Name(name) => name == "localhost",
            Host::Address(address) => address.is_loopback(),
        }
    }

    /// As in a URL or a `Host` header.
    pub(crate) fn in_url(&self) -> String {
        match self {
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
        }
    }
}

/// An endpoint that may not be used, and why in a few words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadEndpoint(pub String);

impl From<BadEndpoint> for DialFailure {
    fn from(bad: BadEndpoint) -> Self {
        DialFailure::BadEndpoint(bad.0)
    }
}

fn bad(why: &str) -> BadEndpoint {
    BadEndpoint(why.to_owned())
}

/// The host and the port in a URL.
pub(crate) fn host_and_port(authority: &str, default_port: u16) -> Result<(Host, u16), BadEndpoint> {
    // The colon before the port, not one inside an IPv6 address.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let port = port.parse::<u16>().ok().filter(|port| *port != 0);
            (host, port.ok_or_else(|| bad("its port is not one"))?)
        }
        _ => (authority, default_port),
    };
    let host = Host::parse(host).ok_or_else(|| bad("its host is not one"))?;
    Ok((host, port))
}

/// The parts of a URL of one of these schemes, each with its port and whether it is encrypted.
pub(crate) fn split(text: &str, schemes: &[(&str, u16, bool)]) -> Result<Parts, BadEndpoint> {
    let text = text.trim();
    if text.contains('#') {
        return Err(bad("it has a fragment"));
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("it is not a URL"))?;
    let allowed = schemes
        .iter()
        .find(|(name, ..)| scheme.eq_ignore_ascii_case(name));
    let &(_, default_port, encrypted) = allowed.ok_or_else(|| bad("it is not a wss:// URL"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err(bad("it has a user name in it"));
    }
    let (host, port) = host_and_port(authority, default_port)?;
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    // Spaces, line ends and the like must not reach the request.
    path.parse::<Uri>().map_err(|_| bad("its path is not one"))?;
    Ok(Parts {
        encrypted,
        host,
        port,
        path,
    })
}

pub(crate) fn parts(endpoint: &Endpoint) -> Result<Parts, BadEndpoint> {
    let parts = split(&endpoint.0, &[("wss", 443, true), ("ws", 80, false)])?;
    if !parts.encrypted && !parts.host.may_be_loopback() {
        return Err(bad("without encryption only this computer itself may be dialled"));
    }
    Ok(parts)
}

impl Parts {
    /// As it is written most plainly.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let Parts {
            encrypted,
            host,
            port,
            path,
        } = self;
        let (scheme, default) = if *encrypted { ("wss", 443) } else { ("ws", 80) };
        let port = if *port == default {
            String::new()
        } else {
            format!(":{port}")
        };
        Endpoint(format!("{scheme}://{}{port}{path}", host.in_url()))
    }
}

/// Checks an endpoint that somebody typed: `wss://...`, or `ws://...` to a loopback address.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Endpoint, BadEndpoint> {
    Ok(parts(&Endpoint(text.to_owned()))?.endpoint())
}

/// Whether the endpoint is on this machine, so that it can be reached without any network.
pub fn is_loopback(endpoint: &Endpoint) -> bool {
    parts(endpoint).is_ok_and(|parts| parts.host.may_be_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Option<String> {
        parse(text).ok().map(|endpoint| endpoint.0)
    }

    #[test]
    fn encrypted_endpoints_may_lead_anywhere() {
        assert_eq!(
            checked("wss://x.example/ws").as_deref(),
            Some("wss://x.example/ws")
        );
        assert_eq!(
            checked(" WSS://X.example:443?a=b ").as_deref(),
            Some("wss://x.example/?a=b")
        );
        assert_eq!(
            checked("wss://[2001:db8::1]:5281/ws").as_deref(),
            Some("wss://[2001:db8::1]:5281/ws")
        );
        assert_eq!(
            checked("wss://bücher.example/").as_deref(),
            Some("wss://xn--bcher-kva.example/")
        );
    }

    #[test]
    fn plain_endpoints_stay_on_this_machine() {
        for good in [
            "ws://localhost:5280/ws",
            "ws://127.0.0.1/ws",
            "ws://[::1]:5280/ws",
        ] {
            assert_eq!(checked(good).as_deref(), Some(good));
        }
        for bad in [
            "ws://example.org/ws",
            "ws://192.168.1.1/ws",
            "ws://localhost.example.org/",
            "ws://127.0.0.1.example.org/",
            "ws://0.0.0.0/",
            "ws://0x7f000001/",
            "ws://127.1/",
        ] {
            assert_eq!(checked(bad), None, "{bad}");
        }
    }

    #[test]
    fn this_machine_is_known_by_name_and_by_address() {
        let on_this_machine = |text: &str| is_loopback(&Endpoint(text.into()));
        assert!(on_this_machine("wss://localhost/") && on_this_machine("ws://[::1]:5280/"));
        assert!(!on_this_machine("wss://example.org/") && !on_this_machine("ws://example.org/"));
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for bad in [
            "",
            "x.example",
            "https://x.example/",
            "wss://",
            "wss://u:p@x.example/",
            "wss://x.example:0/",
            "wss://x.example:99999/",
            "wss://x.example/#a",
            "wss://x example/",
            "wss://x.example/a\r\nHost: y",
            "wss://[::1/",
        ] {
            assert_eq!(checked(bad), None, "{bad}");
        }
    }
}

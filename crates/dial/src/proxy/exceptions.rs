//! Which hosts are reached without the proxy, as `no_proxy` and the desktops' lists have it.
//!
//! There is no standard. An entry is a name, which stands for itself and everything below it, with or without a
//! leading dot or `*.`; an address; a range of addresses (`10.0.0.0/8`); or `*`. A port behind it restricts it.

use crate::endpoint::Host;
use std::net::IpAddr;

/// Such a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Exceptions {
    entries: Vec<Entry>,
    reversed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    what: What,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Everything,
    Below(String),
    Range(IpAddr, u8),
}

impl Exceptions {
    /// Entries between commas, semicolons or blanks. What can't be read excepts nothing.
    pub(super) fn parse(text: &str) -> Self {
        let entries = text.split([',', ';', ' ', '\t']).filter_map(entry);
        Self {
            entries: entries.collect(),
            reversed: false,
        }
    }

    /// The other way round: all but these.
    #[cfg(not(any(target_os = "macos", windows)))]
    pub(super) fn reversed(self) -> Self {
        Self {
            reversed: true,
            ..self
        }
    }

    pub(super) fn contain(&self, host: &Host, port: u16) -> bool {
        let among = |entry: &Entry| entry.port.is_none_or(|only| only == port) && entry.what.is(host);
        self.entries.iter().any(among) != self.reversed
    }
}

fn entry(text: &str) -> Option<Entry> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Some(what) = range(text) {
        return Some(Entry { what, port: None });
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse().ok()?)),
        None => (text, None),
    };
    let what = match range(name) {
        Some(range) => range,
        None if name == "*" => What::Everything,
        None => {
            let name = name.strip_prefix('*').unwrap_or(name);
            let name = name.strip_prefix('.').unwrap_or(name).to_lowercase();
            What::Below((!name.is_empty()).then_some(name)?)
        }
    };
    Some(Entry { what, port })
}

fn range(text: &str) -> Option<What> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let bare = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    let address: IpAddr = bare.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some(What::Range(address, bits))
}

impl What {
    fn is(&self, host: &Host) -> bool {
        match (self, host) {
            (What::Everything, _) => true,
            (What::Below(name), Host::Name(host)) => {
                let above = host.strip_suffix(name.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            (What::Range(IpAddr::V4(net), bits), Host::Address(IpAddr::V4(address))) => {
                let differ = u32::from(*net) ^ u32::from(*address);
                differ.checked_shr(32 - u32::from(*bits)).unwrap_or(0) == 0
            }
            (What::Range(IpAddr::V6(net), bits), Host::Address(IpAddr::V6(address))) => {
                let differ = u128::from(*net) ^ u128::from(*address);
                differ.checked_shr(128 - u32::from(*bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excepted(list: &str, host: &str) -> bool {
        Exceptions::parse(list).contain(&Host::parse(host).unwrap(), 443)
    }

    #[test]
    fn a_name_stands_for_itself_and_what_is_below_it() {
        for list in [
            "example.org",
            ".example.org",
            "*.example.org",
            "a.b, EXAMPLE.org:443",
        ] {
            assert!(excepted(list, "example.org"), "{list}");
            assert!(excepted(list, "chat.example.org"), "{list}");
            assert!(!excepted(list, "anexample.org"), "{list}");
            assert!(!excepted(list, "org"), "{list}");
        }
        assert!(excepted("localhost *", "anything.example"));
        assert!(!excepted("example.org:8443", "example.org"));
        assert!(!excepted("", "example.org"));
        assert!(!excepted(", . ;*.", "example.org"));
    }

    #[test]
    fn an_address_stands_for_itself_and_a_range_for_what_is_in_it() {
        assert!(excepted("10.0.0.0/8", "10.1.2.3"));
        assert!(!excepted("10.0.0.0/8", "11.0.0.1"));
        assert!(excepted("0.0.0.0/0", "203.0.113.1"));
        assert!(excepted("192.0.2.1", "192.0.2.1"));
        assert!(!excepted("192.0.2.1", "192.0.2.2"));
        assert!(excepted("192.0.2.1:443", "192.0.2.1"));
        assert!(excepted("2001:db8::/32;fe80::/10", "[2001:db8::1]"));
        assert!(!excepted("2001:db8::/32", "[2001:db9::1]"));
        assert!(excepted("::1,[2001:db8::2]:443", "[2001:db8::2]"));
        assert!(!excepted("10.0.0.0/99", "10.0.0.0"));
    }
}

//! From a host to its addresses, by the system's resolver, in the order to try them.

use crate::endpoint::Host;
use crate::settings::Settings;
use dormouse_model::DialFailure;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// More addresses than this are not tried.
const MOST: usize = 8;

/// The addresses of a host, at least one. The caller sets the deadline.
pub(crate) async fn resolve(
    settings: &Settings,
    host: &Host,
    port: u16,
) -> Result<Vec<SocketAddr>, DialFailure> {
    let found: Vec<IpAddr> = match host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => match settings.hosts.get(name) {
            Some(addresses) => addresses.clone(),
            None => tokio::net::lookup_host((name.as_str(), port))
                .await
                .map_err(|error| failure(&error))?
                .map(|address| address.ip())
                .collect(),
        },
    };
    if found.is_empty() {
        return Err(DialFailure::NameNotFound);
    }
    Ok(interleaved(found)
        .into_iter()
        .take(MOST)
        .map(|ip| SocketAddr::new(ip, port))
        .collect())
}

/// Alternates between the families, beginning with the one that the system put first (RFC 8305 section 4).
fn interleaved(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut order = Vec::new();
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return order;
        }
        for address in pair.into_iter().flatten() {
            if !order.contains(&address) {
                order.push(address);
            }
        }
    }
}

/// `getaddrinfo` has codes for this that std keeps to itself: only the words are left, which are English unless
/// the process has set a locale. In doubt the name is not called wrong: that the look-up failed is always true.
fn failure(error: &io::Error) -> DialFailure {
    const NO_SUCH_HOST: i32 = 11001;
    const NO_DATA: i32 = 11004;
    let words = error.to_string();
    let unknown = [
        "not known",
        "nodename nor servname",
        "No address associated",
        "No such host",
    ];
    let by_code = cfg!(windows) && matches!(error.raw_os_error(), Some(NO_SUCH_HOST | NO_DATA));
    if by_code || unknown.iter().any(|known| words.contains(known)) {
        DialFailure::NameNotFound
    } else {
        DialFailure::NamesUnavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_beginning_with_the_systems_choice() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let found = ["::1", "::2", "::1", "::3", "1.1.1.1"].map(ip).to_vec();
        assert_eq!(interleaved(found), ["::1", "1.1.1.1", "::2", "::3"].map(ip));
        let found = ["1.1.1.1", "1.1.1.2", "::1"].map(ip).to_vec();
        assert_eq!(interleaved(found), ["1.1.1.1", "::1", "1.1.1.2"].map(ip));
    }

    #[test]
    fn a_name_that_does_not_exist_differs_from_a_network_that_is_not_there() {
        let said = |text: &str| failure(&io::Error::other(text.to_owned()));
        assert_eq!(
            said("failed to lookup address information: Name or service not known"),
            DialFailure::NameNotFound
        );
        assert_eq!(
            said("failed to lookup address information: Temporary failure in name resolution"),
            DialFailure::NamesUnavailable
        );
    }
}

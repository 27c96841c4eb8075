//! Reading macOS' routing messages (route(4), `<net/route.h>`): the default routes in a dump, and what a notification means.
//! Pure: bytes in, decisions out.
//!
//! Each message begins with its length, version and kind; the addresses that its bits name follow the fixed header, each rounded
//! up to four bytes. Routes bound to one interface (`RTF_IFSCOPE`) are left out: every interface has its own, and only programs that ask for that
//! interface use them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::network::{DefaultRoute, Effect, counts, leads_everywhere};

/// The size of `rt_msghdr`.
pub(crate) const ROUTE_HEADER: usize = 92;
/// The size of `ifa_msghdr`.
const ADDRESS_HEADER: usize = 20;

const VERSION: u8 = 5;
const ADD: u8 = 1;
const DELETE: u8 = 2;
const CHANGE: u8 = 3;
const GET: u8 = 4;
const NEW_ADDRESS: u8 = 0xc;
const DELETE_ADDRESS: u8 = 0xd;
const INTERFACE: u8 = 0xe;

const UP: u32 = 0x1;
const HOST: u32 = 0x4;
const REJECT: u32 = 0x8;
const BLACKHOLE: u32 = 0x1000;
const SCOPED: u32 = 0x100_0000;

/// The places of the addresses in the order of their bits.
const DESTINATION: usize = 0;
const GATEWAY: usize = 1;
const NETMASK: usize = 2;
const INTERFACE_ADDRESS: usize = 5;
const PLACES: usize = 8;

const INET: u8 = 2;
const INET6: u8 = 30;

/// The default routes in a dump (`NET_RT_DUMP`).
pub(crate) fn default_routes(dump: &[u8]) -> Vec<DefaultRoute> {
    messages(dump)
        .filter(|message| message.kind == GET)
        .filter_map(|message| message.default_route())
        .collect()
}

/// What the notifications in a datagram mean.
pub(crate) fn effect_of(datagram: &[u8]) -> Effect {
    messages(datagram)
        .map(|message| message.effect())
        .max()
        .unwrap_or_default()
}

struct Message<'a> {
    kind: u8,
    bytes: &'a [u8],
}

/// Ends at the first thing that is no message. One of another version is skipped.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        loop {
            let length = usize::from(u16::from_ne_bytes(*bytes.first_chunk()?));
            let (message, rest) = bytes.split_at_checked(length.max(4))?;
            bytes = rest;
            if message[2] == VERSION {
                return Some(Message {
                    kind: message[3],
                    bytes: message,
                });
            }
        }
    })
}

impl<'a> Message<'a> {
    fn effect(&self) -> Effect {
        match self.kind {
            NEW_ADDRESS | INTERFACE => Effect::Stale,
            DELETE_ADDRESS => {
                let gone = self.addresses(4, ADDRESS_HEADER)[INTERFACE_ADDRESS].and_then(ip);
                loss_if(gone.is_some_and(counts))
            }
            ADD | CHANGE | DELETE => self
                .default_route()
                .map_or(Effect::None, |_| loss_if(self.kind == DELETE)),
            _ => Effect::None,
        }
    }

    fn default_route(&self) -> Option<DefaultRoute> {
        let flags = self.word(8)?;
        if flags & UP == 0 || flags & (HOST | REJECT | BLACKHOLE | SCOPED) != 0 {
            return None;
        }
        let addresses = self.addresses(12, ROUTE_HEADER);
        let destination = ip(addresses[DESTINATION]?)?;
        let prefix = addresses[NETMASK].map_or(0, |mask| prefix_length(mask, destination.is_ipv6()));
        leads_everywhere(destination.is_ipv6(), prefix).then(|| DefaultRoute {
            v6: destination.is_ipv6(),
            destination: Some(destination).filter(|to| !to.is_unspecified()),
            table: 0,
            metric: 0,
            interface: self.index().into(),
            gateway: addresses[GATEWAY].and_then(ip),
        })
    }

    fn index(&self) -> u16 {
        self.bytes
            .get(4..)
            .and_then(|bytes| bytes.first_chunk())
            .map_or(0, |bytes| u16::from_ne_bytes(*bytes))
    }

    fn word(&self, at: usize) -> Option<u32> {
        Some(u32::from_ne_bytes(*self.bytes.get(at..)?.first_chunk()?))
    }

    /// The addresses behind the header, each at its place; `bits` is where the header names them.
    fn addresses(&self, bits: usize, header: usize) -> [Option<&'a [u8]>; PLACES] {
        let mut addresses = [None; PLACES];
        let bits = self.word(bits).unwrap_or(0);
        let mut rest = self.bytes.get(header..).unwrap_or_default();
        for (place, address) in addresses.iter_mut().enumerate() {
            if bits & (1 << place) == 0 {
                continue;
            }
            let length = usize::from(rest.first().copied().unwrap_or(0));
            *address = rest.get(..length);
            // One of no length takes four bytes too.
            rest = rest.get(length.next_multiple_of(4).max(4)..).unwrap_or_default();
        }
        addresses
    }
}

fn loss_if(in_use: bool) -> Effect {
    if in_use { Effect::Interrupts } else { Effect::Stale }
}

/// Where the address begins in a `sockaddr_in` or a `sockaddr_in6`.
const fn offset(v6: bool) -> usize {
    if v6 { 8 } else { 4 }
}

fn ip(address: &[u8]) -> Option<IpAddr> {
    match *address.get(1)? {
        INET => Some(Ipv4Addr::from(*address.get(offset(false)..)?.first_chunk::<4>()?).into()),
        INET6 => Some(Ipv6Addr::from(*address.get(offset(true)..)?.first_chunk::<16>()?).into()),
        _ => None,
    }
}

/// Trailing zeros of a mask are left out, and of its family nothing need be true.
fn prefix_length(mask: &[u8], v6: bool) -> u8 {
    let ones: u32 = mask
        .get(offset(v6)..)
        .unwrap_or_default()
        .iter()
        .map(|byte| byte.leading_ones())
        .sum();
    u8::try_from(ones).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Vec<u8> {
        let address: Ipv4Addr = text.parse().unwrap();
        [&[16, INET, 0, 0][..], &address.octets(), &[0; 8]].concat()
    }

    fn v6(text: &str) -> Vec<u8> {
        let address: Ipv6Addr = text.parse().unwrap();
        [&[28, INET6][..], &[0; 6], &address.octets(), &[0; 4]].concat()
    }

    /// As macOS sends them: only as long as the ones need, in a family of no meaning.
    fn mask(v6: bool, ones: &[u8]) -> Vec<u8> {
        if ones.is_empty() {
            return vec![0; 4];
        }
        let length = offset(v6) + ones.len();
        let mut mask = vec![0xff; length];
        mask[0] = u8::try_from(length).unwrap();
        mask[offset(v6)..].copy_from_slice(ones);
        mask.resize(length.next_multiple_of(4), 0);
        mask
    }

    fn with_length(mut message: Vec<u8>) -> Vec<u8> {
        let length = u16::try_from(message.len()).unwrap();
        message[..2].copy_from_slice(&length.to_ne_bytes());
        message
    }

    fn route(kind: u8, flags: u32, addresses: &[(usize, Vec<u8>)]) -> Vec<u8> {
        let mut message = vec![0; ROUTE_HEADER];
        message[2] = VERSION;
        message[3] = kind;
        message[4..6].copy_from_slice(&7u16.to_ne_bytes());
        message[8..12].copy_from_slice(&flags.to_ne_bytes());
        let bits: u32 = addresses.iter().map(|(place, _)| 1u32 << place).sum();
        message[12..16].copy_from_slice(&bits.to_ne_bytes());
        message.extend(addresses.iter().flat_map(|(_, address)| address.clone()));
        with_length(message)
    }

    fn address(kind: u8, address: Vec<u8>) -> Vec<u8> {
        let mut message = vec![0; ADDRESS_HEADER];
        message[2] = VERSION;
        message[3] = kind;
        message[4..8].copy_from_slice(&(1u32 << INTERFACE_ADDRESS).to_ne_bytes());
        message.extend(address);
        with_length(message)
    }

    fn everywhere(kind: u8, flags: u32) -> Vec<u8> {
        route(
            kind,
            flags,
            &[
                (DESTINATION, v4("0.0.0.0")),
                (GATEWAY, v4("192.0.2.1")),
                (NETMASK, mask(false, &[])),
            ],
        )
    }

    #[test]
    fn the_default_routes_are_found_among_all_others() {
        let network = route(
            GET,
            UP,
            &[
                (DESTINATION, v4("192.0.2.0")),
                (NETMASK, mask(false, &[255, 255, 255])),
            ],
        );
        let vpn = route(
            GET,
            UP,
            &[
                (DESTINATION, v4("128.0.0.0")),
                (GATEWAY, v4("198.51.100.1")),
                (NETMASK, mask(false, &[0x80])),
            ],
        );
        let six = route(
            GET,
            UP,
            &[
                (DESTINATION, v6("::")),
                (GATEWAY, v6("fe80::1")),
                (NETMASK, mask(true, &[])),
            ],
        );
        let scoped = everywhere(GET, UP | SCOPED);
        let dump = [network, everywhere(GET, UP), scoped, vpn, six].concat();
        let found = default_routes(&dump);
        let gateways: Vec<_> = found
            .iter()
            .map(|route| route.gateway.unwrap().to_string())
            .collect();
        assert_eq!(gateways, ["192.0.2.1", "198.51.100.1", "fe80::1"]);
        assert!(found.iter().all(|route| route.interface == 7));
        assert_eq!(found[0].destination, None);
        assert_eq!(found[1].destination, Some("128.0.0.0".parse().unwrap()));
        assert!(found[2].v6);
    }

    #[test]
    fn what_is_in_use_and_goes_interrupts_and_what_comes_is_looked_at() {
        let lost = address(DELETE_ADDRESS, v4("192.0.2.7"));
        let came = address(NEW_ADDRESS, v4("192.0.2.7"));
        let local = address(DELETE_ADDRESS, v6("fe80::7"));
        let neighbour = route(ADD, UP | HOST, &[(DESTINATION, v4("192.0.2.9"))]);
        for (datagram, effect) in [
            (lost, Effect::Interrupts),
            (came, Effect::Stale),
            (local, Effect::Stale),
            (neighbour, Effect::None),
            (everywhere(DELETE, UP), Effect::Interrupts),
            (everywhere(ADD, UP), Effect::Stale),
            (everywhere(GET, UP), Effect::None),
        ] {
            assert_eq!(effect_of(&datagram), effect, "{datagram:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_of_another_version_is_left_out() {
        let whole = everywhere(GET, UP);
        for length in 0..whole.len() {
            assert!(default_routes(&whole[..length]).is_empty());
        }
        let mut other = whole.clone();
        other[2] = VERSION + 1;
        assert_eq!(default_routes(&[other, whole.clone()].concat()).len(), 1);
        // A message that claims less than a header has, or no length at all.
        let mut short = whole.clone();
        short[..2].copy_from_slice(&8u16.to_ne_bytes());
        let _ = default_routes(&short);
        assert!(default_routes(&[0; 64]).is_empty());
        let mut lying = whole;
        lying[ROUTE_HEADER] = 255;
        assert!(default_routes(&lying).is_empty());
    }
}

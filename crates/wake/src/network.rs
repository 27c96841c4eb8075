//! What the network is, as far as this machine can see, and what changed.
//!
//! A state is taken as a whole and compared with the one before: usable addresses, and the routes that everything
//! else follows. Comparing states instead of following single messages keeps the picture right when messages are
//! lost or (as Linux does for the IPv4 routes of a link that goes down) never sent.
//!
//! An address is usable while it is configured, not still being checked for duplicates, and its link runs. So pulling the
//! cable loses the address, as it does for any socket bound to it, although the system keeps it configured.
//! Left out: the loopback, and link-local addresses, which every virtual interface brings and which
//! no routed connection uses.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// How far packets can get, judging by addresses and routes alone: nobody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// This machine only.
    Host,
    /// Networks this machine is attached to: an address, but no default route.
    Link,
    /// There is a default route.
    Global,
}

/// One change of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkChange {
    /// How far it reaches now.
    pub reach: Reach,
    /// Local addresses that are no longer usable: a connection from one of these has lost its way.
    pub lost: Vec<IpAddr>,
    /// Local addresses that have become usable.
    pub gained: Vec<IpAddr>,
    /// Packets to everywhere now take another way (or one at last, or none any more). Connections may go on by the old one.
    pub default_route_changed: bool,
    /// Nothing differs, but an address, a link or a default route that is in use was gone for a moment: a cable or an
    /// access point changed, for example. A good time to ask whether connections live.
    pub interrupted: bool,
}

/// One next hop of a route that covers at least half of all addresses (VPNs split the default route in two).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DefaultRoute {
    pub(crate) v6: bool,
    pub(crate) destination: Option<IpAddr>,
    pub(crate) table: u32,
    pub(crate) metric: u32,
    pub(crate) interface: u32,
    pub(crate) gateway: Option<IpAddr>,
}

/// What a notification means for what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos", windows)), allow(dead_code))]
pub(crate) enum Effect {
    /// Nothing: known already, or of no interest.
    #[default]
    None,
    /// What is known may no longer be true: look again.
    Stale,
    /// The same, and something in use was gone, be it for a moment.
    Interrupts,
}

/// A route this short covers at least half of all IPv4 addresses: VPNs lay two of them over the default route.
const SHORT_V4: u8 = 1;
/// The same for IPv6, where VPNs cut the assigned space into quarters.
const SHORT_V6: u8 = 4;

/// Whether a route with a prefix of this length leads to (nearly) everywhere.
pub(crate) fn leads_everywhere(v6: bool, prefix_length: u8) -> bool {
    prefix_length <= if v6 { SHORT_V6 } else { SHORT_V4 }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkState {
    pub(crate) addresses: BTreeSet<IpAddr>,
    pub(crate) default_routes: BTreeSet<DefaultRoute>,
}

impl NetworkState {
    pub(crate) fn reach(&self) -> Reach {
        if self.addresses.is_empty() {
            Reach::Host
        } else if self.default_routes.is_empty() {
            Reach::Link
        } else {
            Reach::Global
        }
    }

    /// What is different in `later`; nothing if there is nothing to tell.
    pub(crate) fn change_to(&self, later: &Self, interrupted: bool) -> Option<NetworkChange> {
        let minus = |a: &BTreeSet<IpAddr>, b: &BTreeSet<IpAddr>| a.difference(b).copied().collect::<Vec<_>>();
        let change = NetworkChange {
            reach: later.reach(),
            lost: minus(&self.addresses, &later.addresses),
            gained: minus(&later.addresses, &self.addresses),
            default_route_changed: self.default_routes != later.default_routes,
            interrupted: interrupted && self == later,
        };
        (self != later || change.interrupted).then_some(change)
    }
}

/// Whether connections beyond this link can come from this address.
pub(crate) fn counts(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn state(addresses: &[&str], gateways: &[&str]) -> NetworkState {
        let route = |gateway: &&str| DefaultRoute {
            v6: false,
            destination: None,
            table: 254,
            metric: 100,
            interface: 2,
            gateway: Some(ip(gateway)),
        };
        NetworkState {
            addresses: addresses.iter().map(|text| ip(text)).collect(),
            default_routes: gateways.iter().map(route).collect(),
        }
    }

    #[test]
    fn the_same_state_is_no_change() {
        let home = state(&["192.0.2.7"], &["192.0.2.1"]);
        assert_eq!(home.change_to(&home, false), None);
    }

    #[test]
    fn another_network_loses_the_old_address_and_changes_the_route() {
        let change = state(&["192.0.2.7"], &["192.0.2.1"])
            .change_to(&state(&["198.51.100.9"], &["198.51.100.1"]), true)
            .unwrap();
        assert_eq!(change.reach, Reach::Global);
        assert_eq!(change.lost, [ip("192.0.2.7")]);
        assert_eq!(change.gained, [ip("198.51.100.9")]);
        assert!(change.default_route_changed);
        assert!(!change.interrupted, "what is lost is more than interrupted");
    }

    #[test]
    fn a_second_way_out_changes_the_route_and_loses_nothing() {
        let change = state(&["192.0.2.7"], &["192.0.2.1"])
            .change_to(
                &state(&["192.0.2.7", "198.51.100.9"], &["192.0.2.1", "198.51.100.1"]),
                false,
            )
            .unwrap();
        assert!(change.lost.is_empty());
        assert!(change.default_route_changed);
    }

    #[test]
    fn reach_follows_addresses_and_default_routes() {
        assert_eq!(state(&[], &[]).reach(), Reach::Host);
        assert_eq!(state(&[], &["192.0.2.1"]).reach(), Reach::Host);
        assert_eq!(state(&["192.0.2.7"], &[]).reach(), Reach::Link);
        assert_eq!(state(&["192.0.2.7"], &["192.0.2.1"]).reach(), Reach::Global);
    }

    #[test]
    fn an_interruption_that_left_everything_as_it_was_is_told_as_such() {
        let home = state(&["192.0.2.7"], &["192.0.2.1"]);
        let change = home.change_to(&home, true).unwrap();
        assert!(change.interrupted && change.lost.is_empty() && !change.default_route_changed);
    }

    #[test]
    fn loopback_and_link_local_addresses_do_not_count() {
        for text in ["127.0.0.1", "::1", "fe80::1", "169.254.3.4"] {
            assert!(!counts(ip(text)), "{text}");
        }
        for text in ["192.168.1.2", "fd00::2", "2001:db8::1"] {
            assert!(counts(ip(text)), "{text}");
        }
    }
}

//! Links, addresses and default routes as the kernel tells them: reading netlink messages (rtnetlink(7)), and what a
//! notification means for what is known. Pure: bytes in, decisions out.
//!
//! Of a link only the fixed header is read, never its hundred attributes: a new kind of attribute in a new kernel
//! must not make a link invisible.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use netlink_packet_core::{DecodeError, NLM_F_DUMP_INTR, NetlinkBuffer, Parseable};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{LinkFlags, LinkHeader};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType, RouteVia};

use crate::network::{DefaultRoute, Effect, NetworkState, counts, leads_everywhere};

/// One netlink message, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Link {
        index: u32,
        running: bool,
        loopback: bool,
    },
    LinkGone {
        index: u32,
    },
    Address {
        index: u32,
        address: IpAddr,
        usable: bool,
    },
    AddressGone {
        index: u32,
        address: IpAddr,
    },
    Routes(Vec<DefaultRoute>),
    RoutesGone(Vec<DefaultRoute>),
    Done,
    Error {
        errno: i32,
    },
    Other,
}

/// A message and whom it answers.
#[derive(Debug)]
pub(super) struct Received<'a> {
    pub(super) port: u32,
    pub(super) sequence: u32,
    /// The kernel changed its tables while it dumped them: the dump may be inconsistent.
    pub(super) interrupted: bool,
    kind: u16,
    payload: &'a [u8],
}

/// The messages in one datagram. Ends at the first thing that is none.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Received<'_>> {
    std::iter::from_fn(move || {
        let buffer = NetlinkBuffer::new_checked(datagram).ok()?;
        let length = usize::try_from(buffer.length()).ok()?;
        let received = Received {
            port: buffer.port_number(),
            sequence: buffer.sequence_number(),
            interrupted: buffer.flags() & NLM_F_DUMP_INTR != 0,
            kind: buffer.message_type(),
            payload: datagram.get(16..length)?,
        };
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(received)
    })
}

impl Received<'_> {
    pub(super) fn read(&self) -> Result<Message, DecodeError> {
        Ok(match self.kind {
            libc::RTM_NEWLINK | libc::RTM_DELLINK => {
                let header = LinkHeader::parse(self.payload)?;
                if header.interface_family != AddressFamily::Unspec {
                    // A bridge telling of its ports: "gone" means gone from the bridge.
                    Message::Other
                } else if self.kind == libc::RTM_DELLINK {
                    Message::LinkGone { index: header.index }
                } else {
                    Message::Link {
                        index: header.index,
                        running: header.flags.contains(LinkFlags::Up | LinkFlags::Running),
                        loopback: header.flags.contains(LinkFlags::Loopback),
                    }
                }
            }
            libc::RTM_NEWADDR | libc::RTM_DELADDR => {
                let message = AddressMessage::parse(self.payload)?;
                address(&message, self.kind == libc::RTM_NEWADDR)
            }
            libc::RTM_NEWROUTE => Message::Routes(default_routes(&RouteMessage::parse(self.payload)?)),
            libc::RTM_DELROUTE => Message::RoutesGone(default_routes(&RouteMessage::parse(self.payload)?)),
            kind if i32::from(kind) == libc::NLMSG_DONE => Message::Done,
            kind if i32::from(kind) == libc::NLMSG_ERROR => {
                let errno = self
                    .payload
                    .first_chunk::<4>()
                    .map_or(0, |bytes| i32::from_ne_bytes(*bytes));
                Message::Error {
                    errno: errno.saturating_neg(),
                }
            }
            _ => Message::Other,
        })
    }
}

fn address(message: &AddressMessage, new: bool) -> Message {
    let index = message.header.index;
    let of = |local: bool| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Local(address) if local => Some(*address),
            AddressAttribute::Address(address) if !local => Some(*address),
            _ => None,
        })
    };
    // On a point-to-point link "address" is the other end.
    let Some(address) = of(true).or_else(|| of(false)) else {
        return Message::Other;
    };
    if !new {
        return Message::AddressGone { index, address };
    }
    let flags = message.header.flags;
    let checking =
        flags.contains(AddressHeaderFlags::Tentative) && !flags.contains(AddressHeaderFlags::Optimistic);
    let usable = !checking && !flags.contains(AddressHeaderFlags::Dadfailed);
    Message::Address {
        index,
        address,
        usable,
    }
}

/// The next hops of a route to (nearly) everywhere; none for every other route.
fn default_routes(message: &RouteMessage) -> Vec<DefaultRoute> {
    let header = &message.header;
    let v6 = match header.address_family {
        AddressFamily::Inet => false,
        AddressFamily::Inet6 => true,
        _ => return Vec::new(),
    };
    if header.kind != RouteType::Unicast || !leads_everywhere(v6, header.destination_prefix_length) {
        return Vec::new();
    }
    let mut route = DefaultRoute {
        v6,
        destination: None,
        table: u32::from(header.table),
        metric: 0,
        interface: 0,
        gateway: None,
    };
    let mut hops = Vec::new();
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(to) => route.destination = ip(to),
            RouteAttribute::Table(table) => route.table = *table,
            RouteAttribute::Priority(metric) => route.metric = *metric,
            RouteAttribute::Oif(index) => route.interface = *index,
            RouteAttribute::MultiPath(next_hops) => hops.clone_from(next_hops),
            _ => {}
        }
    }
    route.gateway = gateway(&message.attributes);
    if hops.is_empty() {
        return vec![route];
    }
    hops.iter()
        .map(|hop| DefaultRoute {
            interface: hop.interface_index,
            gateway: gateway(&hop.attributes),
            ..route.clone()
        })
        .collect()
}

fn gateway(attributes: &[RouteAttribute]) -> Option<IpAddr> {
    attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(gateway) => ip(gateway),
        RouteAttribute::Via(RouteVia::Inet(v4)) => Some(IpAddr::V4(*v4)),
        RouteAttribute::Via(RouteVia::Inet6(v6)) => Some(IpAddr::V6(*v6)),
        _ => None,
    })
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some(IpAddr::V4(*v4)),
        RouteAddress::Inet6(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}

/// All that a dump told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RouteTable {
    /// Whether each link runs. Without the loopback.
    links: BTreeMap<u32, bool>,
    addresses: BTreeMap<(u32, IpAddr), bool>,
    routes: BTreeSet<DefaultRoute>,
}

impl RouteTable {
    /// Takes in one message of a dump.
    pub(super) fn learn(&mut self, message: Message) {
        match message {
            Message::Link {
                index,
                running,
                loopback: false,
            } => drop(self.links.insert(index, running)),
            Message::Address {
                index,
                address,
                usable,
            } => {
                self.addresses.insert((index, address), usable);
            }
            Message::Routes(routes) => self.routes.extend(routes),
            _ => {}
        }
    }

    pub(super) fn state(&self) -> NetworkState {
        let usable = |((index, address), usable): (&(u32, IpAddr), &bool)| {
            (*usable && self.runs(*index) && counts(*address)).then_some(*address)
        };
        NetworkState {
            addresses: self.addresses.iter().filter_map(usable).collect(),
            default_routes: self
                .routes
                .iter()
                .filter(|route| self.runs(route.interface))
                .cloned()
                .collect(),
        }
    }

    /// What a notification means, measured by the last dump.
    pub(super) fn effect_of(&self, message: &Message) -> Effect {
        match message {
            Message::Link { loopback: true, .. } | Message::Done | Message::Error { .. } | Message::Other => {
                Effect::None
            }
            Message::Link { index, running, .. } if self.links.get(index) == Some(running) => Effect::None,
            Message::Link { index, .. } => self.loss_if(self.in_use(*index)),
            Message::LinkGone { index } if self.links.contains_key(index) => {
                self.loss_if(self.in_use(*index))
            }
            Message::LinkGone { .. } => Effect::None,
            Message::Address {
                index,
                address,
                usable,
            } => match self.addresses.get(&(*index, *address)) {
                Some(known) if known == usable => Effect::None,
                _ => Effect::Stale,
            },
            Message::AddressGone { index, address } => match self.addresses.get(&(*index, *address)) {
                Some(true) => self.loss_if(counts(*address) && self.runs(*index)),
                Some(false) => Effect::Stale,
                None => Effect::None,
            },
            Message::Routes(routes) if routes.iter().all(|route| self.routes.contains(route)) => Effect::None,
            Message::Routes(_) => Effect::Stale,
            Message::RoutesGone(routes) => {
                let known: Vec<_> = routes
                    .iter()
                    .filter(|route| self.routes.contains(route))
                    .collect();
                if known.is_empty() {
                    Effect::None
                } else {
                    self.loss_if(known.iter().any(|route| self.runs(route.interface)))
                }
            }
        }
    }

    fn loss_if(&self, in_use: bool) -> Effect {
        if in_use { Effect::Interrupts } else { Effect::Stale }
    }

    fn runs(&self, index: u32) -> bool {
        self.links.get(&index).copied().unwrap_or(false)
    }

    /// Whether a link that runs carries an address or a default route that counts.
    fn in_use(&self, index: u32) -> bool {
        let addressed =
            |((on, address), usable): (&(u32, IpAddr), &bool)| *on == index && *usable && counts(*address);
        self.runs(index)
            && (self.addresses.iter().any(addressed)
                || self.routes.iter().any(|route| route.interface == index))
    }
}

#[cfg(test)]
mod tests;

use super::*;
use netlink_packet_core::{NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::route::RouteNextHop;

const RUNNING: LinkFlags = LinkFlags::Up.union(LinkFlags::Running);

fn bytes(message: RouteNetlinkMessage) -> Vec<u8> {
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// As it comes from the kernel: through bytes.
fn read(message: RouteNetlinkMessage) -> Message {
    let bytes = bytes(message);
    let mut all = messages(&bytes);
    let message = all.next().unwrap().read().unwrap();
    assert!(all.next().is_none());
    message
}

fn link(index: u32, flags: LinkFlags) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.header.flags = flags;
    message
}

fn addr(index: u32, address: &str, flags: AddressHeaderFlags) -> AddressMessage {
    let mut message = AddressMessage::default();
    let address: IpAddr = address.parse().unwrap();
    message.header.family = if address.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    message.header.index = index;
    message.header.flags = flags;
    message.attributes.push(AddressAttribute::Address(address));
    message
}

fn route(index: u32, gateway: &str, prefix: u8) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = prefix;
    message.header.kind = RouteType::Unicast;
    message.attributes.push(RouteAttribute::Oif(index));
    message
        .attributes
        .push(RouteAttribute::Gateway(gateway.parse::<IpAddr>().unwrap().into()));
    message
}

fn home() -> RouteTable {
    let mut table = RouteTable::default();
    for message in [
        RouteNetlinkMessage::NewLink(link(1, RUNNING | LinkFlags::Loopback)),
        RouteNetlinkMessage::NewLink(link(2, RUNNING)),
        RouteNetlinkMessage::NewLink(link(3, LinkFlags::Up)),
        RouteNetlinkMessage::NewAddress(addr(1, "127.0.0.1", AddressHeaderFlags::Permanent)),
        RouteNetlinkMessage::NewAddress(addr(2, "192.0.2.7", AddressHeaderFlags::Permanent)),
        RouteNetlinkMessage::NewAddress(addr(2, "fe80::7", AddressHeaderFlags::Permanent)),
        RouteNetlinkMessage::NewAddress(addr(3, "198.51.100.9", AddressHeaderFlags::Permanent)),
        RouteNetlinkMessage::NewRoute(route(2, "192.0.2.1", 0)),
        RouteNetlinkMessage::NewRoute(route(3, "198.51.100.1", 0)),
        RouteNetlinkMessage::NewRoute(route(2, "192.0.2.99", 24)),
    ] {
        table.learn(read(message));
    }
    table
}

fn effect(message: RouteNetlinkMessage) -> Effect {
    home().effect_of(&read(message))
}

#[test]
fn only_addresses_and_default_routes_of_running_links_count() {
    let state = home().state();
    assert_eq!(
        state
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["192.0.2.7"]
    );
    assert_eq!(
        state
            .default_routes
            .iter()
            .map(|route| route.interface)
            .collect::<Vec<_>>(),
        [2]
    );
}

#[test]
fn an_address_still_checked_for_duplicates_is_not_usable() {
    let usable = |flags| match read(RouteNetlinkMessage::NewAddress(addr(2, "2001:db8::7", flags))) {
        Message::Address { usable, .. } => usable,
        other => panic!("{other:?}"),
    };
    assert!(!usable(AddressHeaderFlags::Tentative));
    assert!(!usable(
        AddressHeaderFlags::Permanent | AddressHeaderFlags::Dadfailed
    ));
    assert!(usable(
        AddressHeaderFlags::Tentative | AddressHeaderFlags::Optimistic
    ));
    assert!(usable(AddressHeaderFlags::Permanent));
}

#[test]
fn on_a_point_to_point_link_the_local_end_is_the_address() {
    let mut message = addr(2, "10.0.0.1", AddressHeaderFlags::Permanent);
    message
        .attributes
        .push(AddressAttribute::Local("10.0.0.2".parse().unwrap()));
    let Message::Address { address, .. } = read(RouteNetlinkMessage::NewAddress(message)) else {
        panic!()
    };
    assert_eq!(address.to_string(), "10.0.0.2");
}

#[test]
fn half_of_all_addresses_counts_as_default_and_less_does_not() {
    let hops = |prefix| match read(RouteNetlinkMessage::NewRoute(route(2, "192.0.2.1", prefix))) {
        Message::Routes(routes) => routes.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!((hops(0), hops(1), hops(2), hops(24)), (1, 1, 0, 0));
}

#[test]
fn a_default_route_that_refuses_is_no_way_out() {
    let mut refuse = route(2, "192.0.2.1", 0);
    refuse.header.kind = RouteType::Unreachable;
    assert_eq!(
        read(RouteNetlinkMessage::NewRoute(refuse)),
        Message::Routes(Vec::new())
    );
}

#[test]
fn every_hop_of_a_multipath_route_is_a_way_out() {
    let mut message = route(2, "192.0.2.1", 0);
    message.attributes.clear();
    let hop = |interface_index| {
        let mut hop = RouteNextHop::default();
        hop.interface_index = interface_index;
        hop
    };
    message
        .attributes
        .push(RouteAttribute::MultiPath(vec![hop(2), hop(3)]));
    let Message::Routes(routes) = read(RouteNetlinkMessage::NewRoute(message)) else {
        panic!()
    };
    assert_eq!(
        routes.iter().map(|route| route.interface).collect::<Vec<_>>(),
        [2, 3]
    );
}

#[test]
fn a_bridge_that_lets_a_port_go_has_not_lost_the_link() {
    let mut port = link(2, RUNNING);
    port.header.interface_family = AddressFamily::Bridge;
    assert_eq!(effect(RouteNetlinkMessage::DelLink(port)), Effect::None);
    assert_eq!(
        effect(RouteNetlinkMessage::DelLink(link(2, RUNNING))),
        Effect::Interrupts
    );
}

#[test]
fn what_is_known_already_asks_for_nothing() {
    assert_eq!(
        effect(RouteNetlinkMessage::NewLink(link(
            2,
            RUNNING | LinkFlags::LowerUp
        ))),
        Effect::None
    );
    let renewed = addr(2, "192.0.2.7", AddressHeaderFlags::empty());
    assert_eq!(effect(RouteNetlinkMessage::NewAddress(renewed)), Effect::None);
    assert_eq!(
        effect(RouteNetlinkMessage::NewRoute(route(2, "192.0.2.1", 0))),
        Effect::None
    );
    assert_eq!(
        effect(RouteNetlinkMessage::NewRoute(route(2, "192.0.2.1", 24))),
        Effect::None
    );
    assert_eq!(
        effect(RouteNetlinkMessage::DelRoute(route(2, "192.0.2.99", 24))),
        Effect::None
    );
}

#[test]
fn what_is_new_asks_for_a_look() {
    assert_eq!(
        effect(RouteNetlinkMessage::NewLink(link(3, RUNNING))),
        Effect::Stale
    );
    assert_eq!(
        effect(RouteNetlinkMessage::NewLink(link(9, RUNNING))),
        Effect::Stale
    );
    let second = addr(2, "192.0.2.8", AddressHeaderFlags::Permanent);
    assert_eq!(effect(RouteNetlinkMessage::NewAddress(second)), Effect::Stale);
    assert_eq!(
        effect(RouteNetlinkMessage::NewRoute(route(2, "192.0.2.254", 0))),
        Effect::Stale
    );
}

#[test]
fn losing_what_is_in_use_interrupts_and_losing_what_is_not_only_asks_for_a_look() {
    assert_eq!(
        effect(RouteNetlinkMessage::NewLink(link(2, LinkFlags::Up))),
        Effect::Interrupts
    );
    let flags = AddressHeaderFlags::Permanent;
    assert_eq!(
        effect(RouteNetlinkMessage::DelAddress(addr(2, "192.0.2.7", flags))),
        Effect::Interrupts
    );
    assert_eq!(
        effect(RouteNetlinkMessage::DelRoute(route(2, "192.0.2.1", 0))),
        Effect::Interrupts
    );
    assert_eq!(
        effect(RouteNetlinkMessage::DelAddress(addr(2, "fe80::7", flags))),
        Effect::Stale
    );
    assert_eq!(
        effect(RouteNetlinkMessage::DelAddress(addr(3, "198.51.100.9", flags))),
        Effect::Stale
    );
    assert_eq!(
        effect(RouteNetlinkMessage::DelRoute(route(3, "198.51.100.1", 0))),
        Effect::Stale
    );
    assert_eq!(
        effect(RouteNetlinkMessage::DelLink(link(3, LinkFlags::Up))),
        Effect::Stale
    );
}

#[test]
fn a_datagram_cut_short_ends_the_reading_and_nothing_else() {
    let mut two = bytes(RouteNetlinkMessage::NewLink(link(2, RUNNING)));
    two.extend(bytes(RouteNetlinkMessage::NewLink(link(3, RUNNING))));
    assert_eq!(messages(&two).count(), 2);
    for cut in 0..two.len() {
        assert!(messages(&two[..cut]).count() < 2);
        for received in messages(&two[..cut]) {
            let _ = received.read();
        }
    }
    assert!(messages(&[0xff; 40]).next().is_none());
    assert!(messages(&[0; 40]).next().is_none());
}

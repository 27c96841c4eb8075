//! What the relay reads of a packet: enough of IPv4 and TCP to know the flow it belongs to.

use std::net::{Ipv4Addr, SocketAddrV4};

/// A TCP connection by its 4-tuple, the same for both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// The end in the client's namespace.
    pub client: SocketAddrV4,
    /// The end in the server's namespace.
    pub server: SocketAddrV4,
}

/// A TCP segment's flow and what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) flow: Flow,
    pub(crate) syn: bool,
    pub(crate) payload: u64,
}

impl Segment {
    /// Whether it says anything but "I have heard you".
    pub(crate) fn carries(&self) -> bool {
        self.syn || self.payload > 0
    }
}

const TCP: u8 = 6;
const SYN: u8 = 0x02;

/// `None` for whatever is no TCP segment: it belongs to no flow.
pub(crate) fn parse(packet: &[u8], to_server: bool) -> Option<Segment> {
    let &[first, ..] = packet else { return None };
    let header = usize::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header < 20 || packet.get(9) != Some(&TCP) {
        return None;
    }
    // Later fragments carry no ports.
    if u16_at(packet, 6)? & 0x1fff != 0 {
        return None;
    }
    let tcp = packet.get(header..)?;
    let source = SocketAddrV4::new(address_at(packet, 12)?, u16_at(tcp, 0)?);
    let target = SocketAddrV4::new(address_at(packet, 16)?, u16_at(tcp, 2)?);
    let (client, server) = if to_server {
        (source, target)
    } else {
        (target, source)
    };
    let length = usize::from(u16_at(packet, 2)?);
    let payload = length.saturating_sub(header + usize::from(*tcp.get(12)? >> 4) * 4);
    let syn = *tcp.get(13)? & SYN != 0;
    Some(Segment {
        flow: Flow { client, server },
        syn,
        payload: payload as u64,
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn address_at(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(40 + payload.len()).unwrap().to_be_bytes();
        let mut packet = vec![0x45, 0, length[0], length[1], 0, 1, 0x40, 0, 64, TCP, 0, 0];
        packet.extend([10, 77, 0, 2, 10, 77, 0, 1]);
        packet.extend([
            0xc0, 0x00, 0x14, 0x66, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0,
        ]);
        packet.extend(payload);
        packet
    }

    fn flow() -> Flow {
        Flow {
            client: "10.77.0.2:49152".parse().unwrap(),
            server: "10.77.0.1:5222".parse().unwrap(),
        }
    }

    #[test]
    fn a_segment_names_its_flow_and_its_payload() {
        let expected = Segment {
            flow: flow(),
            syn: true,
            payload: 0,
        };
        assert_eq!(parse(&segment(SYN, b""), true), Some(expected));
        let expected = Segment {
            flow: flow(),
            syn: false,
            payload: 5,
        };
        assert_eq!(parse(&segment(0x18, b"hello"), true), Some(expected));
    }

    #[test]
    fn both_directions_are_one_flow() {
        let mut back = segment(0x10, b"");
        back[12..20].rotate_left(4);
        back[20..24].rotate_left(2);
        assert_eq!(parse(&back, false).map(|segment| segment.flow), Some(flow()));
    }

    #[test]
    fn what_is_no_whole_segment_has_no_flow() {
        let whole = segment(SYN, b"");
        for cut in 0..34 {
            assert_eq!(parse(&whole[..cut], true), None, "cut after {cut} bytes");
        }
        let mut udp = whole.clone();
        udp[9] = 17;
        let mut later_fragment = whole.clone();
        later_fragment[7] = 1;
        let mut ipv6 = whole.clone();
        ipv6[0] = 0x65;
        for other in [udp, later_fragment, ipv6] {
            assert_eq!(parse(&other, true), None);
        }
    }
}

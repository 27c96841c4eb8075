//! The frame log as a capture file that Wireshark opens: pcapng (draft-ietf-opsawg-pcapng), one section, raw IPv4.
//!
//! What really passed was encrypted and is not known here. So each connection is written as it would have looked
//! without: TCP from one made-up address to another, the upgrade to a WebSocket that speaks `xmpp` (RFC 6455 section 1.3, RFC
//! 7395 section 3.1), then its frames. Wireshark reads WebSockets, and it reads XMPP, but not one in the other: so what the text
//! frames hold is written a second time, at the same moments, as a stream over TCP alone (port 5222, RFC 6120 section 3).
//! Contents are those of the log, blacked out; a frame whose content was not kept is written as an empty element
//! of its kind.

use super::{Direction, Frame, Opcode};
use std::collections::BTreeMap;
use std::fmt::Write;

/// LINKTYPE_RAW: packets begin with their IP header.
const RAW: u16 = 101;
const CLIENT: [u8; 4] = [192, 0, 2, 1];
const SERVER: [u8; 4] = [192, 0, 2, 2];
const HTTP: u16 = 80;
const XMPP: u16 = 5222;
/// The first connection's port; each has its own.
const FIRST_PORT: u32 = 49_152;
/// The most that a segment carries.
const SEGMENT: usize = 32 * 1024;

const SYN: u8 = 2;
const FIN: u8 = 1;
const PUSH: u8 = 8;
const ACK: u8 = 16;

/// The capture file.
pub fn capture<'f>(frames: impl Iterator<Item = &'f Frame>) -> Vec<u8> {
    let mut file = header();
    let mut connections: BTreeMap<u64, Connection> = BTreeMap::new();
    for frame in frames {
        let number = frame.conn.0;
        let micros = u64::try_from(frame.at.0).unwrap_or_default().saturating_mul(1000);
        let connection = connections
            .entry(number)
            .or_insert_with(|| Connection::open(&mut file, number, micros));
        connection.frame(&mut file, frame, micros);
    }
    file
}

/// One connection: as a WebSocket, and its texts as a stream of XMPP.
struct Connection {
    web_socket: Flow,
    stream: Flow,
}

impl Connection {
    fn open(file: &mut Vec<u8>, number: u64, micros: u64) -> Self {
        let mut web_socket = Flow::open(file, number, micros, HTTP);
        // The key and its answer are RFC 6455's own example (section 1.3).
        let request = "GET /xmpp-websocket HTTP/1.1\r\nHost: server.example\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Protocol: xmpp\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";
        web_socket.send(file, micros, Direction::Out, PUSH | ACK, request.as_bytes());
        web_socket.send(file, micros, Direction::In, PUSH | ACK, answer.as_bytes());
        Self {
            web_socket,
            stream: Flow::open(file, number, micros, XMPP),
        }
    }

    fn frame(&mut self, file: &mut Vec<u8>, frame: &Frame, micros: u64) {
        let payload = match frame.opcode {
            Opcode::Text => content(frame).into_bytes(),
            Opcode::Close => code(frame).map_or(Vec::new(), |code| code.to_be_bytes().to_vec()),
            Opcode::Ping | Opcode::Pong => Vec::new(),
        };
        let bytes = web_socket(frame.opcode, frame.direction, &payload);
        self.web_socket.send_all(file, micros, frame.direction, &bytes);
        match frame.opcode {
            Opcode::Text => self.stream.send_all(file, micros, frame.direction, &payload),
            Opcode::Close => {
                for flow in [&mut self.web_socket, &mut self.stream] {
                    flow.send(file, micros, frame.direction, FIN | ACK, b"");
                }
            }
            Opcode::Ping | Opcode::Pong => {}
        }
    }
}

/// A TCP connection, as two streams of bytes.
struct Flow {
    client: u16,
    server: u16,
    /// The next sequence numbers, of the client and of the server.
    next: [u32; 2],
}

impl Flow {
    fn open(file: &mut Vec<u8>, number: u64, micros: u64, server: u16) -> Self {
        let offset = u32::try_from(number % 16_384).unwrap_or_default();
        let mut flow = Self {
            client: u16::try_from(FIRST_PORT + offset).unwrap_or(u16::MAX),
            server,
            next: [0, 0],
        };
        flow.send(file, micros, Direction::Out, SYN, b"");
        flow.send(file, micros, Direction::In, SYN | ACK, b"");
        flow.send(file, micros, Direction::Out, ACK, b"");
        flow
    }

    fn send_all(&mut self, file: &mut Vec<u8>, micros: u64, direction: Direction, bytes: &[u8]) {
        for part in bytes.chunks(SEGMENT) {
            self.send(file, micros, direction, PUSH | ACK, part);
        }
    }

    fn send(&mut self, file: &mut Vec<u8>, micros: u64, direction: Direction, flags: u8, payload: &[u8]) {
        let [client, server] = self.next;
        let (from, to, ports, sequence, acknowledged) = match direction {
            Direction::Out => (CLIENT, SERVER, (self.client, self.server), client, server),
            Direction::In => (SERVER, CLIENT, (self.server, self.client), server, client),
        };
        let mut tcp = Vec::with_capacity(20 + payload.len());
        tcp.extend(ports.0.to_be_bytes());
        tcp.extend(ports.1.to_be_bytes());
        tcp.extend(sequence.to_be_bytes());
        tcp.extend(if flags & ACK == 0 { 0 } else { acknowledged }.to_be_bytes());
        tcp.extend([5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(payload);
        let length = u16::try_from(tcp.len()).unwrap_or(u16::MAX);
        let mut pseudo = Vec::with_capacity(12);
        pseudo.extend(from);
        pseudo.extend(to);
        pseudo.extend([0, 6]);
        pseudo.extend(length.to_be_bytes());
        let sum = checksum(pseudo.iter().chain(&tcp));
        tcp.splice(16..18, sum.to_be_bytes());
        let mut packet = vec![0x45, 0];
        packet.extend(length.saturating_add(20).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        packet.extend(from);
        packet.extend(to);
        let sum = checksum(packet.iter());
        packet.splice(10..12, sum.to_be_bytes());
        packet.extend(tcp);
        let length = u32::try_from(payload.len()).unwrap_or_default();
        let used = length + u32::from(flags & (SYN | FIN) != 0);
        let side = match direction {
            Direction::Out => &mut self.next[0],
            Direction::In => &mut self.next[1],
        };
        *side = side.wrapping_add(used);
        file.extend(enhanced_packet(micros, &packet));
    }
}

/// What stands for the frame: its content, or an empty element of its kind.
fn content(frame: &Frame) -> String {
    match &frame.content {
        Some(content) => content.clone(),
        None => {
            let mut words = frame.kind.split(' ');
            let mut element = format!("<{}", words.next().unwrap_or("unread"));
            if let Some(of) = words.next() {
                // Writing into a string can't fail.
                let _ = write!(element, " type='{of}'");
            }
            element.push_str("/>");
            element
        }
    }
}

fn code(frame: &Frame) -> Option<u16> {
    frame.kind.rsplit(' ').next()?.parse().ok()
}

/// A frame as RFC 6455 section 5.2 has it; a client's are masked, here with zeros.
fn web_socket(opcode: Opcode, direction: Direction, payload: &[u8]) -> Vec<u8> {
    let masked = match direction {
        Direction::Out => 0x80,
        Direction::In => 0,
    };
    let mut bytes = vec![0x80 | opcode.number()];
    match payload.len() {
        short @ 0..=125 => bytes.push(masked | u8::try_from(short).unwrap_or_default()),
        middling @ 126..=65_535 => {
            bytes.push(masked | 126);
            bytes.extend(u16::try_from(middling).unwrap_or_default().to_be_bytes());
        }
        long => {
            bytes.push(masked | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    if masked != 0 {
        bytes.extend([0; 4]);
    }
    bytes.extend(payload);
    bytes
}

/// The internet checksum (RFC 1071).
fn checksum<'b>(bytes: impl Iterator<Item = &'b u8>) -> u16 {
    let mut sum: u32 = 0;
    for (index, byte) in bytes.enumerate() {
        sum += if index % 2 == 0 {
            u32::from(*byte) << 8
        } else {
            u32::from(*byte)
        };
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum & 0xffff).unwrap_or_default()
}

/// A block: its type, its body padded to four bytes, its length on both sides.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let length = u32::try_from(12 + body.len() + padding).unwrap_or(u32::MAX);
    let mut block = Vec::with_capacity(12 + body.len() + padding);
    block.extend(kind.to_le_bytes());
    block.extend(length.to_le_bytes());
    block.extend(body);
    block.extend(std::iter::repeat_n(0, padding));
    block.extend(length.to_le_bytes());
    block
}

/// The section and its one interface.
fn header() -> Vec<u8> {
    let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]);
    section.extend([0xff; 8]);
    let mut interface = RAW.to_le_bytes().to_vec();
    interface.extend([0; 6]);
    let mut file = block(0x0a0d_0d0a, &section);
    file.extend(block(1, &interface));
    file
}

fn enhanced_packet(micros: u64, packet: &[u8]) -> Vec<u8> {
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    let high = u32::try_from(micros >> 32).unwrap_or_default();
    let low = u32::try_from(micros & 0xffff_ffff).unwrap_or_default();
    let mut body = Vec::with_capacity(20 + packet.len());
    for number in [0, high, low, length, length] {
        body.extend(number.to_le_bytes());
    }
    body.extend(packet);
    block(6, &body)
}

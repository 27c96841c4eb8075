//! WebSocket frames as a server writes them (RFC 6455 section 5.2), right or wrong.

const FINAL: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;

/// A text frame; the payload need not be text.
pub fn text(payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(FINAL | TEXT, payload.as_ref())
}

/// A binary frame.
pub fn binary(payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(FINAL | BINARY, payload.as_ref())
}

/// A ping.
pub fn ping() -> Vec<u8> {
    frame(FINAL | PING, b"still there?")
}

/// A close frame.
pub fn close(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    frame(FINAL | CLOSE, &payload)
}

/// A text in fragments of so many bytes, a ping between each two.
pub fn fragments(payload: impl AsRef<[u8]>, size: usize) -> Vec<u8> {
    let parts: Vec<&[u8]> = payload.as_ref().chunks(size.max(1)).collect();
    let mut out = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let kind = if at == 0 { TEXT } else { CONTINUATION };
        let last = at + 1 == parts.len();
        out.extend(frame(if last { FINAL | kind } else { kind }, part));
        if !last {
            out.extend(ping());
        }
    }
    out
}

/// The beginning of a text frame that says it were this long, without its payload.
pub fn announced(length: u64) -> Vec<u8> {
    let mut out = vec![FINAL | TEXT, 127];
    out.extend_from_slice(&length.to_be_bytes());
    out
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..126), _) => out.push(length),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
    out
}

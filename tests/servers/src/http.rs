//! The little HTTP that starting a server takes: is its WebSocket there (RFC 6455, RFC 7395), and POST.

use crate::error::{Result, ServerError};
use crate::place::Place;
use std::path::Path;

/// Whether `/xmpp-websocket` at this port accepts an upgrade with the subprotocol `xmpp`.
pub(crate) fn accepts_xmpp_websocket(place: &Place, port: u16, host: &str) -> bool {
    let request = format!(
        "GET /xmpp-websocket HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZG9ybW91c2UtZG9ybW91cw==\r\n\
         Sec-WebSocket-Protocol: xmpp\r\n\r\n"
    );
    let start = b"HTTP/1.1 101";
    place
        .exchange(port, &request, start.len())
        .is_some_and(|answer| answer == start)
}

/// POSTs JSON and returns the status and the body.
pub(crate) fn post_json(place: &Place, port: u16, path: &str, body: &str) -> Result<(u16, String)> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {}:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        place.host(),
        body.len()
    );
    let answer = place
        .exchange(port, &request, 1 << 20)
        .ok_or_else(|| ServerError::new(format!("Nobody answers HTTP on port {port}")))?;
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| ServerError::new(format!("Not an HTTP answer on port {port}: {text:.60}")))?;
    let body = text
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default();
    Ok((status, body))
}

/// A JSON string literal, quotes included.
pub(crate) fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Writes `.well-known/host-meta` and `host-meta.json` (XEP-0156) below `folder`, naming this WebSocket
/// endpoint: for a server that hands out files over HTTP.
pub fn host_meta_files(folder: &Path, websocket_url: &str) -> Result<()> {
    let well_known = folder.join(".well-known");
    std::fs::create_dir_all(&well_known).map_err(ServerError::io("The folder .well-known cannot be made"))?;
    let xml = format!(
        "<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n  \
         <Link rel='urn:xmpp:alt-connections:websocket' href='{}'/>\n</XRD>\n",
        websocket_url
            .replace('&', "&amp;")
            .replace('\'', "&apos;")
            .replace('<', "&lt;")
    );
    let json = format!(
        "{{\"links\":[{{\"rel\":\"urn:xmpp:alt-connections:websocket\",\"href\":{}}}]}}\n",
        json_string(websocket_url)
    );
    std::fs::write(well_known.join("host-meta"), xml)
        .and_then(|()| std::fs::write(well_known.join("host-meta.json"), json))
        .map_err(ServerError::io("The host-meta files cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_backslashes_and_control_characters_are_escaped_in_json() {
        assert_eq!(json_string("a\"b\\c\n"), r#""a\"b\\c\u000a""#);
    }
}

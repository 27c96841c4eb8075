//! Enough HTTP and WebSocket by hand to see that a server is there, without the code under test.
#![allow(dead_code)] // Each test binary uses its part.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Clippy knows only `#[test]` functions for tests.

pub mod sasl2;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub fn upgrade_request(host: &str) -> String {
    format!(
        "GET /xmpp-websocket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZG9ybW91c2UtZG9ybW91cw==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"
    )
}

fn until_blank_line(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).to_lowercase()
}

/// The head of the answer to a WebSocket upgrade, in lower case; `None` when nobody listens.
pub fn upgrade(port: u16) -> Option<(String, TcpStream)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
        .write_all(upgrade_request(&format!("127.0.0.1:{port}")).as_bytes())
        .unwrap();
    let head = until_blank_line(&mut stream);
    Some((head, stream))
}

pub fn assert_is_xmpp_websocket(port: u16) {
    let (head, _) = upgrade(port).expect("nobody listens");
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(
        head.replace(": ", ":").contains("sec-websocket-protocol:xmpp\r"),
        "{head}"
    );
}

fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend([0, 0, 0, 0]); // A mask of zeroes: the text as it is.
    frame.extend(text.as_bytes());
    frame
}

/// What the server answers to these frames (a stream's opening first), until `until` is in it or 5 s are over.
pub fn say(port: u16, frames: &[&str], until: &str) -> String {
    let (head, mut stream) = upgrade(port).expect("nobody listens");
    assert!(head.starts_with("http/1.1 101"), "{head}");
    for text in frames {
        stream.write_all(&frame(text)).unwrap();
    }
    hear(&mut stream, until)
}

fn hear(stream: &mut impl Read, until: &str) -> String {
    let mut heard = Vec::new();
    let mut chunk = [0; 4096];
    while !String::from_utf8_lossy(&heard).contains(until) {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(length) => heard.extend(&chunk[..length]),
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

pub const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";

/// Whether a user can sign in with a password, by SASL PLAIN.
pub fn signs_in(port: u16, user: &str, password: &str) -> bool {
    let initial = base64(format!("\0{user}\0{password}").as_bytes());
    let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>");
    let heard = say(port, &[OPEN, &auth], "xmpp-sasl'/>");
    heard.contains("<success")
}

/// The mechanisms offered on a port.
pub fn mechanisms(port: u16) -> String {
    say(port, &[OPEN], "</stream:features>")
}

pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        for index in 0..4 {
            let letter = ALPHABET[(word >> (18 - 6 * index) & 63) as usize] as char;
            out.push(if index <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

/// The body of a GET over plain HTTP.
pub fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// TLS by `openssl s_client`, which must trust `authority`.
fn over_tls(port: u16, authority: &std::path::Path) -> Child {
    Command::new("openssl")
        .args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-verify_hostname",
            "localhost",
            "-servername",
            "localhost",
        ])
        .args(["-connect", &format!("127.0.0.1:{port}")])
        .arg("-CAfile")
        .arg(authority)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A WebSocket upgrade over TLS. The answer's beginning; empty where the certificate is not trusted.
pub fn upgrade_over_tls(port: u16, authority: &std::path::Path) -> String {
    let mut child = over_tls(port, authority);
    // A refused certificate ends openssl before it reads: then the answer is empty.
    let _ = child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(upgrade_request("localhost").as_bytes());
    let mut start = [0; 12];
    let read = child.stdout.as_mut().unwrap().read_exact(&mut start);
    let _ = child.kill();
    child.wait().unwrap();
    read.map(|()| String::from_utf8_lossy(&start).into_owned())
        .unwrap_or_default()
}

/// As [`say`], over TLS; the answer begins with the head of the upgrade's.
pub fn say_over_tls(port: u16, authority: &std::path::Path, frames: &[&str], until: &str) -> String {
    let mut child = over_tls(port, authority);
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    input.write_all(upgrade_request("localhost").as_bytes()).unwrap();
    // What is sent before the upgrade is answered is lost.
    let mut heard = hear(&mut output, "\r\n\r\n");
    for text in frames {
        input.write_all(&frame(text)).unwrap();
    }
    heard += &hear(&mut output, until);
    let _ = child.kill();
    child.wait().unwrap();
    heard
}

/// Whether the process is still there (and not a zombie).
pub fn is_alive(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .trim_start()
            .starts_with('Z')
    })
}

//! What comes in over an open connection, and every way in which it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod common;

use common::*;
use dormouse_dial::{Inbound, Reader};
use dormouse_model::Closing;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

type Server = WebSocketStream<TcpStream>;

async fn ending(reader: &mut Reader) -> Closing {
    loop {
        if let Err(closing) = reader.next().await {
            return closing;
        }
    }
}

async fn stay() {
    tokio::time::sleep(Duration::from_secs(20)).await;
}

/// How a connection ends when the server writes these bytes of its own making.
async fn after_raw(bytes: &'static [u8]) -> (Vec<Inbound>, Closing) {
    let connected = scripted(move |mut server: Server| async move {
        server.get_mut().write_all(bytes).await.unwrap();
        stay().await;
    })
    .await;
    let (mut reader, _writer) = connected.socket.split();
    let mut seen = vec![];
    loop {
        match tokio::time::timeout(Duration::from_secs(5), reader.next())
            .await
            .unwrap()
        {
            Ok(inbound) => seen.push(inbound),
            Err(closing) => return (seen, closing),
        }
    }
}

const CLOSE: &[u8] = b"\x88\x02\x03\xe8";

#[tokio::test]
async fn text_goes_both_ways_and_several_frames_in_one_flush() {
    let connected = scripted(|mut server: Server| async move {
        while let Some(Ok(message)) = server.next().await {
            if message.is_text() {
                server.send(message).await.unwrap();
            }
        }
    })
    .await;
    let (mut reader, mut writer) = connected.socket.split();
    writer.send("<open/>".into()).await.unwrap();
    writer
        .send_all(["<a/>", "<ü/>", "<c/>"].map(String::from))
        .await
        .unwrap();
    for expected in ["<open/>", "<a/>", "<ü/>", "<c/>"] {
        assert_eq!(reader.next().await, Ok(Inbound::Text(expected.into())));
    }
    writer.close(1000).await.unwrap();
    assert_eq!(
        ending(&mut reader).await,
        Closing::Frame {
            code: 1000,
            reason: String::new()
        }
    );
}

#[tokio::test]
async fn fragments_are_joined_and_a_ping_between_them_is_answered() {
    let connected = scripted(|mut server: Server| async move {
        server
            .get_mut()
            .write_all(b"\x01\x03<a>\x89\x02hi\x00\x01b\x80\x04</a>")
            .await
            .unwrap();
        let Some(Ok(Message::Pong(data))) = server.next().await else {
            panic!("no pong")
        };
        server
            .send(Message::text(String::from_utf8(data.to_vec()).unwrap()))
            .await
            .unwrap();
        stay().await;
    })
    .await;
    let (mut reader, _writer) = connected.socket.split();
    assert_eq!(reader.next().await, Ok(Inbound::Ping));
    assert_eq!(reader.next().await, Ok(Inbound::Text("<a>b</a>".into())));
    assert_eq!(
        reader.next().await,
        Ok(Inbound::Text("hi".into())),
        "the pong bore the ping's data"
    );
}

#[tokio::test]
async fn a_binary_frame_ends_it() {
    let (seen, closing) = after_raw(b"\x82\x03<a>").await;
    assert_eq!(seen, []);
    assert_eq!(closing, Closing::Malformed("a binary frame".into()));
}

#[tokio::test]
async fn broken_text_and_broken_frames_are_malformed() {
    let cases: [&[u8]; 5] = [
        b"\x81\x02\xff\xfe", // not UTF-8
        b"\x83\x01a",        // a reserved opcode
        b"\xc1\x01a",        // a reserved bit
        b"\x81\x81aaaaa",    // masked by a server
        b"\x80\x01a",        // a continuation of nothing
    ];
    for bytes in cases {
        let (seen, closing) = after_raw(bytes).await;
        assert_eq!(seen, []);
        assert!(
            matches!(closing, Closing::Malformed(_)),
            "{bytes:x?}: {closing:?}"
        );
    }
}

#[tokio::test]
async fn more_than_we_take_is_too_large_before_it_has_come() {
    // 1 MiB is announced and not sent.
    let (_, closing) = after_raw(b"\x81\x7f\x00\x00\x00\x00\x00\x10\x00\x00").await;
    assert_eq!(closing, Closing::TooLarge);
    let connected = scripted(|mut server: Server| async move {
        let _ = server.get_mut().write_all(b"\x01\x01a").await;
        for _ in 0..3 {
            let mut frame = vec![0x00, 0x7e, 0xc3, 0x50];
            frame.resize(4 + 50_000, b'a');
            let _ = server.get_mut().write_all(&frame).await;
        }
        stay().await;
    })
    .await;
    let (mut reader, _writer) = connected.socket.split();
    assert_eq!(ending(&mut reader).await, Closing::TooLarge, "in fragments, too");
}

#[tokio::test]
async fn a_close_frame_gives_its_code_and_reason() {
    let connected = scripted(|mut server: Server| async move {
        let frame = CloseFrame {
            code: 4321.into(),
            reason: "go away".into(),
        };
        server.close(Some(frame)).await.unwrap();
        stay().await;
    })
    .await;
    let (mut reader, _writer) = connected.socket.split();
    assert_eq!(
        ending(&mut reader).await,
        Closing::Frame {
            code: 4321,
            reason: "go away".into()
        }
    );
    assert_eq!(
        after_raw(CLOSE).await.1,
        Closing::Frame {
            code: 1000,
            reason: String::new()
        }
    );
    assert_eq!(
        after_raw(b"\x88\x00").await.1,
        Closing::Frame {
            code: 1005,
            reason: String::new()
        }
    );
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_an_end() {
    let connected = scripted(|server: Server| async move { drop(server) }).await;
    let (mut reader, _writer) = connected.socket.split();
    assert_eq!(ending(&mut reader).await, Closing::Eof);
    assert_eq!(ending(&mut reader).await, Closing::Eof, "and stays one");
}

#[tokio::test]
async fn a_reset_is_broken() {
    let connected = scripted(|server: Server| async move {
        // Ends with a reset instead of a FIN.
        server.get_ref().set_zero_linger().unwrap();
        drop(server);
    })
    .await;
    let (mut reader, _writer) = connected.socket.split();
    let closing = ending(&mut reader).await;
    assert!(matches!(closing, Closing::Broken(_)), "{closing:?}");
}

#[tokio::test]
async fn a_peer_that_reads_nothing_blocks_the_writer_and_not_the_reader() {
    let connected = scripted(|mut server: Server| async move {
        tokio::time::sleep(Duration::from_millis(600)).await;
        server.send(Message::text("still here")).await.unwrap();
        stay().await;
    })
    .await;
    let (mut reader, mut writer) = connected.socket.split();
    let flood = tokio::spawn(async move {
        loop {
            writer.send("x".repeat(1_000_000)).await.unwrap();
        }
    });
    let read = tokio::time::timeout(Duration::from_secs(10), reader.next())
        .await
        .unwrap();
    assert_eq!(read, Ok(Inbound::Text("still here".into())));
    assert!(!flood.is_finished());
    flood.abort();
    assert!(
        flood.await.unwrap_err().is_cancelled(),
        "a write that hangs can be given up"
    );
}

#[tokio::test]
async fn a_read_that_is_given_up_loses_nothing() {
    let connected = scripted(|mut server: Server| async move {
        for n in 0..50 {
            server.send(Message::text(n.to_string())).await.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        stay().await;
    })
    .await;
    let (mut reader, _writer) = connected.socket.split();
    let mut seen = 0;
    while seen < 50 {
        if let Ok(inbound) = tokio::time::timeout(Duration::from_millis(1), reader.next()).await {
            assert_eq!(inbound, Ok(Inbound::Text(seen.to_string())));
            seen += 1;
        }
    }
}

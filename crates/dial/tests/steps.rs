//! Every way in which a dial fails after discovery, and what a good one offers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod common;

use common::*;
use dormouse_dial::{Dialler, Inbound, Report, Secured, Settings, TlsVersion};
use dormouse_model::{CertificateProblem, DialFailure, DialStep};
use futures_util::SinkExt;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_name_that_does_not_exist_is_said_so() {
    let failure = failure(Settings::default(), endpoint("wss://nobody.invalid/".into())).await;
    // Without a network the resolver can't know.
    assert!(
        matches!(failure, DialFailure::NameNotFound | DialFailure::NamesUnavailable),
        "{failure:?}"
    );
}

#[tokio::test]
async fn an_endpoint_that_may_not_be_used_is_refused_before_anything_is_sent() {
    let mut steps = vec![];
    let dialler = Dialler::new(Settings::default());
    let outcome = dialler
        .dial_telling(endpoint("ws://x.example/".into()), |step| steps.push(step))
        .await;
    assert!(matches!(outcome.err(), Some(DialFailure::BadEndpoint(_))));
    assert_eq!(steps, []);
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = failure(Settings::default(), endpoint(format!("ws://{address}/"))).await;
    assert_eq!(failure, DialFailure::Refused);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_way_there_is_unreachable() {
    // Linux has no route from a broadcast address.
    let failure = failure(impatient(), endpoint("wss://255.255.255.255/".into())).await;
    assert_eq!(failure, DialFailure::Unreachable);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_lost_first_packet_costs_a_quarter_of_a_second_and_not_a_whole_one() {
    let (listener, held) = full("127.0.0.1:0").await;
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut accepted = vec![];
        for _ in &held {
            accepted.push(listener.accept().await.unwrap().0);
        }
        let (stream, _) = listener.accept().await.unwrap();
        upgrade(stream).await.send(Message::text("hello")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop((held, accepted));
    });
    let started = Instant::now();
    let connected = dial(Settings::default(), endpoint(format!("ws://{address}/"))).await;
    assert!(connected.is_ok());
    let took = started.elapsed();
    assert!(
        took > Duration::from_millis(200) && took < Duration::from_millis(900),
        "{took:?}"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn of_several_addresses_each_is_tried_again_before_the_system_would() {
    let (good, held) = full("127.0.0.1:0").await;
    let address = good.local_addr().unwrap();
    let (_silent, _held) = full(&format!("127.0.0.2:{}", address.port())).await;
    tokio::spawn(async move {
        // After the first try of it, at 250 ms, and before the second, at 750; the kernel's own comes at 1250.
        tokio::time::sleep(Duration::from_millis(500)).await;
        for _ in &held {
            drop(good.accept().await.unwrap());
        }
        let (stream, _) = good.accept().await.unwrap();
        let _socket = upgrade(stream).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(held);
    });
    let mut settings = Settings::default();
    settings.hosts.insert(
        "localhost".into(),
        ["127.0.0.2", "127.0.0.1"].map(|ip| ip.parse().unwrap()).into(),
    );
    let started = Instant::now();
    let target = endpoint(format!("ws://localhost:{}/", address.port()));
    let connected = dial(settings, target).await.ok().unwrap();
    assert_eq!(connected.peer_addr, address);
    let took = started.elapsed();
    assert!(
        took > Duration::from_millis(700) && took < Duration::from_millis(1_150),
        "{took:?}"
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_is_silent_does_not_hold_up_the_next_one() {
    let authority = Authority::new();
    let good = serve({
        let acceptor = acceptor(&authority.issue("x.example"));
        move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let _socket = upgrade(acceptor.accept(stream).await.unwrap()).await;
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    })
    .await;
    let (_silent, _held) = full(&format!("127.0.0.2:{}", good.port())).await;
    let mut settings = settings(&authority);
    settings.hosts.insert(
        "x.example".into(),
        ["127.0.0.2", "127.0.0.1"].map(|ip| ip.parse().unwrap()).into(),
    );
    let started = Instant::now();
    let connected = dial(settings, endpoint(format!("wss://x.example:{}/", good.port()))).await;
    assert_eq!(connected.ok().unwrap().peer_addr, good);
    assert!(
        started.elapsed() < Duration::from_millis(900),
        "{:?}",
        started.elapsed()
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn tcp_without_an_answer_ends_at_its_deadline() {
    let (listener, _held) = full("127.0.0.1:0").await;
    let address = listener.local_addr().unwrap();
    let failure = failure(impatient(), endpoint(format!("ws://{address}/"))).await;
    assert_eq!(failure, DialFailure::TimedOut(DialStep::Tcp));
}

#[tokio::test]
async fn tls_and_web_socket_without_an_answer_end_at_their_deadlines() {
    let address = serve(|stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    for (scheme, step) in [("wss", DialStep::Tls), ("ws", DialStep::WebSocket)] {
        let started = Instant::now();
        let failure = failure(impatient(), endpoint(format!("{scheme}://{address}/"))).await;
        assert_eq!(failure, DialFailure::TimedOut(step));
        assert!(started.elapsed() < 5 * SHORT);
    }
}

#[tokio::test]
async fn each_bad_certificate_is_called_what_it_is() {
    let (ours, impostors) = (Authority::new(), Authority::new());
    let strangers = Authority::called("somebody else");
    let cases = [
        (ours.issue("other.example"), CertificateProblem::WrongName),
        (ours.issue_until("x.example", 2010), CertificateProblem::Expired),
        (strangers.issue("x.example"), CertificateProblem::UnknownIssuer),
        (impostors.issue("x.example"), CertificateProblem::UnknownIssuer),
        (self_signed("x.example", false), CertificateProblem::UnknownIssuer),
        (self_signed("x.example", true), CertificateProblem::UnknownIssuer),
    ];
    for (identity, problem) in cases {
        let port = serve_tls(&identity).await.port();
        let failure = failure(settings(&ours), endpoint(format!("wss://x.example:{port}/ws"))).await;
        assert_eq!(failure, DialFailure::Certificate(problem));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_trust_store_may_be_named_by_the_environment() {
    // The variable belongs to the whole process: the dial runs in one of its own.
    if let Some(url) = std::env::var_os("DORMOUSE_DIAL_CHILD") {
        let target = endpoint(url.into_string().unwrap());
        let hosts = settings(&Authority::new()).hosts;
        let outcome = dial(
            Settings {
                hosts,
                ..Settings::default()
            },
            target,
        )
        .await;
        assert!(outcome.is_ok(), "{:?}", outcome.err());
        return;
    }
    let authority = Authority::new();
    let port = serve_tls(&authority.issue("x.example")).await.port();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem("CERTIFICATE", &authority.root)).unwrap();
    let child = move |roots: Option<&std::path::Path>| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "the_trust_store_may_be_named_by_the_environment"])
            .env("DORMOUSE_DIAL_CHILD", format!("wss://x.example:{port}/ws"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        match roots {
            Some(path) => command.env("SSL_CERT_FILE", path),
            None => command.env_remove("SSL_CERT_FILE"),
        };
        command
    };
    let path = file.path().to_owned();
    let outcomes = tokio::task::spawn_blocking(move || {
        [Some(path.as_path()), None].map(|roots| child(roots).status().unwrap().success())
    });
    assert_eq!(outcomes.await.unwrap(), [true, false]);
}

#[tokio::test]
async fn an_encrypted_connection_offers_what_sign_in_needs() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.issue("x.example"));
    let address = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            let exporter = stream
                .get_ref()
                .1
                .export_keying_material([0_u8; 32], b"EXPORTER-Channel-Binding", Some(&[]))
                .unwrap();
            upgrade(stream)
                .await
                .send(Message::text(format!("{exporter:?}")))
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    })
    .await;
    let mut steps = vec![];
    let dialler = Dialler::new(settings(&authority));
    let target = endpoint(format!("wss://x.example:{}/ws", address.port()));
    let connected = dialler
        .dial_telling(target, |step| steps.push(step))
        .await
        .unwrap_or_else(|f| panic!("{f:?}"));
    assert_eq!(
        steps,
        [DialStep::Names, DialStep::Tcp, DialStep::Tls, DialStep::WebSocket]
    );
    assert!(connected.channel.encrypted && connected.channel.loopback);
    assert_eq!(connected.peer_addr, address);
    let (mut reader, _writer) = connected.socket.split();
    let exporter = connected.channel.exporter.unwrap();
    assert_eq!(reader.next().await, Ok(Inbound::Text(format!("{exporter:?}"))));
    assert_ne!(exporter, [0; 32]);
}

#[tokio::test]
async fn who_asks_is_told_what_came_of_each_step() {
    let authority = Authority::new();
    let address = serve_tls(&authority.issue("x.example")).await;
    let dialler = Dialler::new(settings(&authority));
    let target = endpoint(format!("wss://x.example:{}/ws", address.port()));
    let found = dialler
        .look_up("elsewhere.example", target.endpoint.as_ref())
        .await;
    assert_eq!(found, Ok(Some(("x.example".to_owned(), vec![address.ip()]))));
    let mut reports = vec![];
    let connected = dialler
        .dial_reporting(target, |report| reports.push(report))
        .await;
    assert!(connected.is_ok());
    let secured = Secured {
        version: TlsVersion::V1_3,
        issuer: Some("a test's own authority".to_owned()),
    };
    assert_eq!(
        reports,
        [
            Report::Begins(DialStep::Names),
            Report::Begins(DialStep::Tcp),
            Report::Reached(address),
            Report::Begins(DialStep::Tls),
            Report::Secured(secured),
            Report::Begins(DialStep::WebSocket),
        ]
    );
}

#[tokio::test]
async fn what_is_not_tls_is_not_taken_for_it() {
    let answers_at_once = serve(|mut stream| async move {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-dropbear\r\n").await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    })
    .await;
    let outcome = failure(Settings::default(), endpoint(format!("wss://{answers_at_once}/"))).await;
    assert!(matches!(outcome, DialFailure::Tls(_)), "{outcome:?}");
    let hangs_up = serve(|stream| async move { drop(stream) }).await;
    for scheme in ["wss", "ws"] {
        let outcome = failure(Settings::default(), endpoint(format!("{scheme}://{hangs_up}/"))).await;
        assert!(matches!(outcome, DialFailure::Broken(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_http_answer_keeps_its_status_and_when_to_come_back() {
    let cases = [
        (
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
            429,
            Some(7),
        ),
        (
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n",
            503,
            Some(0),
        ),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, None),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\n\r\n",
            302,
            None,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, None),
    ];
    for (answer, status, seconds) in cases {
        let address = serve_raw(answer).await;
        let failure = failure(Settings::default(), endpoint(format!("ws://{address}/"))).await;
        let retry_after = seconds.map(Duration::from_secs);
        assert_eq!(failure, DialFailure::Http { status, retry_after });
    }
}

#[tokio::test]
async fn what_does_not_speak_xmpp_over_web_socket_is_told_apart() {
    let without_subprotocol = serve(|stream| async move {
        let _ = tokio_tungstenite::accept_async(stream).await;
    })
    .await;
    let wrong_key = serve_raw(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: AAAA\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n",
    )
    .await;
    let no_http = serve_raw("<stream:error>not over this port</stream:error>\r\n\r\n").await;
    for address in [without_subprotocol, wrong_key, no_http] {
        let failure = failure(Settings::default(), endpoint(format!("ws://{address}/"))).await;
        assert!(matches!(failure, DialFailure::NotWebSocket(_)), "{failure:?}");
    }
}

//! Through proxies that do what they are asked, refuse, stall and are none. What the real ones do is seen in the scenarios.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod common;

use common::*;
use dormouse_dial::{Connected, Dialler, Login, Settings, Target};
use dormouse_model::{DialFailure, DialStep, Endpoint, ProxyAnswer, ProxyProblem, Way};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A name that no name server knows.
const NOWHERE: &str = "x.invalid";

/// What a proxy was asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// A proxy that opens every tunnel to this machine, and notes for what it was asked.
async fn http_proxy() -> (String, Asked) {
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    let address = serve(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            let head = read_head(&mut stream).await;
            let to = head.split(' ').nth(1).unwrap().to_owned();
            let port = to.rsplit_once(':').unwrap().1.parse().unwrap();
            noted.lock().unwrap().push(to);
            stream
                .write_all(b"HTTP/1.1 200 Go on\r\nVia: test\r\n\r\n")
                .await
                .unwrap();
            tunnel(stream, port).await;
        }
    })
    .await;
    (format!("http://{address}"), asked)
}

/// The same by SOCKS5.
async fn socks_proxy() -> (String, Asked) {
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    let address = serve(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            let mut hello = [0; 3];
            stream.read_exact(&mut hello).await.unwrap();
            stream.write_all(&[5, 0]).await.unwrap();
            let mut head = [0; 5];
            stream.read_exact(&mut head).await.unwrap();
            assert_eq!(head[..4], [5, 1, 0, 3], "an address instead of a name");
            let mut name = vec![0; usize::from(head[4])];
            stream.read_exact(&mut name).await.unwrap();
            let port = stream.read_u16().await.unwrap();
            noted
                .lock()
                .unwrap()
                .push(format!("{}:{port}", String::from_utf8(name).unwrap()));
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            tunnel(stream, port).await;
        }
    })
    .await;
    (format!("socks5://{address}"), asked)
}

async fn tunnel(mut stream: TcpStream, port: u16) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut server).await;
}

/// Through this proxy, with no name known.
fn through(proxy: &str, authority: &Authority) -> Settings {
    Settings {
        proxy: proxy.parse().unwrap(),
        hosts: Default::default(),
        ..settings(authority)
    }
}

fn at(port: u16) -> Target {
    endpoint(format!("wss://{NOWHERE}:{port}/ws"))
}

async fn steps(settings: Settings, target: Target) -> (Result<Connected, DialFailure>, Vec<DialStep>) {
    let mut told = vec![];
    let outcome = Dialler::new(settings)
        .dial_telling(target, |step| told.push(step))
        .await;
    (outcome, told)
}

#[tokio::test]
async fn the_servers_name_goes_to_the_proxy_and_nowhere_else() {
    let authority = Authority::new();
    let port = serve_tls(&authority.issue(NOWHERE)).await.port();
    for (proxy, asked) in [http_proxy().await, socks_proxy().await] {
        let (outcome, told) = steps(through(&proxy, &authority), at(port)).await;
        let connected = outcome.unwrap_or_else(|failure| panic!("{proxy}: {failure:?}"));
        assert_eq!(*asked.lock().unwrap(), [format!("{NOWHERE}:{port}")]);
        assert_eq!(
            told,
            [
                DialStep::Names,
                DialStep::Tcp,
                DialStep::Proxy,
                DialStep::Tls,
                DialStep::WebSocket
            ]
        );
        assert!(connected.channel.encrypted);
        assert!(
            !connected.channel.loopback,
            "the proxy is here, the server is not"
        );
        // Without the proxy that name leads nowhere: the test would see it if it were looked up.
        let straight = failure(through("none", &authority), at(port)).await;
        assert!(
            matches!(
                straight,
                DialFailure::NameNotFound | DialFailure::NamesUnavailable
            ),
            "{straight:?}"
        );
    }
}

#[tokio::test]
async fn remembered_addresses_are_not_dialled_behind_a_proxy_and_are_kept_for_later() {
    let authority = Authority::new();
    let port = serve_tls(&authority.issue(NOWHERE)).await.port();
    let listener = TcpListener::bind(("127.0.0.3", port)).await.unwrap();
    let knocks = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&knocks);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let way = Way {
        endpoint: Endpoint(format!("wss://{NOWHERE}:{port}/ws")),
        addresses: vec!["127.0.0.3".parse().unwrap()],
    };
    let target = || Target {
        known: Some(way.clone()),
        ..at(port)
    };
    let (proxy, _) = socks_proxy().await;
    let connected = dial(through(&proxy, &authority), target()).await.ok().unwrap();
    assert_eq!(connected.way, way);
    assert_eq!(knocks.load(Ordering::Relaxed), 0);
    let _ = tokio::time::timeout(SHORT, dial(through("none", &authority), target())).await;
    assert!(knocks.load(Ordering::Relaxed) > 0, "this test shows nothing");
}

#[tokio::test]
async fn the_domain_is_asked_for_its_endpoint_through_the_proxy_too() {
    let authority = Authority::new();
    let endpoint = serve_tls(&authority.issue("x.example")).await.port();
    let meta = serve_documents(&authority, move |_, _| {
        json(&format!("wss://x.example:{endpoint}/ws"))
    })
    .await;
    for (proxy, asked) in [http_proxy().await, socks_proxy().await] {
        let settings = Settings {
            discovery_port: meta.port(),
            ..through(&proxy, &authority)
        };
        let target = Target {
            domain: "x.example".into(),
            endpoint: None,
            known: None,
        };
        let connected = dial(settings, target).await;
        assert_eq!(
            connected.ok().unwrap().way.endpoint.0,
            format!("wss://x.example:{endpoint}/ws")
        );
        let asked = asked.lock().unwrap();
        assert!(asked.contains(&format!("x.example:{}", meta.port())), "{asked:?}");
        assert_eq!(asked.last(), Some(&format!("x.example:{endpoint}")));
    }
}

#[tokio::test]
async fn this_machine_is_reached_without_the_proxy() {
    let address = serve(|stream| async move {
        let _open = upgrade(stream).await;
        tokio::time::sleep(SHORT).await;
    })
    .await;
    let settings = Settings {
        proxy: "http://127.0.0.1:1".parse().unwrap(),
        ..Settings::default()
    };
    let connected = dial(settings, endpoint(format!("ws://{address}/"))).await;
    assert!(connected.ok().unwrap().channel.loopback);
}

/// What comes of a dial through a proxy at this place.
async fn problem(scheme: &str, proxy: SocketAddr) -> DialFailure {
    let settings = Settings {
        proxy: format!("{scheme}://{proxy}").parse().unwrap(),
        ..impatient()
    };
    failure(settings, at(443)).await
}

fn said(proxy: String, problem: ProxyProblem) -> DialFailure {
    DialFailure::Proxy { proxy, problem }
}

#[tokio::test]
async fn what_a_proxy_does_wrong_is_not_called_the_servers_fault() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let web = serve_raw("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n").await;
    let refuses = serve_raw("HTTP/1.1 403 Forbidden\r\n\r\n").await;
    for scheme in ["http", "socks5"] {
        assert_eq!(
            problem(scheme, nobody).await,
            said(format!("{scheme}://{nobody}"), ProxyProblem::Unreachable)
        );
        let hangs_up = serve(|stream| async move { drop(stream) }).await;
        assert_eq!(
            problem(scheme, hangs_up).await,
            said(format!("{scheme}://{hangs_up}"), ProxyProblem::NotAProxy)
        );
        let silent = serve(|mut stream| async move {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        assert_eq!(
            problem(scheme, silent).await,
            DialFailure::TimedOut(DialStep::Proxy)
        );
    }
    assert_eq!(
        problem("http", web).await,
        said(format!("http://{web}"), ProxyProblem::NotAProxy)
    );
    assert_eq!(
        problem("http", refuses).await,
        said(
            format!("http://{refuses}"),
            ProxyProblem::Refused(ProxyAnswer::Http(403))
        )
    );
    let named = Settings {
        proxy: "socks5://proxy.invalid:1080".parse().unwrap(),
        ..impatient()
    };
    assert_eq!(
        failure(named, at(443)).await,
        said("socks5://proxy.invalid:1080".into(), ProxyProblem::Unreachable)
    );
}

#[tokio::test]
async fn a_login_that_comes_later_holds_from_the_next_dial_on() {
    let proxy = serve(|mut stream| async move {
        let head = read_head(&mut stream).await;
        // bWU6c2VjcmV0: me:secret.
        let known = head.contains("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n");
        let status = if known { "502 Bad Gateway" } else { "407 Who?" };
        let _ = stream
            .write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .await;
        let _ = stream.shutdown().await;
    })
    .await;
    let dialler = Dialler::new(Settings {
        proxy: format!("http://{proxy}").parse().unwrap(),
        ..impatient()
    });
    for (login, problem) in [
        (None, ProxyProblem::WantsPassword),
        (Some(Login::new("me", "wrong")), ProxyProblem::WrongPassword),
        (
            Some(Login::from_line("me:secret")),
            ProxyProblem::CannotReach(ProxyAnswer::Http(502)),
        ),
    ] {
        dialler.sign_in_at_proxy(login);
        let failure = dialler.dial(at(443)).await.err();
        assert_eq!(failure, Some(said(format!("http://{proxy}"), problem)));
    }
}

//! What worked last is dialled at once, and put right where it is out of date.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use dormouse_dial::{Connected, Dialler, Settings, Target};
use dormouse_model::{DialFailure, DialStep, Endpoint, Way};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn known(endpoint: impl Into<String>, addresses: &[&str]) -> Way {
    Way {
        endpoint: Endpoint(endpoint.into()),
        addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
    }
}

fn remembered(way: &Way) -> Target {
    Target {
        domain: "x.example".into(),
        endpoint: None,
        known: Some(way.clone()),
    }
}

fn wss(port: u16) -> String {
    format!("wss://x.example:{port}/ws")
}

fn ips(addresses: &[&str]) -> Vec<IpAddr> {
    addresses.iter().map(|ip| ip.parse().unwrap()).collect()
}

async fn steps(settings: Settings, target: Target) -> (Result<Connected, DialFailure>, Vec<DialStep>) {
    let mut steps = vec![];
    let outcome = Dialler::new(settings)
        .dial_telling(target, |step| steps.push(step))
        .await;
    (outcome, steps)
}

const AT_ONCE: [DialStep; 3] = [DialStep::Tcp, DialStep::Tls, DialStep::WebSocket];

#[tokio::test]
async fn what_worked_last_is_dialled_without_host_meta_and_without_names() {
    let authority = Authority::new();
    let port = serve_tls(&authority.issue("x.example")).await.port();
    // Neither would have an answer: nobody knows the name, nobody listens for discovery.
    let settings = Settings {
        hosts: Default::default(),
        discovery_port: 1,
        ..settings(&authority)
    };
    let way = known(wss(port), &["127.0.0.1"]);
    let (outcome, told) = steps(settings.clone(), remembered(&way)).await;
    assert_eq!(outcome.ok().unwrap().way, way);
    assert_eq!(told, AT_ONCE);
    let given = Target {
        endpoint: Some(way.endpoint.clone()),
        ..remembered(&way)
    };
    let (outcome, told) = steps(settings.clone(), given).await;
    assert_eq!(outcome.ok().unwrap().way, way);
    assert_eq!(told, AT_ONCE);
    // What is remembered of another endpoint says nothing about the one that was given.
    let given = Target {
        endpoint: Some(Endpoint("wss://y.invalid/".into())),
        ..remembered(&way)
    };
    let (_, told) = steps(settings, given).await;
    assert_eq!(told, [DialStep::Names]);
}

#[tokio::test]
async fn an_address_that_is_out_of_date_gives_way_to_the_one_looked_up_beside_it() {
    let authority = Authority::new();
    let port = serve_tls(&authority.issue("x.example")).await.port();
    let (_silent, _held) = full(&format!("127.0.0.2:{port}")).await;
    for (stale, at_most) in [("127.0.0.3", 240), ("127.0.0.2", 900)] {
        let started = Instant::now();
        let (outcome, told) = steps(settings(&authority), remembered(&known(wss(port), &[stale]))).await;
        assert_eq!(outcome.ok().unwrap().way, known(wss(port), &["127.0.0.1"]));
        assert_eq!(told, AT_ONCE);
        let took = started.elapsed();
        assert!(took < Duration::from_millis(at_most), "{stale}: {took:?}");
    }
}

#[tokio::test]
async fn an_address_that_still_answers_is_replaced_by_what_the_name_means_now() {
    let authority = Authority::new();
    let port = serve_tls(&authority.issue("x.example")).await.port();
    let mut settings = settings(&authority);
    settings.hosts.insert("x.example".into(), ips(&["127.0.0.9"]));
    let way = known(wss(port), &["127.0.0.1"]);
    let connected = dial(settings, remembered(&way)).await.ok().unwrap();
    assert_eq!(connected.peer_addr.ip(), ips(&["127.0.0.1"])[0]);
    assert_eq!(connected.way, known(wss(port), &["127.0.0.9"]));
}

/// A domain whose endpoint is at a port of its own, and how often it was asked.
async fn moved(authority: &Authority) -> (Settings, u16, Arc<AtomicUsize>) {
    let port = serve_tls(&authority.issue("x.example")).await.port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let documents = serve_documents(authority, move |path, _| {
        count.fetch_add(usize::from(path.ends_with(".json")), Ordering::Relaxed);
        json(&wss(port))
    });
    let settings = Settings {
        discovery_port: documents.await.port(),
        doubt: Duration::from_millis(200),
        ..settings(authority)
    };
    (settings, port, asked)
}

#[tokio::test]
async fn an_endpoint_that_fails_or_takes_long_is_discovered_anew() {
    let authority = Authority::new();
    let (settings, port, _) = moved(&authority).await;
    let silent = serve(|stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let refused = serve_raw("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    for stale in [
        wss(1),
        format!("wss://{silent}/ws"),
        format!("ws://{refused}/ws"),
        "ftp://x.example/".to_owned(),
    ] {
        let started = Instant::now();
        let connected = dial(settings.clone(), remembered(&known(&stale, &["127.0.0.1"]))).await;
        assert_eq!(
            connected.ok().unwrap().way,
            known(wss(port), &["127.0.0.1"]),
            "{stale}"
        );
        assert!(started.elapsed() < Duration::from_secs(2), "{stale}");
    }
}

#[tokio::test]
async fn a_server_that_says_later_has_not_moved() {
    let authority = Authority::new();
    let (settings, _, asked) = moved(&authority).await;
    let busy =
        serve_raw("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").await;
    let way = known(format!("ws://{busy}/ws"), &["127.0.0.1"]);
    let failure = failure(settings, remembered(&way)).await;
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(
        failure,
        DialFailure::Http {
            status: 429,
            retry_after
        }
    );
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn where_nothing_better_is_found_the_remembered_endpoints_failure_is_told() {
    let authority = Authority::new();
    let documents = serve_documents(&authority, |_, _| not_found()).await;
    let settings = Settings {
        discovery_port: documents.port(),
        ..settings(&authority)
    };
    let outcome = failure(settings, remembered(&known(wss(1), &["127.0.0.1"]))).await;
    assert_eq!(outcome, DialFailure::Refused);
}

#[tokio::test]
async fn a_domain_is_asked_for_a_better_endpoint_now_and_then() {
    let authority = Authority::new();
    let (settings, port, asked) = moved(&authority).await;
    let dialler = Dialler::new(Settings {
        discover_every: Duration::from_millis(300),
        ..settings
    });
    let old = Endpoint(wss(1));
    let new = Endpoint(wss(port));
    assert_eq!(dialler.successor("x.example", &old).await, Some(new.clone()));
    assert_eq!(dialler.successor("x.example", &old).await, None, "asked just now");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(dialler.successor("x.example", &new).await, None, "the same");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

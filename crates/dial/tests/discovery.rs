//! Finding the endpoint (XEP-0156), from servers that help, mislead, stall and flood.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod common;

use common::*;
use dormouse_dial::{Dialler, Settings, Target};
use dormouse_model::{CertificateProblem, DialFailure, DialStep};
use std::time::Duration;

/// A domain whose web server answers so; what the dial comes to.
async fn discovered(
    answer: impl Fn(&str, u16) -> String + Send + Sync + 'static,
) -> (DialFailure, Vec<DialStep>) {
    let authority = Authority::new();
    let address = serve_documents(&authority, answer).await;
    let settings = Settings {
        discovery_port: address.port(),
        ..settings(&authority)
    };
    outcome(settings).await
}

async fn outcome(settings: Settings) -> (DialFailure, Vec<DialStep>) {
    let mut steps = vec![];
    let target = Target {
        domain: "x.example".into(),
        endpoint: None,
        known: None,
    };
    let outcome = Dialler::new(settings)
        .dial_telling(target, |step| steps.push(step))
        .await;
    (outcome.err().expect("nothing there speaks WebSocket"), steps)
}

/// The endpoint found has nobody listening, so that finding it shows as a refused connection.
const NOBODY: &str = "wss://127.0.0.1:1/ws";

fn found() -> (DialFailure, Vec<DialStep>) {
    (
        DialFailure::Refused,
        vec![DialStep::Discovery, DialStep::Names, DialStep::Tcp],
    )
}

#[tokio::test]
async fn either_document_is_enough() {
    let only_json = |path: &str, _: u16| {
        if path.ends_with(".json") {
            json(NOBODY)
        } else {
            not_found()
        }
    };
    assert_eq!(discovered(only_json).await, found());
    let only_xml = |path: &str, _: u16| {
        if path.ends_with("/host-meta") {
            xml(NOBODY)
        } else {
            not_found()
        }
    };
    assert_eq!(discovered(only_xml).await, found());
}

#[tokio::test]
async fn redirects_are_followed_three_times_and_only_to_https() {
    let hops = |wanted: usize| {
        move |path: &str, port: u16| {
            let done = path
                .strip_prefix("/hop")
                .map_or(0, |n| n.parse::<usize>().unwrap());
            match done == wanted {
                true => json(NOBODY),
                false if done.is_multiple_of(2) => redirect(&format!("/hop{}", done + 1)),
                false => redirect(&format!("https://x.example:{port}/hop{}", done + 1)),
            }
        }
    };
    assert_eq!(discovered(hops(3)).await, found());
    assert!(matches!(discovered(hops(4)).await.0, DialFailure::BadEndpoint(_)));
    let to_plain = |_: &str, port: u16| redirect(&format!("http://x.example:{port}/"));
    assert!(matches!(
        discovered(to_plain).await.0,
        DialFailure::BadEndpoint(_)
    ));
}

#[tokio::test]
async fn a_domain_that_has_none_is_told_from_one_that_cannot_answer() {
    assert_eq!(discovered(|_, _| not_found()).await.0, DialFailure::NoWebSocket);
    assert_eq!(
        discovered(|_, _| ok("<html>Welcome</html>")).await.0,
        DialFailure::NoWebSocket
    );
    assert_eq!(
        discovered(|_, _| ok(r#"{"links":[]}"#)).await.0,
        DialFailure::NoWebSocket
    );
    let busy = |path: &str, _: u16| match path.ends_with(".json") {
        true => "HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n".to_owned(),
        false => not_found(),
    };
    let retry_after = Some(Duration::from_secs(30));
    assert_eq!(
        discovered(busy).await.0,
        DialFailure::Http {
            status: 503,
            retry_after
        }
    );
}

#[tokio::test]
async fn plain_endpoints_are_not_taken_from_the_network() {
    let (failure, steps) = discovered(|_, _| json("ws://127.0.0.1:1/ws")).await;
    assert!(matches!(failure, DialFailure::BadEndpoint(_)), "{failure:?}");
    assert_eq!(steps, [DialStep::Discovery]);
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let (failure, _) = discovered(|_, _| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n{}",
            " ".repeat(70_000)
        )
    })
    .await;
    assert!(matches!(failure, DialFailure::BadEndpoint(_)), "{failure:?}");
}

#[tokio::test]
async fn a_broken_answer_is_broken_and_not_an_absence() {
    let (failure, _) = discovered(|_, _| "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".into()).await;
    assert!(matches!(failure, DialFailure::Broken(_)), "{failure:?}");
}

#[tokio::test]
async fn a_web_server_with_a_strangers_certificate_is_not_asked() {
    let acceptor = acceptor(&Authority::new().issue("x.example"));
    let address = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            assert!(acceptor.accept(stream).await.is_err());
        }
    })
    .await;
    let settings = Settings {
        discovery_port: address.port(),
        ..settings(&Authority::new())
    };
    assert_eq!(
        outcome(settings).await.0,
        DialFailure::Certificate(CertificateProblem::UnknownIssuer)
    );
}

#[tokio::test]
async fn a_web_server_that_never_answers_ends_at_the_deadline() {
    let address = serve(|stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let settings = Settings {
        discovery_port: address.port(),
        ..impatient()
    };
    assert_eq!(
        outcome(settings).await.0,
        DialFailure::TimedOut(DialStep::Discovery)
    );
}

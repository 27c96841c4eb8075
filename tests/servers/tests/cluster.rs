//! Two ejabberd 24.12 as one, behind nginx.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Clippy knows only `#[test]` functions for tests.

mod wire;

use dormouse_servers::Cluster;
use std::time::{Duration, Instant};
use wire::sasl2::{BIND, attribute, by_password, open, resume};
use wire::{assert_is_xmpp_websocket, say, signs_in};

fn sign_in(port: u16, inline: &str) -> String {
    say(
        port,
        &[&open("alice"), &by_password("alice", "a", inline)],
        "</success>",
    )
}

#[test]
fn a_session_is_resumed_on_the_other_node_and_a_node_that_was_killed_comes_back() {
    if std::env::var("DORMOUSE_SKIP").is_ok_and(|skip| skip.split(',').any(|name| name == "trixie")) {
        return;
    }
    let mut cluster = Cluster::builder().account("alice", "a").start().unwrap();
    let front = cluster.nginx().ws_port();
    let [first, second] = [0, 1].map(|node| cluster.nodes()[node].ws_port());
    assert_is_xmpp_websocket(front);

    let heard = sign_in(first, BIND);
    let id = attribute(&heard, "enabled", "id").expect(&heard);
    let heard = sign_in(second, &format!("{}{BIND}", resume(&id)));
    assert!(heard.contains("<resumed "), "{heard}");

    cluster.kill(0);
    assert!(wire::upgrade(first).is_none());
    // nginx finds out by itself.
    for _ in 0..4 {
        assert!(signs_in(front, "alice", "a"));
    }
    cluster.nodes()[1].register("bob", "b").unwrap();
    cluster.start(0).unwrap();
    assert!(signs_in(first, "bob", "b"));
    let heard = sign_in(first, BIND);
    let id = attribute(&heard, "enabled", "id").expect(&heard);
    let heard = sign_in(second, &format!("{}{BIND}", resume(&id)));
    assert!(heard.contains("<resumed "), "{heard}");
}

#[test]
fn nginx_forgets_a_connection_that_was_idle_for_as_long_as_it_was_told() {
    if std::env::var("DORMOUSE_SKIP").is_ok_and(|skip| skip.split(',').any(|name| name == "trixie")) {
        return;
    }
    let cluster = Cluster::builder().account("alice", "a").idle(3).start().unwrap();
    let start = Instant::now();
    // Until something that never comes, at most 5 s: the end of the connection is sooner.
    let heard = say(
        cluster.nginx().ws_port(),
        &[&open("alice"), &by_password("alice", "a", BIND)],
        "what never comes",
    );
    assert!(heard.contains("<bound "), "{heard}");
    let idle = start.elapsed();
    assert!(
        idle > Duration::from_secs(2) && idle < Duration::from_millis(4_800),
        "{idle:?}"
    );
}

//! Servers in a network namespace of their own, as the sleep matrix runs them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Clippy knows only `#[test]` functions for tests.

mod wire;

use dormouse_servers::{Ejabberd, Place, Prosody, Release};
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

struct Namespace(String);

impl Namespace {
    fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let output = Command::new("ip")
            .args(["netns", "add", &name])
            .output()
            .expect("package iproute2 is needed");
        assert!(
            output.status.success(),
            "Network namespaces cannot be made here (they need root): {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self(name)
    }

    fn answers(&self, port: u16) -> bool {
        let request = wire::upgrade_request("localhost")
            .replace('\r', "\\r")
            .replace('\n', "\\n");
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && printf '{request}' >&3 && head -c 12 <&3");
        let output = Command::new("ip")
            .args(["netns", "exec", &self.0, "bash", "-c", &script])
            .output()
            .unwrap();
        output.stdout == b"HTTP/1.1 101"
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn skipped(what: &str) -> bool {
    std::env::var("DORMOUSE_SKIP").is_ok_and(|skip| skip.split(',').any(|name| name == what))
}

#[test]
fn a_prosody_in_a_namespace_is_reached_from_there_and_not_from_here() {
    if skipped("namespaces") {
        return;
    }
    let namespace = Namespace::new("dormouse-p");
    let place = Place::namespace(&namespace.0, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let mut prosody = Prosody::builder()
        .account("alice", "a")
        .place(place)
        .start()
        .unwrap();
    assert!(namespace.answers(prosody.ws_port()));
    assert!(wire::upgrade(prosody.ws_port()).is_none());
    prosody.restart().unwrap();
    assert!(namespace.answers(prosody.ws_port()));
}

#[test]
fn an_ejabberd_in_a_namespace_is_reached_from_there_and_makes_accounts() {
    if skipped("namespaces") {
        return;
    }
    let namespace = Namespace::new("dormouse-e");
    let place = Place::namespace(&namespace.0, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let ejabberd = Ejabberd::builder()
        .account("alice", "a")
        .place(place)
        .start()
        .unwrap();
    assert!(namespace.answers(ejabberd.ws_port()));
    assert!(wire::upgrade(ejabberd.ws_port()).is_none());
    assert!(
        ejabberd
            .api("registered_users", &[("host", "localhost")])
            .unwrap()
            .contains("alice")
    );
}

#[test]
fn the_servers_of_debian_13_run_in_a_namespace_too() {
    if skipped("namespaces") || skipped("trixie") {
        return;
    }
    let namespace = Namespace::new("dormouse-t");
    let place = Place::namespace(&namespace.0, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let prosody = Prosody::builder()
        .release(Release::Trixie)
        .account("alice", "a")
        .place(place.clone())
        .start()
        .unwrap();
    let ejabberd = Ejabberd::builder()
        .release(Release::Trixie)
        .account("alice", "a")
        .place(place)
        .start()
        .unwrap();
    for port in [prosody.ws_port(), ejabberd.ws_port()] {
        assert!(namespace.answers(port));
        assert!(wire::upgrade(port).is_none());
    }
}

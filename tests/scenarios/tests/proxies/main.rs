//! Through what stands between: proxies that open tunnels, ask for passwords and die, and one that reads along.
//!
//! The laptop is on one side of the lab's relay, proxy and server on the other: what crosses it goes to the proxy, or
//! the proxy was not used.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod looks_inside;
mod messages;
mod settings;
mod words;

use anyhow::{Context, ensure};
use dormouse_scenarios::client::{Client, ClientBuilder};
use dormouse_scenarios::event::Mark;
use dormouse_scenarios::scene::{FRIEND, LAPTOP, Scene};
use dormouse_scenarios::server::{SOON, passes};
use dormouse_scenarios::{Result, program};
use dormouse_servers::{Authority, Microsocks, Mitmproxy, Place, Prosody, Tinyproxy};
use dormouse_sleep_lab::{Lab, NetworkReturn};
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// After a fault everything typed is where it belongs within this, on a busy machine.
const RECOVERED: Duration = Duration::from_secs(45);
/// The user's password in [`Scene`].
const PASSWORD: &str = "correct horse";

fn lab() -> Option<Lab> {
    Lab::unless_skipped().unwrap_or_else(|error| panic!("{error}"))
}

/// Where proxies run: beside the server.
fn far_side(lab: &Lab) -> Place {
    Place::namespace(lab.server_ns(), IpAddr::V4(lab.server_address()))
}

fn port(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Every connection of the laptop so far went to the proxy.
fn all_went_to(scene: &Scene, proxy: &str) -> Result<()> {
    let flows = scene.flows();
    ensure!(!flows.is_empty(), "nothing crossed the relay");
    for flow in flows {
        ensure!(
            flow.server.port() == port(proxy),
            "the laptop went to {} by itself",
            flow.server
        );
    }
    Ok(())
}

fn talks_both_ways(scene: &mut Scene) -> Result<()> {
    for number in 1..=3 {
        scene.laptop_types(&format!("there {number}"))?;
        scene.friend_types(&format!("back {number}"))?;
    }
    scene.check(RECOVERED)
}

/// A server and, on the other side of the relay, clients of `alice`.
struct Site {
    server: Prosody,
    authority: Authority,
    lab: Lab,
    domain: &'static str,
}

impl Site {
    /// The server of `localhost`, known by its address.
    fn new(lab: Lab) -> Result<Self> {
        Self::of(lab, "localhost", "10.77.0.1")
    }

    /// The server of this domain, known by this name.
    fn of(lab: Lab, domain: &'static str, name: &str) -> Result<Self> {
        let authority = Authority::new()?;
        let server = Prosody::builder()
            .domain(domain)
            .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
            .shared_contacts([(LAPTOP, "Alice"), (FRIEND, "Bob")])
            .tls(&authority.issue(&[name])?)
            .place(far_side(&lab))
            .start()?;
        Ok(Self {
            server,
            authority,
            lab,
            domain,
        })
    }

    fn alice(&self) -> Result<ClientBuilder> {
        Ok(Client::builder(&format!("alice@{}", self.domain), PASSWORD)
            .command(self.lab.client_command(program::cli()?)?)
            .endpoint(self.server.wss_endpoint())
            .env("SSL_CERT_FILE", self.authority.file())
            .no_wake())
    }
}

fn stops(client: &Client, words: &str) -> Result<()> {
    is_told(client, "stopped", words)
}

fn is_told(client: &Client, state: &str, words: &str) -> Result<()> {
    let told = client.wait_for(&format!("the state `{state}`"), SOON, |event| {
        event.state() == Some(state)
    })?;
    let sentence = told.text("reason");
    ensure!(sentence.contains(words), "“{sentence}” does not say “{words}”");
    Ok(())
}

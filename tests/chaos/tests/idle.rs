//! A proxy that forgets a connection sooner than anybody asks whether it lives: learnt after two deaths, and lived with.

#![cfg(target_os = "linux")]
#![allow(clippy::panic, reason = "a test")]

use anyhow::ensure;
use dormouse_chaos::Result;
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::{Event, Mark};
use dormouse_servers::{Nginx, Prosody};
use std::time::Duration;

const PASSWORD: &str = "correct horse";
const SIGN_IN: Duration = Duration::from_secs(40);
/// Two connections that die after 20 s of silence, and what lies between; a query at a quiet moment begins the silence anew.
const LEARNT: Duration = Duration::from_secs(150);
/// Three times as long as the proxy remembers.
const KEPT: Duration = Duration::from_secs(65);

/// How often the connection was lost, as its window tells it, and whether it is there now.
fn losses(events: &[Event]) -> (usize, bool) {
    let states: Vec<&str> = events.iter().filter_map(Event::state).collect();
    let lost = states.iter().zip(states.iter().skip(1));
    let lost = lost.filter(|(before, after)| **before == "live" && **after != "live");
    (lost.count(), states.last() == Some(&"live"))
}

#[test]
#[ignore = "takes minutes: cargo xtask test --all"]
fn a_proxy_that_forgets_after_20_s_costs_two_connections_and_then_none() {
    let result = (|| -> Result<()> {
        let server = Prosody::builder().account("alice", PASSWORD).start()?;
        let nginx = Nginx::builder().server(server.ws_port()).idle(20).start()?;
        let client = Client::builder("alice@localhost", PASSWORD)
            .endpoint(nginx.ws_endpoint())
            .no_wake()
            .start()?;
        client.wait_until_live(SIGN_IN)?;
        client.wait(
            Mark::START,
            "that silence killed two connections",
            LEARNT,
            |events| {
                let (lost, is_live) = losses(events);
                (lost >= 2 && is_live).then_some(())
            },
        )?;
        let before = losses(&client.since(Mark::START)).0;
        std::thread::sleep(KEPT);
        let after = losses(&client.since(Mark::START)).0;
        ensure!(
            after == before,
            "{} more connections were lost after it should have been learnt\n{}",
            after - before,
            client.dump()
        );
        client.quit()
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

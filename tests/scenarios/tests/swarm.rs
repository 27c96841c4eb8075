//! Many sessions at once: a server that is restarted under them, and a limit that they must not run against.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, which shows its figures"
)]

use anyhow::ensure;
use dormouse_scenarios::Result;
use dormouse_scenarios::swarm::{Swarm, all_arrived_once, number, users};
use dormouse_servers::{Nginx, Prosody};
use std::thread;
use std::time::Duration;

const PASSWORD: &str = "one for all";

fn a_restart_in_the_middle(sessions: u32, ramp: &str, within: Duration) -> Result<()> {
    let mut server = Prosody::builder().start()?;
    server.register_crowd(users(sessions), PASSWORD)?;
    let swarm = Swarm::start(sessions, &server.ws_endpoint(), PASSWORD, &["--ramp", ramp])?;
    swarm.wait_until_all_are_connected(within)?;
    swarm.wait("texts", within, |it| number(&it["texts"]["arrived"]) >= 20)?;
    server.stop()?;
    swarm.wait_until_connected(0, within)?;
    thread::sleep(Duration::from_secs(3));
    server.start()?;
    swarm.wait_until_all_are_connected(within)?;
    thread::sleep(Duration::from_secs(5));
    let report = swarm.end(within)?;
    println!("{report}");
    all_arrived_once(&report)?;
    let drops = report["drops"].as_array().cloned().unwrap_or_default();
    let [drop] = drops.as_slice() else {
        panic!("one restart is one drop: {report}");
    };
    ensure!(drop["sessions"] == sessions, "{report}");
    ensure!(
        drop["all_back_ms"].is_u64() && drop["half_back_ms"].is_u64(),
        "{report}"
    );
    let sign_ins = report["sign_ins"].as_array().cloned().unwrap_or_default();
    let times: u64 = sign_ins.iter().map(|it| number(&it["times"])).sum();
    // More where a connection of a busy server was given up and its session went on.
    ensure!(times >= 2 * u64::from(sessions), "{report}");
    ensure!(number(&report["memory_per_session_kib"]) > 0, "{report}");
    // The first connection, those in vain while the server was away or had no time, and the one that held: more than this
    // are made only by clients that do not wait.
    let attempts = number(&report["attempts"]);
    ensure!(
        attempts <= u64::from(sessions) * 15,
        "{attempts} attempts: {report}"
    );
    Ok(())
}

#[test]
fn fifty_sessions_lose_nothing_when_their_server_is_restarted() -> Result<()> {
    a_restart_in_the_middle(50, "25", Duration::from_secs(90))
}

#[test]
#[ignore = "takes four minutes or more: cargo xtask test --all"]
fn a_thousand_sessions_lose_nothing_when_their_server_is_restarted() -> Result<()> {
    a_restart_in_the_middle(1000, "20", Duration::from_secs(900))
}

/// The worst case of a limit per address: all clients come from one, as behind the NAT of an office.
#[test]
fn a_dozen_clients_come_back_through_a_limit_on_connections_and_do_not_hammer_it() -> Result<()> {
    const DOZEN: u32 = 12;
    let mut server = Prosody::builder().start()?;
    server.register_crowd(users(DOZEN), PASSWORD)?;
    let nginx = Nginx::builder().server(server.ws_port()).limit(1, 3).start()?;
    let arguments = ["--ramp", "0.8", "--rate", "1"];
    let swarm = Swarm::start(DOZEN, &nginx.ws_endpoint(), PASSWORD, &arguments)?;
    let patience = Duration::from_secs(180);
    swarm.wait_until_all_are_connected(patience)?;
    let before = swarm.wait("its course", patience, |it| it["event"] == "course")?;
    server.stop()?;
    swarm.wait_until_connected(0, patience)?;
    server.start()?;
    swarm.wait_until_all_are_connected(patience)?;
    let report = swarm.end(patience)?;
    println!("{report}");
    all_arrived_once(&report)?;
    let turned_away = std::fs::read_to_string(nginx.log())?
        .matches("limiting requests")
        .count();
    ensure!(turned_away > 0, "the limit was never met: {report}");
    // All are gone at the same moment and come at once, once; then each waits for itself.
    let knocks = number(&report["attempts"]) - number(&before["attempts"]);
    ensure!(knocks <= u64::from(DOZEN) * 6, "{knocks} attempts: {report}");
    // One that sends ahead what a server without its session does not understand asks again, plainly, at once.
    ensure!(
        number(&report["attempts_in_worst_second"]) <= u64::from(DOZEN) * 2,
        "{report}"
    );
    Ok(())
}

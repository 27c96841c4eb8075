//! What the connection's history says afterwards of what really happened to it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::Event;
use dormouse_scenarios::server::{Make, Plan, SOON, Server};
use dormouse_scenarios::{Result, with_both_servers};
use serde_json::json;
use std::thread;
use std::time::Duration;

/// What a killed ejabberd has not written yet.
const WRITTEN: Duration = Duration::from_secs(3);
/// From the server's return.
const BACK: Duration = Duration::from_secs(60);

/// The answers of this kind to a command, whole.
fn told(client: &mut Client, command: &str, kind: &str) -> Result<Vec<Event>> {
    let mark = client.mark();
    client.send_command(&json!({"command": command}))?;
    // Commands are answered in order.
    client.status()?;
    let events = client.since(mark).into_iter();
    Ok(events.filter(|event| event.kind() == kind).collect())
}

/// The server is killed and comes back.
fn restart(server: &mut Server, client: &mut Client) -> Result<()> {
    thread::sleep(WRITTEN);
    server.kill();
    client.wait_until_state("waiting", SOON)?;
    server.start()?;
    client.send_command(&json!({"command": "retry-now"}))?;
    client.wait_until_live(BACK)
}

fn a_drop_is_told_with_its_code_its_wait_and_its_recovery_also_after_a_restart_of_the_program(
    make: Make,
) -> Result<()> {
    let mut server = Plan::new(make).start()?;
    let folder = tempfile::tempdir()?;
    let alice = server.person("alice")?;
    let start = |server: &Server| server.client(&alice).data_dir(folder.path()).start();
    let mut client = start(&server)?;
    client.wait_until_live(SOON)?;
    restart(&mut server, &mut client)?;
    let history = told(&mut client, "transitions", "transition")?;
    let dropped = history
        .iter()
        .find(|it| it.text("state") == "waiting")
        .context("no drop is told")?;
    ensure!(dropped.json["code"].is_u64(), "{dropped:?}");
    ensure!(
        dropped.json["wait_ms"].is_u64() && dropped.json["attempt"] == 2,
        "{dropped:?}"
    );
    let back = history.last().context("nothing is told")?;
    ensure!(back.text("state") == "live", "{back:?}");
    let recovery = &back.json["recovery"];
    ensure!(
        recovery["by"] == "resumed" || recovery["by"] == "fresh-session",
        "{back:?}"
    );
    ensure!(recovery["took_ms"].as_u64().is_some_and(|it| it > 0), "{back:?}");

    // Each message that is acknowledged measures the path.
    let myself = client.address().to_owned();
    client.send(&myself, "a note")?;
    client.wait_for("a round trip", SOON, |event| event.kind() == "round-trip")?;
    let status = client.status()?;
    ensure!(
        status.json["mechanism"].is_string() && status.json["tls"].is_null(),
        "{status:?}"
    );
    ensure!(
        status.json["endpoint"] == json!(server.ws_endpoint()),
        "{status:?}"
    );
    ensure!(status.json["round_trip"]["worst_ms"].is_u64(), "{status:?}");

    client.kill9();
    let mut client = start(&server)?;
    client.wait_until_live(SOON)?;
    let later = told(&mut client, "transitions", "transition")?;
    ensure!(
        later.len() > history.len(),
        "{} after {}",
        later.len(),
        history.len()
    );
    let began = later.get(history.len()).context("the start is not told")?;
    ensure!(began.json["ran_until"].is_i64(), "{began:?}");
    Ok(())
}

with_both_servers!(
    a_drop_is_told_with_its_code_its_wait_and_its_recovery_also_after_a_restart_of_the_program,
);

#[test]
fn a_server_that_throws_its_clients_out_again_and_again_is_named_as_such() -> Result<()> {
    let mut server = Plan::new(Make::Prosody).start()?;
    let alice = server.person("alice")?;
    let mut client = server.live(&alice)?;
    ensure!(told(&mut client, "diagnose", "finding")?.is_empty());
    for _ in 0..4 {
        restart(&mut server, &mut client)?;
    }
    let found = told(&mut client, "diagnose", "finding")?;
    let cycles = found.iter().find(|it| it.text("kind") == "cycles");
    let cycles = cycles.with_context(|| format!("not found: {found:?}"))?;
    ensure!(
        cycles.text("text").contains("ended it again 4 times"),
        "{cycles:?}"
    );
    Ok(())
}

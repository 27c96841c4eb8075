//! Signing in without waiting to be asked, on every server that we know: what it was known to offer is taken as said.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use dormouse_scenarios::Result;
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::Mark;
use dormouse_scenarios::server::{Make, Person, Plan, SOON, Server, passes};
use dormouse_servers::Release;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const AHEAD: &str = ", without waiting to be asked";

fn start(server: &Server, person: &Person, folder: &Path) -> Result<Client> {
    let client = server.client(person).data_dir(folder).no_wake().start()?;
    client.wait_until_live(SOON)?;
    // Who is killed now has the session on the disk.
    client.wait(Mark::START, "the disk", SOON, |events| {
        let live = events.iter().rposition(|event| event.state() == Some("live"));
        let stored = events.iter().rposition(|event| event.kind() == "stored");
        (live.is_some() && stored > live).then_some(())
    })?;
    Ok(client)
}

/// What the journal says of the last sign-in: its first line, and all behind it.
fn last_sign_in(client: &mut Client) -> Result<(String, Vec<String>)> {
    let journal = client.journal()?;
    let at = journal
        .iter()
        .rposition(|line| line.starts_with("signing in with"))
        .context("nobody signed in")?;
    let rest = journal.get(at..).unwrap_or_default().to_vec();
    let first = rest.first().cloned().unwrap_or_default();
    Ok((first, rest))
}

fn resumes_without_waiting(make: Make, release: Release, mechanism: &str) {
    passes((|| {
        let server = Plan::new(make).release(release).start()?;
        let (alice, bob) = (server.person("alice")?, server.person("bob")?);
        let folder = tempfile::tempdir()?;
        let mut client = start(&server, &alice, folder.path())?;
        let (first, _) = last_sign_in(&mut client)?;
        ensure!(
            !first.contains(AHEAD),
            "the first sign-in could know nothing: {first}"
        );
        client.kill9();
        let mut friend = server.live(&bob)?;
        friend.send(&alice.address, "while you were away")?;
        friend.wait_until_sent(&["while you were away".to_owned()], &["sent", "delivered"], SOON)?;
        let mut client = start(&server, &alice, folder.path())?;
        client.wait_until_received(&["while you were away".to_owned()], SOON)?;
        let (first, rest) = last_sign_in(&mut client)?;
        ensure!(
            first == format!("signing in with {mechanism}{AHEAD}"),
            "{rest:#?}"
        );
        ensure!(
            rest.iter().any(|line| line.contains("resumed: true")),
            "{rest:#?}"
        );
        Ok(())
    })());
}

#[test]
fn prosody_0_12_takes_the_resumption_with_the_proof() {
    resumes_without_waiting(Make::Prosody, Release::Bookworm, "SCRAM-SHA-1");
}

#[test]
fn ejabberd_23_takes_the_resumption_with_the_proof() {
    resumes_without_waiting(Make::Ejabberd, Release::Bookworm, "SCRAM-SHA-1");
}

#[test]
fn prosody_13_takes_everything_in_one_exchange() {
    resumes_without_waiting(Make::Prosody, Release::Trixie, "SCRAM-SHA-1");
}

#[test]
fn ejabberd_24_takes_everything_in_one_exchange() {
    resumes_without_waiting(Make::Ejabberd, Release::Trixie, "SCRAM-SHA-1");
}

/// For so long servers keep sessions here, in seconds.
const KEPT: u32 = 2;

/// A night: the session is gone. Its refusal, and a new session behind it, cost no further connection.
fn binds_behind_a_session_that_is_gone(make: Make, release: Release) {
    passes((|| {
        let server = Plan::new(make).release(release).holds_sessions(KEPT).start()?;
        let (alice, bob) = (server.person("alice")?, server.person("bob")?);
        let folder = tempfile::tempdir()?;
        start(&server, &alice, folder.path())?.kill9();
        thread::sleep(Duration::from_secs(u64::from(KEPT) + 2));
        let texts: Vec<String> = (1..=20).map(|number| format!("in the night {number}")).collect();
        let mut friend = server.live(&bob)?;
        for text in &texts {
            friend.send(&alice.address, text)?;
        }
        friend.wait_until_sent(&texts, &["sent", "delivered"], SOON)?;
        let mut client = start(&server, &alice, folder.path())?;
        client.wait_until_received(&texts, SOON)?;
        let (first, rest) = last_sign_in(&mut client)?;
        ensure!(first.ends_with(AHEAD), "{rest:#?}");
        ensure!(
            rest.iter().any(|line| line == "the earlier session is gone"),
            "{rest:#?}"
        );
        ensure!(
            rest.iter().any(|line| line.contains("resumed: false")),
            "{rest:#?}"
        );
        let failed = |line: &String| line.contains("error") || line.starts_with("dialling");
        ensure!(!rest.iter().any(failed), "{rest:#?}");
        Ok(())
    })());
}

#[test]
fn a_night_at_prosody_0_12_costs_one_connection() {
    binds_behind_a_session_that_is_gone(Make::Prosody, Release::Bookworm);
}

#[test]
fn a_night_at_ejabberd_23_costs_one_connection() {
    binds_behind_a_session_that_is_gone(Make::Ejabberd, Release::Bookworm);
}

#[test]
fn a_night_at_prosody_13_costs_one_connection() {
    binds_behind_a_session_that_is_gone(Make::Prosody, Release::Trixie);
}

#[test]
fn a_night_at_ejabberd_24_costs_one_connection() {
    binds_behind_a_session_that_is_gone(Make::Ejabberd, Release::Trixie);
}

/// Prosody can't read what follows a refused resumption that came with the proof. Nobody can know that the session is
/// gone when it was heard a moment ago: one connection more, at once.
#[test]
fn a_restart_of_prosody_0_12_costs_two_connections_and_no_wait() {
    passes((|| {
        let mut server = Plan::new(Make::Prosody).start()?;
        let alice = server.person("alice")?;
        let folder = tempfile::tempdir()?;
        start(&server, &alice, folder.path())?.kill9();
        server.stop()?;
        server.start()?;
        let begun = Instant::now();
        start(&server, &alice, folder.path())?;
        let took = begun.elapsed();
        ensure!(took < Duration::from_secs(5), "it took {took:?}");
        Ok(())
    })());
}

/// The server forgets the session and keeps the token: the next sign-in is a token and a new session in one reply.
fn a_restart_costs_one_flight(make: Make) {
    passes((|| {
        let mut server = Plan::new(make).release(Release::Trixie).start()?;
        let alice = server.person("alice")?;
        let folder = tempfile::tempdir()?;
        let mut client = start(&server, &alice, folder.path())?;
        let mark = client.mark();
        server.stop()?;
        server.start()?;
        client.send_command(&serde_json::json!({"command": "retry-now"}))?;
        client.wait_for_since(mark, "live again", SOON * 2, |event| {
            event.state() == Some("live")
        })?;
        let (first, rest) = last_sign_in(&mut client)?;
        ensure!(
            first.starts_with("signing in with HT-SHA-256-") && first.ends_with(AHEAD),
            "{rest:#?}"
        );
        ensure!(
            rest.iter().any(|line| line.contains("resumed: false")),
            "{rest:#?}"
        );
        Ok(())
    })());
}

#[test]
fn after_a_restart_prosody_13_is_signed_in_to_with_a_token_in_one_flight() {
    a_restart_costs_one_flight(Make::Prosody);
}

#[test]
fn after_a_restart_ejabberd_24_is_signed_in_to_with_a_token_in_one_flight() {
    a_restart_costs_one_flight(Make::Ejabberd);
}

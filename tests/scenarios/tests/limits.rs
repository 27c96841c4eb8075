//! Servers that bound how fast a client may write, how often it may knock, and how often it may be wrong.
//!
//! Limits of a proxy before the server are in `swarm.rs`.

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
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::Mark;
use dormouse_scenarios::server::{SOON, passes};
use dormouse_scenarios::swarm::{Swarm, all_arrived_once, number, users};
use dormouse_scripts::checker::check_order;
use dormouse_servers::{Ejabberd, Prosody};
use serde_json::Value;
use std::time::{Duration, Instant};

const PASSWORD: &str = "one for all";
const ALICE: &str = "alice@localhost";
const BOB: &str = "bob@localhost";
/// As Debian's configuration has it.
const LIMITS: &str = "limits = { c2s = { rate = \"10kb/s\" } }";

/// How many come back after a restart.
const COUNT: u32 = 12;
/// How long that may take where they are let in one by one, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

fn start(address: &str, password: &str, endpoint: &str) -> Result<Client> {
    Client::builder(address, password)
        .endpoint(endpoint)
        .no_wake()
        .start()
}

fn live(address: &str, endpoint: &str) -> Result<Client> {
    let client = start(address, PASSWORD, endpoint)?;
    client.wait_until_live(SOON)?;
    Ok(client)
}

/// The states that a client's connection has been in since.
fn states(client: &Client, mark: Mark) -> Vec<String> {
    let events = client.since(mark);
    events
        .iter()
        .filter_map(|it| it.state().map(str::to_owned))
        .collect()
}

/// It may have been in doubt since then, but had no other connection.
fn kept_its_connection(client: &Client, mark: Mark) -> Result<()> {
    let states = states(client, mark);
    let mut others = states
        .iter()
        .filter(|state| !matches!(state.as_str(), "suspect" | "live"));
    ensure!(others.next().is_none(), "{}", client.dump());
    Ok(())
}

/// What a client has written waits until the server reads on: an acknowledgement now and then is life enough. Who was away has
/// it at once, for the server writes as fast as it can.
fn what_is_written_faster_than_it_is_read_costs_no_connection(endpoint: &str) -> Result<()> {
    const TEXTS: u32 = 30;
    let folder = tempfile::tempdir()?;
    let bob = || -> Result<Client> {
        let bob = Client::builder(BOB, PASSWORD).endpoint(endpoint).no_wake();
        let bob = bob.data_dir(folder.path()).start()?;
        bob.wait_until_live(SOON)?;
        Ok(bob)
    };
    bob()?.quit()?;
    let mut alice = live(ALICE, endpoint)?;
    let texts: Vec<String> = (1..=TEXTS)
        .map(|number| format!("{number}: {}", "as long as a letter. ".repeat(50)))
        .collect();
    let mark = alice.mark();
    let begun = Instant::now();
    for text in &texts {
        alice.send(BOB, text)?;
    }
    alice.wait_until_sent(&texts, &["sent"], Duration::from_secs(60))?;
    let took = begun.elapsed();
    println!("{TEXTS} texts through the limit after {took:?}");
    ensure!(took > Duration::from_secs(4), "the limit was not met: {took:?}");
    kept_its_connection(&alice, mark)?;
    let mut bob = bob()?;
    bob.wait_until_received(&texts, SOON)?;
    ensure!(
        !states(&bob, Mark::START).contains(&"suspect".to_owned()),
        "{}",
        bob.dump()
    );
    check_order(&bob.messages(ALICE)?, &texts)?;
    Ok(())
}

#[test]
fn what_is_written_faster_than_prosody_reads_costs_no_connection() {
    passes((|| {
        let server = Prosody::builder()
            .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
            .module("limits")
            .lua("limits = { c2s = { rate = \"5kb/s\" } }")
            .start()?;
        what_is_written_faster_than_it_is_read_costs_no_connection(&server.ws_endpoint())
    })());
}

#[test]
fn what_is_written_faster_than_ejabberd_reads_costs_no_connection() {
    passes((|| {
        let server = Ejabberd::builder()
            .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
            .shaper(5000, 5000)
            .start()?;
        what_is_written_faster_than_it_is_read_costs_no_connection(&server.ws_endpoint())
    })());
}

/// While a server reads one long text it answers nothing. Given up for that, a connection would begin it anew on the next, and so for ever.
fn one_text_that_takes_long_to_be_read_arrives_by_the_connection_it_was_begun_on(
    endpoint: &str,
    words: usize,
) -> Result<()> {
    let (mut alice, bob) = (live(ALICE, endpoint)?, live(BOB, endpoint)?);
    let text = "long ".repeat(words).trim_end().to_owned();
    let mark = alice.mark();
    let begun = Instant::now();
    alice.send(BOB, &text)?;
    bob.wait_until_received(&[text], PATIENCE)?;
    let took = begun.elapsed();
    println!("{words} words through the limit after {took:?}");
    ensure!(took > Duration::from_secs(12), "the limit was not met: {took:?}");
    kept_its_connection(&alice, mark)
}

#[test]
fn a_long_text_that_prosody_reads_slowly_arrives() {
    passes((|| {
        let server = Prosody::builder()
            .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
            .module("limits")
            .lua(LIMITS)
            .start()?;
        one_text_that_takes_long_to_be_read_arrives_by_the_connection_it_was_begun_on(
            &server.ws_endpoint(),
            46_000,
        )
    })());
}

#[test]
#[ignore = "takes a minute: cargo xtask test --all"]
fn a_long_text_that_ejabberd_reads_slowly_arrives() {
    passes((|| {
        let server = Ejabberd::builder()
            .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
            .shaper(3000, 20_000)
            .start()?;
        one_text_that_takes_long_to_be_read_arrives_by_the_connection_it_was_begun_on(
            &server.ws_endpoint(),
            20_000,
        )
    })());
}

/// Clients of one address whose server is restarted: all are gone at the same moment, and come at once.
struct Dozen {
    swarm: Swarm,
    before: Value,
}

impl Dozen {
    /// All are connected, and write to each other.
    fn start(endpoint: &str) -> Result<Self> {
        let swarm = Swarm::start(COUNT, endpoint, PASSWORD, &["--ramp", "2", "--rate", "2"])?;
        swarm.wait_until_all_are_connected(PATIENCE)?;
        let before = swarm.wait("its course", PATIENCE, |it| it["event"] == "course")?;
        Ok(Self { swarm, before })
    }

    /// The server has gone.
    fn is_gone(&self) -> Result<()> {
        self.swarm.wait_until_connected(0, PATIENCE)
    }

    /// All come back; the report, in which nothing is lost, and how often they knocked for that.
    fn comes_back(self) -> Result<(Value, u64)> {
        self.swarm.wait_until_all_are_connected(PATIENCE)?;
        let report = self.swarm.end(PATIENCE)?;
        println!("{report}");
        all_arrived_once(&report)?;
        let attempts = number(&report["attempts"]) - number(&self.before["attempts"]);
        Ok((report, attempts))
    }
}

/// Whether somebody was told this.
fn were_told(report: &Value, words: &str) -> bool {
    let reasons = report["reasons"].as_array().cloned().unwrap_or_default();
    let mut told = reasons.iter().filter_map(|it| it["reason"].as_str());
    told.any(|it| it.contains(words))
}

#[test]
fn a_dozen_clients_are_soon_back_at_a_prosody_that_bounds_what_they_write() {
    passes((|| {
        let mut server = Prosody::builder().module("limits").lua(LIMITS).start()?;
        server.register_crowd(users(COUNT), PASSWORD)?;
        let dozen = Dozen::start(&server.ws_endpoint())?;
        server.stop()?;
        dozen.is_gone()?;
        server.start()?;
        let (report, attempts) = dozen.comes_back()?;
        ensure!(
            number(&report["drops"][0]["all_back_ms"]) < 30_000,
            "a sign-in is not so much: {report}"
        );
        ensure!(attempts <= u64::from(COUNT) * 4, "{attempts} attempts: {report}");
        Ok(())
    })());
}

/// Who knocks once too often is told `policy-violation`, and not only until the time is over: the count goes on.
#[test]
#[ignore = "takes a minute and a half: cargo xtask test --all"]
fn a_dozen_clients_come_back_to_a_prosody_that_counts_sign_ins() {
    passes((|| {
        let mut server = Prosody::builder().start()?;
        server.register_crowd(users(COUNT), PASSWORD)?;
        let dozen = Dozen::start(&server.ws_endpoint())?;
        server.stop()?;
        dozen.is_gone()?;
        let settings = server.settings_mut();
        settings.modules.push("c2s_conn_throttle".to_owned());
        settings.lua.push("cthrottler_logins_count = 3".to_owned());
        settings.lua.push("cthrottler_time = 10".to_owned());
        server.start()?;
        let (report, attempts) = dozen.comes_back()?;
        ensure!(
            were_told(&report, "by its rules"),
            "the limit was never met: {report}"
        );
        ensure!(attempts <= u64::from(COUNT) * 8, "{attempts} attempts: {report}");
        Ok(())
    })());
}

#[test]
#[ignore = "takes two minutes: cargo xtask test --all"]
fn a_dozen_clients_come_back_to_an_ejabberd_that_lets_one_in_every_two_seconds() {
    passes((|| {
        let mut server = Ejabberd::builder().shaper(3000, 20_000).start()?;
        for user in users(COUNT) {
            server.register(&user, PASSWORD)?;
        }
        let dozen = Dozen::start(&server.ws_endpoint())?;
        server.stop()?;
        dozen.is_gone()?;
        server.settings_mut().accept_interval = Some(2000);
        server.start()?;
        let (report, attempts) = dozen.comes_back()?;
        let back = &report["drops"][0];
        ensure!(
            number(&back["all_back_ms"]) - number(&back["first_back_ms"]) > 10_000,
            "the limit was never met: {report}"
        );
        ensure!(attempts <= u64::from(COUNT) * 8, "{attempts} attempts: {report}");
        Ok(())
    })());
}

/// An address is an office: who types a wrong password there must not cost the others more than the server wants.
#[test]
#[ignore = "takes a minute: cargo xtask test --all"]
fn wrong_passwords_of_a_neighbour_cost_no_living_connection_and_who_is_shut_out_comes_back() {
    passes((|| {
        let server = Ejabberd::builder()
            .accounts([("alice", PASSWORD), ("bob", PASSWORD), ("carol", PASSWORD)])
            .yaml_of_modules("mod_fail2ban: {c2s_max_auth_failures: 3, c2s_auth_ban_lifetime: 20}")
            .start()?;
        let endpoint = server.ws_endpoint();
        let (alice, mut bob) = (live(ALICE, &endpoint)?, live(BOB, &endpoint)?);
        // Who is shut out by its own last word is told that instead of the refusal.
        let mut wrong = 0;
        loop {
            wrong += 1;
            let carol = start("carol@localhost", "another", &endpoint)?;
            let told = carol.wait_for("that it was refused", SOON, |event| {
                matches!(event.state(), Some("stopped" | "waiting"))
            })?;
            if told.text("reason").contains("by its rules") {
                break;
            }
            ensure!(wrong < 3, "nobody is shut out after {wrong} wrong passwords");
        }
        ensure!(wrong == 3, "one wrong password was sent more than once: {wrong}");
        let (mark, still) = (alice.mark(), bob.mark());
        server.api("kick_user", &[("user", "alice"), ("host", "localhost")])?;
        alice.wait_for_since(mark, "that it is shut out", SOON, |event| {
            event.state() == Some("waiting") && event.text("reason").contains("by its rules")
        })?;
        bob.send(ALICE, "said meanwhile")?;
        alice.wait_until_live(Duration::from_secs(120))?;
        alice.wait_until_received(&["said meanwhile".to_owned()], SOON)?;
        ensure!(states(&bob, still).is_empty(), "{}", bob.dump());
        Ok(())
    })());
}

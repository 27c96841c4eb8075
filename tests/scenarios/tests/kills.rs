//! `kill -9` at random moments, with traffic both ways: nothing shown as typed is lost, nothing comes twice.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

use anyhow::{Context, ensure};
use dormouse_scenarios::Result;
use dormouse_scenarios::client::{Client, ClientBuilder};
use dormouse_scenarios::dice::Dice;
use dormouse_scenarios::event::Mark;
use dormouse_scripts::checker::Expected;
use dormouse_servers::Prosody;
use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const KILLS: u32 = 50;
const ALICE: &str = "alice@localhost";
const BOB: &str = "bob@localhost";
const PASSWORD: &str = "correct horse";
/// A life that ends before it is known whether it gets anywhere is at most this long, in milliseconds.
const LONGEST_START: u64 = 1_500;
/// A life that ends when it has become live goes on for at most so long, in milliseconds.
const LONGEST_LIFE: u64 = 700;
/// A text is shown when it is typed and sent when it is on disk; this is enough for a commit on a busy machine.
const COMMITTED: Duration = Duration::from_millis(500);
const SIGN_IN: Duration = Duration::from_secs(40);
/// For everything to arrive once nobody is killed any more.
const SETTLED: Duration = Duration::from_secs(60);
/// How long after that a second copy may still turn up.
const SECOND_COPIES: Duration = Duration::from_secs(3);

fn alice(server: &Prosody, folder: &Path) -> ClientBuilder {
    Client::builder(ALICE, PASSWORD)
        .endpoint(server.ws_endpoint())
        .data_dir(folder)
        .no_wake()
}

/// What both have typed so far.
#[derive(Default)]
struct Typed {
    /// By Alice, in order. A text given to a program that was killed before it showed it may be gone.
    alice: Vec<String>,
    /// Those that her window has shown, long enough before the end for their commit: a promise.
    shown: BTreeSet<String>,
    bob: Vec<String>,
}

/// When a life ends.
#[derive(Clone, Copy)]
enum Death {
    /// So long after the start: while signing in, catching up, or later.
    AfterStart(Duration),
    /// So long after it has become live, in the midst of traffic.
    AfterLive(Duration),
}

impl Death {
    fn roll(dice: &mut Dice) -> Self {
        match dice.below(2) {
            0 => Self::AfterStart(Duration::from_millis(dice.below(LONGEST_START))),
            _ => Self::AfterLive(Duration::from_millis(dice.below(LONGEST_LIFE))),
        }
    }
}

/// A life of Alice's client, which ends by force, with messages at random moments. Whether it became live.
fn live_and_die(
    life: u32,
    dice: &mut Dice,
    builder: ClientBuilder,
    bob: &mut Client,
    typed: &mut Typed,
) -> Result<bool> {
    let death = Death::roll(dice);
    let start = Instant::now();
    let mut client = builder.start()?;
    let mut number = 0;
    loop {
        let left = match death {
            Death::AfterStart(length) => length.saturating_sub(start.elapsed()),
            Death::AfterLive(length) if client.state() == "live" || start.elapsed() > SIGN_IN => {
                let live = client
                    .since(Mark::START)
                    .into_iter()
                    .find(|event| event.state() == Some("live"));
                length.saturating_sub(live.map_or(SIGN_IN, |live| live.at.elapsed()))
            }
            Death::AfterLive(_) => SIGN_IN,
        };
        if left.is_zero() {
            break;
        }
        number += 1;
        if dice.below(3) == 0 {
            let body = format!("bob {life}.{number}");
            bob.send(ALICE, &body)?;
            typed.bob.push(body);
        }
        if dice.below(3) == 0 {
            let body = format!("alice {life}.{number}");
            client.send(BOB, &body)?;
            typed.alice.push(body);
        }
        thread::sleep(left.min(Duration::from_millis(dice.below(120))));
    }
    let events = client.since(Mark::START);
    let was_live = events.iter().any(|event| event.state() == Some("live"));
    let promised = events.iter().filter(|event| {
        let on_disk = event.text("state") != "queued" || event.at.elapsed() >= COMMITTED;
        event.text("direction") == "out" && on_disk
    });
    typed
        .shown
        .extend(promised.map(|event| event.text("body").to_owned()));
    client.kill9();
    Ok(was_live)
}

/// Both windows hold everything that must be there, once and in order.
fn check(alice: &mut Client, bob: &mut Client, typed: &Typed) -> Result<()> {
    let shown = alice.messages(BOB)?;
    let kept: BTreeSet<&str> = shown
        .iter()
        .filter(|message| message.own)
        .map(|message| message.body.as_str())
        .collect();
    let must = |body: &&String| typed.shown.contains(*body) || kept.contains(body.as_str());
    let sent: Vec<String> = typed.alice.iter().filter(must).cloned().collect();
    let states = ["sent", "delivered", "read"];
    Expected {
        received: &typed.bob,
        sent: &sent,
        states: &states,
    }
    .check(&shown)
    .context("in the window of her who was killed")?;
    Expected {
        received: &sent,
        sent: &typed.bob,
        states: &states,
    }
    .check(&bob.messages(ALICE)?)
    .context("in the other's window")
}

#[test]
fn after_50_kills_at_random_moments_everything_is_there_once_and_in_order() {
    let seed = Dice::seed("DORMOUSE_KILLS_SEED");
    println!("seed {seed} (again with DORMOUSE_KILLS_SEED={seed})");
    let result = (|| {
        let server = Prosody::builder()
            .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
            .shared_contacts([(ALICE, "Alice"), (BOB, "Bob")])
            .start()?;
        let folder = tempfile::tempdir()?;
        let mut bob = Client::builder(BOB, PASSWORD)
            .endpoint(server.ws_endpoint())
            .no_wake()
            .start()?;
        bob.wait_until_live(SIGN_IN)?;
        let mut dice = Dice::new(seed);
        let mut typed = Typed::default();
        let mut lived = 0;
        for life in 0..KILLS {
            let builder = alice(&server, folder.path());
            lived += u32::from(live_and_die(life, &mut dice, builder, &mut bob, &mut typed)?);
        }
        println!(
            "{lived} of {KILLS} lives were live; {} and {} messages, {} of hers shown",
            typed.alice.len(),
            typed.bob.len(),
            typed.shown.len()
        );
        ensure!(lived >= KILLS / 4, "only {lived} of {KILLS} lives got anywhere");
        ensure!(
            typed.shown.len() >= 20,
            "only {} messages of hers were shown",
            typed.shown.len()
        );
        let mut alice = alice(&server, folder.path()).start()?;
        alice.wait_until_live(SIGN_IN)?;
        let start = Instant::now();
        while check(&mut alice, &mut bob, &typed).is_err() && start.elapsed() < SETTLED {
            thread::sleep(Duration::from_millis(500));
        }
        thread::sleep(SECOND_COPIES);
        check(&mut alice, &mut bob, &typed).with_context(|| format!("{}\n{}", alice.dump(), bob.dump()))?;
        alice.quit()?;
        bob.quit()
    })();
    if let Err(error) = result {
        panic!("seed {seed}: {error:#}");
    }
}

//! `cargo xtask bench catchup`: ten thousand messages missed in fifty conversations, read back from the archive.
//!
//! A real Prosody with SQLite on loopback; the shipped terminal client, release build. It has been signed in once,
//! then quits; fifty others write to it in turn. Then it is started, its session gone, and reads its archive:
//! the newest page first. Next to it the same archive read by a client that only counts the results, page by page
//! like ours: what this server gives at most. Offline storage is off, so that each message comes once.

use crate::crowd::Bot;
use crate::machine;
use anyhow::{Context, Result, ensure};
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::{Event, Mark};
use dormouse_servers::{Prosody, Storage};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const LAPTOP: &str = "alice@localhost";
const PASSWORD: &str = "correct horse";
const PATIENCE: Duration = Duration::from_secs(600);
/// What both ask for at a time, and what Prosody gives at most.
const PAGE: usize = 50;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Messages missed.
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// People who sent them.
    #[arg(long, default_value_t = 50)]
    conversations: usize,
}

/// Measures, and tells a table in Markdown.
///
/// # Errors
/// When a server or program fails, or a message is missing or there twice.
pub fn measure(options: &Options) -> Result<String> {
    let load_before = machine::load();
    let people: Vec<String> = (1..=options.conversations)
        .map(|number| format!("friend{number}"))
        .collect();
    let server = Prosody::builder()
        .account("alice", PASSWORD)
        .accounts(people.iter().map(|user| (user.as_str(), PASSWORD)))
        .storage(Storage::Sqlite)
        .without_nagle()
        .without_module("offline")
        .start()?;
    let data = TempDir::new()?;
    let start = || {
        Client::builder(LAPTOP, PASSWORD)
            .endpoint(server.ws_endpoint())
            .data_dir(data.path())
            .no_wake()
            .gathered()
            .start()
    };
    // What it must have read before, to have missed anything: the beginning of its history.
    let laptop = start()?;
    laptop.wait_until_live(PATIENCE)?;
    let mut first = Bot::sign_in(server.ws_port(), "friend1", PASSWORD)?;
    send(&mut first, 0)?;
    first.settle()?;
    laptop.wait_until_received(&[body(0)], PATIENCE)?;
    drop(first);
    laptop.quit()?;
    let fill = fill(options, &people, server.ws_port())?;
    eprintln!(
        "{} messages sent in {:.0} s",
        options.messages,
        fill.as_secs_f64()
    );

    let mut reader = Bot::sign_in(server.ws_port(), "alice", PASSWORD)?;
    let begun = Instant::now();
    let counted = reader.count_archive(PAGE, options.messages)?;
    let reading = begun.elapsed();
    ensure!(
        counted >= options.messages,
        "the archive holds {counted} messages only"
    );
    drop(reader);

    let begun = Instant::now();
    let laptop = start()?;
    let done = laptop.wait(Mark::START, "the whole archive read", PATIENCE, |events| {
        let end = events
            .iter()
            .position(|event| event.kind() == "catch-up" && event.json["done"] == true)?;
        Some(
            events
                .get(end..)?
                .iter()
                .find(|event| event.kind() == "stored")?
                .at,
        )
    })?;
    let peak = peak_memory(laptop.id())?;
    let events = laptop.since(Mark::START);
    let seen: Vec<&str> = events.iter().filter_map(Event::received).collect();
    let different: BTreeSet<&str> = seen.iter().copied().collect();
    ensure!(
        different.len() == options.messages,
        "{} of {} messages were shown",
        different.len(),
        options.messages
    );
    let bound = at(&events, |event| event.state() == Some("catching-up")).context("it never bound")?;
    let page = at(&events, |event| event.received().is_some()).context("no page came")?;
    let page = at_or_after(&events, page, "stored").context("no page was stored")?;
    let told = Told::of(&events, begun);
    let rate = |time: Duration| options.messages as f64 / time.as_secs_f64();
    let since = |moment: Instant| moment.saturating_duration_since(begun);
    let working = done.saturating_duration_since(bound);
    Ok(format!(
        "{}. Load {load_before} at the start, {} at the end.\n\n\
         | {} messages in {} conversations | |\n|---|---:|\n\
         | process started to session bound, ms | {:.0} |\n\
         | to the newest page stored, ms | {:.0} |\n\
         | to all stored, s | {:.1} |\n\
         | messages per second, from bound to all stored | {:.0} |\n\
         | the same, of a reader that only counts | {:.0} |\n\
         | peak memory (VmHWM), MiB | {:.0} |\n\
         | changes told to a window in all | {} |\n\
         | the same in the fullest second | {} |\n\
         | batches of them in all | {} |\n\
         | the same in the fullest second | {} |\n",
        machine::describe(),
        machine::load(),
        options.messages,
        options.conversations,
        since(bound).as_secs_f64() * 1000.0,
        since(page).as_secs_f64() * 1000.0,
        since(done).as_secs_f64(),
        rate(working),
        rate(reading),
        peak,
        told.changes,
        told.changes_in_a_second,
        told.batches,
        told.batches_in_a_second,
    ))
}

fn body(number: usize) -> String {
    format!("message number {number}, of about the length that messages have")
}

fn send(bot: &mut Bot, number: usize) -> Result<()> {
    bot.say(&format!(
        "<message xmlns='jabber:client' to='{LAPTOP}' type='chat' id='m{number}'><body>{}</body></message>",
        body(number)
    ))
}

/// All send in turn; returns how long it took.
fn fill(options: &Options, people: &[String], port: u16) -> Result<Duration> {
    let begun = Instant::now();
    let mut bots = people
        .iter()
        .map(|user| Bot::sign_in(port, user, PASSWORD))
        .collect::<Result<Vec<Bot>>>()?;
    for number in 1..=options.messages {
        let turn = number % bots.len();
        send(&mut bots[turn], number)?;
    }
    bots.iter_mut().try_for_each(Bot::settle)?;
    Ok(begun.elapsed())
}

fn at(events: &[Event], meant: impl Fn(&Event) -> bool) -> Option<Instant> {
    events.iter().find(|event| meant(event)).map(|event| event.at)
}

fn at_or_after(events: &[Event], moment: Instant, kind: &str) -> Option<Instant> {
    at(events, |event| event.at >= moment && event.kind() == kind)
}

/// What a window was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    changes: u64,
    changes_in_a_second: u64,
    batches: u64,
    batches_in_a_second: u64,
}

impl Told {
    fn of(events: &[Event], begun: Instant) -> Self {
        let mut told = Self::default();
        let mut seconds: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        for event in events.iter().filter(|event| event.kind() == "batch") {
            let changes = event.json["changes"].as_u64().unwrap_or_default();
            let second = event.at.saturating_duration_since(begun).as_secs();
            let (batches_then, changes_then) = seconds.entry(second).or_default();
            *batches_then += 1;
            *changes_then += changes;
            told.batches += 1;
            told.changes += changes;
            told.batches_in_a_second = told.batches_in_a_second.max(*batches_then);
            told.changes_in_a_second = told.changes_in_a_second.max(*changes_then);
        }
        told
    }
}

/// What a process has had in memory at most, in MiB.
fn peak_memory(id: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    Ok(kibibytes.context("the kernel does not say how much memory was used")? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_window_is_told_is_counted_by_its_batches() {
        let begun = Instant::now();
        let batch = |after: u64, changes: u64| Event {
            at: begun + Duration::from_millis(after),
            json: json!({"event": "batch", "changes": changes}),
        };
        let message = Event {
            at: begun,
            json: json!({"event": "message"}),
        };
        let events = [message, batch(0, 3), batch(900, 4), batch(1_000, 6)];
        let expected = Told {
            changes: 13,
            changes_in_a_second: 7,
            batches: 3,
            batches_in_a_second: 2,
        };
        assert_eq!(Told::of(&events, begun), expected);
    }
}

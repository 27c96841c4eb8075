//! One sleep, from the lid's closing until both windows show everything.

use crate::matrix::{Cell, Flow, Network, Session, Trigger};
use anyhow::{Context, ensure};
use dormouse_scenarios::Result;
use dormouse_scenarios::event::{Event, Mark};
use dormouse_scenarios::scene::Scene;
use dormouse_sleep_lab::{Lab, NetworkReturn};
use std::collections::BTreeSet;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

/// Sent to the laptop while it sleeps.
const MISSED: usize = 20;
/// Typed into it while it sleeps.
const TYPED: usize = 5;
/// The shortest sleep.
const SLEEP: Duration = Duration::from_secs(6);
/// How long the network is away after a wake that finds it late.
const LATE: Duration = Duration::from_secs(4);
/// How long the server may take to have what the friend sends, its restart included.
const DELIVERY: Duration = Duration::from_secs(40);
/// How soon after a wake that it can know of the laptop must say that it is not sure any more.
const DOUBT: Duration = Duration::from_secs(5);

/// How the laptop came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Over the old connection.
    Kept,
    /// Over a new connection, with the old session.
    Resumed,
    /// Over a new connection, with a new session.
    Fresh,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Path::Kept => "old connection",
            Path::Resumed => "resumed",
            Path::Fresh => "fresh session",
        })
    }
}

/// What came of a cell that went well.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// From the moment that the program went on to the last missed message in its window.
    pub recovered: Duration,
    /// From that moment to the state `live`.
    pub live: Duration,
    /// Over which connection and session.
    pub path: Path,
    /// TCP connections tried since the wake.
    pub dials: usize,
}

/// Lives through one cell.
pub fn live_through(cell: Cell) -> Result<Outcome> {
    let lab = Lab::new()?;
    let mut scene = Scene::new(lab, cell.trigger == Trigger::Logind)?;
    let mut order: Vec<String> = scene
        .laptop
        .messages(scene.friend.address())?
        .into_iter()
        .map(|message| message.body)
        .collect();
    let (mark, woke, flows) = sleep(cell, &mut scene)?;
    order.extend(scene.said.friend.iter().skip(1).cloned());
    order.extend(scene.said.laptop.iter().skip(1).cloned());

    let missed = scene.said.friend.clone();
    let limit = limit(cell);
    let last = scene.laptop.wait_until_received(&missed, limit)?;
    let live = scene
        .laptop
        .wait(mark, "the state `live` after the wake", limit, |events| {
            came_back(cell, events)
        })?;
    let events = scene.laptop.since(mark);
    says_only_what_is_true(cell, woke, &events)
        .with_context(|| format!("the laptop's window:\n{}", scene.laptop.dump()))?;
    // Before later traffic can add to them.
    let dials = scene.flows().iter().filter(|flow| !flows.contains(flow)).count();

    scene.check(limit)?;
    scene.check_order(&order)?;
    let events = scene.laptop.since(mark);
    let path = path(&events);
    match cell.session {
        Session::Held => ensure!(path != Path::Fresh, "the session was there, and was not resumed"),
        Session::Gone => ensure!(path == Path::Fresh, "the session was gone, and yet: {path}"),
    }
    Ok(Outcome {
        recovered: last.saturating_duration_since(woke),
        live: live.unwrap_or(woke).saturating_duration_since(woke),
        path,
        dials,
    })
}

/// The sleep itself. Returns the place in the laptop's events and the moment at which it went on, and the TCP
/// connections until then.
fn sleep(cell: Cell, scene: &mut Scene) -> Result<(Mark, Instant, BTreeSet<dormouse_sleep_lab::Flow>)> {
    if cell.trigger == Trigger::Logind {
        scene.announce_sleep()?;
        scene.laptop.wait_until_state("asleep", Duration::from_secs(5))?;
    }
    let mut sleeper = scene.lab.sleeper(scene.laptop.id());
    let asleep = sleeper.suspend()?;
    match cell.flow {
        Flow::Alive => {}
        Flow::Dead => {
            scene.lab.relay().kill_flows();
        }
        Flow::Mute => {
            scene.lab.relay().mute_flows();
        }
    }
    for number in 1..=MISSED {
        if cell.session == Session::Gone && number == MISSED / 2 + 1 {
            let sent = scene.said.friend.clone();
            scene
                .friend
                .wait_until_sent(&sent, &["sent", "delivered"], DELIVERY)?;
            scene.server.restart()?;
        }
        scene.friend_types(&format!("missed {number}"))?;
    }
    for number in 1..=TYPED {
        scene.laptop_types(&format!("typed {number}"))?;
    }
    let sent = scene.said.friend.clone();
    scene
        .friend
        .wait_until_sent(&sent, &["sent", "delivered"], DELIVERY)?;
    thread::sleep(SLEEP.saturating_sub(asleep.slept()));

    let mark = scene.laptop.mark();
    let flows = scene.flows().into_iter().collect();
    let network = match cell.network {
        Network::AtOnce => NetworkReturn::AtOnce,
        Network::Late => NetworkReturn::Late(LATE),
    };
    let woke = Instant::now();
    match cell.trigger {
        Trigger::Logind | Trigger::Clock => asleep.resume(network)?,
        Trigger::Nothing => asleep.resume_uncounted(network)?,
    };
    if cell.trigger == Trigger::Logind {
        scene.announce_wake()?;
    }
    Ok((mark, woke, flows))
}

/// How long until everything must be there. A wake that is known of takes a few round trips; the rest is for
/// a retry, and for a busy machine. Without it the answer to what was typed is missed after ten seconds, the
/// heartbeat's after 35.
fn limit(cell: Cell) -> Duration {
    let known = match cell.trigger {
        Trigger::Logind | Trigger::Clock => Duration::from_secs(15),
        Trigger::Nothing => Duration::from_secs(50),
    };
    match cell.network {
        Network::AtOnce => known,
        Network::Late => known + LATE,
    }
}

/// When the laptop was live again for good: the last event of all must say so. `Some(None)` if it never
/// said otherwise, which only a wake that it could not know of and an old connection that lives allow.
fn came_back(cell: Cell, events: &[Event]) -> Option<Option<Instant>> {
    let last = events.iter().rev().find(|event| event.state().is_some());
    match last {
        Some(event) => (event.state() == Some("live")).then_some(Some(event.at)),
        None => (cell.trigger == Trigger::Nothing && cell.old_connection_may_answer()).then_some(None),
    }
}

/// `live` is said after the wake only on proof: a new connection has signed in, where the old one can't
/// have answered. And a wake that can be known of is followed at once by another state than `live`.
fn says_only_what_is_true(cell: Cell, woke: Instant, events: &[Event]) -> Result<()> {
    let states: Vec<(&str, Duration)> = events
        .iter()
        .filter_map(|event| Some((event.state()?, event.at.saturating_duration_since(woke))))
        .collect();
    if !cell.old_connection_may_answer() {
        let new = states.iter().position(|(state, _)| *state == "signing-in");
        let live = states.iter().position(|(state, _)| *state == "live");
        ensure!(
            matches!((new, live), (Some(new), Some(live)) if new < live),
            "`live` was shown without a new sign-in: {states:?}"
        );
    }
    if cell.trigger != Trigger::Nothing {
        let Some((state, after)) = states.first() else {
            anyhow::bail!("the wake changed nothing in the window");
        };
        ensure!(
            *after < DOUBT && (*state != "live" || cell.old_connection_may_answer()),
            "after {:.1} s the first state after the wake was `{state}`",
            after.as_secs_f64()
        );
    }
    Ok(())
}

/// By the reasons that the window gives.
fn path(events: &[Event]) -> Path {
    let reason = |words: &str| {
        events
            .iter()
            .any(|event| event.state().is_some() && event.text("reason").contains(words))
    };
    let signed_in = events.iter().any(|event| event.state() == Some("signing-in"));
    if !signed_in {
        Path::Kept
    } else if reason("earlier session was resumed") {
        Path::Resumed
    } else {
        Path::Fresh
    }
}

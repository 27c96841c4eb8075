//! Links that die without sleep: in both directions or in one, without a FIN, without an RST.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use dormouse_scenarios::Result;
use dormouse_scenarios::event::{Event, Mark};
use dormouse_scenarios::scene::Scene;
use dormouse_sleep_lab::{Direction, Lab, freeze, thaw};
use std::thread;
use std::time::{Duration, Instant};

/// Proof of life is never older than this: 25 s to the question, 10 s for the answer.
const NOTICED: Duration = Duration::from_secs(35);
/// The events come through a pipe from a program on a busy machine.
const LEEWAY: Duration = Duration::from_millis(1_500);
/// From the opening of the network until everything is there: a wait may just have begun, of 30 s and half.
const RECOVERED: Duration = Duration::from_secs(60);

fn scene() -> Option<Scene> {
    match Lab::unless_skipped() {
        Ok(Some(lab)) => Some(Scene::new(lab, false).unwrap_or_else(|error| panic!("{error:#}"))),
        Ok(None) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Whether any of these events says that the link is not what it should be.
fn first_doubt(events: &[Event]) -> Option<&Event> {
    events
        .iter()
        .find(|event| event.state().is_some_and(|state| state != "live"))
}

/// The friend says something now and then until the laptop's window shows that it is in doubt; returns after
/// how long it did.
fn noticed_after(scene: &mut Scene, since: Instant, mark: Mark) -> Result<Duration> {
    let mut number = 0;
    loop {
        if let Some(event) = first_doubt(&scene.laptop.since(mark)) {
            return Ok(event.at.saturating_duration_since(since));
        }
        if since.elapsed() > NOTICED + LEEWAY {
            anyhow::bail!(
                "nothing was noticed after {:.1} s\n{}",
                since.elapsed().as_secs_f64(),
                scene.laptop.dump()
            );
        }
        number += 1;
        scene.friend_types(&format!("said into the silence {number}"))?;
        thread::sleep(Duration::from_secs(2));
    }
}

/// A silence that nothing of ours is written into: only the heartbeat can find it.
fn silence_is_noticed_and_survived(direction: Direction) {
    let Some(mut scene) = scene() else { return };
    let result = (|| {
        let (mark, since) = (scene.laptop.mark(), Instant::now());
        scene.lab.relay().silence(direction);
        let after = noticed_after(&mut scene, since, mark)?;
        anyhow::ensure!(
            after <= NOTICED + LEEWAY,
            "noticed only after {:.1} s",
            after.as_secs_f64()
        );
        scene.laptop_types("typed into the silence")?;
        // Whatever it tries now must not succeed, nor be shown as if it had.
        thread::sleep(Duration::from_secs(5));
        anyhow::ensure!(
            scene.laptop.state() != "live",
            "`live` was shown while nothing could be\n{}",
            scene.laptop.dump()
        );
        scene.lab.relay().open();
        scene.check(RECOVERED)
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

#[test]
fn a_silent_drop_in_both_directions_is_noticed_within_35_s_and_loses_nothing() {
    silence_is_noticed_and_survived(Direction::Both);
}

#[test]
fn a_link_whose_sending_died_is_noticed_within_35_s_although_messages_come_in() {
    silence_is_noticed_and_survived(Direction::ToServer);
}

#[test]
fn a_link_whose_receiving_died_is_noticed_within_35_s_and_loses_nothing() {
    silence_is_noticed_and_survived(Direction::ToClient);
}

/// No new connection was used: neither signed in over, nor waited for.
fn keeps_its_connection(scene: &Scene, mark: Mark) -> Result<()> {
    let events = scene.laptop.since(mark);
    let left = events
        .iter()
        .filter_map(Event::state)
        .find(|state| !matches!(*state, "live" | "suspect"));
    anyhow::ensure!(
        left.is_none(),
        "the state {left:?} was shown\n{}",
        scene.laptop.dump()
    );
    Ok(())
}

#[test]
fn a_network_that_stalls_for_3_s_keeps_its_connection() {
    let Some(mut scene) = scene() else { return };
    let result = (|| {
        let mark = scene.laptop.mark();
        scene.lab.relay().silence(Direction::Both);
        scene.friend_types("said into the stall")?;
        scene.lab.relay().open_after(Duration::from_secs(3));
        scene.check(Duration::from_secs(30))?;
        keeps_its_connection(&scene, mark)
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

#[test]
fn a_server_that_stalls_for_3_s_with_a_message_to_acknowledge_keeps_its_client() {
    let Some(mut scene) = scene() else { return };
    let result = (|| {
        let mark = scene.laptop.mark();
        let before = scene.flows().len();
        let server = scene.server.process_id().unwrap();
        freeze(server)?;
        scene.laptop_types("typed into the stall")?;
        thread::sleep(Duration::from_secs(3));
        thaw(server)?;
        scene.check(Duration::from_secs(30))?;
        let spares = scene.flows().len() - before;
        anyhow::ensure!(spares <= 1, "{spares} spares were dialled for one slow answer");
        if spares == 0 {
            return keeps_its_connection(&scene, mark);
        }
        // A spare that was under way already may be ready before the server has read on: then the session goes on there.
        let begun_anew = "Signed in with a new session.";
        anyhow::ensure!(
            scene
                .laptop
                .since(mark)
                .iter()
                .all(|event| event.text("reason") != begun_anew),
            "{}",
            scene.laptop.dump()
        );
        Ok(())
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

//! Sleeps in a row, and what is no sleep.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::ensure;
use dormouse_scenarios::Result;
use dormouse_scenarios::scene::Scene;
use dormouse_sleep_lab::{Lab, NetworkReturn, freeze, thaw};
use std::thread;
use std::time::Duration;

const SLEEP: Duration = Duration::from_secs(5);
const RECOVERED: Duration = Duration::from_secs(25);
/// Longer than the heartbeat and the deadline of its answer together: both pass while the program stands.
const THROTTLED: Duration = Duration::from_secs(38);

fn lab() -> Option<Lab> {
    Lab::unless_skipped().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn after_each_of_two_sleeps_the_delay_lock_is_taken_again_and_nothing_is_lost() {
    let Some(lab) = lab() else { return };
    let result = (|| -> Result<()> {
        let mut scene = Scene::new(lab, true)?;
        for sleep in ["first", "second"] {
            let mark = scene.laptop.mark();
            scene.announce_sleep()?;
            let mut sleeper = scene.lab.sleeper(scene.laptop.id());
            let asleep = sleeper.suspend()?;
            for number in 1..=5 {
                scene.friend_types(&format!("missed {number} in the {sleep} sleep"))?;
            }
            scene.laptop_types(&format!("typed in the {sleep} sleep"))?;
            thread::sleep(SLEEP);
            asleep.resume(NetworkReturn::AtOnce)?;
            scene.announce_wake()?;
            scene.check(RECOVERED)?;
            scene.wait_for_lock(true, Duration::from_secs(10))?;
            let said = scene.laptop.since(mark);
            let asleep = said.iter().filter(|event| event.state() == Some("asleep"));
            ensure!(asleep.count() == 1, "`asleep` once for the {sleep} sleep");
        }
        Ok(())
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

#[test]
fn a_sleep_that_is_called_off_ends_in_the_same_session() {
    let Some(lab) = lab() else { return };
    let result = (|| -> Result<()> {
        let mut scene = Scene::new(lab, true)?;
        let mark = scene.laptop.mark();
        scene.announce_sleep()?;
        scene.laptop.wait_until_state("asleep", Duration::from_secs(5))?;
        scene.announce_wake()?;
        scene.friend_types("said after the sleep that was none")?;
        scene.check(RECOVERED)?;
        scene.wait_for_lock(true, Duration::from_secs(10))?;
        let fresh = scene
            .laptop
            .since(mark)
            .iter()
            .any(|event| event.text("reason").contains("new session"));
        ensure!(!fresh, "a new session was made\n{}", scene.laptop.dump());
        Ok(())
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

#[test]
fn a_program_that_was_only_stopped_has_not_slept_and_keeps_its_connection() {
    let Some(lab) = lab() else { return };
    let result = (|| -> Result<()> {
        let mut scene = Scene::new(lab, false)?;
        let (mark, before) = (scene.laptop.mark(), scene.flows().len());
        freeze(scene.laptop.id())?;
        scene.friend_types("said meanwhile 1")?;
        scene.friend_types("said meanwhile 2")?;
        thread::sleep(THROTTLED);
        thaw(scene.laptop.id())?;
        scene.laptop_types("typed after it")?;
        scene.check(RECOVERED)?;
        let states: Vec<String> = scene
            .laptop
            .since(mark)
            .iter()
            .filter_map(|event| event.state().map(str::to_owned))
            .collect();
        ensure!(
            states.iter().all(|state| state == "live" || state == "suspect"),
            "{states:?} was shown\n{}",
            scene.laptop.dump()
        );
        // The question asked in doubt may be overtaken by one spare; more would be a flood.
        let spares = scene.flows().len() - before;
        ensure!(
            spares <= 1,
            "{spares} connections were dialled\n{}",
            scene.laptop.dump()
        );
        Ok(())
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

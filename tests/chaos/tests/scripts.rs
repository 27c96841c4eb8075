//! The model is honest: the same scripts hold on real servers, and nothing is seen of those that the model never shows.

#![cfg(target_os = "linux")]
#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test, and what was seen is what it is for"
)]

use dormouse_chaos::play::{Scene, play_all};
use dormouse_scenarios::server::Make;
use dormouse_scripts::library;
use dormouse_scripts::script::Script;
use dormouse_scripts::seen::{Seen, Sight};
use dormouse_servers::Release;
use dormouse_simulator::World;
use dormouse_simulator::server::Kind;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Worlds in which the model shows what it can.
const SEEDS: u64 = 40;

/// One after the other: each brings load enough.
static ALONE: Mutex<()> = Mutex::new(());

/// The scripts whose names have the words of DORMOUSE_SCRIPT; all without it.
fn wanted() -> Vec<Script> {
    let words = std::env::var("DORMOUSE_SCRIPT").unwrap_or_default();
    let mut scripts = library::all();
    scripts.retain(|script| script.name.contains(&words));
    scripts
}

/// What the model shows of a script before a server of this kind.
fn shown_by_the_model(script: &Script, kind: Kind) -> BTreeSet<Seen> {
    let play = |seed| World::play(script, kind, seed, false).played;
    (0..SEEDS)
        .filter_map(|seed| play(seed).ok().map(|played| played.seen))
        .collect()
}

/// What the model can't show of a server.
///
/// ejabberd 24.12 waits up to 15 s for the process of a session that somebody wants to go on with, should it hang. Then it gives
/// a new one in its place, where nobody waits any more: it takes the name of whatever was signed in since.
fn beyond_the_model(make: Make, release: Release) -> &'static [Sight] {
    match (make, release) {
        (Make::Ejabberd, Release::Trixie) => &[Sight::Taken],
        _ => &[],
    }
}

/// What is wrong with a play, if anything is.
fn complaint(scene: &Scene, kind: Kind, beyond: &[Sight]) -> Option<String> {
    let name = scene.script.name;
    let left = format!("\nSee {}.", scene.evidence.display());
    let played = match &scene.played {
        Ok(played) => played,
        Err(why) => return Some(format!("{why}{left}")),
    };
    println!("{name}: {} ({:.0} s)", played.seen, played.took.as_secs_f64());
    for loss in &played.verdict.losses {
        println!("  lost by the server: {loss}");
    }
    if !played.verdict.findings.is_empty() {
        return Some(format!("{name}:\n{}{left}", played.verdict.findings.join("\n")));
    }
    let shown = shown_by_the_model(&scene.script, kind);
    let mut seen = played.seen.clone();
    for sights in seen.devices.values_mut() {
        sights.retain(|sight| !beyond.contains(sight));
    }
    let differences = seen.against_others(&shown);
    if differences.is_empty() {
        scene.forget();
        return None;
    }
    let shown: Vec<String> = shown.iter().map(|seen| format!("  {seen}")).collect();
    Some(format!(
        "{name}: the model is another server than this one. {}\nSeen here:\n  {}\nThe model shows:\n{}{left}",
        differences.join(" "),
        played.seen,
        shown.join("\n")
    ))
}

fn the_model_is_honest(make: Make, release: Release) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let kind = match make {
        Make::Prosody => Kind::Prosody,
        Make::Ejabberd => Kind::Ejabberd,
    };
    let beyond = beyond_the_model(make, release);
    match play_all(make, release, &wanted()) {
        Ok(scenes) => {
            let complaints: Vec<String> = scenes
                .iter()
                .filter_map(|scene| complaint(scene, kind, beyond))
                .collect();
            assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
        }
        Err(error) => panic!("{error:#}"),
    }
}

fn is_skipped() -> bool {
    std::env::var("DORMOUSE_SKIP").is_ok_and(|skip| skip.split(',').any(|name| name == "trixie"))
}

#[test]
fn every_script_holds_on_prosody_0_12_and_shows_nothing_that_the_model_does_not() {
    the_model_is_honest(Make::Prosody, Release::Bookworm);
}

#[test]
fn every_script_holds_on_ejabberd_23_01_and_shows_nothing_that_the_model_does_not() {
    the_model_is_honest(Make::Ejabberd, Release::Bookworm);
}

#[test]
#[ignore = "takes minutes: cargo xtask test --all"]
fn every_script_holds_on_prosody_13_and_shows_nothing_that_the_model_does_not() {
    if !is_skipped() {
        the_model_is_honest(Make::Prosody, Release::Trixie);
    }
}

#[test]
#[ignore = "takes minutes: cargo xtask test --all"]
fn every_script_holds_on_ejabberd_24_12_and_shows_nothing_that_the_model_does_not() {
    if !is_skipped() {
        the_model_is_honest(Make::Ejabberd, Release::Trixie);
    }
}

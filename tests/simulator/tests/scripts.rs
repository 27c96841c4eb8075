//! The scripts that real servers are put through hold in the model world, whatever its server's habits.

#![allow(clippy::panic, reason = "a test")]
#![allow(clippy::print_stdout, reason = "what was seen is what the test is for")]

use dormouse_scripts::library;
use dormouse_scripts::script::Script;
use dormouse_scripts::seen::Seen;
use dormouse_simulator::World;
use dormouse_simulator::server::Kind;
use std::collections::BTreeMap;

/// Of each script, before each kind of server.
const SEEDS: u64 = 25;

/// The scripts whose names have the words of DORMOUSE_SCRIPT; all without it.
fn wanted() -> Vec<Script> {
    let words = std::env::var("DORMOUSE_SCRIPT").unwrap_or_default();
    let mut scripts = library::all();
    scripts.retain(|script| script.name.contains(&words));
    scripts
}

/// Plays a script: what was seen, and how often; and what is wrong in the first world in which anything is.
fn plays(script: &Script, kind: Kind) -> Result<BTreeMap<Seen, usize>, String> {
    let mut all = BTreeMap::new();
    for seed in 0..SEEDS {
        match World::play(script, kind, seed, false).played {
            Ok(played) if played.verdict.findings.is_empty() => *all.entry(played.seen).or_default() += 1,
            played => {
                let story = World::play(script, kind, seed, true).story;
                let end: Vec<&str> = story.iter().rev().take(60).map(String::as_str).collect();
                let end: Vec<&str> = end.into_iter().rev().collect();
                let found = match played {
                    Ok(played) => format!("{}\nSeen: {}", played.verdict.findings.join("\n"), played.seen),
                    Err(why) => why.to_string(),
                };
                return Err(format!(
                    "{}\n{}, {kind:?}, seed {seed}:\n{found}",
                    end.join("\n"),
                    script.name
                ));
            }
        }
    }
    Ok(all)
}

#[test]
fn every_script_holds_before_either_kind_of_model_server() {
    let mut wrong = Vec::new();
    for script in wanted() {
        for kind in [Kind::Prosody, Kind::Ejabberd] {
            match plays(&script, kind) {
                Ok(all) => all.iter().for_each(|(seen, times)| {
                    println!("{}, {kind:?}, {times} times: {seen}", script.name);
                }),
                Err(why) => wrong.push(why),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

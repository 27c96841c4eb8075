//! Chaos for as long as a test may take; with `cargo xtask test --all` for ten minutes on each kind of server.

#![cfg(target_os = "linux")]
#![allow(clippy::panic, clippy::print_stdout, reason = "a test")]

use dormouse_chaos::run::Chaos;
use dormouse_chaos::site::Kind;
use dormouse_scenarios::dice::Dice;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const SHORT: Duration = Duration::from_secs(75);
const LONG: Duration = Duration::from_secs(600);

/// One at a time: each brings load enough.
static ALONE: Mutex<()> = Mutex::new(());

fn nothing_is_lost_doubled_or_untrue(kind: Kind, length: Duration) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = Dice::seed("DORMOUSE_CHAOS_SEED");
    println!("seed {seed} (again with DORMOUSE_CHAOS_SEED={seed})");
    match (Chaos { kind, length, seed }).run() {
        Ok(report) => {
            println!("{report}");
            assert!(report.verdict.findings.is_empty(), "{report}");
        }
        Err(error) => panic!("seed {seed}: {error:#}"),
    }
}

fn is_skipped() -> bool {
    std::env::var("DORMOUSE_SKIP").is_ok_and(|skip| skip.split(',').any(|name| name == "trixie"))
}

#[test]
fn a_minute_of_chaos_on_prosody_loses_nothing_doubles_nothing_and_shows_nothing_untrue() {
    if !is_skipped() {
        nothing_is_lost_doubled_or_untrue(Kind::Prosody, SHORT);
    }
}

#[test]
#[ignore = "takes ten minutes: cargo xtask test --all"]
fn ten_minutes_of_chaos_on_prosody_lose_nothing_double_nothing_and_show_nothing_untrue() {
    if !is_skipped() {
        nothing_is_lost_doubled_or_untrue(Kind::Prosody, LONG);
    }
}

#[test]
#[ignore = "takes ten minutes: cargo xtask test --all"]
fn ten_minutes_of_chaos_on_an_older_prosody_lose_nothing_double_nothing_and_show_nothing_untrue() {
    nothing_is_lost_doubled_or_untrue(Kind::OldProsody, LONG);
}

#[test]
#[ignore = "takes ten minutes: cargo xtask test --all"]
fn ten_minutes_of_chaos_on_a_cluster_lose_double_and_show_untrue_nothing_but_what_the_cluster_lost() {
    if !is_skipped() {
        nothing_is_lost_doubled_or_untrue(Kind::Cluster, LONG);
    }
}

#[test]
#[ignore = "takes ten minutes: cargo xtask test --all"]
fn behind_a_proxy_that_forgets_after_20_s_chaos_ends_in_silence_without_another_loss() {
    if !is_skipped() {
        nothing_is_lost_doubled_or_untrue(Kind::Impatient, LONG);
    }
}

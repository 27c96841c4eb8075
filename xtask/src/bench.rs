//! `cargo xtask bench ...`: builds for release what is measured and has `tests/bench` measure it (which says how).
//! Tables go into `docs/bench.md` by hand: a figure without its machine and its day says nothing.

use crate::install::{self, Need};
use crate::run::{Result, cargo, run, step, target};
use std::path::PathBuf;

/// How often each window is started if nobody says otherwise.
const RUNS: &str = "7";

const USAGE: &str = "bench knows: window [--runs N] (N starts of each program, 1 to 255); \
    desktop [--runs N] [--minutes N]; wake [--runs N] \
    [--cases WORD...] [--rtt MS...] [--loss PER-CENT...] [--nagle]; catchup [--messages N] [--conversations N]; \
    store [--messages N].";

/// From the words after `bench`.
pub fn bench(words: &[&str]) -> Result<()> {
    let (what, rest) = words.split_first().ok_or_else(|| USAGE.to_owned())?;
    if !cfg!(target_os = "linux") {
        return Err(
            "It is measured on Linux only: displays, network namespaces and servers are Linux's.".to_owned(),
        );
    }
    match (*what, rest) {
        ("window", []) => window(RUNS),
        ("window", ["--runs", runs]) if runs.parse::<u8>().is_ok_and(|runs| runs > 0) => window(runs),
        ("desktop", rest) => desktop(rest),
        ("wake" | "catchup", rest) => wire(what, rest),
        ("store", rest) => store(rest),
        _ => Err(USAGE.to_owned()),
    }
}

fn release() -> PathBuf {
    target().join("release")
}

fn build(packages: &[&str]) -> Result<()> {
    let named = packages.iter().flat_map(|package| ["-p", package]);
    step("Building what is measured, for release", || {
        run(cargo().args(["build", "--release"]).args(named))
    })
}

fn window(runs: &str) -> Result<()> {
    beside_the_bare_window("window", &[runs])
}

fn desktop(rest: &[&str]) -> Result<()> {
    beside_the_bare_window("desktop", rest)
}

/// Benches that watch the window from outside.
fn beside_the_bare_window(what: &str, rest: &[&str]) -> Result<()> {
    install::install(Need::Test, &[])?;
    build(&["dormouse", "dormouse-bare-window"])?;
    run(cargo()
        .args(["run", "-p", "dormouse-bench", "--", what])
        .arg(release().join("dormouse"))
        .arg(release().join("dormouse-bare-window"))
        .args(rest))
}

/// Benches that watch the terminal client from outside.
fn wire(what: &str, rest: &[&str]) -> Result<()> {
    install::install(Need::Test, &[])?;
    build(&["dormouse-cli"])?;
    run(cargo()
        .args([
            "run",
            "-p",
            "dormouse-bench",
            "--no-default-features",
            "--features",
            "wire",
            "--",
        ])
        .arg(what)
        .args(rest)
        .env("DORMOUSE_PROGRAMS", release()))
}

/// The store is a library: the bench itself is the program that is measured.
fn store(rest: &[&str]) -> Result<()> {
    run(cargo()
        .args([
            "run",
            "--release",
            "-p",
            "dormouse-bench",
            "--no-default-features",
            "--features",
            "store",
        ])
        .args(["--", "store"])
        .args(rest))
}

//! `cargo xtask bench window`: builds the window and the least a window can be, both for release, and measures them
//! side by side (`tests/bench`, which says how). Its table goes into `docs/bench.md` by hand: a figure without
//! its machine and its day says nothing.

use crate::install::{self, Need};
use crate::run::{Result, cargo, run, step, target};

/// How often each program is started if nobody says otherwise.
const RUNS: &str = "7";

/// From the words after `bench`.
pub fn bench(words: &[&str]) -> Result<()> {
    let runs = match words {
        ["window"] => RUNS,
        ["window", "--runs", runs] if runs.parse::<u8>().is_ok_and(|runs| runs > 0) => runs,
        _ => return Err("bench knows: window [--runs N] (N starts of each program, 1 to 255).".to_owned()),
    };
    window(runs)
}

fn window(runs: &str) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Err("The window is measured on Linux only: it needs an X display of its own.".to_owned());
    }
    install::install(Need::Test, &[])?;
    step("Building both windows for release", || {
        run(cargo().args([
            "build",
            "--release",
            "-p",
            "dormouse",
            "-p",
            "dormouse-bare-window",
        ]))
    })?;
    let release = target().join("release");
    run(cargo()
        .args(["run", "-p", "dormouse-bench", "--"])
        .arg(release.join("dormouse"))
        .arg(release.join("dormouse-bare-window"))
        .arg(runs))
}

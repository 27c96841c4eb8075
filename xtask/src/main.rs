//! `cargo xtask`: the project's own commands.
//!
//! - `start`: a local server, a friend who talks, and the window, on any fresh Debian or Ubuntu machine.
//! - `test`: everything that must hold before a change is taken; `.ci/run` calls it.
//! - `simulate`: more lives in the simulator.
//! - `chaos`: the real thing while everything around it breaks.
//! - `mistakes`: that the simulator finds what is wrong.
//! - `bench`: what the window, a wake, a long catch-up and a large store cost.
//! - `dist`: packages to install.
//! - `fuzz`: hostile input without end, with a nightly compiler.
//! - `install`: only what `start` or `test` would install first.
// What this program is for is to print.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod built;
mod chaos;
mod dist;
mod foreign;
mod fuzz;
mod install;
mod mistakes;
mod page;
mod promises;
mod purity;
mod run;
mod start;
mod suite;
mod tool;

use run::{Result, cargo, run};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  start [--terminal]             build, start a local server with a friend on it, and open the window (or chat in
                                 the terminal)
  test [OPTIONS]                 all checks and tests
    --all                        also the long runs, the targets and cargo-deny
    --only STEP                  only this step (may be repeated)
    --target windows             only this: the tests of other systems, here under wine (skipped where it is not to be had)
    --target macos               only this: what is compiled for macOS, its types (nothing of it can run here)
    --skip namespaces            leave out the tests that need network namespaces (they need root)
    --skip mounts                leave out the tests that need a small disk of their own (they need root)
    --skip trixie                leave out the tests that need the servers of Debian 13 (they need root)
  simulate --seeds N [--from S]  live N lives in the simulator, starting with seed S
  simulate --forever [--from S]  live until told to stop, or until lives fail
  simulate --storm               ten thousand clients lose their server; draws docs/storm.svg
  mistakes [OPTIONS] [NAME ...]  make deliberate mistakes in a copy of the sources, and live until each is found
    --seeds N                    give up after N lives (2000)
    --write                      write the table in docs/resilience.md
  chaos [OPTIONS]                the terminal client against real servers while everything around it breaks
    --minutes N                  for how long (10)
    --seed S                     what happens when (any)
    --on SERVERS                 prosody, prosody-0.12, cluster or impatient (prosody)
  fuzz [TARGET] [--minutes N]    fuzz that target, or each, for N minutes (60)
  bench window [--runs N]        measure the window next to the least a window can be (release builds)
  bench wake [OPTIONS]           measure recoveries from sleep in round trips (--runs, --cases, --rtt, --loss, --nagle)
  bench catchup                  measure ten thousand missed messages
  bench store                    measure a timeline of a million messages
  dist                           packages for Debian and Fedora and their kin, into target/dist
  screenshots                    pictures of every screen, light and dark, wide and narrow, into target/screenshots
  install start|test             install what that command needs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.split_first() {
        Some((&"start", [])) => start::start(start::Face::Window),
        Some((&"start", ["--terminal"])) => start::start(start::Face::Terminal),
        Some((&"dist", [])) => dist::dist(),
        Some((&"screenshots", [])) => suite::screenshots(),
        Some((&"test", options)) => suite::Options::parse(options).and_then(|options| suite::test(&options)),
        Some((&"simulate", options)) => simulate(options),
        Some((&"chaos", options)) => chaos::chaos(options),
        Some((&"mistakes", words)) => mistakes::mistakes(words),
        Some((&"fuzz", words)) => fuzz::fuzz(words),
        Some((&"bench", words)) => bench::bench(words),
        Some((&"install", ["start"])) => install::install(install::Need::Start, &[]),
        Some((&"install", ["test"])) => install::install(install::Need::Test, &[]),
        Some((&("help" | "--help" | "-h"), _)) | None => {
            println!("{USAGE}");
            Ok(())
        }
        Some(_) => Err(format!("That is not a command of xtask.\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            // After the tests' table everything is said.
            if !sentence.is_empty() {
                eprintln!("{sentence}");
            }
            ExitCode::FAILURE
        }
    }
}

fn simulate(options: &[&str]) -> Result<()> {
    let mut command = cargo();
    command.args(["run", "--profile", "simulator", "-p", "dormouse-simulator", "--"]);
    let mut length = false;
    let mut rest = options;
    loop {
        rest = match rest {
            [] if length => return run(&mut command),
            ["--storm"] if !length => return run(command.args(["--storm", "docs/storm.svg"])),
            ["--forever", after @ ..] => {
                length = true;
                command.args(["--seeds", &u64::MAX.to_string()]);
                after
            }
            [option @ ("--seeds" | "--from"), number, after @ ..] => {
                number
                    .parse::<u64>()
                    .map_err(|_| format!("{option} wants a number, not {number:?}"))?;
                length |= *option == "--seeds";
                command.args([option, number]);
                after
            }
            _ => {
                return Err(format!(
                    "simulate wants --seeds N or --forever, and maybe --from S\n\n{USAGE}"
                ));
            }
        };
    }
}

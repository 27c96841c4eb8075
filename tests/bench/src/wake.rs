//! `cargo xtask bench wake`: from "the network is back" to "the last missed message is stored", in round trips.
//!
//! A laptop (the shipped terminal client, release build) lives in a network namespace behind the lab's relay, which sets
//! the round trip and loses packets; the server and a friend are on the far side. It sleeps as a laptop does: logind
//! announces it, the program stands, its clocks are held, its network is silent. Meanwhile the friend sends 20
//! messages. Then the network is opened and the program goes on, in this order; the clock starts just before.
//!
//! *Stored* means on the disk: the client says so behind each group commit. *Round trips* are counted on the wire by the
//! relay: how many had to come one after another on the deepest flow (`Relay::round_trips`). The *floor* is what
//! the protocol needs at least, TCP and TLS 1.3 included. Servers have Nagle's algorithm off and keep their archives
//! in SQLite where they can, unless `--nagle` asks for how Prosody comes.

mod case;
mod report;
mod stand;

use crate::machine;
use anyhow::{Result, ensure};
use case::Case;
use report::Row;
use stand::Stand;
use std::time::Duration;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How often each case is lived through.
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// Only cases whose name has all of these words: `alive`, `dead`, `mute`, `night`, `start`; `prosody-13`,
    /// `prosody-0.12`, `ejabberd-23.01`, `ejabberd-24.12`.
    #[arg(long, num_args = 1.., value_name = "WORD")]
    cases: Vec<String>,
    /// Round trips in milliseconds.
    #[arg(long, num_args = 1.., default_values_t = [20, 100, 300], value_name = "MS")]
    rtt: Vec<u64>,
    /// Parts of packets lost after the wake, in per cent.
    #[arg(long, num_args = 1.., default_values_t = [0, 1], value_name = "PER CENT")]
    loss: Vec<u8>,
    /// Leave Nagle's algorithm on at Prosody, as it comes.
    #[arg(long)]
    nagle: bool,
}

/// What one wake came to.
#[derive(Debug, Clone, Copy)]
pub struct Wake {
    /// Until all that was missed was stored; where nothing was, until the connection was known to live.
    pub done: Duration,
    /// Until the session was bound or resumed.
    pub bound: Option<Duration>,
    /// Until the newest missed message was stored.
    pub newest: Option<Duration>,
    /// Counted on the wire until `done`.
    pub round_trips: u32,
}

/// Measures, and tells the tables in Markdown.
///
/// # Errors
/// When nothing is to be measured, or the lab can't be had. A case that fails is a line of its table.
pub fn measure(options: &Options) -> Result<String> {
    let cases: Vec<Case> = case::all()
        .into_iter()
        .filter(|it| it.has(&options.cases))
        .collect();
    ensure!(
        !cases.is_empty(),
        "No case has all of these words: {:?}.",
        options.cases
    );
    let load_before = machine::load();
    let mut rows = Vec::new();
    for case in cases {
        for rtt in options.rtt.iter().copied().map(Duration::from_millis) {
            for loss in options.loss.iter().copied() {
                eprintln!("{case}, {} ms, {loss} %", rtt.as_millis());
                let wakes = live_through(case, rtt, loss, options);
                if let Err(error) = &wakes {
                    eprintln!("failed: {error:#}");
                }
                rows.push(Row {
                    case,
                    rtt,
                    loss,
                    wakes: wakes.map_err(|error| error.root_cause().to_string()),
                });
                eprintln!("{}", report::line(&rows[rows.len() - 1]));
            }
        }
    }
    Ok(format!(
        "{}. Load {load_before} at the start, {} at the end.\n\n{}",
        machine::describe(),
        machine::load(),
        report::tables(&rows)
    ))
}

fn live_through(case: Case, rtt: Duration, loss: u8, options: &Options) -> Result<Vec<Wake>> {
    let mut stand = Stand::new(case, rtt, options.nagle)?;
    let mut wakes = Vec::new();
    for run in 1..=options.runs {
        let wake = stand.wake(run, loss)?;
        eprint!("{} ", wake.done.as_millis());
        wakes.push(wake);
    }
    Ok(wakes)
}

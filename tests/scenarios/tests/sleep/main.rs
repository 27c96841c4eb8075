//! Real sleep: every cell of the matrix loses nothing, shows nothing twice, and claims nothing untrue.
//!
//! DORMOUSE_CELLS, a list of words, leaves out the cells that don't have all of them (`logind dead`).
//! DORMOUSE_WRITE_DOCS=1 writes the table into `docs/resilience.md`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]
#![allow(clippy::print_stdout, reason = "the table is what the test is for")]

mod cell;
mod matrix;
mod report;

use dormouse_sleep_lab::Lab;
use matrix::Cell;
use report::Line;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

/// Cells that run at the same time. They mostly wait; each has a machine, a server and a friend of its own.
const AT_ONCE: usize = 6;

#[test]
fn no_sleep_loses_or_repeats_a_message_whatever_it_does_to_flow_session_and_network() {
    if dormouse_sleep_lab::skipped() {
        println!("The sleep matrix is left out: DORMOUSE_SKIP has `namespaces`.");
        return;
    }
    // Where the machine can't have a lab, one sentence is better than one for each cell.
    if let Err(error) = Lab::new() {
        panic!("{error}");
    }
    // Not in the first cells' time.
    dormouse_scenarios::program::cli().unwrap();

    let cells: Vec<Cell> = matrix::all().into_iter().filter(is_wanted).collect();
    assert!(!cells.is_empty(), "DORMOUSE_CELLS fits no cell");
    let start = Instant::now();
    let lines = live_through(&cells);
    let table = report::table(&lines);
    println!(
        "{table}\n{} cells in {:.0} s",
        cells.len(),
        start.elapsed().as_secs_f64()
    );

    let failed: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let why = line.outcome.as_ref().err()?;
            Some(format!("=== {} ===\n{why:#}", line.cell))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} cells failed:\n{}",
        failed.len(),
        cells.len(),
        failed.join("\n\n")
    );
    if std::env::var("DORMOUSE_WRITE_DOCS").is_ok_and(|value| value == "1") {
        report::write_docs(&table).unwrap();
    }
}

fn is_wanted(cell: &Cell) -> bool {
    let (name, words) = (
        cell.to_string(),
        std::env::var("DORMOUSE_CELLS").unwrap_or_default(),
    );
    words.split_whitespace().all(|word| name.contains(word))
}

/// Runs all cells, some at a time, and returns what became of them in their order.
fn live_through(cells: &[Cell]) -> Vec<Line> {
    let next = AtomicUsize::new(0);
    let lines = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(cells.len()) {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = cell::live_through(*cell);
                    let verdict = if outcome.is_ok() { "" } else { " FAILED" };
                    println!("{cell}{verdict}");
                    lines.lock().unwrap().push(Line { cell: *cell, outcome });
                }
            });
        }
    });
    let mut lines = lines.into_inner().unwrap();
    lines.sort_by_key(|line| line.cell);
    lines
}

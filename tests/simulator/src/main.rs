//! Lives many lives and says which of them went wrong.
// What this program is for is to print.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use clap::Parser;
use dormouse_simulator::storm::picture::{self, Panel};
use dormouse_simulator::storm::{Habit, Storm, Weather};
use dormouse_simulator::{Outcome, Sum, World};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Lives of Dormouse's core against a model server and network.
#[derive(Parser)]
struct Arguments {
    /// How many lives.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Print the story of each life; of a failing one it is printed anyway.
    #[arg(long)]
    trace: bool,
    /// Lives at a time.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Stop after so many failing seeds.
    #[arg(long, default_value_t = 5)]
    failures: usize,
    /// Lines of a failing life's story.
    #[arg(long, default_value_t = 60)]
    lines: usize,
    /// Don't live lives: let ten thousand clients lose their server, and draw it into this file.
    #[arg(long)]
    storm: Option<PathBuf>,
}

#[derive(Default)]
struct Lived {
    sum: Sum,
    failed: Vec<u64>,
    /// How long after the last fault the last client was live again, at most, and in which life.
    slowest: (Duration, u64),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.storm {
        return storm(file);
    }
    let begun = Instant::now();
    let next = AtomicU64::new(arguments.from);
    let sum = Mutex::new(Lived::default());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                loop {
                    // Seeds are given out in order, and each begun is lived to its end: the first that fails is always
                    // the same.
                    let enough = |sum: &Lived| sum.failed.len() >= arguments.failures;
                    if sum.lock().map_or(true, |sum| enough(&sum)) {
                        return;
                    }
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= arguments.from.saturating_add(arguments.seeds) {
                        return;
                    }
                    let outcome = World::live(seed, arguments.trace, None);
                    let Ok(mut sum) = sum.lock() else { return };
                    sum.sum.add(&outcome);
                    sum.slowest = sum.slowest.max((outcome.back_after, seed));
                    if !outcome.findings.is_empty() {
                        sum.failed.push(seed);
                        report(seed, &outcome, &arguments);
                    } else if arguments.trace {
                        outcome.story.iter().for_each(|line| println!("{line}"));
                    }
                }
            });
        }
    });
    let Ok(sum) = sum.into_inner() else {
        return ExitCode::FAILURE;
    };
    summary(&sum, begun.elapsed());
    if sum.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn report(seed: u64, outcome: &Outcome, arguments: &Arguments) {
    let told;
    let story = if arguments.trace {
        &outcome.story
    } else {
        told = World::live(seed, true, None);
        &told.story
    };
    let from = if arguments.trace {
        0
    } else {
        story.len().saturating_sub(arguments.lines)
    };
    for line in &story[from..] {
        println!("{line}");
    }
    println!("seed {seed} fails:");
    for finding in &outcome.findings {
        println!("  {} ms, {}: {}", finding.at.0, finding.who, finding.what);
    }
    println!("replay: cargo run -p dormouse-simulator -- --from {seed} --seeds 1 --trace");
}

/// How long processors have worked for this program, where the system tells.
#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let (seconds, rest) = (
        u64::try_from(time.tv_sec).ok()?,
        u32::try_from(time.tv_nsec).ok()?,
    );
    Some(Duration::new(seconds, rest))
}

#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}

fn summary(lived: &Lived, took: Duration) {
    let Lived { sum, failed, slowest } = lived;
    for line in sum.coverage.table() {
        println!("{line}");
    }
    let empty = sum.coverage.empty_cells();
    if !empty.is_empty() {
        println!("{} cells are empty", empty.len());
    }
    let seconds = took.as_secs_f64().max(0.001);
    println!(
        "{} lives in {seconds:.1} s ({:.1} a second), {} failed",
        sum.lives,
        sum.lives as f64 / seconds,
        failed.len(),
    );
    let life = sum.average();
    println!(
        "a life on average: {:.1} clients, {:.1} messages, {:.1} faults, {:.1} virtual hours, {:.0} steps",
        life.clients, life.messages, life.faults, life.hours, life.steps
    );
    println!(
        "everybody was live again at most {:.1} s after the last fault (seed {})",
        slowest.0.as_secs_f64(),
        slowest.1
    );
    if let Some(busy) = processor_time() {
        let busy = busy.as_secs_f64().max(0.001);
        println!(
            "{busy:.0} CPU seconds, in each {:.0} client-hours and {:.0} faults",
            sum.client_hours() / busy,
            sum.coverage.total() as f64 / busy
        );
    }
    if !failed.is_empty() {
        println!("failing seeds: {failed:?}");
    }
}

/// Draws what becomes of a server that was gone for a minute, and prints it as a table.
fn storm(file: &Path) -> ExitCode {
    let weather = Weather {
        clients: 10_000,
        gone: Duration::from_secs(60),
        orderly: false,
        stalls: Duration::ZERO,
        admits: None,
        watched: Duration::from_secs(60),
    };
    let storms: Vec<(String, Storm)> = [
        (Habit::Dormouse, false),
        (Habit::Dormouse, true),
        (Habit::Fixed(Duration::from_secs(3)), false),
        (Habit::Doubling, false),
    ]
    .into_iter()
    .map(|(habit, orderly)| {
        let name = habit.name()
            + if orderly {
                ", the server said that it restarts"
            } else {
                ""
            };
        (
            name,
            Storm::of(
                habit,
                &Weather {
                    orderly,
                    ..weather.clone()
                },
            ),
        )
    })
    .collect();
    let panels: Vec<Panel<'_>> = storms
        .iter()
        .map(|(name, storm)| Panel {
            title: name.clone(),
            storm,
        })
        .collect();
    let title = "10,000 clients lose a server for 60 s: attempts per second (bars), signed in (line)";
    println!(
        "| clients that | peak while it was gone | peak after | mean after | 99 % back after | all back after |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for (name, storm) in &storms {
        let time = |share| {
            storm
                .time_until(share)
                .map_or("never".into(), |time| format!("{} s", time.as_secs()))
        };
        let back = usize::try_from(storm.back.as_secs()).unwrap_or(0);
        let while_gone = storm
            .seconds
            .iter()
            .take(back)
            .map(|second| second.attempts)
            .max()
            .unwrap_or(0);
        println!(
            "| {name} | {while_gone} | {} | {:.0} | {} | {} |",
            storm.peak(back),
            storm.mean(back),
            time(0.99),
            time(1.0)
        );
    }
    match std::fs::write(file, picture::draw(title, &panels)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The picture could not be written to {}: {error}.", file.display());
            ExitCode::FAILURE
        }
    }
}

//! The shim, shown on a program with one timer of every kind: stopped under it, each goes on for what was
//! left; stopped without it, each fires at once. The second half shows that the first can fail.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dormouse_sleep_lab::{Counted, SleepClock, freeze, thaw};

const TIMER: Duration = Duration::from_secs(4);
const BEFORE: Duration = Duration::from_secs(1);
const SLEEP: Duration = Duration::from_secs(6);
/// What a timer may be late on a busy machine.
const LATE: Duration = Duration::from_millis(1_500);
/// Clocks in milliseconds, read one after the other.
const ROUNDING: Duration = Duration::from_millis(50);

/// Awake time and time with sleep, from the start of the timer to its end.
struct Fired {
    awake: Duration,
    boot: Duration,
}

struct Probe {
    child: Child,
    out: BufReader<ChildStdout>,
}

fn start(clock: Option<&SleepClock>) -> Probe {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dormouse-sleep-probe"));
    if let Some(clock) = clock {
        clock.hold(&mut command);
    }
    let mut child = command
        .arg(TIMER.as_millis().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "started");
    Probe { child, out }
}

impl Probe {
    fn results(mut self) -> BTreeMap<String, Fired> {
        let fired = |line: String| {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, awake, boot] = words[..] else {
                panic!("unexpected line {line:?}")
            };
            let milliseconds = |word: &str| Duration::from_millis(word.parse().unwrap());
            (
                name.to_owned(),
                Fired {
                    awake: milliseconds(awake),
                    boot: milliseconds(boot),
                },
            )
        };
        let results: BTreeMap<_, _> = self.out.lines().map(|line| fired(line.unwrap())).collect();
        assert!(self.child.wait().unwrap().success());
        assert_eq!(results.len(), 15, "one line of each timer");
        results
    }
}

fn about(what: &str, time: Duration, expected: Duration) {
    let earliest = expected.saturating_sub(ROUNDING);
    assert!(
        time >= earliest && time <= expected + LATE,
        "{what}: {time:?} instead of {expected:?}"
    );
}

#[test]
fn a_stopped_program_lives_through_its_stop_as_through_a_suspend() {
    let clock = SleepClock::new().unwrap();
    let held = start(Some(&clock));
    let plain = start(None);
    thread::sleep(BEFORE);
    freeze(plain.child.id()).unwrap();
    freeze(held.child.id()).unwrap();
    let stopped = Instant::now();
    thread::sleep(SLEEP);
    let slept = stopped.elapsed();
    clock.add(slept, Counted::Yes).unwrap();
    thaw(held.child.id()).unwrap();
    thaw(plain.child.id()).unwrap();

    for (name, fired) in held.results() {
        about(&format!("{name}, awake"), fired.awake, TIMER);
        about(&format!("{name}, with sleep"), fired.boot, TIMER + slept);
        let grown = fired.boot - fired.awake;
        assert!(
            grown.abs_diff(slept) <= ROUNDING,
            "{name}: the clocks are {grown:?} apart after {slept:?}"
        );
    }
    for (name, fired) in plain.results() {
        // The kernel itself keeps what is left of a stopped ppoll, and counts it from the wake.
        let left = if name == "ppoll" {
            TIMER - BEFORE
        } else {
            Duration::ZERO
        };
        about(
            &format!("{name} without shim"),
            fired.awake,
            BEFORE + slept + left,
        );
        assert!(
            fired.awake.abs_diff(fired.boot) <= ROUNDING,
            "{name}: without shim no clock stops"
        );
    }
}

#[test]
fn without_a_sleep_the_shim_changes_nothing() {
    let clock = SleepClock::new().unwrap();
    for (name, fired) in start(Some(&clock)).results() {
        about(&name, fired.awake, TIMER);
        assert!(
            fired.awake.abs_diff(fired.boot) <= ROUNDING,
            "{name}: no clock stopped"
        );
    }
}

#[test]
fn a_second_sleep_counts_from_where_the_first_ended() {
    let clock = SleepClock::new().unwrap();
    let probe = start(Some(&clock));
    let pause = Duration::from_secs(1);
    for _ in 0..2 {
        thread::sleep(pause);
        freeze(probe.child.id()).unwrap();
        let stopped = Instant::now();
        // Longer than any timer has left.
        thread::sleep(TIMER);
        clock.add(stopped.elapsed(), Counted::Yes).unwrap();
        thaw(probe.child.id()).unwrap();
    }
    let slept = clock.slept();
    for (name, fired) in probe.results() {
        about(&format!("{name}, awake"), fired.awake, TIMER);
        about(&format!("{name}, with sleep"), fired.boot, TIMER + slept);
    }
}

#[test]
fn a_pause_that_no_clock_counts_leaves_no_trace_in_the_clocks() {
    let clock = SleepClock::new().unwrap();
    let probe = start(Some(&clock));
    thread::sleep(BEFORE);
    freeze(probe.child.id()).unwrap();
    let stopped = Instant::now();
    thread::sleep(TIMER);
    clock.add(stopped.elapsed(), Counted::No).unwrap();
    thaw(probe.child.id()).unwrap();
    let woken = Instant::now();
    let results = probe.results();
    about("the last timer, from the wake", woken.elapsed(), TIMER - BEFORE);
    for (name, fired) in results {
        about(&name, fired.awake, TIMER);
        assert!(
            fired.awake.abs_diff(fired.boot) <= ROUNDING,
            "{name}: the clocks are apart"
        );
    }
}

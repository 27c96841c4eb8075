//! What a program and all that it started do while nothing happens: processor time and context switches, as the kernel
//! counts them for each thread.

use crate::memory::family;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// What was done in a while.
#[derive(Debug, Clone, Default)]
pub struct Idle {
    /// How long the while was.
    pub length: Duration,
    /// The processor's time, of all threads.
    pub processor: Duration,
    /// How often a thread was put on a processor.
    pub switches: u64,
    /// The same by the threads' names, most first.
    pub by_thread: Vec<(String, u64)>,
}

impl Idle {
    /// How much of one core that is, in parts of a hundred.
    pub fn per_cent(&self) -> f64 {
        self.processor.as_secs_f64() / self.length.as_secs_f64() * 100.0
    }

    /// Context switches in a minute.
    pub fn switches_per_minute(&self) -> f64 {
        self.switches as f64 / self.length.as_secs_f64() * 60.0
    }
}

/// What a thread has done since it was started.
#[derive(Debug, Clone)]
struct Thread {
    name: String,
    nanoseconds: u64,
    switches: u64,
}

/// Watches a program for a while.
///
/// # Errors
/// When the kernel does not tell.
pub fn watch(program: u32, length: Duration) -> Result<Idle> {
    let begun = Instant::now();
    let before = threads(program)?;
    std::thread::sleep(length);
    let after = threads(program)?;
    let mut idle = Idle {
        length: begun.elapsed(),
        ..Idle::default()
    };
    let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
    for (id, now) in after {
        let (nanoseconds, switches) = before
            .get(&id)
            .map_or((0, 0), |then| (then.nanoseconds, then.switches));
        idle.processor += Duration::from_nanos(now.nanoseconds.saturating_sub(nanoseconds));
        let switches = now.switches.saturating_sub(switches);
        idle.switches += switches;
        *by_name.entry(now.name).or_default() += switches;
    }
    idle.by_thread = by_name
        .into_iter()
        .filter(|(_, switches)| *switches > 0)
        .collect();
    idle.by_thread
        .sort_by_key(|(_, switches)| std::cmp::Reverse(*switches));
    Ok(idle)
}

fn threads(program: u32) -> Result<BTreeMap<(u32, u32), Thread>> {
    let mut all = BTreeMap::new();
    for process in family(program)? {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else {
            continue;
        };
        for task in tasks.flatten() {
            let id = task.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some((id, thread)) = id.zip(thread(&task.path())) {
                all.insert((process, id), thread);
            }
        }
    }
    all.keys().next().context("the program has no thread")?;
    Ok(all)
}

fn thread(task: &Path) -> Option<Thread> {
    let read = |name: &str| std::fs::read_to_string(task.join(name)).ok();
    let status = read("status")?;
    // Time on a processor in nanoseconds comes first (Documentation/scheduler/sched-stats.rst).
    let schedstat = read("schedstat")?;
    Some(Thread {
        name: value(&status, "Name")?.to_owned(),
        nanoseconds: schedstat.split_whitespace().next()?.parse().ok()?,
        switches: value(&status, "voluntary_ctxt_switches")?.parse::<u64>().ok()?
            + value(&status, "nonvoluntary_ctxt_switches")?
                .parse::<u64>()
                .ok()?,
    })
}

fn value<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = status.lines();
    lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_names() {
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";
        assert_eq!(value(status, "voluntary_ctxt_switches"), Some("12"));
        assert_eq!(value(status, "nonvoluntary_ctxt_switches"), Some("3"));
        assert_eq!(value(status, "switches"), None);
    }

    #[test]
    fn a_program_that_wakes_up_is_seen_and_one_that_sleeps_is_not() {
        let watched = |script: &str| {
            let mut child = std::process::Command::new("sh")
                .args(["-c", script])
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(300));
            let idle = watch(child.id(), Duration::from_secs(1)).unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            idle
        };
        let sleeps = watched("exec sleep 10");
        assert!(sleeps.switches <= 2 && sleeps.per_cent() < 5.0, "{sleeps:?}");
        let wakes = watched("while :; do read -t 0.02 x < /dev/zero; : $((i=i+1)); done 2>/dev/null");
        assert!(wakes.processor > sleeps.processor, "{wakes:?}");
    }
}

//! A running `dormouse-cli swarm`, and what it reports.

use crate::event::{Event, EventLog, Mark};
use crate::{Result, program};
use anyhow::{Context, anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The users of a swarm: `user1` and so on.
pub fn users(count: u32) -> impl Iterator<Item = String> {
    (1..=count).map(|number| format!("user{number}"))
}

/// A number of a report; the largest of all where there is none.
pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(u64::MAX)
}

/// By this report nothing that was written is lost, or stands twice, or waits.
///
/// # Errors
/// Something does; the report.
pub fn all_arrived_once(report: &Value) -> Result<()> {
    let texts = &report["texts"];
    let written = number(&texts["written"]);
    ensure!(written > 0, "nothing was written: {report}");
    ensure!(
        number(&texts["arrived"]) == written && number(&texts["sent"]) == written,
        "not all have arrived: {report}"
    );
    for bad in ["lost", "under_way", "doubled", "waiting", "failed", "astray"] {
        ensure!(texts[bad] == 0, "{bad}: {report}");
    }
    Ok(())
}

/// A swarm of the accounts `user1@localhost` and so on; killed when dropped.
#[derive(Debug)]
pub struct Swarm {
    child: Child,
    log: Arc<EventLog>,
    count: u32,
}

impl Swarm {
    /// Starts so many sessions at this endpoint, all with one password. More arguments are the swarm's own.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(count: u32, endpoint: &str, password: &str, arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(program::cli()?)
            .args([
                "swarm",
                "--json",
                "--proxy",
                "none",
                "--address-pattern",
                "user{}@localhost",
            ])
            .args(["--endpoint", endpoint, "--accounts", &count.to_string()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("dormouse-cli can't be started")?;
        let log = EventLog::new();
        if let Some(output) = child.stdout.take() {
            log.read_events(output)?;
        }
        if let Some(complaints) = child.stderr.take() {
            log.read_complaints(complaints)?;
        }
        child
            .stdin
            .take()
            .context("it takes no password")?
            .write_all(format!("{password}\n").as_bytes())?;
        Ok(Self { child, log, count })
    }

    /// Waits until what it last said of its course is as meant.
    ///
    /// # Errors
    /// When the time is over or it ends: with the last it said.
    pub fn wait(&self, what: &str, within: Duration, meant: impl Fn(&Value) -> bool) -> Result<Value> {
        let seen = |events: &[Event]| {
            let last = events.last().filter(|event| meant(&event.json))?;
            Some(last.json.clone())
        };
        let found = self.log.wait(Mark::START, within, seen);
        found.map_err(|_| anyhow!("the swarm did not show {what}:\n{}", self.log.dump()))
    }

    /// Waits until so many are connected.
    ///
    /// # Errors
    /// As [`Swarm::wait`].
    pub fn wait_until_connected(&self, count: u32, within: Duration) -> Result<()> {
        self.wait(&format!("{count} connected"), within, |it| {
            it["connected"] == count
        })
        .map(drop)
    }

    /// Waits until all are connected.
    ///
    /// # Errors
    /// As [`Swarm::wait`].
    pub fn wait_until_all_are_connected(&self, within: Duration) -> Result<()> {
        self.wait_until_connected(self.count, within)
    }

    /// Ends it by Ctrl-C; its report.
    ///
    /// # Errors
    /// When none comes, or it ends badly.
    pub fn end(mut self, within: Duration) -> Result<Value> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a process id out of range")?, Signal::INT)?;
        let report = self.wait("a report", within, |it| it["event"] == "report")?;
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(
                    status.success(),
                    "the swarm ended with {status}:\n{}",
                    self.log.dump()
                );
                return Ok(report);
            }
            ensure!(
                start.elapsed() < within,
                "the swarm does not end:\n{}",
                self.log.dump()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

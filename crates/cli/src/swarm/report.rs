//! What a swarm has shown, for people and for programs.

use super::course::{Course, Drop, Reason, SignIns, Stretch};
use super::texts::Fate;
use crate::words::tame;
use serde::Serialize;
use std::fmt::Write;

/// As many rows has the table of the course.
const ROWS: u64 = 24;
/// As many drops are told one by one.
const DROPS: usize = 20;

/// How it is going.
#[derive(Debug, Serialize)]
pub struct Line {
    event: &'static str,
    at_s: u64,
    sessions: usize,
    connected: u64,
    attempts: u64,
    texts: Fate,
}

/// How it is going, at `now` milliseconds.
pub fn course(course: &Course, texts: &Fate, now: u64, sessions: usize) -> Line {
    Line {
        event: "course",
        at_s: now / 1000,
        sessions,
        connected: course.connected(),
        attempts: course.attempts().iter().map(|it| u64::from(*it)).sum(),
        texts: *texts,
    }
}

impl Line {
    /// As a line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// In words.
    pub fn text(&self) -> String {
        format!(
            "{} s: {} of {} connected, {} attempts so far, {} texts written, {} arrived",
            self.at_s, self.connected, self.sessions, self.attempts, self.texts.written, self.texts.arrived
        )
    }
}

/// What the program takes of the computer's memory, in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Now.
    pub resident_kib: u64,
    /// At most, so far.
    pub peak_kib: u64,
}

impl Memory {
    /// As the system tells it; nothing where it does not.
    pub fn now() -> Self {
        let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let kib = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Self {
            resident_kib: kib("VmRSS:").unwrap_or_default(),
            peak_kib: kib("VmHWM:").unwrap_or_default(),
        }
    }

    /// What came since then. None where the system does not tell.
    pub fn since(self, before: &Self) -> Option<Self> {
        (self.resident_kib > 0).then(|| Self {
            resident_kib: self.resident_kib.saturating_sub(before.resident_kib),
            peak_kib: self.peak_kib.saturating_sub(before.resident_kib),
        })
    }
}

/// The report.
#[derive(Debug, Serialize)]
pub struct Report {
    event: &'static str,
    sessions: u64,
    ran_ms: u64,
    connected: u64,
    ever_connected: u64,
    attempts: u64,
    attempts_in_worst_second: u32,
    worst_second: usize,
    attempts_by_second: Vec<u32>,
    course: Vec<Stretch>,
    drops: Vec<Drop>,
    sign_ins: Vec<SignIns>,
    reasons: Vec<Reason>,
    texts: Fate,
    memory: Option<Memory>,
    memory_per_session_kib: Option<u64>,
}

impl Report {
    /// All of it at `now` milliseconds.
    pub fn of(course: &Course, texts: Fate, now: u64, memory: Option<Memory>) -> Self {
        let (worst_second, most) = course.peak().unwrap_or_default();
        let sessions = course.sessions();
        Self {
            event: "report",
            sessions,
            ran_ms: now,
            connected: course.connected(),
            ever_connected: course.ever_connected().len() as u64,
            attempts: course.attempts().iter().map(|it| u64::from(*it)).sum(),
            attempts_in_worst_second: most,
            worst_second,
            attempts_by_second: course.attempts().to_vec(),
            course: course.stretches(now, ROWS),
            drops: course.drops(),
            sign_ins: course.sign_ins(),
            reasons: course.reasons(),
            texts,
            memory,
            memory_per_session_kib: memory.map(|it| it.resident_kib / sessions.max(1)),
        }
    }

    /// As a line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// In words and a table.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // A string takes everything.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "{} of {} sessions were connected at the end, {} at some time; {} s.",
            self.connected,
            self.sessions,
            self.ever_connected,
            self.ran_ms / 1000
        )?;
        writeln!(out)?;
        writeln!(
            out,
            "{:>9}  {:>9}  {:>8}  {:>16}",
            "second", "connected", "attempts", "most in a second"
        )?;
        for row in &self.course {
            writeln!(
                out,
                "{:>9}  {:>9}  {:>8}  {:>16}",
                row.from_s, row.connected, row.attempts, row.most_in_a_second
            )?;
        }
        writeln!(
            out,
            "\n{} attempts in all, at most {} in a second (second {}).",
            self.attempts, self.attempts_in_worst_second, self.worst_second
        )?;
        for (mechanism, sessions, times) in self.sign_ins.iter().map(|it| {
            let which = if it.resumed {
                "earlier sessions"
            } else {
                "new sessions"
            };
            (&it.mechanism, which, it.times)
        }) {
            writeln!(out, "{times} sign-ins by {mechanism}, {sessions}.")?;
        }
        for Reason { reason, times } in &self.reasons {
            writeln!(
                out,
                "{times} times a connection ended or did not come about: {}",
                tame(reason)
            )?;
        }
        writeln!(out)?;
        if self.drops.is_empty() {
            writeln!(out, "No session was interrupted.")?;
        }
        for drop in self.drops.iter().take(DROPS) {
            writeln!(
                out,
                "Second {}: {} sessions were interrupted. Back after: the first {}, half {}, 99 % {}, all {}.",
                drop.at_ms / 1000,
                drop.sessions,
                seconds(drop.first_back_ms),
                seconds(drop.half_back_ms),
                seconds(drop.most_back_ms),
                seconds(drop.all_back_ms)
            )?;
        }
        if self.drops.len() > DROPS {
            writeln!(out, "… and {} more interruptions.", self.drops.len() - DROPS)?;
        }
        let Fate {
            written,
            sent,
            arrived,
            waiting,
            failed,
            under_way,
            lost,
            doubled,
            astray,
        } = self.texts;
        writeln!(
            out,
            "\n{written} texts were written, {sent} confirmed by the server, {arrived} arrived; {waiting} wait, {under_way} are for somebody who is not connected, {failed} came back, {lost} lost, {doubled} doubled, {astray} astray."
        )?;
        match (self.memory, self.memory_per_session_kib) {
            (Some(memory), Some(each)) => writeln!(
                out,
                "Memory: {} MiB for all sessions ({} at most), {each} KiB each.",
                memory.resident_kib / 1024,
                memory.peak_kib / 1024
            ),
            _ => writeln!(out, "This system does not tell how much memory a program takes."),
        }
    }
}

fn seconds(ms: Option<u64>) -> String {
    match ms {
        Some(ms) => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        None => "not yet".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_engine::model::{Cause, Condition};

    #[test]
    fn the_report_says_what_was_not_reached_as_such() {
        let mut course = Course::new(2);
        course.attempted(100);
        course.entered(300, 0, Condition::Live);
        course.signed_in("SCRAM-SHA-1", false);
        course.because(Condition::Waiting, &Cause::Lost);
        course.entered(4_000, 0, Condition::Waiting);
        let fate = Fate {
            written: 3,
            lost: 1,
            ..Fate::default()
        };
        let report = Report::of(&course, fate, 9_000, None);
        let text = report.text();
        for line in [
            "0 of 2 sessions were connected at the end, 1 at some time; 9 s.",
            "1 attempts in all, at most 1 in a second (second 0).",
            "1 sign-ins by SCRAM-SHA-1, new sessions.",
            "1 times a connection ended or did not come about: The connection was lost.",
            "Back after: the first not yet, half not yet, 99 % not yet, all not yet.",
            "1 lost, 0 doubled",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["drops"][0]["all_back_ms"], serde_json::Value::Null);
        assert_eq!(json["texts"]["lost"], 1);
    }
}

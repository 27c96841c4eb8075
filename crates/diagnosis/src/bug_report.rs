//! What a user gives to whoever mends the program: the program and its settings, the connection, its history and its journal. In
//! English, for that is who reads it, and every line of it under a [`Veil`].

use crate::check::Show;
use crate::findings::findings;
use crate::{Veil, exactly};
use dormouse_model::{JournalEntry, Stamp, Transition};
use std::fmt::Write;

/// As many changes of state are told, and as many lines of the journal: the latest.
const CHANGES: usize = 100;
const LINES: usize = 300;

/// What is told.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// When the report is made.
    pub now: Stamp,
    /// The program's name and version.
    pub program: &'f str,
    /// What it runs on.
    pub system: &'f str,
    /// Its settings, and how its connection is: what, and how.
    pub particulars: &'f [(&'f str, String)],
    /// The changes of the connection's state, in order.
    pub transitions: &'f [Transition],
    /// The journal's lines, in order.
    pub journal: &'f [JournalEntry],
    /// What earlier crashes left behind.
    pub crashes: &'f [String],
}

/// The report.
pub fn bug_report(facts: &Facts<'_>, veil: &Veil) -> String {
    let mut text = format!(
        "{}\non {}\nreport made {}\n",
        facts.program,
        facts.system,
        exactly(facts.now)
    );
    // Writing into a string can't fail, here and below.
    for (what, how) in facts.particulars {
        let _ = writeln!(text, "{what}: {}", veil.line(how));
    }
    heading(&mut text, "What the history shows");
    let findings = findings(facts.transitions, facts.now);
    for finding in &findings {
        let _ = writeln!(text, "- {}", veil.line(&finding.sentence()));
    }
    if findings.is_empty() {
        text.push_str("nothing of which the cause is known\n");
    }
    heading(&mut text, "Changes of the connection's state (UTC)");
    for transition in latest(facts.transitions, CHANGES) {
        let _ = writeln!(text, "{}", veil.line(&change(transition)));
    }
    heading(&mut text, "Journal (UTC)");
    for entry in latest(facts.journal, LINES) {
        let _ = writeln!(text, "{} {}", exactly(entry.at), veil.line(&entry.text));
    }
    for crash in facts.crashes {
        heading(&mut text, "A crash");
        for line in crash.trim_end().lines() {
            let _ = writeln!(text, "{}", veil.line(line));
        }
    }
    text
}

fn heading(text: &mut String, what: &str) {
    let _ = writeln!(text, "\n{what}\n");
}

fn latest<T>(all: &[T], most: usize) -> &[T] {
    all.get(all.len().saturating_sub(most)..).unwrap_or(all)
}

fn change(it: &Transition) -> String {
    let mut text = format!(
        "{} {}: {}",
        exactly(it.at),
        it.to.name(),
        Show::Nobody.cause(&it.cause)
    );
    let particulars = [
        ("code", it.code().map(u64::from)),
        ("after silence of ms", it.silence_ms),
        ("waits at most ms", it.wait_ms),
        ("attempt", it.attempt.map(u64::from)),
        (
            "recovered within ms",
            it.recovery.map(|recovery| recovery.took_ms),
        ),
        ("messages missed", it.recovery.map(|recovery| recovery.messages)),
    ];
    for (what, value) in particulars {
        if let Some(value) = value {
            let _ = write!(text, " [{what} {value}]");
        }
    }
    if let Some(recovery) = it.recovery {
        let _ = write!(text, " [by {}]", recovery.by.name());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::{Cause, Closing, Condition, Continuation, Recovery};

    fn report() -> String {
        let closed = Cause::ClosedByServer {
            code: 1008,
            reason: "juliet said: “come to the balcony”".into(),
        };
        let transitions = [
            Transition {
                closing: Some(Closing::Frame {
                    code: 1008,
                    reason: "juliet said: “come to the balcony”".into(),
                }),
                ..Transition::new(Stamp(1_000), Condition::Waiting, closed)
            },
            Transition::new(
                Stamp(2_000),
                Condition::Connecting,
                Cause::SeeOther("verona.example".into()),
            ),
            Transition {
                recovery: Some(Recovery {
                    took_ms: 450,
                    by: Continuation::Resumed,
                    messages: 3,
                }),
                ..Transition::new(Stamp(3_000), Condition::Live, Cause::Resumed)
            },
        ];
        let journal = [JournalEntry {
            at: Stamp(4_000),
            text: "A stanza of romeo@verona.example/orchard was dropped: 192.0.2.7 lies.".into(),
        }];
        let facts = Facts {
            now: Stamp(5_000),
            program: "Dormouse 9.9.9",
            system: "linux x86_64",
            particulars: &[("endpoint", "given, wss://verona.example/ws?token=sesame".into())],
            transitions: &transitions,
            journal: &journal,
            crashes: &["Dormouse 9.9.8 crashed\nat src/a.rs:5, for juliet@verona.example\n".into()],
        };
        bug_report(&facts, &Veil::over_names(["juliet", "verona.example"]))
    }

    #[test]
    fn a_report_tells_what_happened() {
        let report = report();
        for wanted in [
            "Dormouse 9.9.9\non linux x86_64\nreport made 1970-01-01T00:00:05.000Z\n",
            "endpoint: given, <url>",
            "1970-01-01T00:00:01.000Z waiting: The server closed the connection (code 1008). [code 1008]",
            "1970-01-01T00:00:03.000Z live: The earlier session was resumed. [recovered within ms 450] [messages missed 3] [by resumed]",
            "1970-01-01T00:00:04.000Z A stanza of <address> was dropped: <ip> lies.",
            "A crash\n\nDormouse 9.9.8 crashed\nat src/a.rs:5, for <address>\n",
        ] {
            assert!(report.contains(wanted), "{wanted}\nis not in\n{report}");
        }
    }

    #[test]
    fn a_report_names_nobody_and_quotes_nobody() {
        let report = report().to_lowercase();
        for name in [
            "juliet",
            "romeo",
            "orchard",
            "verona",
            "balcony",
            "sesame",
            "192.0.2.7",
        ] {
            assert!(!report.contains(name), "{name} is in\n{report}");
        }
    }
}

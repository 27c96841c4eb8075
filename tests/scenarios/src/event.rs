//! The events of a running client, each with the moment it came, and waiting for them.

use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many of the last events an error message shows.
const SHOWN: usize = 40;
/// How much of a body or a sentence it shows.
const WIDTH: usize = 240;

/// One line of a client's standard output.
#[derive(Debug, Clone)]
pub struct Event {
    /// When it was read.
    pub at: Instant,
    /// The line; a line that is no JSON stands as `{"event":"not-json","text":…}`.
    pub json: Value,
}

impl Event {
    /// The event's kind, such as `connection`.
    pub fn kind(&self) -> &str {
        self.text("event")
    }

    /// A field that is a text; empty where there is none.
    pub fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_default()
    }

    /// The state, if this is a `connection` event.
    pub fn state(&self) -> Option<&str> {
        (self.kind() == "connection").then(|| self.text("state"))
    }

    /// The body, if this is a message that somebody else sent.
    pub fn received(&self) -> Option<&str> {
        (self.kind() == "message" && self.text("direction") == "in").then(|| self.text("body"))
    }
}

/// A place in the stream of events: what follows is after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(usize);

impl Mark {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// So many events later.
    #[must_use]
    pub fn after(self, events: usize) -> Self {
        Self(self.0 + events)
    }
}

#[derive(Debug, Default)]
struct Heard {
    events: Vec<Event>,
    complaints: Vec<String>,
    ended: bool,
}

/// Everything a client has said since it was started.
#[derive(Debug)]
pub(crate) struct EventLog {
    started: Instant,
    heard: Mutex<Heard>,
    more: Condvar,
}

/// Why a wait was in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InVain {
    TimeIsUp,
    Ended,
}

impl EventLog {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            heard: Mutex::default(),
            more: Condvar::new(),
        })
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Collects the events of this stream until it ends.
    pub(crate) fn read_events(
        self: &Arc<Self>,
        output: impl Read + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        let log = Arc::clone(self);
        thread::Builder::new().name("events".into()).spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let json = serde_json::from_str(&line)
                    .unwrap_or_else(|_| serde_json::json!({"event": "not-json", "text": line}));
                let at = Instant::now();
                log.heard().events.push(Event { at, json });
                log.more.notify_all();
            }
            log.heard().ended = true;
            log.more.notify_all();
        })
    }

    /// Collects standard error, to be shown when something fails.
    pub(crate) fn read_complaints(
        self: &Arc<Self>,
        output: impl Read + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        let log = Arc::clone(self);
        thread::Builder::new().name("complaints".into()).spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                log.heard().complaints.push(line);
            }
        })
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.heard().events.len())
    }

    pub(crate) fn since(&self, mark: Mark) -> Vec<Event> {
        self.heard().events.get(mark.0..).unwrap_or_default().to_vec()
    }

    /// Looks at the events after the mark now and whenever one comes, until `seen` finds what it looks for.
    pub(crate) fn wait<T>(
        &self,
        mark: Mark,
        within: Duration,
        mut seen: impl FnMut(&[Event]) -> Option<T>,
    ) -> Result<T, InVain> {
        let end = Instant::now() + within;
        let mut heard = self.heard();
        loop {
            if let Some(found) = seen(heard.events.get(mark.0..).unwrap_or_default()) {
                return Ok(found);
            }
            if heard.ended {
                return Err(InVain::Ended);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(InVain::TimeIsUp);
            }
            heard = self
                .more
                .wait_timeout(heard, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The last events and complaints, a line each, with the seconds since the start.
    pub(crate) fn dump(&self) -> String {
        let heard = self.heard();
        let left_out = heard.events.len().saturating_sub(SHOWN);
        let mut out = String::new();
        if left_out > 0 {
            let _ = writeln!(out, "  … {left_out} earlier events");
        }
        for event in heard.events.iter().skip(left_out) {
            let at = event.at.saturating_duration_since(self.started).as_secs_f64();
            let _ = writeln!(out, "  {at:8.3}  {}", short(&event.json.to_string()));
        }
        for line in heard.complaints.iter().rev().take(SHOWN).rev() {
            let _ = writeln!(out, "  stderr: {}", short(line));
        }
        out
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_sees_what_has_come_already_and_ends_with_the_stream() {
        let log = EventLog::new();
        let lines = "{\"event\":\"connection\",\"state\":\"live\"}\nnonsense\n";
        log.read_events(lines.as_bytes()).unwrap().join().unwrap();
        let soon = Duration::from_secs(5);
        let state = |events: &[Event]| events.iter().find_map(|event| event.state().map(str::to_owned));
        assert_eq!(log.wait(Mark::START, soon, state), Ok("live".into()));
        assert_eq!(log.wait(log.mark(), soon, state), Err(InVain::Ended));
        assert!(log.dump().contains("not-json"));
    }
}

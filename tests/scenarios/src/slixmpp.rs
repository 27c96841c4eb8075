//! A client that is not ours as the other side: slixmpp over TCP, led by `python/client.py`.
//!
//! `DORMOUSE_PYTHON` names a Python that has it; else the one that `cargo xtask` put into the target folder is
//! taken. The commands and events are in the script's own words.

use crate::Result;
use crate::event::{Event, EventLog, InVain, Mark};
use crate::server::{Person, SOON, Server};
use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A running slixmpp; killed when dropped.
#[derive(Debug)]
pub struct Slixmpp {
    address: String,
    input: ChildStdin,
    child: Child,
    log: Arc<EventLog>,
}

impl Slixmpp {
    /// Signs this person in; returns once it is online. The options are the script's.
    ///
    /// # Errors
    /// When there is no slixmpp, or it does not get online.
    pub fn start(server: &Server, person: &Person, options: &[&str]) -> Result<Self> {
        let python = python()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/client.py");
        let mut child = Command::new(&python)
            .arg(script)
            .args([&person.address, &server.c2s_port().to_string()])
            .args(options)
            .env("SLIXMPP_PASSWORD", &person.password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} can't be started", python.display()))?;
        let log = EventLog::new();
        if let Some(output) = child.stdout.take() {
            log.read_events(output)?;
        }
        if let Some(complaints) = child.stderr.take() {
            log.read_complaints(complaints)?;
        }
        let input = child.stdin.take().context("no way to talk to slixmpp")?;
        let slixmpp = Self {
            address: person.address.clone(),
            input,
            child,
            log,
        };
        slixmpp.wait_for("that it is online", |event| event.kind() == "live")?;
        Ok(slixmpp)
    }

    /// Whose it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Tells it something.
    ///
    /// # Errors
    /// When it has ended.
    pub fn command(&mut self, command: &Value) -> Result<()> {
        let written = writeln!(self.input, "{command}").and_then(|()| self.input.flush());
        written.map_err(|error| anyhow!("slixmpp does not read any more: {error}\n{}", self.log.dump()))
    }

    /// Sends a text that asks for a receipt.
    ///
    /// # Errors
    /// As [`Slixmpp::command`].
    pub fn send(&mut self, to: &str, body: &str, id: &str) -> Result<()> {
        self.command(&json!({"command": "send", "to": to, "body": body, "id": id}))
    }

    /// Sends a stanza as it is written.
    ///
    /// # Errors
    /// As [`Slixmpp::command`].
    pub fn raw(&mut self, xml: &str) -> Result<()> {
        self.command(&json!({"command": "raw", "xml": xml}))
    }

    /// All it has said since then.
    pub fn since(&self, mark: Mark) -> Vec<Event> {
        self.log.since(mark)
    }

    /// The present place in what it says.
    pub fn mark(&self) -> Mark {
        self.log.mark()
    }

    /// The first event that is meant, since the start.
    ///
    /// # Errors
    /// When none comes, or it ends.
    pub fn wait_for(&self, what: &str, meant: impl FnMut(&Event) -> bool) -> Result<Event> {
        self.wait_for_since(Mark::START, what, SOON, meant)
    }

    /// The first event that is meant, since then.
    ///
    /// # Errors
    /// When none comes in time, or it ends.
    pub fn wait_for_since(
        &self,
        mark: Mark,
        what: &str,
        within: Duration,
        mut meant: impl FnMut(&Event) -> bool,
    ) -> Result<Event> {
        let found = self.log.wait(mark, within, |events| {
            events.iter().find(|event| meant(event)).cloned()
        });
        found.map_err(|why| {
            let how = match why {
                InVain::TimeIsUp => "did not say",
                InVain::Ended => "ended before it said",
            };
            anyhow!("slixmpp ({}) {how} {what}\n{}", self.address, self.log.dump())
        })
    }

    /// The first message with this body.
    ///
    /// # Errors
    /// When none comes, or it ends.
    pub fn wait_for_message(&self, body: &str) -> Result<Event> {
        self.wait_for(&format!("that “{body}” came"), |event| {
            event.kind() == "message" && event.text("body") == body
        })
    }

    /// The last events, for a person who reads why a scenario failed.
    pub fn dump(&self) -> String {
        format!(
            "--- the last events of slixmpp, {} ---\n{}",
            self.address,
            self.log.dump()
        )
    }
}

impl Drop for Slixmpp {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> Result<PathBuf> {
    if let Some(python) = std::env::var_os("DORMOUSE_PYTHON") {
        return Ok(python.into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    let python = target.join("python/bin/python");
    if !python.exists() {
        bail!(
            "There is no slixmpp: `cargo xtask test` installs it, or DORMOUSE_PYTHON names a Python that has it."
        );
    }
    Ok(python)
}

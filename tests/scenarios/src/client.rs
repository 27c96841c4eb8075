//! A running `dormouse-cli run`: commands as JSON lines in, events out (`docs/cli.md`).
//!
//! ```no_run
//! # use dormouse_scenarios::client::Client;
//! # use std::time::Duration;
//! # fn main() -> dormouse_scenarios::Result<()> {
//! let mut alice = Client::builder("alice@localhost", "secret")
//!     .endpoint("ws://127.0.0.1:5280/xmpp-websocket")
//!     .start()?;
//! alice.wait_until_live(Duration::from_secs(10))?;
//! alice.send("bob@localhost", "hello")?;
//! # Ok(()) }
//! ```
//!
//! Dropped, the program is killed. [`Client::kill9`], [`Client::terminate`] and [`Client::quit`] are the three
//! ends that a user's program can have; with a data folder of its own it is started again on the same cache.

use crate::event::{Event, EventLog, InVain, Mark};
use crate::{Result, program};
use anyhow::{Context, anyhow, bail};
use dormouse_scripts::message::Message;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a command that needs no network may take to be answered.
const ANSWER: Duration = Duration::from_secs(20);
/// How long an end in good order may take.
const END: Duration = Duration::from_secs(20);
/// Messages asked for at a time.
const PAGE: usize = 200;

/// See [`Client::builder`].
pub struct ClientBuilder {
    address: String,
    password: Option<String>,
    endpoint: Option<String>,
    proxy: Option<String>,
    data_dir: Option<PathBuf>,
    command: Option<Command>,
    environment: Vec<(OsString, OsString)>,
    watches_system: bool,
    gathered: bool,
    metrics: Option<String>,
}

impl ClientBuilder {
    /// The WebSocket endpoint; without one it is discovered.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Which proxy it goes through (`--proxy`); without one the system's.
    #[must_use]
    pub fn proxy(mut self, proxy: impl Into<String>) -> Self {
        self.proxy = Some(proxy.into());
        self
    }

    /// Keeps cache, journal and log here, which outlives the client; a temporary folder by default.
    #[must_use]
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// The command that starts [`program::cli`] somewhere special, such as the lab's
    /// `client_command(program::cli()?)`; arguments and environment are added to it.
    #[must_use]
    pub fn command(mut self, command: Command) -> Self {
        self.command = Some(command);
        self
    }

    /// A variable of the program's environment, such as `SSL_CERT_FILE`.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Does not listen to the system's sleep and network (`--no-wake`).
    #[must_use]
    pub fn no_wake(mut self) -> Self {
        self.watches_system = false;
        self
    }

    /// Is told changes as a window is: in batches (`--gathered`).
    #[must_use]
    pub fn gathered(mut self) -> Self {
        self.gathered = true;
        self
    }

    /// Gives out metrics at this address (`--metrics`).
    #[must_use]
    pub fn metrics(mut self, address: impl Into<String>) -> Self {
        self.metrics = Some(address.into());
        self
    }

    /// The program is not told the password: it is in the keyring of its session.
    #[must_use]
    pub fn password_in_keyring(mut self) -> Self {
        self.password = None;
        self
    }

    /// Starts the program. It has not signed in yet when this returns.
    ///
    /// # Errors
    /// When it does not build or start.
    pub fn start(self) -> Result<Client> {
        let mut command = match self.command {
            Some(command) => command,
            None => Command::new(program::cli()?),
        };
        let (path, temporary) = match self.data_dir {
            Some(path) => (path, None),
            None => {
                let folder = tempfile::Builder::new().prefix("dormouse-client-").tempdir()?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        command.args(["run", &self.address]).arg("--data-dir").arg(&path);
        if let Some(endpoint) = &self.endpoint {
            command.args(["--endpoint", endpoint]);
        }
        if let Some(proxy) = &self.proxy {
            command.args(["--proxy", proxy]);
        }
        if !self.watches_system {
            command.arg("--no-wake");
        }
        if self.gathered {
            command.arg("--gathered");
        }
        if let Some(address) = &self.metrics {
            command.args(["--metrics", address]);
        }
        command.env_remove("DORMOUSE_PASSWORD");
        if let Some(password) = &self.password {
            command.env("DORMOUSE_PASSWORD", password);
        }
        let mut child = command
            .envs(self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("dormouse-cli can't be started")?;
        let log = EventLog::new();
        let (output, complaints) = (child.stdout.take(), child.stderr.take());
        let client = Client {
            address: self.address,
            stdin: child.stdin.take(),
            child,
            log,
            path,
            _temporary: temporary,
        };
        if let Some(output) = output {
            client.log.read_events(output)?;
        }
        if let Some(complaints) = complaints {
            client.log.read_complaints(complaints)?;
        }
        Ok(client)
    }
}

/// A running client; killed when dropped.
#[derive(Debug)]
pub struct Client {
    address: String,
    stdin: Option<ChildStdin>,
    child: Child,
    log: Arc<EventLog>,
    path: PathBuf,
    // Last: the folder goes after the program.
    _temporary: Option<TempDir>,
}

impl Client {
    /// A client of this account. The password goes by the environment.
    pub fn builder(address: &str, password: &str) -> ClientBuilder {
        ClientBuilder {
            address: address.to_owned(),
            password: Some(password.to_owned()),
            endpoint: None,
            proxy: None,
            data_dir: None,
            command: None,
            environment: Vec::new(),
            watches_system: true,
            gathered: false,
            metrics: None,
        }
    }

    /// The account.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has ended by itself.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Where it keeps its things.
    pub fn data_dir(&self) -> &Path {
        &self.path
    }

    // ---- commands

    /// Writes one command to its standard input. A program that is stopped reads it when it goes on.
    ///
    /// # Errors
    /// When the program no longer reads.
    pub fn send_command(&mut self, command: &Value) -> Result<()> {
        let input = self
            .stdin
            .as_mut()
            .context("the client's input has been closed")?;
        let written = writeln!(input, "{command}").and_then(|()| input.flush());
        written.map_err(|error| self.blame(&format!("does not read its commands any more: {error}")))
    }

    /// Sends a text. The body is the tag too, so that its events can be found.
    ///
    /// # Errors
    /// As [`Client::send_command`].
    pub fn send(&mut self, to: &str, body: &str) -> Result<()> {
        self.send_command(&json!({"command": "send", "to": to, "body": body, "tag": body}))
    }

    /// A command, and the first event of this kind after it.
    ///
    /// # Errors
    /// When no such event comes.
    pub fn ask(&mut self, command: &Value, answer: &str) -> Result<Event> {
        let mark = self.mark();
        self.send_command(command)?;
        self.wait_for_since(mark, &format!("a `{answer}` event"), ANSWER, |event| {
            event.kind() == answer
        })
    }

    /// The answer to `status`.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn status(&mut self) -> Result<Event> {
        self.ask(&json!({"command": "status"}), "status")
    }

    /// The lines of the connection's journal, oldest first.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn journal(&mut self) -> Result<Vec<String>> {
        let mark = self.mark();
        self.send_command(&json!({"command": "journal", "limit": 1000}))?;
        // Commands are answered in order: with this answer the journal is whole.
        self.status()?;
        let lines = self
            .since(mark)
            .into_iter()
            .filter(|event| event.kind() == "journal");
        Ok(lines.map(|event| event.text("text").to_owned()).collect())
    }

    /// The whole conversation as its cache has it, oldest first.
    ///
    /// # Errors
    /// When a page does not come, or the pages overlap.
    pub fn messages(&mut self, with: &str) -> Result<Vec<Message>> {
        let mut pages: Vec<Vec<Message>> = Vec::new();
        let mut before = None;
        loop {
            let mut command = json!({"command": "history", "with": with, "limit": PAGE});
            if let Some(id) = before {
                command["before"] = json!(id);
            }
            let answer = self.ask(&command, "history")?;
            let page: Vec<Message> = answer.json["messages"]
                .as_array()
                .map(|messages| messages.iter().map(Message::read).collect())
                .unwrap_or_default();
            let more = answer.json["more"] == true;
            let Some(first) = page.first().map(|message| message.id) else {
                break;
            };
            if pages.iter().flatten().any(|seen| seen.id == first) {
                bail!("The page of history before message {first} contains it.");
            }
            before = Some(first);
            pages.push(page);
            if !more {
                break;
            }
        }
        Ok(pages.into_iter().rev().flatten().collect())
    }

    // ---- events

    /// The present place in the stream of events.
    pub fn mark(&self) -> Mark {
        self.log.mark()
    }

    /// All events after a place.
    pub fn since(&self, mark: Mark) -> Vec<Event> {
        self.log.since(mark)
    }

    /// The last connection state told; empty before the first.
    pub fn state(&self) -> String {
        let events = self.log.since(Mark::START);
        let last = events.iter().rev().find_map(Event::state);
        last.unwrap_or_default().to_owned()
    }

    /// Looks at all events after `mark`, now and whenever one comes, until `seen` finds what it looks for.
    ///
    /// # Errors
    /// When the time is over or the program ends: with the last events.
    pub fn wait<T>(
        &self,
        mark: Mark,
        what: &str,
        within: Duration,
        seen: impl FnMut(&[Event]) -> Option<T>,
    ) -> Result<T> {
        self.log.wait(mark, within, seen).map_err(|why| match why {
            InVain::TimeIsUp => self.blame(&format!(
                "did not show {what} within {:.0} s",
                within.as_secs_f64()
            )),
            InVain::Ended => self.blame(&format!("ended before it showed {what}")),
        })
    }

    /// The first event of all since the start that is meant.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub fn wait_for(&self, what: &str, within: Duration, meant: impl FnMut(&Event) -> bool) -> Result<Event> {
        self.wait_for_since(Mark::START, what, within, meant)
    }

    /// The first event after `mark` that is meant.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub fn wait_for_since(
        &self,
        mark: Mark,
        what: &str,
        within: Duration,
        mut meant: impl FnMut(&Event) -> bool,
    ) -> Result<Event> {
        self.wait(mark, what, within, |events| {
            events.iter().find(|event| meant(event)).cloned()
        })
    }

    /// Waits until its latest connection state is this one.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub fn wait_until_state(&self, state: &str, within: Duration) -> Result<()> {
        self.wait(Mark::START, &format!("the state `{state}`"), within, |events| {
            let last = events.iter().rev().find_map(Event::state);
            (last == Some(state)).then_some(())
        })
    }

    /// Waits until its latest connection state is `live`.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub fn wait_until_live(&self, within: Duration) -> Result<()> {
        self.wait_until_state("live", within)
    }

    /// Waits until it has shown all these texts as received. Returns when the last one came.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub fn wait_until_received(&self, bodies: &[String], within: Duration) -> Result<Instant> {
        let what = format!("{} received messages", bodies.len());
        self.wait(Mark::START, &what, within, |events| {
            let first = |body: &String| {
                let shown = events.iter().find(|event| event.received() == Some(body));
                shown.map(|event| event.at)
            };
            let times: Option<Vec<Instant>> = bodies.iter().map(first).collect();
            times?.into_iter().max()
        })
    }

    /// Waits until each of these own texts, by its tag, has been in one of these states.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub fn wait_until_sent(&self, bodies: &[String], states: &[&str], within: Duration) -> Result<()> {
        let what = format!("{} own messages as {}", bodies.len(), states.join(" or "));
        // A thousand messages, each with several events: each event is looked at once.
        let mut missing: BTreeSet<&str> = bodies.iter().map(String::as_str).collect();
        let mut looked_at = 0;
        self.wait(Mark::START, &what, within, |events| {
            for event in events.iter().skip(looked_at) {
                if states.contains(&event.text("state")) {
                    missing.remove(event.text("tag"));
                }
            }
            looked_at = events.len();
            missing.is_empty().then_some(())
        })
    }

    /// The last events, and the end of its log: for a person who reads why a scenario failed.
    pub fn dump(&self) -> String {
        let mut out = format!("--- the last events of {} ---\n{}", self.address, self.log.dump());
        let lines = log_lines(&self.path.join("log"));
        if !lines.is_empty() {
            out.push_str("--- the end of its log ---\n");
            for line in lines.iter().rev().take(60).rev() {
                out.push_str(line);
                out.push('\n');
            }
        }
        out
    }

    fn blame(&self, what: &str) -> anyhow::Error {
        anyhow!("{} {what}.\n{}", self.address, self.dump())
    }

    // ---- the ends

    /// `kill -9`: nothing is flushed, nothing closed.
    pub fn kill9(mut self) {
        self.kill();
    }

    /// SIGTERM, as at a shutdown: the stream stays open, the next start resumes the session.
    ///
    /// # Errors
    /// When it does not end in good order.
    pub fn terminate(mut self) -> Result<()> {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a process id out of range")?, Signal::TERM)?;
        self.ended_well()
    }

    /// The user quits: the stream is closed.
    ///
    /// # Errors
    /// When it does not end in good order.
    pub fn quit(mut self) -> Result<()> {
        self.send_command(&json!({"command": "quit"}))?;
        self.ended_well()
    }

    fn ended_well(&mut self) -> Result<()> {
        let status = self.ended(END)?;
        if status.success() {
            return Ok(());
        }
        Err(self.blame(&format!("ended badly: {status}")))
    }

    fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() > within {
                return Err(self.blame(&format!("did not end within {} s", within.as_secs())));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The lines of all files of the log, oldest file first.
fn log_lines(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
        .iter()
        .filter_map(|file| std::fs::read(file).ok())
        .flat_map(|bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

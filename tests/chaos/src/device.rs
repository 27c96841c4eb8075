//! A client on its machine, over all the lives of its process: one folder, one proxy.

use crate::Result;
use crate::plan::{End, Fault};
use crate::proxy::Proxy;
use anyhow::Context;
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::{Event, Mark};
use dormouse_scenarios::program;
use dormouse_scenarios::server::Person;
use dormouse_scripts::message::Message;
use dormouse_sleep_lab::{Counted, SleepClock, freeze, thaw};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Within this a dead link must no longer be shown as live: 35 s, and what a busy machine takes.
const NOTICED: Duration = Duration::from_secs(45);

/// A device.
pub struct Device {
    number: usize,
    owner: Person,
    proxy: Proxy,
    /// Of a machine that sleeps.
    clock: Option<SleepClock>,
    asleep: Option<Instant>,
    /// Its program was told that there is no network.
    offline: bool,
    folder: PathBuf,
    client: Option<Client>,
    heard: Mark,
    /// An end in good order that is under way, with what is to be complained of.
    ending: Option<JoinHandle<Option<String>>>,
    state: String,
    live_since: Option<Instant>,
    told_untruth: bool,
    losses: u32,
    lives: u32,
    events: File,
}

impl Device {
    /// One of this person's, at the server behind this port. Nothing runs yet.
    ///
    /// # Errors
    /// When there is no port or no disk.
    pub fn new(number: usize, owner: Person, server: u16, evidence: &Path) -> Result<Self> {
        let folder = evidence.join(format!("device-{number}"));
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            number,
            owner,
            proxy: Proxy::start(server)?,
            clock: None,
            asleep: None,
            offline: false,
            client: None,
            heard: Mark::START,
            ending: None,
            state: String::new(),
            live_since: None,
            told_untruth: false,
            losses: 0,
            lives: 0,
            events: File::create(folder.join("events.jsonl"))?,
            folder,
        })
    }

    /// Its machine can be put to sleep.
    ///
    /// # Errors
    /// When no temporary file can be made.
    pub fn that_sleeps(mut self) -> Result<Self> {
        self.clock = Some(SleepClock::new()?);
        Ok(self)
    }

    /// Whether its program runs.
    pub fn runs(&self) -> bool {
        self.client.is_some()
    }

    /// Its program, if it runs.
    pub fn client(&mut self) -> Option<&mut Client> {
        self.client.as_mut()
    }

    /// Connections that it made or tried.
    pub fn dials(&self) -> u32 {
        self.proxy.taken()
    }

    /// How often its program was started.
    pub fn lives(&self) -> u32 {
        self.lives
    }

    /// How often it has stopped being live while its program ran.
    pub fn losses(&self) -> u32 {
        self.losses
    }

    /// Whether its window says that it is live.
    pub fn is_live(&self) -> bool {
        self.state == "live"
    }

    /// The state that its window shows.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Starts the program, after an end that is under way. Nothing happens if it runs.
    ///
    /// # Errors
    /// When it does not start, or did not end as it should.
    pub fn start(&mut self) -> Result<()> {
        if self.client.is_some() {
            return Ok(());
        }
        self.finish_ending()?;
        let mut command = Command::new(program::cli()?);
        if let Some(clock) = &self.clock {
            clock.hold(&mut command);
        }
        self.heard = Mark::START;
        self.state.clear();
        self.live_since = None;
        self.lives += 1;
        self.client = Some(
            Client::builder(&self.owner.address, &self.owner.password)
                .command(command)
                .endpoint(self.proxy.endpoint())
                .data_dir(self.folder.join("data"))
                .no_wake()
                .start()?,
        );
        Ok(())
    }

    /// The program ends, if it runs. Which end it really is: what it told before is to be listened to first.
    pub fn end(&mut self, end: End) -> Option<End> {
        let client = self.client.take()?;
        // Within its first moments a program does not know signals yet: they are as good as a kill.
        let end = if self.state.is_empty() { End::Kill } else { end };
        let number = self.number;
        let in_good_order = move |outcome: Result<()>| {
            outcome
                .err()
                .map(|error| format!("Device {number} did not end in good order: {error:#}"))
        };
        match end {
            End::Kill => client.kill9(),
            // Both may take a while, and everything else goes on meanwhile.
            End::Stop => self.ending = Some(std::thread::spawn(move || in_good_order(client.terminate()))),
            End::Quit => self.ending = Some(std::thread::spawn(move || in_good_order(client.quit()))),
        }
        Some(end)
    }

    /// The machine falls asleep, having said so: the program does what is to be done before, then it stands, its clocks are held and its
    /// network is silent.
    ///
    /// # Errors
    /// When the program does not run, or does not say that the machine may sleep.
    pub fn fall_asleep(&mut self) -> Result<()> {
        let client = self.client.as_mut().context("the program does not run")?;
        client.ask(&json!({"command": "suspend"}), "suspended")?;
        freeze(client.id())?;
        self.asleep = Some(Instant::now());
        self.proxy.fail(Fault::Drop);
        Ok(())
    }

    /// It wakes, on a network that is whole, and is told so; connections that stood before have met with this.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn wake(&mut self, met: Option<Fault>) -> Result<()> {
        let Some(since) = self.asleep.take() else {
            return Ok(());
        };
        let client = self.client.as_mut().context("the program does not run")?;
        if let Some(fault) = met {
            self.proxy.fail(fault);
        }
        self.proxy.mend();
        let slept = since.elapsed();
        if let Some(clock) = &self.clock {
            clock.add(slept, Counted::Yes)?;
        }
        thaw(client.id())?;
        let slept = u64::try_from(slept.as_millis()).unwrap_or(u64::MAX);
        client.send_command(&json!({"command": "resume", "slept_ms": slept}))
    }

    fn finish_ending(&mut self) -> Result<()> {
        match self.ending.take().map(JoinHandle::join) {
            Some(Ok(Some(complaint))) => Err(anyhow::anyhow!(complaint)),
            _ => Ok(()),
        }
    }

    /// Its system says whether there is a network, if that is news.
    ///
    /// # Errors
    /// When the program does not read it.
    pub fn tell_of_network(&mut self, up: bool) -> Result<()> {
        if std::mem::replace(&mut self.offline, !up) != up {
            return Ok(());
        }
        self.command(&json!({"command": "network", "up": up, "route_lost": true}))
    }

    /// Its network fails.
    pub fn fail(&self, fault: Fault) {
        self.proxy.fail(fault);
    }

    /// Its network is whole.
    pub fn mend(&self) {
        self.proxy.mend();
    }

    /// Its user does something; nothing happens if its program does not run.
    ///
    /// # Errors
    /// When the program does not read it.
    pub fn command(&mut self, command: &Value) -> Result<()> {
        self.client
            .as_mut()
            .map_or(Ok(()), |client| client.send_command(command))
    }

    /// Its user types something, if its program runs.
    ///
    /// # Errors
    /// When the program does not read it.
    pub fn types(&mut self, to: &str, body: &str) -> Result<()> {
        self.client
            .as_mut()
            .map_or(Ok(()), |client| client.send(to, body))
    }

    /// Hands over what it has told since the last time. What must not be is a sentence.
    pub fn listen(&mut self, mut told: impl FnMut(&Event)) -> Vec<String> {
        let Some(client) = &mut self.client else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        let events = client.since(self.heard);
        self.heard = self.heard.after(events.len());
        for event in &events {
            // Evidence, not judgement: a full disk must not fail the run.
            let _ = writeln!(self.events, "{}", event.json);
            told(event);
            if let Some(state) = event.state() {
                if self.state == "live" && state != "live" {
                    self.losses += 1;
                }
                self.live_since = (state == "live").then_some(event.at);
                self.state = state.to_owned();
            }
            if event.state() == Some("stopped") {
                findings.push(format!(
                    "Device {} has stopped: {}",
                    self.number,
                    event.text("reason")
                ));
            }
            if event.kind() == "not-json" {
                findings.push(format!(
                    "Device {} said what is no JSON: {}",
                    self.number,
                    event.text("text")
                ));
            }
        }
        let is_untrue =
            self.live_since.is_some_and(|since| since.elapsed() > NOTICED) && self.proxy.silence() > NOTICED;
        let is_untrue = is_untrue && self.asleep.is_none();
        if is_untrue && !self.told_untruth {
            findings.push(format!(
                "Device {} still shows `live`, {} s after the last byte reached it.",
                self.number,
                self.proxy.silence().as_secs()
            ));
        }
        self.told_untruth = is_untrue;
        if let Some(status) = client.has_ended() {
            findings.push(format!(
                "Device {} ended by itself ({status}).\n{}",
                self.number,
                client.dump()
            ));
            self.client = None;
        }
        findings
    }

    /// The conversation with somebody as its window has it.
    ///
    /// # Errors
    /// When the program does not answer.
    pub fn window(&mut self, with: &str) -> Result<Vec<Message>> {
        let client = self.client.as_mut().context("the program does not run")?;
        client.messages(with)
    }

    /// Writes its journal beside its events.
    pub fn keep_journal(&mut self) {
        if let Some(Ok(lines)) = self.client.as_mut().map(Client::journal) {
            // Evidence only.
            let _ = std::fs::write(self.folder.join("journal.txt"), lines.join("\n"));
        }
    }
}

//! Runs the cores: hands each input over and does what comes back, as the engine's driver does.

use super::{Event, Sabotage, World};
use crate::checker::Hand;
use crate::client::{Ending, Power};
use crate::network::{Parcel, Way};
use crate::server::{EPOCH, HEARTBEAT};
use dormouse_account::{Account, Command, Input, Output, Settings};
use dormouse_model::{BatchId, Change, Message, Now, Stamp};
use dormouse_xmpp::Credentials;
use std::collections::BTreeSet;

/// A core that has met so many deadlines at one moment never rests.
const RESTLESS: u32 = 50;

impl World {
    fn settings(&self, number: usize, first_batch: BatchId) -> Settings {
        let client = &self.clients[number];
        Settings {
            address: client.address.clone(),
            credentials: Some(Credentials::password(client.password.clone())),
            token: client.keyring.clone(),
            first_batch,
            durable: BatchId(first_batch.0.saturating_sub(1)),
        }
    }

    /// The process is started.
    pub(super) fn launch(&mut self, number: usize) {
        let random = self.random.fork();
        let settings = self.settings(number, BatchId(1));
        let client = &mut self.clients[number];
        if client.core.is_some() {
            return;
        }
        client.begin_life();
        let name = client.name.clone();
        match Account::restore(settings, random, &client.disk) {
            Ok(core) => {
                client.core = Some(core);
                client.view = crate::checker::window(client);
                client.list = crate::checker::list(client);
                self.note(&name, "is started", "");
                self.feed(number, Input::Start);
            }
            Err(error) => self
                .checker
                .found(self.now, &name, format!("can't be started: {error}")),
        }
    }

    /// Hands one input to the core and does what it says.
    pub(super) fn feed(&mut self, number: usize, mut input: Input) {
        let client = &mut self.clients[number];
        let Some(core) = &mut client.core else { return };
        if client.power != Power::Running {
            return;
        }
        let calendar = EPOCH + client.clock + i64::try_from(self.now.0).unwrap_or(0);
        let now = Now {
            tick: self.now,
            stamp: Stamp(calendar),
        };
        if client.at_once.0 != self.now {
            client.at_once = (self.now, 0);
        } else if matches!(input, Input::Tick) {
            client.at_once.1 += 1;
        }
        let restless = client.at_once.1 > RESTLESS;
        match &mut input {
            Input::Frame { conn, text } => {
                let Some(id) = client.conns.get(conn) else {
                    return;
                };
                if let Some(line) = self.network.line(*id) {
                    line.read += 1;
                }
                if self.sabotage == Some(Sabotage::OldConnectionRead) {
                    *conn = client.current.unwrap_or(*conn);
                }
                self.trace.note(self.now, &client.name, "<-", text);
            }
            Input::Closed { conn, closing } => {
                let Some(id) = client.conns.remove(conn) else {
                    return;
                };
                if let Some(line) = self.network.line(id) {
                    line.held_by_client = false;
                }
                self.network.tidy(id);
                self.trace.mark(self.now, &client.name, "closed", "");
                if self.trace.is_told() {
                    self.trace
                        .tell(self.now, &client.name, "closed", &format!("{conn} {closing:?}"));
                }
            }
            other => {
                self.trace.mark(self.now, &client.name, "input", "");
                if self.trace.is_told() {
                    self.trace
                        .tell(self.now, &client.name, "input", &format!("{other:?}"));
                }
            }
        }
        if matches!(input, Input::Resumed { proven: true, .. }) {
            client.lifeless = (!self.network.any_lives(number)).then(BTreeSet::new);
        }
        let typed = match &input {
            Input::Command(Command::Send { .. }) => Some(core.next_batch()),
            _ => None,
        };
        let refuses =
            matches!(&input, Input::Frame { text, .. } if text.contains("<failed xmlns='urn:xmpp:sm:3'"));
        match core.handle(now, input, &client.disk) {
            Ok(outputs) => {
                if refuses {
                    client.refused.extend(client.asked_for.take());
                }
                for output in outputs {
                    self.perform(number, output, typed);
                }
            }
            Err(error) => {
                let (name, detail) = (client.name.clone(), error.to_string());
                self.unread = true;
                self.note(&name, "is rebuilt:", &detail);
                self.rebuild(number);
            }
        }
        if restless {
            let name = self.clients[number].name.clone();
            self.checker.found(self.now, &name, "never rests".into());
            return;
        }
        self.set_tick(number);
        self.watch_truth(number);
    }

    /// As the engine does after a read error: no socket survives, a new core from what is applied.
    fn rebuild(&mut self, number: usize) {
        self.drop_sockets(number);
        let random = self.random.fork();
        let Some(old) = self.clients[number].core.take() else {
            return;
        };
        let mut settings = self.settings(number, old.next_batch());
        let client = &mut self.clients[number];
        settings.durable = client.disk.durable_to.unwrap_or(BatchId(0));
        client.disk.fail_reading(None);
        client.tick = None;
        let core = match Account::restore(settings, random, &client.disk) {
            Ok(core) => core,
            Err(error) => {
                let name = client.name.clone();
                return self
                    .checker
                    .found(self.now, &name, format!("can't be rebuilt: {error}"));
            }
        };
        let snapshot = match core.snapshot(client.disk.records()) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                let name = client.name.clone();
                return self
                    .checker
                    .found(self.now, &name, format!("can't tell what is: {error}"));
            }
        };
        client.core = Some(core);
        for change in snapshot {
            self.changed(number, change);
        }
        self.feed(number, Input::Start);
        // What was about to happen to the process is still about to happen.
        match self.clients[number].ending {
            Some(Ending::Quit(_)) => self.feed(number, Input::Command(Command::Quit)),
            Some(Ending::Sleep(_)) => self.feed(number, Input::Suspending),
            None => {}
        }
        if self.clients[number].disk.refusal_told {
            self.feed(number, Input::StoreFailed("disk full".into()));
        }
    }

    fn tell_story(&mut self, number: usize, output: &Output) {
        if !self.trace.is_told() {
            return;
        }
        let (what, detail) = match output {
            Output::Frame { conn, text } => ("->", format!("{conn} {text}")),
            Output::Write(batch) => (
                "writes",
                format!("batch {} of {} records", batch.id, batch.writes.len()),
            ),
            Output::Journal(entry) => ("says", entry.text.clone()),
            Output::Change(Change::Message(message)) => ("shows", summary(message)),
            other => ("does", format!("{other:?}")),
        };
        let name = self.clients[number].name.clone();
        self.trace.tell(self.now, &name, what, &detail);
    }

    fn perform(&mut self, number: usize, output: Output, typed: Option<BatchId>) {
        self.tell_story(number, &output);
        let life = self.clients[number].life;
        match output {
            Output::Write(batch) => self.write(number, batch),
            Output::Dial { conn, .. } => self.dial(number, conn),
            Output::Frame { conn, text } => {
                if text == HEARTBEAT {
                    self.asked_for_life(number);
                }
                let client = &mut self.clients[number];
                client.current = Some(conn);
                if let Some(asked) = client.lifeless.as_mut().filter(|_| text.starts_with("<iq ")) {
                    asked.insert(text.clone());
                }
                if let Some((_, resume)) = text.split_once("<resume ") {
                    self.asks_for_session(number, resume);
                    self.server.let_off(number);
                } else if text.starts_with("<close ") {
                    self.server.let_off(number);
                }
                if let Some(line) = self.clients[number].conns.get(&conn).copied()
                    && let Some(at) = self.network.send(self.now, line, Way::Up, &mut self.random)
                {
                    self.at(
                        at,
                        Event::Arrive {
                            line,
                            way: Way::Up,
                            parcel: Parcel::Frame(text),
                        },
                    );
                }
            }
            Output::Hangup(conn) | Output::Abort(conn) => self.hang_up(number, conn),
            Output::KeepToken(token) => {
                let soon = self.some(1, 3000);
                self.after(
                    soon,
                    Event::TokenKept {
                        client: number,
                        life,
                        token,
                    },
                );
            }
            Output::ForgetToken => self.clients[number].keyring = None,
            Output::Change(change) => self.changed(number, change),
            Output::Journal(_) | Output::Transition(_) | Output::HandedOver(_) => {}
            Output::Written { tag, id } => {
                let (Some((to, text)), Some(batch)) = (self.tags.remove(&tag), typed) else {
                    return;
                };
                let account = self.clients[number].account;
                let hand = Hand {
                    client: number,
                    life,
                    batch,
                };
                self.checker.typed_by(hand, account, to, text, Some(id));
            }
            Output::MaySleep => {
                self.must_be_safe(number, "sleep");
                if matches!(self.clients[number].ending, Some(Ending::Sleep(_))) {
                    let soon = self.some(0, 400);
                    self.after(soon, Event::FallAsleep { client: number, life });
                }
            }
            Output::MayQuit => {
                self.must_be_safe(number, "quit");
                let soon = self.some(0, 50);
                self.after(soon, Event::QuitOver { client: number, life });
            }
        }
    }

    /// A client asks for an earlier session. Of the same one it hears no second time that it is gone: some servers end
    /// the stream over that.
    fn asks_for_session(&mut self, number: usize, resume: &str) {
        let name = resume
            .split_once("previd='")
            .and_then(|(_, rest)| rest.split_once('\''));
        let Some((name, _)) = name else { return };
        let client = &mut self.clients[number];
        if client.refused.contains(name) {
            let what = "asks again for a session of which it has read that it is gone";
            self.checker.found(self.now, &client.name, what.into());
        }
        client.asked_for = Some(name.to_owned());
    }

    /// A client has just asked whether its link lives.
    fn asked_for_life(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let latency = client.latency;
        if let Some(fault) = client.at_heartbeat.pop() {
            let soon = self.random.up_to(latency * 2);
            self.after(
                soon,
                Event::Strike {
                    client: number,
                    fault,
                },
            );
        }
    }

    fn must_be_safe(&mut self, number: usize, what: &str) {
        let client = &self.clients[number];
        // A disk may take writes again a moment before the program hears of it: until then it need not wait for one.
        if client.must_be_durable > client.disk.durable_to && !client.disk.refusal_told {
            self.checker.found(
                self.now,
                &client.name,
                format!("may {what} before everything is on disk"),
            );
        }
    }

    pub(super) fn tick(&mut self, number: usize) {
        let client = &mut self.clients[number];
        // One that was replaced by an earlier one concerns nobody. (A sleeper's comes late.)
        if client.tick.is_none_or(|tick| tick > self.now) {
            return;
        }
        client.tick = None;
        if self.sabotage == Some(Sabotage::NoTicks) {
            return;
        }
        if client.due.is_some_and(|due| due <= self.now) {
            self.feed(number, Input::Tick);
        } else {
            self.set_tick(number);
        }
    }

    /// Sees to it that the core's deadline is met.
    fn set_tick(&mut self, number: usize) {
        let client = &mut self.clients[number];
        client.due = client.core.as_ref().and_then(Account::deadline);
        let Some(due) = client.due else { return };
        let due = due.max(self.now);
        if client.tick.is_none_or(|tick| tick > due) {
            client.tick = Some(due);
            let life = client.life;
            self.at(due, Event::Tick { client: number, life });
        }
    }
}

fn summary(message: &Message) -> String {
    let archive: Vec<&str> = message.names.archive.iter().map(|id| id.as_str()).collect();
    format!(
        "{} {:?} {:?} {archive:?} at {}",
        message.id, message.content, message.side, message.place
    )
}

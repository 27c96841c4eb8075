//! Runs the cores: hands each input over and does what comes back, as the engine's driver does.

use super::{Event, World};
use crate::checker::Hand;
use crate::client::{Ending, Power};
use crate::fault::Phase;
use crate::network::{Flow, Parcel, Way};
use crate::server::{EPOCH, HEARTBEAT, LineId};
use dormouse_account::{Account, Command, Input, Output, Settings};
use dormouse_model::{
    Batch, BatchId, Cause, Change, Channel, Closing, ConnId, ConnectionState, DialFailure, DialStep,
    Endpoint, Message, MessageId, Now, Stamp,
};
use dormouse_xmpp::Credentials;
use std::time::Duration;

/// A core that has met so many deadlines at one moment never rests.
const RESTLESS: u32 = 50;

/// Deliberate mistakes around the core, to show that the checker finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The driver says that a batch is durable before it is.
    DurableTooEarly,
    /// What a connection still delivers after it was given up is read, as if it came on the new one.
    OldConnectionRead,
    /// The server forges a message in its own name.
    Forgery,
    /// The window is told of each received message twice, under two ids.
    ShownTwice,
    /// The disk forgets a batch now and then.
    ForgottenBatch,
    /// Deadlines are never met.
    NoTicks,
}

impl World {
    fn settings(&self, number: usize, first_batch: BatchId) -> Settings {
        let client = &self.clients[number];
        Settings {
            address: client.address.clone(),
            credentials: Some(Credentials::password(client.password.clone())),
            token: client.keyring.clone(),
            first_batch,
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
                if !client.conns.contains_key(conn) {
                    return;
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
            client.lifeless = !self.network.any_lives(number);
        }
        let typed = match &input {
            Input::Command(Command::Send { .. }) => Some(core.next_batch()),
            _ => None,
        };
        match core.handle(now, input, &client.disk) {
            Ok(outputs) => {
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
        let settings = self.settings(number, old.next_batch());
        let client = &mut self.clients[number];
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

    /// All sockets of a process are gone; the server learns of it if the way is open.
    pub(super) fn drop_sockets(&mut self, number: usize) {
        let conns: Vec<ConnId> = self.clients[number].conns.keys().copied().collect();
        for conn in conns {
            self.hang_up(number, conn);
        }
        self.clients[number].dialling.clear();
    }

    fn hang_up(&mut self, number: usize, conn: ConnId) {
        let client = &mut self.clients[number];
        client.dialling.remove(&conn);
        let Some(id) = client.conns.get(&conn).copied() else {
            return;
        };
        if self.sabotage == Some(Sabotage::OldConnectionRead) && client.power == Power::Running {
            return; // The socket stays, and what comes is read.
        }
        client.conns.remove(&conn);
        if let Some(line) = self.network.line(id) {
            line.held_by_client = false;
        }
        if self.network.flow(id, Way::Up) == Flow::Stalled {
            // What can't be written at once is dropped with the socket (see `Output::Hangup`): a late
            // `<resume/>` would take the session away from the connection that has it by then.
            self.network.set(id, Way::Up, Flow::Dead);
        }
        let end = Parcel::End(Closing::Eof);
        match self.network.send(self.now, id, Way::Up, &mut self.random) {
            Some(at) => self.at(
                at,
                Event::Arrive {
                    line: id,
                    way: Way::Up,
                    parcel: end,
                },
            ),
            None => self.server_notices_late(id),
        }
        self.network.set(id, Way::Down, Flow::Dead);
        self.network.tidy(id);
    }

    /// The server will find out that nobody is there, some time.
    pub(super) fn server_notices_late(&mut self, id: LineId) {
        let after = self.some(15_000, 900_000);
        self.after(after, Event::ServerNotices(id));
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
                if text.contains("<resume ") || text.starts_with("<close ") {
                    self.server.let_off(number);
                }
                if let Some(line) = client.conns.get(&conn).copied()
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
            Output::Journal(_) => {}
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
        if client.must_be_durable > client.disk.durable_to && !client.disk.refuses {
            self.checker.found(
                self.now,
                &client.name,
                format!("may {what} before everything is on disk"),
            );
        }
    }

    fn dial(&mut self, number: usize, conn: ConnId) {
        let client = &mut self.clients[number];
        client.dialling.insert(conn);
        let (life, latency) = (client.life, client.latency);
        let hopeless = self.now < client.network_down_until;
        // TCP, TLS and WebSocket: four round trips. Without network some systems say so at once.
        let length = match hopeless {
            false => latency * 8 + self.random.up_to(latency),
            true if self.random.below(2) == 0 => Duration::from_millis(20),
            true => Duration::from_secs(10),
        };
        self.after(
            length,
            Event::Dialled {
                client: number,
                life,
                conn,
                hopeless,
            },
        );
    }

    pub(super) fn dialled(&mut self, number: usize, conn: ConnId, hopeless: bool) {
        let client = &mut self.clients[number];
        if !client.dialling.remove(&conn) {
            return;
        }
        let (life, latency) = (client.life, client.latency);
        let down = self.now < client.network_down_until;
        let coin = self.random.below(2) == 0;
        let failure = match (hopeless, down, self.server.up) {
            (true, ..) if coin => Some(DialFailure::NamesUnavailable),
            (true, ..) => Some(DialFailure::Unreachable),
            (_, true, _) => Some(DialFailure::TimedOut(DialStep::Tcp)),
            // The server itself, or the proxy in front of it.
            (.., false) if coin => Some(DialFailure::Refused),
            (.., false) => Some(DialFailure::Http {
                status: 502,
                retry_after: None,
            }),
            _ => None,
        };
        if let Some(failure) = failure {
            return self.feed(number, Input::DialFailed { conn, failure });
        }
        let line = self.network.open(number, life, conn, latency);
        self.clients[number].conns.insert(conn, line);
        self.server.opened(self.now, line, number, latency * 2);
        let channel = Channel {
            encrypted: true,
            loopback: false,
            exporter: self.server.exporter_of(line),
        };
        let endpoint = Endpoint("wss://home.example/xmpp-websocket".into());
        self.feed(
            number,
            Input::Dialled {
                conn,
                channel,
                endpoint,
            },
        );
    }

    fn write(&mut self, number: usize, batch: Batch) {
        let (life, id) = (self.clients[number].life, batch.id);
        let forgotten = self.sabotage == Some(Sabotage::ForgottenBatch) && self.random.below(40) == 0;
        let batch = if forgotten {
            Batch {
                id,
                writes: Vec::new(),
            }
        } else {
            batch
        };
        self.clients[number].disk.apply(batch);
        if self.sabotage == Some(Sabotage::DurableTooEarly) {
            self.after(
                Duration::ZERO,
                Event::Told {
                    client: number,
                    life,
                    input: Input::Durable(id),
                },
            );
        }
        self.flush(number);
    }

    /// Starts a group commit, unless one is under way.
    fn flush(&mut self, number: usize) {
        let length = match self.random.below(20) {
            _ if self.sabotage == Some(Sabotage::DurableTooEarly) => Duration::from_secs(20),
            0 => self.some(100, 1500),
            _ => self.some(1, 30),
        };
        let client = &mut self.clients[number];
        let life = client.life;
        if let Some(to) = client.disk.waiting()
            && !std::mem::replace(&mut client.flushing, true)
        {
            self.after(
                length,
                Event::Flushed {
                    client: number,
                    life,
                    to,
                },
            );
        }
    }

    pub(super) fn flushed(&mut self, number: usize, to: BatchId) {
        let client = &mut self.clients[number];
        let life = client.life;
        if client.disk.refuses {
            client.disk.fill(&mut self.random);
            let news = !std::mem::replace(&mut client.disk.refusal_told, true);
            self.after(
                Duration::from_secs(1),
                Event::Flushed {
                    client: number,
                    life,
                    to,
                },
            );
            if news {
                self.feed(number, Input::StoreFailed("disk full".into()));
            }
            return;
        }
        client.flushing = false;
        if std::mem::take(&mut client.disk.refusal_told) {
            // A store that is reopened takes everything at once.
            let all = client.disk.waiting().unwrap_or(to);
            client.disk.flush(all);
            self.feed(number, Input::StoreRecovered);
            self.feed(number, Input::Durable(all));
        } else {
            client.disk.flush(to);
            if self.sabotage != Some(Sabotage::DurableTooEarly) {
                self.feed(number, Input::Durable(to));
            }
        }
        self.flush(number);
    }

    pub(super) fn tick(&mut self, number: usize) {
        let client = &mut self.clients[number];
        client.tick = None;
        if self.sabotage == Some(Sabotage::NoTicks) {
            return;
        }
        let due = client.core.as_ref().and_then(Account::deadline);
        if due.is_some_and(|due| due <= self.now) {
            self.feed(number, Input::Tick);
        } else {
            self.set_tick(number);
        }
    }

    /// Sees to it that the core's deadline is met.
    fn set_tick(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let Some(due) = client.core.as_ref().and_then(Account::deadline) else {
            return;
        };
        let due = due.max(self.now);
        if client.tick.is_none_or(|tick| tick > due) {
            client.tick = Some(due);
            let life = client.life;
            self.at(due, Event::Tick { client: number, life });
        }
    }

    fn changed(&mut self, number: usize, change: Change) {
        let client = &mut self.clients[number];
        match change {
            Change::Connection(connection) => {
                if let Cause::ProtocolViolation(what) = &connection.cause {
                    // The model server keeps to the protocol, so who says otherwise is wrong.
                    let what = format!("says of the server that {what}");
                    self.checker.found(self.now, &client.name, what);
                }
                let phase = Phase::of(&connection.state);
                if phase == Phase::Live && client.lifeless {
                    let what = "is live by an answer from before the sleep";
                    self.checker.found(self.now, &client.name, what.into());
                }
                client.state = connection.state;
                client.since = self.now;
                self.trace
                    .note(self.now, &client.name, "is", connection.state.name());
                let waiting = client.armed.iter().position(|(wanted, _)| *wanted == phase);
                if let Some(place) = waiting.filter(|_| !self.calm) {
                    let (_, fault) = client.armed.swap_remove(place);
                    let latency = u64::try_from(client.latency.as_millis()).unwrap_or(1);
                    let soon = self.some(0, latency * if phase == Phase::Waiting { 10 } else { 2 });
                    self.after(
                        soon,
                        Event::Strike {
                            client: number,
                            fault,
                        },
                    );
                }
            }
            Change::Message(message) => {
                if self.sabotage == Some(Sabotage::ShownTwice) && message.delivery().is_none() {
                    let mut twin = message.clone();
                    twin.id = MessageId(message.id.0 + 1_000_000);
                    client.view.insert(twin.id, *twin);
                }
                self.checker.shown(self.now, client, &message, &self.server);
                client.view.insert(message.id, *message);
            }
            Change::Removed { id, .. } => {
                client.view.remove(&id);
            }
            Change::Contact(contact) if !self.known.contains(&contact.address) => {
                let what = format!("shows a contact that nobody added: {}", contact.address);
                self.checker.found(self.now, &client.name, what);
            }
            Change::Conversation(it) if it.is_nothing() => {
                client.list.remove(&it.with);
            }
            Change::Conversation(it) => {
                client.list.insert(it.with.clone(), *it);
            }
            _ => {}
        }
    }

    /// "Live" may be untrue for no longer than it takes to notice.
    pub(super) fn watch_truth(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let awake = client.awake(self.now);
        if let Some(since) = client.untrue_since {
            self.checker
                .live_untrue(self.now, &client.name, awake.saturating_sub(since));
        }
        let lives = self.network.any_lives(number);
        client.lifeless &= !lives;
        let claims = client.state == ConnectionState::Live && client.power != Power::Off;
        if claims && !lives {
            client.untrue_since.get_or_insert(awake);
        } else {
            client.untrue_since = None;
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

//! The world: a queue of events in virtual time, the clients, the network and the server.
//!
//! One thread, one order: events at the same moment happen in the order in which they were put into the queue,
//! chance comes from the seed alone. So a seed is a life, and lives again exactly.
//!
//! `driver` runs the cores, `faults` makes things go wrong, `plan` draws what a life holds.

mod driver;
mod faults;
mod plan;
mod user;

pub use driver::Sabotage;
pub use plan::everybody;

use crate::checker::{Checker, Finding};
use crate::client::{Client, Power};
use crate::fault::{Coverage, Fault};
use crate::network::{Network, Parcel, Way};
use crate::queue::Queue;
use crate::server::{Claim, LineId, Said, Server};
use crate::trace::Trace;
use dormouse_account::{Command, Input, Token};
use dormouse_model::{BareJid, BatchId, ConnId, Random, Tick};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// After the last fault: long enough for everything that is slow on purpose.
const CALM: Duration = Duration::from_secs(15 * 60);
/// A life of so many steps goes round in a circle: the longest take a tenth of this.
const ENDLESS: u64 = 2_000_000;

/// Something that will happen.
#[derive(Debug, Clone)]
pub enum Event {
    /// Something arrives on a connection.
    Arrive {
        /// Which connection.
        line: LineId,
        /// Which end.
        way: Way,
        /// What.
        parcel: Parcel,
    },
    /// The server learns that a connection is gone.
    ServerNotices(LineId),
    /// A dial comes to its end.
    Dialled {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
        /// Which.
        conn: ConnId,
        /// There was no network at its beginning.
        hopeless: bool,
    },
    /// A batch and all before it have reached the disk.
    Flushed {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
        /// Up to which.
        to: BatchId,
    },
    /// A client's deadline.
    Tick {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
    },
    /// The system tells a client something.
    Told {
        /// Whom.
        client: usize,
        /// In which life.
        life: u64,
        /// What.
        input: Input,
    },
    /// The keyring has taken a token.
    TokenKept {
        /// Whose.
        client: usize,
        /// In which life it was given.
        life: u64,
        /// Which.
        token: Token,
    },
    /// A user does something.
    User {
        /// At which client.
        client: usize,
        /// What.
        act: Act,
    },
    /// Something goes wrong.
    Strike {
        /// For whom.
        client: usize,
        /// What.
        fault: Fault,
    },
    /// A fault waits for a phase.
    Arm {
        /// For whom.
        client: usize,
        /// For which.
        phase: crate::fault::Phase,
        /// What.
        fault: Fault,
    },
    /// A machine falls asleep.
    FallAsleep {
        /// Which.
        client: usize,
        /// In which life.
        life: u64,
    },
    /// A machine wakes.
    Wake {
        /// Which.
        client: usize,
        /// In which life.
        life: u64,
        /// As the fault says.
        fault: Fault,
    },
    /// A process is started.
    Launch {
        /// Whose.
        client: usize,
        /// After which life.
        life: u64,
    },
    /// A user who quit is not waited for any longer.
    QuitOver {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
    },
    /// The network of a client is back.
    NetworkBack {
        /// Whose.
        client: usize,
        /// Whether the system tells.
        seen: bool,
        /// Whether the connections survive.
        survives: bool,
    },
    /// A way of a connection opens again.
    Unstall {
        /// Which connection.
        line: LineId,
        /// Which way.
        way: Way,
    },
    /// The client's end of a connection breaks.
    Breaks(LineId),
    /// The path is fast again.
    Fast {
        /// Whose.
        client: usize,
    },
    /// The disk takes writes again.
    DiskWorks(usize),
    /// The server starts again.
    ServerStarts,
    /// Somebody with another client says something.
    Friend {
        /// To whom.
        to: usize,
        /// Under which number.
        number: u64,
    },
    /// Somebody claims to an account what they may not claim.
    Claimed {
        /// To whom.
        account: usize,
        /// About whom.
        other: usize,
        /// What.
        claim: Claim,
    },
    /// All faults end.
    Calm,
}

/// What a user does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Types a message to an account.
    Type {
        /// To whom.
        to: usize,
        /// A text that has been typed before, on purpose.
        repeat: bool,
    },
    /// Anything that the checker need not know of.
    Command(Command),
    /// Reads a conversation.
    Read(usize),
    /// Replaces what an own message says.
    Edit,
    /// Withdraws an own message.
    Retract,
    /// Tries what failed again.
    Retry,
    /// Throws away what failed.
    Discard,
    /// Shows or hides the window.
    Visible(bool),
}

/// What came of a life.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was found wrong.
    pub findings: Vec<Finding>,
    /// Stands for the whole story.
    pub hash: u64,
    /// The story's last lines, if wanted.
    pub story: Vec<String>,
    /// Faults by phase.
    pub coverage: Coverage,
    /// Virtual time lived by all clients together.
    pub client_time: Duration,
    /// Clients.
    pub clients: usize,
    /// Messages typed.
    pub messages: usize,
    /// Things that happened.
    pub steps: u64,
}

/// One world.
pub struct World {
    now: Tick,
    queue: Queue<Event>,
    random: Random,
    clients: Vec<Client>,
    network: Network,
    server: Server,
    checker: Checker,
    trace: Trace,
    coverage: Coverage,
    sabotage: Option<Sabotage>,
    end: Tick,
    calm: bool,
    next_text: Vec<u64>,
    /// Accounts with clients of ours: the first ones.
    people: usize,
    friend_said: u64,
    /// The last input was dropped, because the disk could not be read.
    unread: bool,
    /// Everybody whom a window may show.
    known: Vec<BareJid>,
    tags: BTreeMap<u64, (usize, String)>,
}

impl World {
    /// Lives a whole life. A core that panics has ended it.
    pub fn live(seed: u64, told: bool, sabotage: Option<Sabotage>) -> Outcome {
        let mut world = World::plan(seed, told, sabotage);
        let whole = catch_unwind(AssertUnwindSafe(|| world.live_on()));
        if whole.is_err() {
            world.checker.found(world.now, "core", "panicked".into());
        }
        let client_time = (world.end + CALM).since(Tick(0)) * u32::try_from(world.clients.len()).unwrap_or(1);
        Outcome {
            findings: world.checker.findings(),
            hash: world.trace.hash(),
            story: world.trace.lines().map(str::to_owned).collect(),
            coverage: world.coverage,
            client_time,
            clients: world.clients.len(),
            messages: world.checker.typed().len(),
            steps: world.trace.steps,
        }
    }

    fn live_on(&mut self) {
        while let Some((at, event)) = self.queue.take() {
            if at > self.end + CALM || self.checker.is_hopeless() {
                break;
            }
            self.now = at;
            self.happen(event);
            if self.trace.steps > ENDLESS {
                self.checker.found(at, "all", "never comes to an end".into());
                break;
            }
        }
        self.now = self.end + CALM;
        self.last_look();
    }

    fn at(&mut self, at: Tick, event: Event) {
        self.queue.put(at.max(self.now), event);
    }

    fn after(&mut self, length: Duration, event: Event) {
        self.at(self.now + length, event);
    }

    /// Some time, by chance.
    fn some(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.random.below(most - least + 1))
    }

    fn note(&mut self, who: &str, what: &str, detail: &str) {
        self.trace.note(self.now, who, what, detail);
    }

    fn happen(&mut self, event: Event) {
        // A machine that sleeps executes nothing; what concerns it waits.
        if let Some((client, life)) = concerns(&event)
            && let Some(machine) = self.clients.get_mut(client)
        {
            if machine.life != life {
                return;
            }
            if machine.power == Power::Asleep {
                machine.deferred.push(event);
                return;
            }
        }
        match event {
            Event::Arrive { line, way, parcel } => self.arrive(line, way, parcel),
            Event::ServerNotices(line) => self.server_notices(line),
            Event::Dialled {
                client,
                conn,
                hopeless,
                ..
            } => self.dialled(client, conn, hopeless),
            Event::Flushed { client, to, .. } => self.flushed(client, to),
            Event::Tick { client, .. } => self.tick(client),
            Event::Told { client, input, .. } => self.feed(client, input),
            Event::TokenKept { client, token, .. } => {
                self.clients[client].keyring = Some(token);
                self.feed(client, Input::TokenKept);
            }
            Event::User { client, act } => self.act(client, act),
            Event::Strike { client, fault } => self.strike(client, fault),
            Event::Arm { client, phase, fault } => self.arm(client, phase, fault),
            Event::FallAsleep { client, .. } => self.fall_asleep(client),
            Event::Wake { client, life, fault } => {
                if self.clients[client].life == life {
                    self.wake(client, &fault);
                }
            }
            Event::Launch { client, life } => {
                if self.clients[client].life == life {
                    self.launch(client);
                }
            }
            Event::QuitOver { client, .. } => self.quit_over(client),
            Event::NetworkBack {
                client,
                seen,
                survives,
            } => self.network_back(client, seen, survives),
            Event::Unstall { line, way } => self.unstall(line, way),
            Event::Breaks(line) => self.breaks(line),
            Event::Fast { client } => self.fast(client),
            Event::DiskWorks(client) => self.clients[client].disk.works(),
            Event::ServerStarts => {
                self.note("srv", "starts", "");
                self.server.start(self.now);
            }
            Event::Friend { to, number } => self.friend_says(to, number),
            Event::Claimed {
                account,
                other,
                claim,
            } => self.claimed(account, other, claim),
            Event::Calm => self.calm_down(),
        }
    }

    fn arrive(&mut self, id: LineId, way: Way, parcel: Parcel) {
        let Some(parcel) = self.network.arrive(id, way, parcel) else {
            return;
        };
        self.hand_over(id, way, parcel);
    }

    /// Something has reached its end of a connection.
    fn hand_over(&mut self, id: LineId, way: Way, parcel: Parcel) {
        let Some(line) = self.network.line(id) else { return };
        let (client, life, conn) = (line.client, line.life, line.conn);
        match (way, parcel) {
            (Way::Up, Parcel::Frame(text)) => {
                // What was on its way when its sender gave the connection up may be out of date by now.
                let given_up = !line.held_by_client;
                let violations = self.server.violations.len();
                let said = self.server.frame(self.now, id, &text);
                if given_up {
                    self.server.violations.truncate(violations);
                }
                self.say(said);
            }
            (Way::Up, Parcel::End(_)) => self.server_notices(id),
            (Way::Down, parcel) => {
                if self.clients[client].life != life {
                    return;
                }
                // The machine may sleep: then the system's buffers hold it until it wakes.
                let input = match parcel {
                    Parcel::Frame(text) => Input::Frame { conn, text },
                    Parcel::End(closing) => Input::Closed { conn, closing },
                };
                if self.clients[client].power == Power::Asleep {
                    self.clients[client]
                        .deferred
                        .push(Event::Told { client, life, input });
                } else {
                    self.feed(client, input);
                }
            }
        }
    }

    /// The server's end of a connection is over.
    fn server_notices(&mut self, id: LineId) {
        let Some(line) = self.network.line(id) else { return };
        if !std::mem::replace(&mut line.held_by_server, false) {
            self.network.tidy(id);
            return;
        }
        let said = self.server.closed(self.now, id);
        let end = Parcel::End(dormouse_model::Closing::Broken("reset".into()));
        if let Some(at) = self.network.send(self.now, id, Way::Down, &mut self.random) {
            self.at(
                at,
                Event::Arrive {
                    line: id,
                    way: Way::Down,
                    parcel: end,
                },
            );
        }
        self.say(said);
        self.network.tidy(id);
    }

    /// Puts what the server says on the wire.
    fn say(&mut self, said: Vec<Said>) {
        for said in said {
            let (line, parcel) = match said {
                Said::Frame(line, text) => (line, Parcel::Frame(text)),
                Said::Close(line, closing) => {
                    if let Some(line) = self.network.line(line) {
                        line.held_by_server = false;
                    }
                    (line, Parcel::End(closing))
                }
            };
            if let Some(at) = self.network.send(self.now, line, Way::Down, &mut self.random) {
                self.at(
                    at,
                    Event::Arrive {
                        line,
                        way: Way::Down,
                        parcel,
                    },
                );
            }
        }
    }

    /// What the checker looks at when everything is over.
    fn last_look(&mut self) {
        for number in 0..self.clients.len() {
            self.watch_truth(number);
        }
        for violation in std::mem::take(&mut self.server.violations) {
            self.checker.protocol(violation);
        }
        self.checker.last_look(&self.clients, &self.server, self.end);
    }
}

/// Whose event it is, if it needs a running process.
fn concerns(event: &Event) -> Option<(usize, u64)> {
    match event {
        Event::Dialled { client, life, .. }
        | Event::Flushed { client, life, .. }
        | Event::Tick { client, life }
        | Event::Told { client, life, .. }
        | Event::TokenKept { client, life, .. }
        | Event::FallAsleep { client, life }
        | Event::QuitOver { client, life } => Some((*client, *life)),
        _ => None,
    }
}

//! The world: a queue of events in virtual time, the clients, the network and the server.
//!
//! One thread, one order: events at the same moment happen in the order in which they were put into the queue,
//! chance comes from the seed alone. So a seed is a life, and lives again exactly.
//!
//! `driver` runs the cores, with `socket`, `commit` and `window` for what they ask of the world; `wire` and `path` are between
//! them and the server; `faults` makes things go wrong, `calm` ends it; `plan` draws what a life holds; `stage` plays
//! a script instead.

mod calm;
mod commit;
mod driver;
mod event;
mod faults;
mod path;
mod plan;
mod sabotage;
mod sleep;
mod socket;
mod stage;
mod user;
mod window;
mod wire;

pub use event::{Act, Event};
pub use plan::everybody;
pub use sabotage::Sabotage;
pub use stage::Scene;

use crate::checker::{Checker, Finding};
use crate::client::{Client, Power};
use crate::fault::Coverage;
use crate::network::Network;
use crate::queue::Queue;
use crate::server::Server;
use crate::trace::Trace;
use dormouse_account::Input;
use dormouse_model::{BareJid, Change, Random, Tick};
use event::concerns;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// After the last fault: long enough for everything that is slow on purpose.
const CALM: Duration = Duration::from_secs(15 * 60);
/// A life of so many steps goes round in a circle: the longest take a tenth of this.
const ENDLESS: u64 = 2_000_000;

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
    /// So long after the last fault the last client was live again.
    pub back_after: Duration,
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
    /// What windows were told, if somebody wants to hear it.
    heard: Option<Vec<(usize, Tick, Change)>>,
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
        let back = world.clients.iter().map(|client| client.since.since(world.end));
        Outcome {
            back_after: back.max().unwrap_or_default(),
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
            Event::NetworkSleeps {
                client,
                life,
                survives,
            } => self.network_sleeps(client, life, survives),
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

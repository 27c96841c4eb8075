//! One client: a machine with a disk, on which a process with the shipping core runs, sleeps or is dead.

use crate::disk::Disk;
use crate::fault::{Fault, Phase};
use crate::server::LineId;
use crate::world::Event;
use dormouse_account::{Account, Token};
use dormouse_model::{BareJid, BatchId, ConnId, ConnectionState, Conversation, Message, MessageId, Tick};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the machine and the process do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// The process runs.
    Running,
    /// Nothing is executed; time passes.
    Asleep,
    /// The process is dead.
    Off,
}

/// Why the process is about to stop running.
#[derive(Debug, Clone)]
pub enum Ending {
    /// The machine will sleep like this.
    Sleep(Fault),
    /// The user quit, and starts it again after so long.
    Quit(Duration),
}

/// One client.
pub struct Client {
    /// Its name in traces.
    pub name: String,
    /// Its account, by number.
    pub account: usize,
    /// Its account's address.
    pub address: BareJid,
    /// Its password.
    pub password: String,
    /// The token in its keyring.
    pub keyring: Option<Token>,
    /// The disk.
    pub disk: Disk,
    /// The core; none while the process is dead.
    pub core: Option<Account>,
    /// How often the process was started: what concerns an earlier one concerns nobody.
    pub life: u64,
    /// What the machine does.
    pub power: Power,
    /// Why it is about to stop.
    pub ending: Option<Ending>,
    /// The sockets, by the core's names.
    pub conns: BTreeMap<ConnId, LineId>,
    /// Dials under way.
    pub dialling: BTreeSet<ConnId>,
    /// The socket last written on.
    pub current: Option<ConnId>,
    /// The next tick that is in the queue.
    pub tick: Option<Tick>,
    /// When its core wants to be called, as it said last.
    pub due: Option<Tick>,
    /// A flush is under way.
    pub flushing: bool,
    /// What waits for the machine to wake.
    pub deferred: Vec<Event>,
    /// What waited in the system's buffers has been read by then; what comes before waits behind it.
    pub reads_on: Tick,
    /// Until when there is no network.
    pub network_down_until: Tick,
    /// One way to the server.
    pub latency: Duration,
    /// How long it takes when the path is not slow; none while it is not.
    pub fast: Option<Duration>,
    /// How far its calendar is off, in milliseconds.
    pub clock: i64,
    /// Slept so far, and since when it sleeps.
    pub slept: Duration,
    /// Since when it sleeps.
    pub asleep_since: Tick,
    /// What its window says of the connection.
    pub state: ConnectionState,
    /// Since when it says so.
    pub since: Tick,
    /// Since when (awake time) "live" has not been true.
    pub untrue_since: Option<Duration>,
    /// What its window shows of messages, from the changes alone.
    pub view: BTreeMap<MessageId, Message>,
    /// What its window shows of conversations, from the changes alone.
    pub list: BTreeMap<BareJid, Conversation>,
    /// Faults that wait for a phase.
    pub armed: Vec<(Phase, Fault)>,
    /// What was written before the machine or the program was about to stop: it must be on disk first.
    pub must_be_durable: Option<BatchId>,
    /// It was told of a wake, and since then there was no connection on which anything could be answered: what it has asked
    /// since, of which nothing has reached the server.
    pub lifeless: Option<BTreeSet<String>>,
    /// The session that it has asked for last, by the server's name for it.
    pub asked_for: Option<String>,
    /// Sessions of which this process has read that they are gone.
    pub refused: BTreeSet<String>,
    /// Sleeps that wait until a question whether the link lives is on its way.
    pub at_heartbeat: Vec<Fault>,
    /// Deadlines met at this moment: a core that never rests is stuck.
    pub at_once: (Tick, u32),
}

impl Client {
    /// A client that has never run.
    pub fn new(name: String, account: usize, address: BareJid, password: String, latency: Duration) -> Self {
        Self {
            name,
            account,
            address,
            password,
            keyring: None,
            disk: Disk::default(),
            core: None,
            life: 0,
            power: Power::Off,
            ending: None,
            conns: BTreeMap::new(),
            dialling: BTreeSet::new(),
            current: None,
            tick: None,
            due: None,
            flushing: false,
            deferred: Vec::new(),
            reads_on: Tick(0),
            network_down_until: Tick(0),
            latency,
            fast: None,
            clock: 0,
            slept: Duration::ZERO,
            asleep_since: Tick(0),
            state: ConnectionState::Offline,
            since: Tick(0),
            untrue_since: None,
            view: BTreeMap::new(),
            list: BTreeMap::new(),
            armed: Vec::new(),
            must_be_durable: None,
            lifeless: None,
            asked_for: None,
            refused: BTreeSet::new(),
            at_heartbeat: Vec::new(),
            at_once: (Tick(0), 0),
        }
    }

    /// The process is started: nothing of an earlier one is left but the disk.
    pub fn begin_life(&mut self) {
        self.life += 1;
        self.power = Power::Running;
        self.ending = None;
        self.must_be_durable = None;
        self.conns.clear();
        self.dialling.clear();
        self.current = None;
        self.tick = None;
        self.due = None;
        self.flushing = false;
        self.deferred.clear();
        self.state = ConnectionState::Offline;
        self.untrue_since = None;
        self.lifeless = None;
        self.asked_for = None;
        self.refused.clear();
        self.disk.fail_reading(None);
    }

    /// Time that it was awake, up to now.
    pub fn awake(&self, now: Tick) -> Duration {
        let asleep = match self.power {
            Power::Asleep => now.since(self.asleep_since),
            Power::Running | Power::Off => Duration::ZERO,
        };
        now.since(Tick(0)).saturating_sub(self.slept + asleep)
    }

    /// In which phase a fault would strike it.
    pub fn phase(&self) -> Phase {
        match self.power {
            Power::Running => Phase::of(&self.state),
            Power::Asleep | Power::Off => Phase::Away,
        }
    }
}

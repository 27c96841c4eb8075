//! The network between the two namespaces: one thread that moves packets from device to device, and a
//! handle that commands it.
//!
//! Each packet is judged twice: when it comes in, and again when its delay is over. So from the moment
//! that a command returns nothing passes that it forbids, packets under way included. Order within a
//! direction is kept, also when the delay changes.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::packet::{self, Flow, Segment};
use crate::sys;

/// Which packets a silence swallows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Those that the client sends.
    ToServer,
    /// Those that the server sends.
    ToClient,
    /// All.
    Both,
}

impl Direction {
    fn covers(self, to_server: bool) -> bool {
        match self {
            Direction::ToServer => to_server,
            Direction::ToClient => !to_server,
            Direction::Both => true,
        }
    }
}

/// What came to the relay from one side since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// All packets sent, whether delivered or not.
    pub packets: u64,
    /// Their length in bytes, IP headers included.
    pub bytes: u64,
    /// TCP segments that carry data: what a count of round trips looks at.
    pub data_segments: u64,
    /// TCP payload in bytes, retransmissions included.
    pub payload: u64,
    /// Segments with SYN: connection attempts towards the server, answers towards the client.
    pub handshakes: u64,
    /// Packets that were not delivered.
    pub dropped: u64,
}

/// The traffic of both directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// What the client sent.
    pub to_server: Traffic,
    /// What the server sent.
    pub to_client: Traffic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Alive,
    /// Only the client's packets arrive.
    Mute,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Silent,
    SilentUntil(Instant),
}

impl Gate {
    fn is_silent(self, now: Instant) -> bool {
        match self {
            Gate::Open => false,
            Gate::Silent => true,
            Gate::SilentUntil(end) => now < end,
        }
    }
}

struct State {
    delay: Duration,
    to_server: Gate,
    to_client: Gate,
    flows: BTreeMap<Flow, Fate>,
    loss: Loss,
    counters: Counters,
}

impl State {
    fn new() -> Self {
        Self {
            delay: Duration::ZERO,
            to_server: Gate::Open,
            to_client: Gate::Open,
            flows: BTreeMap::new(),
            loss: Loss::none(),
            counters: Counters::default(),
        }
    }

    fn traffic(&mut self, to_server: bool) -> &mut Traffic {
        if to_server {
            &mut self.counters.to_server
        } else {
            &mut self.counters.to_client
        }
    }

    fn count(&mut self, packet: &[u8], segment: Option<Segment>, to_server: bool) {
        let traffic = self.traffic(to_server);
        traffic.packets += 1;
        traffic.bytes += packet.len() as u64;
        if let Some(segment) = segment {
            traffic.payload += segment.payload;
            traffic.data_segments += u64::from(segment.payload > 0);
            traffic.handshakes += u64::from(segment.syn);
        }
    }

    fn passes(&self, flow: Option<Flow>, to_server: bool, now: Instant) -> bool {
        let gate = if to_server { self.to_server } else { self.to_client };
        let fate = flow
            .and_then(|flow| self.flows.get(&flow))
            .copied()
            .unwrap_or(Fate::Alive);
        !gate.is_silent(now)
            && match fate {
                Fate::Alive => true,
                Fate::Mute => to_server,
                Fate::Dead => false,
            }
    }

    fn condemn(&mut self, fate: Fate) -> usize {
        let mut changed = 0;
        for known in self.flows.values_mut().filter(|known| **known != Fate::Dead) {
            *known = fate;
            changed += 1;
        }
        changed
    }
}

/// Loses packets at random, the same ones for the same seed and the same packets (splitmix64).
struct Loss {
    /// Of 2^32.
    threshold: u64,
    state: u64,
}

impl Loss {
    fn none() -> Self {
        Self {
            threshold: 0,
            state: 0,
        }
    }

    fn new(rate: f64, seed: u64) -> Self {
        // A float to integer cast saturates; a rate that is no number loses nothing.
        Self {
            threshold: (rate.clamp(0.0, 1.0) * 4_294_967_296.0) as u64,
            state: seed,
        }
    }

    fn strikes(&mut self) -> bool {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 32) < self.threshold
    }
}

/// Commands the network. Every command is in force when it returns.
#[derive(Clone)]
pub struct Relay {
    state: Arc<Mutex<State>>,
}

impl Relay {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Packets take this long from one side to the other: half a round trip. At first none.
    pub fn delay(&self, one_way: Duration) {
        self.state().delay = one_way;
    }

    /// Drops every packet of a direction without a sign, until it is opened again. The other direction
    /// stays as it is.
    pub fn silence(&self, direction: Direction) {
        self.set_gates(direction, Gate::Silent);
    }

    /// Ends all silence. Dead and mute flows stay what they are.
    pub fn open(&self) {
        self.set_gates(Direction::Both, Gate::Open);
    }

    /// Keeps both directions silent for this long, then opens them.
    pub fn open_after(&self, delay: Duration) {
        self.set_gates(Direction::Both, Gate::SilentUntil(Instant::now() + delay));
    }

    fn set_gates(&self, direction: Direction, gate: Gate) {
        let mut state = self.state();
        if direction.covers(true) {
            state.to_server = gate;
        }
        if direction.covers(false) {
            state.to_client = gate;
        }
    }

    /// Every TCP flow seen so far is dead for good in both directions, as after a change of address or
    /// a NAT that forgot. New flows pass. Returns how many died.
    pub fn kill_flows(&self) -> usize {
        self.state().condemn(Fate::Dead)
    }

    /// Of every TCP flow seen so far only the client's packets still arrive: alive, and mute. New flows
    /// pass. Returns how many fell mute.
    pub fn mute_flows(&self) -> usize {
        self.state().condemn(Fate::Mute)
    }

    /// Gives mute flows their voice back. Dead ones stay dead.
    pub fn unmute_flows(&self) -> usize {
        self.state().condemn(Fate::Alive)
    }

    /// Loses this part of all packets (0.0 to 1.0) of both directions at random.
    pub fn loss(&self, rate: f64, seed: u64) {
        self.state().loss = Loss::new(rate, seed);
    }

    /// What has been sent so far.
    pub fn counters(&self) -> Counters {
        self.state().counters
    }

    /// The TCP flows seen so far, dead ones included.
    pub fn flows(&self) -> Vec<Flow> {
        self.state().flows.keys().copied().collect()
    }

    fn take_in(&self, packet: &[u8], to_server: bool, now: Instant) -> Option<(Duration, Option<Flow>)> {
        let segment = packet::parse(packet, to_server);
        let flow = segment.map(|segment| segment.flow);
        let mut state = self.state();
        state.count(packet, segment, to_server);
        if let Some(flow) = flow {
            state.flows.entry(flow).or_insert(Fate::Alive);
        }
        if state.passes(flow, to_server, now) && !state.loss.strikes() {
            return Some((state.delay, flow));
        }
        state.traffic(to_server).dropped += 1;
        None
    }

    fn may_leave(&self, flow: Option<Flow>, to_server: bool, now: Instant) -> bool {
        let mut state = self.state();
        let passes = state.passes(flow, to_server, now);
        if !passes {
            state.traffic(to_server).dropped += 1;
        }
        passes
    }
}

struct Travelling {
    due: Instant,
    flow: Option<Flow>,
    packet: Vec<u8>,
}

/// One direction of the relay.
struct Lane {
    to_server: bool,
    from: File,
    to: File,
    queue: VecDeque<Travelling>,
}

impl Lane {
    /// Takes in all packets that wait at the device.
    fn read(&mut self, relay: &Relay, buffer: &mut [u8]) {
        // WouldBlock: no more for now. EIO: the interface is down and nothing can come.
        while let Ok(length @ 1..) = self.from.read(buffer) {
            let Some(packet) = buffer.get(..length) else {
                return;
            };
            let now = Instant::now();
            if let Some((delay, flow)) = relay.take_in(packet, self.to_server, now) {
                let due = (now + delay).max(self.queue.back().map_or(now, |last| last.due));
                self.queue.push_back(Travelling {
                    due,
                    flow,
                    packet: packet.to_vec(),
                });
            }
        }
    }

    /// Hands over the packets that have travelled long enough. Returns when the next one has.
    fn deliver(&mut self, relay: &Relay) -> Option<Instant> {
        let now = Instant::now();
        while self.queue.front().is_some_and(|next| next.due <= now) {
            let Some(arrived) = self.queue.pop_front() else {
                break;
            };
            if relay.may_leave(arrived.flow, self.to_server, now) {
                // An interface that is down takes nothing: the packet is lost, as on a real one.
                let _ = self.to.write(&arrived.packet);
            }
        }
        self.queue.front().map(|next| next.due)
    }
}

/// Owns the thread and ends it when dropped.
pub(crate) struct RelayThread {
    handle: Relay,
    stop: Option<io::PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl RelayThread {
    pub(crate) fn start(client: File, server: File) -> io::Result<Self> {
        let handle = Relay {
            state: Arc::new(Mutex::new(State::new())),
        };
        let (stopped, stop) = io::pipe()?;
        let lane = |to_server, from, to| Lane {
            to_server,
            from,
            to,
            queue: VecDeque::new(),
        };
        let up = lane(true, client.try_clone()?, server.try_clone()?);
        let down = lane(false, server, client);
        let relay = handle.clone();
        let thread = std::thread::Builder::new()
            .name("relay".into())
            .spawn(move || run(&relay, up, down, &stopped))?;
        Ok(Self {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(crate) fn handle(&self) -> &Relay {
        &self.handle
    }
}

impl Drop for RelayThread {
    fn drop(&mut self) {
        // The thread sees the end of the pipe.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(relay: &Relay, mut up: Lane, mut down: Lane, stopped: &io::PipeReader) {
    let mut buffer = vec![0; 65_536];
    loop {
        let next = [up.deliver(relay), down.deliver(relay)]
            .into_iter()
            .flatten()
            .min();
        let timeout = next.map(|due| due.saturating_duration_since(Instant::now()));
        let files = [up.from.as_fd(), down.from.as_fd(), stopped.as_fd()];
        match sys::wait_readable(files, timeout) {
            Ok([_, _, true]) | Err(_) => return,
            Ok([from_client, from_server, false]) => {
                if from_client {
                    up.read(relay, &mut buffer);
                }
                if from_server {
                    down.read(relay, &mut buffer);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_loses_the_same_packets_at_about_the_rate() {
        let lost = |seed| {
            let mut loss = Loss::new(0.25, seed);
            (0..4_000).map(|_| loss.strikes()).collect::<Vec<_>>()
        };
        assert_eq!(lost(7), lost(7));
        assert_ne!(lost(7), lost(8));
        let count = lost(7).into_iter().filter(|lost| *lost).count();
        assert!((850..1_150).contains(&count), "{count} of 4000");
    }

    #[test]
    fn a_rate_of_one_loses_all_and_of_none_nothing() {
        let (mut all, mut none) = (Loss::new(1.0, 3), Loss::new(0.0, 3));
        assert!((0..1_000).all(|_| all.strikes()));
        assert!(!(0..1_000).any(|_| none.strikes()));
    }

    #[test]
    fn a_dead_flow_stays_dead_whatever_comes_later() {
        let flow = Flow {
            client: "10.77.0.2:1".parse().unwrap(),
            server: "10.77.0.1:2".parse().unwrap(),
        };
        let mut state = State::new();
        state.flows.insert(flow, Fate::Alive);
        let now = Instant::now();
        assert_eq!(state.condemn(Fate::Mute), 1);
        assert!(state.passes(Some(flow), true, now));
        assert!(!state.passes(Some(flow), false, now));
        assert_eq!(state.condemn(Fate::Dead), 1);
        assert_eq!(state.condemn(Fate::Alive), 0);
        assert!(!state.passes(Some(flow), true, now));
        assert!(state.passes(None, true, now));
    }

    #[test]
    fn a_late_opening_is_silent_until_its_time() {
        let now = Instant::now();
        let gate = Gate::SilentUntil(now + Duration::from_secs(4));
        assert!(gate.is_silent(now + Duration::from_secs(3)));
        assert!(!gate.is_silent(now + Duration::from_secs(4)));
    }
}

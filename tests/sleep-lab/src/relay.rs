//! The network between the two namespaces: one thread that moves packets from device to device, and a
//! handle that commands it.
//!
//! Each packet is judged twice: when it comes in, and again when its delay is over. So from the moment
//! that a command returns nothing passes that it forbids, packets under way included. Order within a
//! direction is kept, also when the delay changes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::fate::{Counters, Direction, Fate, Gate, Loss, State};
use crate::packet::{self, Flow};
use crate::round_trips::Depth;
use crate::sys;

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

    /// Counts round trips anew from here.
    pub fn count_round_trips(&self) {
        self.state().round_trips.count_anew();
    }

    /// The round trips that have had to come one after another on one flow since, on the flow that has the most. A
    /// packet counts when it carries payload or opens the connection, and when it has arrived.
    pub fn round_trips(&self) -> u32 {
        self.state().round_trips.most()
    }

    /// A packet comes in: how long it travels, and as what.
    fn take_in(&self, packet: &[u8], to_server: bool, now: Instant) -> Option<(Duration, Travel)> {
        let segment = packet::parse(packet, to_server);
        let flow = segment.map(|segment| segment.flow);
        let mut state = self.state();
        state.count(packet, segment, to_server);
        if let Some(flow) = flow {
            state.flows.entry(flow).or_insert(Fate::Alive);
        }
        if state.passes(flow, to_server, now) && !state.loss.strikes() {
            let carrying = segment.filter(packet::Segment::carries);
            let depth = carrying.map(|segment| state.round_trips.sent(segment.flow, to_server));
            return Some((state.delay, Travel { flow, depth }));
        }
        state.traffic(to_server).dropped += 1;
        None
    }

    fn may_leave(&self, travel: Travel, to_server: bool, now: Instant) -> bool {
        let mut state = self.state();
        let passes = state.passes(travel.flow, to_server, now);
        if let (true, Some(flow), Some(depth)) = (passes, travel.flow, travel.depth) {
            state.round_trips.arrived(flow, to_server, depth);
        }
        if !passes {
            state.traffic(to_server).dropped += 1;
        }
        passes
    }
}

/// Which flow a packet belongs to, and how deep in its conversation it stands.
#[derive(Debug, Clone, Copy)]
struct Travel {
    flow: Option<Flow>,
    depth: Option<Depth>,
}

struct Travelling {
    due: Instant,
    travel: Travel,
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
            if let Some((delay, travel)) = relay.take_in(packet, self.to_server, now) {
                let due = (now + delay).max(self.queue.back().map_or(now, |last| last.due));
                self.queue.push_back(Travelling {
                    due,
                    travel,
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
            if relay.may_leave(arrived.travel, self.to_server, now) {
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

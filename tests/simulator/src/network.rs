//! The network: connections that delay, stall, lose and break.
//!
//! A connection is two ways, each in order. What is under way when a way dies is lost, as with TCP: the other
//! end either learns of it or not. A stalled way keeps what is sent into it and delivers it if it recovers, as
//! TCP does with its retransmissions.

use crate::server::LineId;
use dormouse_model::{Closing, ConnId, Random, Tick};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What travels.
#[derive(Debug, Clone)]
pub enum Parcel {
    /// A frame.
    Frame(String),
    /// The end of the connection.
    End(Closing),
}

/// The two ways of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What a way does with what is sent into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Delivers.
    Open,
    /// Keeps it for later.
    Stalled,
    /// Loses it.
    Dead,
}

#[derive(Debug)]
struct Lane {
    flow: Flow,
    last: Tick,
    held: VecDeque<Parcel>,
}

impl Lane {
    fn new() -> Self {
        Self {
            flow: Flow::Open,
            last: Tick(0),
            held: VecDeque::new(),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub struct Line {
    /// Whose.
    pub client: usize,
    /// In which life of its process.
    pub life: u64,
    /// What the client calls it.
    pub conn: ConnId,
    /// The client still holds its end.
    pub held_by_client: bool,
    /// The server still holds its end.
    pub held_by_server: bool,
    /// Frames that the client was sent.
    pub sent: u64,
    /// Those it has read.
    pub read: u64,
    /// Those that a resumed session had held for it are the first so many.
    pub backlog: u64,
    /// Until then what the server says waits, whatever else opens: its retransmission has not come round yet.
    pub mute_until: Tick,
    latency: Duration,
    up: Lane,
    down: Lane,
}

impl Line {
    fn lane(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    /// Whether what is asked on it can be answered.
    pub fn lives(&self) -> bool {
        self.held_by_client
            && self.held_by_server
            && self.up.flow == Flow::Open
            && self.down.flow == Flow::Open
    }
}

/// All connections that anybody still holds.
#[derive(Debug, Default)]
pub struct Network {
    lines: BTreeMap<LineId, Line>,
    next: LineId,
}

impl Network {
    /// A new connection.
    pub fn open(&mut self, client: usize, life: u64, conn: ConnId, latency: Duration) -> LineId {
        let id = self.next;
        self.next += 1;
        let line = Line {
            client,
            life,
            conn,
            held_by_client: true,
            held_by_server: true,
            sent: 0,
            read: 0,
            backlog: 0,
            mute_until: Tick(0),
            latency,
            up: Lane::new(),
            down: Lane::new(),
        };
        self.lines.insert(id, line);
        id
    }

    /// A connection.
    pub fn line(&mut self, id: LineId) -> Option<&mut Line> {
        self.lines.get_mut(&id)
    }

    /// The connections of a client, in the order opened.
    pub fn of_client(&self, client: usize) -> Vec<LineId> {
        self.lines
            .iter()
            .filter(|(_, line)| line.client == client)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Whether a client has a connection on which questions are answered.
    pub fn any_lives(&self, client: usize) -> bool {
        self.lines
            .values()
            .any(|line| line.client == client && line.lives())
    }

    /// When something sent now arrives; none if it is lost at once.
    pub fn send(&mut self, now: Tick, id: LineId, way: Way, random: &mut Random) -> Option<Tick> {
        let line = self.lines.get_mut(&id)?;
        let latency = line.latency + random.up_to(line.latency / 4);
        let lane = line.lane(way);
        if lane.flow == Flow::Dead {
            return None;
        }
        lane.last = lane.last.max(now + latency);
        Some(lane.last)
    }

    /// Something arrives: it is handed over, kept, or lost. What a client or server does not hold any more it
    /// does not read.
    pub fn arrive(&mut self, id: LineId, way: Way, parcel: Parcel) -> Option<Parcel> {
        let line = self.lines.get_mut(&id)?;
        let lane = line.lane(way);
        match lane.flow {
            Flow::Dead => None,
            Flow::Stalled => {
                lane.held.push_back(parcel);
                None
            }
            Flow::Open => Some(parcel),
        }
    }

    /// Changes what a way does. What it kept comes back if it opens, and is lost if it dies.
    pub fn set(&mut self, id: LineId, way: Way, flow: Flow) -> Vec<Parcel> {
        let Some(line) = self.lines.get_mut(&id) else {
            return Vec::new();
        };
        let lane = line.lane(way);
        if lane.flow == Flow::Dead {
            return Vec::new(); // Nothing revives a connection.
        }
        lane.flow = flow;
        match flow {
            Flow::Open => std::mem::take(&mut lane.held).into(),
            Flow::Dead => {
                lane.held.clear();
                Vec::new()
            }
            Flow::Stalled => Vec::new(),
        }
    }

    /// What a way does.
    pub fn flow(&self, id: LineId, way: Way) -> Flow {
        match (self.lines.get(&id), way) {
            (None, _) => Flow::Dead,
            (Some(line), Way::Up) => line.up.flow,
            (Some(line), Way::Down) => line.down.flow,
        }
    }

    /// A connection's latency from now on.
    pub fn slow(&mut self, id: LineId, latency: Duration) {
        if let Some(line) = self.lines.get_mut(&id) {
            line.latency = latency;
        }
    }

    /// Forgets what nobody holds.
    pub fn tidy(&mut self, id: LineId) {
        if self
            .lines
            .get(&id)
            .is_some_and(|line| !line.held_by_client && !line.held_by_server)
        {
            self.lines.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_arrives_in_order_whatever_the_delays() {
        let mut network = Network::default();
        let mut random = Random::from_seed([5; 32]);
        let line = network.open(0, 0, ConnId(1), Duration::from_millis(80));
        let arrivals: Vec<Tick> = (0..50)
            .filter_map(|now| network.send(Tick(now), line, Way::Up, &mut random))
            .collect();
        assert_eq!(arrivals.len(), 50);
        assert!(arrivals.is_sorted());
    }

    #[test]
    fn a_stalled_way_delivers_later_and_a_dead_one_never() {
        let mut network = Network::default();
        let line = network.open(0, 0, ConnId(1), Duration::from_millis(80));
        let parcel = || Parcel::Frame("x".into());
        network.set(line, Way::Down, Flow::Stalled);
        assert!(network.arrive(line, Way::Down, parcel()).is_none());
        assert_eq!(network.set(line, Way::Down, Flow::Open).len(), 1);
        assert!(network.arrive(line, Way::Down, parcel()).is_some());
        network.set(line, Way::Down, Flow::Dead);
        assert!(network.arrive(line, Way::Down, parcel()).is_none());
        network.set(line, Way::Down, Flow::Open);
        assert_eq!(network.flow(line, Way::Down), Flow::Dead);
    }
}

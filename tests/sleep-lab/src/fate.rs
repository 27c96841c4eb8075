//! What the network does to a packet, without any IO: gates that fall silent, flows that die or fall mute,
//! losses, and the count of it all.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::packet::{Flow, Segment};
use crate::round_trips::RoundTrips;

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
    pub(crate) fn covers(self, to_server: bool) -> bool {
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
pub(crate) enum Fate {
    Alive,
    /// Only the client's packets arrive.
    Mute,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
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

pub(crate) struct State {
    pub(crate) delay: Duration,
    pub(crate) to_server: Gate,
    pub(crate) to_client: Gate,
    pub(crate) flows: BTreeMap<Flow, Fate>,
    pub(crate) loss: Loss,
    pub(crate) counters: Counters,
    pub(crate) round_trips: RoundTrips,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            delay: Duration::ZERO,
            to_server: Gate::Open,
            to_client: Gate::Open,
            flows: BTreeMap::new(),
            loss: Loss::none(),
            counters: Counters::default(),
            round_trips: RoundTrips::default(),
        }
    }

    pub(crate) fn traffic(&mut self, to_server: bool) -> &mut Traffic {
        if to_server {
            &mut self.counters.to_server
        } else {
            &mut self.counters.to_client
        }
    }

    pub(crate) fn count(&mut self, packet: &[u8], segment: Option<Segment>, to_server: bool) {
        let traffic = self.traffic(to_server);
        traffic.packets += 1;
        traffic.bytes += packet.len() as u64;
        if let Some(segment) = segment {
            traffic.payload += segment.payload;
            traffic.data_segments += u64::from(segment.payload > 0);
            traffic.handshakes += u64::from(segment.syn);
        }
    }

    pub(crate) fn passes(&self, flow: Option<Flow>, to_server: bool, now: Instant) -> bool {
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

    pub(crate) fn condemn(&mut self, fate: Fate) -> usize {
        let mut changed = 0;
        for known in self.flows.values_mut().filter(|known| **known != Fate::Dead) {
            *known = fate;
            changed += 1;
        }
        changed
    }
}

/// Loses packets at random, the same ones for the same seed and the same packets (splitmix64).
pub(crate) struct Loss {
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

    pub(crate) fn new(rate: f64, seed: u64) -> Self {
        // A float to integer cast saturates; a rate that is no number loses nothing.
        Self {
            threshold: (rate.clamp(0.0, 1.0) * 4_294_967_296.0) as u64,
            state: seed,
        }
    }

    pub(crate) fn strikes(&mut self) -> bool {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 32) < self.threshold
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

//! How many round trips a flow took, counted on the wire.
//!
//! A packet that carries something (payload, or a SYN) is one step of a conversation. What the client says rests on what has
//! *arrived* of the server's words by then; what the server says rests on what has arrived of the client's, and is
//! one round trip deeper. So each such packet has a depth, and the deepest of the server's packets that has
//! reached the client is the number of round trips that had to come one after another: a TCP handshake is 1, TLS 1.3
//! 2, the answer to an upgrade 3. Packets that only acknowledge don't count: where a server waits for one of those
//! before it goes on (Nagle's algorithm), time passes and no depth is gained.

use std::collections::BTreeMap;

use crate::packet::Flow;

/// The depth of a packet, and when counting began: what was under way before counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth {
    epoch: u32,
    trips: u32,
}

/// What each end has heard.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    client: u32,
    server: u32,
}

/// The count of all flows.
#[derive(Debug, Default)]
pub(crate) struct RoundTrips {
    epoch: u32,
    flows: BTreeMap<Flow, Heard>,
}

impl RoundTrips {
    /// Begins again at none.
    pub(crate) fn count_anew(&mut self) {
        self.epoch += 1;
        self.flows.clear();
    }

    /// A packet that carries something is sent.
    pub(crate) fn sent(&mut self, flow: Flow, to_server: bool) -> Depth {
        let heard = self.flows.entry(flow).or_default();
        let trips = if to_server { heard.client } else { heard.server + 1 };
        Depth {
            epoch: self.epoch,
            trips,
        }
    }

    /// It has arrived.
    pub(crate) fn arrived(&mut self, flow: Flow, to_server: bool, depth: Depth) {
        if depth.epoch != self.epoch {
            return;
        }
        let heard = self.flows.entry(flow).or_default();
        let end = if to_server {
            &mut heard.server
        } else {
            &mut heard.client
        };
        *end = (*end).max(depth.trips);
    }

    /// The deepest flow's.
    pub(crate) fn most(&self) -> u32 {
        self.flows.values().map(|heard| heard.client).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow {
            client: "10.77.0.2:1".parse().unwrap(),
            server: "10.77.0.1:2".parse().unwrap(),
        }
    }

    #[test]
    fn a_question_and_its_answer_are_one_however_many_packets_they_are() {
        let mut trips = RoundTrips::default();
        for expected in 1..=3 {
            let questions = [trips.sent(flow(), true), trips.sent(flow(), true)];
            questions
                .into_iter()
                .for_each(|it| trips.arrived(flow(), true, it));
            let answers = [trips.sent(flow(), false), trips.sent(flow(), false)];
            assert_eq!(trips.most(), expected - 1, "not there yet");
            answers
                .into_iter()
                .for_each(|it| trips.arrived(flow(), false, it));
            assert_eq!(trips.most(), expected);
        }
    }

    #[test]
    fn two_that_speak_at_once_take_no_turns() {
        let mut trips = RoundTrips::default();
        for _ in 0..5 {
            let said = trips.sent(flow(), true);
            let told = trips.sent(flow(), false);
            trips.arrived(flow(), true, said);
            trips.arrived(flow(), false, told);
        }
        // Each time rests on what the other said the time before: there and back is two of them.
        assert_eq!(trips.most(), 3);
        let mut trips = RoundTrips::default();
        let all: Vec<Depth> = (0..5).map(|_| trips.sent(flow(), false)).collect();
        trips.sent(flow(), true);
        all.into_iter().for_each(|it| trips.arrived(flow(), false, it));
        assert_eq!(
            trips.most(),
            1,
            "a stream that nobody has to answer is half a round trip"
        );
    }

    #[test]
    fn what_was_under_way_before_counts_for_nothing() {
        let mut trips = RoundTrips::default();
        let old = trips.sent(flow(), false);
        trips.count_anew();
        trips.arrived(flow(), false, old);
        assert_eq!(trips.most(), 0);
    }
}

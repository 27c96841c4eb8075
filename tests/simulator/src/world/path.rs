//! The path between a client and the server: it breaks, lets nothing through, is slow, is there again.

use super::{Event, World};
use crate::client::Power;
use crate::network::{Flow, Way};
use crate::server::LineId;
use dormouse_account::Input;
use dormouse_model::Closing;
use std::time::Duration;

impl World {
    /// A connection breaks, and both ends learn of it.
    pub(super) fn reset(&mut self, line: LineId) {
        self.network.set(line, Way::Up, Flow::Dead);
        let soon = self.some(1, 100);
        self.after(soon, Event::ServerNotices(line));
        self.breaks(line);
    }

    /// The client's end of a connection breaks.
    pub(super) fn breaks(&mut self, id: LineId) {
        self.network.set(id, Way::Down, Flow::Dead);
        let Some(line) = self.network.line(id) else { return };
        let (client, life, conn) = (line.client, line.life, line.conn);
        let input = Input::Closed {
            conn,
            closing: Closing::Broken("connection reset".into()),
        };
        self.after(Duration::from_millis(1), Event::Told { client, life, input });
        self.watch_truth(client);
    }

    /// Nothing gets through for a while; what does not survive it is dead.
    pub(super) fn cut_off(&mut self, number: usize, survives: bool) {
        let flow = if survives { Flow::Stalled } else { Flow::Dead };
        for line in self.network.of_client(number) {
            for way in [Way::Up, Way::Down] {
                self.network.set(line, way, flow);
            }
            if !survives {
                self.server_notices_late(line);
            }
        }
    }

    /// The network of a client is there again.
    pub(super) fn network_back(&mut self, number: usize, seen: bool, survives: bool) {
        if self.calm && self.now > self.end {
            return; // Everything is back already.
        }
        let client = &self.clients[number];
        if self.now < client.network_down_until {
            let until = client.network_down_until;
            return self.at(
                until,
                Event::NetworkBack {
                    client: number,
                    seen,
                    survives,
                },
            );
        }
        for line in self.network.of_client(number) {
            for way in [Way::Up, Way::Down] {
                self.unstall(line, way);
            }
        }
        if seen {
            let life = self.clients[number].life;
            let input = Input::Network {
                up: true,
                route_lost: !survives,
            };
            self.after(
                Duration::ZERO,
                Event::Told {
                    client: number,
                    life,
                    input,
                },
            );
        }
    }

    /// What was kept arrives, if the way is open again.
    pub(super) fn unstall(&mut self, id: LineId, way: Way) {
        let Some(line) = self.network.line(id) else { return };
        let client = line.client;
        let is_mute = way == Way::Down && self.now < line.mute_until;
        let machine = &self.clients[client];
        let shut = is_mute || self.now < machine.network_down_until || machine.power == Power::Asleep;
        if shut || self.network.flow(id, way) != Flow::Stalled {
            return;
        }
        let kept = self.network.set(id, way, Flow::Open);
        // It is seen to live before anybody reads what it says.
        self.watch_truth(client);
        for parcel in kept {
            self.hand_over(id, way, parcel);
        }
    }

    /// The path is as fast again as it was.
    pub(super) fn fast(&mut self, number: usize) {
        let Some(latency) = self.clients[number].fast.take() else {
            return;
        };
        self.clients[number].latency = latency;
        for line in self.network.of_client(number) {
            self.network.slow(line, latency);
        }
    }
}

//! A client's sockets: dialled, given up, gone with their process.

use super::{Event, Sabotage, World};
use crate::client::Power;
use crate::network::{Flow, Parcel, Way};
use crate::server::LineId;
use dormouse_account::Input;
use dormouse_model::{Channel, Closing, ConnId, DialFailure, DialStep, Endpoint, Network};
use std::time::Duration;

impl World {
    /// All sockets of a process are gone; the server learns of it if the way is open.
    pub(super) fn drop_sockets(&mut self, number: usize) {
        let conns: Vec<ConnId> = self.clients[number].conns.keys().copied().collect();
        for conn in conns {
            self.hang_up(number, conn);
        }
        self.clients[number].dialling.clear();
    }

    pub(super) fn hang_up(&mut self, number: usize, conn: ConnId) {
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

    pub(super) fn dial(&mut self, number: usize, conn: ConnId) {
        let client = &mut self.clients[number];
        client.dialling.insert(conn);
        let (life, latency) = (client.life, client.latency);
        let hopeless = self.now < client.network_down_until;
        if hopeless && self.random.below(12) == 0 {
            return; // And some systems never say anything.
        }
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
                network: Network::default(),
            },
        );
    }
}

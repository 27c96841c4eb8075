//! What travels between clients and server: it arrives, is held while a machine sleeps, comes to its end.

use super::{Event, World};
use crate::client::Power;
use crate::network::{Flow, Parcel, Way};
use crate::server::{LineId, Said};
use dormouse_account::Input;

impl World {
    pub(super) fn arrive(&mut self, id: LineId, way: Way, parcel: Parcel) {
        let Some(parcel) = self.network.arrive(id, way, parcel) else {
            return;
        };
        self.hand_over(id, way, parcel);
    }

    /// Something has reached its end of a connection.
    pub(super) fn hand_over(&mut self, id: LineId, way: Way, parcel: Parcel) {
        let Some(line) = self.network.line(id) else { return };
        let (client, life, conn) = (line.client, line.life, line.conn);
        match (way, parcel) {
            (Way::Up, Parcel::Frame(text)) => {
                // What was on its way when its sender gave the connection up may be out of date by now.
                let given_up = !line.held_by_client;
                // Its answer may come, however late.
                if self.network.flow(id, Way::Down) != Flow::Dead {
                    let lifeless = &mut self.clients[client].lifeless;
                    lifeless.take_if(|asked| asked.contains(&text));
                }
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
                let reads_on = self.clients[client].reads_on;
                if self.clients[client].power == Power::Asleep {
                    self.clients[client]
                        .deferred
                        .push(Event::Told { client, life, input });
                } else if self.now <= reads_on {
                    self.at(reads_on, Event::Told { client, life, input });
                } else {
                    self.feed(client, input);
                }
            }
        }
    }

    /// The server's end of a connection is over.
    pub(super) fn server_notices(&mut self, id: LineId) {
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
    pub(super) fn say(&mut self, said: Vec<Said>) {
        for said in said {
            let (line, parcel) = match said {
                Said::Frame(id, text) => {
                    if let Some(line) = self.network.line(id) {
                        line.sent += 1;
                    }
                    (id, Parcel::Frame(text))
                }
                Said::Held(id) => {
                    if let Some(line) = self.network.line(id) {
                        line.backlog = line.sent;
                    }
                    continue;
                }
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
}

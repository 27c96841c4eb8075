//! What the windows are told, and whether what they say of the connection is true.

use super::{Event, Sabotage, World};
use crate::client::Power;
use crate::fault::Phase;
use dormouse_model::{Cause, Change, ConnectionState, MessageId};

impl World {
    pub(super) fn changed(&mut self, number: usize, change: Change) {
        if let Some(heard) = &mut self.heard {
            heard.push((number, self.now, change.clone()));
        }
        let client = &mut self.clients[number];
        match change {
            Change::Connection(connection) => {
                if let Cause::ProtocolViolation(what) = &connection.cause {
                    // The model server keeps to the protocol, so who says otherwise is wrong.
                    let what = format!("says of the server that {what}");
                    self.checker.found(self.now, &client.name, what);
                }
                let phase = Phase::of(&connection.state);
                if phase == Phase::Live && client.lifeless.is_some() {
                    let what = "is live by an answer from before the sleep";
                    self.checker.found(self.now, &client.name, what.into());
                }
                let line = client.current.and_then(|conn| client.conns.get(&conn).copied());
                if phase == Phase::Live
                    && let Some(line) = line.and_then(|id| self.network.line(id))
                    && line.read < line.backlog
                {
                    let what = format!(
                        "is live, and {} of what the server held for it is still to come",
                        line.backlog - line.read
                    );
                    self.checker.found(self.now, &client.name, what);
                }
                client.state = connection.state;
                client.since = self.now;
                self.trace
                    .note(self.now, &client.name, "is", connection.state.name());
                let waiting = client.armed.iter().position(|(wanted, _)| *wanted == phase);
                if let Some(place) = waiting.filter(|_| !self.calm) {
                    let (_, fault) = client.armed.swap_remove(place);
                    let latency = u64::try_from(client.latency.as_millis()).unwrap_or(1);
                    let soon = self.some(0, latency * if phase == Phase::Waiting { 10 } else { 2 });
                    self.after(
                        soon,
                        Event::Strike {
                            client: number,
                            fault,
                        },
                    );
                }
            }
            Change::Message(message) => {
                if self.sabotage == Some(Sabotage::ShownTwice) && message.delivery().is_none() {
                    let mut twin = message.clone();
                    twin.id = MessageId(message.id.0 + 1_000_000);
                    client.view.insert(twin.id, *twin);
                }
                self.checker.shown(self.now, client, &message, &self.server);
                client.view.insert(message.id, *message);
            }
            Change::Removed { id, .. } => {
                client.view.remove(&id);
            }
            Change::Contact(contact) if !self.known.contains(&contact.address) => {
                let what = format!("shows a contact that nobody added: {}", contact.address);
                self.checker.found(self.now, &client.name, what);
            }
            // Nobody blocks anybody here.
            Change::Blocked {
                address,
                blocked: true,
            } => {
                let what = format!("shows as blocked whom nobody blocked: {address}");
                self.checker.found(self.now, &client.name, what);
            }
            Change::Conversation(it) if it.is_nothing() => {
                client.list.remove(&it.with);
            }
            Change::Conversation(it) => {
                self.checker.list_shown(self.now, client, &it, &self.server);
                client.list.insert(it.with.clone(), *it);
            }
            _ => {}
        }
    }

    /// "Live" may be untrue for no longer than it takes to notice.
    pub(super) fn watch_truth(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let awake = client.awake(self.now);
        if let Some(since) = client.untrue_since {
            self.checker
                .live_untrue(self.now, &client.name, awake.saturating_sub(since));
        }
        let lives = self.network.any_lives(number);
        if lives {
            client.lifeless = None;
        }
        let claims = client.state == ConnectionState::Live && client.power != Power::Off;
        if claims && !lives {
            client.untrue_since.get_or_insert(awake);
        } else {
            client.untrue_since = None;
        }
    }
}

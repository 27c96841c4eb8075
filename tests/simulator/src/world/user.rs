//! What a user does: types, reads, looks away, quits, and ends the program the hard way.

use super::{Act, Event, World};
use crate::client::{Ending, Power};
use dormouse_account::{Command, Input};
use dormouse_model::ConnectionState;
use std::time::Duration;

impl World {
    /// A user does something.
    pub(super) fn act(&mut self, number: usize, act: Act) {
        let client = &self.clients[number];
        if client.power != Power::Running || client.ending.is_some() {
            return;
        }
        match act {
            Act::Type { to, repeat } => {
                let (name, account) = (client.name.clone(), client.account);
                let body = if repeat {
                    format!("ok from {account}")
                } else {
                    self.next_text[number] += 1;
                    format!("{name}-{}", self.next_text[number])
                };
                let tag = self.queue.order();
                self.tags.insert(tag, (to, body.clone()));
                let to = self.server.accounts[to].address.clone();
                self.feed(
                    number,
                    Input::Command(Command::Send {
                        to,
                        body,
                        tag: Some(tag),
                    }),
                );
                self.tags.remove(&tag);
            }
            Act::Command(command) => self.feed(number, Input::Command(command)),
            Act::Read(with) => {
                self.checker.read_by(client.account, with);
                let with = self.server.accounts[with].address.clone();
                self.feed(number, Input::Command(Command::Read(with)));
            }
            Act::Visible(visible) => self.feed(number, Input::Visible(visible)),
        }
    }

    pub(super) fn quit_over(&mut self, number: usize) {
        if let Some(Ending::Quit(length)) = self.clients[number].ending.take() {
            self.kill(number, length);
        }
    }

    /// The process is gone, whatever it was doing.
    pub(super) fn kill(&mut self, number: usize, until: Duration) {
        let name = self.clients[number].name.clone();
        self.note(&name, "is gone", "");
        let client = &mut self.clients[number];
        self.checker.window_agrees(self.now, client);
        self.checker.killed(number, client.life, client.disk.durable_to);
        client.power = Power::Off;
        client.disk.lose();
        client.core = None;
        client.ending = None;
        client.state = ConnectionState::Offline;
        client.untrue_since = None;
        let life = client.life;
        self.drop_sockets(number);
        self.after(until, Event::Launch { client: number, life });
    }
}

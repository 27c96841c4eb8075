//! What a user does: types, reads, looks away, quits, and ends the program the hard way.

use super::{Act, Event, World};
use crate::checker::Hand;
use crate::client::{Ending, Power};
use crate::server::Claim;
use dormouse_account::{Command, Input};
use dormouse_model::{BareJid, BatchId, ConnectionState, Content, Delivery, MessageId};
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
                self.types(number, to, body);
            }
            Act::Edit => {
                let Some(id) = self.checker.one_of(number, &mut self.random) else {
                    return;
                };
                if self.may_amend(number, id) {
                    self.next_text[number] += 1;
                    let text = format!("{}: {}", self.clients[number].name, self.next_text[number]);
                    let hand = self.hand(number);
                    self.checker.amended_by(hand, id, Some(text.clone()));
                    self.amend(hand, id, Command::Edit { id, body: text });
                }
            }
            Act::Retract => {
                let Some(id) = self.checker.one_of(number, &mut self.random) else {
                    return;
                };
                if self.may_amend(number, id) {
                    let hand = self.hand(number);
                    self.checker.amended_by(hand, id, None);
                    self.amend(hand, id, Command::Retract(id));
                }
            }
            Act::Retry | Act::Discard => {
                let failed = self.clients[number]
                    .view
                    .values()
                    .find(|message| matches!(message.delivery(), Some(Delivery::Failed(_))))
                    .map(|message| message.id);
                let Some(id) = failed else { return };
                if matches!(act, Act::Retry) {
                    return self.feed(number, Input::Command(Command::Retry(id)));
                }
                let hand = self.hand(number);
                self.feed(number, Input::Command(Command::Discard(id)));
                self.maybe_gone(hand, id);
            }
            Act::Command(command) => self.feed(number, Input::Command(command)),
            Act::Read(with) => {
                self.checker.read_by(client.account, with);
                let with = self.address_of(with);
                self.feed(number, Input::Command(Command::Read(with)));
            }
            Act::Visible(visible) => self.feed(number, Input::Visible(visible)),
        }
    }

    /// A text is typed to an account.
    pub(super) fn types(&mut self, number: usize, to: usize, body: String) {
        let tag = self.queue.order();
        self.tags.insert(tag, (to, body.clone()));
        let to = self.address_of(to);
        let tag = Some(tag);
        self.feed(number, Input::Command(Command::Send { to, body, tag }));
        self.tags.clear();
    }

    fn may_amend(&self, number: usize, id: MessageId) -> bool {
        self.clients[number].view.get(&id).is_some_and(|message| {
            matches!(message.content, Content::Text(_))
                && !matches!(message.delivery(), Some(Delivery::Failed(_)) | None)
        })
    }

    /// An author changes what a message says; the checker knows it before anybody can show it.
    fn amend(&mut self, hand: Hand, id: MessageId, command: Command) {
        self.unread = false;
        self.feed(hand.client, Input::Command(command));
        if self.unread {
            self.checker.not_amended(hand, id);
        } else {
            self.maybe_gone(hand, id);
        }
    }

    /// What its author does not see any more has been thrown away.
    fn maybe_gone(&mut self, hand: Hand, id: MessageId) {
        if !self.clients[hand.client].view.contains_key(&id) {
            self.checker.thrown_away_by(hand, id);
        }
    }

    /// By which hand a client would write now.
    pub(super) fn hand(&self, number: usize) -> Hand {
        let client = &self.clients[number];
        let batch = client
            .core
            .as_ref()
            .map_or(BatchId(0), dormouse_account::Account::next_batch);
        Hand {
            client: number,
            life: client.life,
            batch,
        }
    }

    /// The address of an account; the one after the last does not exist.
    fn address_of(&self, account: usize) -> BareJid {
        match self.server.accounts.get(account) {
            Some(account) => account.address.clone(),
            None => self.known[self.known.len() - 1].clone(),
        }
    }

    /// A friend with another client says something.
    pub(super) fn friend_says(&mut self, to: usize, number: u64) {
        if !self.server.up || self.calm {
            return;
        }
        let from = self.people;
        self.friend_said += 1;
        let body = format!("friend-{}", self.friend_said);
        self.note("frd", "says", &body);
        self.checker.typed_by(Hand::FOREIGN, from, to, body.clone(), None);
        let said = self
            .server
            .meanwhile(self.now, |server| server.said_by_friend(from, to, number, &body));
        self.say(said);
    }

    /// Somebody claims what they may not claim.
    pub(super) fn claimed(&mut self, account: usize, other: usize, claim: Claim) {
        if self.server.up && !self.calm {
            self.note("mal", "claims", &format!("{claim:?}"));
            let said = self
                .server
                .meanwhile(self.now, |server| server.claimed(account, other, claim));
            self.say(said);
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

//! What the user wishes, and whom it concerns.

use crate::account::{Account, End, Ending};
use crate::turn::Turn;
use crate::{Command, Output};
use dormouse_link::Input as LinkInput;
use dormouse_model::{CannotDo, Change, ChatState, Contact, Notice, Outgoing, ReadError};

impl Account {
    pub(crate) fn command(&mut self, turn: &mut Turn, command: Command) -> Result<(), ReadError> {
        let now = turn.now;
        match command {
            Command::Send { body, .. } | Command::Edit { body, .. } if says_nothing(&body) => {
                turn.change(Change::Notice(Notice::CannotDo(CannotDo::NothingSaid)));
            }
            Command::Send { to, body, tag } => {
                let body = dormouse_xmpp::clean(&body).into_owned();
                let (id, effects) = self.timeline.write(now, &to, body, &mut turn.draft)?;
                if let Some(tag) = tag {
                    turn.out.push(Output::Written { tag, id });
                }
                self.effects(turn, effects)?;
                self.quiet.stirred(now.tick);
            }
            Command::Edit { id, body } => {
                let body = dormouse_xmpp::clean(&body).into_owned();
                let effects = self.timeline.edit(now, id, body, &mut turn.draft)?;
                self.effects(turn, effects)?;
            }
            Command::Retract(id) => {
                let effects = self.timeline.retract(now, id, &mut turn.draft)?;
                self.effects(turn, effects)?;
            }
            Command::Retry(id) => {
                let effects = self.timeline.retry(now, id, &mut turn.draft)?;
                self.effects(turn, effects)?;
            }
            Command::Discard(id) => {
                let effects = self.timeline.discard(id, &mut turn.draft)?;
                self.effects(turn, effects)?;
            }
            Command::Read(with) => {
                let may_see_us = self.contacts.may_see_us(&with);
                let effects = self.timeline.read(&with, may_see_us, &mut turn.draft)?;
                self.effects(turn, effects)?;
            }
            Command::Draft { to, text } => self.timeline.draft(&to, &text, &mut turn.draft)?,
            Command::Typing { to, typing } => {
                if self.session.is_ready() && self.contacts.may_see_us(&to) {
                    let state = if typing {
                        ChatState::Composing
                    } else {
                        ChatState::Active
                    };
                    let said = self
                        .session
                        .send(&Outgoing::ChatState { to, state }, None, &mut turn.draft);
                    self.session_said(turn, said)?;
                }
            }
            Command::Older(with) => self.timeline.older(&with),
            // Without a password there is nothing to try.
            Command::RetryNow if self.without_password.is_some() => {}
            Command::RetryNow => self.link(turn, LinkInput::RetryNow)?,
            Command::Interval(given) => self.link(turn, LinkInput::Interval(given))?,
            Command::Quit => self.ending = Some(Ending::of(End::Quit)),
            Command::Add { .. }
            | Command::Accept(_)
            | Command::Decline(_)
            | Command::Remove(_)
            | Command::Block(_)
            | Command::Unblock(_) => self.people(turn, command)?,
        }
        Ok(())
    }

    /// Wishes about people are asked of the server, which tells when they are granted; without a
    /// session they can't be done, and the user is told rather than left to hope.
    fn people(&mut self, turn: &mut Turn, command: Command) -> Result<(), ReadError> {
        if !self.session.is_ready() {
            turn.change(Change::Notice(Notice::CannotDo(CannotDo::NotConnected)));
            return Ok(());
        }
        let mut said = Vec::new();
        match command {
            Command::Add { address, name } => {
                let known = self.contacts.get(&address).cloned();
                let (earlier, groups, seen) = match known {
                    Some(contact) => (
                        contact.name.clone(),
                        contact.groups.clone(),
                        contact.we_see_them(),
                    ),
                    None => (None, Vec::new(), false),
                };
                let name = name.or(earlier).filter(|name| !name.trim().is_empty());
                said.extend(self.session.roster_set(&address, name.as_deref(), &groups));
                if !seen {
                    said.extend(self.session.subscribe(&address));
                }
            }
            Command::Accept(address) => {
                said.extend(self.session.approve(&address));
                let change = self.contacts.answered(&address, &mut turn.draft);
                turn.changes(change);
                // Whom we let see us we want to see as well, as people expect of "accept".
                if !self.contacts.get(&address).is_some_and(Contact::we_see_them) {
                    said.extend(self.session.subscribe(&address));
                }
            }
            Command::Decline(address) => {
                said.extend(self.session.deny(&address));
                let change = self.contacts.answered(&address, &mut turn.draft);
                turn.changes(change);
            }
            Command::Remove(address) => said.extend(self.session.roster_remove(&address)),
            Command::Block(_) | Command::Unblock(_) if self.session.can_block() == Some(false) => {
                turn.change(Change::Notice(Notice::CannotDo(CannotDo::NoBlocking)));
            }
            Command::Block(address) => said.extend(self.session.block(&address)),
            Command::Unblock(address) => said.extend(self.session.unblock(&address)),
            _ => {}
        }
        self.session_said(turn, said)
    }
}

/// Whether nothing of this text can be said over XMPP: an empty one, or only characters that XML has no
/// way to write.
fn says_nothing(body: &str) -> bool {
    dormouse_xmpp::clean(body).trim().is_empty()
}

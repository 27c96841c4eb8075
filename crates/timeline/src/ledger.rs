//! One input's view of the records: typed look-ups and writes over the draft, and what they make the
//! window see.
//!
//! A record that changes several times during one input is told to the window once, as it ends up.

use crate::amendment::Amendment;
use crate::timeline::Effect;
use dormouse_model::{BareJid, Change, Draft, Key, Message, MessageId, Names, Place, ReadError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Numbers given once (under [`Key::Counters`]).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Counters {
    next_message: MessageId,
}

/// Something that stands on the account's line of history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A message.
    Message(Box<Message>),
    /// An edit or a retraction.
    Amendment(Box<Amendment>),
}

impl Item {
    pub(crate) fn place(&self) -> Place {
        match self {
            Item::Message(message) => message.place,
            Item::Amendment(amendment) => amendment.place,
        }
    }

    pub(crate) fn names(&self) -> &Names {
        match self {
            Item::Message(message) => &message.names,
            Item::Amendment(amendment) => &amendment.names,
        }
    }

    pub(crate) fn names_mut(&mut self) -> &mut Names {
        match self {
            Item::Message(message) => &mut message.names,
            Item::Amendment(amendment) => &mut amendment.names,
        }
    }

    pub(crate) fn conversation(&self) -> &BareJid {
        match self {
            Item::Message(message) => &message.conversation,
            Item::Amendment(amendment) => &amendment.conversation,
        }
    }

    /// Whether it stands where the archive says.
    pub(crate) fn is_settled(&self) -> bool {
        !self.names().archive.is_empty()
    }
}

/// The records as one input sees and changes them.
pub(crate) struct Ledger<'d, 'm> {
    pub(crate) draft: &'d mut Draft<'m>,
    pub(crate) account: BareJid,
    touched: BTreeSet<MessageId>,
    effects: Vec<Effect>,
}

impl<'d, 'm> Ledger<'d, 'm> {
    pub(crate) fn open(account: &BareJid, draft: &'d mut Draft<'m>) -> Self {
        Self {
            draft,
            account: account.clone(),
            touched: BTreeSet::new(),
            effects: Vec::new(),
        }
    }

    pub(crate) fn message(&self, id: MessageId) -> Result<Option<Message>, ReadError> {
        self.draft.read(&Key::Message(id))
    }

    pub(crate) fn item(&self, id: MessageId) -> Result<Option<Item>, ReadError> {
        if let Some(message) = self.message(id)? {
            return Ok(Some(Item::Message(Box::new(message))));
        }
        Ok(self
            .draft
            .read(&Key::Amendment(id))?
            .map(|amendment| Item::Amendment(Box::new(amendment))))
    }

    pub(crate) fn put_message(&mut self, message: &Message) {
        self.draft.put(&Key::Message(message.id), message);
        self.touched.insert(message.id);
    }

    pub(crate) fn put_item(&mut self, item: &Item) {
        match item {
            Item::Message(message) => self.put_message(message),
            Item::Amendment(amendment) => {
                self.draft.put(&Key::Amendment(amendment.id), amendment.as_ref());
                if let Some(target) = amendment.target {
                    self.touched.insert(target);
                }
            }
        }
    }

    /// A fresh number for a message or an amendment.
    pub(crate) fn next_id(&mut self) -> Result<MessageId, ReadError> {
        let mut counters: Counters = self.draft.read(&Key::Counters)?.unwrap_or_default();
        let id = counters.next_message;
        counters.next_message = id.next();
        self.draft.put(&Key::Counters, &counters);
        Ok(id)
    }

    /// Forgets an item itself; its names are the caller's business.
    pub(crate) fn remove(&mut self, item: &Item) -> Result<(), ReadError> {
        match item {
            Item::Message(message) => {
                self.unplace(message.id, &message.conversation, message.place)?;
                self.draft.delete(&Key::Message(message.id));
                self.touched.remove(&message.id);
                self.effect(Effect::Change(Change::Removed {
                    id: message.id,
                    conversation: message.conversation.clone(),
                }));
            }
            Item::Amendment(amendment) => {
                self.unplace(amendment.id, &amendment.conversation, amendment.place)?;
                self.draft.delete(&Key::Amendment(amendment.id));
            }
        }
        Ok(())
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn journal(&mut self, text: impl Into<String>) {
        self.effects.push(Effect::Journal(text.into()));
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.effects.push(Effect::Change(change));
    }

    /// What follows: the messages that look different now, in order, then the rest.
    pub(crate) fn close(self) -> Result<Vec<Effect>, ReadError> {
        let mut messages = Vec::new();
        for id in &self.touched {
            if let Some(message) = self.draft.read::<Message>(&Key::Message(*id))? {
                messages.push(message);
            }
        }
        messages.sort_by_key(|message| message.place);
        Ok(messages
            .into_iter()
            .map(|message| Effect::Change(Change::Message(Box::new(message))))
            .chain(self.effects)
            .collect())
    }
}

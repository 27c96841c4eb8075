//! Amendments: edits and retractions as items of history.
//!
//! They stand on the line like messages, so that identity and order are decided by the same rules; what
//! a message says is worked out from its original content and the amendments joined to it. Only
//! the message's own author's are: they are looked for under that name. One that comes before its target
//! waits for it, bounded.

use crate::conversation::ORPHANS;
use crate::ledger::{Item, Ledger};
use dormouse_model::{
    BareJid, CannotDo, Change, Content, Delivery, Key, Message, MessageId, Names, Notice, Place, ReadError,
    Side, Stamp, StanzaId,
};
use serde::{Deserialize, Serialize};

/// So much of what is done to one message is kept, joined to it or waiting for it: see [`Ledger::bounded`].
const AMENDMENTS: usize = 64;

/// An edit (XEP-0308) or a retraction (XEP-0424): an item of history that is not shown itself
/// (under [`Key::Amendment`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Amendment {
    pub(crate) id: MessageId,
    pub(crate) conversation: BareJid,
    pub(crate) author: BareJid,
    pub(crate) place: Place,
    pub(crate) stamp: Stamp,
    pub(crate) names: Names,
    /// What it is about, as it says itself.
    pub(crate) about: StanzaId,
    /// What it is about, once known.
    pub(crate) target: Option<MessageId>,
    /// The new body; none for a retraction.
    pub(crate) body: Option<String>,
}

/// What has been done to a message (under [`Key::AmendmentsOf`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Amendments {
    original: Content,
    by: Vec<MessageId>,
}

/// What waits for a message that is not known (under [`Key::Orphan`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Orphans {
    pub(crate) amendments: Vec<MessageId>,
    pub(crate) received: bool,
    pub(crate) displayed: bool,
}

/// Stands for an amendment where copies are compared.
pub(crate) fn print(about: &StanzaId, body: Option<&str>) -> [u8; 16] {
    match body {
        Some(body) => Content::Text(format!("edit\0{about}\0{body}")).fingerprint(),
        None => Content::Text(format!("retract\0{about}")).fingerprint(),
    }
}

impl Ledger<'_, '_> {
    /// The message an edit or retraction is about: the latest of its author's that goes by that name. An
    /// edit of an edit is about the original.
    fn target_of(&self, amendment: &Amendment) -> Result<Option<MessageId>, ReadError> {
        let mut best: Option<(Place, MessageId)> = None;
        for id in self.called(&amendment.conversation, &amendment.author, &amendment.about)? {
            let found = match self.item(id)? {
                Some(Item::Message(message)) => Some((message.place, message.id)),
                Some(Item::Amendment(other)) => other.target.map(|target| (other.place, target)),
                None => None,
            };
            best = best.max(found);
        }
        Ok(best.map(|(_, id)| id))
    }

    /// Joins an amendment to its target, with those that waited for it itself; or lets it wait.
    pub(crate) fn attach(&mut self, id: MessageId) -> Result<Option<MessageId>, ReadError> {
        let target = self.attach_one(id)?;
        let mut joined = vec![id];
        while let (Some(_), Some(next)) = (target, joined.pop()) {
            if let Some(Item::Amendment(amendment)) = self.item(next)? {
                let author = amendment.author.clone();
                let item = Item::Amendment(amendment);
                for waiting in self.awaited(&item, &author)?.amendments {
                    self.attach_one(waiting)?;
                    joined.push(waiting);
                }
            }
        }
        Ok(target)
    }

    fn attach_one(&mut self, id: MessageId) -> Result<Option<MessageId>, ReadError> {
        let Some(Item::Amendment(mut amendment)) = self.item(id)? else {
            return Ok(None);
        };
        if amendment.target.is_none() {
            amendment.target = self.target_of(&amendment)?;
        }
        let Some(target) = amendment.target else {
            let (with, author) = (amendment.conversation.clone(), amendment.author.clone());
            let mut waiting = Vec::new();
            self.wait_for(&with, &author, &amendment.about, |orphans| {
                if !orphans.amendments.contains(&id) {
                    orphans.amendments.push(id);
                }
                waiting.clone_from(&orphans.amendments);
            })?;
            if !waiting.is_empty() {
                let waiting = self.bounded(&waiting)?;
                self.wait_for(&with, &author, &amendment.about, |orphans| {
                    orphans.amendments = waiting
                })?;
            }
            return Ok(None);
        };
        let Some(message) = self.message(target)? else {
            return Ok(None);
        };
        let mut record = self
            .draft
            .read::<Amendments>(&Key::AmendmentsOf(target))?
            .unwrap_or(Amendments {
                original: message.content.clone(),
                by: Vec::new(),
            });
        self.put_item(&Item::Amendment(amendment));
        if !record.by.contains(&id) {
            record.by.push(id);
            record.by = self.bounded(&record.by)?;
            self.draft.put(&Key::AmendmentsOf(target), &record);
        }
        self.amend(target)?;
        Ok(Some(target))
    }

    /// What is kept of the amendments of one message. Of too many the edit that stands first is forgotten; a retraction only
    /// where there is nothing else, for any one of them says it all.
    fn bounded(&mut self, all: &[MessageId]) -> Result<Vec<MessageId>, ReadError> {
        let mut kept = Vec::new();
        for id in all {
            if let Some(Item::Amendment(amendment)) = self.item(*id)? {
                kept.push(amendment);
            }
        }
        kept.sort_by_key(|amendment| (amendment.body.is_none(), amendment.place));
        if kept.len() > AMENDMENTS {
            let first = Item::Amendment(kept.remove(0));
            self.remove(&first)?;
        }
        Ok(kept.iter().map(|amendment| amendment.id).collect())
    }

    /// Says what a message says now.
    pub(crate) fn amend(&mut self, target: MessageId) -> Result<(), ReadError> {
        let (Some(record), Some(mut message)) = (
            self.draft.read::<Amendments>(&Key::AmendmentsOf(target))?,
            self.message(target)?,
        ) else {
            return Ok(());
        };
        let mut latest: Option<Box<Amendment>> = None;
        let mut retracted = false;
        for by in &record.by {
            if let Some(Item::Amendment(amendment)) = self.item(*by)? {
                retracted |= amendment.body.is_none();
                if amendment.body.is_some()
                    && latest
                        .as_ref()
                        .is_none_or(|latest| latest.place < amendment.place)
                {
                    latest = Some(amendment);
                }
            }
        }
        let edited = latest.as_ref().and_then(|latest| latest.names.stanza.clone());
        let (content, edited) = match latest.and_then(|latest| latest.body) {
            _ if retracted => (Content::Retracted, None),
            Some(body) => (Content::Text(body), edited),
            None => (record.original.clone(), None),
        };
        if message.content != content || message.edited != edited {
            message.content = content;
            message.edited = edited;
            self.put_message(&message);
        }
        Ok(())
    }

    /// Drops an own amendment that no one will see.
    pub(crate) fn drop_amendment(&mut self, id: MessageId) -> Result<(), ReadError> {
        if let Some(item @ Item::Amendment(_)) = self.item(id)? {
            let account = self.account.clone();
            self.rename(id, &account, &item, |_| false)?;
            self.remove(&item)?;
            if let Item::Amendment(amendment) = item
                && let Some(target) = amendment.target
            {
                self.amend(target)?;
            }
        }
        Ok(())
    }

    pub(crate) fn wait_for(
        &mut self,
        with: &BareJid,
        author: &BareJid,
        name: &StanzaId,
        change: impl FnOnce(&mut Orphans),
    ) -> Result<(), ReadError> {
        let key = Key::Orphan(with.clone(), author.clone(), name.clone());
        let known: Option<Orphans> = self.draft.read(&key)?;
        let mut conversation = self.conversation(with)?;
        if known.is_none() {
            if conversation.orphans >= ORPHANS {
                self.journal(format!(
                    "too much waits for unknown messages in the conversation with {with}"
                ));
                return Ok(());
            }
            conversation.orphans += 1;
            self.put_conversation(with, &conversation);
        }
        let mut orphans = known.unwrap_or_default();
        change(&mut orphans);
        self.draft.put(&key, &orphans);
        Ok(())
    }

    /// What has waited for an item by any of its names.
    pub(crate) fn awaited(&mut self, item: &Item, author: &BareJid) -> Result<Orphans, ReadError> {
        let mut all = Orphans::default();
        let with = item.conversation().clone();
        let origin = item.names().origin.as_ref().map(|id| StanzaId(id.0.clone()));
        let mut names: Vec<StanzaId> = item.names().stanza.clone().into_iter().chain(origin).collect();
        names.dedup();
        for name in names {
            let key = Key::Orphan(with.clone(), author.clone(), name);
            if let Some(found) = self.draft.read::<Orphans>(&key)? {
                all.amendments.extend(found.amendments);
                all.received |= found.received;
                all.displayed |= found.displayed;
                self.draft.delete(&key);
                let mut conversation = self.conversation(&with)?;
                conversation.orphans = conversation.orphans.saturating_sub(1);
                self.put_conversation(&with, &conversation);
            }
        }
        Ok(all)
    }

    pub(crate) fn cannot(&mut self, why: CannotDo) {
        self.change(Change::Notice(Notice::CannotDo(why)));
    }

    pub(crate) fn own_message(&mut self, id: MessageId) -> Result<Option<(Message, Delivery)>, ReadError> {
        let found = self.message(id)?.and_then(|message| {
            let delivery = message.delivery().cloned()?;
            Some((message, delivery))
        });
        if found.is_none() {
            self.cannot(CannotDo::NotYours);
        }
        Ok(found)
    }

    pub(crate) fn set_delivery(&mut self, id: MessageId, delivery: Delivery) -> Result<(), ReadError> {
        if let Some(mut message) = self.message(id)? {
            message.side = Side::Own(delivery);
            self.put_message(&message);
        }
        Ok(())
    }
}

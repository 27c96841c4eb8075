//! Conflicts, all in one place.
//!
//! - **Edit against edit**: an edit stands on the line of history like a message; the one that stands
//!   last wins. So the archive's order decides, whichever way and however often the copies come.
//! - **Retraction against edit**: a retraction wins, wherever it stands; own edits of the retracted message
//!   that no session has had are dropped.
//! - **An edit of something that no session has had** changes it in place; a retraction throws it away.
//! - **Discard against archive**: what was discarded while its fate was open is forgotten by name; if the
//!   archive turns out to hold it, it comes back as sent. What bounced and was discarded stays gone: its
//!   names are stale.
//! - **Retry** gives a new name, for the archive holds the bounced attempt under the old one. The old
//!   name is stale.
//! - **A contact removed while messages wait**: those that no session has had fail (the user may try again:
//!   writing to a stranger is legitimate). Of doubtful ones the archive decides: held by it, they are sent;
//!   else they fail instead of being sent again.
//! - **An edit or retraction before its target** waits for it, bounded.

use crate::conversation::ORPHANS;
use crate::identity::Copy;
use crate::ledger::{Item, Ledger};
use crate::outbox::{Errand, Outbox, What};
use dormouse_model::{
    BareJid, Change, Content, Delivery, Failure, Key, Message, MessageId, Names, Notice, Now, OriginId,
    Place, ReadError, Side, Stamp, StanzaId,
};
use serde::{Deserialize, Serialize};

/// So many edits of one message are kept; the oldest are forgotten.
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
                Some(Item::Amendment(other)) if other.id != amendment.id => {
                    other.target.map(|target| (other.place, target))
                }
                _ => None,
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
            self.wait_for(&with, &author, &amendment.about, |orphans| {
                if !orphans.amendments.contains(&id) && orphans.amendments.len() < AMENDMENTS {
                    orphans.amendments.push(id);
                }
            })?;
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
        if !record.by.contains(&id) {
            record.by.push(id);
            if record.by.len() > AMENDMENTS {
                let mut oldest: Option<(Place, MessageId)> = None;
                for by in &record.by {
                    if let Some(Item::Amendment(other)) = self.item(*by)?
                        && other.body.is_some()
                    {
                        let candidate = (other.place, other.id);
                        oldest = Some(oldest.map_or(candidate, |oldest| oldest.min(candidate)));
                    }
                }
                if let Some((_, oldest)) = oldest {
                    record.by.retain(|by| *by != oldest);
                    if let Some(item) = self.item(oldest)? {
                        self.remove(&item)?;
                    }
                }
            }
            self.draft.put(&Key::AmendmentsOf(target), &record);
        }
        self.put_item(&Item::Amendment(amendment));
        self.amend(target)?;
        Ok(Some(target))
    }

    /// Says what a message says now.
    pub(crate) fn amend(&mut self, target: MessageId) -> Result<(), ReadError> {
        let (Some(record), Some(mut message)) = (
            self.draft.read::<Amendments>(&Key::AmendmentsOf(target))?,
            self.message(target)?,
        ) else {
            return Ok(());
        };
        let mut latest: Option<Amendment> = None;
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
    fn drop_amendment(&mut self, id: MessageId) -> Result<(), ReadError> {
        if let Some(item @ Item::Amendment(_)) = self.item(id)? {
            let account = self.account.clone();
            self.rename(id, &account, &item, |_| false)?;
            self.remove(&item)?;
            if let Item::Amendment(Amendment {
                target: Some(target), ..
            }) = item
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

    fn cannot(&mut self, why: &str) {
        self.change(Change::Notice(Notice::CannotDo(why.to_owned())));
    }

    fn own_message(&mut self, id: MessageId) -> Result<Option<(Message, Delivery)>, ReadError> {
        let found = self.message(id)?.and_then(|message| {
            let delivery = message.delivery().cloned()?;
            Some((message, delivery))
        });
        if found.is_none() {
            self.cannot("That is not a message of yours.");
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

/// Own edits of a message that no session has had are dropped.
pub(crate) fn drop_queued_edits(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    target: MessageId,
) -> Result<(), ReadError> {
    let queued: Vec<MessageId> = outbox
        .entries()
        .filter(|entry| matches!(entry.errand.what, What::Edit { target: of, .. } if of == target))
        .map(|entry| entry.errand.id)
        .filter(|id| outbox.is_untouched(*id))
        .collect();
    for id in queued {
        outbox.remove(id, ledger.draft);
        ledger.drop_amendment(id)?;
    }
    Ok(())
}

/// The user replaces an own message, or withdraws it (no body).
pub(crate) fn amend_own(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    now: Now,
    id: MessageId,
    origin: OriginId,
    body: Option<String>,
    floor: Option<Place>,
) -> Result<(), ReadError> {
    let Some((mut message, delivery)) = ledger.own_message(id)? else {
        return Ok(());
    };
    if message.content == Content::Retracted {
        ledger.cannot("That message has been withdrawn.");
        return Ok(());
    }
    if outbox.is_untouched(id) || matches!(delivery, Delivery::Failed(_)) {
        // Nobody has seen it: there is nothing to tell anyone.
        let Some(body) = body else {
            return discard(outbox, ledger, id);
        };
        message.content = Content::Text(body.clone());
        let print = message.content.fingerprint();
        if outbox.is_untouched(id) {
            let account = ledger.account.clone();
            ledger.rename(id, &account, &Item::Message(Box::new(message.clone())), |named| {
                named.print = print;
                true
            })?;
            outbox.change(id, ledger.draft, |errand| errand.what = What::Text { body });
        }
        ledger.put_message(&message);
        return Ok(());
    }
    let origin_name = message.names.origin.as_ref().map(|id| StanzaId(id.0.clone()));
    let names = &message.names;
    // Edits name the `id` (XEP-0308), retractions the origin-id if there is one (XEP-0424).
    let about = if body.is_some() {
        names.stanza.clone().or(origin_name)
    } else {
        origin_name.or(names.stanza.clone())
    };
    let Some(about) = about else {
        ledger.cannot("That message has no id by which others know it.");
        return Ok(());
    };
    if body.is_none() {
        drop_queued_edits(outbox, ledger, id)?;
    }
    let account = ledger.account.clone();
    let amendment = Amendment {
        id: ledger.next_id()?,
        conversation: message.conversation.clone(),
        author: account.clone(),
        place: Place(0),
        stamp: now.stamp,
        names: Names {
            stanza: Some(StanzaId(origin.0.clone())),
            origin: Some(origin.clone()),
            archive: Vec::new(),
        },
        about: about.clone(),
        target: Some(id),
        body: body.clone(),
    };
    let copy = Copy {
        conversation: amendment.conversation.clone(),
        sender: account,
        origin: amendment.names.origin.clone(),
        stanza: amendment.names.stanza.clone(),
        archive: None,
        print: print(&about, body.as_deref()),
        stamp: now.stamp,
        repeats: false,
    };
    let amendment_id = amendment.id;
    ledger.put_item(&Item::Amendment(amendment));
    ledger.name(amendment_id, &copy)?;
    let end = ledger.end(floor)?;
    ledger.set_place(amendment_id, end)?;
    ledger.attach(amendment_id)?;
    let what = match body {
        Some(body) => What::Edit {
            target: id,
            replaces: about,
            body,
        },
        None => What::Retract {
            target: id,
            of: about,
        },
    };
    let errand = Errand {
        id: amendment_id,
        to: message.conversation,
        origin,
        what,
        written: now.stamp,
        attempted: false,
        withheld: false,
    };
    outbox.add(errand, ledger.draft);
    Ok(())
}

/// The user throws away an own message that was not sent.
pub(crate) fn discard(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    id: MessageId,
) -> Result<(), ReadError> {
    let Some((message, delivery)) = ledger.own_message(id)? else {
        return Ok(());
    };
    let stays_gone = match delivery {
        Delivery::Queued => false,
        Delivery::Failed(Failure::Bounced { .. }) => true,
        Delivery::Failed(_) => false,
        _ => {
            ledger.cannot("That message has been sent; it can only be withdrawn.");
            return Ok(());
        }
    };
    drop_queued_edits(outbox, ledger, id)?;
    outbox.remove(id, ledger.draft);
    let account = ledger.account.clone();
    let item = Item::Message(Box::new(message));
    ledger.rename(id, &account, &item, |named| {
        named.stale = true;
        stays_gone
    })?;
    ledger.draft.delete(&Key::AmendmentsOf(id));
    ledger.remove(&item)
}

/// The user wants a failed message tried again: under a new name, at the end.
pub(crate) fn retry(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    now: Now,
    id: MessageId,
    origin: OriginId,
    floor: Option<Place>,
) -> Result<(), ReadError> {
    let Some((mut message, delivery)) = ledger.own_message(id)? else {
        return Ok(());
    };
    let (Delivery::Failed(_), Content::Text(body)) = (&delivery, message.content.clone()) else {
        ledger.cannot("That message has not failed.");
        return Ok(());
    };
    let account = ledger.account.clone();
    ledger.rename(id, &account, &Item::Message(Box::new(message.clone())), |named| {
        named.stale = true;
        true
    })?;
    message.names = Names {
        origin: Some(origin.clone()),
        stanza: Some(StanzaId(origin.0.clone())),
        archive: Vec::new(),
    };
    message.side = Side::Own(Delivery::Queued);
    ledger.put_message(&message);
    ledger.name(id, &Copy::of_own(&message, &account))?;
    let end = ledger.end(floor)?;
    ledger.set_place(id, end)?;
    let what = What::Text { body };
    let to = message.conversation;
    let errand = Errand {
        id,
        to,
        origin,
        what,
        written: now.stamp,
        attempted: false,
        withheld: false,
    };
    outbox.add(errand, ledger.draft);
    Ok(())
}

impl Copy {
    /// An own message as it will be recognised when it comes back.
    pub(crate) fn of_own(message: &Message, account: &BareJid) -> Self {
        Self {
            conversation: message.conversation.clone(),
            sender: account.clone(),
            origin: message.names.origin.clone(),
            stanza: message.names.stanza.clone(),
            archive: None,
            print: message.content.fingerprint(),
            stamp: message.stamp,
            repeats: false,
        }
    }
}

/// Somebody was removed from the roster while messages to them wait.
pub(crate) fn contact_removed(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    with: &BareJid,
) -> Result<(), ReadError> {
    let waiting: Vec<MessageId> = outbox
        .entries()
        .filter(|entry| entry.errand.to == *with)
        .map(|entry| entry.errand.id)
        .collect();
    for id in waiting {
        if outbox.is_untouched(id) {
            fail(outbox, ledger, id, Failure::ContactRemoved)?;
        } else {
            outbox.change(id, ledger.draft, |errand| errand.withheld = true);
        }
    }
    Ok(())
}

/// An errand will not be done.
pub(crate) fn fail(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    id: MessageId,
    why: Failure,
) -> Result<(), ReadError> {
    match outbox.remove(id, ledger.draft).map(|entry| entry.errand.what) {
        Some(What::Edit { .. } | What::Retract { .. }) => ledger.drop_amendment(id),
        _ => ledger.set_delivery(id, Delivery::Failed(why)),
    }
}

/// Used where an own amendment comes back.
pub(crate) fn take_back(ledger: &mut Ledger<'_, '_>, id: MessageId) -> Result<(), ReadError> {
    ledger.drop_amendment(id)
}

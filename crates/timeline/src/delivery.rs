//! Delivery: what has been proven about own messages, and what we tell others about theirs.
//!
//! States only go forwards (queued, sent, delivered, read); a bounce turns queued or sent into failed at any
//! later time, but not what a receipt has proven: that another of the addressee's clients refused it changes
//! nothing. A receipt before the acknowledgement proves more than it, and settles the errand.
//!
//! Receipts (XEP-0184) are sent for live messages only, delayed ones included, and never for carbons or
//! what is read from the archive: whoever was there when they arrived has answered them.

use crate::conflicts::{came_back, take_back};
use crate::ledger::{Item, Ledger};
use crate::outbox::Outbox;
use crate::timeline::Effect;
use dormouse_model::{
    BareJid, Claim, Delivery, Failure, Incoming, Key, Memory, Message, MessageId, Outgoing, Place, ReadError,
    Side, StanzaId, Walk, record::decode,
};

/// How many messages one marker is carried back over at most.
const MARKED: usize = 1000;
/// How many messages that wait are moved along with one that was proven. A thousand of them, each confirmed by
/// itself while the other side talks, must not move a thousand times: the archive will say where they stand.
const ALONG: usize = 32;

fn rank(delivery: &Delivery) -> u8 {
    match delivery {
        Delivery::Queued => 0,
        Delivery::Failed(_) | Delivery::Sent => 1,
        Delivery::Delivered => 2,
        Delivery::Read => 3,
    }
}

impl Ledger<'_, '_> {
    /// Raises what is known of an own message; never lowers it.
    pub(crate) fn raise(&mut self, id: MessageId, to: &Delivery) -> Result<(), ReadError> {
        if let Some(mut message) = self.message(id)?
            && let Side::Own(delivery) = &message.side
            && rank(delivery) < rank(to)
        {
            message.side = Side::Own(to.clone());
            self.put_message(&message);
        }
        Ok(())
    }

    /// The own messages up to this one have been displayed by the other side.
    pub(crate) fn displayed_up_to(&mut self, message: &Message) -> Result<(), ReadError> {
        let mut conversation = self.conversation(&message.conversation)?;
        if self.place_of(conversation.displayed)? < message.place {
            conversation.displayed = Some(message.id);
            self.put_conversation(&message.conversation, &conversation);
        }
        let (from, _) = Key::timeline_range(&message.conversation);
        self.raise(message.id, &Delivery::Read)?;
        let mut to = Key::Timeline(message.conversation.clone(), message.place).bytes();
        let mut reached = 0;
        while reached < MARKED {
            let some = self.draft.range(&from, &to, Walk::Backwards, 32)?;
            let Some((last, _)) = some.last() else {
                return Ok(());
            };
            to = last.clone();
            for (_, value) in &some {
                let id: MessageId = decode(value).ok_or(ReadError::Damaged('t'))?;
                let Some(Side::Own(delivery)) = self.message(id)?.map(|message| message.side) else {
                    continue;
                };
                match delivery {
                    Delivery::Read => return Ok(()),
                    Delivery::Sent | Delivery::Delivered => self.raise(id, &Delivery::Read)?,
                    Delivery::Queued | Delivery::Failed(_) => {}
                }
            }
            reached += some.len();
        }
        Ok(())
    }

    /// The user has read up to this message of theirs on another client.
    pub(crate) fn read_elsewhere(&mut self, message: &Message) -> Result<(), ReadError> {
        let mut conversation = self.conversation(&message.conversation)?;
        if self.place_of(conversation.read_elsewhere)? >= message.place {
            return Ok(());
        }
        conversation.read_elsewhere = Some(message.id);
        let read = self.place_of(conversation.read)?.max(message.place);
        if conversation.unread > 0 {
            conversation.unread = conversation
                .unread
                .min(self.theirs_after(&message.conversation, read)?);
        }
        self.put_conversation(&message.conversation, &conversation);
        Ok(())
    }

    fn theirs_after(&self, with: &BareJid, place: Place) -> Result<u64, ReadError> {
        let from = Key::Timeline(with.clone(), Place(place.0.saturating_add(1))).bytes();
        let (_, to) = Key::timeline_range(with);
        let mut count = 0;
        for (_, value) in self.draft.range(&from, &to, Walk::Forwards, MARKED)? {
            let id: MessageId = decode(&value).ok_or(ReadError::Damaged('t'))?;
            count += u64::from(
                self.message(id)?
                    .is_some_and(|message| message.side == Side::Theirs),
            );
        }
        Ok(count)
    }

    /// The user reads a conversation here: up to the last message of theirs. (Own ones may still change their
    /// place, or be discarded.)
    pub(crate) fn read_here(&mut self, with: &BareJid, may_see_us: bool) -> Result<(), ReadError> {
        let kept = self.conversation(with)?;
        let mut conversation = kept.clone();
        let last = self.last_of_theirs(with)?;
        let mark = last.as_ref().and_then(|message| message.names.stanza.clone());
        let untold = conversation.unread > 0 || conversation.marked != mark;
        if let Some(of) = mark
            && may_see_us
            && untold
        {
            conversation.marked = Some(of.clone());
            self.effect(Effect::Send(Outgoing::Displayed { to: with.clone(), of }));
        }
        conversation.unread = 0;
        conversation.read = last.map(|message| message.id).or(conversation.read);
        if conversation != kept {
            self.put_conversation(with, &conversation);
        }
        Ok(())
    }

    fn last_of_theirs(&self, with: &BareJid) -> Result<Option<Message>, ReadError> {
        let (from, mut to) = Key::timeline_range(with);
        for _ in 0..MARKED / 32 {
            let some = self.draft.range(&from, &to, Walk::Backwards, 32)?;
            for (key, value) in &some {
                let id: MessageId = decode(value).ok_or(ReadError::Damaged('t'))?;
                if let Some(message) = self.message(id)?
                    && message.side == Side::Theirs
                {
                    return Ok(Some(message));
                }
                to.clone_from(key);
            }
            if some.is_empty() {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Whether nothing stands right behind an own message but own ones that are not read back yet: then its proof has
    /// come where it stands.
    fn stands_last(&self, message: &Message) -> Result<bool, ReadError> {
        let from = Key::Timeline(
            message.conversation.clone(),
            Place(message.place.0.saturating_add(1)),
        )
        .bytes();
        let (_, to) = Key::timeline_range(&message.conversation);
        for (_, value) in self.draft.range(&from, &to, Walk::Forwards, ALONG)? {
            let id: MessageId = decode(&value).ok_or(ReadError::Damaged('t'))?;
            let Some(item) = self.item(id)? else { continue };
            let own = matches!(&item, Item::Message(behind) if matches!(behind.side, Side::Own(_)));
            if !own || item.is_settled() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The latest message of an author that goes by this name.
    fn message_called(
        &self,
        with: &BareJid,
        author: &BareJid,
        name: &StanzaId,
    ) -> Result<Option<Message>, ReadError> {
        let mut best: Option<Message> = None;
        for id in self.called(with, author, name)? {
            if let Some(message) = self.message(id)?
                && best.as_ref().is_none_or(|best| best.place < message.place)
            {
                best = Some(message);
            }
        }
        Ok(best)
    }
}

/// An errand is done: the server has it. Says nothing about unknown ones. It stands where the proof came,
/// unless the archive itself is the proof and says where.
pub(crate) fn proven(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    id: MessageId,
    by_archive: bool,
    floor: Option<Place>,
) -> Result<(), ReadError> {
    if outbox.remove(id, ledger.draft).is_none() {
        return Ok(());
    }
    ledger.raise(id, &Delivery::Sent)?;
    if by_archive {
        return Ok(());
    }
    match ledger.item(id)? {
        Some(Item::Message(message)) if !ledger.stands_last(&message)? => {
            // What was typed after it stays behind it, also while it waits for its own proof.
            let later: Vec<MessageId> = outbox
                .texts_after(id, &message.conversation)
                .take(ALONG + 1)
                .collect();
            if later.len() > ALONG {
                return Ok(());
            }
            for moved in std::iter::once(id).chain(later) {
                if ledger.item(moved)?.is_some_and(|item| !item.is_settled()) {
                    ledger.move_to_end(moved, floor)?;
                }
            }
            Ok(())
        }
        Some(Item::Amendment(_)) => ledger.move_to_end(id, floor),
        Some(Item::Message(_)) | None => Ok(()),
    }
}

/// A receipt (`displayed` false) or a marker came.
pub(crate) fn receipt(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    incoming: &Incoming,
    of: &StanzaId,
    displayed: bool,
    floor: Option<Place>,
) -> Result<(), ReadError> {
    let account = ledger.account.clone();
    let from = incoming.from.to_bare();
    if from == account {
        // Another of our clients: a marker says what the user has read there; a receipt says nothing new.
        let with = incoming.to.to_bare();
        if displayed && with != account {
            match ledger.message_called(&with, &with, of)? {
                Some(message) => ledger.read_elsewhere(&message)?,
                None => ledger.wait_for(&with, &with, of, |orphans| orphans.displayed = true)?,
            }
        }
        return Ok(());
    }
    let Some(message) = ledger.message_called(&from, &account, of)? else {
        return ledger.wait_for(&from, &account, of, |orphans| {
            orphans.received = true;
            orphans.displayed |= displayed;
        });
    };
    let claim = if displayed {
        Claim::Marker {
            conversation: &message.conversation,
        }
    } else {
        Claim::Receipt {
            conversation: &message.conversation,
        }
    };
    if let Err(refusal) = claim.by(Some(&incoming.from), &account) {
        ledger.journal(refusal.to_string());
        return Ok(());
    }
    proven(outbox, ledger, message.id, false, floor)?;
    // Its place may have changed by being proven.
    match ledger.message(message.id)? {
        Some(message) if displayed => ledger.displayed_up_to(&message),
        _ => ledger.raise(message.id, &Delivery::Delivered),
    }
}

/// Something of ours came back.
pub(crate) fn bounce(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    incoming: &Incoming,
    condition: &str,
    text: Option<&String>,
) -> Result<(), ReadError> {
    let account = ledger.account.clone();
    let with = incoming.from.to_bare();
    let Some(name) = &incoming.id else {
        ledger.journal(format!("a bounce from {with} names nothing"));
        return Ok(());
    };
    for id in ledger.called(&with, &account, name)? {
        let Some(item) = ledger.item(id)? else { continue };
        // An earlier attempt has bounced before: that is known.
        let current = item.names().stanza.as_ref() == Some(name)
            || item
                .names()
                .origin
                .as_ref()
                .is_some_and(|origin| origin.0 == name.0);
        if !current {
            continue;
        }
        let claim = Claim::Bounce {
            addressee: item.conversation(),
        };
        if let Err(refusal) = claim.by(Some(&incoming.from), &account) {
            ledger.journal(refusal.to_string());
            continue;
        }
        match item {
            Item::Amendment(_) => {
                outbox.remove(id, ledger.draft);
                take_back(ledger, id)?;
                ledger.journal(format!(
                    "{with} did not take an edit or a retraction: {condition}"
                ));
            }
            Item::Message(message) => match message.side {
                Side::Own(Delivery::Queued | Delivery::Sent) => {
                    let why = Failure::Bounced {
                        condition: condition.to_owned(),
                        text: text.cloned(),
                    };
                    came_back(outbox, ledger, id, why)?;
                }
                _ => ledger.journal(format!("a bounce from {with} contradicts what has been proven")),
            },
        }
    }
    Ok(())
}

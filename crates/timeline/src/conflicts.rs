//! Conflicts, all in one place.
//!
//! - **Edit against edit**: an edit stands on the line of history like a message; the one that stands
//!   last wins. So the archive's order decides, whichever way and however often the copies come.
//! - **Retraction against edit**: a retraction wins, wherever it stands; own edits of the retracted message
//!   that no session has had are dropped.
//! - **An edit of something that no session has had** changes it in place; a retraction throws it away.
//! - **Bounce against a queued edit**: what came back says what it was last made to say; nobody is told of the edit.
//! - **Bounce of an edit or retraction** takes it back, unless what it is about came back before: that goes on saying what it
//!   was last made to say, or stays withdrawn.
//! - **Discard against archive**: what was discarded while its fate was open is forgotten by name; if the
//!   archive turns out to hold it, it comes back as sent. What bounced and was discarded stays gone: its
//!   names are stale.
//! - **Retry** gives a new name, for the archive holds the bounced attempt under the old one. The old
//!   name is stale.
//! - **A contact removed while messages wait**: those that no session has had fail (the user may try again:
//!   writing to a stranger is legitimate). Of doubtful ones the archive decides: held by it, they are sent;
//!   else they fail instead of being sent again.
//! - **An edit or retraction before its target** waits for it, bounded.

use crate::amendment::{Amendment, print};
use crate::identity::Copy;
use crate::ledger::{Item, Ledger};
use crate::outbox::{Errand, Outbox, What};
use dormouse_model::{
    BareJid, CannotDo, Content, Delivery, Failure, Key, Message, MessageId, Names, Now, OriginId, Place,
    ReadError, Side, StanzaId,
};

/// Own edits of a message that no session has had are dropped. What the last of them says, for whoever keeps it.
pub(crate) fn drop_queued_edits(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    target: MessageId,
) -> Result<Option<String>, ReadError> {
    let queued: Vec<(MessageId, String)> = outbox
        .entries()
        .filter_map(|entry| match &entry.errand.what {
            What::Edit { target: of, body, .. } if *of == target => Some((entry.errand.id, body.clone())),
            _ => None,
        })
        .filter(|(id, _)| outbox.is_untouched(*id))
        .collect();
    let mut last = None;
    for (id, body) in queued {
        outbox.remove(id, ledger.draft);
        ledger.drop_amendment(id)?;
        last = Some(body);
    }
    Ok(last)
}

/// An own message came back. Its edits that waited have nobody to go to: the last of them is what is shown, and what is sent
/// if the user tries again.
pub(crate) fn came_back(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    id: MessageId,
    why: Failure,
) -> Result<(), ReadError> {
    let edited = drop_queued_edits(outbox, ledger, id)?;
    fail(outbox, ledger, id, why)?;
    // Nobody has what it said before: should an edit or a retraction come back as well, there is nothing to take back.
    ledger.draft.delete(&Key::AmendmentsOf(id));
    if let Some(body) = edited
        && let Some((mut message, _)) = ledger.own_message(id)?
    {
        message.content = Content::Text(body);
        ledger.put_message(&message);
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
        ledger.cannot(CannotDo::Withdrawn);
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
        ledger.cannot(CannotDo::Nameless);
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
    ledger.put_item(&Item::Amendment(Box::new(amendment)));
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
            ledger.cannot(CannotDo::AlreadySent);
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
        ledger.cannot(CannotDo::NotFailed);
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

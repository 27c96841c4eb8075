//! Arrival: what a stanza becomes, whichever way it came.
//!
//! A message or an amendment is recognised (see [`crate::identity`]) or becomes a new item; a receipt, a
//! marker or a bounce changes what is known of another message. New items have no place yet: live ones go
//! to the end, those of a page are seated together.

use crate::amendment::{Amendment, print};
use crate::delivery::{bounce, proven, receipt};
use crate::identity::{Copy, Recognition};
use crate::ledger::{Item, Ledger};
use crate::outbox::Outbox;
use crate::timeline::Effect;
use dormouse_model::{
    BareJid, Change, Content, Delivery, Failure, Incoming, Kind, Message, MessageId, Names, Now, Outgoing,
    Payload, Place, ReadError, Side, Via,
};

/// What a stanza turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing that stands in the history.
    Nothing,
    /// An item that was not known; it has no place yet.
    New(MessageId),
    /// A copy of this one.
    Known(MessageId),
}

/// Whose conversation a stanza belongs to: the other side's bare address.
pub(crate) fn conversation_of(incoming: &Incoming, account: &BareJid) -> BareJid {
    let from = incoming.from.to_bare();
    if from == *account {
        incoming.to.to_bare()
    } else {
        from
    }
}

fn content_of(payload: &Payload) -> Option<Content> {
    Some(match payload {
        Payload::Text(text) => Content::Text(text.clone()),
        Payload::Encrypted(way) => Content::Encrypted(way.clone()),
        Payload::Unreadable(what) => Content::Unreadable(what.clone()),
        _ => return None,
    })
}

/// Takes in one stanza.
pub(crate) fn hear(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    now: Now,
    via: &Via,
    incoming: &Incoming,
    floor: Option<Place>,
) -> Result<Heard, ReadError> {
    let account = ledger.account.clone();
    if incoming.kind == Kind::Groupchat {
        ledger.journal(format!(
            "a message of the room {} was left aside",
            incoming.from.to_bare()
        ));
        return Ok(Heard::Nothing);
    }
    let (about, body) = match &incoming.payload {
        Payload::Bounce { condition, text } => {
            bounce(outbox, ledger, incoming, condition, text.as_ref())?;
            return Ok(Heard::Nothing);
        }
        // An error that does not say what of ours came back is nobody's message.
        _ if incoming.kind == Kind::Error => return Ok(Heard::Nothing),
        Payload::Received(of) => {
            receipt(outbox, ledger, incoming, of, false, floor)?;
            return Ok(Heard::Nothing);
        }
        Payload::Displayed(of) => {
            receipt(outbox, ledger, incoming, of, true, floor)?;
            return Ok(Heard::Nothing);
        }
        Payload::Nothing => return Ok(Heard::Nothing),
        Payload::Edit { replaces, body } => (Some(replaces), Some(body)),
        Payload::Retract(of) => (Some(of), None),
        Payload::Text(_) | Payload::Encrypted(_) | Payload::Unreadable(_) => (None, None),
    };
    let sender = incoming.from.to_bare();
    let content = content_of(&incoming.payload);
    let copy = Copy {
        conversation: conversation_of(incoming, &account),
        sender: sender.clone(),
        origin: incoming.origin.clone(),
        stanza: incoming.id.clone(),
        archive: incoming.archive.clone(),
        print: match (&content, about) {
            (Some(content), _) => content.fingerprint(),
            (None, Some(about)) => print(about, body.map(String::as_str)),
            (None, None) => return Ok(Heard::Nothing),
        },
        stamp: incoming.stamp.unwrap_or(now.stamp),
        repeats: *via == Via::Archive || incoming.stamp.is_some() || incoming.resent,
    };
    match ledger.recognise(&copy)? {
        Recognition::Stale => Ok(Heard::Nothing),
        Recognition::Known(id) => {
            let Some(item) = ledger.item(id)? else {
                return Ok(Heard::Nothing);
            };
            ledger.name(id, &copy)?;
            // A settled one that comes live under a further name was archived again.
            if let (Via::Live | Via::Carbon, true, Some(archive)) = (via, item.is_settled(), &copy.archive)
                && !item.names().archive.contains(archive)
            {
                ledger.settle(id, archive.clone(), false)?;
            }
            if sender == account {
                held_by_server(outbox, ledger, id, *via == Via::Archive, floor)?;
            }
            Ok(Heard::Known(id))
        }
        Recognition::Unknown => {
            let id = ledger.next_id()?;
            // The archive's name is added where the item is placed.
            let names = Names {
                origin: copy.origin.clone(),
                stanza: copy.stanza.clone(),
                archive: Vec::new(),
            };
            let item = match (content, about) {
                (Some(content), _) => Item::Message(Box::new(Message {
                    id,
                    conversation: copy.conversation.clone(),
                    place: Place(0),
                    sender: incoming.from.clone(),
                    side: if sender == account {
                        Side::Own(Delivery::Sent)
                    } else {
                        Side::Theirs
                    },
                    stamp: copy.stamp,
                    content,
                    names,
                    edited: None,
                })),
                (None, Some(about)) => Item::Amendment(Box::new(Amendment {
                    id,
                    conversation: copy.conversation.clone(),
                    author: sender,
                    place: Place(0),
                    stamp: copy.stamp,
                    names,
                    about: about.clone(),
                    target: None,
                    body: body.cloned(),
                })),
                (None, None) => return Ok(Heard::Nothing),
            };
            ledger.put_item(&item);
            ledger.name(id, &copy)?;
            Ok(Heard::New(id))
        }
    }
}

/// The own server vouches that it has this: what was queued is sent, and what failed here before it left
/// has left after all. A bounce is not contradicted: the archive keeps what bounced, too.
fn held_by_server(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    id: MessageId,
    by_archive: bool,
    floor: Option<Place>,
) -> Result<(), ReadError> {
    proven(outbox, ledger, id, by_archive, floor)?;
    if let Some(message) = ledger.message(id)?
        && let Some(Delivery::Failed(Failure::ContactRemoved | Failure::TooLarge)) = message.delivery()
    {
        ledger.set_delivery(id, Delivery::Sent)?;
    }
    Ok(())
}

/// What follows once a new item has its place, and all that came with it has been counted.
pub(crate) fn placed(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    id: MessageId,
) -> Result<(), ReadError> {
    let message = match ledger.item(id)? {
        Some(Item::Message(message)) => *message,
        Some(Item::Amendment(amendment)) => {
            if let Some(target) = ledger.attach(id)?
                && amendment.body.is_none()
            {
                crate::conflicts::drop_queued_edits(outbox, ledger, target)?;
            }
            return Ok(());
        }
        None => return Ok(()),
    };
    let author = message.sender.to_bare();
    let item = Item::Message(Box::new(message));
    let waited = ledger.awaited(&item, &author)?;
    let Item::Message(message) = item else {
        return Ok(());
    };
    for amendment in waited.amendments {
        ledger.attach(amendment)?;
    }
    if message.side == Side::Theirs {
        if waited.displayed {
            ledger.read_elsewhere(&message)?;
        }
        return Ok(());
    }
    if waited.received {
        ledger.raise(id, &Delivery::Delivered)?;
    }
    let conversation = ledger.conversation(&message.conversation)?;
    if waited.displayed {
        ledger.displayed_up_to(&message)?;
    } else if message.place < ledger.place_of(conversation.displayed)? {
        ledger.raise(id, &Delivery::Read)?;
    }
    Ok(())
}

/// A stanza that came live or as a carbon.
pub(crate) fn arrive(
    outbox: &mut Outbox,
    ledger: &mut Ledger<'_, '_>,
    now: Now,
    via: &Via,
    incoming: &Incoming,
    may_see_us: bool,
    floor: Option<Place>,
) -> Result<(), ReadError> {
    let heard = hear(outbox, ledger, now, via, incoming, floor)?;
    if let Heard::New(id) = heard {
        let end = ledger.end(floor)?;
        if let Some(archive) = &incoming.archive {
            ledger.settle(id, archive.clone(), true)?;
        }
        ledger.set_place(id, end)?;
        ledger.count_unread(id, None)?;
        placed(outbox, ledger, id)?;
    }
    if *via != Via::Live || incoming.kind == Kind::Error {
        return Ok(());
    }
    let from = incoming.from.to_bare();
    if from == ledger.account {
        return Ok(());
    }
    let is_text = content_of(&incoming.payload).is_some() || matches!(incoming.payload, Payload::Edit { .. });
    if let Some(of) = incoming.id.clone()
        && incoming.receipt_wanted
        && may_see_us
        && is_text
        && heard != Heard::Nothing
    {
        ledger.effect(Effect::Send(Outgoing::Receipt { to: from.clone(), of }));
    }
    if incoming.stamp.is_none()
        && let Some(state) = incoming.chat_state
        && incoming.kind != Kind::Groupchat
    {
        ledger.change(Change::ChatState {
            conversation: from,
            state: Some(state),
        });
    }
    Ok(())
}

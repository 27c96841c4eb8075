//! Identity: whether two copies are one message.
//!
//! They are if the own archive calls them the same; or if the same sender gave them the same origin-id
//! and the same content. A bare `id` is weak, for some clients count 1, 2, 3 from every start: it
//! joins a copy without an archive id to one that has one, or a delayed copy to the one it repeats.
//! Text alone joins nothing. The same id with different content makes two messages.
//!
//! A name can become *stale*: it belongs to an attempt that bounced and was tried again under a new
//! name, or to something discarded after it bounced. A copy under a stale name is recognised and
//! changes nothing.

use crate::ledger::{Item, Ledger};
use dormouse_model::{ArchiveId, BareJid, Key, MessageId, OriginId, ReadError, Stamp, StanzaId};
use serde::{Deserialize, Serialize};

/// Delayed copies of one message bear stamps that differ by clocks only: at most this much (ms).
const SAME_MOMENT: u64 = 10 * 60 * 1000;
/// More items than this under one weak name are not told apart any more.
const NAMESAKES: usize = 64;

/// An item under a name that its sender gave (under [`Key::ByOriginId`] and [`Key::ByStanzaId`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) item: MessageId,
    /// What it said at first.
    pub(crate) print: [u8; 16],
    pub(crate) stale: bool,
}

/// What an archive's id stands for (under [`Key::ByArchiveId`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ArchiveMark {
    pub(crate) item: MessageId,
    pub(crate) stale: bool,
}

/// A copy, as far as it tells who it is.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) conversation: BareJid,
    pub(crate) sender: BareJid,
    pub(crate) origin: Option<OriginId>,
    pub(crate) stanza: Option<StanzaId>,
    pub(crate) archive: Option<ArchiveId>,
    pub(crate) print: [u8; 16],
    pub(crate) stamp: Stamp,
    /// It repeats something: read from the archive, delivered late, or sent again.
    pub(crate) repeats: bool,
}

/// What a copy is recognised as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recognition {
    Unknown,
    Known(MessageId),
    Stale,
}

impl Ledger<'_, '_> {
    pub(crate) fn recognise(&self, copy: &Copy) -> Result<Recognition, ReadError> {
        if let Some(archive) = &copy.archive {
            let key = Key::ByArchiveId(self.account.clone(), archive.clone());
            if let Some(mark) = self.draft.read::<ArchiveMark>(&key)? {
                return Ok(if mark.stale {
                    Recognition::Stale
                } else {
                    Recognition::Known(mark.item)
                });
            }
        }
        // Own messages have one name: `id` and origin-id alike. Some servers keep only one of them.
        let of_own = || copy.stanza.as_ref().map(|id| OriginId(id.0.clone()));
        let own = copy.sender == self.account;
        if let Some(origin) = copy.origin.clone().or_else(|| own.then(of_own).flatten()) {
            let key = Key::ByOriginId(copy.conversation.clone(), copy.sender.clone(), origin);
            let named: Vec<Named> = self.draft.read(&key)?.unwrap_or_default();
            if let Some(named) = named.iter().find(|named| named.print == copy.print) {
                return Ok(if named.stale {
                    Recognition::Stale
                } else {
                    Recognition::Known(named.item)
                });
            }
        }
        self.recognise_by_stanza_id(copy)
    }

    fn recognise_by_stanza_id(&self, copy: &Copy) -> Result<Recognition, ReadError> {
        let Some(stanza) = &copy.stanza else {
            return Ok(Recognition::Unknown);
        };
        let key = Key::ByStanzaId(copy.conversation.clone(), copy.sender.clone(), stanza.clone());
        let named: Vec<Named> = self.draft.read(&key)?.unwrap_or_default();
        let mut best: Option<(bool, u64, MessageId)> = None;
        for named in named
            .iter()
            .filter(|named| named.print == copy.print && !named.stale)
        {
            let Some(item) = self.item(named.item)? else {
                continue;
            };
            let names = item.names();
            let contradicts = matches!((&names.origin, &copy.origin), (Some(a), Some(b)) if a != b);
            let stamp = match &item {
                Item::Message(message) => message.stamp,
                Item::Amendment(amendment) => amendment.stamp,
            };
            let apart = stamp.0.abs_diff(copy.stamp.0);
            let joins = match (item.is_settled(), &copy.archive) {
                // Two names from one archive: two messages.
                (true, Some(_)) => false,
                // The archive names what was seen without a name.
                (false, Some(_)) => true,
                // A copy without a name repeats something only if it says so, and of that moment.
                (_, None) => copy.repeats && apart <= SAME_MOMENT,
            };
            if joins && !contradicts {
                let candidate = (item.is_settled(), apart, named.item);
                best = Some(best.map_or(candidate, |best| best.min(candidate)));
            }
        }
        Ok(best.map_or(Recognition::Unknown, |(_, _, id)| Recognition::Known(id)))
    }

    /// Makes an item known under the names of a copy.
    pub(crate) fn name(&mut self, item: MessageId, copy: &Copy) -> Result<(), ReadError> {
        if let Some(archive) = &copy.archive {
            let key = Key::ByArchiveId(self.account.clone(), archive.clone());
            self.draft.put(&key, &ArchiveMark { item, stale: false });
        }
        for key in name_keys(
            &copy.conversation,
            &copy.sender,
            copy.origin.as_ref(),
            copy.stanza.as_ref(),
        ) {
            let mut named: Vec<Named> = self.draft.read(&key)?.unwrap_or_default();
            if !named
                .iter()
                .any(|other| other.item == item && other.print == copy.print)
            {
                named.push(Named {
                    item,
                    print: copy.print,
                    stale: false,
                });
                if named.len() > NAMESAKES {
                    named.remove(0);
                }
                self.draft.put(&key, &named);
            }
        }
        Ok(())
    }

    /// Changes or forgets (by returning false) what stands under the names of an item.
    pub(crate) fn rename(
        &mut self,
        id: MessageId,
        sender: &BareJid,
        item: &Item,
        change: impl Fn(&mut Named) -> bool,
    ) -> Result<(), ReadError> {
        let names = item.names();
        for key in name_keys(
            item.conversation(),
            sender,
            names.origin.as_ref(),
            names.stanza.as_ref(),
        ) {
            let mut named: Vec<Named> = self.draft.read(&key)?.unwrap_or_default();
            named.retain_mut(|named| named.item != id || change(named));
            if named.is_empty() {
                self.draft.delete(&key);
            } else {
                self.draft.put(&key, &named);
            }
        }
        for archive in &names.archive {
            let key = Key::ByArchiveId(self.account.clone(), archive.clone());
            let mut as_named = Named {
                item: id,
                print: [0; 16],
                stale: false,
            };
            if change(&mut as_named) {
                self.draft.put(
                    &key,
                    &ArchiveMark {
                        item: id,
                        stale: as_named.stale,
                    },
                );
            } else {
                self.draft.delete(&key);
            }
        }
        Ok(())
    }

    /// The items of a sender that go by this `id` or origin-id, as an edit, retraction, receipt or marker
    /// names them; in no order.
    pub(crate) fn called(
        &self,
        conversation: &BareJid,
        sender: &BareJid,
        id: &StanzaId,
    ) -> Result<Vec<MessageId>, ReadError> {
        let mut found = Vec::new();
        let origin = OriginId(id.0.clone());
        for key in name_keys(conversation, sender, Some(&origin), Some(id)) {
            let named: Vec<Named> = self.draft.read(&key)?.unwrap_or_default();
            found.extend(named.iter().map(|named| named.item));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

fn name_keys(
    conversation: &BareJid,
    sender: &BareJid,
    origin: Option<&OriginId>,
    stanza: Option<&StanzaId>,
) -> Vec<Key> {
    let of = |sender: &BareJid| (conversation.clone(), sender.clone());
    origin
        .map(|id| Key::ByOriginId(of(sender).0, of(sender).1, id.clone()))
        .into_iter()
        .chain(stanza.map(|id| Key::ByStanzaId(of(sender).0, of(sender).1, id.clone())))
        .collect()
}

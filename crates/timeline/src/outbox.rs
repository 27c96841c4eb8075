//! The outbox: what the user wrote and the server has not confirmed.
//!
//! An errand is on disk before it is handed over, and leaves in the order written within its conversation.
//! Its fate, once handed over:
//!
//! ```text
//! Waiting ──due──> Held ──acknowledged, or seen in the archive, or a receipt──> proven, gone from here
//!                   │ the session ends
//!                   ▼
//!                Doubtful ──a reading of the archive that began later holds it──> proven
//!                   │ that reading does not hold it, or there is no archive
//!                   ▼
//!                 Again ──due, once, same ids, with the time it was first written──> Held
//! ```
//!
//! A doubtful errand holds back those behind it in its conversation. After a restart every errand is
//! doubtful unless the restored session still holds it: that it was handed over may not have
//! reached the disk.

use dormouse_model::{
    BareJid, BatchId, Draft, Key, Memory, MessageId, OriginId, Outgoing, QueryId, ReadError, Stamp, StanzaId,
    Walk, record::decode,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Something to be sent and confirmed (under [`Key::Outbox`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Errand {
    /// The message, or the amendment that an edit or retraction is kept as.
    pub(crate) id: MessageId,
    pub(crate) to: BareJid,
    pub(crate) origin: OriginId,
    pub(crate) what: What,
    pub(crate) written: Stamp,
    /// The contact was removed meanwhile: not to be sent again without being asked.
    pub(crate) withheld: bool,
}

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    Text {
        body: String,
    },
    Edit {
        target: MessageId,
        replaces: StanzaId,
        body: String,
    },
    Retract {
        target: MessageId,
        of: StanzaId,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Waiting,
    Held,
    /// Answered by a reading of the archive whose first question has this number or a later one.
    Doubtful(QueryId),
    Again,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) errand: Errand,
    pub(crate) fate: Fate,
    durable: bool,
}

/// All errands, as on disk, with what is known of their fate in this process.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    entries: BTreeMap<MessageId, Entry>,
    unissued: Vec<MessageId>,
    issued: BTreeMap<BatchId, Vec<MessageId>>,
}

impl Outbox {
    pub(crate) fn restore(memory: &dyn Memory) -> Result<Self, ReadError> {
        let (from, to) = Key::Outbox(MessageId(0)).kind_range();
        let mut entries = BTreeMap::new();
        for (_, value) in memory.range(&from, &to, Walk::Forwards, usize::MAX)? {
            let errand: Errand = decode(&value).ok_or(ReadError::Damaged('q'))?;
            let entry = Entry {
                errand,
                fate: Fate::Doubtful(QueryId(0)),
                durable: true,
            };
            entries.insert(entry.errand.id, entry);
        }
        Ok(Self {
            entries,
            ..Self::default()
        })
    }

    pub(crate) fn add(&mut self, errand: Errand, draft: &mut Draft<'_>) {
        draft.put(&Key::Outbox(errand.id), &errand);
        self.unissued.push(errand.id);
        self.entries.insert(
            errand.id,
            Entry {
                errand,
                fate: Fate::Waiting,
                durable: false,
            },
        );
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn remove(&mut self, id: MessageId, draft: &mut Draft<'_>) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        draft.delete(&Key::Outbox(id));
        Some(entry)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The texts to the same conversation that were written after this one, in their order.
    pub(crate) fn texts_after(&self, id: MessageId, with: &BareJid) -> impl Iterator<Item = MessageId> {
        self.entries
            .range(id.next()..)
            .filter(move |(_, entry)| {
                matches!(entry.errand.what, What::Text { .. }) && entry.errand.to == *with
            })
            .map(|(later, _)| *later)
    }

    /// Whether it may be changed or dropped without a trace: no session has had it.
    pub(crate) fn is_untouched(&self, id: MessageId) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.fate == Fate::Waiting)
    }

    pub(crate) fn change(&mut self, id: MessageId, draft: &mut Draft<'_>, change: impl FnOnce(&mut Errand)) {
        if let Some(entry) = self.entries.get_mut(&id) {
            change(&mut entry.errand);
            draft.put(&Key::Outbox(id), &entry.errand);
        }
    }

    pub(crate) fn issued(&mut self, batch: BatchId) {
        let ids = std::mem::take(&mut self.unissued);
        if !ids.is_empty() {
            self.issued.entry(batch).or_default().extend(ids);
        }
    }

    pub(crate) fn durable(&mut self, batch: BatchId) {
        let later = self.issued.split_off(&batch.next());
        for id in std::mem::replace(&mut self.issued, later).into_values().flatten() {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.durable = true;
            }
        }
    }

    pub(crate) fn held(&mut self, ids: &[MessageId]) {
        for id in ids {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.fate = Fate::Held;
            }
        }
    }

    /// The session that held these, or (none given) any, is gone.
    pub(crate) fn doubt(&mut self, ids: Option<&[MessageId]>, from: QueryId) {
        for entry in self.entries.values_mut() {
            let named = ids.is_none_or(|ids| ids.contains(&entry.errand.id));
            if named && entry.fate == Fate::Held {
                entry.fate = Fate::Doubtful(from);
            }
        }
    }

    pub(crate) fn has_doubts(&self) -> bool {
        self.entries
            .values()
            .any(|entry| matches!(entry.fate, Fate::Doubtful(_)))
    }

    /// A reading that began with this question (none: there is no archive to ask) is at its end: what it did
    /// not hold never arrived. Returns what must not be sent again.
    pub(crate) fn resolve(&mut self, reading_since: Option<QueryId>) -> Vec<MessageId> {
        let mut withheld = Vec::new();
        for entry in self.entries.values_mut() {
            if let Fate::Doubtful(from) = entry.fate
                && reading_since.is_none_or(|since| from <= since)
            {
                entry.fate = Fate::Again;
                if entry.errand.withheld {
                    withheld.push(entry.errand.id);
                }
            }
        }
        withheld
    }

    /// What may go now, in the order written, and is handed over by this.
    pub(crate) fn due(&mut self) -> Vec<(MessageId, Outgoing)> {
        let mut blocked = BTreeSet::new();
        let mut due = Vec::new();
        for (id, entry) in &mut self.entries {
            let errand = &entry.errand;
            if blocked.contains(&errand.to) {
                continue;
            }
            let first_sent = match entry.fate {
                Fate::Held => continue,
                Fate::Waiting if entry.durable => None,
                Fate::Again => Some(errand.written),
                Fate::Waiting | Fate::Doubtful(_) => {
                    blocked.insert(errand.to.clone());
                    continue;
                }
            };
            entry.fate = Fate::Held;
            due.push((*id, errand.stanza(first_sent)));
        }
        due
    }
}

impl Errand {
    fn stanza(&self, first_sent: Option<Stamp>) -> Outgoing {
        let (to, id) = (self.to.clone(), self.origin.clone());
        match &self.what {
            What::Text { body } => Outgoing::Text {
                to,
                id,
                body: body.clone(),
                first_sent,
                replaces: None,
                receipt: true,
            },
            What::Edit { replaces, body, .. } => Outgoing::Text {
                to,
                id,
                body: body.clone(),
                first_sent,
                replaces: Some(replaces.clone()),
                receipt: false,
            },
            What::Retract { of, .. } => Outgoing::Retract {
                to,
                id,
                target: of.clone(),
                first_sent,
            },
        }
    }
}

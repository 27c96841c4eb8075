//! A client's memory over a disk that may lag behind, and a server that only keeps an archive.
#![allow(dead_code)]

use dormouse_model::{
    ArchiveFailure, ArchiveId, ArchiveItem, ArchivePage, ArchiveQuery, Arrival, BareJid, Batch, BatchId,
    Change, Content, Conversation, Draft, Incoming, Jid, Key, Kind, Message, MessageId, Now, OriginId,
    Outgoing, PageWanted, Payload, Random, ReadError, Stamp, StanzaId, Tick, Via,
};
use dormouse_timeline::{Effect, Part, Stretch, Timeline, history};
use std::collections::BTreeMap;

pub fn bare(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}
pub fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}
pub const ME: &str = "me@home.example";
pub const BOB: &str = "bob@b.example";

/// A message stanza with a text.
pub fn text(from: &str, to: &str, id: &str, body: &str) -> Incoming {
    Incoming {
        from: jid(from),
        to: jid(to),
        kind: Kind::Chat,
        id: Some(StanzaId::from(id)),
        origin: None,
        archive: None,
        stamp: None,
        resent: false,
        receipt_wanted: false,
        payload: Payload::Text(body.into()),
        chat_state: None,
    }
}

/// What bob writes on his telephone.
pub fn from_bob(id: &str, body: &str) -> Incoming {
    text(&format!("{BOB}/phone"), ME, id, body)
}

/// One of many that bob writes: it says its number.
pub fn numbered(number: usize) -> Incoming {
    from_bob(&format!("id{number}"), &number.to_string())
}

/// What these say.
pub fn bodies(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Signed in once with some history, then gone.
pub fn known(manner: Manner) -> World {
    let mut world = World::new();
    world.manner = manner;
    for number in 0..5 {
        world.archives(&numbered(number));
    }
    world.session(true);
    world.catch_up();
    world.flush();
    world.pass(3600 * 1000);
    world
}

pub fn with(payload: Payload, mut incoming: Incoming) -> Incoming {
    incoming.payload = payload;
    incoming
}

/// How the server treats ids it does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Prosody,
    Ejabberd,
}

pub struct World {
    pub disk: BTreeMap<Vec<u8>, Vec<u8>>,
    pub memory: BTreeMap<Vec<u8>, Vec<u8>>,
    pub pending: Vec<Batch>,
    pub timeline: Timeline,
    pub now: Now,
    pub archive: Vec<ArchiveItem>,
    pub cap: usize,
    pub manner: Manner,
    pub stable: bool,
    pub effects: Vec<Effect>,
    /// What a window shows that took every change.
    pub list: BTreeMap<BareJid, Conversation>,
    pub shown: BTreeMap<MessageId, Message>,
    batch: u64,
    seed: u8,
    ids: u64,
    sent: BTreeMap<MessageId, Outgoing>,
}

impl World {
    pub fn new() -> Self {
        let memory = BTreeMap::new();
        Self {
            timeline: Timeline::restore(bare(ME), Random::from_seed([0; 32]), &memory).unwrap(),
            disk: BTreeMap::new(),
            memory,
            pending: Vec::new(),
            now: Now {
                tick: Tick(1_000_000),
                stamp: Stamp(1_800_000_000_000),
            },
            archive: Vec::new(),
            cap: 50,
            manner: Manner::Prosody,
            stable: true,
            effects: Vec::new(),
            list: BTreeMap::new(),
            shown: BTreeMap::new(),
            batch: 0,
            seed: 0,
            ids: 0,
            sent: BTreeMap::new(),
        }
    }

    pub fn pass(&mut self, milliseconds: u64) {
        self.now.tick.0 += milliseconds;
        self.now.stamp.0 += milliseconds as i64;
    }

    pub fn act<R>(
        &mut self,
        act: impl FnOnce(&mut Timeline, Now, &mut Draft<'_>) -> Result<R, ReadError>,
    ) -> R {
        let mut draft = Draft::over(&self.memory);
        let result = act(&mut self.timeline, self.now, &mut draft).unwrap();
        for it in dormouse_timeline::changed(&self.memory, &draft).unwrap() {
            if it.is_nothing() {
                assert!(self.list.remove(&it.with).is_some(), "{} was not listed", it.with);
            } else {
                let before = self.list.insert(it.with.clone(), it.clone());
                assert_ne!(before, Some(it), "told without being different");
            }
        }
        self.batch += 1;
        let batch = draft.into_batch(BatchId(self.batch));
        batch.apply_to(&mut self.memory);
        self.timeline.issued(batch.id);
        self.pending.push(batch);
        result
    }

    pub fn told(
        &mut self,
        act: impl FnOnce(&mut Timeline, Now, &mut Draft<'_>) -> Result<Vec<Effect>, ReadError>,
    ) -> Vec<Effect> {
        let effects = self.act(act);
        self.see(&effects);
        effects
    }

    fn see(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Change(Change::Message(message)) => {
                    self.shown.insert(message.id, (**message).clone());
                }
                Effect::Change(Change::Removed { id, .. }) => {
                    self.shown.remove(id);
                }
                _ => {}
            }
        }
        self.effects.extend(effects.iter().cloned());
    }

    /// What a window shows that is opened now.
    pub fn snapshot(&self) -> (BTreeMap<BareJid, Conversation>, BTreeMap<MessageId, Message>) {
        let list = dormouse_timeline::conversations(&self.memory).unwrap();
        let (from, to) = Key::Message(MessageId(0)).kind_range();
        let messages = self.memory.range(from..to).map(|(_, value)| {
            let message: Message = dormouse_model::record::decode(value).unwrap();
            (message.id, message)
        });
        let list = list.into_iter().map(|it| (it.with.clone(), it));
        (list.collect(), messages.collect())
    }

    /// The one conversation as the list shows it.
    pub fn summary(&self, with: &str) -> Conversation {
        let shown = self.list.get(&bare(with)).cloned();
        shown.unwrap_or_else(|| Conversation::nothing(bare(with)))
    }

    /// Everything reaches the disk.
    pub fn flush(&mut self) {
        for batch in self.pending.drain(..) {
            batch.apply_to(&mut self.disk);
            self.timeline.durable(batch.id);
        }
    }

    /// The process dies with only so many of the pending batches on disk, and starts again.
    pub fn crash(&mut self, kept: usize) {
        for batch in self.pending.drain(..).take(kept) {
            batch.apply_to(&mut self.disk);
        }
        self.memory = self.disk.clone();
        self.seed += 1;
        self.timeline =
            Timeline::restore(bare(ME), Random::from_seed([self.seed; 32]), &self.memory).unwrap();
        (self.list, self.shown) = self.snapshot();
    }

    /// The server archives a stanza; returns it as it is delivered.
    pub fn archives(&mut self, incoming: &Incoming) -> Incoming {
        self.ids += 1;
        self.pass(700);
        let id = ArchiveId(format!("a{}", self.ids));
        // Whole seconds, as Prosody does.
        let stamp = Stamp(self.now.stamp.0 / 1000 * 1000);
        let message = Some(Incoming {
            resent: false,
            stamp: None,
            ..incoming.clone()
        });
        self.archive.push(ArchiveItem {
            id: id.clone(),
            stamp,
            message,
        });
        Incoming {
            archive: Some(id),
            ..incoming.clone()
        }
    }

    pub fn live(&mut self, incoming: &Incoming) -> Vec<Effect> {
        let arrival = Arrival {
            via: Via::Live,
            message: incoming.clone(),
        };
        self.told(|timeline, now, draft| timeline.arrival(now, arrival, true, draft))
    }

    pub fn carbon(&mut self, incoming: &Incoming) -> Vec<Effect> {
        let arrival = Arrival {
            via: Via::Carbon,
            message: incoming.clone(),
        };
        self.told(|timeline, now, draft| timeline.arrival(now, arrival, true, draft))
    }

    pub fn session(&mut self, fresh: bool) -> Vec<Effect> {
        self.told(|timeline, _, draft| timeline.session(fresh, true, draft))
    }

    pub fn answer(&self, query: &ArchiveQuery) -> Result<ArchivePage, ArchiveFailure> {
        let items: Vec<&ArchiveItem> = self
            .archive
            .iter()
            .filter(|item| query.since.is_none_or(|since| item.stamp >= since))
            .filter(|item| {
                query.with.as_ref().is_none_or(|with| {
                    item.message
                        .as_ref()
                        .is_some_and(|m| m.from.to_bare() == *with || m.to.to_bare() == *with)
                })
            })
            .collect();
        let known = |id: &ArchiveId| self.archive.iter().any(|item| item.id == *id);
        let at = |id: &ArchiveId| items.iter().position(|item| item.id == *id);
        let number = |id: &ArchiveId| id.0[1..].parse::<u64>().unwrap();
        let max = (query.max as usize).min(self.cap);
        let (from, to, backwards) = match &query.page {
            PageWanted::Newest => (0, items.len(), true),
            PageWanted::Before(id) if !known(id) => match self.manner {
                Manner::Prosody => return Err(ArchiveFailure::ItemNotFound),
                Manner::Ejabberd => (0, 0, true),
            },
            PageWanted::After(id) if !known(id) => match self.manner {
                Manner::Prosody => return Err(ArchiveFailure::ItemNotFound),
                Manner::Ejabberd => (0, items.len(), false),
            },
            PageWanted::Before(id) => (0, at(id).unwrap_or(0), true),
            PageWanted::After(id) => {
                let first = items.iter().position(|item| number(&item.id) > number(id));
                (first.unwrap_or(items.len()), items.len(), false)
            }
            PageWanted::Oldest => (0, items.len(), false),
        };
        let (from, to, complete) = if backwards {
            (from.max(to.saturating_sub(max)), to, to - from <= max)
        } else {
            (from, to.min(from + max), to - from <= max)
        };
        Ok(ArchivePage {
            query: query.id,
            items: items[from..to].iter().map(|item| (*item).clone()).collect(),
            complete,
            count: Some(items.len() as u64),
            stable: self.stable,
        })
    }

    pub fn query(&mut self) -> Option<ArchiveQuery> {
        self.timeline.next_query(self.now)
    }

    pub fn give(&mut self, query: &ArchiveQuery) -> Vec<Effect> {
        match self.answer(query) {
            Ok(page) => self.told(|timeline, now, draft| timeline.page(now, page, draft)),
            Err(failure) => {
                let id = query.id;
                self.told(|timeline, now, draft| timeline.archive_failed(now, id, failure, draft))
            }
        }
    }

    /// Asks and answers until nothing is asked any more; returns how many pages that took.
    pub fn catch_up(&mut self) -> usize {
        let mut pages = 0;
        while let Some(query) = self.query() {
            self.give(&query);
            pages += 1;
            assert!(pages < 2000, "the catch-up has no end");
        }
        pages
    }

    pub fn write(&mut self, to: &str, body: &str) -> MessageId {
        let (id, effects) =
            self.act(|timeline, now, draft| timeline.write(now, &bare(to), body.into(), draft));
        self.see(&effects);
        id
    }

    pub fn due(&mut self) -> Vec<(MessageId, Outgoing)> {
        self.act(|timeline, _, _| Ok(timeline.due()))
    }

    pub fn remember(&mut self, id: MessageId, stanza: Outgoing) {
        self.sent.insert(id, stanza);
    }

    pub fn sent(&self, id: MessageId) -> Option<Outgoing> {
        self.sent.get(&id).cloned()
    }

    pub fn acknowledge(&mut self, ids: &[MessageId]) -> Vec<Effect> {
        self.told(|timeline, _, draft| timeline.acknowledged(ids, draft))
    }

    pub fn doubt(&mut self, ids: &[MessageId]) {
        self.act(|timeline, _, _| {
            timeline.doubtful(ids);
            Ok(())
        });
    }

    pub fn stretch(&self, with: &str) -> Stretch {
        history(&self.memory, &bare(ME), &bare(with), Part::Latest, 100_000).unwrap()
    }

    pub fn bodies(&self, with: &str) -> Vec<String> {
        self.stretch(with).messages.iter().map(body).collect()
    }

    pub fn message(&self, with: &str, says: &str) -> Message {
        let found: Vec<Message> = self
            .stretch(with)
            .messages
            .into_iter()
            .filter(|message| body(message) == says)
            .collect();
        assert_eq!(found.len(), 1, "{says} stands {} times", found.len());
        found.into_iter().next().unwrap()
    }
}

pub fn body(message: &Message) -> String {
    match &message.content {
        Content::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// A text of ours as it comes back from the server.
pub fn echo(outgoing: &Outgoing) -> Incoming {
    match outgoing {
        Outgoing::Text {
            to,
            id,
            body,
            replaces,
            ..
        } => {
            let mut incoming = text(&format!("{ME}/here"), to.as_str(), id.as_str(), body);
            incoming.origin = Some(OriginId(id.0.clone()));
            if let Some(replaces) = replaces {
                incoming.payload = Payload::Edit {
                    replaces: replaces.clone(),
                    body: body.clone(),
                };
            }
            incoming
        }
        Outgoing::Retract { to, id, target, .. } => {
            let mut incoming = text(&format!("{ME}/here"), to.as_str(), id.as_str(), "");
            incoming.origin = Some(OriginId(id.0.clone()));
            incoming.payload = Payload::Retract(target.clone());
            incoming
        }
        other => panic!("{other:?} is not archived"),
    }
}

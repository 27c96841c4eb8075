//! The account's memory as one thing: what the core calls.

use crate::arrival::arrive;
use crate::catch_up::CatchUp;
use crate::conflicts;
use crate::coverage::{Coverage, Cursor, Way};
use crate::delivery::proven;
use crate::identity::Copy;
use crate::ledger::Ledger;
use crate::outbox::{Errand, Outbox, What};
use dormouse_model::{
    ArchiveQuery, Arrival, BareJid, BatchId, Change, Content, Delivery, Draft, Failure, Jid, Key, Memory,
    Message, MessageId, Names, Now, OriginId, Outgoing, PageWanted, Place, Random, ReadError, Side, StanzaId,
    Tick, Walk, record::decode,
};

/// What follows from an input, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// What a window shows is different now.
    Change(Change),
    /// To be sent without anybody waiting for what becomes of it: receipts and markers.
    Send(Outgoing),
    /// A line for the journal. Never a body.
    Journal(String),
    /// Everything missed has been read back, as far as the server keeps it.
    CaughtUp,
}

/// The rules of memory of one account.
#[derive(Debug)]
pub struct Timeline {
    pub(crate) account: BareJid,
    random: Random,
    pub(crate) coverage: Coverage,
    pub(crate) catch_up: CatchUp,
    pub(crate) outbox: Outbox,
}

impl Timeline {
    /// The memory as it was left.
    pub fn restore(account: BareJid, random: Random, memory: &dyn Memory) -> Result<Self, ReadError> {
        Ok(Self {
            coverage: memory.read(&Key::Coverage(account.clone()))?.unwrap_or_default(),
            catch_up: CatchUp::default(),
            outbox: Outbox::restore(memory)?,
            account,
            random,
        })
    }

    /// The user writes a message. It is shown at once and sent when it is durable.
    pub fn write(
        &mut self,
        now: Now,
        to: &BareJid,
        body: String,
        draft: &mut Draft<'_>,
    ) -> Result<(MessageId, Vec<Effect>), ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        let id = ledger.next_id()?;
        let origin = OriginId(self.random.uuid());
        let message = Message {
            id,
            conversation: to.clone(),
            place: Place(0),
            sender: Jid::from(self.account.clone()),
            side: Side::Own(Delivery::Queued),
            stamp: now.stamp,
            content: Content::Text(body.clone()),
            names: Names {
                stanza: Some(StanzaId(origin.0.clone())),
                origin: Some(origin.clone()),
                archive: Vec::new(),
            },
            edited: None,
        };
        ledger.put_message(&message);
        ledger.name(id, &Copy::of_own(&message, &self.account))?;
        let end = ledger.end(self.coverage.floor())?;
        ledger.set_place(id, end)?;
        let errand = Errand {
            id,
            to: to.clone(),
            origin,
            what: What::Text { body },
            written: now.stamp,
            withheld: false,
        };
        self.outbox.add(errand, ledger.draft);
        Ok((id, ledger.close()?))
    }

    /// The user replaces an own message (XEP-0308). One that no session has had is changed in place.
    pub fn edit(
        &mut self,
        now: Now,
        id: MessageId,
        body: String,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        self.amend(now, id, Some(body), draft)
    }

    /// The user withdraws an own message (XEP-0424). One that no session has had is thrown away.
    pub fn retract(
        &mut self,
        now: Now,
        id: MessageId,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        self.amend(now, id, None, draft)
    }

    fn amend(
        &mut self,
        now: Now,
        id: MessageId,
        body: Option<String>,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        let origin = OriginId(self.random.uuid());
        let floor = self.coverage.floor();
        conflicts::amend_own(&mut self.outbox, &mut ledger, now, id, origin, body, floor)?;
        ledger.close()
    }

    /// The user wants a failed message tried again. It gets a new name and stands at the end.
    pub fn retry(
        &mut self,
        now: Now,
        id: MessageId,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        let origin = OriginId(self.random.uuid());
        let floor = self.coverage.floor();
        conflicts::retry(&mut self.outbox, &mut ledger, now, id, origin, floor)?;
        ledger.close()
    }

    /// The user throws away an own message that was not sent, as far as is known.
    pub fn discard(&mut self, id: MessageId, draft: &mut Draft<'_>) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        conflicts::discard(&mut self.outbox, &mut ledger, id)?;
        ledger.close()
    }

    /// The user has read a conversation. A marker is sent only where the other side may see us.
    pub fn read(
        &mut self,
        with: &BareJid,
        may_see_us: bool,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        ledger.read_here(with, may_see_us)?;
        ledger.close()
    }

    /// A contact was removed from the roster, here or by another client.
    pub fn contact_removed(
        &mut self,
        with: &BareJid,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        conflicts::contact_removed(&mut self.outbox, &mut ledger, with)?;
        ledger.close()
    }

    /// What was written since the last call goes to disk as this batch.
    pub fn issued(&mut self, batch: BatchId) {
        self.outbox.issued(batch);
    }

    /// This batch, and all before it, are on disk.
    pub fn durable(&mut self, batch: BatchId) {
        self.outbox.durable(batch);
    }

    /// What may be handed to the session now, in order. Call it while a session is ready on a link that is not in doubt;
    /// what it returns counts as handed over.
    pub fn due(&mut self) -> Vec<(MessageId, Outgoing)> {
        self.outbox.due()
    }

    /// The server has these (XEP-0198).
    pub fn acknowledged(
        &mut self,
        ids: &[MessageId],
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        for id in ids {
            // What no session has had can't have been confirmed: this is about an attempt that has bounced, and was
            // tried again before its confirmation came.
            if !self.outbox.is_untouched(*id) {
                proven(&mut self.outbox, &mut ledger, *id, false, self.coverage.floor())?;
            }
        }
        ledger.close()
    }

    /// The session that held these has ended; whether the server has them is not known. The archive will
    /// be asked, or where there is none they are sent again under the same ids.
    pub fn doubtful(&mut self, ids: &[MessageId]) {
        self.outbox.doubt(Some(ids), self.catch_up.next_id());
    }

    /// The restored session still holds these as sent and not acknowledged: it will send them again
    /// itself if it can be resumed. Call it after `restore`, before anything else.
    pub fn held(&mut self, ids: &[MessageId]) {
        self.outbox.held(ids);
    }

    /// The server does not take stanzas as large as this one.
    pub fn too_large(&mut self, id: MessageId, draft: &mut Draft<'_>) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        conflicts::fail(&mut self.outbox, &mut ledger, id, Failure::TooLarge)?;
        ledger.close()
    }

    /// A message stanza came, live or as a carbon. `may_see_us`: the other side may see our presence, so
    /// a receipt gives nothing away (XEP-0184 section 8).
    pub fn arrival(
        &mut self,
        now: Now,
        arrival: Arrival,
        may_see_us: bool,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        let floor = self.coverage.floor();
        let Arrival { via, message } = &arrival;
        arrive(
            &mut self.outbox,
            &mut ledger,
            now,
            via,
            message,
            may_see_us,
            floor,
        )?;
        ledger.close()
    }

    /// A session is there: fresh (what came since the last one is not known) or resumed (nothing was
    /// missed). `archive`: the server keeps one for us. Call it once per session, after `acknowledged` and
    /// `doubtful` and before `due`, as soon as it is known whether there is an archive: what is doubtful is
    /// sent again at once where there is none. Messages may arrive before it.
    pub fn session(
        &mut self,
        fresh: bool,
        archive: bool,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        self.catch_up.session(archive);
        self.catch_up.done = false;
        let mut ledger = Ledger::open(&self.account, draft);
        if fresh {
            self.outbox.doubt(None, self.catch_up.next_id());
        }
        let unread = self.coverage.cursor == Cursor::Never && self.coverage.gap.is_none();
        if archive && (fresh || unread) {
            let floor = ledger.new_floor(self.coverage.floor())?;
            self.coverage.open(floor);
            self.catch_up.reading_since = None;
            self.catch_up.check = None;
            // What waits stands last: what was missed was said before it.
            let waiting: Vec<MessageId> = self.outbox.entries().map(|entry| entry.errand.id).collect();
            for id in waiting {
                ledger.move_to_end(id, Some(floor))?;
            }
            ledger
                .draft
                .put(&Key::Coverage(self.account.clone()), &self.coverage);
        }
        if !archive || self.coverage.gap.is_none() {
            self.finish(&mut ledger, 0)?;
        }
        ledger.close()
    }

    /// The next page to ask for, if any. Ask until it says none; it counts as asked.
    pub fn next_query(&mut self, now: Now) -> Option<ArchiveQuery> {
        if self.outbox.has_doubts() {
            self.quiet_check();
        }
        self.catch_up.next_query(now, &self.coverage)
    }

    /// The next page of older history to ask for, if the user scrolled back; as `next_query`, at most one
    /// is in flight. It looks up the oldest message kept.
    pub fn next_older(&mut self, now: Now, memory: &dyn Memory) -> Result<Option<ArchiveQuery>, ReadError> {
        let Some((id, with)) = self.catch_up.next_older(now, &self.coverage) else {
            return Ok(None);
        };
        let (from, to) = Key::timeline_range(&with);
        let mut page = PageWanted::Newest;
        for (_, value) in memory.range(&from, &to, Walk::Forwards, 64)? {
            let oldest: MessageId = decode(&value).ok_or(ReadError::Damaged('t'))?;
            let message: Option<Message> = memory.read(&Key::Message(oldest))?;
            if let Some(archive) = message.and_then(|message| message.names.archive.into_iter().next()) {
                page = PageWanted::Before(archive);
                break;
            }
        }
        Ok(Some(CatchUp::older_query(id, with, page)))
    }

    /// When `next_query` may have something that it has not now.
    pub fn deadline(&self) -> Option<Tick> {
        self.catch_up.deadline()
    }

    /// The user scrolled back past what is kept of a conversation.
    pub fn older(&mut self, with: &BareJid) {
        let asked = self
            .catch_up
            .older_in_flight
            .as_ref()
            .is_some_and(|(_, asked, _)| asked == with);
        if !asked && !self.catch_up.older.contains(with) {
            self.catch_up.older.push_back(with.clone());
        }
    }

    /// How many messages, edits and retractions wait or are in doubt.
    pub fn outbox_len(&self) -> usize {
        self.outbox.len()
    }

    /// Keeps what is typed in a conversation and not sent; an empty text keeps nothing.
    pub fn draft(&self, with: &BareJid, text: &str, draft: &mut Draft<'_>) -> Result<(), ReadError> {
        let key = Key::Draft(with.clone());
        let kept: Option<String> = draft.read(&key)?;
        if kept.as_deref().unwrap_or_default() != text {
            if text.is_empty() {
                draft.delete(&key);
            } else {
                draft.put(&key, text);
            }
        }
        Ok(())
    }

    /// How far the reading of what was missed has come, while it is under way.
    pub fn progress(&self) -> Option<Change> {
        let gap = self.coverage.gap.as_ref()?;
        (!self.catch_up.done && gap.read > 0).then(|| Change::CatchUp {
            stored: gap.stored,
            expected: gap.expected(),
            done: false,
        })
    }

    /// Whether everything missed has been read back, as far as the server keeps it.
    pub fn caught_up(&self) -> bool {
        self.catch_up.done
    }

    /// It is quiet: ask the archive whether something is there that was never delivered.
    pub fn quiet_check(&mut self) {
        self.check(Way::Onwards);
    }

    /// It is quiet, and a fresh session has read what was missed: read the end of it again. The nodes of a cluster tell
    /// each other late what they archived, so something may stand below the cursor by now that was not there.
    pub fn read_again(&mut self) {
        self.check(Way::FromDate);
    }

    fn check(&mut self, way: Way) {
        let idle = self.catch_up.check.is_none() && self.coverage.gap.is_none() && !self.catch_up.given_up;
        if self.catch_up.archive && idle {
            self.catch_up.reading_since = None;
            self.catch_up.check = Some(way);
        }
    }
}

//! The account's memory as one thing: what the core calls.

use crate::arrival::{Heard, arrive, hear, placed};
use crate::catch_up::{CatchUp, FIRST_ITEMS, Step, first_reading_since};
use crate::conflicts;
use crate::coverage::{Coverage, Cursor, Mark, Way};
use crate::delivery::proven;
use crate::identity::Copy;
use crate::ledger::Ledger;
use crate::order::{Lie, Moves};
use crate::outbox::{Errand, Fate, Outbox, What};
use dormouse_model::{
    ArchiveFailure, ArchiveId, ArchiveItem, ArchivePage, ArchiveQuery, Arrival, BareJid, BatchId, Change,
    Content, Delivery, Draft, Failure, Jid, Key, Memory, Message, MessageId, Names, Now, OriginId, Outgoing,
    PageWanted, Place, QueryId, Random, ReadError, Side, StanzaId, Tick, Via, Walk, record::decode,
};

/// What follows from an input, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// What a window shows is different now.
    Change(Change),
    /// To be sent once, and never again on another session: receipts and markers.
    Send(Outgoing),
    /// A line for the journal. Never a body.
    Journal(String),
    /// Everything missed has been read back, as far as the server keeps it.
    CaughtUp,
}

/// The rules of memory of one account.
#[derive(Debug)]
pub struct Timeline {
    account: BareJid,
    random: Random,
    coverage: Coverage,
    catch_up: CatchUp,
    outbox: Outbox,
}

/// What a page came to.
struct Stored {
    /// The places of the first and the last of its items that have one.
    first: Option<Place>,
    last: Option<Place>,
    fresh: u64,
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
            attempted: false,
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
    pub fn discard(
        &mut self,
        _now: Now,
        id: MessageId,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        conflicts::discard(&mut self.outbox, &mut ledger, id)?;
        ledger.close()
    }

    /// The user has read a conversation. A marker is sent only where the other side may see us.
    pub fn read(
        &mut self,
        _now: Now,
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

    /// What may be handed to the session now, in order. Call it while the session is ready; what it
    /// returns counts as handed over.
    pub fn due(&mut self, _now: Now, draft: &mut Draft<'_>) -> Result<Vec<(MessageId, Outgoing)>, ReadError> {
        Ok(self.outbox.due(draft))
    }

    /// The server has these (XEP-0198).
    pub fn acknowledged(
        &mut self,
        _now: Now,
        ids: &[MessageId],
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        for id in ids {
            proven(&mut self.outbox, &mut ledger, *id, false, self.coverage.floor())?;
        }
        ledger.close()
    }

    /// The session that held these has ended; whether the server has them is not known. The archive will
    /// be asked, or where there is none they are sent again under the same ids.
    pub fn doubtful(&mut self, ids: &[MessageId], _draft: &mut Draft<'_>) -> Result<Vec<Effect>, ReadError> {
        self.outbox.doubt(Some(ids), self.catch_up.next_id());
        Ok(Vec::new())
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
        _now: Now,
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
        if self.coverage.gap.is_none() && self.catch_up.check.is_none() && self.outbox.has_doubts() {
            self.quiet_check(now);
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

    /// A page came.
    pub fn page(
        &mut self,
        now: Now,
        page: ArchivePage,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        if self
            .catch_up
            .older_in_flight
            .as_ref()
            .is_some_and(|(id, ..)| *id == page.query)
        {
            if let Some((_, with, _)) = self.catch_up.older_in_flight.take() {
                self.island(&mut ledger, now, with, &page)?;
            }
            return ledger.close();
        }
        let Some((_, step, _)) = self.catch_up.in_flight.take_if(|(id, ..)| *id == page.query) else {
            ledger.journal("an archive page came that is no longer waited for");
            return ledger.close();
        };
        self.read_page(&mut ledger, now, step, &page)?;
        ledger.close()
    }

    fn read_page(
        &mut self,
        ledger: &mut Ledger<'_, '_>,
        now: Now,
        step: Step,
        page: &ArchivePage,
    ) -> Result<(), ReadError> {
        let lie = match &step {
            // The coverage knows where things are now, should places have moved since it was asked.
            Step::Before(_) => match self.coverage.gap.as_ref().and_then(|gap| gap.span.as_ref()) {
                Some(span) => Lie::Below(span.oldest.place),
                None => Lie::End(self.coverage.floor()),
            },
            Step::Newest => Lie::End(self.coverage.floor()),
            Step::Onwards(_) | Step::FromDate => match &self.coverage.cursor {
                Cursor::At(mark) => {
                    let after = page.items.iter().all(|item| item.stamp >= mark.stamp);
                    Lie::Above {
                        place: mark.place,
                        sure: after && matches!(step, Step::Onwards(_)),
                    }
                }
                // From the very start on: below all that was seen since.
                Cursor::Start => Lie::Above {
                    place: Place(0),
                    sure: false,
                },
                Cursor::Never => Lie::End(self.coverage.floor()),
            },
        };
        let stored = self.store(
            ledger,
            now,
            &page.items,
            &lie,
            self.coverage.cursor != Cursor::Never,
        )?;
        if let Some(gap) = &mut self.coverage.gap {
            gap.stored += stored.fresh;
        }
        let progress = self.coverage.gap.as_ref().map_or(0, |gap| gap.stored);
        if !page.stable {
            // Its messages are shown; what it says about completeness and order may still change.
            ledger
                .draft
                .put(&Key::Coverage(self.account.clone()), &self.coverage);
            return self.ask_again(ledger, now);
        }
        self.catch_up.tries = 0;
        let ids: Vec<&ArchiveId> = page.items.iter().map(|item| &item.id).collect();
        let mark = |item: &ArchiveItem, place: Option<Place>, otherwise: Place| Mark {
            id: item.id.clone(),
            stamp: item.stamp,
            place: place.unwrap_or(otherwise),
        };
        let ends = page.items.first().zip(page.items.last());
        let mut complete = page.complete || ends.is_none();
        match (&step, ends) {
            (_, None) => {}
            (Step::Newest | Step::Before(_), Some((first, last))) => {
                let from = self.coverage.hole().map_or(Place(0), |(_, high)| high);
                // A server that gives the same page again would be asked for ever.
                complete |= matches!(&step, Step::Before(mark) if mark.id == first.id);
                let (oldest, newest) = (mark(first, stored.first, from), mark(last, stored.last, from));
                complete |= self.coverage.extend(&ids, oldest, newest);
                let read = self.coverage.gap.as_ref().map_or(0, |gap| gap.read);
                let far = read >= FIRST_ITEMS || first.stamp < first_reading_since(now);
                complete |= self.coverage.cursor == Cursor::Never && far;
            }
            (Step::Onwards(_) | Step::FromDate, Some((_, last))) => {
                complete |= matches!(&step, Step::Onwards(mark) if mark.id == last.id);
                let known = self.coverage.known_up_to();
                self.coverage.cursor = Cursor::At(mark(last, stored.last, known));
                if let Some(gap) = &mut self.coverage.gap {
                    gap.way = Way::Onwards;
                }
                self.catch_up.check = self.catch_up.check.map(|_| Way::Onwards);
            }
        }
        if complete {
            let was_check = self.coverage.gap.is_none();
            self.coverage.close();
            ledger
                .draft
                .put(&Key::Coverage(self.account.clone()), &self.coverage);
            return if was_check {
                self.checked(ledger)
            } else {
                self.finish(ledger, progress)
            };
        }
        ledger
            .draft
            .put(&Key::Coverage(self.account.clone()), &self.coverage);
        if self.coverage.gap.is_some() {
            ledger.change(Change::CatchUp {
                stored: progress,
                done: false,
            });
        }
        Ok(())
    }

    /// Stores the items of a page and seats them.
    fn store(
        &mut self,
        ledger: &mut Ledger<'_, '_>,
        now: Now,
        items: &[ArchiveItem],
        lie: &Lie,
        count: bool,
    ) -> Result<Stored, ReadError> {
        let floor = self.coverage.floor();
        let mut seats: Vec<(MessageId, bool)> = Vec::new();
        let mut adopted: Vec<(MessageId, ArchiveId)> = Vec::new();
        let mut fresh = Vec::new();
        let known = match &self.coverage.cursor {
            Cursor::At(mark) => Some(mark.clone()),
            _ => None,
        };
        let known_items = known
            .as_ref()
            .and_then(|mark| items.iter().position(|item| item.id == mark.id));
        let mut cursor = known.map(|mark| (None, mark.place));
        for (at, item) in items.iter().enumerate() {
            if known_items.is_some_and(|last| at == last + 1) {
                cursor = cursor.map(|(_, place)| (Some(seats.len()), place));
            }
            let Some(mut incoming) = item.message.clone() else {
                continue;
            };
            incoming.archive = Some(item.id.clone());
            incoming.stamp = incoming.stamp.or(Some(item.stamp));
            match hear(&mut self.outbox, ledger, now, &Via::Archive, &incoming, floor)? {
                Heard::Nothing => {}
                Heard::New(id) => {
                    ledger.settle(id, item.id.clone(), true)?;
                    seats.push((id, false));
                    fresh.push(id);
                }
                Heard::Known(id) if seats.iter().any(|(seated, _)| *seated == id) => {
                    adopted.push((id, item.id.clone()));
                }
                Heard::Known(id) => {
                    let Some(known) = ledger.item(id)? else { continue };
                    let anchor = known.names().archive.first();
                    let again = anchor.is_some_and(|anchor| *anchor != item.id);
                    seats.push((id, again));
                    if anchor != Some(&item.id) {
                        adopted.push((id, item.id.clone()));
                    }
                }
            }
        }
        let (moved, moves) = ledger.seat(&seats, lie, cursor)?;
        self.follow(&moves);
        for (id, archive) in adopted {
            let first = ledger.item(id)?.is_some_and(|item| !item.is_settled()) || moved.contains(&id);
            ledger.settle(id, archive, first)?;
        }
        let hole = self.coverage.hole();
        for id in &fresh {
            placed(&mut self.outbox, ledger, *id, hole, count)?;
        }
        let mut places = Vec::new();
        for (id, again) in &seats {
            if !again || moved.contains(id) {
                places.push(ledger.place_of(Some(*id))?);
            }
            // Where an edit stands decides whether it counts.
            if let Some(crate::ledger::Item::Amendment(amendment)) = ledger.item(*id)?
                && let Some(target) = amendment.target
            {
                ledger.amend(target)?;
            }
        }
        Ok(Stored {
            first: places.first().copied(),
            last: places.last().copied(),
            fresh: fresh.len() as u64,
        })
    }

    fn follow(&mut self, moves: &Moves) {
        if !moves.is_empty() {
            self.coverage.follow(moves);
        }
    }

    /// A page of one conversation's older history: it closes no gap and moves no cursor.
    fn island(
        &mut self,
        ledger: &mut Ledger<'_, '_>,
        now: Now,
        with: BareJid,
        page: &ArchivePage,
    ) -> Result<(), ReadError> {
        let before = self.coverage.clone();
        self.store(ledger, now, &page.items, &Lie::Island(with.clone()), false)?;
        if self.coverage != before {
            ledger
                .draft
                .put(&Key::Coverage(self.account.clone()), &self.coverage);
        }
        let more = !(page.stable && (page.complete || page.items.is_empty()));
        if !more {
            let mut conversation = ledger.conversation(&with)?;
            conversation.beginning = true;
            ledger.put_conversation(&with, &conversation);
        }
        ledger.change(Change::Older {
            conversation: with,
            more,
        });
        Ok(())
    }

    /// A page did not come.
    pub fn archive_failed(
        &mut self,
        now: Now,
        query: QueryId,
        failure: ArchiveFailure,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let mut ledger = Ledger::open(&self.account, draft);
        if self
            .catch_up
            .older_in_flight
            .as_ref()
            .is_some_and(|(id, ..)| *id == query)
        {
            if let Some((_, with, _)) = self.catch_up.older_in_flight.take() {
                match failure {
                    ArchiveFailure::SessionLost => self.catch_up.older.push_front(with),
                    _ => {
                        ledger.journal(format!(
                            "older history with {with} could not be read: {failure:?}"
                        ));
                        ledger.change(Change::Older {
                            conversation: with,
                            more: true,
                        });
                    }
                }
            }
            return ledger.close();
        }
        let Some((_, step, _)) = self.catch_up.in_flight.take_if(|(id, ..)| *id == query) else {
            return ledger.close();
        };
        match failure {
            ArchiveFailure::SessionLost => {}
            ArchiveFailure::NoArchive => {
                self.catch_up.archive = false;
                self.finish(&mut ledger, 0)?;
            }
            ArchiveFailure::ItemNotFound => {
                ledger.journal("the archive no longer knows an id of ours; reading by date");
                self.catch_up.reading_since = None;
                match &mut self.coverage.gap {
                    Some(gap) => gap.way = Way::FromDate,
                    None => self.catch_up.check = Some(Way::FromDate),
                }
                ledger
                    .draft
                    .put(&Key::Coverage(self.account.clone()), &self.coverage);
                // Asked from a date already and still no such item: not at once again.
                if matches!(step, Step::FromDate | Step::Newest) || self.catch_up.tries > 0 {
                    self.ask_again(&mut ledger, now)?;
                } else {
                    self.catch_up.tries = 1;
                }
            }
            ArchiveFailure::Refused(condition) => {
                ledger.journal(format!("the archive refused a page: {condition}"));
                self.ask_again(&mut ledger, now)?;
            }
        }
        ledger.close()
    }

    /// The archive gave no final answer. After some tries the session goes on without: the gap stays open
    /// on disk and the next session reads it.
    fn ask_again(&mut self, ledger: &mut Ledger<'_, '_>, now: Now) -> Result<(), ReadError> {
        if self.catch_up.later(now) {
            ledger.journal("the archive gives no final answer; going on without");
            let stored = self.coverage.gap.as_ref().map_or(0, |gap| gap.stored);
            self.catch_up.reading_since = None;
            self.finish(ledger, stored)?;
        }
        Ok(())
    }

    /// All has been read that will be in this session, or nothing has to be.
    fn finish(&mut self, ledger: &mut Ledger<'_, '_>, stored: u64) -> Result<(), ReadError> {
        self.evidence(ledger)?;
        if !self.catch_up.done {
            self.catch_up.done = true;
            ledger.change(Change::CatchUp { stored, done: true });
            ledger.effect(Effect::CaughtUp);
        }
        Ok(())
    }

    fn checked(&mut self, ledger: &mut Ledger<'_, '_>) -> Result<(), ReadError> {
        self.catch_up.check = None;
        self.finish(ledger, 0)
    }

    /// A reading is at its end: doubts that it could answer are answered.
    fn evidence(&mut self, ledger: &mut Ledger<'_, '_>) -> Result<(), ReadError> {
        let no_answer = !self.catch_up.archive || self.catch_up.given_up;
        let withheld = match self.catch_up.reading_since.take() {
            _ if no_answer => self.outbox.resolve(None),
            None => Vec::new(),
            since => self.outbox.resolve(since),
        };
        for id in withheld {
            conflicts::fail(&mut self.outbox, ledger, id, Failure::ContactRemoved)?;
        }
        Ok(())
    }

    /// The user scrolled back past what is kept of a conversation.
    pub fn older(&mut self, _now: Now, with: &BareJid) {
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
        self.outbox.entries().count()
    }

    /// Whether everything missed has been read back, as far as the server keeps it.
    pub fn caught_up(&self) -> bool {
        self.catch_up.done
    }

    /// It is quiet: ask the archive whether something is there that was never delivered.
    pub fn quiet_check(&mut self, _now: Now) {
        let idle = self.catch_up.check.is_none() && self.coverage.gap.is_none() && !self.catch_up.given_up;
        if self.catch_up.archive && idle {
            self.catch_up.reading_since = None;
            self.catch_up.check = Some(Way::Onwards);
        }
    }

    /// Messages that the user wrote and the server has not confirmed.
    pub fn waiting(&self) -> usize {
        self.outbox.entries().count()
    }

    /// Whether something may or may not have arrived, and the archive has yet to say.
    pub fn has_doubts(&self) -> bool {
        self.outbox
            .entries()
            .any(|entry| matches!(entry.fate, Fate::Doubtful(_)))
    }
}

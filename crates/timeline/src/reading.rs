//! Reading the archive: what a page, or its absence, means for the history and for the coverage.
//!
//! Every page's messages are kept. Only a stable answer moves the coverage, and only the end of a reading (the
//! cursor met, or the archive complete) closes the gap and answers doubts about the outbox.

use crate::arrival::{Heard, hear, placed};
use crate::catch_up::{FIRST_ITEMS, PAGES, Step, first_reading_since};
use crate::conflicts;
use crate::coverage::{Cursor, Mark, Way};
use crate::ledger::{Item, Ledger};
use crate::seating::Lie;
use crate::timeline::{Effect, Timeline};
use dormouse_model::{
    ArchiveFailure, ArchiveId, ArchiveItem, ArchivePage, BareJid, Change, Draft, Failure, Key, MessageId,
    Now, Place, QueryId, ReadError, Via,
};

/// What a page came to.
struct Stored {
    /// The places of the first and the last of its items that have one.
    first: Option<Place>,
    last: Option<Place>,
    fresh: u64,
}

impl Timeline {
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
        // The very first reading stops long before an old archive's beginning: its count says nothing.
        let bounded = self.coverage.cursor != Cursor::Never;
        if let Some(gap) = &mut self.coverage.gap {
            gap.stored += stored.fresh;
            if step == Step::Newest {
                gap.counted = page.count.filter(|_| bounded);
            }
        }
        let progress = self.coverage.gap.as_ref().map_or(0, |gap| gap.stored);
        // A page after the cursor that ends at the cursor and claims that more follows: the server has forgotten
        // the id and begins at the archive's start, or gives the same page for ever. It brings us nowhere.
        let stands_still = matches!((&step, page.items.last()), (Step::Onwards(mark), Some(last)) if mark.id == last.id)
            && !page.complete;
        if !page.stable || stands_still {
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
                let known = self.coverage.known_up_to();
                self.coverage.cursor = Cursor::At(mark(last, stored.last, known));
                if let Some(gap) = &mut self.coverage.gap {
                    gap.way = Way::Onwards;
                }
                self.catch_up.check = self.catch_up.check.map(|_| Way::Onwards);
            }
        }
        if complete {
            self.catch_up.pages = 0;
            let was_check = self.coverage.gap.is_none();
            // A cursor at the floor, where nothing stands, would lie above what is said next.
            let newest = self.coverage.newest_read();
            let behind = newest.map(|newest| ledger.settled_below(Place(newest.0.saturating_add(1))));
            self.coverage
                .close(behind.transpose()?.flatten().unwrap_or_default());
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
        if let Some(gap) = &self.coverage.gap {
            ledger.change(Change::CatchUp {
                stored: progress,
                expected: gap.expected(),
                done: false,
            });
        }
        if self.catch_up.pages >= PAGES {
            ledger.journal(format!(
                "the archive has no end: after {PAGES} pages the session goes on without the rest"
            ));
            self.catch_up.give_up();
            return self.finish(ledger, progress);
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
        self.coverage.follow(&moves);
        for (id, archive) in adopted {
            let first = ledger.item(id)?.is_some_and(|item| !item.is_settled()) || moved.contains(&id);
            ledger.settle(id, archive, first)?;
        }
        let hole = self.coverage.hole();
        // All of them before any marker that waits for one of them is heard: it says how many are left.
        for id in fresh.iter().filter(|_| count) {
            ledger.count_unread(*id, hole)?;
        }
        for id in &fresh {
            placed(&mut self.outbox, ledger, *id)?;
        }
        let mut places = Vec::new();
        for (id, again) in &seats {
            // Of many edits of one message the first are forgotten as they are read.
            let Some(item) = ledger.item(*id)? else { continue };
            if !again || moved.contains(id) {
                places.push(item.place());
            }
            // Where an edit stands decides whether it counts.
            if let Item::Amendment(amendment) = item
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

    /// A page of one conversation's older history: it closes no gap and moves no cursor.
    fn island(
        &mut self,
        ledger: &mut Ledger<'_, '_>,
        now: Now,
        with: BareJid,
        page: &ArchivePage,
    ) -> Result<(), ReadError> {
        self.store(ledger, now, &page.items, &Lie::Island(with.clone()), false)?;
        // Making room may have moved what it speaks of.
        ledger
            .draft
            .put(&Key::Coverage(self.account.clone()), &self.coverage);
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
            self.finish(ledger, stored)?;
        }
        Ok(())
    }

    /// All has been read that will be in this session, or nothing has to be.
    pub(crate) fn finish(&mut self, ledger: &mut Ledger<'_, '_>, stored: u64) -> Result<(), ReadError> {
        self.evidence(ledger)?;
        if !self.catch_up.done {
            self.catch_up.done = true;
            ledger.change(Change::CatchUp {
                stored,
                expected: None,
                done: true,
            });
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
}

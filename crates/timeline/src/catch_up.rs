//! Catch-up: which page of the archive to ask for next.
//!
//! One question at a time for the gap or the quiet check, and one for scrolling back. What an answer
//! means for the coverage is decided in [`crate::timeline`]; here is only what is in flight, when to ask
//! again, and which answers are evidence about doubtful messages: those of a reading that began after the
//! doubt and came to its end.

use crate::coverage::{Coverage, Cursor, Mark, Way};
use dormouse_model::{ArchiveQuery, BareJid, Now, PageWanted, QueryId, Stamp, Tick};
use std::collections::VecDeque;
use std::time::Duration;

/// Items per page.
const PAGE: u32 = 100;
/// The first page is what the window waits for: so small that it arrives with the first bytes that a server may send
/// unacknowledged (ten segments, RFC 6928), where a larger one would take a round trip or two more. Each page before it
/// is twice as large as the one behind, as what may be sent unacknowledged grows.
const FIRST_PAGE: u32 = 12;
/// A page of one conversation, for somebody who scrolls back.
const OLDER_PAGE: u32 = 50;
/// Archives stamp with different clocks and precision (Prosody: whole seconds): this much is read twice (ms).
pub(crate) const OVERLAP: i64 = 5 * 60 * 1000;
/// How far back the very first reading goes: whichever of these comes first.
pub(crate) const FIRST_ITEMS: u64 = 200;
/// In milliseconds: seven days.
pub(crate) const FIRST_LENGTH: i64 = 7 * 24 * 3600 * 1000;
/// An archive that is unstable or refuses is asked so often in one session.
pub(crate) const TRIES: u32 = 5;
/// A question without any answer is asked again after this.
const OVERDUE: Duration = Duration::from_secs(60);

/// A reading ends after so many pages, whatever the archive says: it may turn in circles, or make up messages as long as
/// it is asked. A million messages are in fewer.
pub(crate) const PAGES: u32 = 20_000;

/// What a question was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The newest page of the gap.
    Newest,
    /// The page before what has been read.
    Before(Mark),
    /// From a date on.
    FromDate,
    /// On from the cursor.
    Onwards(Mark),
}

/// The questions of one session.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    /// The server keeps an archive for us, and there is a session to ask it.
    pub(crate) archive: bool,
    /// It has been said that all is read.
    pub(crate) done: bool,
    /// The archive would not give a final answer; what could be had is there.
    pub(crate) given_up: bool,
    pub(crate) in_flight: Option<(QueryId, Step, Tick)>,
    pub(crate) tries: u32,
    pub(crate) again_at: Option<Tick>,
    /// A cheap query after the cursor is wanted; how.
    pub(crate) check: Option<Way>,
    /// The first question of the reading under way: what was doubtful before it is proven at its end.
    pub(crate) reading_since: Option<QueryId>,
    /// Pages asked for in the reading under way.
    pub(crate) pages: u32,
    pub(crate) older: VecDeque<BareJid>,
    pub(crate) older_in_flight: Option<(QueryId, BareJid, Tick)>,
    next: QueryId,
}

impl CatchUp {
    /// The number of the next question: a doubt that begins now is answered from that one on.
    pub(crate) fn next_id(&self) -> QueryId {
        self.next
    }

    /// A session begins, fresh or resumed: nothing that was asked will be waited for.
    pub(crate) fn session(&mut self, archive: bool) {
        self.archive = archive;
        self.in_flight = None;
        self.tries = 0;
        self.again_at = None;
        self.given_up = false;
        self.pages = 0;
        if let Some((_, with, _)) = self.older_in_flight.take() {
            self.older.push_front(with);
        }
    }

    fn ask(&mut self) -> QueryId {
        let id = self.next;
        self.next = id.next();
        id
    }

    /// The next question for the gap or the check.
    pub(crate) fn next_query(&mut self, now: Now, coverage: &Coverage) -> Option<ArchiveQuery> {
        // A time that has come is forgotten, asked or not: a deadline that stayed in the past would never rest.
        self.again_at = self.again_at.filter(|at| now.tick < *at);
        self.in_flight = self
            .in_flight
            .take()
            .filter(|(_, _, at)| now.tick.since(*at) < OVERDUE);
        if !self.archive || self.again_at.is_some() || self.in_flight.is_some() {
            return None;
        }
        let way = match &coverage.gap {
            Some(_) if self.given_up => return None,
            Some(gap) => gap.way,
            None => self.check?,
        };
        let step = match (
            way,
            &coverage.cursor,
            coverage.gap.as_ref().and_then(|gap| gap.span.as_ref()),
        ) {
            (Way::Backwards, _, Some(span)) => Step::Before(span.oldest.clone()),
            (Way::Backwards, ..) => Step::Newest,
            (Way::Onwards, Cursor::At(mark), _) => Step::Onwards(mark.clone()),
            (Way::FromDate | Way::Onwards, ..) => Step::FromDate,
        };
        let since = match &coverage.cursor {
            Cursor::At(mark) => Some(mark.stamp.shifted(-OVERLAP)),
            Cursor::Never if step == Step::FromDate => Some(first_reading_since(now)),
            Cursor::Never | Cursor::Start => None,
        };
        let id = self.ask();
        if self.reading_since.is_none() && !matches!(step, Step::Before(_)) {
            self.reading_since = Some(id);
        }
        let (page, max) = match &step {
            Step::Newest => (PageWanted::Newest, FIRST_PAGE),
            Step::Before(mark) => (PageWanted::Before(mark.id.clone()), page_after(self.pages)),
            Step::FromDate => (PageWanted::Oldest, PAGE),
            Step::Onwards(mark) => (PageWanted::After(mark.id.clone()), PAGE),
        };
        self.in_flight = Some((id, step, now.tick));
        self.pages += 1;
        self.again_at = None;
        Some(ArchiveQuery {
            id,
            with: None,
            page,
            since,
            max,
        })
    }

    /// The next conversation whose older history is wanted. Not while the gap is open: an island beside
    /// a gap could not be put in order with what the gap will bring.
    pub(crate) fn next_older(&mut self, now: Now, coverage: &Coverage) -> Option<(QueryId, BareJid)> {
        let open = coverage.gap.is_some() && !self.given_up;
        let overdue = |(_, _, at): &mut (QueryId, BareJid, Tick)| now.tick.since(*at) >= OVERDUE;
        if let Some((_, with, _)) = self.older_in_flight.take_if(overdue) {
            self.older.push_front(with);
        }
        if !self.archive || open || self.older_in_flight.is_some() {
            return None;
        }
        let with = self.older.pop_front()?;
        let id = self.ask();
        self.older_in_flight = Some((id, with.clone(), now.tick));
        Some((id, with))
    }

    /// A page of one conversation.
    pub(crate) fn older_query(id: QueryId, with: BareJid, page: PageWanted) -> ArchiveQuery {
        ArchiveQuery {
            id,
            with: Some(with),
            page,
            since: None,
            max: OLDER_PAGE,
        }
    }

    /// No final answer: ask again later, a few times. Says whether to give up.
    pub(crate) fn later(&mut self, now: Now) -> bool {
        self.tries += 1;
        if self.tries >= TRIES {
            self.give_up();
            return true;
        }
        self.again_at = Some(now.tick + Duration::from_secs(1 << self.tries.min(6)));
        false
    }

    /// What could be had in this session is there.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
        self.check = None;
        self.reading_since = None;
    }

    pub(crate) fn deadline(&self) -> Option<Tick> {
        let overdue = self.in_flight.as_ref().map(|(_, _, at)| *at + OVERDUE);
        let older = self.older_in_flight.as_ref().map(|(_, _, at)| *at + OVERDUE);
        [self.again_at, overdue, older].into_iter().flatten().min()
    }
}

/// The size of a page backwards, behind so many of the same reading.
fn page_after(pages: u32) -> u32 {
    (FIRST_PAGE << pages.min(8)).min(PAGE)
}

/// How far back the very first reading goes.
pub(crate) fn first_reading_since(now: Now) -> Stamp {
    now.stamp.shifted(-FIRST_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_from_what_one_flight_holds_to_as_many_as_are_worth_it() {
        let sizes: Vec<u32> = (0..6).map(page_after).collect();
        assert_eq!(sizes, [12, 24, 48, 96, 100, 100]);
        assert_eq!(page_after(u32::MAX), PAGE);
    }

    #[test]
    fn a_question_whose_answer_is_overdue_leaves_no_deadline_in_the_past() {
        let at = |tick: Duration| Now {
            tick: Tick(0) + tick,
            ..Now::default()
        };
        let coverage = Coverage::default();
        let mut catch_up = CatchUp::default();
        catch_up.session(true);
        catch_up.check = Some(Way::Onwards);
        catch_up.older.push_back(BareJid::new("bob@b.example").unwrap());
        assert!(catch_up.next_query(at(Duration::ZERO), &coverage).is_some());
        assert!(catch_up.next_older(at(Duration::ZERO), &coverage).is_some());
        assert_eq!(catch_up.deadline(), Some(Tick(0) + OVERDUE));
        catch_up.check = None;
        assert!(
            catch_up.next_query(at(OVERDUE), &coverage).is_none(),
            "nothing is wanted any more"
        );
        assert!(
            catch_up.next_older(at(OVERDUE), &coverage).is_some(),
            "asked again"
        );
        assert_eq!(catch_up.deadline(), Some(Tick(0) + OVERDUE + OVERDUE));
    }
}

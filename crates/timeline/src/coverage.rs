//! Coverage: up to where the archive is known, and the gap that is still open.
//!
//! The *cursor* is the archive id up to which everything is known. Only complete, stable answers of the
//! archive move it. A fresh session opens a *gap*: from the cursor to the session's floor. It is read
//! newest page first; what has been read is a *span* next to the floor, and when a session ends before the
//! span meets the cursor, the span is remembered: the next reading jumps over it. All of this is on
//! disk with what it covers, in one batch: a crash repeats work and never skips any.

use crate::order::Moves;
use dormouse_model::{ArchiveId, Place, Stamp};
use serde::{Deserialize, Serialize};

/// So many interrupted readings are remembered; an older one is read again.
const SPANS: usize = 8;

/// An item of the archive and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) id: ArchiveId,
    pub(crate) stamp: Stamp,
    /// Its place, or that of the nearest item before it that has one.
    pub(crate) place: Place,
}

/// Up to where everything is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Cursor {
    /// The archive has never been read.
    #[default]
    Never,
    /// It was empty when it was first read: everything in it came since.
    Start,
    /// Up to this item.
    At(Mark),
}

/// A part of the archive, read without a hole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) newest: Mark,
    pub(crate) oldest: Mark,
}

/// How a gap is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    /// Newest page first, then the pages before.
    Backwards,
    /// The archive no longer knows an id of ours: from a date on.
    FromDate,
    /// On from the cursor.
    Onwards,
}

/// What lies between the cursor and the floor of the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gap {
    pub(crate) floor: Place,
    pub(crate) way: Way,
    pub(crate) span: Option<Span>,
    pub(crate) earlier: Vec<Span>,
    /// Items read in this reading.
    pub(crate) read: u64,
    /// Messages found in it.
    pub(crate) stored: u64,
    /// Items that this reading will meet, as the server counted them at its beginning.
    #[serde(default)]
    pub(crate) counted: Option<u64>,
}

impl Gap {
    /// How many messages will be found at most: those found, and every item that is left. None where the server
    /// does not count, or the reading does not go by pages from the newest on.
    pub(crate) fn expected(&self) -> Option<u64> {
        let left = self.counted?.saturating_sub(self.read);
        (self.way == Way::Backwards).then(|| self.stored.saturating_add(left))
    }
}

/// How much of an archive is known (under [`dormouse_model::Key::Coverage`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Coverage {
    pub(crate) cursor: Cursor,
    pub(crate) gap: Option<Gap>,
}

impl Coverage {
    /// The place up to which everything is known.
    pub(crate) fn known_up_to(&self) -> Place {
        match &self.cursor {
            Cursor::At(mark) => mark.place,
            _ => Place(0),
        }
    }

    /// Between which places something may be missing.
    pub(crate) fn hole(&self) -> Option<(Place, Place)> {
        let gap = self.gap.as_ref()?;
        let high = gap.span.as_ref().map_or(gap.floor, |span| span.oldest.place);
        let low = self.known_up_to();
        Some((low, high.max(low)))
    }

    /// The floor of the session, as long as the gap is open.
    pub(crate) fn floor(&self) -> Option<Place> {
        self.gap.as_ref().map(|gap| gap.floor)
    }

    /// A fresh session: everything since the cursor may be missing. An open gap keeps its lower end.
    pub(crate) fn open(&mut self, floor: Place) {
        let mut earlier = Vec::new();
        if let Some(old) = self.gap.take() {
            if old.way == Way::Backwards {
                earlier.extend(old.span);
            }
            earlier.extend(old.earlier);
            earlier.truncate(SPANS);
        }
        self.gap = Some(Gap {
            floor,
            way: Way::Backwards,
            span: None,
            earlier,
            read: 0,
            stored: 0,
            counted: None,
        });
    }

    /// A backward page was read: `ids` are its items, oldest first, `oldest` and `newest` its ends.
    /// Says whether it met the cursor.
    pub(crate) fn extend(&mut self, ids: &[&ArchiveId], oldest: Mark, newest: Mark) -> bool {
        let Some(gap) = &mut self.gap else { return true };
        gap.read += ids.len() as u64;
        let span = match gap.span.take() {
            Some(span) => Span {
                newest: span.newest,
                oldest,
            },
            None => Span { newest, oldest },
        };
        let span = gap.span.insert(span);
        while let Some(met) = gap.earlier.iter().position(|old| ids.contains(&&old.newest.id)) {
            span.oldest = gap.earlier.remove(met).oldest;
        }
        matches!(&self.cursor, Cursor::At(mark) if ids.contains(&&mark.id))
    }

    /// Where the newest item of the gap's first page stands; at the floor, if it and all before it in its page have no place.
    pub(crate) fn newest_read(&self) -> Option<Place> {
        let span = self.gap.as_ref()?.span.as_ref()?;
        Some(span.newest.place)
    }

    /// The gap is read: the cursor moves to the newest item of its first page, which stands here or behind what does.
    pub(crate) fn close(&mut self, place: Place) {
        if let Some(gap) = self.gap.take() {
            match (gap.way, gap.span) {
                (Way::Backwards, Some(span)) => {
                    self.cursor = Cursor::At(Mark { place, ..span.newest });
                }
                _ if self.cursor == Cursor::Never => self.cursor = Cursor::Start,
                _ => {}
            }
        }
    }

    /// Places have moved.
    pub(crate) fn follow(&mut self, moves: &Moves) {
        if let Cursor::At(mark) = &mut self.cursor {
            mark.place = moves.follow(mark.place);
        }
        if let Some(gap) = &mut self.gap {
            gap.floor = moves.follow_bound(gap.floor);
            for span in gap.span.iter_mut().chain(&mut gap.earlier) {
                span.newest.place = moves.follow_bound(span.newest.place);
                span.oldest.place = moves.follow_bound(span.oldest.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_and_what_is_not_goes_along_when_places_move() {
        let mark = |place| Mark {
            id: ArchiveId("a".into()),
            stamp: Stamp(0),
            place: Place(place),
        };
        let span = |oldest, newest| Span {
            newest: mark(newest),
            oldest: mark(oldest),
        };
        let coverage = |cursor, [floor, a, b, c, d]: [u128; 5]| {
            let mut coverage = Coverage {
                cursor: Cursor::At(mark(cursor)),
                gap: None,
            };
            coverage.open(Place(floor));
            if let Some(gap) = &mut coverage.gap {
                gap.span = Some(span(a, b));
                gap.earlier = vec![span(c, d)];
            }
            coverage
        };
        let moved: Vec<(Place, Place)> = (1..=5).map(|at| (Place(at * 10), Place(at * 100))).collect();
        let mut followed = coverage(10, [45, 30, 40, 20, 20]);
        followed.follow(&Moves(moved));
        assert_eq!(followed, coverage(100, [499, 300, 400, 200, 200]));
    }
}

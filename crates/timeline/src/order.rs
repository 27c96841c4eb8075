//! Places: where an item stands on the account's one line of history.
//!
//! The line follows archive order. What arrives live is appended one [`STEP`] behind the last. A fresh
//! session first reserves [`RESERVE`] for what was missed. Between two known items there is nearly
//! always room; where there is none, a stretch of the line is respread, and what moved is told.
//!
//! An item is *settled* once the archive has named it: its place then means something. Others (own
//! messages not read back yet, live ones without an archive id) stand provisionally: they give way.
//! A page of the archive is seated as a whole: the settled items that already stand in archive order are
//! kept (the heaviest increasing subsequence, with what is known of where the page lies), and all others
//! are placed between them; provisional ones stay where they are if that is between the right ones.

use crate::ledger::{Item, Ledger};
use dormouse_model::record::decode;
use dormouse_model::{BareJid, Key, Memory, MessageId, Place, ReadError, Walk};
use serde::{Deserialize, Serialize};

/// The room between two messages that arrive one after the other.
pub(crate) const STEP: u128 = 1 << 64;
/// The room kept for what a fresh session may have missed.
pub(crate) const RESERVE: u128 = 1 << 96;
/// Where the line starts: history grows downwards from here when the user scrolls back.
const MIDDLE: u128 = 1 << 127;
/// Less room than this between two items is none.
const NARROW: u128 = 1 << 10;
/// What a respread stretch leaves between its items at least.
const ROOMY: u128 = 1 << 40;

/// What stands at a place (under [`Key::Line`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineEntry {
    pub(crate) item: MessageId,
    pub(crate) settled: bool,
}

/// Where a page lies, beyond what its own items say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Just below what stands (or the session began) here.
    Below(Place),
    /// Just above what stands here; if not `sure`, the page may start further down: a server that does not
    /// know the id asked for may answer from the start (ejabberd).
    Above { place: Place, sure: bool },
    /// At the end of the archive; missed things stand below the session's floor, if it has one.
    End(Option<Place>),
    /// An island of one conversation, older than all that is kept of it where its items don't say otherwise.
    Island(BareJid),
}

/// Places that changed because a stretch of the line was respread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moves(Vec<(Place, Place)>);

impl Moves {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where something now is that was at this place, or just behind what was.
    pub(crate) fn follow(&self, place: Place) -> Place {
        let at = self.0.partition_point(|(old, _)| *old <= place);
        let inside = self.0.last().is_some_and(|(last, _)| place <= *last);
        match at.checked_sub(1).and_then(|index| self.0.get(index)) {
            Some((old, new)) if *old == place => *new,
            Some((_, new)) if inside => Place(new.0 + 1),
            // Behind the stretch: it did not move, unless the stretch now reaches past it.
            Some((_, new)) => Place(place.0.max(new.0 + 1)),
            None => self
                .0
                .first()
                .map_or(place, |(_, new)| Place(place.0.min(new.0 - 1))),
        }
    }

    /// As `follow`, for an upper bound. Where nothing stood at it (the floor of a session), it stays just
    /// below what stood above it, with all the room there is beneath.
    pub(crate) fn follow_bound(&self, floor: Place) -> Place {
        let at = self.0.partition_point(|(old, _)| *old < floor);
        match (self.0.get(at), self.0.last()) {
            (Some((old, new)), _) if *old == floor => *new,
            (Some((_, above)), _) if at > 0 => Place(above.0 - 1),
            (None, Some((_, last))) if *last >= floor => Place(last.0.saturating_add(RESERVE)),
            (Some((_, above)), _) if *above <= floor => Place(above.0 - 1),
            _ => floor,
        }
    }
}

fn line_place(key: &[u8]) -> Option<Place> {
    Some(Place(u128::from_be_bytes(key.get(1..17)?.try_into().ok()?)))
}

impl Ledger<'_, '_> {
    /// At most `limit` entries of the line in `[from, to)`.
    pub(crate) fn line(
        &self,
        from: Place,
        to: Option<Place>,
        walk: Walk,
        limit: usize,
    ) -> Result<Vec<(Place, LineEntry)>, ReadError> {
        let to = match to {
            Some(to) => Key::Line(to).bytes(),
            None => Key::Line(from).kind_range().1,
        };
        let found = self.draft.range(&Key::Line(from).bytes(), &to, walk, limit)?;
        found
            .iter()
            .map(|(key, value)| Some((line_place(key)?, decode(value)?)))
            .map(|entry| entry.ok_or(ReadError::Damaged('p')))
            .collect()
    }

    /// The highest place taken.
    pub(crate) fn top(&self) -> Result<Option<Place>, ReadError> {
        let last = self.line(Place(0), None, Walk::Backwards, 1)?;
        Ok(last.first().map(|(place, _)| *place))
    }

    fn bottom(&self) -> Result<Place, ReadError> {
        let first = self.line(Place(0), None, Walk::Forwards, 1)?;
        Ok(first.first().map_or(Place(MIDDLE), |(place, _)| *place))
    }

    /// A place behind everything, and behind the session's floor.
    pub(crate) fn end(&self, floor: Option<Place>) -> Result<Place, ReadError> {
        let last = self.top()?.into_iter().chain(floor).max();
        Ok(last.map_or(Place(MIDDLE), |last| Place(last.0.saturating_add(STEP))))
    }

    /// A floor for a fresh session: what it brings stands above, what was missed below.
    pub(crate) fn new_floor(&self, earlier: Option<Place>) -> Result<Place, ReadError> {
        let last = self.top()?.into_iter().chain(earlier).max();
        Ok(Place(last.map_or(MIDDLE, |last| last.0).saturating_add(RESERVE)))
    }

    fn settled_below(&self, place: Place) -> Result<Option<Place>, ReadError> {
        let mut to = place;
        loop {
            let some = self.line(Place(0), Some(to), Walk::Backwards, 16)?;
            if let Some((found, _)) = some.iter().find(|(_, entry)| entry.settled) {
                return Ok(Some(*found));
            }
            match some.last() {
                Some((last, _)) if some.len() == 16 => to = *last,
                _ => return Ok(None),
            }
        }
    }

    fn settled_above(&self, place: Place) -> Result<Option<Place>, ReadError> {
        let mut from = Place(place.0.saturating_add(1));
        loop {
            let some = self.line(from, None, Walk::Forwards, 16)?;
            if let Some((found, _)) = some.iter().find(|(_, entry)| entry.settled) {
                return Ok(Some(*found));
            }
            match some.last() {
                Some((last, _)) if some.len() == 16 => from = Place(last.0 + 1),
                _ => return Ok(None),
            }
        }
    }

    /// The neighbour in one conversation's own order.
    pub(crate) fn neighbour(
        &self,
        conversation: &BareJid,
        place: Place,
        walk: Walk,
    ) -> Result<Option<Place>, ReadError> {
        let (mut from, mut to) = Key::timeline_range(conversation);
        match walk {
            Walk::Backwards => to = Key::Timeline(conversation.clone(), place).bytes(),
            Walk::Forwards => {
                from = Key::Timeline(conversation.clone(), Place(place.0.saturating_add(1))).bytes();
            }
        }
        let found = self.draft.range(&from, &to, walk, 1)?;
        Ok(match found.first() {
            Some((key, _)) => timeline_place(key),
            None => None,
        })
    }

    /// Takes an item off the line.
    pub(crate) fn unplace(
        &mut self,
        id: MessageId,
        conversation: &BareJid,
        place: Place,
    ) -> Result<(), ReadError> {
        let line = Key::Line(place);
        if self
            .draft
            .read::<LineEntry>(&line)?
            .is_some_and(|entry| entry.item == id)
        {
            self.draft.delete(&line);
        }
        let own = Key::Timeline(conversation.clone(), place);
        if self.draft.read::<MessageId>(&own)? == Some(id) {
            self.draft.delete(&own);
        }
        Ok(())
    }

    /// Puts an item at a place, or just behind it where that is taken.
    pub(crate) fn set_place(&mut self, id: MessageId, place: Place) -> Result<Place, ReadError> {
        let mut free = place;
        while let Some(taken) = self.draft.read::<LineEntry>(&Key::Line(free))? {
            if taken.item == id {
                break;
            }
            free = Place(free.0.saturating_add(1));
        }
        self.force_place(id, free)?;
        Ok(free)
    }

    fn force_place(&mut self, id: MessageId, place: Place) -> Result<(), ReadError> {
        let Some(mut item) = self.item(id)? else {
            return Ok(());
        };
        let conversation = item.conversation().clone();
        self.unplace(id, &conversation, item.place())?;
        let settled = item.is_settled();
        match &mut item {
            Item::Message(message) => {
                message.place = place;
                self.draft.put(&Key::Timeline(conversation, place), &id);
            }
            Item::Amendment(amendment) => amendment.place = place,
        }
        self.draft
            .put(&Key::Line(place), &LineEntry { item: id, settled });
        self.put_item(&item);
        Ok(())
    }

    /// Puts an item behind everything, unless it already is.
    pub(crate) fn move_to_end(&mut self, id: MessageId, floor: Option<Place>) -> Result<(), ReadError> {
        let Some(item) = self.item(id)? else {
            return Ok(());
        };
        if self.top()? != Some(item.place()) || floor.is_some_and(|floor| item.place() < floor) {
            let end = self.end(floor)?;
            self.set_place(id, end)?;
        }
        Ok(())
    }

    /// Seats the items of a page, given in archive order, each once. `again` marks those that the
    /// archive holds a second time: the first copy counts, so they move down and never up. `cursor`: up to where
    /// everything is known and in order, so that nothing new stands below it; and how many of the items stand
    /// there, if the page says so.
    /// Returns which of the second copies moved, and what else had to.
    pub(crate) fn seat(
        &mut self,
        page: &[(MessageId, bool)],
        lie: &Lie,
        cursor: Option<(Option<usize>, Place)>,
    ) -> Result<(Vec<MessageId>, Moves), ReadError> {
        let mut all = Moves::default();
        let (mut lie, mut cursor) = (lie.clone(), cursor);
        // Each respread leaves room for the run that lacked it, so this ends; the bound guards it.
        for _ in 0..=page.len() {
            match self.try_seat(page, &lie, cursor)? {
                Seated::Done(moved) => return Ok((moved, all)),
                Seated::NoRoom { behind, wanted } => {
                    let moves = self.respread(behind, wanted)?;
                    cursor = cursor.map(|(count, place)| (count, moves.follow(place)));
                    lie = match lie {
                        Lie::Below(place) => Lie::Below(moves.follow_bound(place)),
                        Lie::Above { place, sure } => Lie::Above {
                            place: moves.follow(place),
                            sure,
                        },
                        Lie::End(floor) => Lie::End(floor.map(|floor| moves.follow_bound(floor))),
                        island @ Lie::Island(_) => island,
                    };
                    all = Moves(
                        all.0
                            .iter()
                            .map(|(old, new)| (*old, moves.follow(*new)))
                            .chain(moves.0.iter().copied())
                            .collect(),
                    );
                    all.0.sort_unstable();
                    all.0.dedup_by_key(|(old, _)| *old);
                }
            }
        }
        Ok((Vec::new(), all))
    }

    fn try_seat(
        &mut self,
        page: &[(MessageId, bool)],
        lie: &Lie,
        cursor: Option<(Option<usize>, Place)>,
    ) -> Result<Seated, ReadError> {
        let mut seats = Vec::with_capacity(page.len());
        for (id, again) in page {
            let Some(item) = self.item(*id)? else { continue };
            let place = item.place();
            seats.push(Seat {
                id: *id,
                place,
                settled: place.0 > 0 && item.is_settled(),
                again: *again,
            });
        }
        let known = cursor
            .map(|(_, place)| place)
            .filter(|_| !matches!(lie, Lie::Island(_)));
        let kept = keep(&seats, lie, cursor);
        // Second copies: above where this copy stands means that it is the earlier one.
        let mut moved = Vec::new();
        let mut order: Vec<(MessageId, Option<Place>)> = Vec::new();
        for (index, seat) in seats.iter().enumerate() {
            if seat.again {
                let above = (index..seats.len()).find(|i| kept.contains(i));
                let above = above.and_then(|i| seats.get(i)).map(|seat| seat.place);
                let above = above.or(match lie {
                    Lie::Below(place) => Some(*place),
                    _ => None,
                });
                if above.is_some_and(|above| seat.place >= above) {
                    moved.push(seat.id);
                    order.push((seat.id, None));
                }
            } else if kept.contains(&index) {
                order.push((seat.id, Some(seat.place)));
            } else {
                order.push((seat.id, None));
            }
        }
        let mut index = 0;
        let mut lower: Option<Place> = None;
        let mut first_run = true;
        let mut written = Vec::new();
        while index < order.len() {
            if let Some((_, Some(place))) = order.get(index) {
                lower = Some(*place);
                first_run = false;
                index += 1;
                continue;
            }
            let run: Vec<MessageId> = order
                .iter()
                .skip(index)
                .take_while(|(_, place)| place.is_none())
                .map(|(id, _)| *id)
                .collect();
            let upper = order.get(index + run.len()).and_then(|(_, place)| *place);
            let (low, high, lean) = self.bounds(lower, upper, first_run, run.len(), lie, known)?;
            let low = known.filter(|known| low < *known && *known < high).unwrap_or(low);
            let stood: Vec<Place> = run
                .iter()
                .map(|id| {
                    seats
                        .iter()
                        .find(|seat| seat.id == *id && !seat.settled)
                        .map_or(Place(0), |seat| seat.place)
                })
                .collect();
            match spread_around(&stood, low, high, lean) {
                Ok(places) => written.extend(run.iter().copied().zip(places)),
                Err(behind) => {
                    return Ok(Seated::NoRoom {
                        behind,
                        wanted: run.len(),
                    });
                }
            }
            index += run.len();
        }
        for (id, place) in written {
            self.set_place(id, place)?;
        }
        Ok(Seated::Done(moved))
    }

    /// Between which places a run of items goes, and to which side it keeps.
    fn bounds(
        &self,
        lower: Option<Place>,
        upper: Option<Place>,
        first_run: bool,
        count: usize,
        lie: &Lie,
        known: Option<Place>,
    ) -> Result<(Place, Place, Lean), ReadError> {
        let wide = |from: Place| Place(from.0.saturating_add(STEP.saturating_mul(count as u128 + 1)));
        // What the page says itself, completed by where it lies.
        let lower = lower.or(match lie {
            Lie::Above { place, .. } if first_run && upper.is_none_or(|upper| *place < upper) => Some(*place),
            _ => None,
        });
        let upper = upper.or(match lie {
            Lie::Below(place) if lower.is_none_or(|lower| lower < *place) => Some(*place),
            _ => None,
        });
        Ok(match (lower, upper) {
            (Some(lower), Some(upper)) => (lower, upper, Lean::Even),
            (Some(lower), None) => {
                // What follows the page's last known item was not known: it came after all that is.
                let lower = known.map_or(lower, |known| lower.max(known));
                let next = match lie {
                    Lie::Island(with) => self.neighbour(with, lower, Walk::Forwards)?,
                    Lie::End(Some(floor)) if lower < *floor => {
                        Some(self.settled_above(lower)?.map_or(*floor, |next| next.min(*floor)))
                    }
                    _ => self.settled_above(lower)?,
                };
                let next = match next {
                    Some(next) => next,
                    None => wide(lower).max(self.end(None)?),
                };
                (lower, next, Lean::Down)
            }
            (None, Some(upper)) => {
                let below = match lie {
                    Lie::Island(with) => match self.neighbour(with, upper, Walk::Backwards)? {
                        Some(below) => Some(below),
                        None => return Ok((Place(0), upper.min(self.bottom()?), Lean::Up)),
                    },
                    _ => self.settled_below(upper)?,
                };
                (below.unwrap_or_default(), upper, Lean::Up)
            }
            (None, None) => match lie {
                Lie::End(None) | Lie::Above { .. } | Lie::Below(_) => {
                    let last = self.top()?.unwrap_or(Place(MIDDLE));
                    (last, wide(last), Lean::Down)
                }
                Lie::End(Some(floor)) => (self.settled_below(*floor)?.unwrap_or_default(), *floor, Lean::Up),
                Lie::Island(with) => {
                    let first = self.neighbour(with, Place(0), Walk::Forwards)?;
                    let bottom = self.bottom()?;
                    (
                        Place(0),
                        first.map_or(bottom, |first| first.min(bottom)),
                        Lean::Up,
                    )
                }
            },
        })
    }

    /// Makes room behind a place by spreading the entries around it.
    fn respread(&mut self, behind: Place, wanted: usize) -> Result<Moves, ReadError> {
        let mut reach = 8;
        loop {
            let split = Place(behind.0.saturating_add(1));
            let mut below = self.line(Place(0), Some(split), Walk::Backwards, reach + 1)?;
            let mut above = self.line(split, None, Walk::Forwards, reach + 1)?;
            let whole = below.len() <= reach && above.len() <= reach;
            let low = if below.len() > reach {
                below.pop().map_or(0, |(place, _)| place.0)
            } else {
                0
            };
            let high = if above.len() > reach {
                above.pop().map_or(u128::MAX, |(place, _)| place.0)
            } else {
                u128::MAX
            };
            let slots = (below.len() + above.len() + wanted + 2) as u128;
            let step = (high - low) / slots;
            if step < ROOMY && !whole {
                reach *= 2;
                continue;
            }
            below.reverse();
            let step = step.min(RESERVE);
            // Where the line ends there is no need to move far: stay near the fixed side.
            let start = if high == u128::MAX && low == 0 {
                MIDDLE.saturating_sub(step * slots / 2)
            } else if low == 0 {
                high - step * slots
            } else {
                low
            };
            let held = below.len();
            let entries: Vec<_> = below.into_iter().chain(above).collect();
            let mut moves = Moves::default();
            for (index, (old, _)) in entries.iter().enumerate() {
                let slot = if index < held {
                    index + 1
                } else {
                    index + 1 + wanted
                };
                moves.0.push((*old, Place(start + step * slot as u128)));
            }
            for ((_, entry), (_, new)) in entries.iter().zip(&moves.0) {
                self.force_place(entry.item, *new)?;
            }
            return Ok(moves);
        }
    }
}

pub(crate) fn timeline_place(key: &[u8]) -> Option<Place> {
    let tail = key.len().checked_sub(16)?;
    Some(Place(u128::from_be_bytes(key.get(tail..)?.try_into().ok()?)))
}

const SETTLED: u64 = 1 << 20;
/// Where the page lies is known: items that contradict it move, settled or not.
const SURE: u64 = 1 << 40;
const UNSURE: u64 = 1 << 10;

struct Seat {
    id: MessageId,
    place: Place,
    settled: bool,
    again: bool,
}

enum Seated {
    Done(Vec<MessageId>),
    NoRoom { behind: Place, wanted: usize },
}

#[derive(Clone, Copy)]
enum Lean {
    /// Next to the upper bound: more will come beneath.
    Up,
    /// Next to the lower bound: more will come above.
    Down,
    /// Evenly.
    Even,
}

/// Which seats stay where they are: the heaviest that stand in order.
fn keep(seats: &[Seat], lie: &Lie, cursor: Option<(Option<usize>, Place)>) -> Vec<usize> {
    // (index of the seat, or none for a bound; its place, a bound just behind what stands there; weight)
    let mut line: Vec<(Option<usize>, (u128, bool), u64)> = Vec::new();
    if let Lie::Above { place, sure } = lie {
        line.push((None, (place.0, true), if *sure { SURE } else { UNSURE }));
    }
    for (index, seat) in seats.iter().enumerate() {
        if let Some((count, place)) = cursor
            && count == Some(index)
        {
            line.push((None, (place.0, true), SURE));
        }
        if seat.settled && !seat.again {
            line.push((Some(index), (seat.place.0, false), SETTLED));
        }
    }
    if let Lie::Below(place) = lie {
        line.push((None, (place.0, false), SURE));
    }
    let mut best: Vec<(u64, Option<usize>)> = Vec::with_capacity(line.len());
    for (at, (_, place, weight)) in line.iter().enumerate() {
        let before = (0..at)
            .filter(|earlier| line.get(*earlier).is_some_and(|(_, other, _)| other < place))
            .max_by_key(|earlier| best.get(*earlier).map_or(0, |(weight, _)| *weight));
        let carried = before
            .and_then(|earlier| best.get(earlier))
            .map_or(0, |(weight, _)| *weight);
        best.push((carried + weight, before));
    }
    let mut at = (0..best.len()).max_by_key(|at| best.get(*at).map_or(0, |(weight, _)| *weight));
    let mut kept = Vec::new();
    while let Some(index) = at {
        kept.extend(line.get(index).and_then(|(seat, _, _)| *seat));
        at = best.get(index).and_then(|(_, before)| *before);
    }
    kept.reverse();
    kept
}

/// Places for a run of items between two bounds. Those that stand between them in order already (given by
/// their places, others by zero) stay; else the place behind which there is too little room.
fn spread_around(stood: &[Place], low: Place, high: Place, lean: Lean) -> Result<Vec<Place>, Place> {
    let mut placed: Vec<Option<Place>> = Vec::with_capacity(stood.len());
    let mut last = low;
    for place in stood {
        let stays = last < *place && *place < high;
        if stays {
            last = *place;
        }
        placed.push(stays.then_some(*place));
    }
    let mut places = Vec::with_capacity(stood.len());
    let mut lower = low;
    while places.len() < placed.len() {
        let rest = placed.get(places.len()..).unwrap_or_default();
        let count = rest.iter().take_while(|place| place.is_none()).count();
        let stays = rest.get(count).copied().flatten();
        let lean = match (lean, stays) {
            (Lean::Up, _) if lower == low => Lean::Up,
            (Lean::Down, None) => Lean::Down,
            _ => Lean::Even,
        };
        let between = spread(lower.0, stays.unwrap_or(high).0, count, lean).ok_or(lower)?;
        places.extend(between.into_iter().map(Place));
        places.extend(stays);
        lower = stays.unwrap_or(lower);
    }
    Ok(places)
}

/// Places for `count` items strictly between two bounds, if there is room.
fn spread(lower: u128, upper: u128, count: usize, lean: Lean) -> Option<Vec<u128>> {
    if count == 0 {
        return Some(Vec::new());
    }
    let count = count as u128;
    let even = upper.checked_sub(lower)? / (count + 1);
    if even < NARROW {
        return None;
    }
    let step = even.min(STEP);
    Some(
        (1..=count)
            .map(|number| match lean {
                Lean::Even => lower + even * number,
                Lean::Down => lower + step * number,
                Lean::Up => upper - step * (count + 1 - number),
            })
            .collect(),
    )
}

impl Ledger<'_, '_> {
    /// The archive names an item where it stands now.
    pub(crate) fn settle(
        &mut self,
        id: MessageId,
        archive: dormouse_model::ArchiveId,
        anchor: bool,
    ) -> Result<(), ReadError> {
        let Some(mut item) = self.item(id)? else {
            return Ok(());
        };
        let archives = &mut item.names_mut().archive;
        archives.retain(|known| *known != archive);
        let at = if anchor { 0 } else { archives.len() };
        archives.insert(at, archive);
        archives.truncate(ALIASES);
        self.put_item(&item);
        let key = Key::Line(item.place());
        if self
            .draft
            .read::<LineEntry>(&key)?
            .is_some_and(|entry| entry.item == id && !entry.settled)
        {
            self.draft.put(
                &key,
                &LineEntry {
                    item: id,
                    settled: true,
                },
            );
        }
        Ok(())
    }
}

/// So many archive ids of one message are kept with it; the look-up by id knows them all.
const ALIASES: usize = 8;

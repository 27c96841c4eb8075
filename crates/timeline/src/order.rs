//! Places: where an item stands on the account's one line of history.
//!
//! The line follows archive order. What arrives live is appended one [`STEP`] behind the last. A fresh
//! session first reserves [`RESERVE`] for what was missed. Between two known items there is nearly
//! always room; where there is none, a stretch of the line is respread, and what moved is told.
//!
//! An item is *settled* once the archive has named it: its place then means something. Others (own
//! messages not read back yet, live ones without an archive id) stand provisionally: they give way
//! when a page of the archive is seated ([`crate::seating`]).

use crate::ledger::{Item, Ledger};
use dormouse_model::record::decode;
use dormouse_model::{BareJid, Key, Memory, MessageId, Place, ReadError, Walk};
use serde::{Deserialize, Serialize};

/// The room between two messages that arrive one after the other.
pub(crate) const STEP: u128 = 1 << 64;
/// The room kept for what a fresh session may have missed.
pub(crate) const RESERVE: u128 = 1 << 96;
/// Where the line starts: history grows downwards from here when the user scrolls back.
pub(crate) const MIDDLE: u128 = 1 << 127;
/// What a respread stretch leaves between its items at least.
const ROOMY: u128 = 1 << 40;

/// What stands at a place (under [`Key::Line`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineEntry {
    pub(crate) item: MessageId,
    pub(crate) settled: bool,
}

/// Places that changed because a stretch of the line was respread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moves(pub(crate) Vec<(Place, Place)>);

impl Moves {
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

    pub(crate) fn bottom(&self) -> Result<Place, ReadError> {
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

    pub(crate) fn settled_below(&self, place: Place) -> Result<Option<Place>, ReadError> {
        let mut to = place;
        loop {
            let some = self.line(Place(0), Some(to), Walk::Backwards, 16)?;
            if let Some((found, _)) = some.iter().find(|(_, entry)| entry.settled) {
                return Ok(Some(*found));
            }
            match some.last() {
                Some((last, _)) => to = *last,
                None => return Ok(None),
            }
        }
    }

    pub(crate) fn settled_above(&self, place: Place) -> Result<Option<Place>, ReadError> {
        let mut from = Place(place.0.saturating_add(1));
        loop {
            let some = self.line(from, None, Walk::Forwards, 16)?;
            if let Some((found, _)) = some.iter().find(|(_, entry)| entry.settled) {
                return Ok(Some(*found));
            }
            match some.last() {
                Some((last, _)) => from = Place(last.0 + 1),
                None => return Ok(None),
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

    /// Makes room behind a place by spreading the entries around it.
    pub(crate) fn respread(&mut self, behind: Place, wanted: usize) -> Result<Moves, ReadError> {
        let mut reach = 8;
        loop {
            let split = Place(behind.0.saturating_add(1));
            let mut below = self.line(Place(0), Some(split), Walk::Backwards, reach + 1)?;
            let mut above = self.line(split, None, Walk::Forwards, reach + 1)?;
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
            // Between the line's own ends there is always room.
            if step < ROOMY {
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
        // A new one has no place yet.
        if let Some(entry) = self.draft.read::<LineEntry>(&key)? {
            self.draft.put(
                &key,
                &LineEntry {
                    settled: true,
                    ..entry
                },
            );
        }
        Ok(())
    }
}

/// So many archive ids of one message are kept with it; the look-up by id knows them all.
const ALIASES: usize = 8;

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;

//! Seating: where the items of an archive page go on the line.
//!
//! A page is seated as a whole: the settled items that already stand in archive order are kept (the
//! heaviest increasing subsequence, with what is known of where the page lies), and all others are placed
//! between them; provisional ones stay where they are if that is between the right ones.

use crate::ledger::Ledger;
use crate::order::{MIDDLE, Moves, STEP};
use dormouse_model::{BareJid, MessageId, Place, ReadError, Walk};

/// Less room than this between two items is none.
const NARROW: u128 = 1 << 10;
const SETTLED: u64 = 1 << 20;
/// Where the page lies is known: items that contradict it move, settled or not.
const SURE: u64 = 1 << 40;
const UNSURE: u64 = 1 << 10;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lean {
    /// Next to the upper bound: more will come beneath.
    Up,
    /// Next to the lower bound: more will come above.
    Down,
    /// Evenly.
    Even,
}

impl Ledger<'_, '_> {
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
            // Behind the archive's end stands only what it does not show: what was said behind something that it has lost
            // since (a killed server) stays there.
            let most = match lie {
                Lie::End(Some(_)) if upper.is_none() => Place(u128::MAX),
                _ => high,
            };
            match spread_around(&stood, low, (high, most), lean) {
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
            // From the archive's very start on: what was said before there was an archive stays above it.
            (Some(Place(0)), Some(upper)) => (Place(0), upper, Lean::Up),
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
        let weight = match lie {
            _ if seat.again => continue,
            _ if seat.settled => SETTLED,
            // Above older history stands everything that is kept already, be it where it was acknowledged.
            Lie::Island(_) if seat.place.0 > 0 => UNSURE,
            _ => continue,
        };
        line.push((Some(index), (seat.place.0, false), weight));
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
/// their places, others by zero) stay, also between the upper one and the `most`; else the place behind which there is too
/// little room.
fn spread_around(
    stood: &[Place],
    low: Place,
    (high, most): (Place, Place),
    lean: Lean,
) -> Result<Vec<Place>, Place> {
    let mut placed: Vec<Option<Place>> = Vec::with_capacity(stood.len());
    let mut last = low;
    for place in stood {
        let stays = last < *place && *place < most;
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
        let upper = stays.map_or(high, |stays| stays.min(high));
        let (upper, lean) = match (lean, stays) {
            // Behind one that stays above all that was there.
            _ if upper <= lower => (stays.unwrap_or(most), Lean::Down),
            (Lean::Up, _) if lower == low => (upper, Lean::Up),
            (Lean::Down, None) => (upper, Lean::Down),
            _ => (upper, Lean::Even),
        };
        let between = spread(lower.0, upper.0, count, lean).ok_or(lower)?;
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

#[cfg(test)]
#[path = "seating_tests.rs"]
mod tests;

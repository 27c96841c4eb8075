//! Where items go on the line, and where they are when room was made.
use super::*;
use dormouse_model::{Content, Draft, Jid, Message, Names, Side, Stamp};
use std::collections::BTreeMap;

fn message(id: u64) -> Message {
    Message {
        id: MessageId(id),
        conversation: BareJid::new("bob@b.example").unwrap(),
        place: Place(0),
        sender: Jid::new("bob@b.example/x").unwrap(),
        side: Side::Theirs,
        stamp: Stamp(0),
        content: Content::Text(id.to_string()),
        names: Names::default(),
        edited: None,
    }
}

fn ids(ledger: &Ledger<'_, '_>) -> Vec<u64> {
    let line = ledger.line(Place(0), None, Walk::Forwards, 1000).unwrap();
    line.iter().map(|(_, entry)| entry.item.0).collect()
}

#[test]
fn where_there_is_no_room_a_stretch_is_respread_in_the_same_order() {
    let memory: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut draft = Draft::over(&memory);
    let mut ledger = Ledger::open(&BareJid::new("me@home.example").unwrap(), &mut draft);
    for id in 0..100 {
        ledger.put_message(&message(id));
        ledger
            .set_place(MessageId(id), Place(MIDDLE + u128::from(id)))
            .unwrap();
    }
    let floor = Place(MIDDLE + 50);
    let moves = ledger.respread(Place(MIDDLE + 49), 3).unwrap();
    assert_eq!(ids(&ledger), (0..100).collect::<Vec<_>>());
    let place = |id: u64| ledger.message(MessageId(id)).unwrap().unwrap().place;
    assert!(place(50).0 - place(49).0 > 3 * ROOMY);
    assert_eq!(moves.follow(Place(MIDDLE + 49)), place(49));
    assert_eq!(moves.follow_bound(floor), place(50));
    let own: Vec<Option<Place>> = (0..99)
        .map(|id| {
            ledger
                .neighbour(&message(0).conversation, place(id), Walk::Forwards)
                .unwrap()
        })
        .collect();
    assert_eq!(own, (1..100).map(|id| Some(place(id))).collect::<Vec<_>>());
}

#[test]
fn a_taken_place_is_not_taken_away() {
    let memory: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut draft = Draft::over(&memory);
    let mut ledger = Ledger::open(&BareJid::new("me@home.example").unwrap(), &mut draft);
    for id in 0..3 {
        ledger.put_message(&message(id));
        ledger.set_place(MessageId(id), Place(MIDDLE)).unwrap();
    }
    assert_eq!(ids(&ledger), [0, 1, 2]);
}

#[test]
fn a_floor_leaves_room_for_what_was_missed() {
    let memory: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut draft = Draft::over(&memory);
    let mut ledger = Ledger::open(&BareJid::new("me@home.example").unwrap(), &mut draft);
    ledger.put_message(&message(0));
    let last = ledger.end(None).unwrap();
    ledger.set_place(MessageId(0), last).unwrap();
    let floor = ledger.new_floor(None).unwrap();
    assert_eq!(floor.0 - last.0, RESERVE);
    assert!(ledger.end(Some(floor)).unwrap() > floor);
}

fn settled(id: u64) -> Message {
    let mut message = message(id);
    message
        .names
        .archive
        .push(dormouse_model::ArchiveId(id.to_string()));
    message
}

/// A line with items at these places, each named by its index.
fn line_of(ledger: &mut Ledger<'_, '_>, places: &[u128]) {
    for (id, place) in (0..).zip(places) {
        ledger.put_message(&message(id));
        ledger.set_place(MessageId(id), Place(*place)).unwrap();
    }
}

/// Where the items of a line are after room was made behind one of them; and how many of them moved.
fn spread(places: &[u128], behind: usize, wanted: usize) -> (Vec<u128>, usize) {
    let memory: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut draft = Draft::over(&memory);
    let mut ledger = Ledger::open(&BareJid::new("me@home.example").unwrap(), &mut draft);
    line_of(&mut ledger, places);
    let moves = ledger.respread(Place(places[behind]), wanted).unwrap();
    let line = ledger.line(Place(0), None, Walk::Forwards, 1000).unwrap();
    let ids: Vec<u64> = line.iter().map(|(_, entry)| entry.item.0).collect();
    assert!(
        ids.iter().copied().eq(0..places.len() as u64),
        "in the same order"
    );
    (line.iter().map(|(place, _)| place.0).collect(), moves.0.len())
}

#[test]
fn what_stands_at_a_place_that_moved_is_followed_and_what_stands_beside_it_stays_beside_it() {
    let up = Moves(
        [(10, 100), (20, 200), (30, 300)]
            .map(|(old, new)| (Place(old), Place(new)))
            .into(),
    );
    let followed = |moves: &Moves, place| moves.follow(Place(place)).0;
    assert_eq!([10, 20, 30].map(|place| followed(&up, place)), [100, 200, 300]);
    assert_eq!(
        [15, 25].map(|place| followed(&up, place)),
        [101, 201],
        "just behind what was before"
    );
    assert_eq!(followed(&up, 40), 301, "the stretch reaches past it");
    assert_eq!([5, 500].map(|place| followed(&up, place)), [5, 500]);
    let down = Moves(
        [(10, 3), (20, 5)]
            .map(|(old, new)| (Place(old), Place(new)))
            .into(),
    );
    assert_eq!([8, 15, 21].map(|place| followed(&down, place)), [2, 4, 21]);
    assert_eq!(followed(&Moves::default(), 7), 7);
}

#[test]
fn a_bound_where_nothing_stood_stays_just_below_what_stood_above_it() {
    let up = Moves(
        [(10, 100), (20, 200), (30, 300)]
            .map(|(old, new)| (Place(old), Place(new)))
            .into(),
    );
    let followed = |moves: &Moves, place| moves.follow_bound(Place(place)).0;
    assert_eq!([10, 20, 30].map(|place| followed(&up, place)), [100, 200, 300]);
    assert_eq!([15, 25].map(|place| followed(&up, place)), [199, 299]);
    assert_eq!(followed(&up, 50), 300 + RESERVE, "the stretch reaches past it");
    assert_eq!([5, 500].map(|place| followed(&up, place)), [5, 500]);
    let down = Moves(
        [(10, 3), (20, 5)]
            .map(|(old, new)| (Place(old), Place(new)))
            .into(),
    );
    assert_eq!(
        [2, 3, 8, 15, 21].map(|place| followed(&down, place)),
        [2, 2, 2, 4, 21]
    );
    assert_eq!(followed(&Moves::default(), 7), 7);
}

#[test]
fn a_whole_line_is_spread_around_the_middle_with_the_room_that_is_wanted() {
    for (count, behind) in [(8, 7), (9, 7), (3, 0), (16, 7)] {
        let dense: Vec<u128> = (0..count).map(|index| MIDDLE + index).collect();
        let (places, moved) = spread(&dense, behind, 5);
        let start = MIDDLE - RESERVE * (count + 5 + 2) / 2;
        let expected: Vec<u128> = (0..count)
            .map(|index| {
                if index as usize <= behind {
                    index + 1
                } else {
                    index + 6
                }
            })
            .map(|slot| start + RESERVE * slot)
            .collect();
        assert_eq!((places, moved), (expected, count as usize));
    }
}

#[test]
fn at_the_end_of_the_line_what_is_far_below_stays_and_the_rest_is_spread_upwards() {
    let far: Vec<u128> = (1..=20).map(|index| MIDDLE - RESERVE * (30 - index)).collect();
    let dense = (0..2).map(|index| MIDDLE + index);
    let line: Vec<u128> = far.iter().copied().chain(dense).collect();
    let (places, moved) = spread(&line, 20, 3);
    // Eight below the split, of which one is dense, and one above it.
    assert_eq!(moved, 9);
    assert_eq!(places[..13], line[..13]);
    let expected: Vec<u128> = (1..=8)
        .chain([12])
        .map(|slot| line[12] + RESERVE * slot)
        .collect();
    assert_eq!(places[13..], expected);
}

#[test]
fn at_the_start_of_the_line_what_is_far_above_stays_and_the_rest_is_spread_downwards() {
    let far = (1..=20).map(|index| MIDDLE + RESERVE * 10 * index);
    let line: Vec<u128> = [MIDDLE, MIDDLE + 1].into_iter().chain(far).collect();
    let (places, moved) = spread(&line, 0, 3);
    // One below the split, eight above it, before the one that stays.
    assert_eq!(moved, 9);
    assert_eq!(places[9..], line[9..]);
    let start = line[9] - RESERVE * 14;
    let expected: Vec<u128> = [1]
        .into_iter()
        .chain(5..=12)
        .map(|slot| start + RESERVE * slot)
        .collect();
    assert_eq!(places[..9], expected);
}

#[test]
fn between_two_that_stay_the_rest_is_spread_evenly_as_soon_as_there_is_just_enough_room() {
    // Nine below and nine above the split: the outermost of them stay.
    let slots = 8 + 8 + 4 + 2;
    for (spare, moved_then) in [(0, 16), (1, 32)] {
        let (low, high) = (MIDDLE, MIDDLE + ROOMY * slots - spare);
        let below = (1..=20).rev().map(|index| low - RESERVE * index).chain([low]);
        let inner = (1..=8)
            .map(|index| low + index)
            .chain((1..=8).rev().map(|index| high - index));
        let above = [high]
            .into_iter()
            .chain((1..=20).map(|index| high + RESERVE * index));
        let line: Vec<u128> = below.chain(inner).chain(above).collect();
        let (places, moved) = spread(&line, 28, 4);
        assert_eq!(moved, moved_then);
        if spare == 0 {
            let expected: Vec<u128> = (1..=8).chain(13..=20).map(|slot| low + ROOMY * slot).collect();
            assert_eq!(places[21..37], expected);
            assert_eq!((&places[..21], &places[37..]), (&line[..21], &line[37..]));
        }
    }
}

#[test]
fn the_nearest_settled_one_is_found_over_any_number_that_are_not() {
    let memory: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut draft = Draft::over(&memory);
    let mut ledger = Ledger::open(&BareJid::new("me@home.example").unwrap(), &mut draft);
    let places: Vec<u128> = (0..50).map(|index| MIDDLE + STEP * index).collect();
    line_of(&mut ledger, &places);
    let of = |index: usize| Place(places[index]);
    assert_eq!(ledger.settled_below(of(45)).unwrap(), None);
    assert_eq!(ledger.settled_above(of(3)).unwrap(), None);
    for id in [2, 47] {
        ledger.put_message(&settled(id));
        ledger.set_place(MessageId(id), of(id as usize)).unwrap();
    }
    assert_eq!(ledger.settled_below(of(45)).unwrap(), Some(of(2)));
    assert_eq!(ledger.settled_above(of(3)).unwrap(), Some(of(47)));
    assert_eq!(ledger.settled_below(of(2)).unwrap(), None, "not itself");
    assert_eq!(ledger.settled_above(of(47)).unwrap(), None, "not itself");
    // One that the archive names where it stands is settled from then on.
    ledger
        .settle(MessageId(20), dormouse_model::ArchiveId("x".into()), true)
        .unwrap();
    assert_eq!(ledger.settled_below(of(45)).unwrap(), Some(of(20)));
    assert_eq!(ledger.settled_above(of(3)).unwrap(), Some(of(20)));
}

#[test]
fn one_that_the_archive_names_before_it_has_a_place_puts_nothing_on_the_line() {
    let memory: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut draft = Draft::over(&memory);
    let mut ledger = Ledger::open(&BareJid::new("me@home.example").unwrap(), &mut draft);
    ledger.put_message(&message(0));
    ledger
        .settle(MessageId(0), dormouse_model::ArchiveId("x".into()), true)
        .unwrap();
    assert!(ids(&ledger).is_empty());
}

//! Where the items of a page go, and which of them stay.
use super::*;
use dormouse_model::{ArchiveId, Content, Draft, Jid, Message, Names, Side, Stamp};
use std::collections::BTreeMap;

fn seat(place: u128) -> Seat {
    Seat {
        id: MessageId(0),
        place: Place(place),
        settled: place > 0,
        again: false,
    }
}

#[test]
fn the_fewest_settled_items_move() {
    let seats: Vec<Seat> = [10, 50, 20, 30].map(seat).into();
    assert_eq!(keep(&seats, &Lie::End(None), None), [0, 2, 3]);
}

#[test]
fn a_page_before_a_known_item_keeps_nothing_that_stands_behind_it() {
    let seats: Vec<Seat> = [10, 20, 30].map(seat).into();
    assert_eq!(keep(&seats, &Lie::Below(Place(20)), None), [0]);
}

#[test]
fn a_page_that_may_start_further_down_moves_nothing_up() {
    let seats: Vec<Seat> = [10].map(seat).into();
    assert_eq!(
        keep(
            &seats,
            &Lie::Above {
                place: Place(20),
                sure: false
            },
            None
        ),
        [0]
    );
    assert!(
        keep(
            &seats,
            &Lie::Above {
                place: Place(20),
                sure: true
            },
            None
        )
        .is_empty()
    );
}

#[test]
fn what_is_known_up_to_the_cursor_is_in_order() {
    let seats: Vec<Seat> = [40, 30].map(seat).into();
    assert_eq!(keep(&seats, &Lie::End(None), Some((Some(1), Place(40)))), [0]);
}

#[test]
fn a_run_keeps_to_the_side_where_no_more_will_come() {
    let far = 100 * STEP;
    assert_eq!(spread(0, far, 2, Lean::Down), Some(vec![STEP, 2 * STEP]));
    assert_eq!(
        spread(0, far, 2, Lean::Up),
        Some(vec![far - 2 * STEP, far - STEP])
    );
    assert_eq!(spread(0, 3 * STEP, 2, Lean::Even), Some(vec![STEP, 2 * STEP]));
    assert_eq!(spread(7, 9, 1, Lean::Even), None);
    assert_eq!(spread(9, 7, 1, Lean::Even), None);
}

#[test]
fn provisional_items_between_the_right_ones_stay_where_they_are() {
    let stood = [Place(0), Place(50 * STEP), Place(20 * STEP), Place(0)];
    let places = spread_around(
        &stood,
        Place(10 * STEP),
        (Place(100 * STEP), Place(100 * STEP)),
        Lean::Even,
    );
    let places = places.unwrap();
    assert_eq!(places[1], Place(50 * STEP));
    assert!(places.is_sorted() && places[0] > Place(10 * STEP) && places[3] < Place(100 * STEP));
}

#[test]
fn a_copy_that_the_archive_holds_again_keeps_nothing_where_it_is() {
    let mut again = seat(20);
    again.again = true;
    assert_eq!(keep(&[seat(10), again], &Lie::End(None), None), [0]);
}

#[test]
fn room_is_what_leaves_enough_for_later() {
    assert_eq!(spread(0, 2 * NARROW, 1, Lean::Even), Some(vec![NARROW]));
    assert_eq!(spread(0, 2 * NARROW - 1, 1, Lean::Even), None);
}

#[test]
fn what_stands_at_a_bound_does_not_stay() {
    let (low, high) = (Place(10 * STEP), Place(20 * STEP));
    for stood in [low, high] {
        let places = spread_around(&[stood], low, (high, high), Lean::Even).unwrap();
        assert_eq!(places, [Place(15 * STEP)]);
    }
}

#[test]
fn beside_one_that_stays_a_run_leans_only_where_it_has_a_free_side() {
    let stood = [Place(0), Place(50 * STEP), Place(0)];
    let places = |lean| {
        spread_around(
            &stood,
            Place(10 * STEP),
            (Place(90 * STEP), Place(90 * STEP)),
            lean,
        )
        .unwrap()
    };
    assert_eq!(places(Lean::Even), [30, 50, 70].map(|at| Place(at * STEP)));
    assert_eq!(places(Lean::Up), [49, 50, 70].map(|at| Place(at * STEP)));
    assert_eq!(places(Lean::Down), [30, 50, 51].map(|at| Place(at * STEP)));
}

fn bare(who: &str) -> BareJid {
    BareJid::new(who).unwrap()
}

/// Puts a message of this conversation on the line, settled or not.
fn put(ledger: &mut Ledger<'_, '_>, id: u64, who: &str, place: u128, settled: bool) {
    let archive = settled.then(|| ArchiveId(id.to_string()));
    ledger.put_message(&Message {
        id: MessageId(id),
        conversation: bare(who),
        place: Place(0),
        sender: Jid::from(bare(who)),
        side: Side::Theirs,
        stamp: Stamp(0),
        content: Content::Text(id.to_string()),
        names: Names {
            archive: archive.into_iter().collect(),
            ..Names::default()
        },
        edited: None,
    });
    if place > 0 {
        ledger.set_place(MessageId(id), Place(place)).unwrap();
    }
}

const BOB: &str = "bob@b.example";
const ANN: &str = "ann@a.example";

/// Bob's at ten, thirty and forty steps, one of Ann's at twenty.
fn on_a_line(check: impl FnOnce(&mut Ledger<'_, '_>)) {
    let memory: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut draft = Draft::over(&memory);
    let mut ledger = Ledger::open(&bare("me@home.example"), &mut draft);
    for (id, who, at) in [(1, BOB, 10), (2, ANN, 20), (3, BOB, 30), (4, BOB, 40)] {
        put(&mut ledger, id, who, at * STEP, true);
    }
    check(&mut ledger);
}

#[test]
fn a_run_behind_a_known_item_goes_before_the_next_one_that_where_the_page_lies_allows() {
    on_a_line(|ledger| {
        let at = |steps: u128| Place(steps * STEP);
        let behind = |lower, lie| {
            ledger
                .bounds(Some(at(lower)), None, false, 1, &lie, None)
                .unwrap()
        };
        assert_eq!(behind(10, Lie::End(None)), (at(10), at(20), Lean::Down));
        assert_eq!(behind(10, Lie::End(Some(at(15)))), (at(10), at(15), Lean::Down));
        assert_eq!(behind(10, Lie::End(Some(at(35)))), (at(10), at(20), Lean::Down));
        // Behind the floor it bounds nothing.
        assert_eq!(behind(15, Lie::End(Some(at(15)))), (at(15), at(20), Lean::Down));
        assert_eq!(behind(20, Lie::End(Some(at(15)))), (at(20), at(30), Lean::Down));
        assert_eq!(behind(10, Lie::Island(bare(BOB))), (at(10), at(30), Lean::Down));
        assert_eq!(behind(10, Lie::Below(at(30))), (at(10), at(30), Lean::Even));
        assert_eq!(behind(30, Lie::Below(at(30))), (at(30), at(40), Lean::Down));
        assert_eq!(
            behind(40, Lie::End(None)),
            (at(40), at(42), Lean::Down),
            "the end of the line"
        );
    });
}

#[test]
fn a_run_before_a_known_item_goes_behind_what_is_before_it() {
    on_a_line(|ledger| {
        let at = |steps: u128| Place(steps * STEP);
        let before = |upper, lie| ledger.bounds(None, Some(at(upper)), true, 1, &lie, None).unwrap();
        let above = |steps| Lie::Above {
            place: at(steps),
            sure: true,
        };
        assert_eq!(before(30, Lie::End(None)), (at(20), at(30), Lean::Up));
        assert_eq!(before(30, Lie::Island(bare(BOB))), (at(10), at(30), Lean::Up));
        assert_eq!(before(10, Lie::Island(bare(BOB))), (Place(0), at(10), Lean::Up));
        assert_eq!(before(20, Lie::Island(bare(ANN))), (Place(0), at(10), Lean::Up));
        assert_eq!(before(30, above(10)), (at(10), at(30), Lean::Even));
        assert_eq!(
            before(10, above(10)),
            (Place(0), at(10), Lean::Up),
            "the page begins further down"
        );
    });
}

#[test]
fn a_run_of_which_nothing_is_known_goes_to_the_end_with_a_step_for_each_or_below_the_floor() {
    on_a_line(|ledger| {
        let at = |steps: u128| Place(steps * STEP);
        let free = |lie| ledger.bounds(None, None, true, 3, &lie, None).unwrap();
        assert_eq!(free(Lie::End(None)), (at(40), at(44), Lean::Down));
        assert_eq!(free(Lie::End(Some(at(35)))), (at(30), at(35), Lean::Up));
        assert_eq!(free(Lie::Island(bare(BOB))), (Place(0), at(10), Lean::Up));
        assert_eq!(free(Lie::Island(bare(ANN))), (Place(0), at(10), Lean::Up));
    });
}

#[test]
fn nothing_new_stands_below_the_cursor_unless_the_page_says_so() {
    let new = MessageId(9);
    for (page, place) in [([1, 9, 4], 30), ([1, 9, 2], 15)] {
        on_a_line(|ledger| {
            put(ledger, 9, BOB, 0, true);
            let page = page.map(|id| (MessageId(id), false));
            let cursor = Some((None, Place(20 * STEP)));
            ledger.seat(&page, &Lie::End(None), cursor).unwrap();
            let seated = ledger.message(new).unwrap().unwrap();
            assert_eq!(seated.place, Place(place * STEP + u128::from(place == 30)));
        });
    }
}

#[test]
fn what_the_archive_has_before_a_known_item_moves_before_it_though_missed_things_stand_below_a_floor() {
    on_a_line(|ledger| {
        put(ledger, 9, BOB, 35 * STEP, false);
        let page = [9, 3].map(|id| (MessageId(id), false));
        let floor = Lie::End(Some(Place(50 * STEP)));
        ledger.seat(&page, &floor, None).unwrap();
        let seated = ledger.message(MessageId(9)).unwrap().unwrap();
        assert_eq!(seated.place, Place(29 * STEP));
    });
}

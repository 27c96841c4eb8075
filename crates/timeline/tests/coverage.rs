//! Only what the archive says completely moves the cursor, and nothing is ever skipped.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{ArchiveFailure, ArchivePage, Change, PageWanted, Payload, StanzaId};
use dormouse_timeline::{Effect, Part};
use world::{BOB, ME, Manner, World, bare, bodies, known, numbered};

#[test]
fn a_live_message_never_moves_the_cursor() {
    let mut world = known(Manner::Prosody);
    // One that no carbon told us of, then one that comes live.
    world.archives(&numbered(5));
    let live = world.archives(&numbered(6));
    world.live(&live);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..7));
}

#[test]
fn a_carbon_never_moves_the_cursor() {
    let mut world = known(Manner::Prosody);
    world.archives(&numbered(5));
    let carbon = world.archives(&numbered(6));
    world.carbon(&carbon);
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..7));
}

#[test]
fn the_newest_page_comes_first_and_the_gap_is_said_until_it_is_closed() {
    let mut world = known(Manner::Prosody);
    for number in 5..205 {
        world.archives(&numbered(number));
    }
    world.session(true);
    assert!(world.stretch(BOB).hole.is_some());
    let query = world.query().unwrap();
    assert_eq!(query.page, PageWanted::Newest);
    assert!(query.since.is_some());
    let effects = world.give(&query);
    assert!(effects.contains(&Effect::Change(Change::CatchUp {
        stored: 12,
        expected: Some(205),
        done: false
    })));
    assert!(!world.timeline.caught_up());
    let shown = world.stretch(BOB);
    assert!(shown.hole.is_some());
    assert_eq!(shown.messages.len(), 17);
    assert_eq!(world::body(shown.messages.last().unwrap()), "204");
    world.effects.clear();
    world.catch_up();
    assert!(world.stretch(BOB).hole.is_none());
    assert_eq!(
        world
            .effects
            .iter()
            .filter(|effect| **effect == Effect::CaughtUp)
            .count(),
        1
    );
    assert_eq!(world.bodies(BOB), bodies(0..205));
}

#[test]
fn a_stretch_above_an_open_gap_has_no_gap_in_it() {
    let mut world = known(Manner::Prosody);
    for number in 5..205 {
        world.archives(&numbered(number));
    }
    world.session(true);
    for _ in 0..2 {
        let query = world.query().unwrap();
        world.give(&query);
    }
    let account = bare(ME);
    let newest = dormouse_timeline::history(&world.memory, &account, &bare(BOB), Part::Latest, 20).unwrap();
    assert!(newest.hole.is_none() && newest.more);
    let before = newest.messages[0].place;
    let older =
        dormouse_timeline::history(&world.memory, &account, &bare(BOB), Part::Before(before), 40).unwrap();
    assert!(older.hole.is_some(), "it reaches across the gap");
}

#[test]
fn a_process_that_dies_between_any_two_pages_skips_nothing() {
    for dies_after in 0..9 {
        let mut world = known(Manner::Prosody);
        world.cap = 10;
        for number in 5..85 {
            world.archives(&numbered(number));
        }
        world.session(true);
        for page in 0..dies_after {
            let query = world.query().unwrap();
            world.give(&query);
            // All but the last page reaches the disk.
            if page + 1 < dies_after {
                world.flush();
            }
        }
        world.crash(0);
        world.session(true);
        world.catch_up();
        assert_eq!(world.bodies(BOB), bodies(0..85), "died after {dies_after}");
    }
}

#[test]
fn what_was_read_before_an_interruption_is_not_read_again() {
    let mut world = known(Manner::Prosody);
    world.cap = 10;
    for number in 5..105 {
        world.archives(&numbered(number));
    }
    world.session(true);
    for _ in 0..8 {
        let query = world.query().unwrap();
        world.give(&query);
    }
    world.archives(&numbered(105));
    world.session(true);
    assert!(
        world.catch_up() <= 5,
        "one page to meet the earlier reading, then the rest"
    );
    assert_eq!(world.bodies(BOB), bodies(0..106));
}

#[test]
fn a_resumed_session_goes_on_with_the_open_gap() {
    let mut world = known(Manner::Prosody);
    world.cap = 10;
    for number in 5..45 {
        world.archives(&numbered(number));
    }
    world.session(true);
    let query = world.query().unwrap();
    world.give(&query);
    let lost = world.query().unwrap();
    world.session(false);
    let again = world.query().unwrap();
    assert_eq!(again.page, lost.page);
    assert_ne!(again.id, lost.id);
    world.give(&lost);
    world.give(&again);
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..45));
}

#[test]
fn a_resumed_session_without_a_gap_is_caught_up_at_once() {
    let mut world = known(Manner::Prosody);
    assert!(world.session(false).contains(&Effect::CaughtUp));
    assert_eq!(world.query(), None);
}

#[test]
fn what_another_node_archived_late_is_read_again_and_put_where_it_belongs() {
    for manner in [Manner::Prosody, Manner::Ejabberd] {
        let mut world = known(manner);
        // Two that one node has taken and the other does not know yet: one came live, the other never did.
        let live = world.archives(&numbered(5));
        world.archives(&numbered(6));
        let late = world.archive.split_off(5);
        for number in 7..10 {
            world.archives(&numbered(number));
        }
        world.session(true);
        world.live(&live);
        world.catch_up();
        assert_eq!(world.stretch(BOB).messages.len(), 9);
        // Now they have told each other.
        world.archive.splice(5..5, late);
        world.timeline.quiet_check();
        world.catch_up();
        assert_eq!(
            world.stretch(BOB).messages.len(),
            9,
            "behind the cursor there is nothing new"
        );
        world.timeline.read_again();
        world.catch_up();
        assert_eq!(world.bodies(BOB), bodies(0..10));
        // And what follows is found behind it.
        world.archives(&numbered(10));
        world.timeline.quiet_check();
        world.catch_up();
        assert_eq!(world.bodies(BOB), bodies(0..11));
    }
}

#[test]
fn the_first_reading_of_a_long_history_is_bounded_and_later_ones_are_not() {
    let mut world = World::new();
    for number in 0..1000 {
        world.archives(&numbered(number));
    }
    world.session(true);
    world.catch_up();
    let first = world.bodies(BOB).len();
    assert!(
        (200..300).contains(&first),
        "two hundred, to the end of a page: {first}"
    );
    assert_eq!(world.bodies(BOB), bodies(1000 - first..1000));
    for number in 1000..2000 {
        world.archives(&numbered(number));
    }
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(1000 - first..2000));
}

#[test]
fn an_archive_that_was_empty_at_first_is_read_to_its_start_later() {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    for number in 0..700 {
        world.archives(&numbered(number));
    }
    world.pass(30 * 24 * 3600 * 1000);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..700));
}

/// So many receipts, of which nothing stands in a conversation.
fn receipts(world: &mut World, count: usize) {
    for number in 0..count {
        let receipt = Payload::Received(StanzaId::from("unknown"));
        world.archives(&world::with(receipt, numbered(1000 + number)));
    }
}

#[test]
fn pages_of_receipts_only_move_the_cursor_all_the_same() {
    let mut world = known(Manner::Prosody);
    receipts(&mut world, 120);
    world.archives(&numbered(5));
    world.session(true);
    assert!(world.catch_up() > 1);
    world.timeline.quiet_check();
    assert_eq!(world.catch_up(), 1, "nothing is new");
    assert_eq!(world.bodies(BOB), bodies(0..6));
}

#[test]
fn what_is_said_after_a_page_of_receipts_only_stands_as_the_archive_has_it() {
    let mut world = known(Manner::Prosody);
    receipts(&mut world, 40);
    world.session(true);
    world.catch_up();
    world.write(BOB, "mine");
    world.flush();
    let (mine, stanza) = world.due().remove(0);
    world.acknowledge(&[mine]);
    world.archives(&world::echo(&stanza));
    // Read back: a page with his, one of receipts, one with mine.
    receipts(&mut world, 24);
    let his = world.archives(&numbered(5));
    world.live(&his);
    receipts(&mut world, 11);
    let order = [bodies(0..5), vec!["mine".into(), "5".into()]].concat();
    assert_eq!(world.bodies(BOB), order);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), order);
}

#[test]
fn an_empty_answer_and_a_reading_by_date_leave_the_cursor_where_it_is() {
    for by_date in [true, false] {
        let mut world = known(Manner::Prosody);
        world.session(true);
        let mut query = world.query().unwrap();
        if by_date {
            let (id, failure) = (query.id, ArchiveFailure::ItemNotFound);
            world.told(|timeline, now, draft| timeline.archive_failed(now, id, failure, draft));
            world.now.tick = world.timeline.deadline().unwrap();
            query = world.query().unwrap();
        }
        let page = ArchivePage {
            query: query.id,
            items: Vec::new(),
            complete: true,
            count: Some(0),
            stable: true,
        };
        world.told(|timeline, now, draft| timeline.page(now, page, draft));
        assert!(world.timeline.caught_up());
        world.session(true);
        assert!(world.query().unwrap().since.is_some());
    }
}

#[test]
fn how_far_a_reading_has_come_can_be_asked_while_it_is_under_way() {
    let mut world = known(Manner::Prosody);
    for number in 5..60 {
        world.archives(&numbered(number));
    }
    assert_eq!(world.timeline.progress(), None);
    world.session(true);
    assert_eq!(world.timeline.progress(), None, "nothing has been read");
    let query = world.query().unwrap();
    world.give(&query);
    let under_way = Change::CatchUp {
        stored: 12,
        expected: Some(60),
        done: false,
    };
    assert_eq!(world.timeline.progress(), Some(under_way));
    world.catch_up();
    assert_eq!(world.timeline.progress(), None);
    // What the archive would not finish is not under way, though the gap is open.
    world.session(true);
    world.stable = false;
    while let Some(query) = world.query() {
        world.give(&query);
        world.now.tick = world.timeline.deadline().unwrap_or(world.now.tick);
    }
    assert_eq!(world.timeline.progress(), None);
}

#[test]
fn a_quiet_check_while_a_reading_is_under_way_asks_nothing_more() {
    let mut world = known(Manner::Prosody);
    world.session(true);
    world.timeline.quiet_check();
    assert_eq!(world.catch_up(), 1);
    // Nor does a second one change how the first asks.
    world.timeline.quiet_check();
    world.timeline.read_again();
    let query = world.query().unwrap();
    assert!(matches!(query.page, PageWanted::After(_)), "{query:?}");
    world.give(&query);
    assert_eq!(world.query(), None);
    // Nor is one kept for a later session that was wanted where there is no archive.
    world.told(|timeline, _, draft| timeline.session(false, false, draft));
    world.timeline.quiet_check();
    world.session(false);
    assert_eq!(world.query(), None);
}

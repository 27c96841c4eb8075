//! Only what the archive says completely moves the cursor, and nothing is ever skipped.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{ArchiveFailure, ArchivePage, Change, Incoming, PageWanted, Payload, StanzaId};
use dormouse_timeline::{Effect, Part};
use world::{BOB, ME, Manner, World, bare, text};

fn from_bob(number: usize) -> Incoming {
    text(
        &format!("{BOB}/phone"),
        ME,
        &format!("id{number}"),
        &format!("{number}"),
    )
}

fn bodies(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Signed in once with some history, then gone.
fn known(manner: Manner) -> World {
    let mut world = World::new();
    world.manner = manner;
    for number in 0..5 {
        world.archives(&from_bob(number));
    }
    world.session(true);
    world.catch_up();
    world.flush();
    world.pass(3600 * 1000);
    world
}

#[test]
fn a_live_message_never_moves_the_cursor() {
    let mut world = known(Manner::Prosody);
    // One that no carbon told us of, then one that comes live.
    world.archives(&from_bob(5));
    let live = world.archives(&from_bob(6));
    world.live(&live);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..7));
}

#[test]
fn a_carbon_never_moves_the_cursor() {
    let mut world = known(Manner::Prosody);
    world.archives(&from_bob(5));
    let carbon = world.archives(&from_bob(6));
    world.carbon(&carbon);
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..7));
}

#[test]
fn the_newest_page_comes_first_and_the_gap_is_said_until_it_is_closed() {
    let mut world = known(Manner::Prosody);
    for number in 5..205 {
        world.archives(&from_bob(number));
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
        world.archives(&from_bob(number));
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
            world.archives(&from_bob(number));
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
        world.archives(&from_bob(number));
    }
    world.session(true);
    for _ in 0..8 {
        let query = world.query().unwrap();
        world.give(&query);
    }
    world.archives(&from_bob(105));
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
        world.archives(&from_bob(number));
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
fn an_unstable_page_moves_nothing_and_is_asked_again_later_but_not_for_ever() {
    let mut world = known(Manner::Prosody);
    world.archives(&from_bob(5));
    world.stable = false;
    world.session(true);
    let query = world.query().unwrap();
    world.give(&query);
    assert_eq!(world.bodies(BOB), bodies(0..6), "what came is shown");
    assert!(!world.timeline.caught_up());
    assert_eq!(world.query(), None, "not at once");
    let mut asked = 1;
    while let Some(deadline) = world.timeline.deadline() {
        world.now.tick = deadline;
        let query = world.query().unwrap();
        assert_eq!(query.page, PageWanted::Newest);
        world.give(&query);
        asked += 1;
    }
    assert_eq!(asked, 5);
    assert_eq!(world.query(), None, "not in this session");
    world.timeline.quiet_check();
    assert_eq!(world.query(), None, "nor because it is quiet");
    assert!(world.timeline.caught_up());
    assert!(world.stretch(BOB).hole.is_some(), "what is not certain is said");
    world.stable = true;
    world.session(true);
    world.catch_up();
    assert!(world.stretch(BOB).hole.is_none());
}

#[test]
fn what_another_node_archived_late_is_read_again_and_put_where_it_belongs() {
    for manner in [Manner::Prosody, Manner::Ejabberd] {
        let mut world = known(manner);
        // Two that one node has taken and the other does not know yet: one came live, the other never did.
        let live = world.archives(&from_bob(5));
        world.archives(&from_bob(6));
        let late = world.archive.split_off(5);
        for number in 7..10 {
            world.archives(&from_bob(number));
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
        world.archives(&from_bob(10));
        world.timeline.quiet_check();
        world.catch_up();
        assert_eq!(world.bodies(BOB), bodies(0..11));
    }
}

#[test]
fn an_id_that_the_archive_has_forgotten_falls_back_to_dates() {
    for manner in [Manner::Prosody, Manner::Ejabberd] {
        let mut world = known(manner);
        // The archive loses what the cursor stands on, and gains more than a page.
        world.archive.clear();
        for number in 5..130 {
            world.archives(&from_bob(number));
        }
        world.timeline.quiet_check();
        world.catch_up();
        assert_eq!(world.bodies(BOB), bodies(0..130));
        // In the middle of a gap.
        world.pass(3600 * 1000);
        for number in 130..330 {
            world.archives(&from_bob(number));
        }
        world.session(true);
        let query = world.query().unwrap();
        world.give(&query);
        let reached = world.query().unwrap();
        let PageWanted::Before(gone) = &reached.page else {
            panic!("{reached:?}")
        };
        if manner == Manner::Prosody {
            world.archive.retain(|item| item.id != *gone);
        }
        world.give(&reached);
        world.catch_up();
        assert_eq!(world.bodies(BOB), bodies(0..330));
    }
}

#[test]
fn an_answer_from_the_start_of_the_archive_is_harmless() {
    let mut world = known(Manner::Ejabberd);
    world.archives(&from_bob(5));
    // The cursor's own item goes; older ones within the overlap are still there.
    world.archive.remove(4);
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..6));
}

#[test]
fn a_page_that_ends_where_it_should_have_begun_does_not_count_as_the_end() {
    let mut world = known(Manner::Prosody);
    world.archives(&from_bob(5));
    world.archives(&from_bob(6));
    world.timeline.quiet_check();
    let query = world.query().unwrap();
    let mut page: ArchivePage = world.answer(&query).unwrap();
    // As ejabberd answers a forgotten id: from the start, and by chance this page ends at the cursor.
    let PageWanted::After(cursor) = query.page.clone() else {
        panic!("{query:?}")
    };
    let mut whole = query;
    whole.page = PageWanted::Oldest;
    whole.max = 1_000;
    page.items = world.answer(&whole).unwrap().items;
    let end = page.items.iter().position(|item| item.id == cursor).unwrap();
    page.items.truncate(end + 1);
    page.complete = false;
    world.told(|timeline, now, draft| timeline.page(now, page, draft));
    world.pass(10_000);
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..7), "asked again, and found");
}

#[test]
fn the_first_reading_of_a_long_history_is_bounded_and_later_ones_are_not() {
    let mut world = World::new();
    for number in 0..1000 {
        world.archives(&from_bob(number));
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
        world.archives(&from_bob(number));
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
        world.archives(&from_bob(number));
    }
    world.pass(30 * 24 * 3600 * 1000);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..700));
}

#[test]
fn without_an_archive_we_are_caught_up_at_once() {
    let mut world = World::new();
    let effects = world.told(|timeline, _, draft| timeline.session(true, false, draft));
    assert!(effects.contains(&Effect::CaughtUp));
    assert_eq!(world.query(), None);
}

#[test]
fn an_island_closes_no_gap_and_moves_no_cursor() {
    let mut world = World::new();
    for number in 0..300 {
        world.archives(&from_bob(number));
        world.archives(&text("ann@a.example/x", ME, &format!("a{number}"), "hi"));
    }
    world.session(true);
    world.catch_up();
    let kept = world.bodies(BOB).len();
    assert!(kept < 300);
    world.archives(&from_bob(300));
    world.timeline.older(&bare(BOB));
    let query = world
        .timeline
        .next_older(world.now, &world.memory)
        .unwrap()
        .unwrap();
    assert_eq!(query.with, Some(bare(BOB)));
    assert_eq!(world.timeline.next_older(world.now, &world.memory).unwrap(), None);
    let effects = world.give(&query);
    assert!(effects.contains(&Effect::Change(Change::Older {
        conversation: bare(BOB),
        more: true
    })));
    assert_eq!(world.bodies(BOB).len(), kept + 50);
    world.session(true);
    world.catch_up();
    let shown = world.bodies(BOB);
    assert_eq!(shown, bodies(301 - shown.len()..301));
    assert!(!world.stretch(BOB).beginning);
    for _ in 0..9 {
        world.timeline.older(&bare(BOB));
        let query = world
            .timeline
            .next_older(world.now, &world.memory)
            .unwrap()
            .unwrap();
        world.give(&query);
    }
    assert_eq!(world.bodies(BOB), bodies(0..301));
    assert!(world.stretch(BOB).beginning);
}

#[test]
fn older_history_waits_until_the_gap_is_closed() {
    let mut world = known(Manner::Prosody);
    world.session(true);
    world.timeline.older(&bare(BOB));
    assert_eq!(world.timeline.next_older(world.now, &world.memory).unwrap(), None);
    world.catch_up();
    assert!(
        world
            .timeline
            .next_older(world.now, &world.memory)
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_page_nobody_asked_for_changes_nothing() {
    let mut world = known(Manner::Prosody);
    world.session(true);
    let query = world.query().unwrap();
    let mut page: ArchivePage = world.answer(&query).unwrap();
    page.query = page.query.next();
    world.archives(&from_bob(5));
    world.told(|timeline, now, draft| timeline.page(now, page, draft));
    assert!(!world.timeline.caught_up());
}

#[test]
fn a_question_without_an_answer_is_asked_again() {
    let mut world = known(Manner::Prosody);
    world.session(true);
    let query = world.query().unwrap();
    assert_eq!(world.query(), None);
    world.pass(61_000);
    let again = world.query().unwrap();
    assert_ne!(query.id, again.id);
}

#[test]
fn an_archive_that_goes_away_leaves_us_caught_up() {
    let mut world = known(Manner::Prosody);
    world.session(true);
    let id = world.query().unwrap().id;
    let effects =
        world.told(|timeline, now, draft| timeline.archive_failed(now, id, ArchiveFailure::NoArchive, draft));
    assert!(effects.contains(&Effect::CaughtUp));
    assert_eq!(world.query(), None);
}

/// So many receipts, of which nothing stands in a conversation.
fn receipts(world: &mut World, count: usize) {
    for number in 0..count {
        let receipt = Payload::Received(StanzaId::from("unknown"));
        world.archives(&world::with(receipt, from_bob(1000 + number)));
    }
}

#[test]
fn pages_of_receipts_only_move_the_cursor_all_the_same() {
    let mut world = known(Manner::Prosody);
    receipts(&mut world, 120);
    world.archives(&from_bob(5));
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
    let his = world.archives(&from_bob(5));
    world.live(&his);
    receipts(&mut world, 11);
    let order = [bodies(0..5), vec!["mine".into(), "5".into()]].concat();
    assert_eq!(world.bodies(BOB), order);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), order);
}

#[test]
fn an_archive_that_turns_in_circles_is_given_up_with_a_reason_and_the_gap_stays_for_the_next_session() {
    let mut world = known(Manner::Prosody);
    world.archives(&from_bob(5));
    world.archives(&from_bob(6));
    world.session(true);
    // Two pages, each of which says that the other lies before it.
    let turn: Vec<_> = world.archive[5..7].to_vec();
    let (mut pages, mut given_up) = (0, false);
    while let Some(query) = world.query() {
        let page = ArchivePage {
            query: query.id,
            items: vec![turn[pages % 2].clone()],
            complete: false,
            count: None,
            stable: true,
        };
        let effects = world.act(|timeline, now, draft| timeline.page(now, page, draft));
        given_up |= effects
            .iter()
            .any(|effect| matches!(effect, Effect::Journal(why) if why.contains("no end")));
        pages += 1;
        assert!(pages <= 20_000, "without end");
    }
    assert!(given_up);
    assert!(world.timeline.caught_up(), "the session goes on without the rest");
    assert!(world.stretch(BOB).hole.is_some(), "and what is missing is shown");
    world.session(true);
    assert!(world.catch_up() < 10);
    assert_eq!(world.bodies(BOB), bodies(0..7));
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
        world.archives(&from_bob(number));
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

#[test]
fn older_history_that_is_asked_for_twice_is_read_once() {
    let mut world = known(Manner::Prosody);
    let older = |world: &mut World| world.timeline.next_older(world.now, &world.memory).unwrap();
    let ann = bare("ann@a.example");
    world.timeline.older(&bare(BOB));
    world.timeline.older(&bare(BOB));
    let first = older(&mut world).unwrap();
    world.timeline.older(&bare(BOB));
    world.timeline.older(&ann);
    world.give(&first);
    let second = older(&mut world).unwrap();
    assert_eq!(second.with, Some(ann));
    world.give(&second);
    assert_eq!(older(&mut world), None);
}

//! What one page, or its failure, means for the reading that it belongs to.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{
    ArchiveFailure, ArchiveId, ArchivePage, ArchiveQuery, Change, Delivery, OriginId, PageWanted, Stamp,
};
use dormouse_timeline::Effect;
use world::{BOB, ME, Manner, World, bare, bodies, echo, known, numbered, text};

const DAY: u64 = 24 * 3600 * 1000;

fn with_history(count: usize) -> World {
    let mut world = World::new();
    for number in 0..count {
        world.archives(&numbered(number));
    }
    world
}

fn fails(world: &mut World, query: &ArchiveQuery, failure: ArchiveFailure) -> Vec<Effect> {
    world.told(|t, now, draft| t.archive_failed(now, query.id, failure, draft))
}

fn answered(world: &mut World, query: &ArchiveQuery, change: impl FnOnce(&mut ArchivePage)) -> Vec<Effect> {
    let mut page = world.answer(query).unwrap();
    change(&mut page);
    world.told(|t, now, draft| t.page(now, page, draft))
}

#[test]
fn a_page_that_holds_the_whole_archive_is_the_only_one() {
    let mut world = with_history(5);
    world.session(true);
    assert_eq!(world.catch_up(), 1);
    assert!(world.timeline.caught_up());
}

#[test]
fn a_page_without_items_ends_the_reading_whatever_it_says() {
    let mut world = with_history(20);
    world.session(true);
    let newest = world.query().unwrap();
    world.give(&newest);
    let before = world.query().unwrap();
    answered(&mut world, &before, |page| {
        page.items.clear();
        page.complete = false;
    });
    assert!(world.timeline.caught_up());
    assert_eq!(world.query(), None);
}

#[test]
fn the_first_reading_begins_with_the_newest_page_however_old_it_is() {
    let mut world = with_history(5);
    world.pass(30 * DAY);
    world.session(true);
    let query = world.query().unwrap();
    assert_eq!((&query.page, query.since), (&PageWanted::Newest, None));
    world.give(&query);
    assert_eq!(world.bodies(BOB), bodies(0..5));
}

#[test]
fn what_was_missed_is_read_from_five_minutes_before_what_is_known() {
    let mut world = known(Manner::Prosody);
    let last = world.archive.last().unwrap().stamp;
    world.session(true);
    let since = world.query().unwrap().since;
    assert_eq!(since, Some(Stamp(last.0 - 5 * 60 * 1000)));
}

#[test]
fn the_first_reading_goes_back_seven_days_to_the_end_of_a_page() {
    // The page of the last twelve begins seven days ago to the millisecond, or just before that.
    for (age, further) in [(7 * DAY, true), (7 * DAY + 1, false)] {
        let mut world = with_history(50);
        world.pass(30 * DAY);
        let now = world.now.stamp.0;
        for (number, item) in world.archive.iter_mut().enumerate() {
            let (old, young) = (now - 20 * DAY as i64, now - age as i64);
            item.stamp = Stamp(if number < 38 { old } else { young });
        }
        world.session(true);
        let newest = world.query().unwrap();
        world.give(&newest);
        assert_eq!(world.query().is_some(), further);
    }
}

#[test]
fn a_first_reading_whose_id_is_gone_goes_on_by_date_for_a_week() {
    let mut world = with_history(50);
    world.session(true);
    let newest = world.query().unwrap();
    world.give(&newest);
    let before = world.query().unwrap();
    fails(&mut world, &before, ArchiveFailure::ItemNotFound);
    let by_date = world.query().unwrap();
    assert_eq!(by_date.page, PageWanted::Oldest);
    assert_eq!(by_date.since, Some(Stamp(world.now.stamp.0 - 7 * DAY as i64)));
    world.give(&by_date);
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..50));
}

#[test]
fn a_question_by_date_for_which_an_item_is_missing_is_not_asked_again_at_once() {
    let mut world = known(Manner::Prosody);
    world.archives(&numbered(5));
    world.timeline.quiet_check();
    let onwards = world.query().unwrap();
    fails(&mut world, &onwards, ArchiveFailure::ItemNotFound);
    let by_date = world.query().unwrap();
    assert_eq!(
        by_date.page,
        PageWanted::Oldest,
        "at once, for it is another question"
    );
    fails(&mut world, &by_date, ArchiveFailure::ItemNotFound);
    assert_eq!(world.query(), None);
    world.now.tick = world.timeline.deadline().unwrap();
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..6));
}

#[test]
fn a_newest_page_for_which_an_item_is_missing_is_not_asked_again_at_once() {
    let mut world = known(Manner::Prosody);
    world.session(true);
    let newest = world.query().unwrap();
    fails(&mut world, &newest, ArchiveFailure::ItemNotFound);
    assert_eq!(world.query(), None);
}

#[test]
fn an_archive_that_refused_before_and_misses_an_item_now_is_not_asked_again_at_once() {
    let mut world = known(Manner::Prosody);
    for number in 5..60 {
        world.archives(&numbered(number));
    }
    world.session(true);
    let newest = world.query().unwrap();
    world.give(&newest);
    let before = world.query().unwrap();
    fails(&mut world, &before, ArchiveFailure::Refused("wait".into()));
    world.now.tick = world.timeline.deadline().unwrap();
    let again = world.query().unwrap();
    assert_eq!(again.page, before.page);
    fails(&mut world, &again, ArchiveFailure::ItemNotFound);
    assert_eq!(world.query(), None);
}

#[test]
fn a_page_that_ends_at_the_cursor_is_the_end_only_if_it_says_so() {
    for complete in [true, false] {
        let mut world = known(Manner::Prosody);
        world.timeline.quiet_check();
        let query = world.query().unwrap();
        let cursor = world.archive[4].clone();
        answered(&mut world, &query, |page| {
            page.items = vec![cursor];
            page.complete = complete;
        });
        assert_eq!(world.query(), None, "not at once");
        assert_eq!(world.timeline.deadline().is_none(), complete);
    }
}

#[test]
fn what_the_archive_has_behind_the_cursor_is_moved_behind_it() {
    let mut world = known(Manner::Prosody);
    // One node tells of the later one first; the archive knows better, one after the other.
    let first = world.archives(&numbered(5));
    let second = world.archives(&numbered(6));
    world.live(&second);
    world.live(&first);
    assert_eq!(
        world.bodies(BOB),
        [bodies(0..5), vec!["6".into(), "5".into()]].concat()
    );
    let late = world.archive.pop().unwrap();
    world.timeline.quiet_check();
    world.catch_up();
    world.archive.push(late);
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..7));
}

#[test]
fn what_another_node_archived_late_just_before_the_cursor_stands_there() {
    for fresh in [true, false] {
        let mut world = known(Manner::Prosody);
        world.archives(&numbered(9));
        let item = world.archive.pop().unwrap();
        world.archive.insert(4, item);
        world.archive[4].stamp = world.archive[3].stamp;
        if fresh {
            world.session(true);
        } else {
            world.timeline.read_again();
        }
        world.catch_up();
        assert_eq!(world.bodies(BOB), ["0", "1", "2", "3", "9", "4"]);
    }
}

#[test]
fn what_was_archived_twice_keeps_both_names_the_first_copy_first() {
    for cap in [1, 50] {
        let mut world = known(Manner::Prosody);
        let mut mine = text(&format!("{ME}/phone"), BOB, "x", "mine");
        mine.origin = Some(OriginId::from("x"));
        let names: Vec<ArchiveId> = [numbered(5), mine.clone(), numbered(6), mine, numbered(7)]
            .iter()
            .filter_map(|incoming| world.archives(incoming).archive)
            .collect();
        world.cap = cap;
        world.session(true);
        world.catch_up();
        assert_eq!(world.bodies(BOB)[5..], ["5", "mine", "6", "7"]);
        let message = world.message(BOB, "mine");
        assert_eq!(message.names.archive, [names[1].clone(), names[3].clone()]);
    }
}

#[test]
fn what_was_seen_live_and_archived_twice_is_named_by_the_first_copy() {
    let mut world = known(Manner::Prosody);
    let mut mine = text(&format!("{ME}/phone"), BOB, "x", "mine");
    mine.origin = Some(OriginId::from("x"));
    world.carbon(&mine);
    let first = world.archives(&mine).archive;
    world.archives(&numbered(5));
    let second = world.archives(&mine).archive;
    world.session(true);
    world.catch_up();
    let names: Vec<ArchiveId> = first.into_iter().chain(second).collect();
    assert_eq!(world.message(BOB, "mine").names.archive, names);
    assert_eq!(world.bodies(BOB)[5..], ["mine", "5"]);
}

#[test]
fn a_reading_that_a_new_process_goes_on_with_says_nothing_about_what_its_newest_page_may_hold() {
    let mut world = known(Manner::Prosody);
    for number in 5..60 {
        world.archives(&numbered(number));
    }
    world.session(true);
    world.write(BOB, "mine");
    world.flush();
    let (_, stanza) = world.due().remove(0);
    let newest = world.query().unwrap();
    world.give(&newest);
    world.flush();
    // It arrives after that page was read; then the process dies, and the session goes on in the next.
    world.archives(&echo(&stanza));
    world.crash(0);
    world.session(false);
    while world.stretch(BOB).hole.is_some() {
        let query = world.query().unwrap();
        world.give(&query);
    }
    assert!(world.due().is_empty(), "it would be sent twice");
    world.catch_up();
    assert!(world.due().is_empty());
    assert_eq!(world.message(BOB, "mine").delivery(), Some(&Delivery::Sent));
}

fn older(world: &mut World) -> Option<ArchiveQuery> {
    world.timeline.next_older(world.now, &world.memory).unwrap()
}

#[test]
fn a_question_for_older_history_that_a_lost_session_did_not_answer_is_asked_again() {
    let mut world = known(Manner::Prosody);
    world.timeline.older(&bare(BOB));
    let query = older(&mut world).unwrap();
    assert_eq!(fails(&mut world, &query, ArchiveFailure::SessionLost), []);
    let again = older(&mut world).unwrap();
    assert_eq!((again.with, again.page), (query.with, query.page));
}

#[test]
fn older_history_that_the_archive_refuses_may_be_asked_for_again_by_the_user() {
    let mut world = known(Manner::Prosody);
    world.timeline.older(&bare(BOB));
    let query = older(&mut world).unwrap();
    let effects = fails(&mut world, &query, ArchiveFailure::Refused("wait".into()));
    let more = Change::Older {
        conversation: bare(BOB),
        more: true,
    };
    assert!(effects.contains(&Effect::Change(more)));
    assert_eq!(older(&mut world), None, "not by itself");
    world.timeline.older(&bare(BOB));
    assert!(older(&mut world).is_some());
}

#[test]
fn the_beginning_of_a_conversation_is_known_from_a_last_page_or_an_empty_one_of_an_archive_that_is_certain() {
    for (empty, complete, stable, beginning) in [
        (false, true, true, true),
        (true, false, true, true),
        (false, false, true, false),
        (false, true, false, false),
        (true, true, false, false),
    ] {
        let mut world = known(Manner::Prosody);
        world.timeline.older(&bare(BOB));
        let query = older(&mut world).unwrap();
        let first = world.archive[0].clone();
        let effects = answered(&mut world, &query, |page| {
            page.items = if empty { Vec::new() } else { vec![first] };
            (page.complete, page.stable) = (complete, stable);
        });
        assert_eq!(world.stretch(BOB).beginning, beginning);
        let told = Change::Older {
            conversation: bare(BOB),
            more: !beginning,
        };
        assert!(effects.contains(&Effect::Change(told)));
    }
}

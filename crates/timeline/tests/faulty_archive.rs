//! An archive that forgets, lies, is silent or is not there costs no message and no rest.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{ArchiveFailure, ArchivePage, MessageId, PageWanted};
use dormouse_timeline::Effect;
use world::{BOB, Manner, World, bodies, echo, known, numbered};

#[test]
fn an_unstable_page_moves_nothing_and_is_asked_again_later_but_not_for_ever() {
    let mut world = known(Manner::Prosody);
    world.archives(&numbered(5));
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
fn an_id_that_the_archive_has_forgotten_falls_back_to_dates() {
    for manner in [Manner::Prosody, Manner::Ejabberd] {
        let mut world = known(manner);
        // The archive loses what the cursor stands on, and gains more than a page.
        world.archive.clear();
        for number in 5..130 {
            world.archives(&numbered(number));
        }
        world.timeline.quiet_check();
        world.catch_up();
        assert_eq!(world.bodies(BOB), bodies(0..130));
        // In the middle of a gap.
        world.pass(3600 * 1000);
        for number in 130..330 {
            world.archives(&numbered(number));
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
    world.archives(&numbered(5));
    // The cursor's own item goes; older ones within the overlap are still there.
    world.archive.remove(4);
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(world.bodies(BOB), bodies(0..6));
}

#[test]
fn a_page_that_ends_where_it_should_have_begun_does_not_count_as_the_end() {
    let mut world = known(Manner::Prosody);
    world.archives(&numbered(5));
    world.archives(&numbered(6));
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
fn without_an_archive_we_are_caught_up_at_once() {
    let mut world = World::new();
    let effects = world.told(|timeline, _, draft| timeline.session(true, false, draft));
    assert!(effects.contains(&Effect::CaughtUp));
    assert_eq!(world.query(), None);
}

#[test]
fn a_page_nobody_asked_for_changes_nothing() {
    let mut world = known(Manner::Prosody);
    world.session(true);
    let query = world.query().unwrap();
    let mut page: ArchivePage = world.answer(&query).unwrap();
    page.query = page.query.next();
    world.archives(&numbered(5));
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

#[test]
fn an_archive_that_turns_in_circles_is_given_up_with_a_reason_and_the_gap_stays_for_the_next_session() {
    let mut world = known(Manner::Prosody);
    world.archives(&numbered(5));
    world.archives(&numbered(6));
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
fn what_is_said_after_something_that_the_archive_has_lost_since_stays_behind_it() {
    for acknowledged_first in [true, false] {
        let mut world = known(Manner::Ejabberd);
        let mine = say(&mut world, "mine");
        world.archives(&echo(&world.sent(mine).unwrap()));
        world.acknowledge(&[mine]);
        // The server tells of them and is killed before it has written them.
        let id = say(&mut world, "before the kill");
        let lost = edit(&mut world, mine, "mine, once");
        world.acknowledge(&[id, lost]);
        let theirs = world.archives(&numbered(5));
        world.live(&theirs);
        world.archive.pop();

        world.session(true);
        let id = say(&mut world, "after the kill");
        let edited = edit(&mut world, mine, "mine, twice");
        if acknowledged_first {
            world.acknowledge(&[id, edited]);
        }
        for id in [id, edited] {
            let said = echo(&world.sent(id).unwrap());
            world.archives(&said);
        }
        world.catch_up();
        let mut all = bodies(0..5);
        all.extend(["mine, twice", "before the kill", "5", "after the kill"].map(String::from));
        assert_eq!(world.bodies(BOB), all, "acknowledged first: {acknowledged_first}");
    }
}

/// Writes, and hands it over.
fn say(world: &mut World, body: &str) -> MessageId {
    let id = world.write(BOB, body);
    hand_over(world);
    id
}

fn edit(world: &mut World, id: MessageId, body: &str) -> MessageId {
    world.told(|timeline, now, draft| timeline.edit(now, id, body.into(), draft));
    hand_over(world)
}

fn hand_over(world: &mut World) -> MessageId {
    world.flush();
    let due = world.due();
    for (id, stanza) in due.iter().cloned() {
        world.remember(id, stanza);
    }
    due.last().unwrap().0
}

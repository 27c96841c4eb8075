//! What the list of conversations shows, and the parts of one that can be asked for.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{Content, Message, Payload, Place, StanzaId};
use dormouse_timeline::{Part, Stretch, history};
use world::{BOB, ME, World, bare, body, echo, text, with};

const ANN: &str = "ann@a.example";

fn online() -> World {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    world.flush();
    world
}

impl World {
    fn says(&mut self, who: &str, id: &str, words: &str) {
        let sent = self.archives(&text(&format!("{who}/phone"), ME, id, words));
        self.live(&sent);
    }

    fn last(&self, with: &str) -> Option<String> {
        self.summary(with).last.as_ref().map(body)
    }

    fn read(&mut self, who: &str) {
        self.told(|t, _, draft| t.read(&bare(who), true, draft));
    }

    fn read_elsewhere(&mut self, who: &str, id: &str) {
        let marker = text(&format!("{ME}/phone"), who, "marker", "");
        self.carbon(&with(Payload::Displayed(StanzaId::from(id)), marker));
    }

    fn type_in(&mut self, to: &str, words: &str) {
        self.act(|t, _, draft| t.draft(&bare(to), words, draft));
    }

    fn part(&self, part: Part, limit: usize) -> Stretch {
        history(&self.memory, &bare(ME), &bare(BOB), part, limit).unwrap()
    }
}

#[test]
fn the_last_message_follows_edits_and_retractions() {
    let mut world = online();
    world.says(BOB, "1", "helo");
    world.says(ANN, "1", "hi");
    assert_eq!(world.last(BOB).as_deref(), Some("helo"));
    let from = format!("{BOB}/phone");
    let edit = Payload::Edit {
        replaces: StanzaId::from("1"),
        body: "hello".into(),
    };
    world.live(&with(edit, text(&from, ME, "2", "")));
    assert_eq!(world.last(BOB).as_deref(), Some("hello"));
    assert_eq!(world.last(ANN).as_deref(), Some("hi"));
    world.live(&with(
        Payload::Retract(StanzaId::from("1")),
        text(&from, ME, "3", ""),
    ));
    let last = world.summary(BOB).last.unwrap();
    assert_eq!(last.content, Content::Retracted);
    assert_eq!(world.snapshot(), (world.list.clone(), world.shown.clone()));
}

#[test]
fn the_last_message_follows_what_is_discarded_until_nothing_is_left() {
    let mut world = World::new();
    let first = world.write(BOB, "first");
    let second = world.write(BOB, "second");
    assert_eq!(world.last(BOB).as_deref(), Some("second"));
    world.told(|t, _, draft| t.discard(second, draft));
    assert_eq!(world.last(BOB).as_deref(), Some("first"));
    world.told(|t, _, draft| t.discard(first, draft));
    assert!(world.list.is_empty() && world.shown.is_empty());
    assert_eq!(world.snapshot(), (world.list.clone(), world.shown.clone()));
}

#[test]
fn the_last_message_follows_the_order_of_the_archive() {
    let mut world = online();
    world.write(BOB, "mine");
    world.flush();
    let (_, stanza) = world.due().remove(0);
    // The server has had ours first, and tells us theirs first.
    world.archives(&echo(&stanza));
    world.says(BOB, "1", "theirs");
    let due = world.message(BOB, "mine").id;
    world.acknowledge(&[due]);
    assert_eq!(world.last(BOB).as_deref(), Some("mine"));
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(world.last(BOB).as_deref(), Some("theirs"));
    assert_eq!(world.snapshot(), (world.list.clone(), world.shown.clone()));
}

#[test]
fn unread_falls_wherever_it_is_read_and_the_later_place_counts() {
    let mut world = online();
    for id in ["1", "2", "3", "4"] {
        world.says(BOB, id, id);
    }
    let place = |world: &World, says: &str| Some(world.message(BOB, says).place);
    assert_eq!(world.summary(BOB).unread, 4);
    assert_eq!(world.summary(BOB).read_up_to, None);
    world.read_elsewhere(BOB, "2");
    assert_eq!(world.summary(BOB).unread, 2);
    assert_eq!(world.summary(BOB).read_up_to, place(&world, "2"));
    world.read(BOB);
    assert_eq!(world.summary(BOB).unread, 0);
    assert_eq!(world.summary(BOB).read_up_to, place(&world, "4"));
    world.read_elsewhere(BOB, "3");
    assert_eq!(
        world.summary(BOB).read_up_to,
        place(&world, "4"),
        "read here further"
    );
    world.says(BOB, "5", "5");
    assert_eq!(world.summary(BOB).unread, 1);
    assert_eq!(world.summary(BOB).read_up_to, place(&world, "4"));
}

#[test]
fn how_far_one_has_read_does_not_hang_on_own_messages_that_move_or_go() {
    let mut world = online();
    world.says(BOB, "1", "theirs");
    let mine = world.write(BOB, "mine");
    world.read(BOB);
    let read = Some(world.message(BOB, "theirs").place);
    assert_eq!(world.summary(BOB).read_up_to, read);
    world.told(|t, _, draft| t.discard(mine, draft));
    assert_eq!(world.summary(BOB).read_up_to, read);
    world.says(BOB, "2", "next");
    assert_eq!(world.summary(BOB).unread, 1);
}

#[test]
fn a_draft_is_listed_kept_and_forgotten_when_it_is_empty() {
    let mut world = World::new();
    world.type_in(BOB, "dear Bo");
    world.type_in(BOB, "dear Bob");
    assert_eq!(world.summary(BOB).draft, "dear Bob");
    world.flush();
    world.crash(0);
    assert_eq!(world.summary(BOB).draft, "dear Bob");
    world.write(BOB, "dear Bob");
    assert_eq!(
        world.summary(BOB).draft,
        "dear Bob",
        "whoever sends it says that it is done with"
    );
    world.type_in(BOB, "");
    assert_eq!(world.summary(BOB).draft, "");
    let pending = world.pending.len();
    world.type_in(BOB, "");
    let written = world.pending[pending..]
        .iter()
        .any(|batch| !batch.writes.is_empty());
    assert!(!written, "what is the same is not written again");
}

#[test]
fn a_conversation_can_be_walked_both_ways() {
    let mut world = online();
    for number in 0..10 {
        world.says(BOB, &number.to_string(), &number.to_string());
        world.says(ANN, &number.to_string(), "elsewhere");
    }
    let words = |stretch: &Stretch| stretch.messages.iter().map(body).collect::<Vec<_>>().join("");
    let place = |says: &str| world.message(BOB, says).place;
    let latest = world.part(Part::Latest, 3);
    assert_eq!(
        (words(&latest).as_str(), latest.more, latest.newer),
        ("789", true, false)
    );
    let before = world.part(Part::Before(place("7")), 3);
    assert_eq!(
        (words(&before).as_str(), before.more, before.newer),
        ("456", true, true)
    );
    let first = world.part(Part::Before(place("2")), 3);
    assert_eq!(
        (words(&first).as_str(), first.more, first.newer),
        ("01", false, true)
    );
    let after = world.part(Part::After(place("6")), 3);
    assert_eq!(
        (words(&after).as_str(), after.more, after.newer),
        ("789", true, false)
    );
    let after = world.part(Part::After(place("1")), 3);
    assert_eq!(
        (words(&after).as_str(), after.more, after.newer),
        ("234", true, true)
    );
    let all = world.part(Part::After(Place(0)), 10);
    assert_eq!((all.messages.len(), all.more, all.newer), (10, false, false));
    let none = world.part(Part::After(place("9")), 3);
    assert_eq!((words(&none).as_str(), none.more, none.newer), ("", true, false));
}

#[test]
fn a_hole_is_told_with_its_places_to_whoever_looks_across_it() {
    let mut world = online();
    for number in 0..5 {
        world.says(BOB, &number.to_string(), &number.to_string());
    }
    world.timeline.quiet_check();
    world.catch_up();
    for number in 5..205 {
        let from = format!("{BOB}/phone");
        world.archives(&text(&from, ME, &number.to_string(), &number.to_string()));
    }
    world.session(true);
    let newest = world.query().unwrap();
    world.give(&newest);
    let known = world.message(BOB, "4").place;
    let read: Message = world.message(BOB, "193");
    let shown = world.part(Part::Latest, 100);
    let (low, high) = shown.hole.unwrap();
    assert!(known <= low && low < high && high <= read.place);
    assert_eq!(world.part(Part::Latest, 10).hole, None, "it lies before these");
    assert_eq!(world.part(Part::Before(known), 20).hole, None, "and behind these");
    assert_eq!(world.part(Part::After(known), 20).hole, Some((low, high)));
    assert_eq!(world.part(Part::After(read.place), 20).hole, None);
    world.catch_up();
    assert_eq!(world.part(Part::Latest, 300).hole, None);
    assert_eq!(world.snapshot(), (world.list.clone(), world.shown.clone()));
}

#[test]
fn a_hole_beside_the_stretch_is_told_only_where_nothing_else_is_kept_between() {
    let mut world = World::new();
    for number in 0..30 {
        world.archives(&text(
            &format!("{BOB}/phone"),
            ME,
            &number.to_string(),
            &number.to_string(),
        ));
    }
    world.session(true);
    let newest = world.query().unwrap();
    world.give(&newest);
    assert!(
        world.part(Part::Latest, 20).hole.is_some(),
        "below the first that is kept"
    );
    assert_eq!(
        world.part(Part::Latest, 12).hole,
        world.part(Part::Latest, 20).hole
    );
    assert_eq!(world.part(Part::Latest, 11).hole, None);
    world.catch_up();
    world.pass(3600 * 1000);
    for number in 30..60 {
        world.archives(&text(
            &format!("{BOB}/phone"),
            ME,
            &number.to_string(),
            &number.to_string(),
        ));
    }
    world.session(true);
    let newest = world.query().unwrap();
    world.give(&newest);
    let first_read = world.message(BOB, "48").place;
    let before = world.part(Part::Before(first_read), 5);
    assert_eq!(before.messages.last().map(body).as_deref(), Some("29"));
    assert!(
        before.hole.is_some(),
        "between the last of it and what it is before"
    );
    assert_eq!(world.part(Part::After(Place(0)), 5).hole, None);
    assert!(world.part(Part::After(Place(0)), 40).hole.is_some());
}

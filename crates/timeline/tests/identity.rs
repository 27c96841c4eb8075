//! Two copies of one message are one; two messages that look alike are two.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{ArchiveId, Incoming, OriginId, Payload, Stamp, StanzaId};
use world::{BOB, ME, World, from_bob, text};

fn caught_up() -> World {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    world
}

#[test]
fn the_same_archive_id_is_the_same_message() {
    let mut world = caught_up();
    let sent = world.archives(&from_bob("1", "hello"));
    world.live(&sent);
    world.live(&sent);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn the_same_origin_id_sender_and_content_is_the_same_message_and_keeps_all_archive_ids() {
    let mut world = caught_up();
    let mut sent = from_bob("x", "hello");
    sent.origin = Some(OriginId::from("x"));
    let first = world.archives(&sent);
    let second = world.archives(&sent);
    world.live(&first);
    world.live(&second);
    assert_eq!(world.bodies(BOB), ["hello"]);
    let archive = world.message(BOB, "hello").names.archive;
    assert_eq!(archive, [ArchiveId::from("a1"), ArchiveId::from("a2")]);
}

#[test]
fn the_same_id_with_different_content_makes_two_messages() {
    let mut world = caught_up();
    let mut one = from_bob("x", "hello");
    one.origin = Some(OriginId::from("x"));
    let mut two = from_bob("x", "goodbye");
    two.origin = Some(OriginId::from("x"));
    world.live(&one);
    world.live(&two);
    assert_eq!(world.bodies(BOB), ["hello", "goodbye"]);
}

#[test]
fn text_alone_joins_nothing() {
    let mut world = caught_up();
    let (one, two) = (
        world.archives(&from_bob("1", "ok")),
        world.archives(&from_bob("2", "ok")),
    );
    world.live(&one);
    world.live(&two);
    assert_eq!(world.bodies(BOB), ["ok", "ok"]);
}

#[test]
fn a_client_that_counts_from_one_again_says_the_same_twice() {
    let mut world = caught_up();
    let one = world.archives(&from_bob("1", "ok"));
    world.live(&one);
    world.archives(&from_bob("1", "ok"));
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["ok", "ok"]);
}

#[test]
fn without_any_archive_id_a_fresh_copy_with_a_used_id_is_a_new_message() {
    let mut world = caught_up();
    world.live(&from_bob("1", "ok"));
    world.pass(60_000);
    world.live(&from_bob("1", "ok"));
    assert_eq!(world.bodies(BOB), ["ok", "ok"]);
}

#[test]
fn a_delayed_copy_of_the_same_moment_is_the_same_message() {
    let mut world = caught_up();
    world.live(&from_bob("1", "ok"));
    let mut again = from_bob("1", "ok");
    again.stamp = Some(world.now.stamp);
    world.pass(60_000);
    world.live(&again);
    assert_eq!(world.bodies(BOB), ["ok"]);
    again.stamp = Some(Stamp(world.now.stamp.0 + 86_400_000));
    world.live(&again);
    assert_eq!(
        world.bodies(BOB),
        ["ok", "ok"],
        "another day's is another message"
    );
}

#[test]
fn an_offline_copy_beside_an_archive_copy_is_one_message() {
    let mut world = caught_up();
    let sent = world.archives(&from_bob("1", "hello"));
    world.session(true);
    world.catch_up();
    // This server's offline storage does not know the archive's ids.
    let offline = Incoming {
        archive: None,
        stamp: Some(world.now.stamp),
        ..sent
    };
    world.live(&offline);
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn an_archive_result_adopts_what_came_live_without_an_archive_id() {
    let mut world = caught_up();
    let mut sent = world.archives(&from_bob("1", "hello"));
    sent.archive = None;
    world.live(&sent);
    assert!(!world.message(BOB, "hello").is_settled());
    world.session(true);
    world.catch_up();
    assert!(world.message(BOB, "hello").is_settled());
}

#[test]
fn two_origin_ids_contradict_each_other_whatever_the_id_says() {
    let mut world = caught_up();
    let mut one = from_bob("1", "ok");
    one.origin = Some(OriginId::from("one"));
    let mut two = from_bob("1", "ok");
    two.origin = Some(OriginId::from("two"));
    two.stamp = Some(world.now.stamp);
    world.live(&one);
    world.live(&two);
    assert_eq!(world.bodies(BOB), ["ok", "ok"]);
}

#[test]
fn the_same_id_from_another_sender_is_another_message() {
    let mut world = caught_up();
    let mut forged = text("mallory@evil.example/x", ME, "1", "ok");
    forged.origin = Some(OriginId::from("1"));
    let mut sent = from_bob("1", "ok");
    sent.origin = Some(OriginId::from("1"));
    world.live(&sent);
    world.live(&forged);
    assert_eq!(world.bodies(BOB), ["ok"]);
    assert_eq!(world.bodies("mallory@evil.example"), ["ok"]);
}

#[test]
fn what_cannot_be_read_is_kept_in_place() {
    let mut world = caught_up();
    world.archives(&world::with(
        Payload::Unreadable("omemo header".into()),
        from_bob("1", ""),
    ));
    world.archives(&world::with(
        Payload::Received(StanzaId::from("zz")),
        from_bob("2", ""),
    ));
    world.archives(&from_bob("3", "after"));
    world.archives(&world::with(
        Payload::Encrypted("OMEMO".into()),
        from_bob("4", ""),
    ));
    world.session(true);
    world.catch_up();
    assert_eq!(
        world.bodies(BOB),
        ["Unreadable(\"omemo header\")", "after", "Encrypted(\"OMEMO\")"]
    );
}

/// Received live by a server that gives no archive ids, and archived by it under ids of its own.
fn live_without_archive_id(world: &mut World, incoming: &Incoming) {
    let mut sent = world.archives(incoming);
    sent.archive = None;
    world.live(&sent);
}

#[test]
fn what_differs_in_its_words_is_not_adopted_by_its_id() {
    let mut world = caught_up();
    world.live(&from_bob("1", "not archived"));
    world.archives(&from_bob("1", "archived"));
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["not archived", "archived"]);
}

#[test]
fn of_two_that_look_alike_the_later_is_edited() {
    let mut world = caught_up();
    live_without_archive_id(&mut world, &from_bob("1", "ok"));
    world.pass(60_000);
    live_without_archive_id(&mut world, &from_bob("1", "ok"));
    let edit = Payload::Edit {
        replaces: StanzaId::from("1"),
        body: "okay".into(),
    };
    world.live(&world::with(edit, from_bob("2", "")));
    assert_eq!(world.bodies(BOB), ["ok", "okay"]);
}

#[test]
fn a_message_that_comes_again_and_again_displaces_no_other_of_its_name() {
    let mut world = caught_up();
    live_without_archive_id(&mut world, &from_bob("1", "one"));
    live_without_archive_id(&mut world, &from_bob("1", "two"));
    let mut again = from_bob("1", "two");
    again.stamp = Some(world.now.stamp);
    for _ in 0..70 {
        world.live(&again);
    }
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["one", "two"]);
}

#[test]
fn sixty_four_of_one_name_are_told_apart() {
    let mut world = caught_up();
    let said: Vec<String> = (0..64).map(|number| number.to_string()).collect();
    for body in &said {
        live_without_archive_id(&mut world, &from_bob("1", body));
    }
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), said);
}

#[test]
fn copies_that_bear_stamps_ten_minutes_apart_may_be_of_one_moment_and_no_further() {
    for (apart, said) in [(600_000, 1), (600_001, 2)] {
        let mut world = caught_up();
        world.live(&from_bob("1", "ok"));
        let mut again = from_bob("1", "ok");
        again.stamp = Some(Stamp(world.now.stamp.0 + apart));
        world.live(&again);
        assert_eq!(world.bodies(BOB).len(), said);
    }
}

//! What is about a message that is not known yet (an edit, a receipt, a marker) waits for it, in bounds.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{Delivery, Incoming, Key, Payload, StanzaId};
use dormouse_timeline::Effect;
use world::{BOB, ME, World, bare, from_bob, text, with};

/// So many names things may wait for in one conversation.
const NAMES: usize = 500;

fn online() -> World {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    world.flush();
    world
}

/// From another of our clients.
fn from_the_phone(id: &str, body: &str) -> Incoming {
    text(&format!("{ME}/phone"), BOB, id, body)
}

fn displayed(of: &str, incoming: Incoming) -> Incoming {
    with(Payload::Displayed(StanzaId::from(of)), incoming)
}

fn received(of: &str) -> Incoming {
    with(Payload::Received(StanzaId::from(of)), from_bob("r", ""))
}

fn waiting(world: &World) -> usize {
    let kind = Key::Orphan(bare(BOB), bare(BOB), StanzaId::from("x"));
    let (from, to) = kind.kind_range();
    world.memory.range(from..to).count()
}

fn delivery(world: &World, body: &str) -> Delivery {
    world.message(BOB, body).delivery().unwrap().clone()
}

fn missed(world: &mut World) {
    world.session(true);
    world.catch_up();
}

#[test]
fn a_marker_read_before_its_message_waits_for_it_and_covers_those_before() {
    let mut world = online();
    world.archives(&from_the_phone("1", "one"));
    world.archives(&from_the_phone("2", "two"));
    world.archives(&from_the_phone("3", "three"));
    world.live(&displayed("2", from_bob("d", "")));
    missed(&mut world);
    assert_eq!(delivery(&world, "one"), Delivery::Read);
    assert_eq!(delivery(&world, "two"), Delivery::Read);
    assert_eq!(delivery(&world, "three"), Delivery::Sent);
    assert_eq!(waiting(&world), 0);
}

#[test]
fn what_another_client_has_displayed_before_it_is_known_here_is_not_unread() {
    let mut world = online();
    for id in ["1", "2", "3"] {
        world.archives(&from_bob(id, id));
    }
    world.carbon(&displayed("2", from_the_phone("d", "")));
    world.archives(&from_the_phone("4", "four"));
    // The first reading counts nothing: this is not the first.
    missed(&mut world);
    assert_eq!(world.summary(BOB).unread, 1);
}

#[test]
fn an_own_message_found_below_what_the_other_side_has_displayed_is_read() {
    let mut world = online();
    world.archives(&from_the_phone("1", "never told of"));
    let later = world.archives(&from_the_phone("2", "told of"));
    world.carbon(&later);
    world.live(&displayed("2", from_bob("d", "")));
    missed(&mut world);
    assert_eq!(delivery(&world, "never told of"), Delivery::Read);
    let last = world.archives(&from_the_phone("3", "later"));
    world.carbon(&last);
    assert_eq!(delivery(&world, "later"), Delivery::Sent);
}

#[test]
fn what_waits_in_one_conversation_is_bounded_and_said_and_what_is_found_makes_room() {
    let mut world = online();
    world.archives(&from_the_phone("0", "zero"));
    world.archives(&from_the_phone("late", "late"));
    for number in 0..NAMES {
        assert_eq!(world.live(&received(&number.to_string())), []);
    }
    assert_eq!(waiting(&world), NAMES);
    let told = world.live(&received("late"));
    assert!(
        matches!(&told[..], [Effect::Journal(why)] if why.contains(BOB)),
        "{told:?}"
    );
    assert_eq!(waiting(&world), NAMES);
    assert_eq!(world.live(&received("7")), [], "what waits already may wait");
    missed(&mut world);
    assert_eq!(delivery(&world, "zero"), Delivery::Delivered);
    assert_eq!(
        delivery(&world, "late"),
        Delivery::Sent,
        "no room was left for this one"
    );
    assert_eq!(waiting(&world), NAMES - 1);
    assert_eq!(world.live(&received("next")), []);
    assert_eq!(waiting(&world), NAMES);
}

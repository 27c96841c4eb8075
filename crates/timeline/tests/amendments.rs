//! Many edits and retractions of one message: what is kept of them is bounded, and what they say in the end is not lost.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{Incoming, Key, MessageId, OriginId, Payload, StanzaId};
use world::{BOB, World, from_bob, with};

fn online() -> World {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    world.flush();
    world
}

fn edit(id: &str, body: &str) -> Incoming {
    let replaces = StanzaId::from("m");
    let body = body.into();
    with(Payload::Edit { replaces, body }, from_bob(id, ""))
}

fn retraction(id: &str) -> Incoming {
    with(Payload::Retract(StanzaId::from("m")), from_bob(id, ""))
}

/// How many edits and retractions are kept.
fn kept(world: &World) -> usize {
    let (from, to) = Key::Amendment(MessageId(0)).kind_range();
    world.memory.range(from..to).count()
}

/// So many edits come live, then a fresh session reads the message they are about.
fn edited_before_it_was_known(edits: usize, more: &[Incoming]) -> World {
    let mut world = online();
    world.archives(&from_bob("m", "helo"));
    for number in 0..edits {
        let edit = world.archives(&edit(&format!("e{number}"), &number.to_string()));
        world.live(&edit);
    }
    for incoming in more {
        let incoming = world.archives(incoming);
        world.live(&incoming);
    }
    assert!(world.bodies(BOB).is_empty());
    world
}

#[test]
fn two_edits_under_one_id_are_two_and_the_later_counts() {
    let mut world = online();
    for mut incoming in [from_bob("m", "helo"), edit("e", "hallo"), edit("e", "hello")] {
        incoming.origin = incoming.id.clone().map(|id| OriginId(id.0));
        let sent = world.archives(&incoming);
        world.live(&sent);
    }
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn a_retraction_under_the_id_of_an_edit_withdraws() {
    let mut world = online();
    for mut incoming in [from_bob("m", "helo"), edit("e", "hallo"), retraction("e")] {
        incoming.origin = incoming.id.clone().map(|id| OriginId(id.0));
        let sent = world.archives(&incoming);
        world.live(&sent);
    }
    assert_eq!(world.bodies(BOB), ["Retracted"]);
}

#[test]
fn of_many_edits_the_last_are_kept_and_the_very_last_counts() {
    let mut world = online();
    let original = world.archives(&from_bob("m", "helo"));
    world.live(&original);
    for number in 0..100_usize {
        let edit = world.archives(&edit(&format!("e{number}"), &number.to_string()));
        world.live(&edit);
        assert_eq!(world.bodies(BOB), [number.to_string()]);
        assert_eq!(kept(&world), (number + 1).min(64));
    }
}

#[test]
fn of_many_edits_that_wait_for_their_message_the_last_counts_when_it_comes() {
    let mut world = edited_before_it_was_known(100, &[]);
    assert_eq!(kept(&world), 64);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["99"]);
    assert_eq!(kept(&world), 64);
}

#[test]
fn a_retraction_behind_many_edits_that_wait_is_not_forgotten() {
    let mut world = edited_before_it_was_known(64, &[retraction("r")]);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["Retracted"]);
}

#[test]
fn a_retraction_before_many_edits_is_not_forgotten() {
    let mut world = online();
    for incoming in [from_bob("m", "helo"), retraction("r")] {
        let sent = world.archives(&incoming);
        world.live(&sent);
    }
    for number in 0..100 {
        let edit = world.archives(&edit(&format!("e{number}"), "hello"));
        world.live(&edit);
    }
    assert_eq!(world.bodies(BOB), ["Retracted"]);
    assert_eq!(kept(&world), 64);
}

#[test]
fn many_retractions_of_one_message_are_kept_in_bounds() {
    let mut world = online();
    let original = world.archives(&from_bob("m", "helo"));
    world.live(&original);
    for number in 0..100 {
        let again = world.archives(&retraction(&format!("r{number}")));
        world.live(&again);
    }
    assert_eq!(world.bodies(BOB), ["Retracted"]);
    assert_eq!(kept(&world), 64);
}

#[test]
fn what_somebody_edits_all_day_while_we_are_away_leaves_the_history_in_order() {
    for seen_before in [true, false] {
        let mut world = online();
        let message = world.archives(&from_bob("m", "0 %"));
        let mut order = vec!["299 %".to_string()];
        if seen_before {
            world.live(&message);
            world.timeline.quiet_check();
            world.catch_up();
        }
        world.pass(3600 * 1000);
        for number in 0..50 {
            order.push(format!("before {number}"));
            world.archives(&from_bob(&format!("b{number}"), &format!("before {number}")));
        }
        for number in 0..300 {
            world.archives(&edit(&format!("e{number}"), &format!("{number} %")));
        }
        order.push("after".into());
        world.archives(&from_bob("a", "after"));
        world.session(true);
        world.catch_up();
        assert_eq!(world.bodies(BOB), order);
        assert_eq!(kept(&world), 64);
        assert!(world.stretch(BOB).hole.is_none());
    }
}

//! What counts as unread: what was never shown, here or on another client.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{Payload, StanzaId};
use world::{BOB, ME, World, bare, numbered, text, with};

fn read(world: &mut World) {
    world.told(|t, _, draft| t.read(&bare(BOB), true, draft));
}

/// Five messages, known and read.
fn known() -> World {
    let mut world = World::new();
    for number in 0..5 {
        world.archives(&numbered(number));
    }
    world.session(true);
    world.catch_up();
    read(&mut world);
    world
}

#[test]
fn what_was_said_before_the_first_sign_in_is_not_unread_and_what_is_missed_later_is() {
    let mut world = World::new();
    for number in 0..5 {
        world.archives(&numbered(number));
    }
    world.session(true);
    world.catch_up();
    assert_eq!(world.summary(BOB).unread, 0);
    world.archives(&numbered(5));
    world.session(true);
    world.catch_up();
    assert_eq!(world.summary(BOB).unread, 1);
}

#[test]
fn what_was_missed_is_unread_though_what_came_after_it_was_read_first() {
    let mut world = known();
    for number in 5..8 {
        world.archives(&numbered(number));
    }
    world.session(true);
    let live = world.archives(&numbered(8));
    world.live(&live);
    read(&mut world);
    assert_eq!(world.summary(BOB).unread, 0);
    world.catch_up();
    assert_eq!(world.summary(BOB).unread, 3);
}

#[test]
fn of_a_long_absence_all_is_unread_to_the_last_before_what_came_live() {
    let mut world = known();
    world.pass(3600 * 1000);
    for number in 5..35 {
        world.archives(&numbered(number));
    }
    world.session(true);
    let live = world.archives(&numbered(35));
    world.live(&live);
    read(&mut world);
    world.catch_up();
    assert_eq!(world.summary(BOB).unread, 30);
}

#[test]
fn what_was_missed_is_not_unread_where_another_client_has_displayed_what_came_after() {
    let mut world = known();
    for number in 5..8 {
        world.archives(&numbered(number));
    }
    world.session(true);
    let live = world.archives(&numbered(8));
    world.live(&live);
    let marker = text(&format!("{ME}/phone"), BOB, "marker", "");
    world.carbon(&with(Payload::Displayed(StanzaId::from("id8")), marker));
    world.catch_up();
    assert_eq!(world.summary(BOB).unread, 0);
}

#[test]
fn what_stands_among_what_was_known_and_read_is_not_unread_however_late_it_is_told() {
    let mut world = known();
    // Another node of the server tells late what it archived.
    world.archives(&numbered(9));
    let mut item = world.archive.pop().unwrap();
    item.stamp = world.archive[2].stamp;
    world.archive.insert(2, item);
    world.archives(&numbered(5));
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["0", "1", "9", "2", "3", "4", "5"]);
    assert_eq!(world.summary(BOB).unread, 1);
}

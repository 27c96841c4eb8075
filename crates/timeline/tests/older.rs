//! Older history is read when somebody scrolls back, and says nothing about what was missed.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::Change;
use dormouse_timeline::Effect;
use world::{BOB, ME, Manner, World, bare, bodies, known, numbered, text};

#[test]
fn an_island_closes_no_gap_and_moves_no_cursor() {
    let mut world = World::new();
    for number in 0..300 {
        world.archives(&numbered(number));
        world.archives(&text("ann@a.example/x", ME, &format!("a{number}"), "hi"));
    }
    world.session(true);
    world.catch_up();
    let kept = world.bodies(BOB).len();
    assert!(kept < 300);
    world.archives(&numbered(300));
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

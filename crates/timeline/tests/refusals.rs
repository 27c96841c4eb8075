//! What the user may not do, or not any more, is said; what they may throw away or take back goes without a trace.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{CannotDo, Change, MessageId, Notice, Outgoing, Payload, StanzaId};
use dormouse_timeline::Effect;
use world::{BOB, World, bare, from_bob, with};

fn online() -> World {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    world.flush();
    world
}

fn sent(world: &mut World, body: &str) -> MessageId {
    let id = world.write(BOB, body);
    world.flush();
    world.due();
    world.acknowledge(&[id]);
    id
}

fn edit(world: &mut World, id: MessageId, body: &str) -> Vec<Effect> {
    world.told(|t, now, draft| t.edit(now, id, body.into(), draft))
}

fn retract(world: &mut World, id: MessageId) -> Vec<Effect> {
    world.told(|t, now, draft| t.retract(now, id, draft))
}

fn discard(world: &mut World, id: MessageId) -> Vec<Effect> {
    world.told(|t, _, draft| t.discard(id, draft))
}

fn retry(world: &mut World, id: MessageId) -> Vec<Effect> {
    world.told(|t, now, draft| t.retry(now, id, draft))
}

fn cannot(why: CannotDo) -> Vec<Effect> {
    vec![Effect::Change(Change::Notice(Notice::CannotDo(why)))]
}

#[test]
fn whoever_tries_what_cannot_be_done_is_told_why() {
    let mut world = online();
    world.live(&from_bob("t", "theirs"));
    let theirs = world.message(BOB, "theirs").id;
    for effects in [
        edit(&mut world, theirs, "mine"),
        retract(&mut world, theirs),
        discard(&mut world, theirs),
        retry(&mut world, theirs),
    ] {
        assert_eq!(effects, cannot(CannotDo::NotYours));
    }
    let id = sent(&mut world, "mine");
    assert_eq!(discard(&mut world, id), cannot(CannotDo::AlreadySent));
    assert_eq!(retry(&mut world, id), cannot(CannotDo::NotFailed));
    retract(&mut world, id);
    assert_eq!(edit(&mut world, id, "again"), cannot(CannotDo::Withdrawn));
    assert_eq!(retract(&mut world, id), cannot(CannotDo::Withdrawn));
    assert_eq!(world.bodies(BOB), ["theirs", "Retracted"]);
}

#[test]
fn an_edit_that_says_the_same_is_an_edit_all_the_same() {
    let mut world = online();
    world.live(&from_bob("m", "hello"));
    let replaces = StanzaId::from("m");
    let body = "hello".into();
    world.live(&with(Payload::Edit { replaces, body }, from_bob("e", "")));
    assert_eq!(world.message(BOB, "hello").edited, Some(StanzaId::from("e")));
}

#[test]
fn withdrawing_one_message_leaves_the_edit_of_another_alone() {
    let mut world = online();
    let (one, two) = (sent(&mut world, "one"), sent(&mut world, "tow"));
    edit(&mut world, two, "two");
    retract(&mut world, one);
    assert_eq!(world.bodies(BOB), ["Retracted", "two"]);
    assert_eq!(world.timeline.outbox_len(), 2);
}

#[test]
fn what_failed_without_having_left_can_be_thrown_away() {
    let mut world = online();
    let id = world.write(BOB, "hello");
    world.told(|t, _, draft| t.contact_removed(&bare(BOB), draft));
    discard(&mut world, id);
    assert!(world.bodies(BOB).is_empty() && world.list.is_empty());
}

#[test]
fn an_edit_that_waits_for_a_contact_who_is_removed_is_taken_back() {
    let mut world = online();
    let id = sent(&mut world, "hello");
    edit(&mut world, id, "hallo");
    world.told(|t, _, draft| t.contact_removed(&bare(BOB), draft));
    assert_eq!(world.bodies(BOB), ["hello"]);
    assert_eq!(world.timeline.outbox_len(), 0);
}

#[test]
fn after_a_restart_what_may_have_left_is_edited_by_a_message_of_its_own() {
    let mut world = online();
    let id = world.write(BOB, "helo");
    world.flush();
    world.due();
    // That it was handed over never reached the disk.
    world.crash(0);
    edit(&mut world, id, "hello");
    world.session(true);
    world.catch_up();
    world.flush();
    let due = world.due();
    assert!(
        matches!(&due[..], [(_, Outgoing::Text { body: first, replaces: None, .. }), (_, Outgoing::Text { body: second, replaces: Some(_), .. })] if first == "helo" && second == "hello"),
        "{due:?}"
    );
}

//! Edits, retractions, discards and removed contacts: what the archive says wins.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{
    Content, Delivery, Failure, Incoming, MessageId, OriginId, Outgoing, Payload, StanzaId,
};
use world::{BOB, ME, World, bare, echo, from_bob, text, with};

fn online() -> World {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    world.flush();
    world
}

fn edit(id: &str, of: &str, body: &str) -> Incoming {
    with(
        Payload::Edit {
            replaces: StanzaId::from(of),
            body: body.into(),
        },
        from_bob(id, ""),
    )
}

fn retraction(id: &str, of: &str) -> Incoming {
    with(Payload::Retract(StanzaId::from(of)), from_bob(id, ""))
}

fn sent(world: &mut World, body: &str) -> (MessageId, Outgoing) {
    let id = world.write(BOB, body);
    world.flush();
    let (_, stanza) = world.due().into_iter().next().unwrap();
    world.archives(&echo(&stanza));
    world.acknowledge(&[id]);
    (id, stanza)
}

/// What was said comes back.
fn bounce(said: &Outgoing) -> Incoming {
    let (Outgoing::Text { id, .. } | Outgoing::Retract { id, .. }) = said else {
        panic!("{said:?} does not come back")
    };
    let payload = Payload::Bounce {
        condition: "service-unavailable".into(),
        text: None,
    };
    with(payload, text(BOB, ME, id.as_str(), ""))
}

/// What leaves now.
fn leaves(world: &mut World) -> Outgoing {
    world.flush();
    world.due().into_iter().next().unwrap().1
}

#[test]
fn the_edit_that_stands_last_in_the_archive_wins_whatever_came_first() {
    let mut world = online();
    let original = world.archives(&from_bob("m", "helo"));
    world.live(&original);
    world.archives(&edit("e1", "m", "hallo"));
    let second = world.archives(&edit("e2", "m", "hello"));
    // The second comes live, the first only by the archive, later and more than once.
    world.live(&second);
    assert_eq!(world.bodies(BOB), ["hello"]);
    for _ in 0..2 {
        world.session(true);
        world.catch_up();
        assert_eq!(world.bodies(BOB), ["hello"]);
    }
    assert_eq!(world.message(BOB, "hello").edited, Some(StanzaId::from("e2")));
}

#[test]
fn edits_that_are_told_in_the_wrong_order_end_in_that_of_the_archive() {
    let mut world = online();
    let original = world.archives(&from_bob("m", "helo"));
    let first = world.archives(&edit("e1", "m", "hallo"));
    let second = world.archives(&edit("e2", "m", "hello"));
    for live in [original, second, first] {
        world.live(&live);
    }
    assert_eq!(world.bodies(BOB), ["hallo"]);
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn an_edit_of_an_edit_is_about_the_original() {
    let mut world = online();
    for incoming in [
        from_bob("m", "helo"),
        edit("e1", "m", "hallo"),
        edit("e2", "e1", "hello"),
    ] {
        let sent = world.archives(&incoming);
        world.live(&sent);
    }
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn edits_and_retractions_wait_for_their_target() {
    let mut world = online();
    world.archives(&from_bob("m", "helo"));
    world.archives(&from_bob("n", "secret"));
    let first = world.archives(&edit("e1", "m", "hallo"));
    let second = world.archives(&edit("e2", "e1", "hello"));
    let gone = world.archives(&retraction("r", "n"));
    world.live(&second);
    world.live(&first);
    world.live(&gone);
    assert!(world.bodies(BOB).is_empty());
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["hello", "Retracted"]);
}

#[test]
fn nobody_edits_or_withdraws_what_another_said() {
    let mut world = online();
    let original = world.archives(&from_bob("m", "hello"));
    world.live(&original);
    for mut forged in [edit("e", "m", "forged"), retraction("r", "m")] {
        forged.from = world::jid("mallory@evil.example/x");
        world.live(&forged);
        // Nor do we ourselves what the other side said, from another client.
        forged.from = world::jid(&format!("{ME}/phone"));
        forged.to = world::jid(BOB);
        world.carbon(&forged);
    }
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn a_retraction_wins_over_an_edit_wherever_it_stands() {
    let mut world = online();
    for incoming in [
        from_bob("m", "helo"),
        retraction("r", "m"),
        edit("e", "m", "hello"),
    ] {
        let sent = world.archives(&incoming);
        world.live(&sent);
    }
    assert_eq!(world.bodies(BOB), ["Retracted"]);
}

#[test]
fn a_retraction_drops_a_queued_edit() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.told(|timeline, now, draft| timeline.edit(now, id, "hallo".into(), draft));
    assert_eq!(world.bodies(BOB), ["hallo"]);
    assert_eq!(world.timeline.outbox_len(), 1);
    // Another of our clients withdrew it meanwhile.
    let Outgoing::Text { id: origin, .. } = stanza else {
        panic!()
    };
    let mut gone = text(&format!("{ME}/phone"), BOB, "r", "");
    gone.payload = Payload::Retract(StanzaId(origin.0));
    world.archives(&gone);
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["Retracted"]);
    assert_eq!(world.timeline.outbox_len(), 0);
}

#[test]
fn own_edits_are_sent_under_the_original_id_and_settle_like_messages() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "helo");
    world.told(|timeline, now, draft| timeline.edit(now, id, "hello".into(), draft));
    world.flush();
    let (errand, edit) = world.due().into_iter().next().unwrap();
    let (Outgoing::Text { id: origin, .. }, Outgoing::Text { replaces, .. }) = (&stanza, &edit) else {
        panic!()
    };
    assert_eq!(replaces.as_ref().unwrap().0, origin.0);
    world.archives(&echo(&edit));
    world.doubt(&[errand]);
    world.session(true);
    world.catch_up();
    assert_eq!(world.timeline.outbox_len(), 0, "the archive holds it");
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn an_edit_of_what_has_not_left_changes_it_and_a_retraction_throws_it_away() {
    let mut world = online();
    let id = world.write(BOB, "helo");
    world.told(|timeline, now, draft| timeline.edit(now, id, "hello".into(), draft));
    let other = world.write(BOB, "oops");
    world.told(|timeline, now, draft| timeline.retract(now, other, draft));
    world.flush();
    let due = world.due();
    assert_eq!(due.len(), 1);
    assert!(matches!(&due[0].1, Outgoing::Text { body, replaces: None, .. } if body == "hello"));
    assert_eq!(world.bodies(BOB), ["hello"]);
    world.archives(&echo(&due[0].1));
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn a_discarded_message_that_the_archive_holds_comes_back_as_sent() {
    let mut world = online();
    let id = world.write(BOB, "hello");
    world.flush();
    let (_, stanza) = world.due().into_iter().next().unwrap();
    world.archives(&echo(&stanza));
    world.doubt(&[id]);
    world.told(|timeline, _, draft| timeline.discard(id, draft));
    assert!(world.bodies(BOB).is_empty());
    world.session(true);
    world.catch_up();
    assert_eq!(world.message(BOB, "hello").delivery(), Some(&Delivery::Sent));
}

#[test]
fn what_bounced_and_was_discarded_stays_gone() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.live(&bounce(&stanza));
    world.told(|timeline, _, draft| timeline.discard(id, draft));
    world.session(true);
    world.catch_up();
    assert!(world.bodies(BOB).is_empty());
}

#[test]
fn what_comes_back_says_what_it_was_last_made_to_say_and_is_tried_again_so() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "helo");
    for body in ["hell", "hello"] {
        world.told(|timeline, now, draft| timeline.edit(now, id, body.into(), draft));
    }
    world.live(&bounce(&stanza));
    assert_eq!(world.bodies(BOB), ["hello"]);
    world.flush();
    assert!(world.due().is_empty(), "nobody is told of the edits");
    world.told(|timeline, now, draft| timeline.retry(now, id, draft));
    world.flush();
    let due = world.due();
    assert!(
        matches!(due.as_slice(), [(_, Outgoing::Text { body, replaces: None, .. })] if body == "hello"),
        "{due:?}"
    );
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn what_came_back_and_was_withdrawn_before_stays_withdrawn_when_that_comes_back_too() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.told(|timeline, now, draft| timeline.retract(now, id, draft));
    let retraction = leaves(&mut world);
    world.live(&bounce(&stanza));
    world.live(&bounce(&retraction));
    assert_eq!(world.bodies(BOB), ["Retracted"]);
}

#[test]
fn what_came_back_and_was_edited_before_says_the_last_edit_when_those_come_back_too() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "helo");
    let edits = ["hell", "hello"].map(|body| {
        world.told(|timeline, now, draft| timeline.edit(now, id, body.into(), draft));
        leaves(&mut world)
    });
    world.live(&bounce(&stanza));
    edits.iter().for_each(|edit| {
        world.live(&bounce(edit));
        assert_eq!(world.bodies(BOB), ["hello"]);
    });
}

#[test]
fn an_edit_or_retraction_that_comes_back_alone_is_taken_back() {
    for withdraws in [false, true] {
        let mut world = online();
        let (id, _) = sent(&mut world, "hello");
        world.told(|timeline, now, draft| match withdraws {
            true => timeline.retract(now, id, draft),
            false => timeline.edit(now, id, "hallo".into(), draft),
        });
        let amendment = leaves(&mut world);
        world.live(&bounce(&amendment));
        assert_eq!(world.bodies(BOB), ["hello"]);
    }
}

#[test]
fn a_sent_message_is_not_discarded() {
    let mut world = online();
    let (id, _) = sent(&mut world, "hello");
    world.told(|timeline, _, draft| timeline.discard(id, draft));
    assert_eq!(world.bodies(BOB), ["hello"]);
}

#[test]
fn messages_that_wait_for_a_removed_contact_fail_and_can_be_tried_again() {
    let mut world = online();
    let id = world.write(BOB, "hello");
    world.flush();
    world.told(|timeline, _, draft| timeline.contact_removed(&bare(BOB), draft));
    assert_eq!(
        world.message(BOB, "hello").delivery(),
        Some(&Delivery::Failed(Failure::ContactRemoved))
    );
    assert!(world.due().is_empty());
    world.told(|timeline, now, draft| timeline.retry(now, id, draft));
    world.flush();
    assert_eq!(world.due().len(), 1);
}

#[test]
fn a_doubtful_message_to_a_removed_contact_is_left_to_the_archive_and_not_sent_again() {
    for arrived in [true, false] {
        let mut world = online();
        let id = world.write(BOB, "hello");
        world.flush();
        let (_, stanza) = world.due().into_iter().next().unwrap();
        if arrived {
            world.archives(&echo(&stanza));
        }
        world.doubt(&[id]);
        world.told(|timeline, _, draft| timeline.contact_removed(&bare(BOB), draft));
        world.session(true);
        world.catch_up();
        assert!(world.due().is_empty());
        let expected = if arrived {
            Delivery::Sent
        } else {
            Delivery::Failed(Failure::ContactRemoved)
        };
        assert_eq!(world.message(BOB, "hello").delivery(), Some(&expected));
    }
}

#[test]
fn the_first_copy_of_what_was_archived_twice_says_where_it_stands() {
    let mut world = online();
    let mut mine = text(&format!("{ME}/phone"), BOB, "x", "mine");
    mine.origin = Some(OriginId::from("x"));
    world.archives(&mine);
    world.archives(&from_bob("y", "theirs"));
    world.archives(&mine);
    world.archives(&from_bob("z", "last"));
    world.cap = 1;
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["mine", "theirs", "last"]);
    assert!(matches!(world.message(BOB, "mine").content, Content::Text(_)));
}

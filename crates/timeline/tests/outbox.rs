//! What the user wrote is on disk before it leaves, leaves in order, and leaves twice only if nothing
//! proves that it has arrived.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{BatchId, Content, Delivery, Failure, MessageId, Outgoing, Payload, StanzaId};
use dormouse_timeline::Effect;
use world::{BOB, ME, World, bare, echo, text, with};

const ANN: &str = "ann@a.example";

fn online() -> World {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    world.flush();
    world
}

fn state(world: &World, body: &str) -> Delivery {
    world.message(BOB, body).delivery().unwrap().clone()
}

/// Written, on disk and handed over.
fn sent(world: &mut World, body: &str) -> (MessageId, Outgoing) {
    world.write(BOB, body);
    world.flush();
    world.due().into_iter().next().unwrap()
}

fn name(stanza: &Outgoing) -> StanzaId {
    match stanza {
        Outgoing::Text { id, .. } | Outgoing::Retract { id, .. } => StanzaId(id.0.clone()),
        other => panic!("{other:?}"),
    }
}

fn bounce(of: &Outgoing) -> dormouse_model::Incoming {
    let mut bounce = text(BOB, ME, name(of).as_str(), "");
    bounce.kind = dormouse_model::Kind::Error;
    bounce.payload = Payload::Bounce {
        condition: "service-unavailable".into(),
        text: None,
    };
    bounce
}

fn receipt(of: &Outgoing) -> dormouse_model::Incoming {
    with(
        Payload::Received(name(of)),
        text(&format!("{BOB}/phone"), ME, "r", ""),
    )
}

#[test]
fn a_message_is_shown_at_once_and_sent_when_it_is_on_disk() {
    let mut world = online();
    world.write(BOB, "hello");
    assert_eq!(state(&world, "hello"), Delivery::Queued);
    assert!(world.due().is_empty());
    // A later input's batch says nothing about it before its own is durable.
    world.timeline.durable(BatchId(0));
    assert!(world.due().is_empty());
    world.flush();
    assert_eq!(world.due().len(), 1);
    assert!(world.due().is_empty(), "handed over once");
}

#[test]
fn messages_leave_in_the_order_written() {
    let mut world = online();
    let written: Vec<MessageId> = (0..4).map(|n| world.write(BOB, &n.to_string())).collect();
    world.flush();
    let due: Vec<MessageId> = world.due().into_iter().map(|(id, _)| id).collect();
    assert_eq!(due, written);
}

#[test]
fn an_acknowledged_message_is_sent_and_stands_where_the_acknowledgement_came() {
    let mut world = online();
    let (id, _) = sent(&mut world, "mine");
    let theirs = world.archives(&text(&format!("{BOB}/p"), ME, "t", "theirs"));
    world.live(&theirs);
    assert_eq!(world.bodies(BOB), ["mine", "theirs"]);
    world.acknowledge(&[id]);
    assert_eq!(state(&world, "mine"), Delivery::Sent);
    assert_eq!(world.bodies(BOB), ["theirs", "mine"]);
    assert_eq!(world.timeline.outbox_len(), 0);
}

#[test]
fn acknowledgements_one_by_one_never_put_a_message_behind_one_that_was_typed_later() {
    let mut world = online();
    let ids: Vec<MessageId> = ["one", "two", "three"]
        .map(|body| sent(&mut world, body).0)
        .into();
    world.acknowledge(&ids[..1]);
    assert_eq!(world.bodies(BOB), ["one", "two", "three"]);
    let theirs = world.archives(&text(&format!("{BOB}/p"), ME, "t", "theirs"));
    world.live(&theirs);
    world.acknowledge(&ids[1..2]);
    assert_eq!(world.bodies(BOB), ["one", "theirs", "two", "three"]);
    world.acknowledge(&ids[2..]);
    assert_eq!(world.bodies(BOB), ["one", "theirs", "two", "three"]);
}

#[test]
fn a_long_outbox_is_not_moved_with_every_acknowledgement() {
    let mut world = online();
    let ids: Vec<MessageId> = (0..100).map(|n| sent(&mut world, &n.to_string()).0).collect();
    let theirs = world.archives(&text(&format!("{BOB}/p"), ME, "t", "theirs"));
    world.live(&theirs);
    // Far from the end it stays; the last few go behind what came before their proof, in their order.
    world.acknowledge(&ids[..1]);
    assert_eq!(world.bodies(BOB).last().map(String::as_str), Some("theirs"));
    world.acknowledge(&ids[1..]);
    let mut shown = world.bodies(BOB);
    assert_eq!(shown.last().map(String::as_str), Some("99"));
    shown.retain(|body| body != "theirs");
    let written: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(shown, written);
}

#[test]
fn what_was_said_before_there_was_an_archive_stays_above_what_it_holds() {
    let mut world = online();
    for body in ["old", "older than the archive"] {
        world.live(&text(&format!("{BOB}/p"), ME, body, body));
    }
    let (id, stanza) = sent(&mut world, "mine");
    world.archives(&echo(&stanza));
    let theirs = world.archives(&text(&format!("{BOB}/p"), ME, "t", "theirs"));
    world.live(&theirs);
    world.acknowledge(&[id]);
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(
        world.bodies(BOB),
        ["old", "older than the archive", "mine", "theirs"]
    );
}

#[test]
fn older_history_that_is_asked_for_leaves_what_was_just_sent_where_it_is() {
    let mut world = online();
    for body in ["old", "older than the archive"] {
        world.live(&text(&format!("{BOB}/p"), ME, body, body));
    }
    let (id, stanza) = sent(&mut world, "mine");
    world.archives(&echo(&stanza));
    world.acknowledge(&[id]);
    // The archive has this one of the conversation only, and nobody has read it back yet.
    world.timeline.older(&bare(BOB));
    let query = world
        .timeline
        .next_older(world.now, &world.memory)
        .unwrap()
        .unwrap();
    world.give(&query);
    let order = ["old", "older than the archive", "mine"];
    assert_eq!(world.bodies(BOB), order);
    world.timeline.quiet_check();
    world.catch_up();
    assert_eq!(world.bodies(BOB), order);
}

#[test]
fn a_receipt_that_overtakes_the_acknowledgement_of_an_earlier_message_changes_no_order() {
    let mut world = online();
    let (one, _) = sent(&mut world, "one");
    let (_, two) = sent(&mut world, "two");
    world.live(&receipt(&two));
    world.acknowledge(&[one]);
    assert_eq!(world.bodies(BOB), ["one", "two"]);
}

#[test]
fn a_doubtful_message_that_the_archive_holds_is_sent_and_not_sent_again() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.archives(&echo(&stanza));
    world.doubt(&[id]);
    world.session(true);
    assert!(world.due().is_empty(), "not before the archive has been asked");
    world.catch_up();
    assert!(world.due().is_empty());
    assert_eq!(state(&world, "hello"), Delivery::Sent);
}

#[test]
fn a_doubtful_message_that_the_archive_does_not_hold_is_sent_again_with_the_same_ids() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.doubt(&[id]);
    world.session(true);
    world.catch_up();
    let again = world.due();
    assert_eq!(again.len(), 1);
    assert_eq!(name(&again[0].1), name(&stanza));
    assert!(matches!(
        again[0].1,
        Outgoing::Text {
            first_sent: Some(_),
            ..
        }
    ));
    assert!(world.due().is_empty());
}

#[test]
fn a_doubtful_message_holds_back_those_behind_it_in_its_conversation_only() {
    let mut world = online();
    let (id, _) = sent(&mut world, "one");
    world.write(BOB, "two");
    let other = world.write(ANN, "three");
    world.flush();
    world.doubt(&[id]);
    world.session(true);
    let due: Vec<MessageId> = world.due().into_iter().map(|(id, _)| id).collect();
    assert_eq!(due, [other]);
    world.catch_up();
    assert_eq!(world.due().len(), 2);
}

#[test]
fn without_an_archive_a_doubtful_message_is_sent_again_at_once() {
    let mut world = online();
    let (id, _) = sent(&mut world, "hello");
    world.doubt(&[id]);
    world.told(|timeline, _, draft| timeline.session(true, false, draft));
    assert_eq!(world.due().len(), 1);
}

#[test]
fn an_answer_asked_before_the_doubt_proves_nothing() {
    let mut world = online();
    world.timeline.quiet_check();
    let early = world.query().unwrap();
    let page = world.answer(&early).unwrap();
    let (id, stanza) = sent(&mut world, "hello");
    world.archives(&echo(&stanza));
    world.doubt(&[id]);
    world.told(|timeline, now, draft| timeline.page(now, page, draft));
    assert!(world.due().is_empty());
    world.catch_up();
    assert_eq!(state(&world, "hello"), Delivery::Sent);
    assert!(world.due().is_empty());
}

#[test]
fn after_a_restart_everything_is_doubtful_unless_the_session_holds_it() {
    let mut world = online();
    let (_, stanza) = sent(&mut world, "hello");
    world.archives(&echo(&stanza));
    // That it was handed over never reached the disk.
    world.crash(0);
    assert!(world.due().is_empty());
    world.session(false);
    assert!(world.due().is_empty());
    assert!(world.query().is_some(), "a resumed session asks the archive, too");
}

#[test]
fn what_a_restored_session_holds_is_left_to_it() {
    let mut world = online();
    let (id, _) = sent(&mut world, "hello");
    world.crash(9);
    world.timeline.held(&[id]);
    world.session(false);
    world.catch_up();
    assert!(world.due().is_empty());
    world.acknowledge(&[id]);
    assert_eq!(state(&world, "hello"), Delivery::Sent);
}

#[test]
fn states_go_forwards_only() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.acknowledge(&[id]);
    world.live(&receipt(&stanza));
    assert_eq!(state(&world, "hello"), Delivery::Delivered);
    let marker = with(Payload::Displayed(name(&stanza)), receipt(&stanza));
    world.live(&marker);
    assert_eq!(state(&world, "hello"), Delivery::Read);
    world.live(&receipt(&stanza));
    world.acknowledge(&[id]);
    assert_eq!(state(&world, "hello"), Delivery::Read);
    world.live(&bounce(&stanza));
    assert_eq!(
        state(&world, "hello"),
        Delivery::Read,
        "one of their clients has it"
    );
}

#[test]
fn a_marker_covers_all_own_messages_before_it() {
    let mut world = online();
    let mut stanzas = Vec::new();
    for body in ["one", "two", "three"] {
        let (id, stanza) = sent(&mut world, body);
        world.acknowledge(&[id]);
        stanzas.push(stanza);
    }
    world.live(&with(Payload::Displayed(name(&stanzas[1])), receipt(&stanzas[1])));
    assert_eq!(state(&world, "one"), Delivery::Read);
    assert_eq!(state(&world, "two"), Delivery::Read);
    assert_eq!(state(&world, "three"), Delivery::Sent);
}

#[test]
fn a_receipt_before_the_acknowledgement_settles_the_errand() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.live(&receipt(&stanza));
    assert_eq!(state(&world, "hello"), Delivery::Delivered);
    world.doubt(&[id]);
    world.session(true);
    world.catch_up();
    assert!(world.due().is_empty());
}

#[test]
fn a_receipt_or_marker_from_somebody_else_proves_nothing() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.acknowledge(&[id]);
    let mut forged = receipt(&stanza);
    forged.from = world::jid("mallory@evil.example/x");
    world.live(&forged);
    world.live(&with(Payload::Displayed(name(&stanza)), forged.clone()));
    let mut refused = bounce(&stanza);
    refused.from = world::jid("mallory@evil.example");
    world.live(&refused);
    assert_eq!(state(&world, "hello"), Delivery::Sent);
}

#[test]
fn a_receipt_read_before_its_message_waits_for_it() {
    let mut world = online();
    let stanza = {
        let mut mine = text(&format!("{ME}/phone"), BOB, "m", "from the phone");
        mine.receipt_wanted = true;
        mine
    };
    world.archives(&stanza);
    let came = with(
        Payload::Received(StanzaId::from("m")),
        text(&format!("{BOB}/p"), ME, "r", ""),
    );
    world.live(&came);
    world.session(true);
    world.catch_up();
    assert_eq!(state(&world, "from the phone"), Delivery::Delivered);
}

#[test]
fn a_confirmation_that_comes_behind_the_bounce_says_nothing_about_the_retry() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.live(&bounce(&stanza));
    world.told(|timeline, now, draft| timeline.retry(now, id, draft));
    world.acknowledge(&[id]);
    assert_eq!(state(&world, "hello"), Delivery::Queued);
    world.flush();
    let due = world.due();
    assert_eq!(due.len(), 1, "it is sent all the same");
    world.acknowledge(&[id]);
    assert_eq!(state(&world, "hello"), Delivery::Sent);
}

#[test]
fn a_bounce_turns_sent_into_failed_at_any_later_time_and_a_retry_has_a_new_name() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, "hello");
    world.archives(&echo(&stanza));
    world.acknowledge(&[id]);
    world.session(true);
    world.catch_up();
    world.pass(86_400_000);
    world.live(&bounce(&stanza));
    assert!(matches!(
        state(&world, "hello"),
        Delivery::Failed(Failure::Bounced { .. })
    ));
    world.told(|timeline, now, draft| timeline.retry(now, id, draft));
    assert_eq!(state(&world, "hello"), Delivery::Queued);
    world.flush();
    let (again, second) = world.due().into_iter().next().unwrap();
    assert_eq!(again, id);
    assert_ne!(name(&second), name(&stanza));
    // The first attempt's copy in the archive proves nothing about the second.
    world.doubt(&[id]);
    world.session(true);
    world.catch_up();
    assert_eq!(state(&world, "hello"), Delivery::Queued);
    assert_eq!(world.due().len(), 1);
    world.archives(&echo(&second));
    world.session(true);
    world.catch_up();
    assert_eq!(state(&world, "hello"), Delivery::Sent);
}

#[test]
fn a_message_larger_than_the_server_takes_fails_with_the_reason() {
    let mut world = online();
    let (id, _) = sent(&mut world, "hello");
    world.told(|timeline, _, draft| timeline.too_large(id, draft));
    assert_eq!(state(&world, "hello"), Delivery::Failed(Failure::TooLarge));
    assert_eq!(world.timeline.outbox_len(), 0);
}

#[test]
fn receipts_are_sent_for_live_messages_only_and_only_where_we_may_be_seen() {
    let mut world = online();
    let mut wants = text(&format!("{BOB}/phone"), ME, "x", "hello");
    wants.receipt_wanted = true;
    let wants = world.archives(&wants);
    let is_receipt = |effect: &Effect| matches!(effect, Effect::Send(Outgoing::Receipt { .. }));
    assert!(!world.carbon(&wants).iter().any(is_receipt));
    assert_eq!(
        world
            .live(&wants)
            .iter()
            .filter(|effect| is_receipt(effect))
            .count(),
        1
    );
    let mut other = text(&format!("{BOB}/phone"), ME, "y", "hello again");
    other.receipt_wanted = true;
    world.archives(&other);
    world.effects.clear();
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["hello", "hello again"]);
    assert!(!world.effects.iter().any(is_receipt));
    let hidden = dormouse_model::Arrival {
        via: dormouse_model::Via::Live,
        message: other,
    };
    let effects = world.told(|timeline, now, draft| timeline.arrival(now, hidden, false, draft));
    assert!(!effects.iter().any(is_receipt));
}

#[test]
fn reading_a_conversation_clears_what_is_unread_and_says_so_once() {
    let mut world = online();
    for body in ["one", "two"] {
        let sent = world.archives(&text(&format!("{BOB}/phone"), ME, body, body));
        world.live(&sent);
    }
    let unread = |world: &World| {
        let summary = dormouse_timeline::conversation(&world.memory, &bare(BOB)).unwrap();
        summary.unread
    };
    assert_eq!(unread(&world), 2);
    let read = |world: &mut World| world.told(|t, _, draft| t.read(&bare(BOB), true, draft));
    let marker = Effect::Send(Outgoing::Displayed {
        to: bare(BOB),
        of: StanzaId::from("two"),
    });
    assert_eq!(read(&mut world), [marker]);
    assert_eq!(unread(&world), 0);
    assert_eq!(read(&mut world), []);
    assert!(matches!(world.message(BOB, "one").content, Content::Text(_)));
}

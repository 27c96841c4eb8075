//! What proves something about own messages, how far, and what is said of theirs.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{Change, Stamp};
use dormouse_model::{
    ChatState, Delivery, Failure, Incoming, Kind, Message, MessageId, OriginId, Outgoing, Payload, StanzaId,
};
use dormouse_timeline::Effect;
use world::{BOB, ME, World, bare, echo, from_bob, text, with};

const ANN: &str = "ann@a.example";

fn online() -> World {
    let mut world = World::new();
    world.session(true);
    world.catch_up();
    world.flush();
    world
}

fn from_the_phone(id: &str, body: &str) -> Incoming {
    text(&format!("{ME}/phone"), BOB, id, body)
}

/// Written, on disk and handed over.
fn sent(world: &mut World, to: &str, body: &str) -> (MessageId, Outgoing) {
    world.write(to, body);
    world.flush();
    world.due().into_iter().next().unwrap()
}

fn name(stanza: &Outgoing) -> StanzaId {
    match stanza {
        Outgoing::Text { id, .. } => StanzaId(id.0.clone()),
        other => panic!("{other:?}"),
    }
}

fn received(of: &Outgoing) -> Incoming {
    with(Payload::Received(name(of)), from_bob("r", ""))
}

fn displayed(of: &str) -> Incoming {
    with(Payload::Displayed(StanzaId::from(of)), from_bob("d", ""))
}

fn bounce(of: &str) -> Incoming {
    let payload = Payload::Bounce {
        condition: "service-unavailable".into(),
        text: None,
    };
    Incoming {
        kind: Kind::Error,
        ..with(payload, text(BOB, ME, of, ""))
    }
}

fn state(world: &World, body: &str) -> Delivery {
    world.message(BOB, body).delivery().unwrap().clone()
}

fn theirs(world: &mut World, id: &str) {
    // Without an archive id: it is provisional, too.
    world.live(&from_bob(id, id));
}

fn read(world: &mut World) -> Vec<Effect> {
    world.told(|t, _, draft| t.read(&bare(BOB), true, draft))
}

fn told(of: &str) -> Effect {
    let (to, of) = (bare(BOB), StanzaId::from(of));
    Effect::Send(Outgoing::Displayed { to, of })
}

#[test]
fn a_proof_behind_what_came_without_an_archive_id_moves_a_message_there() {
    let mut world = online();
    let (id, _) = sent(&mut world, BOB, "mine");
    theirs(&mut world, "theirs");
    world.acknowledge(&[id]);
    assert_eq!(world.bodies(BOB), ["theirs", "mine"]);
}

#[test]
fn a_carbon_of_what_an_earlier_session_sent_proves_it_and_says_where_it_stands() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, BOB, "mine");
    world.doubt(&[id]);
    theirs(&mut world, "theirs");
    // This server keeps of both names only the `id`.
    let mut carbon = echo(&stanza);
    carbon.origin = None;
    world.carbon(&carbon);
    assert_eq!(world.bodies(BOB), ["theirs", "mine"]);
    assert_eq!(state(&world, "mine"), Delivery::Sent);
    assert_eq!(world.timeline.outbox_len(), 0);
}

#[test]
fn a_message_that_was_tried_again_stays_behind_what_was_sent_before_it() {
    let mut world = online();
    let (first, stanza) = sent(&mut world, BOB, "first");
    world.acknowledge(&[first]);
    let (second, _) = sent(&mut world, BOB, "second");
    world.live(&bounce(name(&stanza).as_str()));
    world.told(|t, now, draft| t.retry(now, first, draft));
    assert_eq!(world.bodies(BOB), ["second", "first"]);
    world.flush();
    world.due();
    world.acknowledge(&[second]);
    assert_eq!(world.bodies(BOB), ["second", "first"]);
    world.acknowledge(&[first]);
    assert_eq!(world.bodies(BOB), ["second", "first"]);
}

#[test]
fn an_acknowledgement_moves_nothing_in_other_conversations() {
    let mut world = online();
    let (id, _) = sent(&mut world, BOB, "to bob");
    sent(&mut world, ANN, "to ann");
    world.live(&text(&format!("{ANN}/phone"), ME, "a", "from ann"));
    theirs(&mut world, "from bob");
    world.acknowledge(&[id]);
    assert_eq!(world.bodies(BOB), ["from bob", "to bob"]);
    assert_eq!(world.bodies(ANN), ["to ann", "from ann"]);
}

#[test]
fn an_acknowledged_message_takes_a_few_along_that_wait_behind_it_and_stays_before_many() {
    for (waiting, moves) in [(32, true), (33, false), (99, false)] {
        let mut world = online();
        let (id, _) = sent(&mut world, BOB, "0");
        theirs(&mut world, "theirs");
        for number in 1..=waiting {
            world.write(BOB, &number.to_string());
        }
        let mut order: Vec<String> = (0..=waiting).map(|number| number.to_string()).collect();
        order.insert(usize::from(!moves), "theirs".into());
        world.acknowledge(&[id]);
        assert_eq!(world.bodies(BOB), order, "{waiting} wait");
    }
}

#[test]
fn what_waits_stands_behind_what_was_missed() {
    let mut world = online();
    world.archives(&from_bob("1", "missed"));
    world.write(BOB, "waits");
    world.session(true);
    world.catch_up();
    assert_eq!(world.bodies(BOB), ["missed", "waits"]);
}

#[test]
fn what_is_read_back_where_it_stands_keeps_its_place() {
    let mut world = online();
    let known = world.archives(&from_bob("1", "known"));
    world.live(&known);
    world.timeline.quiet_check();
    world.catch_up();
    let gone = world.write(BOB, "gone");
    let stays = ["stays", "stays, too"];
    for body in stays {
        world.write(BOB, body);
    }
    world.told(|t, _, draft| t.discard(gone, draft));
    world.flush();
    for (id, stanza) in world.due() {
        world.archives(&echo(&stanza));
        world.acknowledge(&[id]);
    }
    let places = stays.map(|body| world.message(BOB, body).place);
    world.timeline.quiet_check();
    world.catch_up();
    let settled = stays.map(|body| world.message(BOB, body));
    assert!(settled.iter().all(Message::is_settled));
    assert_eq!(settled.map(|message| message.place), places);
}

#[test]
fn what_is_proven_already_is_not_told_again() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, BOB, "mine");
    world.acknowledge(&[id]);
    assert_eq!(world.live(&received(&stanza)).len(), 1);
    assert_eq!(world.live(&received(&stanza)), []);
    let marker = displayed(name(&stanza).as_str());
    assert_eq!(world.live(&marker).len(), 1);
    assert_eq!(world.live(&marker), []);
}

#[test]
fn a_marker_goes_back_over_a_thousand_messages_and_so_does_the_look_for_theirs() {
    let mut world = online();
    theirs(&mut world, "theirs");
    for number in 0..300 {
        world.carbon(&from_the_phone(&format!("p{number}"), &number.to_string()));
    }
    assert_eq!(read(&mut world), [told("theirs")]);
    for number in 300..1100 {
        world.carbon(&from_the_phone(&format!("p{number}"), &number.to_string()));
    }
    world.live(&displayed("p1099"));
    assert_eq!(state(&world, "100"), Delivery::Read);
    assert_eq!(state(&world, "50"), Delivery::Sent);
    let mut world = online();
    theirs(&mut world, "too far back");
    for number in 0..1000 {
        world.carbon(&from_the_phone(&format!("p{number}"), &number.to_string()));
    }
    assert_eq!(read(&mut world), []);
}

#[test]
fn what_was_read_on_another_client_is_told_once_it_is_read_here() {
    let mut world = online();
    theirs(&mut world, "one");
    let marker = Payload::Displayed(StanzaId::from("one"));
    world.carbon(&with(marker, from_the_phone("d", "")));
    assert_eq!(world.summary(BOB).unread, 0);
    assert_eq!(read(&mut world), [told("one")]);
    assert_eq!(read(&mut world), []);
}

#[test]
fn reading_what_was_missed_below_what_was_told_of_tells_again() {
    let mut world = online();
    world.archives(&from_bob("one", "one"));
    world.session(true);
    let live = world.archives(&from_bob("two", "two"));
    world.live(&live);
    assert_eq!(read(&mut world), [told("two")]);
    world.catch_up();
    assert_eq!(world.summary(BOB).unread, 1);
    assert_eq!(read(&mut world), [told("two")]);
}

#[test]
fn a_marker_for_a_name_that_comes_round_again_means_the_latest() {
    let mut world = online();
    for (id, body) in [("1", "one"), ("2", "two"), ("1", "three")] {
        world.live(&from_bob(id, body));
    }
    let marker = Payload::Displayed(StanzaId::from("1"));
    world.carbon(&with(marker, from_the_phone("d", "")));
    assert_eq!(world.summary(BOB).unread, 0);
}

#[test]
fn a_receipt_that_another_of_our_clients_sends_does_not_say_that_the_user_has_read() {
    let mut world = online();
    theirs(&mut world, "one");
    let receipt = Payload::Received(StanzaId::from("one"));
    world.carbon(&with(receipt, from_the_phone("r", "")));
    assert_eq!(world.summary(BOB).unread, 1);
}

#[test]
fn what_bounced_under_an_earlier_name_does_not_fail_the_attempt_that_followed() {
    let mut world = online();
    let (id, stanza) = sent(&mut world, BOB, "mine");
    world.live(&bounce(name(&stanza).as_str()));
    world.told(|t, now, draft| t.retry(now, id, draft));
    world.live(&bounce(name(&stanza).as_str()));
    assert_eq!(state(&world, "mine"), Delivery::Queued);
}

#[test]
fn a_bounce_names_what_another_of_our_clients_sent_by_either_of_its_names() {
    for (stanza, bounced) in [(Some("i"), "i"), (None, "o")] {
        let mut world = online();
        let mut mine = from_the_phone("", "mine");
        mine.id = stanza.map(StanzaId::from);
        mine.origin = Some(OriginId::from("o"));
        world.carbon(&mine);
        world.live(&bounce(bounced));
        assert!(matches!(
            state(&world, "mine"),
            Delivery::Failed(Failure::Bounced { .. })
        ));
    }
}

#[test]
fn an_error_that_bears_a_text_is_nobodys_message() {
    let mut world = online();
    let mut error = from_bob("1", "not for you");
    error.kind = Kind::Error;
    world.live(&error);
    assert!(world.bodies(BOB).is_empty());
}

#[test]
fn a_chat_state_is_told_when_it_is_fresh_and_not_of_a_room() {
    let mut world = online();
    let mut composing = with(Payload::Nothing, from_bob("1", ""));
    composing.chat_state = Some(ChatState::Composing);
    let told = Effect::Change(Change::ChatState {
        conversation: bare(BOB),
        state: Some(ChatState::Composing),
    });
    assert_eq!(world.live(&composing), std::slice::from_ref(&told));
    assert_eq!(world.carbon(&composing), []);
    let late = Incoming {
        stamp: Some(Stamp(0)),
        ..composing.clone()
    };
    assert_eq!(world.live(&late), []);
    let room = Incoming {
        kind: Kind::Groupchat,
        ..composing
    };
    assert!(!world.live(&room).contains(&told));
}

//! What the window is shown of what the engine tells.

use super::*;
use crate::protocol::Content;
use crate::translations::Translations;
use dormouse_engine::model::{Delivery, Failure, MessageId, Names, Stamp, StanzaId, Tick};
use std::time::Duration;

fn view() -> View {
    View::new(Arc::new(Words::new(Translations::of("en").unwrap())))
}

fn bare(address: &str) -> BareJid {
    BareJid::new(address).unwrap()
}

fn now() -> Now {
    Now {
        tick: Tick(1_000),
        stamp: Stamp(50_000),
    }
}

fn message(with: &str, side: Side, text: &str) -> model::Message {
    model::Message {
        id: MessageId(7),
        conversation: bare(with),
        place: Place(0xabc),
        sender: bare(with).into(),
        side,
        stamp: Stamp(1234),
        content: model::Content::Text(text.into()),
        names: Names::default(),
        edited: None,
    }
}

fn contact(address: &str, name: Option<&str>) -> model::Contact {
    model::Contact {
        name: name.map(str::to_owned),
        ..model::Contact::unknown(bare(address))
    }
}

fn conversation(with: &str, text: &str) -> model::Change {
    model::Change::Conversation(Box::new(model::Conversation {
        last: Some(message(with, Side::Theirs, text)),
        unread: 2,
        read_up_to: Some(Place(1)),
        ..model::Conversation::nothing(bare(with))
    }))
}

fn told(view: &mut View, change: model::Change) -> Vec<Change> {
    let mut out = Vec::new();
    view.change(change, &Tags::default(), now(), &mut out);
    out
}

#[test]
fn a_message_says_what_the_window_needs_and_its_place_sorts_as_text() {
    let mut tags = Tags::default();
    tags.insert(MessageId(7), "mine".into());
    let mut sent = message("juliet@example.org", Side::Own(Delivery::Sent), "hello");
    sent.edited = Some(StanzaId::from("x"));
    let shown = view().message(&sent, &tags);
    assert_eq!(shown.place, format!("{:032x}", 0xabc));
    assert_eq!(place(&shown.place), Some(Place(0xabc)));
    assert_eq!(shown.tag.as_deref(), Some("mine"));
    assert!(shown.own && shown.edited);
    assert_eq!(shown.delivery, Some(protocol::Delivery::Sent));
    assert!(Place(9).to_string() < Place(10).to_string());
}

#[test]
fn a_failure_comes_as_a_sentence() {
    let failed = Side::Own(Delivery::Failed(Failure::TooLarge));
    let shown = view().message(&message("juliet@example.org", failed, "x"), &Tags::default());
    assert_eq!(
        shown.delivery,
        Some(protocol::Delivery::Failed {
            why: "It is larger than your server takes.".into()
        })
    );
}

#[test]
fn the_next_attempt_is_told_on_the_calendars_clock() {
    let shown = told(
        &mut view(),
        model::Change::Connection(model::Connection {
            state: ConnectionState::Waiting {
                until: now().tick + Duration::from_secs(4),
                attempt: 2,
            },
            since: Stamp(49_000),
            cause: Cause::Lost,
        }),
    );
    let [Change::Connection(connection)] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    assert_eq!(connection.retry_at, Some(54_000));
    assert_eq!(connection.since, 49_000);
    assert_eq!(connection.cause, "The connection was lost.");
    assert!(!connection.password_refused);
}

#[test]
fn only_a_stop_for_want_of_a_password_is_mended_by_one() {
    let stopped = |cause| model::Connection {
        state: ConnectionState::Stopped,
        since: Stamp(0),
        cause,
    };
    assert!(wants_password(&stopped(Cause::WrongPassword)));
    assert!(wants_password(&stopped(Cause::NoPassword)));
    assert!(!wants_password(&stopped(Cause::AccountDisabled { text: None })));
}

#[test]
fn a_list_gets_the_beginning_of_a_long_message_on_one_line() {
    let mut view = view();
    let long = format!("first line\n\nsecond {}", "word ".repeat(10_000));
    let shown = told(&mut view, conversation("juliet@example.org", &long));
    let [Change::Conversation(shown)] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    let Some(Content::Text { body }) = shown.last.as_ref().map(|last| &last.content) else {
        panic!("{shown:?}");
    };
    assert!(body.starts_with("first line second word"));
    assert!(body.ends_with('…'));
    assert!(body.chars().count() <= EXCERPT);
}

#[test]
fn an_excerpt_of_a_short_text_is_the_text() {
    assert_eq!(excerpt("  a \n b\t", 10), "a b");
    assert_eq!(excerpt("", 10), "");
    assert_eq!(excerpt("abcdefghij", 5), "abcd…");
    assert_eq!(excerpt("abcd", 5), "abcd");
}

#[test]
fn somebody_who_is_not_on_the_roster_is_a_stranger_under_their_address() {
    let mut view = view();
    view.snapshot(
        vec![model::Change::Contact(contact(
            "juliet@example.org",
            Some("Juliet"),
        ))],
        &Tags::default(),
        now(),
    );
    let friend = view.person(&bare("juliet@example.org"));
    assert_eq!((friend.name.as_str(), friend.stranger), ("Juliet", false));
    let stranger = view.person(&bare("tybalt@example.org"));
    assert_eq!(
        (stranger.name.as_str(), stranger.stranger),
        ("tybalt@example.org", true)
    );
}

#[test]
fn a_conversation_of_the_snapshot_knows_contacts_that_come_behind_it() {
    let shown = view().snapshot(
        vec![
            conversation("juliet@example.org", "hi"),
            model::Change::Contact(contact("juliet@example.org", Some("Juliet"))),
        ],
        &Tags::default(),
        now(),
    );
    let Some(Change::Conversation(first)) = shown.first() else {
        panic!("{shown:?}");
    };
    assert_eq!(first.person.name, "Juliet");
    assert_eq!(shown.len(), 2);
}

#[test]
fn a_new_name_is_told_in_the_conversation_too() {
    let mut view = view();
    told(&mut view, conversation("juliet@example.org", "hi"));
    let shown = told(
        &mut view,
        model::Change::Contact(contact("juliet@example.org", Some("Juliet"))),
    );
    let [Change::Contact(_), Change::Conversation(again)] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    assert_eq!(
        (again.person.name.as_str(), again.person.stranger),
        ("Juliet", false)
    );
    // Nothing about them is different: nothing more is told.
    let shown = told(
        &mut view,
        model::Change::Contact(contact("juliet@example.org", Some("Juliet"))),
    );
    assert_eq!(shown.len(), 1);
    let shown = told(
        &mut view,
        model::Change::ContactRemoved(bare("juliet@example.org")),
    );
    assert_eq!(shown.len(), 2);
}

#[test]
fn whoever_looks_like_somebody_else_comes_with_a_warning() {
    let mut view = view();
    told(
        &mut view,
        model::Change::Contact(contact("juliet@example.org", Some("Juliet"))),
    );
    let shown = told(
        &mut view,
        model::Change::Contact(contact("mallory@evil.example", Some("juliet@example.org"))),
    );
    let [Change::Contact(imitator)] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    let warning = imitator.person.warning.as_deref().unwrap_or_default();
    assert!(warning.contains("juliet@example.org"), "{warning}");
}

#[test]
fn a_notice_that_no_longer_holds_is_taken_back_under_its_name() {
    let mut view = view();
    let shown = told(&mut view, model::Change::Notice(model::Notice::NoArchive));
    let [Change::Notice { name, text: Some(_) }] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    let gone = told(
        &mut view,
        model::Change::NoticeGone(model::Notice::NoArchive.name()),
    );
    assert_eq!(
        gone,
        [Change::Notice {
            name: name.clone(),
            text: None
        }]
    );
}

#[test]
fn only_composing_is_typing() {
    let typing = |state| {
        told(
            &mut view(),
            model::Change::ChatState {
                conversation: bare("juliet@example.org"),
                state,
            },
        )
    };
    let shown = |typing| {
        vec![Change::Typing {
            with: "juliet@example.org".into(),
            typing,
        }]
    };
    assert_eq!(typing(Some(ChatState::Composing)), shown(true));
    assert_eq!(typing(Some(ChatState::Paused)), shown(false));
    assert_eq!(typing(None), shown(false));
}

#[test]
fn what_is_no_place_is_refused() {
    for text in [
        "",
        "0",
        "-0000000000000000000000000000001",
        "+0000000000000000000000000000001",
        "zz",
    ] {
        assert_eq!(place(text), None, "{text}");
    }
    assert_eq!(place(&"f".repeat(32)), Some(Place(u128::MAX)));
}

//! Chatting: what each of two people sees of what the other does.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::{Event, Mark};
use dormouse_scenarios::server::{Make, Plan, SOON, Server, Shared, befriend};
use dormouse_scenarios::{Result, with_both_servers};
use dormouse_scripts::checker::Expected;
use serde_json::json;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long something that must not come is waited for.
const A_WHILE: Duration = Duration::from_secs(3);
/// Before the archive is asked at a quiet moment: what is shown by then came by itself.
const BEFORE_ANY_QUERY: Duration = Duration::from_secs(10);

fn server(make: Make) -> Result<Arc<Server>> {
    static PROSODY: Shared = Shared::new();
    static EJABBERD: Shared = Shared::new();
    match make {
        Make::Prosody => PROSODY.get(Plan::new(make)),
        Make::Ejabberd => EJABBERD.get(Plan::new(make)),
    }
}

/// Two people who are live, and each other's contacts.
fn friends(server: &Server, name: &str) -> Result<(Client, Client)> {
    let (mut alice, mut bob) = strangers(server, name)?;
    befriend(&mut alice, &mut bob)?;
    Ok((alice, bob))
}

/// Two people who are live and have nothing to do with each other.
fn strangers(server: &Server, name: &str) -> Result<(Client, Client)> {
    let alice = server.person(&format!("alice-{name}-"))?;
    let bob = server.person(&format!("bob-{name}-"))?;
    let (alice, bob) = (server.client(&alice).start()?, server.client(&bob).start()?);
    alice.wait_until_live(SOON)?;
    bob.wait_until_live(SOON)?;
    Ok((alice, bob))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn own(event: &Event, tag: &str) -> bool {
    event.kind() == "message" && event.text("tag") == tag
}

/// The states in which an own message was shown, each once, in their order.
fn states_shown(client: &Client, tag: &str) -> Vec<String> {
    let mut states: Vec<String> = client
        .since(Mark::START)
        .iter()
        .filter(|event| own(event, tag))
        .map(|event| event.text("state").to_owned())
        .collect();
    states.dedup();
    states
}

/// The local id of an own message.
fn id_of(client: &Client, tag: &str) -> Result<u64> {
    let event = client.wait_for(&format!("the message “{tag}”"), SOON, |event| own(event, tag))?;
    event.json["id"].as_u64().context("a message without an id")
}

/// The last thing shown of a contact.
fn contact(events: &[Event], address: &str) -> Option<Event> {
    let of = |event: &&Event| event.kind() == "contact" && event.text("address") == address;
    events.iter().rev().find(of).cloned()
}

fn wait_for_contact(client: &Client, address: &str, what: &str, is: impl Fn(&Event) -> bool) -> Result<()> {
    client.wait(Mark::START, &format!("{address} as {what}"), SOON, |events| {
        contact(events, address).filter(|event| is(event)).map(drop)
    })
}

fn messages_go_both_ways_and_their_states_go_forward(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut alice, mut bob) = friends(&server, "states")?;
    let (to_bob, to_alice) = (bob.address().to_owned(), alice.address().to_owned());
    let said = texts(&["one", "two", "three – with <xml> & “quotes” and 🐁"]);
    let answered = texts(&["yes", "one", "no\nreally"]);
    for (ours, theirs) in said.iter().zip(&answered) {
        alice.send(&to_bob, ours)?;
        bob.send(&to_alice, theirs)?;
    }
    alice.wait_until_received(&answered, SOON)?;
    bob.wait_until_received(&said, SOON)?;
    alice.wait_until_sent(&said, &["delivered"], SOON)?;
    bob.wait_until_sent(&answered, &["delivered"], SOON)?;
    for text in &said {
        let shown = states_shown(&alice, text);
        let order = ["queued", "sent", "delivered"];
        ensure!(
            shown.first().map(String::as_str) == Some("queued")
                && shown.is_sorted_by_key(|state| order.iter().position(|it| it == state)),
            "“{text}” was shown as {shown:?}"
        );
    }
    Expected {
        received: &answered,
        sent: &said,
        states: &["delivered"],
    }
    .check(&alice.messages(&to_bob)?)?;
    Expected {
        received: &said,
        sent: &answered,
        states: &["delivered"],
    }
    .check(&bob.messages(&to_alice)?)?;
    ensure!(
        alice.state() == "live" && bob.state() == "live",
        "not live\n{}",
        alice.dump()
    );
    Ok(())
}

fn a_stranger_learns_neither_that_a_message_came_nor_that_it_was_read_or_is_answered(
    make: Make,
) -> Result<()> {
    let server = server(make)?;
    let (mut alice, mut stranger) = strangers(&server, "stranger")?;
    let (to_alice, to_stranger) = (alice.address().to_owned(), stranger.address().to_owned());
    stranger.send(&to_alice, "are you there?")?;
    alice.wait_until_received(&texts(&["are you there?"]), SOON)?;
    stranger.wait_until_sent(&texts(&["are you there?"]), &["sent"], SOON)?;
    alice.send_command(&json!({"command": "read", "with": to_stranger}))?;
    alice.send_command(&json!({"command": "typing", "to": to_stranger, "typing": true}))?;
    thread::sleep(A_WHILE);
    let shown = states_shown(&stranger, "are you there?");
    ensure!(shown == ["queued", "sent"], "the stranger was shown {shown:?}");
    let typing = stranger
        .since(Mark::START)
        .into_iter()
        .find(|event| event.kind() == "typing");
    ensure!(typing.is_none(), "the stranger was told of typing: {typing:?}");
    Ok(())
}

fn reading_is_shown_to_a_contact(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut alice, mut bob) = friends(&server, "read")?;
    let (to_alice, to_bob) = (alice.address().to_owned(), bob.address().to_owned());
    let said = texts(&["first", "second"]);
    for text in &said {
        alice.send(&to_bob, text)?;
    }
    bob.wait_until_received(&said, SOON)?;
    alice.wait_until_sent(&said, &["delivered"], SOON)?;
    bob.send_command(&json!({"command": "read", "with": to_alice}))?;
    alice.wait_until_sent(&said, &["read"], SOON)
}

fn typing_is_shown_to_a_contact_until_it_ends(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut alice, bob) = friends(&server, "typing")?;
    let to_bob = bob.address().to_owned();
    for typing in [true, false] {
        let mark = bob.mark();
        alice.send_command(&json!({"command": "typing", "to": to_bob, "typing": typing}))?;
        bob.wait_for_since(mark, "typing", SOON, |event| {
            event.kind() == "typing"
                && event.text("conversation") == alice.address()
                && event.json["typing"] == typing
        })?;
    }
    // What is sent ends it too.
    let mark = bob.mark();
    alice.send_command(&json!({"command": "typing", "to": to_bob, "typing": true}))?;
    bob.wait_for_since(mark, "typing", SOON, |event| {
        event.kind() == "typing" && event.json["typing"] == true
    })?;
    let mark = bob.mark();
    alice.send(&to_bob, "so")?;
    bob.wait_for_since(mark, "the end of typing", SOON, |event| {
        event.kind() == "typing" && event.json["typing"] == false
    })?;
    Ok(())
}

fn a_second_client_shows_what_the_first_sends_and_receives(make: Make) -> Result<()> {
    let server = server(make)?;
    let owner = server.person("alice-carbons-")?;
    let bob = server.person("bob-carbons-")?;
    let (mut desk, mut bob) = (server.client(&owner).start()?, server.client(&bob).start()?);
    let mut phone = server.live(&owner)?;
    desk.wait_until_live(SOON)?;
    bob.wait_until_live(SOON)?;
    befriend(&mut desk, &mut bob)?;
    let (to_bob, to_owner) = (bob.address().to_owned(), owner.address.clone());
    let start = Instant::now();
    desk.send(&to_bob, "typed at the desk")?;
    phone.wait_for("what was typed at the desk", BEFORE_ANY_QUERY, |event| {
        event.text("body") == "typed at the desk" && event.text("direction") == "out"
    })?;
    phone.send(&to_bob, "typed on the phone")?;
    desk.wait_for("what was typed on the phone", BEFORE_ANY_QUERY, |event| {
        event.text("body") == "typed on the phone" && event.text("direction") == "out"
    })?;
    bob.wait_until_received(&texts(&["typed at the desk", "typed on the phone"]), SOON)?;
    bob.send(&to_owner, "answered by bob")?;
    for client in [&desk, &phone] {
        client.wait_until_received(&texts(&["answered by bob"]), BEFORE_ANY_QUERY)?;
    }
    ensure!(
        start.elapsed() < BEFORE_ANY_QUERY * 3,
        "too slow to prove that the archive was not asked"
    );
    // Once the archive has been asked, both show the same.
    thread::sleep(Duration::from_secs(17));
    let sent = texts(&["typed at the desk", "typed on the phone"]);
    let received = texts(&["answered by bob"]);
    for client in [&mut desk, &mut phone] {
        Expected {
            received: &received,
            sent: &sent,
            states: &["sent", "delivered"],
        }
        .check(&client.messages(&to_bob)?)?;
    }
    Ok(())
}

fn presence_of_a_contact_is_shown(make: Make) -> Result<()> {
    let server = server(make)?;
    let (alice, bob) = friends(&server, "presence")?;
    let address = bob.address().to_owned();
    wait_for_contact(&alice, &address, "online", |it| {
        it.text("availability") == "online"
    })?;
    bob.quit()?;
    wait_for_contact(&alice, &address, "offline", |it| {
        it.text("availability") == "offline"
    })
}

fn whoever_is_declined_stays_a_stranger(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut alice, mut bob) = strangers(&server, "declined")?;
    let (to_alice, to_bob) = (alice.address().to_owned(), bob.address().to_owned());
    alice.send_command(&json!({"command": "add", "address": to_bob, "name": "Bob of the Hill"}))?;
    bob.wait_for("the request", SOON, |event| {
        event.kind() == "request" && event.text("from") == to_alice
    })?;
    wait_for_contact(&alice, &to_bob, "asked, with the name", |it| {
        it.text("name") == "Bob of the Hill" && it.json["asked"] == true
    })?;
    bob.send_command(&json!({"command": "decline", "address": to_alice}))?;
    wait_for_contact(&alice, &to_bob, "not asked any more", |it| {
        it.json["asked"] == false && it.text("subscription") == "none"
    })?;
    ensure!(
        contact(&bob.since(Mark::START), &to_alice).is_none_or(|it| it.text("subscription") == "none"),
        "a declined person became a contact\n{}",
        bob.dump()
    );
    Ok(())
}

fn a_contact_who_was_removed_is_a_stranger_again(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut alice, mut bob) = friends(&server, "removed")?;
    let (to_alice, to_bob) = (alice.address().to_owned(), bob.address().to_owned());
    alice.send_command(&json!({"command": "remove", "address": to_bob}))?;
    wait_for_contact(&alice, &to_bob, "removed", |it| it.json["removed"] == true)?;
    wait_for_contact(&bob, &to_alice, "no contact", |it| {
        it.json["removed"] == true || it.text("subscription") == "none"
    })?;
    bob.send(&to_alice, "still friends?")?;
    alice.wait_until_received(&texts(&["still friends?"]), SOON)?;
    bob.wait_until_sent(&texts(&["still friends?"]), &["sent"], SOON)?;
    thread::sleep(A_WHILE);
    let shown = states_shown(&bob, "still friends?");
    ensure!(shown == ["queued", "sent"], "bob was shown {shown:?}");
    Ok(())
}

fn a_message_to_nobody_fails_with_its_reason_can_be_retried_and_discarded(make: Make) -> Result<()> {
    let server = server(make)?;
    let alice = server.person("alice-bounce-")?;
    let mut alice = server.live(&alice)?;
    for (nobody, text) in [
        ("nobody@localhost", "is there anyone?"),
        ("x@nowhere.invalid", "anyone at all?"),
    ] {
        alice.send(nobody, text)?;
        let failed = |event: &Event| own(event, text) && event.text("state") == "failed";
        let first = alice.wait_for("the failure", SOON, failed)?;
        ensure!(first.text("why").len() > 10, "no sentence says why: {first:?}");
        let id = id_of(&alice, text)?;
        let mark = alice.mark();
        alice.send_command(&json!({"command": "retry", "id": id}))?;
        alice.wait_for_since(mark, "the message under way again", SOON, |event| {
            own(event, text) && matches!(event.text("state"), "queued" | "sent")
        })?;
        alice.wait_for_since(mark, "the second failure", SOON, failed)?;
        alice.send_command(&json!({"command": "discard", "id": id}))?;
        alice.wait_for_since(mark, "its removal", SOON, |event| {
            event.kind() == "removed" && event.json["id"] == id
        })?;
        let left = alice.messages(nobody)?;
        ensure!(left.is_empty(), "still shown: {left:?}");
    }
    Ok(())
}

fn edits_and_retractions_change_what_both_show(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut alice, mut bob) = friends(&server, "edits")?;
    let (to_alice, to_bob) = (alice.address().to_owned(), bob.address().to_owned());
    let said = texts(&["helo", "not for you", "as it is"]);
    for text in &said {
        alice.send(&to_bob, text)?;
    }
    alice.wait_until_sent(&said, &["delivered"], SOON)?;
    let (helo, secret) = (id_of(&alice, "helo")?, id_of(&alice, "not for you")?);
    alice.send_command(&json!({"command": "edit", "id": helo, "body": "hello"}))?;
    alice.send_command(&json!({"command": "retract", "id": secret}))?;
    bob.wait_for("the edit", SOON, |event| {
        event.received() == Some("hello") && event.json["edited"] == true
    })?;
    bob.wait_for("the retraction", SOON, |event| event.text("kind") == "retracted")?;
    for (client, with) in [(&mut alice, &to_bob), (&mut bob, &to_alice)] {
        let shown = client.messages(with)?;
        let shown: Vec<(&str, &str)> = shown
            .iter()
            .map(|message| (message.kind.as_str(), message.body.as_str()))
            .collect();
        let expected = [("text", "hello"), ("retracted", ""), ("text", "as it is")];
        ensure!(shown == expected, "{} shows {shown:?}", client.address());
    }
    Ok(())
}

with_both_servers!(
    messages_go_both_ways_and_their_states_go_forward,
    a_stranger_learns_neither_that_a_message_came_nor_that_it_was_read_or_is_answered,
    reading_is_shown_to_a_contact,
    typing_is_shown_to_a_contact_until_it_ends,
    a_second_client_shows_what_the_first_sends_and_receives,
    presence_of_a_contact_is_shown,
    whoever_is_declined_stays_a_stranger,
    a_contact_who_was_removed_is_a_stranger_again,
    a_message_to_nobody_fails_with_its_reason_can_be_retried_and_discarded,
    edits_and_retractions_change_what_both_show,
);

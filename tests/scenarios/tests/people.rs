//! Whom one talks to: the list of conversations, drafts, names, requests, and whom one does not want to hear.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::ensure;
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::{Event, Mark};
use dormouse_scenarios::server::{Make, Plan, SOON, Server, Shared, befriend};
use dormouse_scenarios::{Result, with_both_servers};
use serde_json::json;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How long something that must not come is waited for.
const A_WHILE: Duration = Duration::from_secs(3);

fn server(make: Make) -> Result<Arc<Server>> {
    static PROSODY: Shared = Shared::new();
    static EJABBERD: Shared = Shared::new();
    match make {
        Make::Prosody => PROSODY.get(Plan::new(make)),
        Make::Ejabberd => EJABBERD.get(Plan::new(make)),
    }
}

fn friends(server: &Server, name: &str) -> Result<(Client, Client)> {
    let mut alice = server.live(&server.person(&format!("alice-{name}-"))?)?;
    let mut bob = server.live(&server.person(&format!("bob-{name}-"))?)?;
    befriend(&mut alice, &mut bob)?;
    Ok((alice, bob))
}

/// Waits until the conversation is listed like this.
fn listed(client: &Client, with: &str, what: &str, is: impl Fn(&Event) -> bool) -> Result<Event> {
    let of = |event: &&Event| event.kind() == "conversation" && event.text("conversation") == with;
    client.wait(Mark::START, &format!("the conversation {what}"), SOON, |events| {
        let last = events.iter().rev().find(of)?;
        is(last).then(|| last.clone())
    })
}

fn wait_for_blocked(client: &Client, mark: Mark, address: &str, blocked: bool) -> Result<()> {
    let what = format!("{address} blocked: {blocked}");
    client
        .wait_for_since(mark, &what, SOON, |event| {
            event.kind() == "blocked" && event.text("address") == address && event.json["blocked"] == blocked
        })
        .map(drop)
}

fn the_list_says_what_was_said_last_and_what_is_unread(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut alice, mut bob) = friends(&server, "list")?;
    let (to_alice, to_bob) = (alice.address().to_owned(), bob.address().to_owned());
    bob.send(&to_alice, "one")?;
    bob.send(&to_alice, "two")?;
    let two = listed(&alice, &to_bob, "with two unread", |it| {
        it.json["unread"] == 2 && it.json["last"]["body"] == "two"
    })?;
    ensure!(two.json["read_up_to"].is_null(), "read already: {two:?}");
    alice.send_command(&json!({"command": "read", "with": to_bob}))?;
    let read = listed(&alice, &to_bob, "read", |it| it.json["unread"] == 0)?;
    ensure!(
        read.json["read_up_to"] == read.json["last"]["place"],
        "not read to its end: {read:?}"
    );
    alice.send(&to_bob, "three")?;
    listed(&alice, &to_bob, "with an own message last", |it| {
        it.json["last"]["body"] == "three"
            && it.json["last"]["state"] == "delivered"
            && it.json["unread"] == 0
    })?;
    listed(&bob, &to_alice, "with one unread", |it| it.json["unread"] == 1)?;
    Ok(())
}

fn what_is_read_on_one_client_is_read_on_the_other(make: Make) -> Result<()> {
    let server = server(make)?;
    let alice = server.person("alice-elsewhere-")?;
    let mut bob = server.live(&server.person("bob-elsewhere-")?)?;
    let (mut here, there) = (server.live(&alice)?, server.live(&alice)?);
    befriend(&mut here, &mut bob)?;
    let to_bob = bob.address().to_owned();
    bob.send(&alice.address, "one")?;
    for client in [&here, &there] {
        listed(client, &to_bob, "with one unread", |it| it.json["unread"] == 1)?;
    }
    here.send_command(&json!({"command": "read", "with": to_bob}))?;
    let read = listed(&there, &to_bob, "read elsewhere", |it| it.json["unread"] == 0)?;
    ensure!(
        read.json["read_up_to"] == read.json["last"]["place"],
        "not read to its end: {read:?}"
    );
    Ok(())
}

fn a_draft_outlives_the_process_and_what_is_sent_beside_it(make: Make) -> Result<()> {
    let server = server(make)?;
    let person = server.person("alice-draft-")?;
    let folder = tempfile::tempdir()?;
    let mut alice = server.client(&person).data_dir(folder.path()).start()?;
    alice.wait_until_live(SOON)?;
    let to = "bob@localhost";
    alice.send_command(&json!({"command": "draft", "to": to, "text": "I was about to"}))?;
    listed(&alice, to, "with a draft", |it| {
        it.text("draft") == "I was about to"
    })?;
    alice.ask(&json!({"command": "suspend"}), "suspended")?;
    alice.kill9();
    let mut alice = server.client(&person).data_dir(folder.path()).start()?;
    listed(&alice, to, "with its draft", |it| {
        it.text("draft") == "I was about to"
    })?;
    alice.send_command(&json!({"command": "draft", "to": to, "text": ""}))?;
    listed(&alice, to, "without a draft", |it| {
        it.text("draft").is_empty() && it.json["last"].is_null()
    })?;
    Ok(())
}

fn whom_one_blocks_is_not_heard_until_unblocked(make: Make) -> Result<()> {
    let server = server(make)?;
    let person = server.person("alice-block-")?;
    let folder = tempfile::tempdir()?;
    let mut alice = server.client(&person).data_dir(folder.path()).start()?;
    alice.wait_until_live(SOON)?;
    let mut bob = server.live(&server.person("bob-block-")?)?;
    befriend(&mut alice, &mut bob)?;
    let other = server.live(&person)?;
    let (to_alice, to_bob) = (person.address.clone(), bob.address().to_owned());

    alice.send_command(&json!({"command": "block", "address": to_bob}))?;
    wait_for_blocked(&alice, Mark::START, &to_bob, true)?;
    wait_for_blocked(&other, Mark::START, &to_bob, true)?;
    bob.send(&to_alice, "unheard")?;
    // Nor does the server take anything for them.
    alice.send(&to_bob, "into the void")?;
    alice.wait_until_sent(&["into the void".to_owned()], &["failed"], SOON)?;
    thread::sleep(A_WHILE);
    let heard = alice
        .since(Mark::START)
        .iter()
        .any(|it| it.received() == Some("unheard"));
    ensure!(!heard, "heard all the same\n{}", alice.dump());

    // It is known while the server can't be asked.
    alice.kill9();
    let mut alice = server
        .client(&person)
        .data_dir(folder.path())
        .endpoint("ws://127.0.0.1:9")
        .start()?;
    wait_for_blocked(&alice, Mark::START, &to_bob, true)?;
    alice.send_command(&json!({"command": "unblock", "address": to_bob}))?;
    alice.wait_for("that it can't be done offline", SOON, |it| {
        it.kind() == "notice" && it.text("kind") == "cannot-do"
    })?;
    alice.quit()?;

    let mut alice = server.client(&person).data_dir(folder.path()).start()?;
    alice.wait_until_live(SOON)?;
    let mark = alice.mark();
    alice.send_command(&json!({"command": "unblock", "address": to_bob}))?;
    wait_for_blocked(&alice, mark, &to_bob, false)?;
    bob.send(&to_alice, "heard")?;
    alice.wait_until_received(&["heard".to_owned()], SOON)?;
    Ok(())
}

fn a_contact_is_renamed_without_a_new_request(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut alice, bob) = friends(&server, "rename")?;
    let to_bob = bob.address().to_owned();
    let mark = bob.mark();
    for name in ["Bob", "Robert \u{1f43f}"] {
        alice.send_command(&json!({"command": "add", "address": to_bob, "name": name}))?;
        alice.wait_for("the new name", SOON, |it| {
            it.kind() == "contact" && it.text("name") == name && it.text("subscription") == "both"
        })?;
    }
    thread::sleep(A_WHILE);
    let asked = bob.since(mark).into_iter().find(|it| it.kind() == "request");
    ensure!(asked.is_none(), "asked again: {asked:?}");
    Ok(())
}

fn a_request_answered_on_one_client_is_gone_on_the_other(make: Make) -> Result<()> {
    let server = server(make)?;
    let alice = server.person("alice-requests-")?;
    let folder = tempfile::tempdir()?;
    let mut here = server.live(&alice)?;
    let there = server.client(&alice).data_dir(folder.path()).start()?;
    there.wait_until_live(SOON)?;
    let mut bob = server.live(&server.person("bob-requests-")?)?;
    let mut eve = server.live(&server.person("eve-requests-")?)?;
    let (from_bob, from_eve) = (bob.address().to_owned(), eve.address().to_owned());
    let gone = |from: &str| {
        let from = from.to_owned();
        move |it: &Event| it.kind() == "request" && it.text("from") == from && it.json["gone"] == true
    };
    for asking in [&mut bob, &mut eve] {
        asking.send_command(&json!({"command": "add", "address": alice.address}))?;
        let from = asking.address().to_owned();
        for client in [&here, &there] {
            client.wait_for("the request", SOON, |it| {
                it.kind() == "request" && it.text("from") == from
            })?;
        }
    }
    here.send_command(&json!({"command": "accept", "address": from_bob}))?;
    here.wait_for("the request gone", SOON, gone(&from_bob))?;
    there.wait_for("the accepted request gone", SOON, gone(&from_bob))?;
    here.send_command(&json!({"command": "decline", "address": from_eve}))?;
    here.wait_for("the request gone", SOON, gone(&from_eve))?;
    // No server tells the others of that: the next fresh session does.
    there.quit()?;
    let there = server.client(&alice).data_dir(folder.path()).start()?;
    there.wait_for("the declined request gone", SOON, gone(&from_eve))?;
    Ok(())
}

with_both_servers!(
    the_list_says_what_was_said_last_and_what_is_unread,
    what_is_read_on_one_client_is_read_on_the_other,
    a_draft_outlives_the_process_and_what_is_sent_beside_it,
    whom_one_blocks_is_not_heard_until_unblocked,
    a_contact_is_renamed_without_a_new_request,
    a_request_answered_on_one_client_is_gone_on_the_other,
);

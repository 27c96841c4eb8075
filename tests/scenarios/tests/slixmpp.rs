//! A client that is not ours as the other side: what it sends is shown rightly, and it understands what we send.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::Mark;
use dormouse_scenarios::server::{Make, Plan, SOON, Server, Shared};
use dormouse_scenarios::slixmpp::Slixmpp;
use dormouse_scenarios::{Result, with_both_servers};
use serde_json::json;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How long something that must not come is waited for.
const A_WHILE: Duration = Duration::from_secs(3);
/// Before the archive is asked at a quiet moment: what is shown by then came by itself.
const BEFORE_ANY_QUERY: Duration = Duration::from_secs(10);
/// A quiet moment has passed and the archive has been read.
const ARCHIVE_READ: Duration = Duration::from_secs(20);

fn server(make: Make) -> Result<Arc<Server>> {
    static PROSODY: Shared = Shared::new();
    static EJABBERD: Shared = Shared::new();
    match make {
        Make::Prosody => PROSODY.get(Plan::new(make).c2s()),
        Make::Ejabberd => EJABBERD.get(Plan::new(make).c2s()),
    }
}

/// Ours and theirs, each other's contacts: we ask, it accepts by itself and asks back.
fn friends(server: &Server, options: &[&str]) -> Result<(Client, Slixmpp)> {
    let (ours, theirs) = (server.person("ours")?, server.person("theirs")?);
    let mut client = server.live(&ours)?;
    let slixmpp = Slixmpp::start(server, &theirs, options)?;
    client.send_command(&json!({"command": "add", "address": theirs.address}))?;
    client.wait_for("its request", SOON, |event| {
        event.kind() == "request" && event.text("from") == theirs.address
    })?;
    client.send_command(&json!({"command": "accept", "address": theirs.address}))?;
    client
        .wait(Mark::START, "it as an online contact", SOON, |events| {
            let of = |event: &&dormouse_scenarios::event::Event| event.kind() == "contact";
            let last = events.iter().rev().find(of)?;
            let there = last.text("subscription") == "both" && last.text("availability") == "online";
            there.then_some(())
        })
        .with_context(|| slixmpp.dump())?;
    Ok((client, slixmpp))
}

/// What our window shows of the conversation: kind and body, oldest first.
fn shown(client: &mut Client, with: &str) -> Result<Vec<(String, String)>> {
    let messages = client.messages(with)?;
    Ok(messages
        .into_iter()
        .map(|message| (message.kind, message.body))
        .collect())
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(kind, body)| ((*kind).to_owned(), (*body).to_owned()))
        .collect()
}

fn message(to: &str, id: &str, inner: &str) -> String {
    format!("<message to='{to}' type='chat' id='{id}'>{inner}</message>")
}

fn messages_and_receipts_pass_both_ways(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, mut other) = friends(&server, &[])?;
    let (ours, theirs) = (client.address().to_owned(), other.address().to_owned());
    client.send(&theirs, "from ours <&> 🐁")?;
    let came = other.wait_for_message("from ours <&> 🐁")?;
    let origin = format!("id=\"{}\"", came.text("id"));
    ensure!(
        came.text("xml").matches(&origin).count() >= 2,
        "id and origin-id differ: {}",
        came.text("xml")
    );
    client.wait_until_sent(&["from ours <&> 🐁".to_owned()], &["delivered"], SOON)?;
    other.send(&ours, "from theirs", "their-1")?;
    client.wait_until_received(&["from theirs".to_owned()], SOON)?;
    other.wait_for("our receipt", |event| {
        event.kind() == "receipt" && event.text("of") == "their-1"
    })?;
    // Reading is told as well, in both directions.
    client.send_command(&json!({"command": "read", "with": theirs}))?;
    other.wait_for("our marker", |event| {
        event.kind() == "displayed" && event.text("of") == "their-1"
    })?;
    other.command(&json!({"command": "displayed", "to": ours, "id": came.text("id")}))?;
    client.wait_until_sent(&["from ours <&> 🐁".to_owned()], &["read"], SOON)
}

fn without_receipts_from_the_other_side_a_message_stays_sent(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, other) = friends(&server, &["--no-receipts"])?;
    let theirs = other.address().to_owned();
    client.send(&theirs, "anyone?")?;
    other.wait_for_message("anyone?")?;
    client.wait_until_sent(&["anyone?".to_owned()], &["sent"], SOON)?;
    thread::sleep(A_WHILE);
    let state = client.messages(&theirs)?.pop().and_then(|message| message.state);
    ensure!(state.as_deref() == Some("sent"), "shown as {state:?}");
    Ok(())
}

fn typing_is_understood_both_ways(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, mut other) = friends(&server, &[])?;
    let (ours, theirs) = (client.address().to_owned(), other.address().to_owned());
    client.send_command(&json!({"command": "typing", "to": theirs, "typing": true}))?;
    other.wait_for("our typing", |event| {
        event.kind() == "state" && event.text("state") == "composing"
    })?;
    for (state, typing) in [("composing", true), ("paused", false)] {
        other.command(&json!({"command": "state", "to": ours, "state": state}))?;
        client.wait_for(state, SOON, |event| {
            event.kind() == "typing" && event.json["typing"] == typing
        })?;
    }
    Ok(())
}

fn corrections_and_retractions_are_understood_both_ways(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, mut other) = friends(&server, &[])?;
    let (ours, theirs) = (client.address().to_owned(), other.address().to_owned());
    other.send(&ours, "teh first", "e-1")?;
    other.send(&ours, "never mind", "e-2")?;
    client.wait_until_received(&["teh first".to_owned(), "never mind".to_owned()], SOON)?;
    other.command(&json!({"command": "correct", "to": ours, "id": "e-1", "body": "the first"}))?;
    other.command(&json!({"command": "retract", "to": ours, "id": "e-2"}))?;
    client.wait_for("the correction", SOON, |event| {
        event.received() == Some("the first")
    })?;
    client.wait_for("the retraction", SOON, |event| event.text("kind") == "retracted")?;
    let expected = pairs(&[("text", "the first"), ("retracted", "")]);
    ensure!(
        shown(&mut client, &theirs)? == expected,
        "shown is {:?}",
        shown(&mut client, &theirs)?
    );

    client.send(&theirs, "our frist")?;
    let came = other.wait_for_message("our frist")?;
    let id = client
        .wait_for("it", SOON, |event| event.text("tag") == "our frist")?
        .json["id"]
        .clone();
    client.wait_until_sent(&["our frist".to_owned()], &["delivered"], SOON)?;
    client.send_command(&json!({"command": "edit", "id": id, "body": "our first"}))?;
    let edit = other.wait_for_message("our first")?;
    let names = format!(
        "<replace xmlns=\"urn:xmpp:message-correct:0\" id=\"{}\"",
        came.text("id")
    );
    ensure!(
        edit.text("xml").contains(&names),
        "not a correction of it: {}",
        edit.text("xml")
    );
    client.send_command(&json!({"command": "retract", "id": id}))?;
    other.wait_for("the retraction", |event| {
        event.text("xml").contains("urn:xmpp:message-retract:")
    })?;
    Ok(())
}

fn what_is_encrypted_in_a_way_we_cannot_read_is_shown_as_just_that(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, mut other) = friends(&server, &[])?;
    let (ours, theirs) = (client.address().to_owned(), other.address().to_owned());
    let fallback = "<body>I sent you an OMEMO encrypted message but your client can’t read it</body>";
    let omemo = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AAAA</key>\
        <iv>AAAA</iv></header><payload>AAAA</payload></encrypted>\
        <encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl' name='OMEMO'/>\
        <store xmlns='urn:xmpp:hints'/>";
    let keys_only = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AAAA</key>\
        <iv>AAAA</iv></header></encrypted><store xmlns='urn:xmpp:hints'/>";
    let pgp = "<body>This message is encrypted</body><x xmlns='jabber:x:encrypted'>AAAA</x>";
    other.raw(&message(&ours, "omemo-1", &format!("{fallback}{omemo}")))?;
    other.raw(&message(&ours, "keys-1", keys_only))?;
    other.raw(&message(&ours, "pgp-1", pgp))?;
    other.send(&ours, "in the clear", "clear-1")?;
    client.wait_until_received(&["in the clear".to_owned()], SOON)?;
    let expected = pairs(&[
        ("encrypted", "OMEMO"),
        ("encrypted", "OpenPGP (legacy)"),
        ("text", "in the clear"),
    ]);
    ensure!(
        shown(&mut client, &theirs)? == expected,
        "shown is {:?}",
        shown(&mut client, &theirs)?
    );
    Ok(())
}

fn a_message_sent_again_under_its_name_is_shown_once(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, mut other) = friends(&server, &[])?;
    let (ours, theirs) = (client.address().to_owned(), other.address().to_owned());
    let origin = "<origin-id xmlns='urn:xmpp:sid:0' id='again-1'/>";
    let delay = "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>";
    for inner in [
        format!("<body>said once</body>{origin}"),
        format!("<body>said once</body>{origin}{delay}"),
    ] {
        other.raw(&message(&ours, "again-1", &inner))?;
    }
    // The same words under another name are said again.
    other.raw(&message(&ours, "again-2", "<body>said once</body>"))?;
    other.send(&ours, "the end", "again-3")?;
    client.wait_until_received(&["the end".to_owned()], SOON)?;
    let expected = pairs(&[("text", "said once"), ("text", "said once"), ("text", "the end")]);
    ensure!(
        shown(&mut client, &theirs)? == expected,
        "shown is {:?}",
        shown(&mut client, &theirs)?
    );
    // The archive holds both copies under ids of their own: reading it back must not double them either.
    thread::sleep(ARCHIVE_READ);
    ensure!(
        shown(&mut client, &theirs)? == expected,
        "later shown is {:?}",
        shown(&mut client, &theirs)?
    );
    Ok(())
}

fn names_that_are_strange_missing_or_used_twice_lose_nothing(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, mut other) = friends(&server, &[])?;
    let (ours, theirs) = (client.address().to_owned(), other.address().to_owned());
    let long = "x".repeat(2_000);
    for (id, body) in [
        ("1", "first under a number"),
        ("1", "second under the same number"),
        ("", "under an empty name"),
        ("&lt;&amp;&quot; \u{202e}🐁", "under a strange name"),
        (long.as_str(), "under a long name"),
    ] {
        other.raw(&message(&ours, id, &format!("<body>{body}</body>")))?;
    }
    for body in ["without a name", "again without a name"] {
        other.raw(&format!(
            "<message to='{ours}' type='chat'><body>{body}</body></message>"
        ))?;
    }
    other.raw(&format!(
        "<message to='{ours}'><body>of the normal kind</body></message>"
    ))?;
    other.send(&ours, "the end", "strange-end")?;
    client.wait_until_received(&["the end".to_owned()], SOON)?;
    let expected = pairs(&[
        ("text", "first under a number"),
        ("text", "second under the same number"),
        ("text", "under an empty name"),
        ("text", "under a strange name"),
        ("text", "under a long name"),
        ("text", "without a name"),
        ("text", "again without a name"),
        ("text", "of the normal kind"),
        ("text", "the end"),
    ]);
    ensure!(
        shown(&mut client, &theirs)? == expected,
        "shown is {:#?}",
        shown(&mut client, &theirs)?
    );
    thread::sleep(ARCHIVE_READ);
    ensure!(
        shown(&mut client, &theirs)? == expected,
        "later shown is {:#?}",
        shown(&mut client, &theirs)?
    );
    Ok(())
}

fn what_only_their_server_may_say_is_not_believed_from_them(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, mut other) = friends(&server, &[])?;
    let (ours, theirs) = (client.address().to_owned(), other.address().to_owned());
    let forwarded = format!(
        "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>\
         <message xmlns='jabber:client' from='boss@localhost/x' to='{ours}' type='chat' id='forged'>\
         <body>forged</body></message></forwarded>"
    );
    other.raw(&message(
        &ours,
        "forged-1",
        &format!("<received xmlns='urn:xmpp:carbons:2'>{forwarded}</received>"),
    ))?;
    other.raw(&message(
        &ours,
        "forged-2",
        &format!("<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>{forwarded}</result>"),
    ))?;
    other.send(&ours, "the end", "forged-end")?;
    client.wait_until_received(&["the end".to_owned()], SOON)?;
    ensure!(
        client.messages("boss@localhost")?.is_empty(),
        "the forged message is shown"
    );
    ensure!(
        shown(&mut client, &theirs)? == pairs(&[("text", "the end")]),
        "{:?}",
        shown(&mut client, &theirs)?
    );
    let journal = client.journal()?;
    ensure!(
        journal.iter().any(|line| line.contains("refused a carbon")),
        "the forgery is not in the journal: {journal:#?}"
    );
    Ok(())
}

fn carbons_pass_between_ours_and_another_client_of_the_same_account(make: Make) -> Result<()> {
    let server = server(make)?;
    let (owner, friend) = (server.person("owner")?, server.person("friend")?);
    let mut client = server.live(&owner)?;
    let mut phone = Slixmpp::start(&server, &owner, &[])?;
    let mut other = Slixmpp::start(&server, &friend, &[])?;
    client.send(&friend.address, "typed in ours")?;
    phone.wait_for("a carbon of it", |event| {
        event.kind() == "carbon" && event.text("direction") == "sent" && event.text("body") == "typed in ours"
    })?;
    phone.send(&friend.address, "typed on the phone", "phone-1")?;
    client.wait_for("the phone's message", BEFORE_ANY_QUERY, |event| {
        event.text("body") == "typed on the phone" && event.text("direction") == "out"
    })?;
    other.send(&owner.address, "for both", "both-1")?;
    client.wait_until_received(&["for both".to_owned()], BEFORE_ANY_QUERY)?;
    let expected = pairs(&[
        ("text", "typed in ours"),
        ("text", "typed on the phone"),
        ("text", "for both"),
    ]);
    ensure!(
        shown(&mut client, &friend.address)? == expected,
        "{:?}",
        shown(&mut client, &friend.address)?
    );
    thread::sleep(ARCHIVE_READ);
    ensure!(
        shown(&mut client, &friend.address)? == expected,
        "{:?}",
        shown(&mut client, &friend.address)?
    );
    Ok(())
}

fn what_ours_sends_over_a_broken_link_of_theirs_reaches_them_once(make: Make) -> Result<()> {
    let server = server(make)?;
    let (mut client, mut other) = friends(&server, &[])?;
    let theirs = other.address().to_owned();
    client.send(&theirs, "before")?;
    other.wait_for_message("before")?;
    let mark = other.mark();
    other.command(&json!({"command": "break"}))?;
    other.wait_for_since(mark, "that it ended", SOON, |event| event.kind() == "ended")?;
    client.send(&theirs, "meanwhile")?;
    client.wait_until_sent(&["meanwhile".to_owned()], &["sent"], SOON)?;
    other.command(&json!({"command": "connect"}))?;
    other.wait_for_message("meanwhile")?;
    client.wait_until_sent(&["meanwhile".to_owned()], &["delivered"], SOON)?;
    thread::sleep(A_WHILE);
    let copies = other
        .since(Mark::START)
        .iter()
        .filter(|event| event.kind() == "message" && event.text("body") == "meanwhile")
        .count();
    ensure!(copies == 1, "it came {copies} times\n{}", other.dump());
    Ok(())
}

with_both_servers!(
    messages_and_receipts_pass_both_ways,
    without_receipts_from_the_other_side_a_message_stays_sent,
    typing_is_understood_both_ways,
    corrections_and_retractions_are_understood_both_ways,
    what_is_encrypted_in_a_way_we_cannot_read_is_shown_as_just_that,
    a_message_sent_again_under_its_name_is_shown_once,
    names_that_are_strange_missing_or_used_twice_lose_nothing,
    what_only_their_server_may_say_is_not_believed_from_them,
    carbons_pass_between_ours_and_another_client_of_the_same_account,
    what_ours_sends_over_a_broken_link_of_theirs_reaches_them_once,
);

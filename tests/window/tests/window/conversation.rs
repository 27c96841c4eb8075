//! Writing and reading.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, alice, friends, somebody};
use dormouse_window_tests::wait::LATER;
use fantoccini::key::Key;
use serde_json::json;

#[test]
fn what_is_written_is_on_screen_at_once_and_delivered_and_the_answer_comes() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    // Two frames after Enter, by the page's own clock of frames: whatever the shell and the server do meanwhile.
    window.click("#composer-text")?;
    window.type_text("Is the tea ready?")?;
    let frames = window.script_async(
        "const field = document.querySelector('#composer-text');
         field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
         const shown = () => [...document.querySelectorAll('#timeline .message .body')]
             .some(it => it.textContent === 'Is the tea ready?');
         for (let frame = 1; frame <= 60; frame += 1) {
             await new Promise(done => requestAnimationFrame(done));
             if (shown()) return frame;
         }
         return null;",
    )?;
    ensure!(
        frames.as_u64().is_some_and(|frames| frames <= 2),
        "what was typed is on screen after {frames} frames"
    );
    ensure!(
        window.script(
            "return document.querySelector('#composer-text').value",
            Vec::new()
        )? == ""
    );
    window.wait_for_delivery("Is the tea ready?", "delivered")?;
    bob.wait_until_received(&["Is the tea ready?".to_owned()], LATER)?;

    bob.send_command(&json!({"command": "typing", "to": ALICE, "typing": true}))?;
    window.wait_for("bob is typing", LATER, || {
        Ok((!window.text("#typing")?.trim().is_empty()).then_some(()))
    })?;
    bob.send(ALICE, "In a minute.")?;
    window.wait_for_text("#timeline .message[data-own='false'] .body", "In a minute.")?;
    // A message ends the typing.
    window.wait_for("bob is not typing any more", LATER, || {
        Ok(window.text("#typing")?.trim().is_empty().then_some(()))
    })?;
    let bodies = window.texts("#timeline .message .body")?;
    ensure!(
        bodies == ["Is the tea ready?", "In a minute."],
        "each once and in order: {bodies:?}"
    );
    Ok(())
}

#[test]
fn a_message_in_another_conversation_is_counted_until_it_is_opened() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    bob.send(ALICE, "one")?;
    bob.send(ALICE, "two")?;
    let row = format!(".conversation[data-with='{BOB}']");
    window.wait_for_text(&format!("{row} .unread"), "2")?;
    window.wait_for_text(&format!("{row} .last"), "two")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "two")?;
    window.wait_until_gone(&format!("{row} .unread"))?;
    // Both were new when it was opened.
    window.wait_until_shown("#timeline .new-line")
}

#[test]
fn an_own_message_is_mended_and_withdrawn_at_both_ends() -> Result<()> {
    let server = friends().start()?;
    let bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    window.send("Meet me at fvie")?;
    window.wait_for_delivery("Meet me at fvie", "delivered")?;
    window.click("#composer-text")?;
    window.press(&[Key::Up])?;
    window.wait_until_shown("#editing")?;
    window.fill("#composer-text", "Meet me at five")?;
    window.press(&[Key::Enter])?;
    window.wait_for_text("#timeline .body", "Meet me at five")?;
    window.wait_until_shown("#timeline .edited")?;
    bob.wait_for("the mended text", LATER, |event| {
        event.received() == Some("Meet me at five")
    })?;
    window.open_message_menu()?;
    window.click("#message-menu [data-command='retract']")?;
    if window.shows("#confirm-dialog[open]")? {
        window.click("#confirm-yes")?;
    }
    window.wait_until_shown("#timeline .placeholder")?;
    bob.wait_for("the withdrawal", LATER, |event| {
        event.kind() == "message" && event.text("kind") == "retracted"
    })?;
    Ok(())
}

#[test]
fn links_of_four_kinds_open_outside_and_nothing_else_is_a_link() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    bob.send(
        ALICE,
        "https://example.org/a?b=c&d=e mailto:tea@example.org xmpp:carol@localhost ftp://example.org/x",
    )?;
    window.open_conversation(BOB)?;
    window.wait_until_shown("#timeline .body a")?;
    let before = window.script("return location.href", Vec::new())?;
    let links = window.texts("#timeline .body a")?;
    ensure!(
        links
            == [
                "https://example.org/a?b=c&d=e",
                "mailto:tea@example.org",
                "xmpp:carol@localhost"
            ],
        "{links:?}"
    );
    window.click("#timeline .body a")?;
    desktop.opened().wait_for("https://example.org/a?b=c&d=e")?;
    window.script(
        "document.querySelectorAll('#timeline .body a')[1].focus()",
        Vec::new(),
    )?;
    window.press(&[Key::Enter])?;
    desktop.opened().wait_for("mailto:tea@example.org")?;
    ensure!(window.script("return location.href", Vec::new())? == before);
    Ok(())
}

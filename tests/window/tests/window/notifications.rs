//! Notifications: while nobody looks, one per conversation, and gone once it is read.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, CAROL, alice, friends, somebody};
use dormouse_window_tests::wait::LATER;

#[test]
fn a_hidden_window_notifies_once_per_conversation_in_plain_text_and_a_click_opens_it() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::builder().notifications().start()?;
    let window = alice(&desktop, &server)?;
    window.focus()?;
    bob.send(ALICE, "seen, for the window is here")?;
    window.wait_for_text(".conversation .last", "seen, for the window is here")?;
    window.minimise()?;
    bob.send(ALICE, "<b>one</b> & <a href='https://example.org'>more</a>")?;
    let shown = desktop
        .notifications()?
        .wait_until("one notification", |shown| shown.len() == 1)?;
    ensure!(
        shown[0].title.contains("Bob") || shown[0].title.contains(BOB),
        "{shown:?}"
    );
    ensure!(
        shown[0].body.contains("&lt;b&gt;one&lt;/b&gt; &amp; ") && !shown[0].body.contains('<'),
        "markup is not escaped: {shown:?}"
    );
    bob.send(ALICE, "two")?;
    let shown = desktop
        .notifications()?
        .wait_until("the second in place of the first", |shown| {
            shown.len() == 1 && shown[0].body.contains("two")
        })?;
    // Nobody clicks within the millisecond in which a notification changes; a test does, so it clicks again.
    window.wait_for("a click opens the conversation", LATER, || {
        desktop.notifications()?.click(&shown[0])?;
        let row = format!(".conversation[data-with='{BOB}']");
        Ok((window.attribute(&row, "aria-selected")?.as_deref() == Some("true")).then_some(()))
    })?;
    window.wait_for_script("a window that is shown", "return !document.hidden || null")?;
    window.wait_for_text("#timeline .body", "two")?;
    window.focus()?;
    desktop
        .notifications()?
        .wait_until("nothing, for it is read", <[_]>::is_empty)?;
    let all = desktop.notifications()?.all()?;
    ensure!(
        all.iter()
            .all(|one| !one.body.contains("seen, for the window is here")),
        "notified of what was seen: {all:?}"
    );
    Ok(())
}

#[test]
fn what_is_read_on_another_device_is_withdrawn() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let mut other = somebody(&server, ALICE)?;
    let desktop = Desktop::builder().notifications().start()?;
    let window = alice(&desktop, &server)?;
    window.focus()?;
    window.minimise()?;
    bob.send(ALICE, "read me somewhere")?;
    desktop
        .notifications()?
        .wait_until("one notification", |shown| shown.len() == 1)?;
    other.wait_until_received(&["read me somewhere".to_owned()], LATER)?;
    other.send_command(&serde_json::json!({"command": "read", "with": BOB}))?;
    desktop
        .notifications()?
        .wait_until("nothing, for it is read elsewhere", <[_]>::is_empty)?;
    drop(window);
    Ok(())
}

#[test]
fn a_conversation_is_taken_for_read_without_the_window() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::builder().notifications().tray().start()?;
    let closed = alice(&desktop, &server)?.close()?;
    bob.send(ALICE, "read me")?;
    let notifications = desktop.notifications()?;
    let shown = notifications.wait_until("a notification", |shown| shown.len() == 1)?;
    desktop.tray()?.wait_for_title("Dormouse: 1 new message")?;
    notifications.choose(&shown[0], "mark-read")?;
    desktop.tray()?.wait_for_title("Dormouse")?;
    notifications.wait_until("nothing, for it is read", <[_]>::is_empty)?;
    ensure!(closed.has_no_window(), "a window was opened for it");
    Ok(())
}

#[test]
fn what_is_typed_into_a_notification_is_sent_and_the_conversation_taken_for_read() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::builder().notifications().tray().start()?;
    let closed = alice(&desktop, &server)?.close()?;
    bob.send(ALICE, "will you come?")?;
    let notifications = desktop.notifications()?;
    let shown = notifications.wait_until("a notification", |shown| shown.len() == 1)?;
    desktop.tray()?.wait_for_title("Dormouse: 1 new message")?;
    notifications.reply(&shown[0], "I am on my way <3")?;
    bob.wait_until_received(&["I am on my way <3".to_owned()], LATER)?;
    desktop.tray()?.wait_for_title("Dormouse")?;
    ensure!(closed.has_no_window(), "a window was opened for it");
    Ok(())
}

#[test]
fn what_is_typed_into_a_notification_is_sent_though_its_end_is_told_first() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::builder().notifications().tray().start()?;
    let closed = alice(&desktop, &server)?.close()?;
    bob.send(ALICE, "will you come?")?;
    let notifications = desktop.notifications()?;
    let shown = notifications.wait_until("a notification", |shown| shown.len() == 1)?;
    notifications.reply_after_its_end(&shown[0], "in a minute")?;
    bob.wait_until_received(&["in a minute".to_owned()], LATER)?;
    ensure!(closed.has_no_window(), "a window was opened for it");
    Ok(())
}

#[test]
fn of_a_muted_conversation_nothing_is_notified_until_it_no_longer_is() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let mut carol = somebody(&server, CAROL)?;
    let desktop = Desktop::builder().notifications().start()?;
    let window = alice(&desktop, &server)?;
    bob.send(ALICE, "hello")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#rows", "hello")?;
    window.click("#conversation-menu-button")?;
    window.click("#conversation-menu [data-command='mute']")?;
    window.wait_until_shown("#person-muted")?;
    window.minimise()?;
    bob.send(ALICE, "not to be notified of")?;
    bob.wait_until_sent(&["not to be notified of".to_owned()], &["delivered"], LATER)?;
    carol.send(ALICE, "to be notified of")?;
    let shown = desktop
        .notifications()?
        .wait_until("the other conversation's", |shown| !shown.is_empty())?;
    ensure!(
        shown.len() == 1 && shown[0].body == "to be notified of",
        "{shown:?}"
    );
    Ok(())
}

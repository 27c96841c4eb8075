//! Life without a window.

use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, alice, friends, somebody};
use dormouse_window_tests::wait::{LATER, SOON, until};

#[test]
fn closed_to_the_tray_messages_come_in_and_the_window_opens_with_them_and_stays_connected() -> Result<()> {
    let desktop = Desktop::builder().tray().notifications().start()?;
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let window = alice(&desktop, &server)?;
    bob.send(ALICE, "before")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#rows", "before")?;
    let tray = desktop.tray()?;
    tray.wait_for_entry("Connected")?;

    let closed = window.close()?;
    bob.send(ALICE, "while the window was closed")?;
    let notifications = desktop.notifications()?;
    let shown = notifications.wait_until("a message is told while there is no window", |shown| {
        shown.iter().any(|it| it.body == "while the window was closed")
    })?;
    tray.wait_for_title("Dormouse: 1 new message")?;
    assert_eq!(tray.items()?.len(), 1);

    notifications.click(&shown[0])?;
    let window = closed.reopened()?;
    window.wait_for_text("#rows", "while the window was closed")?;
    window.wait_until_live()?;
    window.focus()?;
    notifications.wait_until("what is read is withdrawn", |shown| shown.is_empty())?;
    tray.wait_for_title("Dormouse")?;
    window.type_into("#composer-text", "and here I am\u{E007}")?;
    bob.wait_until_received(&["and here I am".to_owned()], LATER)?;

    let closed = window.close()?;
    tray.choose("Quit")?;
    closed.wait_for_the_end()?;
    until(SOON, || Ok(tray.items()?.is_empty().then_some(())))
}

#[test]
fn what_stays_in_the_tray_has_loaded_nothing_that_draws() -> Result<()> {
    let desktop = Desktop::builder().tray().start()?;
    let server = friends().start()?;
    let window = alice(&desktop, &server)?;
    let closed = window.close()?;
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", closed.id()))?;
    for library in ["libwebkit", "libgtk", "libjavascriptcore", "libcairo"] {
        assert!(!maps.contains(library), "{library} is loaded");
    }
    desktop.tray()?.click()?;
    let window = closed.reopened()?;
    window.wait_until_live()?;
    window.terminate()
}

#[test]
fn what_was_being_typed_when_the_window_was_closed_is_there_when_it_is_opened_again() -> Result<()> {
    let desktop = Desktop::builder().tray().start()?;
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let window = alice(&desktop, &server)?;
    bob.send(ALICE, "hello")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#rows", "hello")?;
    window.type_into("#composer-text", "half a sentence")?;
    let closed = window.close()?;
    desktop.tray()?.choose("Open Dormouse")?;
    let window = closed.reopened()?;
    window.wait_for_script(
        "the draft",
        "return document.querySelector('#composer-text').value === 'half a sentence' || null",
    )?;
    Ok(())
}

#[test]
fn where_there_is_no_tray_the_user_is_asked_once_and_minimised_the_window_goes_on() -> Result<()> {
    let desktop = Desktop::start()?;
    let server = friends().start()?;
    let window = alice(&desktop, &server)?;
    window.ask_to_close()?;
    window.wait_until_shown("#closing-dialog")?;
    window.click("#closing-minimise")?;
    window.wait_for_script("no focus", "return !document.hasFocus() || null")?;
    window.focus()?;
    window.wait_until_gone("#closing-dialog")?;
    window.wait_until_live()?;
    // Asked once: the next time it is simply done.
    window.ask_to_close()?;
    window.wait_for_script("no focus", "return !document.hasFocus() || null")?;
    window.focus()?;
    assert!(!window.shows("#closing-dialog")?);
    Ok(())
}

#[test]
fn a_killed_window_takes_nothing_along_where_there_is_a_tray() -> Result<()> {
    let desktop = Desktop::builder().tray().start()?;
    let server = friends().start()?;
    let window = alice(&desktop, &server)?;
    let closed = window.kill_window()?;
    assert!(closed.runs());
    desktop.tray()?.click()?;
    closed.reopened()?.wait_until_live()
}

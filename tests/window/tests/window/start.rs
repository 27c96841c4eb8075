//! Starting: once per home, with or without a window, and by links from outside.

use anyhow::ensure;
use dormouse_scenarios::program;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, CAROL, alice, alices, friends, somebody};
use dormouse_window_tests::wait::{LATER, until};
use fantoccini::key::Key;
use std::process::{Command, Output};

/// Starts the app once more.
pub fn start_again(desktop: &Desktop, words: &[&str]) -> Result<Output> {
    let output = Command::new(program::app()?)
        .args(words)
        .envs(desktop.environment())
        .output()?;
    ensure!(output.status.success(), "{output:?}");
    Ok(output)
}

#[test]
fn a_second_start_shows_the_first_whether_it_has_a_window_or_not() -> Result<()> {
    let desktop = Desktop::builder().tray().start()?;
    let server = friends().start()?;
    let window = alice(&desktop, &server)?;
    window.minimise()?;
    start_again(&desktop, &[])?;
    window.wait_for_script("a window with the focus", "return document.hasFocus() || null")?;
    let closed = window.close()?;
    start_again(&desktop, &["--hidden"])?;
    start_again(&desktop, &[])?;
    let window = closed.reopened()?;
    window.wait_until_live()
}

#[test]
fn started_hidden_there_is_no_window_and_messages_are_told() -> Result<()> {
    let desktop = Desktop::builder().tray().notifications().start()?;
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let closed = alices(&desktop, &server).start_hidden()?;
    desktop.tray()?.wait_for_entry("Connected")?;
    bob.send(ALICE, "is anybody there?")?;
    desktop
        .notifications()?
        .wait_until("a message is told", |shown| shown.len() == 1)?;
    ensure!(closed.has_no_window(), "a window was opened");
    desktop.tray()?.choose("Quit")?;
    closed.wait_for_the_end()
}

#[test]
fn a_link_from_outside_is_put_before_the_user_and_does_nothing_by_itself() -> Result<()> {
    let desktop = Desktop::start()?;
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let window = alice(&desktop, &server)?;
    bob.send(ALICE, "hello")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#rows", "hello")?;

    let link = format!("xmpp:{BOB}?message;body=%3Cb%3Eone%3C%2Fb%3E%0Atwo");
    start_again(&desktop, &[&link])?;
    window.wait_for_text("#link-dialog", "<b>one</b>\ntwo")?;
    ensure!(window.text("#link-sentence")?.contains(BOB));
    // Enter refuses: what has the focus is "Cancel".
    window.press(&[Key::Enter])?;
    window.wait_until_gone("#link-dialog")?;
    let composed = "return document.querySelector('#composer-text').value";
    ensure!(window.script(composed, Vec::new())? == "", "it was done unasked");

    start_again(&desktop, &[&link])?;
    window.click("#link-yes")?;
    window.wait_for_script(
        "the text in the composer",
        "return document.querySelector('#composer-text').value === '<b>one</b>\\ntwo' || null",
    )?;
    ensure!(!window.text("#rows")?.contains("two"), "it was sent unasked");

    start_again(&desktop, &[&format!("xmpp:{CAROL}?roster;name=Carol%20C.")])?;
    window.wait_for_text("#link-sentence", CAROL)?;
    window.click("#link-yes")?;
    window.wait_until_shown("#add-dialog")?;
    let filled = format!(
        "return (document.querySelector('#add-address').value === '{CAROL}' \
         && document.querySelector('#add-name').value === 'Carol C.') || null"
    );
    window.wait_for_script("the form filled", &filled)?;
    window.click("#add-dialog .cancel")?;

    start_again(&desktop, &["xmpp:forest@rooms.example.org?join"])?;
    window.wait_for_text("#link-sentence", "rooms")?;
    ensure!(!window.shows("#link-yes")?, "a room can be joined");
    Ok(())
}

#[test]
fn a_link_that_starts_the_app_is_asked_about_once_there_is_a_window() -> Result<()> {
    let desktop = Desktop::start()?;
    let server = friends().start()?;
    let window = alices(&desktop, &server)
        .arg(&format!("xmpp:{BOB}?message;body=hi"))
        .open()?;
    window.wait_for_text("#link-sentence", BOB)?;
    window.click("#link-yes")?;
    window.wait_for_script(
        "the text in the composer",
        "return document.querySelector('#composer-text').value === 'hi' || null",
    )?;
    Ok(())
}

#[test]
fn a_word_that_means_nothing_is_said_and_nothing_is_started() -> Result<()> {
    let desktop = Desktop::start()?;
    let output = Command::new(program::app()?)
        .arg("--hiden")
        .envs(desktop.environment())
        .output()?;
    ensure!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.contains("--hiden"), "{said}");
    until(LATER, || {
        Ok((!desktop.app_home().join("instance.lock").exists()).then_some(()))
    })
}

#[test]
fn it_starts_with_the_session_hidden_only_while_the_user_wants_that() -> Result<()> {
    let desktop = Desktop::start()?;
    let server = friends().start()?;
    let window = alice(&desktop, &server)?;
    let entry = desktop
        .folder()
        .join("config/autostart/im.dormouse.Dormouse.desktop");
    window.click("#account-button")?;
    window.wait_until_shown("#desktop-autostart")?;
    ensure!(!entry.exists(), "nobody has asked for it");
    window.click("#desktop-autostart")?;
    until(LATER, || Ok(entry.exists().then_some(())))?;
    let text = std::fs::read_to_string(&entry)?;
    ensure!(
        text.contains(&format!("{}\" --hidden", program::app()?.display())),
        "{text}"
    );
    window.click("#desktop-autostart")?;
    until(LATER, || Ok((!entry.exists()).then_some(())))?;
    Ok(())
}

#[test]
fn the_window_is_as_large_as_it_was_and_where_it_was() -> Result<()> {
    let desktop = Desktop::builder().tray().start()?;
    let server = friends().start()?;
    let window = alice(&desktop, &server)?;
    window.set_size(820, 610)?;
    window.move_to(200, 150)?;
    let before = window.place()?;
    let closed = window.close()?;
    desktop.tray()?.click()?;
    let window = closed.reopened()?;
    window.wait_for_script(
        "its size",
        "return (innerWidth === 820 && innerHeight === 610) || null",
    )?;
    let after = window.place()?;
    ensure!(
        before.0.abs_diff(after.0) < 4 && before.1.abs_diff(after.1) < 4,
        "it was at {before:?} and is at {after:?}"
    );
    Ok(())
}

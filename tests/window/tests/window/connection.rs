//! The connection explains itself: the panel behind the chip.

use anyhow::{Context, ensure};
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, alice, alices, friends, somebody};
use dormouse_window_tests::wait::LATER;
use fantoccini::key::Key;
use serde_json::json;
use std::path::Path;

#[test]
fn the_connection_explains_what_it_is_what_happened_to_it_and_how_it_came_back() -> Result<()> {
    let mut server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.click("#connection")?;
    window.wait_until_shown("#connection-panel")?;
    window.wait_for_text("#connection-endpoint", &server.ws_endpoint())?;
    window.wait_for_text("#connection-mechanism", "SCRAM-SHA-")?;
    window.wait_for_text("#connection-tls", "does not leave this computer")?;
    window.wait_for_text("#connection-now", "Everything missed has been read.")?;
    window.wait_for_text("#history-legend", "Connected")?;

    // It follows what happens, while it is open.
    server.stop()?;
    window.wait_for_text("#connection-changes li:first-child", "Reconnecting soon")?;
    window.wait_for_text("#connection-changes li:first-child", "Next attempt")?;
    window.press(&[Key::Escape])?;
    window.wait_until_gone("#connection-panel")?;
    server.start()?;
    let mut bob = somebody(&server, BOB)?;
    bob.send(ALICE, "said meanwhile")?;
    bob.wait_until_sent(&["said meanwhile".to_owned()], &["sent", "delivered"], LATER)?;
    if window.shows("#retry-now")? {
        window.click("#retry-now")?;
    }
    window.wait_until_live()?;
    window.click("#connection")?;
    window.wait_for_text("#connection-changes li:first-child", "Back after")?;
    let told = window.texts("#connection-changes li strong")?;
    ensure!(told.first().map(String::as_str) == Some("Connected"), "{told:?}");
    window.wait_for_text("#connection-losses tbody", "1")?;
    window.quit()?;

    // And knows of it after a restart.
    let window = alices(&desktop, &server).open()?;
    window.wait_until_live()?;
    window.click("#connection")?;
    window.wait_for_text("#connection-changes", "Next attempt")?;
    window.wait_for_text("#history-legend", "Not connected")?;
    Ok(())
}

/// Whether what is shown or saved holds no words of anybody's.
fn holds_nobodys_words(what: &str, text: &str, words: &[&str]) -> Result<()> {
    let found = words.iter().find(|words| text.contains(**words));
    ensure!(found.is_none(), "{found:?} is in {what}:\n{text}");
    Ok(())
}

#[test]
fn frames_are_noted_once_asked_for_blacked_out_looked_through_and_saved() -> Result<()> {
    const SAID: &str = "nobody else's business";
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.click("#connection")?;
    window.wait_until_shown("#connection-panel")?;
    window.click("#frames-open")?;
    window.wait_until_shown("#frames-panel")?;
    ensure!(
        !window.shows("#frames-noted")?,
        "frames are noted and nobody asked for it"
    );
    window.click("#frames-detail input[value='content']")?;
    window.wait_until_shown("#frames-noted")?;
    let mut bob = somebody(&server, BOB)?;
    bob.send(ALICE, SAID)?;
    window.wait_for_text("#frames-list", "<body>")?;
    window.wait_for_text("#frames-list", "message chat")?;
    holds_nobodys_words("the list", &window.text("#frames-list")?, &[SAID])?;

    window.fill("#frames-filter", "presence")?;
    window.wait_for("only presences", LATER, || {
        let kinds = window.texts("#frames-list strong")?;
        let all = !kinds.is_empty() && kinds.iter().all(|kind| kind.contains("presence"));
        Ok(all.then_some(()))
    })?;

    for (button, ending) in [("#frames-save-text", ".txt"), ("#frames-save-pcapng", ".pcapng")] {
        window.click(button)?;
        let saved = window.wait_for_text("#frames-saved", ending)?;
        let path = saved.strip_prefix("Saved as ").context("a path")?;
        let bytes = std::fs::read(Path::new(path))?;
        let text = String::from_utf8_lossy(&bytes);
        ensure!(text.contains("message"), "the messages are missing in {path}");
        holds_nobodys_words(path, &text, &[SAID])?;
    }
    window.click("#frames-detail input[value='off']")?;
    window.wait_until_gone("#frames-noted")
}

#[test]
fn an_interval_that_is_chosen_holds_after_a_restart_and_longer_silence_is_said() -> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.click("#connection")?;
    window.wait_for_text("#connection-interval", "25 s of silence")?;
    let choose = "const list = document.querySelector('#interval-choice'); list.value = arguments[0]; \
        list.dispatchEvent(new Event('change'));";
    window.script(choose, vec![json!("5")])?;
    let chosen = "return document.querySelector('#connection-interval')?.textContent.startsWith('5 s of silence') || null";
    window.wait_for_script("the interval that was chosen", chosen)?;
    window.quit()?;

    let window = alices(&desktop, &server).open()?;
    window.wait_until_live()?;
    window.click("#connection")?;
    window.wait_for_script("the interval that was chosen before", chosen)?;
    let value = window.script(
        "return document.querySelector('#interval-choice').value",
        Vec::new(),
    )?;
    ensure!(value == json!("5"), "{value}");

    // The server says nothing any more, and its connection stays open.
    server.freeze()?;
    window.wait_for_text("#connection-facts", "longer than it should be")?;
    window.script(choose, vec![json!("")])?;
    window.wait_for_text("#connection-interval", "25 s of silence")?;
    Ok(())
}

#[test]
fn the_report_that_is_copied_tells_what_happened_and_names_nobody() -> Result<()> {
    const SAID: &str = "nobody else's business";
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    window.send(SAID)?;
    window.wait_for_delivery(SAID, "sent")?;
    window.click("#connection")?;
    window.wait_until_shown("#connection-panel")?;
    window.click("#report-open")?;
    window.wait_for_text("#report-text", "Journal")?;
    window.click("#report-copy")?;
    window.wait_for_text("#report-copied", "Copied")?;
    window.press(&[Key::Escape])?;
    window.wait_until_gone("#report-dialog")?;
    window.press(&[Key::Escape])?;
    window.wait_until_gone("#connection-panel")?;
    window.click("#composer-text")?;
    window.press_with(Key::Control, 'v')?;
    let report = window.wait_for_script(
        "the report in the composer",
        "const text = document.querySelector('#composer-text').value; return text.includes('Journal') ? text : null",
    )?;
    let report = report.as_str().context("a text")?;
    for wanted in [
        concat!("Dormouse ", env!("CARGO_PKG_VERSION")),
        "on linux ",
        "web view: ",
        "connection: live",
        "signed in: with SCRAM-SHA-",
        "signing-in: ",
    ] {
        ensure!(report.contains(wanted), "{wanted:?} is missing:\n{report}");
    }
    holds_nobodys_words(
        "the report",
        report,
        &[ALICE, BOB, "alice", "bob", "localhost", "127.0.0.1", SAID],
    )
}

#[test]
fn a_crash_is_told_at_the_next_start_until_its_report_is_deleted() -> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alices(&desktop, &server).env("DORMOUSE_CRASH", "1").open()?;
    window.wait_until_live()?;
    window.quit()?;
    let crashes = desktop.app_home().join("crashes");

    for deleted in [false, true] {
        let window = alices(&desktop, &server).open()?;
        window.wait_until_shown("#crash-dialog")?;
        window.click("#crash-dialog summary")?;
        let report = window.wait_for_text("#crash-text", "asked to crash")?;
        ensure!(report.contains("src-tauri/src/program.rs"), "{report}");
        window.click(if deleted { "#crash-forget" } else { "#crash-keep" })?;
        window.wait_until_gone("#crash-dialog")?;
        window.quit()?;
    }
    ensure!(
        std::fs::read_dir(&crashes)?.next().is_none(),
        "the report is still there"
    );
    let window = alices(&desktop, &server).open()?;
    window.wait_until_live()?;
    ensure!(!window.shows("#crash-dialog")?, "told again");
    Ok(())
}

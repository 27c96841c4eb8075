//! The server goes, the machine sleeps, the program dies: what the window says of it, and what is there afterwards.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, alice, alices, friends, somebody};
use dormouse_window_tests::wait::LATER;

#[test]
fn without_the_server_the_window_counts_down_and_what_is_typed_goes_when_it_is_back() -> Result<()> {
    let mut server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    server.stop()?;
    window.wait_for_connection("waiting")?;
    let banner = window.wait_for_text("#banner .sentence", "")?;
    ensure!(!banner.is_empty(), "the banner says nothing");
    window.wait_until_shown("#retry-now")?;
    // The seconds run.
    let mut last = None;
    window.wait_for("a countdown in the banner", LATER, || {
        let now = seconds(&window.text("#banner .sentence")?);
        // Between two attempts the number begins anew, higher.
        let runs = now.is_some() && last.is_some() && now < last;
        last = now.or(last);
        Ok(runs.then_some(()))
    })?;
    window.send("typed while nobody was there")?;
    window.wait_for_delivery("typed while nobody was there", "queued")?;
    server.start()?;
    window.wait_for("connected again", LATER, || {
        if window.shows("#connection[data-state='live']")? {
            return Ok(Some(()));
        }
        // It goes by itself the moment the connection is there.
        window.script(
            "const button = document.querySelector('#retry-now');
             if (button?.checkVisibility()) button.click()",
            Vec::new(),
        )?;
        Ok(None)
    })?;
    window.wait_until_gone("#banner")?;
    window.wait_for_delivery("typed while nobody was there", "sent")?;
    let bob = somebody(&server, BOB)?;
    bob.wait_until_received(&["typed while nobody was there".to_owned()], LATER)?;
    Ok(())
}

/// The number that stands in a sentence.
fn seconds(sentence: &str) -> Option<u32> {
    let digits = |c: char| !c.is_ascii_digit();
    sentence.split(digits).find(|part| !part.is_empty())?.parse().ok()
}

#[test]
fn a_sleep_is_said_and_what_was_missed_in_it_is_there_after_waking() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::builder().logind().start()?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    desktop.logind()?.prepare_for_sleep(true)?;
    window.wait_for_connection("asleep")?;
    window.wait_until_shown("#banner")?;
    bob.send(ALICE, "said while you slept")?;
    bob.wait_until_sent(
        &["said while you slept".to_owned()],
        &["sent", "delivered"],
        LATER,
    )?;
    desktop.logind()?.prepare_for_sleep(false)?;
    window.wait_until_live()?;
    window.wait_for_text("#timeline .body", "said while you slept")?;
    window.wait_until_gone("#banner")?;
    let bodies = window.texts("#timeline .message .body")?;
    ensure!(bodies == ["said while you slept"], "once: {bodies:?}");
    Ok(())
}

#[test]
fn the_conversation_is_painted_from_the_cache_while_the_server_is_down_and_nothing_pretends_to_be_connected()
-> Result<()> {
    let mut server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    bob.send(ALICE, "remember this")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "remember this")?;
    window.send("I shall")?;
    window.wait_for_delivery("I shall", "delivered")?;
    window.kill9()?;
    bob.quit()?;
    server.stop()?;

    let window = alices(&desktop, &server).open()?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "I shall")?;
    ensure!(window.texts("#timeline .message .body")? == ["remember this", "I shall"]);
    window.wait_for_connection("waiting")?;
    window.wait_until_shown("#banner")?;
    ensure!(!window.shows("#connection[data-state='live']")?);
    Ok(())
}

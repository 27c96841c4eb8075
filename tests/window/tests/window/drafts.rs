//! What was typed and not sent.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, CAROL, alice, strangers};

#[test]
fn what_was_typed_and_not_sent_is_there_after_a_kill() -> Result<()> {
    let server = strangers()
        .shared_contacts([(ALICE, "Alice"), (BOB, "Bob"), (CAROL, "Carol")])
        .start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    window.type_into("#composer-text", "I was just about to")?;
    window.open_conversation(CAROL)?;
    window.wait_until_shown(&format!(".conversation[data-with='{BOB}'] .draft"))?;
    // What was sent is on the disk, and with it all that came before.
    window.send("in between")?;
    window.wait_for_delivery("in between", "sent")?;
    window.kill9()?;
    let window = alice(&desktop, &server)?;
    window.wait_until_shown(&format!(".conversation[data-with='{BOB}'] .draft"))?;
    window.open_conversation(BOB)?;
    window.wait_for_script(
        "the draft",
        "return document.querySelector('#composer-text').value === 'I was just about to' || null",
    )?;
    window.send(" say something")?;
    window.wait_for_delivery("I was just about to say something", "sent")?;
    window.wait_until_gone(&format!(".conversation[data-with='{BOB}'] .draft"))?;
    window.quit()?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "I was just about to say something")?;
    ensure!(
        window.script(
            "return document.querySelector('#composer-text').value",
            Vec::new()
        )? == ""
    );
    Ok(())
}

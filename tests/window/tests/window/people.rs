//! Those who ask, those who are added, and those one does not want to hear of.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, CAROL, alice, somebody, strangers};
use dormouse_window_tests::wait::LATER;
use serde_json::json;

#[test]
fn a_request_is_accepted_another_declined() -> Result<()> {
    let server = strangers().start()?;
    let mut bob = somebody(&server, BOB)?;
    let mut carol = somebody(&server, CAROL)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    bob.send_command(&json!({"command": "add", "address": ALICE}))?;
    window.click(&format!(".request[data-address='{BOB}'] .accept"))?;
    window.wait_until_gone(&format!(".request[data-address='{BOB}']"))?;
    bob.wait_for("alice lets bob see her", LATER, |event| {
        event.kind() == "contact"
            && event.text("address") == ALICE
            && ["to", "both"].contains(&event.text("subscription"))
    })?;
    carol.send_command(&json!({"command": "add", "address": ALICE}))?;
    window.click(&format!(".request[data-address='{CAROL}'] .decline"))?;
    window.wait_until_gone(&format!(".request[data-address='{CAROL}']"))
}

#[test]
fn somebody_is_added_renamed_blocked_heard_again_and_removed() -> Result<()> {
    let server = strangers().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.click("#add-contact")?;
    window.fill("#add-address", BOB)?;
    window.fill("#add-name", "Bobby")?;
    window.click("#add-submit")?;
    window.wait_until_gone("#add-dialog")?;
    let row = format!(".conversation[data-with='{BOB}']");
    window.wait_for_text(&format!("{row} .name"), "Bobby")?;
    bob.wait_for("alice's request", LATER, |event| {
        event.kind() == "request" && event.text("from") == ALICE
    })?;
    window.open_conversation(BOB)?;
    window.choose_in_menu("rename")?;
    window.fill("#rename-name", "Robert")?;
    window.click("#rename-submit")?;
    window.wait_for_text("#person-name", "Robert")?;

    window.choose_in_menu("block")?;
    window.click("#confirm-yes")?;
    window.wait_until_shown("#composer-blocked")?;
    bob.send(ALICE, "can you hear me?")?;
    window.click("#composer-unblock")?;
    window.wait_until_shown("#composer-text")?;
    bob.send(ALICE, "and now?")?;
    window.wait_for_text("#timeline .body", "and now?")?;
    ensure!(
        window.texts("#timeline .message .body")? == ["and now?"],
        "what was said while blocked was heard"
    );

    window.choose_in_menu("remove")?;
    window.click("#confirm-yes")?;
    window.wait_for("bob is no contact any more", LATER, || {
        let is_contact = window.texts(&format!("{row} .name"))?;
        Ok((is_contact.is_empty() || window.shows(&format!("{row} .stranger"))?).then_some(()))
    })
}

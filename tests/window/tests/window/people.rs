//! Those who ask, those who are added, and those one does not want to hear of.

use anyhow::ensure;
use dormouse_scenarios::client::Client;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, CAROL, alice, somebody, strangers};
use dormouse_window_tests::wait::LATER;
use dormouse_window_tests::window::Window;
use serde_json::json;
use std::time::Duration;

/// Longer than a message takes on a busy machine.
const A_MOMENT: Duration = Duration::from_secs(5);

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
    let unheard = until_bounced(&mut bob)?;
    window.click("#composer-unblock")?;
    window.wait_until_shown("#composer-text")?;
    until_heard(&mut bob, &window)?;
    ensure!(
        !window.texts("#timeline .message .body")?.contains(&unheard),
        "what was said while blocked was heard"
    );

    window.choose_in_menu("remove")?;
    window.click("#confirm-yes")?;
    window.wait_for("bob is no contact any more", LATER, || {
        let is_contact = window.texts(&format!("{row} .name"))?;
        Ok((is_contact.is_empty() || window.shows(&format!("{row} .stranger"))?).then_some(()))
    })
}

/// The window shows at once what the server learns a moment later: bob asks again until the server sends a message
/// back, and that one is returned.
fn until_bounced(bob: &mut Client) -> Result<String> {
    for number in 0..5 {
        let body = format!("can you hear me? ({number})");
        bob.send(ALICE, &body)?;
        let bounced = bob.wait_until_sent(std::slice::from_ref(&body), &["failed"], A_MOMENT);
        if bounced.is_ok() {
            return Ok(body);
        }
    }
    anyhow::bail!("the server sent no message of bob's back\n{}", bob.dump())
}

/// The same the other way: bob asks again until alice's window shows it.
fn until_heard(bob: &mut Client, window: &Window<'_>) -> Result<()> {
    for number in 0..5 {
        let body = format!("and now? ({number})");
        bob.send(ALICE, &body)?;
        if window
            .wait_for_text_within("#timeline .body", &body, A_MOMENT)
            .is_ok()
        {
            return Ok(());
        }
    }
    anyhow::bail!("bob is not heard again\n{}", bob.dump())
}

//! The form, with the right words and the wrong ones.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, PASSWORD, strangers};
use dormouse_window_tests::window::Window;

#[test]
fn a_wrong_password_is_said_at_its_field_and_the_right_one_opens_the_conversations() -> Result<()> {
    let server = strangers().start()?;
    let desktop = Desktop::start()?;
    let window = Window::open(&desktop)?;
    window.fill_sign_in(ALICE, "battery staple", &server.ws_endpoint())?;
    let error = window.wait_for_text("#password-error", "password")?;
    ensure!(error.ends_with('.'), "what is said is not a sentence: {error:?}");
    ensure!(window.attribute("#password", "aria-invalid")?.as_deref() == Some("true"));
    window.wait_for_script(
        "the focus is in the field that is wrong",
        "return document.activeElement?.id === 'password' || null",
    )?;
    window.fill("#password", PASSWORD)?;
    window.click("#sign-in-submit")?;
    window.wait_until_shown("#session")?;
    window.wait_until_gone("#sign-in")?;
    window.wait_until_live()
}

#[test]
fn what_is_no_address_is_said_at_its_field() -> Result<()> {
    let desktop = Desktop::start()?;
    let window = Window::open(&desktop)?;
    window.fill_sign_in("alice at localhost", PASSWORD, "")?;
    window.wait_until_shown("#address-error")?;
    ensure!(!window.text("#address-error")?.is_empty());
    ensure!(!window.shows("#session")?);
    Ok(())
}

#[test]
fn an_endpoint_where_nobody_answers_is_said_in_the_form() -> Result<()> {
    let mut server = strangers().start()?;
    let endpoint = server.ws_endpoint();
    server.stop()?;
    let desktop = Desktop::start()?;
    let window = Window::open(&desktop)?;
    window.fill_sign_in(ALICE, PASSWORD, &endpoint)?;
    let said = window.wait_for("an error in the form", dormouse_window_tests::wait::LATER, || {
        let texts = window.texts("#sign-in-error, #endpoint-error, #address-error")?;
        Ok(texts.into_iter().find(|text| !text.is_empty()))
    })?;
    ensure!(said.ends_with('.'), "what is said is not a sentence: {said:?}");
    window.fill_sign_in(ALICE, PASSWORD, "ws://example.org/xmpp-websocket")?;
    // Unencrypted, and not this machine.
    window.wait_until_shown("#endpoint-error")
}

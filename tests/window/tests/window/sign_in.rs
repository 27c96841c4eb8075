//! The form, with the right words and the wrong ones.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, PASSWORD, strangers};
use dormouse_window_tests::window::Window;
use serde_json::json;

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

#[test]
fn a_proxy_that_is_none_or_can_not_be_reached_is_said_at_its_field() -> Result<()> {
    let desktop = Desktop::start()?;
    let window = Window::open(&desktop)?;
    window.wait_until_shown("#sign-in-form")?;
    window.click("#advanced summary")?;
    window.wait_until_shown("#proxy-choice")?;
    ensure!(
        !window.shows("#proxy")?,
        "its fields stand there before it is wanted"
    );
    window.script(
        "const choice = document.querySelector(arguments[0]);
         choice.value = arguments[1];
         choice.dispatchEvent(new Event('change', { bubbles: true }));",
        vec![json!("#proxy-choice"), json!("given")],
    )?;
    // Nothing of it leaves this machine: the proxy is here, and nobody.
    let elsewhere = "wss://192.0.2.1/xmpp-websocket";
    window.fill_sign_in(ALICE, PASSWORD, elsewhere)?;
    window.wait_until_shown("#proxy-error")?;
    for (proxy, words) in [
        ("proxy.example:3128", "can't be used"),
        ("socks5://127.0.0.1:1", "can't be reached"),
    ] {
        window.fill("#proxy", proxy)?;
        window.click("#sign-in-submit")?;
        let said = window.wait_for_text("#proxy-error", words)?;
        ensure!(said.ends_with('.'), "what is said is not a sentence: {said:?}");
    }
    ensure!(window.attribute("#proxy", "aria-invalid")?.as_deref() == Some("true"));
    Ok(())
}

//! German is complete: no English and no key is left anywhere.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, PASSWORD, friends};
use dormouse_window_tests::window::Window;
use std::collections::BTreeSet;

/// The same in every language.
const SAME: [&str; 10] = [
    "Dormouse",
    concat!("Dormouse ", env!("CARGO_PKG_VERSION")),
    "Alice",
    "Bob",
    "A",
    "B",
    "Offline",
    "Online",
    "Port",
    "Proxy",
];

/// The words of every screen on the main path.
fn words(language: &'static str) -> Result<BTreeSet<String>> {
    let mut server = friends().start()?;
    let desktop = Desktop::builder().language(language).start()?;
    let window = Window::open(&desktop)?;
    window.wait_until_shown("#sign-in-form")?;
    let tag = window.script("return document.documentElement.lang", Vec::new())?;
    ensure!(
        tag.as_str().is_some_and(|tag| tag.starts_with(language)),
        "the page's language is {tag}"
    );
    let mut words = BTreeSet::new();
    words.extend(window.words()?);
    window.fill_sign_in(ALICE, "wrong", &server.ws_endpoint())?;
    window.wait_until_shown("#password-error")?;
    words.extend(window.words()?);
    window.fill("#password", PASSWORD)?;
    window.click("#sign-in-submit")?;
    window.wait_until_live()?;
    words.extend(window.words()?);
    window.open_conversation(BOB)?;
    window.send("42")?;
    window.wait_for_delivery("42", "sent")?;
    words.extend(window.words()?);
    window.click("#conversation-menu-button")?;
    window.wait_until_shown("#conversation-menu")?;
    words.extend(window.words()?);
    window.click("#conversation-menu [data-command='block']")?;
    window.wait_until_shown("#confirm-dialog")?;
    words.extend(window.words()?);
    window.click("#confirm-no")?;
    window.click("#add-contact")?;
    window.wait_until_shown("#add-dialog")?;
    window.fill("#add-address", "no address")?;
    window.click("#add-submit")?;
    window.wait_until_shown("#add-error")?;
    words.extend(window.words()?);
    window.press(&[fantoccini::key::Key::Escape])?;
    window.wait_until_gone("#add-dialog")?;
    window.click("#account-button")?;
    window.wait_until_shown("#account-panel")?;
    words.extend(window.words()?);
    window.click("#sign-out")?;
    window.wait_until_shown("#sign-out-dialog")?;
    words.extend(window.words()?);
    window.click("#sign-out-no")?;
    window.press(&[fantoccini::key::Key::Escape])?;
    server.stop()?;
    window.wait_for_connection("waiting")?;
    window.wait_until_shown("#banner .sentence")?;
    words.extend(window.words()?);
    Ok(words)
}

#[test]
fn german_is_complete() -> Result<()> {
    let (english, german) = (words("en")?, words("de")?);
    for text in english.iter().chain(&german) {
        ensure!(
            !text.contains("ui-") && !text.contains('{') && !text.contains("undefined"),
            "a key or a gap is shown: {text:?}"
        );
    }
    let both: Vec<&String> = english
        .intersection(&german)
        .filter(|text| text.chars().any(char::is_alphabetic))
        .filter(|text| !SAME.contains(&text.as_str()) && !text.contains("://") && !text.contains('@'))
        .collect();
    ensure!(both.is_empty(), "the same in English and German: {both:?}");
    ensure!(german.len() > 40, "only {} texts were seen", german.len());
    Ok(())
}

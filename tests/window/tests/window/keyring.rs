//! Where the password goes: into the system's keyring, or nowhere.

use anyhow::{Context, ensure};
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, PASSWORD, friends, somebody};
use dormouse_window_tests::window::Window;
use std::path::Path;

#[test]
fn without_a_keyring_it_says_so_and_asks_at_the_next_start_with_the_conversations_in_view() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = Window::open(&desktop)?;
    window.sign_in(ALICE, PASSWORD, &server.ws_endpoint())?;
    window.wait_for_text("#notices .notice", "password")?;
    bob.send(ALICE, "kept on the disk")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "kept on the disk")?;
    window.quit()?;
    ensure!(
        !mentions(&desktop.app_home(), PASSWORD)?,
        "the password is in a file"
    );

    let window = Window::open(&desktop)?;
    window.wait_until_shown("#unlock-form")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "kept on the disk")?;
    window.fill("#unlock-password", "something else")?;
    window.click("#unlock-submit")?;
    // Only then is the field ready for another one: before, what is typed would be selected halfway.
    window.wait_for_text("#banner", "The server refused the password")?;
    window.wait_until_shown("#unlock-password")?;
    window.fill("#unlock-password", PASSWORD)?;
    window.click("#unlock-submit")?;
    window.wait_until_live()?;
    window.wait_until_gone("#unlock-form")
}

#[test]
fn with_a_keyring_the_next_start_signs_in_by_itself_and_signing_out_forgets_everything() -> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::builder().keyring().start()?;
    let window = Window::open(&desktop)?;
    window.sign_in(ALICE, PASSWORD, &server.ws_endpoint())?;
    window.wait_until_live()?;
    window.quit()?;
    ensure!(
        !mentions(&desktop.app_home(), PASSWORD)?,
        "the password is in a file"
    );

    let window = Window::open(&desktop)?;
    window.wait_until_live()?;
    ensure!(!window.shows("#sign-in")? && !window.shows("#unlock-form")?);
    window.click("#account-button")?;
    window.click("#sign-out")?;
    window.wait_until_shown("#sign-out-dialog")?;
    if window.script(
        "return document.querySelector('#sign-out-forget').checked",
        Vec::new(),
    )? == false
    {
        window.click("#sign-out-forget")?;
    }
    window.click("#sign-out-yes")?;
    window.wait_until_shown("#sign-in-form")?;
    let kept = desktop.app_home().join("accounts").join(ALICE);
    ensure!(!kept.exists(), "{} is still there", kept.display());
    window.quit()?;

    let window = Window::open(&desktop)?;
    window.wait_until_shown("#sign-in-form")
}

/// Whether a file of the folder holds these bytes.
fn mentions(folder: &Path, text: &str) -> Result<bool> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let found = if path.is_dir() {
            mentions(&path, text)?
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

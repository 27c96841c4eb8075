//! The main path without a pointer.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, PASSWORD, friends, somebody};
use dormouse_window_tests::wait::LATER;
use dormouse_window_tests::window::Window;
use fantoccini::key::Key;

/// Where the focus is: the id of the focused element or of the next around it that has one.
fn focus(window: &Window<'_>) -> Result<String> {
    let id = window.script(
        "return document.activeElement?.closest('[id]')?.id ?? ''",
        Vec::new(),
    )?;
    Ok(id.as_str().unwrap_or_default().to_owned())
}

/// The focus is somewhere, and can be seen there.
fn has_focus_in(window: &Window<'_>, id: &str) -> Result<()> {
    window.wait_for(&format!("the focus in #{id}"), LATER, || {
        Ok((focus(window)? == id).then_some(()))
    })?;
    let seen = window.script(
        "const style = getComputedStyle(document.activeElement);
         return document.activeElement.matches(':focus-visible')
             && (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none'
                 || ['INPUT', 'TEXTAREA'].includes(document.activeElement.tagName))",
        Vec::new(),
    )?;
    ensure!(seen == true, "the focus in #{id} can't be seen");
    Ok(())
}

/// Tab, until the focus is there.
fn tab_to(window: &Window<'_>, id: &str) -> Result<()> {
    for _ in 0..30 {
        if focus(window)? == id {
            return has_focus_in(window, id);
        }
        window.press(&[Key::Tab])?;
    }
    anyhow::bail!(
        "#{id} can't be reached by Tab; the focus is in #{}",
        focus(window)?
    )
}

#[test]
fn from_the_form_to_a_sent_message_and_out_again_without_a_pointer() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = Window::open(&desktop)?;
    window.focus()?;
    has_focus_in(&window, "address")?;
    window.type_text(ALICE)?;
    tab_to(&window, "password")?;
    window.type_text(PASSWORD)?;
    tab_to(&window, "advanced")?;
    window.press(&[Key::Enter])?;
    tab_to(&window, "endpoint")?;
    window.type_text(&server.ws_endpoint())?;
    window.press(&[Key::Enter])?;
    window.wait_until_live()?;
    ensure!(!focus(&window)?.is_empty(), "the focus was lost after signing in");

    window.press_with(Key::Control, 'k')?;
    has_focus_in(&window, "filter")?;
    window.type_text("bob")?;
    window.press(&[Key::Enter])?;
    has_focus_in(&window, "composer-text")?;
    window.type_text("by keys alone")?;
    window.press_with(Key::Shift, char::from(Key::Enter))?;
    window.type_text("in two lines")?;
    window.press(&[Key::Enter])?;
    let both = "by keys alone\nin two lines";
    window.wait_for_delivery(both, "delivered")?;
    bob.wait_until_received(&[both.to_owned()], LATER)?;
    has_focus_in(&window, "composer-text")?;

    // What is opened is closed by Escape, and the focus is where it was.
    tab_to(&window, "account-button")?;
    window.press(&[Key::Enter])?;
    window.wait_until_shown("#account-panel")?;
    window.press(&[Key::Escape])?;
    window.wait_until_gone("#account-panel")?;
    has_focus_in(&window, "account-button")?;
    tab_to(&window, "add-contact")?;
    window.press(&[Key::Enter])?;
    has_focus_in(&window, "add-address")?;
    window.press(&[Key::Escape])?;
    window.wait_until_gone("#add-dialog")?;
    has_focus_in(&window, "add-contact")?;

    // The list by its arrows.
    bob.send(ALICE, "are you there?")?;
    window.press_with(Key::Control, 'k')?;
    window.press(&[Key::Down])?;
    window.press(&[Key::Enter])?;
    window.wait_for_text("#timeline .body", "are you there?")?;
    ensure!(!focus(&window)?.is_empty());
    Ok(())
}

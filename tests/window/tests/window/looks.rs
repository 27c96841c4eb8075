//! Every screen, in light and dark: checked by axe-core, and as pictures to look at.

use crate::start::start_again;
use anyhow::Context;
use dormouse_window_tests::Result;
use dormouse_window_tests::accessibility;
use dormouse_window_tests::cache::{Said, fill};
use dormouse_window_tests::desktop::{Desktop, Theme};
use dormouse_window_tests::people::{ALICE, BOB, CAROL, PASSWORD, alice, friends, somebody};
use dormouse_window_tests::wait::LATER;
use dormouse_window_tests::window::Window;
use fantoccini::key::Key;
use serde_json::json;
use std::path::PathBuf;

/// 2026-11-20, in the evening.
const UNTIL: i64 = 1_795_201_200_000;
const NOBODY: &str = "nobody@localhost";

/// A talk with everything in it that a page must bear.
fn talk() -> Vec<Said> {
    let long =
        "A dormouse sleeps for more than half of the year, and when it wakes it wants to know everything \
        that was said in the meantime, in the order in which it was said, and not twice. "
            .repeat(30);
    let said = [
        (BOB, "Good evening! Did you get home all right?"),
        (ALICE, "Yes, thank you. The train slept longer than I did."),
        (
            BOB,
            "I found the paper we talked about: https://example.org/hazelnuts/on-the-sleep-of-small-mammals?year=2026",
        ),
        (BOB, "And a picture would go here, if there were pictures yet."),
        (ALICE, "🐭💤 👩‍👩‍👧‍👦 🏳️‍🌈"),
        (BOB, "שלום, מה שלומך? יש לנו תה בשעה חמש."),
        (ALICE, "مرحبا بك في الغابة، الشاي جاهز."),
        (
            ALICE,
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        ),
        (BOB, &long),
        (ALICE, "That was long.\n\nBut\nnice."),
    ];
    said.iter()
        .map(|(by, body)| Said {
            by: (*by).to_owned(),
            body: (*body).to_owned(),
        })
        .collect()
}

/// A window's size in CSS pixels.
type Size = (u32, u32);

/// List and conversation side by side.
const WIDE: Size = (1280, 800);
/// One of the two at a time.
const NARROW: Size = (480, 800);

/// Visits every screen of the app and calls `look` on each with its name.
fn visit(theme: Theme, size: Size, mut look: impl FnMut(&Window<'_>, &str) -> Result<()>) -> Result<()> {
    let mut server = friends().start()?;
    let desktop = Desktop::builder().theme(theme).start()?;

    let crashes = desktop.app_home().join("crashes");
    std::fs::create_dir_all(&crashes)?;
    std::fs::write(
        crashes.join(format!("crash-{UNTIL}.txt")),
        "Dormouse 0.0.9\nA panic",
    )?;
    let window = Window::open(&desktop)?;
    window.set_size(size.0, size.1)?;
    window.wait_until_shown("#crash-dialog")?;
    window.click("#crash-dialog summary")?;
    look(&window, "00-crash")?;
    window.click("#crash-forget")?;
    window.wait_until_gone("#crash-dialog")?;
    window.wait_until_shown("#sign-in-form")?;
    look(&window, "01-sign-in")?;
    window.fill_sign_in(ALICE, "wrong", &server.ws_endpoint())?;
    window.wait_until_shown("#password-error")?;
    look(&window, "02-sign-in-refused")?;
    window.fill("#password", PASSWORD)?;
    window.click("#sign-in-submit")?;
    window.wait_until_live()?;
    look(&window, "03-signed-in-without-keyring")?;
    window.quit()?;

    let window = Window::open(&desktop)?;
    window.set_size(size.0, size.1)?;
    window.wait_until_shown("#unlock-form")?;
    look(&window, "04-password-wanted")?;
    window.quit()?;

    fill(&desktop.app_home(), BOB, UNTIL, talk().into_iter())?;
    let mut bob = somebody(&server, BOB)?;
    let mut carol = somebody(&server, CAROL)?;
    let window = alice(&desktop, &server)?;
    window.set_size(size.0, size.1)?;
    window.leave_conversation()?;
    carol.send_command(&json!({"command": "add", "address": ALICE}))?;
    window.wait_until_shown(".request")?;
    carol.send(ALICE, "We met at the hedge. May I write to you?")?;
    window.wait_until_shown(&format!(".conversation[data-with='{CAROL}'] .unread"))?;
    look(&window, "05-list-with-a-request")?;
    window.click("#add-contact")?;
    window.wait_until_shown("#add-dialog")?;
    look(&window, "06-add-somebody")?;
    window.fill("#add-address", "no address at all")?;
    window.click("#add-submit")?;
    window.wait_until_shown("#add-error")?;
    look(&window, "07-add-nobody")?;
    window.fill("#add-address", NOBODY)?;
    window.fill(
        "#add-name",
        "Somebody with a name that is far too long for any list of conversations",
    )?;
    window.click("#add-submit")?;
    window.wait_until_gone("#add-dialog")?;

    window.open_conversation(NOBODY)?;
    look(&window, "08-empty-conversation")?;
    window.send("Is anybody there?")?;
    window.wait_for_delivery("Is anybody there?", "failed")?;
    look(&window, "09-failed-message")?;
    window.leave_conversation()?;

    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "But")?;
    window.send("And this one is new.")?;
    window.wait_for_delivery("And this one is new.", "delivered")?;
    bob.send_command(&json!({"command": "typing", "to": ALICE, "typing": true}))?;
    window.wait_for("bob is typing", LATER, || {
        Ok((!window.text("#typing")?.trim().is_empty()).then_some(()))
    })?;
    look(&window, "10-conversation")?;
    window.script("document.querySelector('#timeline').scrollTop = 0", Vec::new())?;
    window.wait_until_shown("#jump")?;
    bob.send(ALICE, "Look down here!")?;
    window.wait_for_text("#jump .count", "1")?;
    look(&window, "11-scrolled-up")?;
    window.click("#jump")?;
    window.wait_until_gone("#jump")?;
    let bodies = window.texts("#timeline .message .body")?;
    anyhow::ensure!(
        bodies.ends_with(&["And this one is new.".to_owned(), "Look down here!".to_owned()]),
        "the conversation is {:?}",
        bodies
            .iter()
            .map(|body| body.chars().take(30).collect::<String>())
            .collect::<Vec<_>>()
    );

    window.open_message_menu()?;
    look(&window, "12-message-menu")?;
    window.press(&[Key::Escape])?;
    window.click("#conversation-menu-button")?;
    window.wait_until_shown("#conversation-menu")?;
    look(&window, "13-conversation-menu")?;
    window.click("#conversation-menu [data-command='rename']")?;
    window.wait_until_shown("#rename-dialog")?;
    look(&window, "14-rename")?;
    window.press(&[Key::Escape])?;
    window.wait_until_gone("#rename-dialog")?;
    window.choose_in_menu("block")?;
    window.wait_until_shown("#confirm-dialog")?;
    look(&window, "15-confirm")?;
    window.click("#confirm-yes")?;
    window.wait_until_shown("#composer-blocked")?;
    look(&window, "16-blocked")?;
    window.click("#composer-unblock")?;
    window.wait_until_shown("#composer-text")?;

    window.leave_conversation()?;
    window.click("#account-button")?;
    window.wait_until_shown("#account-panel")?;
    // The start before this one has chosen what closing means.
    window.script(
        "const closing = document.querySelector('#desktop-closing');
         closing.value = 'ask';
         closing.dispatchEvent(new Event('change'));",
        Vec::new(),
    )?;
    look(&window, "17-account")?;
    window.click("#sign-out")?;
    window.wait_until_shown("#sign-out-dialog")?;
    look(&window, "18-sign-out")?;
    window.click("#sign-out-no")?;
    window.wait_until_gone("#sign-out-dialog")?;
    if window.shows("#account-panel")? {
        window.press(&[Key::Escape])?;
        window.wait_until_gone("#account-panel")?;
    }
    window.ask_to_close()?;
    window.wait_until_shown("#closing-dialog")?;
    look(&window, "24-closing")?;
    window.click("#closing-dialog .cancel")?;
    start_again(
        &desktop,
        &[&format!("xmpp:{BOB}?message;body=Tea%20at%20five%3F")],
    )?;
    window.wait_until_shown("#link-dialog")?;
    look(&window, "25-link")?;
    window.click("#link-no")?;
    window.wait_until_gone("#link-dialog")?;

    window.open_conversation(BOB)?;
    server.stop()?;
    window.wait_for_connection("waiting")?;
    window.wait_until_shown("#retry-now")?;
    window.send("Typed while nobody is there.")?;
    window.wait_for_delivery("Typed while nobody is there.", "queued")?;
    look(&window, "19-waiting")?;
    window.click("#connection")?;
    window.wait_for_text("#connection-changes", "Next attempt")?;
    look(&window, "20-connection")?;
    window.click("#check-begin")?;
    window.wait_for_text("#check-verdict", "Something does not work.")?;
    look(&window, "21-check")?;
    window.click("#frames-open")?;
    window.wait_until_shown("#frames-panel")?;
    window.click("#frames-detail input[value='content']")?;
    window.wait_until_shown("#frames-noted")?;
    look(&window, "22-frames")?;
    window.press(&[Key::Escape])?;
    window.wait_until_gone("#frames-panel")?;
    window.click("#report-open")?;
    window.wait_for_text("#report-text", "Journal")?;
    look(&window, "23-report")
}

fn every_screen_is_accessible(theme: Theme, size: Size) -> Result<()> {
    let mut wrong = Vec::new();
    visit(theme, size, |window, screen| {
        if let Err(error) = accessibility::check(window, screen) {
            wrong.push(format!("{error:#}"));
        }
        Ok(())
    })?;
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

#[test]
fn every_screen_is_accessible_in_light_and_wide() -> Result<()> {
    every_screen_is_accessible(Theme::Light, WIDE)
}

#[test]
fn every_screen_is_accessible_in_dark_and_narrow() -> Result<()> {
    every_screen_is_accessible(Theme::Dark, NARROW)
}

#[test]
fn what_is_not_accessible_is_found() -> Result<()> {
    let desktop = Desktop::start()?;
    let window = Window::open(&desktop)?;
    window.wait_until_shown("#sign-in-form")?;
    accessibility::check(&window, "as it is")?;
    window.script(
        "document.querySelector('#sign-in-form').append(document.createElement('button'))",
        Vec::new(),
    )?;
    let Err(found) = accessibility::check(&window, "with a button without a name") else {
        anyhow::bail!("a button without a name was not found");
    };
    anyhow::ensure!(found.to_string().contains("button-name"), "{found}");
    Ok(())
}

#[test]
fn dark_is_dark_and_light_is_light() -> Result<()> {
    for theme in Theme::BOTH {
        let desktop = Desktop::builder().theme(theme).start()?;
        let window = Window::open(&desktop)?;
        window.wait_until_shown("#sign-in-form")?;
        let told = window.script(
            "const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
             return { dark: matchMedia('(prefers-color-scheme: dark)').matches, light: r + g + b > 382 }",
            Vec::new(),
        )?;
        let is_dark = theme == Theme::Dark;
        anyhow::ensure!(
            told == json!({"dark": is_dark, "light": !is_dark}),
            "{} shows {told}",
            theme.name()
        );
    }
    Ok(())
}

/// `cargo xtask screenshots`: not a check, but what one looks at.
#[test]
#[ignore = "makes pictures to look at; `cargo xtask screenshots` runs it"]
fn pictures_of_every_screen() -> Result<()> {
    let folder =
        PathBuf::from(std::env::var_os("DORMOUSE_SCREENSHOTS").context("DORMOUSE_SCREENSHOTS says where")?);
    std::fs::create_dir_all(&folder)?;
    for theme in Theme::BOTH {
        for size in [WIDE, NARROW] {
            visit(theme, size, |window, screen| {
                window.wait_until_still()?;
                window.wait_for_frames()?;
                let name = format!("{screen}-{}-{}x{}.png", theme.name(), size.0, size.1);
                Ok(std::fs::write(folder.join(name), window.picture()?)?)
            })?;
        }
    }
    Ok(())
}

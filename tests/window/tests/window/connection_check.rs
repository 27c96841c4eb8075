//! "Test my connection", in the connection's panel.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, alice, friends, somebody};
use dormouse_window_tests::wait::LATER;
use dormouse_window_tests::window::Window;
use std::time::Duration;

/// As long as the shortest simulated sleep on offer, and what comes before and after it.
const WHOLE_CHECK: Duration = Duration::from_secs(60);

fn choose(window: &Window<'_>, select: &str, value: u32) -> Result<()> {
    let script = format!("document.querySelector('{select}').value = '{value}'");
    window.script(&script, vec![]).map(|_| ())
}

fn marks(window: &Window<'_>) -> Result<Vec<String>> {
    let script = "return [...document.querySelectorAll('#check-steps li')].map((each) => each.dataset.mark)";
    Ok(serde_json::from_value(window.script(script, vec![])?)?)
}

#[test]
fn the_connection_is_tested_and_a_simulated_sleep_is_recovered_from_before_the_users_eyes() -> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    let mut bob = somebody(&server, BOB)?;
    bob.send(ALICE, "said before")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline", "said before")?;
    window.click("#connection")?;
    window.wait_until_shown("#check-begin")?;
    choose(&window, "#check-sleep", 10)?;
    window.click("#check-begin")?;
    window.wait_for_text_within("[data-step='round-trip'] .found", "of 10", LATER)?;
    window.wait_for_connection("asleep")?;
    window.wait_for_text("#connection-now", "A simulated sleep")?;
    bob.send(ALICE, "said meanwhile")?;
    bob.wait_until_sent(&["said meanwhile".to_owned()], &["sent", "delivered"], LATER)?;
    std::thread::sleep(Duration::from_secs(2));
    let texts = window.texts("#timeline")?.join("\n");
    ensure!(
        !texts.contains("said meanwhile"),
        "it heard something in its sleep"
    );
    window.wait_for_text_within("[data-step='sleep'] .found", "back after", WHOLE_CHECK)?;
    window.wait_for_text("[data-step='sleep'] .found", "with 1 message of others")?;
    window.wait_for_text("#check-verdict", "What was tried works.")?;
    let marks = marks(&window)?;
    ensure!(
        marks.iter().all(|mark| mark == "fine" || mark == "not-needed"),
        "{marks:?}"
    );
    window.wait_for_text("#connection-changes", "The simulated sleep is over.")?;
    window.wait_for_text(
        "#connection-changes",
        "A simulated sleep: Dormouse has cut itself off",
    )?;
    window.wait_until_shown("#check-copy")?;
    window.click("#check-copy")?;
    window.wait_for_text("#check-verdict", "The report is in the clipboard.")?;
    window.click("#connection-close")?;
    window.wait_until_live()?;
    window.wait_for_text("#timeline", "said meanwhile")?;
    Ok(())
}

#[test]
fn a_test_of_the_connection_can_be_stopped_and_its_steps_are_there_when_the_panel_is_opened_again()
-> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.click("#connection")?;
    window.wait_until_shown("#check-begin")?;
    choose(&window, "#check-idle", 300)?;
    window.click("#check-begin")?;
    window.wait_for_text_within("[data-step='round-trip'] .found", "of 10", LATER)?;
    window.click("#check-cancel")?;
    window.wait_for_text("#check-verdict", "The check was ended before it was over.")?;
    window.click("#connection-close")?;
    window.wait_until_gone("#connection-panel")?;
    window.click("#connection")?;
    window.wait_for_text("[data-step='idle'] .found", "Not tried")?;
    window.wait_for_text("[data-step='sign-in'] .found", "Signed in with")?;
    Ok(())
}

//! The connection explains itself: the panel behind the chip.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, alice, alices, friends, somebody};
use dormouse_window_tests::wait::LATER;
use fantoccini::key::Key;

#[test]
fn the_connection_explains_what_it_is_what_happened_to_it_and_how_it_came_back() -> Result<()> {
    let mut server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    window.click("#connection")?;
    window.wait_until_shown("#connection-panel")?;
    window.wait_for_text("#connection-endpoint", &server.ws_endpoint())?;
    window.wait_for_text("#connection-mechanism", "SCRAM-SHA-")?;
    window.wait_for_text("#connection-tls", "does not leave this computer")?;
    window.wait_for_text("#connection-now", "Everything missed has been read.")?;
    window.wait_for_text("#history-legend", "Connected")?;

    // It follows what happens, while it is open.
    server.stop()?;
    window.wait_for_text("#connection-changes li:first-child", "Reconnecting soon")?;
    window.wait_for_text("#connection-changes li:first-child", "Next attempt")?;
    window.press(&[Key::Escape])?;
    window.wait_until_gone("#connection-panel")?;
    server.start()?;
    let mut bob = somebody(&server, BOB)?;
    bob.send(ALICE, "said meanwhile")?;
    bob.wait_until_sent(&["said meanwhile".to_owned()], &["sent", "delivered"], LATER)?;
    if window.shows("#retry-now")? {
        window.click("#retry-now")?;
    }
    window.wait_until_live()?;
    window.click("#connection")?;
    window.wait_for_text("#connection-changes li:first-child", "Back after")?;
    let told = window.texts("#connection-changes li strong")?;
    ensure!(told.first().map(String::as_str) == Some("Connected"), "{told:?}");
    window.wait_for_text("#connection-losses tbody", "1")?;
    window.quit()?;

    // And knows of it after a restart.
    let window = alices(&desktop, &server).open()?;
    window.wait_until_live()?;
    window.click("#connection")?;
    window.wait_for_text("#connection-changes", "Next attempt")?;
    window.wait_for_text("#history-legend", "Not connected")?;
    Ok(())
}

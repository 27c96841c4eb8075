//! Metrics for Prometheus: off until they are switched on, on at the next start too, and never anything private.

use anyhow::{Context, ensure};
use dormouse_window_tests::Result;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, PASSWORD, friends};
use dormouse_window_tests::window::Window;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

fn read(port: u16) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Reads until it has this, which comes soon after the start.
fn read_until(port: u16, part: &str) -> Result<String> {
    let start = Instant::now();
    loop {
        let text = read(port).unwrap_or_default();
        if text.contains(part) {
            return Ok(text);
        }
        ensure!(start.elapsed() < Duration::from_secs(20), "no {part} in {text}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn metrics_are_given_out_once_switched_on_and_at_the_next_start() -> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::builder().keyring().start()?;
    let window = Window::open(&desktop)?;
    window.sign_in(ALICE, PASSWORD, &server.ws_endpoint())?;
    window.wait_until_live()?;
    window.open_conversation(BOB)?;
    window.send("between us")?;
    window.wait_for_delivery("between us", "sent")?;

    let taken = TcpListener::bind("127.0.0.1:0")?;
    let free = TcpListener::bind("127.0.0.1:0")?;
    let port = free.local_addr()?.port();
    drop(free);
    window.click("#account-button")?;
    window.wait_until_shown("#panel-metrics")?;
    window.wait_for_text("#metrics-state", "no names")?;
    // Once the panel has come to rest.
    window.click("#metrics-port")?;
    window.fill("#metrics-port", "80")?;
    window.click("#metrics-on")?;
    window.wait_for_text("#metrics-error", "1024")?;
    window.fill("#metrics-port", &taken.local_addr()?.port().to_string())?;
    window.click("#metrics-on")?;
    window.wait_for_text("#metrics-error", "another port")?;
    window.fill("#metrics-port", &port.to_string())?;
    window.click("#metrics-on")?;
    window.wait_for_text("#metrics-state", &format!("http://127.0.0.1:{port}/metrics"))?;
    window.wait_until_gone("#metrics-error")?;

    let told = read(port)?;
    let live = "dormouse_connection_state{account=\"0\",state=\"live\"} 1";
    ensure!(told.contains(live), "{told}");
    ensure!(
        told.contains("dormouse_messages_total{account=\"0\",direction=\"out\",state=\"sent\"} 1"),
        "{told}"
    );
    for private in [ALICE, BOB, "localhost", "between us"] {
        ensure!(!told.contains(private), "{private} is in the metrics: {told}");
    }
    window.quit()?;
    ensure!(read(port).is_err(), "it listens without a program");

    let window = Window::open(&desktop)?;
    window.wait_until_live()?;
    read_until(port, live)?;
    window.click("#account-button")?;
    window.wait_for_text("#metrics-state", &format!("http://127.0.0.1:{port}/metrics"))?;
    let checked = window.script("return document.querySelector('#metrics-on').checked", Vec::new())?;
    ensure!(checked == true, "it is on and does not look so");
    window.click("#metrics-on")?;
    window.wait_for_text("#metrics-state", "no names")?;
    ensure!(read(port).is_err(), "it still listens");
    let kept = std::fs::read_to_string(desktop.app_home().join("accounts.json")).context("the list")?;
    ensure!(!kept.contains("metrics"), "{kept}");
    Ok(())
}

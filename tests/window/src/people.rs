//! The people of the tests and their server: alice at the window, the others with a `dormouse-cli` each.

use crate::Result;
use crate::desktop::Desktop;
use crate::wait::LATER;
use crate::window::{Window, WindowBuilder};
use dormouse_scenarios::client::Client;
use dormouse_servers::{Prosody, ProsodyBuilder};

/// The account at the window.
pub const ALICE: &str = "alice@localhost";
/// Somebody else.
pub const BOB: &str = "bob@localhost";
/// A third.
pub const CAROL: &str = "carol@localhost";
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

/// A server with alice, bob and carol on it, none of whom knows another.
pub fn strangers() -> ProsodyBuilder {
    Prosody::builder().accounts([("alice", PASSWORD), ("bob", PASSWORD), ("carol", PASSWORD)])
}

/// The same, where alice and bob have each other as contacts.
pub fn friends() -> ProsodyBuilder {
    strangers().shared_contacts([(ALICE, "Alice"), (BOB, "Bob")])
}

/// Somebody of that server with a client of their own, connected.
///
/// # Errors
/// When it can't sign in.
pub fn somebody(server: &Prosody, address: &str) -> Result<Client> {
    let client = Client::builder(address, PASSWORD)
        .endpoint(server.ws_endpoint())
        .no_wake()
        .start()?;
    client.wait_until_live(LATER)?;
    Ok(client)
}

/// The window as alice's, signed in from outside: for tests that are not about signing in.
pub fn alices<'a>(desktop: &'a Desktop, server: &Prosody) -> WindowBuilder<'a> {
    Window::builder(desktop)
        .env("DORMOUSE_ACCOUNT", ALICE)
        .env("DORMOUSE_ENDPOINT", &server.ws_endpoint())
        .env("DORMOUSE_PASSWORD", PASSWORD)
}

/// Alice's window, connected.
///
/// # Errors
/// When it does not get there.
pub fn alice<'a>(desktop: &'a Desktop, server: &Prosody) -> Result<Window<'a>> {
    let window = alices(desktop, server).open()?;
    window.wait_until_live()?;
    Ok(window)
}

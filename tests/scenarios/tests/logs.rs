//! The log is for whoever looks for a fault, and a user can show it to anybody: no bodies, no secrets.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dormouse_scenarios::Result;
use dormouse_scenarios::client::Client;
use dormouse_scenarios::peer::{self, Act, Peer, Shape};
use dormouse_servers::Prosody;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(40);
const ALICE: &str = "alice@localhost";
const BOB: &str = "bob@localhost";
const PASSWORD: &str = "open-sesame-31415";
const TYPED: &str = "typed-secret-27182";
const SAID: &str = "said-secret-16180";

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

fn log(data: &Path) -> Result<String> {
    let mut text = String::new();
    for file in files(&data.join("log"))? {
        text.push_str(&fs::read_to_string(file)?);
    }
    Ok(text)
}

/// Nothing of what must stay secret is in it, in any guise; every line says whose it is.
fn check(log: &str, secrets: &[&str], every_line: bool) -> Result<()> {
    ensure!(log.lines().count() > 5, "there is hardly a log:\n{log}");
    for secret in secrets {
        let guises = [
            (*secret).to_owned(),
            STANDARD.encode(secret),
            STANDARD.encode(format!("\0alice\0{secret}")),
            format!("{:?}", secret.as_bytes()),
        ];
        for guise in guises {
            let line = log.lines().find(|line| line.contains(&guise));
            ensure!(line.is_none(), "“{secret}” is in the log: {line:?}");
        }
    }
    if every_line {
        let lost = log
            .lines()
            .find(|line| !(line.contains("account=") && line.contains("conn=")));
        ensure!(lost.is_none(), "a line without account and connection: {lost:?}");
    }
    Ok(())
}

/// Nobody but the user may look into the data folder.
fn check_modes(data: &Path) -> Result<()> {
    for path in files(data)? {
        let mut closed = fs::metadata(&path)?.permissions().mode() & 0o077 == 0;
        // A folder above it that nobody else may enter closes it as well.
        for folder in path
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(data))
        {
            closed |= fs::metadata(folder)?.permissions().mode() & 0o077 == 0;
        }
        ensure!(closed, "others may read {}", path.display());
    }
    Ok(())
}

fn check_stderr(client: &Client) -> Result<()> {
    let dump = client.dump();
    let complaint = dump.lines().find(|line| line.trim_start().starts_with("stderr:"));
    ensure!(complaint.is_none(), "on standard error: {complaint:?}");
    Ok(())
}

fn passes(result: Result<()>) {
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

/// A chat over a real server with a broken connection in it, and a restart.
fn chat(level: Option<&str>) -> Result<()> {
    let mut server = Prosody::builder()
        .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
        .shared_contacts([(ALICE, "Alice"), (BOB, "Bob")])
        .start()?;
    let endpoint = server.ws_endpoint();
    let outer = tempfile::tempdir()?;
    let data = outer.path().join("not-there-yet");
    let alice = || {
        let builder = Client::builder(ALICE, PASSWORD)
            .endpoint(&endpoint)
            .data_dir(&data)
            .no_wake();
        match level {
            Some(level) => builder.env("DORMOUSE_LOG", level).start(),
            None => builder.start(),
        }
    };
    let mut bob = Client::builder(BOB, PASSWORD)
        .endpoint(&endpoint)
        .no_wake()
        .start()?;
    let mut first = alice()?;
    first.wait_until_live(SOON)?;
    bob.wait_until_live(SOON)?;
    first.send(BOB, TYPED)?;
    bob.send(ALICE, SAID)?;
    first.wait_until_received(&[SAID.to_owned()], SOON)?;
    first.wait_until_sent(&[TYPED.to_owned()], &["delivered"], SOON)?;
    first.send_command(&json!({"command": "nonsense", "body": TYPED}))?;
    check_stderr(&first)?;
    first.terminate()?;
    let second = alice()?;
    second.wait_until_live(SOON)?;
    server.kill();
    second.wait_for("the loss", SOON, |event| event.state() == Some("waiting"))?;
    check_stderr(&second)?;
    second.quit()?;
    check(&log(&data)?, &[PASSWORD, TYPED, SAID], true)?;
    check_modes(&data)
}

#[test]
fn after_a_chat_the_log_holds_no_password_and_no_body_and_says_whose_each_line_is() {
    passes(chat(None));
}

#[test]
fn whatever_is_asked_of_the_log_it_holds_no_password_and_no_body() {
    passes(chat(Some("trace")));
}

#[test]
fn what_can_not_be_read_is_not_quoted_in_the_log() {
    passes((|| {
        let peer = Peer::start()?;
        let client = Client::builder(peer::ACCOUNT, peer::PASSWORD)
            .endpoint(peer.endpoint())
            .no_wake()
            .start()?;
        client.wait_until_live(SOON)?;
        peer.stanza(
            format!("<message xmlns='jabber:client' from='@@/'><body>{SAID}</body></message>"),
            Shape::Whole,
        );
        peer.stanza(
            format!(
                "<message xmlns='jabber:client' from='mallory@evil.example'><received xmlns='urn:xmpp:carbons:2'>\
                 <forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='{}/x' to='{}'>\
                 <body>{SAID}</body></message></forwarded></received></message>",
                peer::CONTACT,
                peer::ACCOUNT
            ),
            Shape::Whole,
        );
        peer.wait("both acknowledged", SOON, |state| {
            (state.told == state.sent()).then_some(())
        })?;
        peer.act(Act::Text(format!("<message><body>{SAID}</message>")));
        client.wait_for("the end", SOON, |event| event.state() == Some("waiting"))?;
        let data = client.data_dir().to_owned();
        check(&log(&data).context("the log")?, &[SAID, peer::PASSWORD], true)?;
        check_stderr(&client)?;
        client.quit()
    })());
}

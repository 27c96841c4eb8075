//! Signing in: each way in which it succeeds, and each in which it must not, with the sentence that is shown.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use dormouse_scenarios::client::{Client, ClientBuilder};
use dormouse_scenarios::event::Mark;
use dormouse_scenarios::network::Network;
use dormouse_scenarios::server::{Make, Person, Plan, SOON, Server, Shared, passes};
use dormouse_scenarios::{Result, program, with_both_servers};
use dormouse_servers::{Authority, Prosody, ScramHash};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

/// Longer than the first wait before another attempt.
const A_WHILE: Duration = Duration::from_secs(4);

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new().unwrap());

/// A server with ws and wss, whose certificate is for `localhost`.
fn server(make: Make) -> Result<Arc<Server>> {
    static PROSODY: Shared = Shared::new();
    static EJABBERD: Shared = Shared::new();
    let plan = Plan::new(make).tls(&AUTHORITY.issue(&["localhost"])?);
    match make {
        Make::Prosody => PROSODY.get(plan),
        Make::Ejabberd => EJABBERD.get(plan),
    }
}

/// A client over wss that trusts our authority.
fn over_wss(server: &Server, person: &Person) -> ClientBuilder {
    server
        .client(person)
        .endpoint(server.wss_endpoint())
        .env("SSL_CERT_FILE", AUTHORITY.file())
}

fn signed_in_with(client: &mut Client, mechanism: &str) -> Result<()> {
    let journal = client.journal()?;
    let line = format!("signing in with {mechanism}");
    ensure!(
        journal.iter().any(|text| text == &line),
        "“{line}” is not in the journal: {journal:#?}"
    );
    Ok(())
}

/// The state `stopped`, with this in its sentence, and nothing tried after it.
fn stops(client: &Client, words: &str) -> Result<()> {
    let stopped = client.wait_for("the state `stopped`", SOON, |event| {
        event.state() == Some("stopped")
    })?;
    let sentence = stopped.text("reason");
    ensure!(sentence.contains(words), "“{sentence}” does not say “{words}”");
    let mark = client.mark();
    thread::sleep(A_WHILE);
    let after: Vec<_> = client
        .since(mark)
        .into_iter()
        .filter(|event| event.state().is_some())
        .collect();
    ensure!(after.is_empty(), "it went on after `stopped`: {after:#?}");
    Ok(())
}

/// It waits for its next attempt, with this in the sentence.
fn waits(client: &Client, words: &str) -> Result<()> {
    let waiting = client.wait_for("the state `waiting`", SOON, |event| {
        event.state() == Some("waiting")
    })?;
    let sentence = waiting.text("reason");
    ensure!(sentence.contains(words), "“{sentence}” does not say “{words}”");
    ensure!(
        waiting.json["retry_in"].as_u64().is_some_and(|ms| ms > 0),
        "until when is not said: {waiting:?}"
    );
    Ok(())
}

/// Whether a file below this folder holds these bytes.
fn is_in_a_file(folder: &Path, secret: &[u8]) -> Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            is_in_a_file(&path, secret)?
        } else {
            std::fs::read(&path)?
                .windows(secret.len())
                .any(|bytes| bytes == secret)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn scram_sha_1_signs_in_and_leaves_the_password_in_no_file(make: Make) -> Result<()> {
    let server = server(make)?;
    let person = server.person("sha1-")?;
    let folder = tempfile::tempdir()?;
    let mut client = server.client(&person).data_dir(folder.path()).start()?;
    client.wait_until_live(SOON)?;
    signed_in_with(&mut client, "SCRAM-SHA-1")?;
    client.quit()?;
    ensure!(
        is_in_a_file(folder.path(), person.address.as_bytes())?,
        "nothing was kept: this proves nothing"
    );
    ensure!(
        !is_in_a_file(folder.path(), person.password.as_bytes())?,
        "the password is in a file"
    );
    Ok(())
}

fn scram_sha_256_signs_in(make: Make) -> Result<()> {
    let server = Plan::new(make).scram(ScramHash::Sha256).start()?;
    let mut client = server.live(&server.person("sha256-")?)?;
    signed_in_with(&mut client, "SCRAM-SHA-256")
}

fn wss_with_a_trusted_certificate_signs_in(make: Make) -> Result<()> {
    let server = server(make)?;
    let mut client = over_wss(&server, &server.person("wss-")?).start()?;
    client.wait_until_live(SOON)?;
    signed_in_with(&mut client, "SCRAM-SHA-1")
}

fn where_only_plain_is_offered_it_is_taken_inside_tls(make: Make) -> Result<()> {
    let server = Plan::new(make)
        .tls(&AUTHORITY.issue(&["localhost"])?)
        .plain_only()
        .start()?;
    let mut client = over_wss(&server, &server.person("plain-")?).start()?;
    client.wait_until_live(SOON)?;
    signed_in_with(&mut client, "PLAIN")
}

fn after_scram_the_password_itself_is_never_sent(make: Make) -> Result<()> {
    let mut server = Plan::new(make).tls(&AUTHORITY.issue(&["localhost"])?).start()?;
    let person = server.person("pinned-")?;
    let folder = tempfile::tempdir()?;
    let client = over_wss(&server, &person).data_dir(folder.path()).start()?;
    client.wait_until_live(SOON)?;
    client.quit()?;
    server.stop()?;
    server.degrade_to_plain();
    server.start()?;
    let mut client = over_wss(&server, &person).data_dir(folder.path()).start()?;
    waits(&client, "could not prove")?;
    let journal = client.journal()?;
    ensure!(
        !journal.iter().any(|line| line.contains("PLAIN")),
        "the password was given away: {journal:#?}"
    );
    Ok(())
}

fn a_wrong_password_stops_with_a_sentence_and_is_not_tried_again(make: Make) -> Result<()> {
    let server = server(make)?;
    let mut person = server.person("wrong-")?;
    let right = std::mem::replace(&mut person.password, "not this one".into());
    let folder = tempfile::tempdir()?;
    let mut client = server.client(&person).data_dir(folder.path()).start()?;
    stops(&client, "refused the password")?;
    let journal = client.journal()?;
    let tries = journal
        .iter()
        .filter(|line| line.starts_with("signing in with"))
        .count();
    ensure!(
        tries == 1,
        "the wrong password was tried {tries} times: {journal:#?}"
    );
    client.quit()?;
    // The right one is all that it takes.
    person.password = right;
    let client = server.client(&person).data_dir(folder.path()).start()?;
    client.wait_until_live(SOON)
}

fn an_account_that_does_not_exist_stops_with_a_sentence(make: Make) -> Result<()> {
    let server = server(make)?;
    let client = server.client(&server.nobody("nobody-here")).start()?;
    stops(&client, "Check the address")
}

fn a_domain_that_the_server_does_not_serve_stops_with_a_sentence(make: Make) -> Result<()> {
    let server = server(make)?;
    let client = Client::builder("alice@elsewhere.example", "secret")
        .endpoint(server.ws_endpoint())
        .no_wake()
        .start()?;
    stops(&client, "There is no server called elsewhere.example")
}

fn an_endpoint_that_is_none_stops_with_a_sentence(make: Make) -> Result<()> {
    let server = server(make)?;
    let elsewhere = server.ws_endpoint().replace("xmpp-websocket", "nothing-here");
    let client = server
        .client(&server.nobody("alice"))
        .endpoint(elsewhere)
        .start()?;
    stops(&client, "This endpoint can't be used")
}

fn a_certificate_that_is_not_trusted_stops_a_new_account_with_a_sentence(make: Make) -> Result<()> {
    let server = server(make)?;
    let person = server.person("untrusting-")?;
    let stranger = Authority::new()?;
    let client = over_wss(&server, &person)
        .env("SSL_CERT_FILE", stranger.file())
        .start()?;
    stops(&client, "nobody this computer trusts has signed it")?;
    // The same certificate under a name that it is not for.
    let by_address = server.wss_endpoint().replace("localhost", "127.0.0.1");
    let client = over_wss(&server, &person).endpoint(by_address).start()?;
    stops(&client, "it belongs to another name")
}

fn a_certificate_that_is_not_trusted_is_waited_out_by_an_account_that_has_worked(make: Make) -> Result<()> {
    let ours = AUTHORITY.issue(&["localhost"])?;
    let mut server = Plan::new(make).tls(&ours).start()?;
    let person = server.person("portal-")?;
    let folder = tempfile::tempdir()?;
    let client = over_wss(&server, &person).data_dir(folder.path()).start()?;
    client.wait_until_live(SOON)?;
    client.quit()?;
    server.stop()?;
    server.set_certificate(&Authority::new()?.issue(&["localhost"])?);
    server.start()?;
    let client = over_wss(&server, &person).data_dir(folder.path()).start()?;
    waits(&client, "This network intercepts the connection")?;
    server.stop()?;
    server.set_certificate(&ours);
    server.start()?;
    client.wait_until_live(SOON * 2)
}

with_both_servers!(
    scram_sha_1_signs_in_and_leaves_the_password_in_no_file,
    scram_sha_256_signs_in,
    wss_with_a_trusted_certificate_signs_in,
    where_only_plain_is_offered_it_is_taken_inside_tls,
    after_scram_the_password_itself_is_never_sent,
    a_wrong_password_stops_with_a_sentence_and_is_not_tried_again,
    an_account_that_does_not_exist_stops_with_a_sentence,
    a_domain_that_the_server_does_not_serve_stops_with_a_sentence,
    an_endpoint_that_is_none_stops_with_a_sentence,
    a_certificate_that_is_not_trusted_stops_a_new_account_with_a_sentence,
    a_certificate_that_is_not_trusted_is_waited_out_by_an_account_that_has_worked,
    an_endpoint_is_found_by_the_domains_own_description,
    a_domain_without_a_web_socket_stops_with_a_sentence,
);

#[test]
fn where_only_tls_unique_can_be_bound_to_the_sign_in_goes_without_and_says_so() {
    passes((|| {
        // TLS 1.2 is where Prosody 0.12 offers -PLUS; its binding, tls-unique, is one we don't use.
        let server = Prosody::builder()
            .tls(&AUTHORITY.issue(&["localhost"])?)
            .tls_1_2_only()
            .account("alice", "secret")
            .start()?;
        let mut client = Client::builder("alice@localhost", "secret")
            .endpoint(server.wss_endpoint_for("localhost"))
            .env("SSL_CERT_FILE", AUTHORITY.file())
            .no_wake()
            .start()?;
        client.wait_until_live(SOON)?;
        signed_in_with(&mut client, "SCRAM-SHA-1")
    })());
}

#[test]
fn an_unencrypted_endpoint_elsewhere_is_refused_before_anything_is_sent() {
    passes((|| {
        let client = Client::builder("alice@example.org", "secret")
            .endpoint("ws://192.0.2.1:5280/xmpp-websocket")
            .no_wake()
            .start()?;
        let refused = client.wait_for("an error", SOON, |event| event.kind() == "error")?;
        let text = refused.text("text");
        ensure!(
            text.contains("only this computer itself"),
            "“{text}” does not say why"
        );
        ensure!(
            client
                .since(Mark::START)
                .iter()
                .all(|event| event.state().is_none()),
            "it tried all the same\n{}",
            client.dump()
        );
        Ok(())
    })());
}

/// A client in a network of its own that discovers its endpoint.
fn discovers(network: &Network, address: &str, password: &str) -> Result<ClientBuilder> {
    Ok(Client::builder(address, password)
        .command(network.command(program::cli()?))
        .env("SSL_CERT_FILE", AUTHORITY.file())
        .no_wake())
}

fn an_endpoint_is_found_by_the_domains_own_description(make: Make) -> Result<()> {
    let Some(network) = Network::unless_skipped(&format!("found-{make:?}"))? else {
        return Ok(());
    };
    let server = Plan::new(make)
        .tls(&AUTHORITY.issue(&["localhost"])?)
        .host_meta("wss://localhost/xmpp-websocket")
        .place(network.place())
        .start()?;
    network.https_is_at(server.wss_port())?;
    let person = server.person("found-")?;
    let client = discovers(&network, &person.address, &person.password)?.start()?;
    client.wait_until_live(SOON)?;
    client.quit()?;
    if let Server::Prosody(prosody) = &server {
        // Each of the two descriptions suffices.
        let files = prosody.folder().join("files/.well-known");
        for (hidden, kept) in [("host-meta", "host-meta.json"), ("host-meta.json", "host-meta")] {
            std::fs::rename(files.join(hidden), files.join("hidden"))?;
            let client = discovers(&network, &person.address, &person.password)?.start()?;
            client
                .wait_until_live(SOON)
                .with_context(|| format!("with {kept} alone"))?;
            std::fs::rename(files.join("hidden"), files.join(hidden))?;
        }
    }
    Ok(())
}

fn a_domain_without_a_web_socket_stops_with_a_sentence(make: Make) -> Result<()> {
    let Some(network) = Network::unless_skipped(&format!("without-{make:?}"))? else {
        return Ok(());
    };
    let server = Plan::new(make)
        .tls(&AUTHORITY.issue(&["localhost"])?)
        .place(network.place())
        .start()?;
    network.https_is_at(server.wss_port())?;
    let client = discovers(&network, "alice@localhost", "secret")?.start()?;
    stops(&client, "localhost offers no connection over WebSocket")
}

#[test]
fn a_domain_that_does_not_exist_stops_with_a_sentence() {
    passes((|| {
        let Some(network) = Network::unless_skipped("nowhere")? else {
            return Ok(());
        };
        let client = discovers(&network, "alice@nowhere.example", "secret")?.start()?;
        stops(&client, "There is no server called nowhere.example")
    })());
}

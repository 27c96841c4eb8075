//! Debian 13's servers as the tests use them: SASL2 with everything inline, seen frame by frame.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Clippy knows only `#[test]` functions for tests.

mod wire;

use dormouse_servers::{Authority, Ejabberd, EjabberdBuilder, Prosody, ProsodyBuilder, Release, Storage};
use std::time::{Duration, Instant};
use wire::sasl2::{BIND, REQUEST_TOKEN, attribute, by_password, by_token, open, resume};
use wire::{assert_is_xmpp_websocket, get, say, say_over_tls, signs_in, upgrade_over_tls};

const SUCCESS: &str = "</success>";
const FAILURE: &str = "</failure>";

fn skipped() -> bool {
    std::env::var("DORMOUSE_SKIP").is_ok_and(|skip| skip.split(',').any(|name| name == "trixie"))
}

fn prosody() -> ProsodyBuilder {
    Prosody::builder()
        .release(Release::Trixie)
        .storage(Storage::Sqlite)
        .without_nagle()
        .account("alice", "a")
}

fn ejabberd() -> EjabberdBuilder {
    Ejabberd::builder().release(Release::Trixie).account("alice", "a")
}

/// What a fresh sign-in with everything inline gave.
struct Session {
    id: String,
    token: String,
}

fn sign_in(port: u16) -> Session {
    let inline = format!("{BIND}{REQUEST_TOKEN}");
    let heard = say(
        port,
        &[&open("alice"), &by_password("alice", "a", &inline)],
        SUCCESS,
    );
    let id = attribute(&heard, "enabled", "id");
    let token = attribute(&heard, "token", "token");
    assert!(heard.contains("<bound "), "{heard}");
    Session {
        id: id.expect(&heard),
        token: token.expect(&heard),
    }
}

/// Asks again until the answer has it: a server notices a moment later that a socket is gone.
fn soon(within: Duration, mut ask: impl FnMut() -> String, wanted: &str) -> String {
    let end = Instant::now() + within;
    loop {
        let heard = ask();
        if heard.contains(wanted) || Instant::now() > end {
            return heard;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What both makes do alike on the wire.
fn has_sasl2_with_everything_inline(port: u16) {
    assert_is_xmpp_websocket(port);
    let features = say(port, &[&open("alice")], "features>");
    for offered in [
        "urn:xmpp:sasl:2",
        "urn:xmpp:bind:0",
        "urn:xmpp:fast:0",
        "HT-SHA-256-NONE",
        "urn:xmpp:sm:3",
    ] {
        assert!(features.contains(offered), "{offered} is not in {features}");
    }
    let first = sign_in(port);

    // In one flight: the stream, the token, the old session.
    let inline = format!("{}{BIND}", resume(&first.id));
    let heard = say(
        port,
        &[&open("alice"), &by_token("alice", &first.token, &inline)],
        SUCCESS,
    );
    assert!(
        heard.contains("<resumed ") && !heard.contains("<bound "),
        "{heard}"
    );

    // The session is gone: the same flight ends with a fresh one.
    let inline = format!("{}{BIND}", resume("no-such-session"));
    let flight = [open("alice"), by_token("alice", &first.token, &inline)];
    let heard = say(port, &[&flight[0], &flight[1]], SUCCESS);
    assert!(
        heard.contains("<failed ") && heard.contains("<bound ") && heard.contains("<enabled "),
        "{heard}"
    );

    let wrong = by_token("alice", "secret-token:no-such-token", BIND);
    let heard = say(port, &[&open("alice"), &wrong], FAILURE);
    assert!(
        heard.contains("not-authorized") && !heard.contains("<success"),
        "{heard}"
    );
    assert!(!signs_in(port, "alice", "wrong") && signs_in(port, "alice", "a"));
}

/// Whether the server takes a token.
fn takes(port: u16, token: &str) -> String {
    say(port, &[&open("alice"), &by_token("alice", token, BIND)], "ss>")
}

#[test]
fn a_prosody_13_signs_in_with_everything_inline_and_a_token_in_one_flight() {
    if skipped() {
        return;
    }
    let prosody = prosody().start().unwrap();
    has_sasl2_with_everything_inline(prosody.ws_port());
    assert!(prosody.folder().join("data/prosody.sqlite").exists());
    let told = prosody.shell("> _G.prosody.version").unwrap();
    assert!(told.contains("13."), "{told}");
}

#[test]
fn a_prosody_13_refuses_a_token_that_has_expired_or_was_given_before_the_password_changed() {
    if skipped() {
        return;
    }
    let mut prosody = prosody().start().unwrap();
    let port = prosody.ws_port();
    let token = sign_in(port).token;
    assert!(takes(port, &token).contains("<success"));
    // A password is as old as its second.
    std::thread::sleep(Duration::from_millis(1_100));
    let changed = prosody
        .shell("user:password(\"alice@localhost\", \"a\")")
        .unwrap();
    let heard = takes(port, &token);
    assert!(heard.contains("credentials-expired"), "{changed} {heard}");

    prosody
        .settings_mut()
        .lua
        .push("sasl2_fast_token_ttl = 2".to_owned());
    prosody.restart().unwrap();
    let token = sign_in(port).token;
    assert!(takes(port, &token).contains("<success"));
    std::thread::sleep(Duration::from_secs(3));
    let heard = takes(port, &token);
    assert!(heard.contains("credentials-expired"), "{heard}");
}

#[test]
fn a_prosody_13_offers_the_same_over_wss_and_keeps_tokens_over_a_kill() {
    if skipped() {
        return;
    }
    let authority = Authority::new().unwrap();
    let certificate = authority.issue(&["localhost", "127.0.0.1"]).unwrap();
    let mut prosody = prosody()
        .tls(&certificate)
        .host_meta("wss://chat.example.org/ws")
        .start()
        .unwrap();
    let answer = get(prosody.ws_port(), "/.well-known/host-meta.json");
    assert!(answer.contains("wss://chat.example.org/ws"), "{answer}");
    let token = sign_in(prosody.ws_port()).token;
    prosody.kill();
    prosody.start().unwrap();
    let flight = [open("alice"), by_token("alice", &token, BIND)];
    let heard = say_over_tls(
        prosody.wss_port(),
        &authority.file(),
        &[&flight[0], &flight[1]],
        SUCCESS,
    );
    assert!(heard.contains("<bound "), "{heard}");
    let stranger = Authority::new().unwrap();
    assert_eq!(upgrade_over_tls(prosody.wss_port(), &stranger.file()), "");
}

#[test]
fn an_ejabberd_24_signs_in_with_everything_inline_and_a_token_in_one_flight() {
    if skipped() {
        return;
    }
    let ejabberd = ejabberd().start().unwrap();
    has_sasl2_with_everything_inline(ejabberd.ws_port());
    let told = ejabberd.api("status", &[]).unwrap();
    assert!(told.contains("24.12"), "{told}");
}

#[test]
fn an_ejabberd_24_refuses_a_token_that_was_taken_back() {
    if skipped() {
        return;
    }
    let ejabberd = ejabberd().start().unwrap();
    let port = ejabberd.ws_port();
    let token = sign_in(port).token;
    assert!(takes(port, &token).contains("<success"));
    let last = by_token("alice", &token, BIND).replace("<fast ", "<fast invalidate='true' ");
    let heard = say(port, &[&open("alice"), &last], SUCCESS);
    assert!(heard.contains("<success"), "{heard}");
    let heard = soon(Duration::from_secs(2), || takes(port, &token), "<failure");
    assert!(heard.contains("<failure"), "{heard}");
}

#[test]
fn an_ejabberd_24_offers_the_same_over_wss_and_is_gone_after_drop() {
    if skipped() {
        return;
    }
    let authority = Authority::new().unwrap();
    let certificate = authority.issue(&["localhost", "127.0.0.1"]).unwrap();
    let mut ejabberd = ejabberd().tls(&certificate).start().unwrap();
    let token = sign_in(ejabberd.ws_port()).token;
    ejabberd.restart().unwrap();
    let flight = [open("alice"), by_token("alice", &token, BIND)];
    let heard = say_over_tls(
        ejabberd.wss_port(),
        &authority.file(),
        &[&flight[0], &flight[1]],
        SUCCESS,
    );
    assert!(heard.contains("<bound "), "{heard}");
    let (process, folder) = (ejabberd.process_id().unwrap(), ejabberd.folder().to_owned());
    assert!(wire::is_alive(process) && folder.exists());
    drop(ejabberd);
    assert!(!wire::is_alive(process) && !folder.exists());
}

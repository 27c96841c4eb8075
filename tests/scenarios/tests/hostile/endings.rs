//! How a server may end a connection, refuse one, or spoil one: what is shown, and when it is tried again.

use crate::case::{Behaviour, Case, LATE, SOON, each};
use anyhow::ensure;
use dormouse_scenarios::Result;
use dormouse_scenarios::peer::{
    Act, CONTACT, Conduct, Peer, Resumption, Shape, Signature, Step, Upgrade, frames,
};
use serde_json::json;
use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, Instant};

/// One way in which a session, or the next attempt, comes to an end.
struct Ending {
    name: &'static str,
    /// What the peer does, the session being live.
    fault: fn(&Peer),
    /// Part of the reason shown.
    reason: &'static str,
    then: Then,
}

/// What follows.
enum Then {
    /// A wait of so many milliseconds.
    Waits(RangeInclusive<u64>),
    /// Another attempt at once.
    Redials,
    /// The user is needed.
    Stops,
}

/// One second, and half of it.
const SOON_AGAIN: Then = Then::Waits(1_000..=1_500);
/// As above, or after the second failure in a row.
const SECOND_TRY: Then = Then::Waits(1_000..=3_000);
/// Thirty seconds, and half of it.
const SLOWLY: Then = Then::Waits(30_000..=45_000);
/// Everybody was turned away at once.
const CROWDED: Then = Then::Waits(10_000..=35_000);
/// Everybody was told at once.
const SCATTERED: Then = Then::Waits(1_000..=16_000);

const STREAMS: &str = "urn:ietf:params:xml:ns:xmpp-streams";

fn stream_error(peer: &Peer, condition: &str) {
    peer.act(Act::Text(format!(
        "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><{condition} xmlns='{STREAMS}'/>\
         <text xmlns='{STREAMS}'>so it is</text></stream:error>"
    )));
    peer.act(Act::Text(
        "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>".into(),
    ));
    peer.act(Act::Close(1000, ""));
}

/// The connection breaks, and the next one finds this.
fn next(peer: &Peer, change: fn(&mut Conduct)) {
    peer.conduct(change);
    peer.act(Act::Eof);
}

fn raw(peer: &Peer, bytes: Vec<u8>) {
    peer.act(Act::Bytes(bytes));
}

macro_rules! ending {
    ($name:literal, $fault:expr, $reason:literal, $then:expr) => {
        Ending {
            name: $name,
            fault: $fault,
            reason: $reason,
            then: $then,
        }
    };
}

fn endings() -> Vec<Ending> {
    vec![
        // WebSocket close codes (RFC 6455 section 7.4).
        ending!("1000", |p| p.act(Act::Close(1000, "")), "(code 1000)", SOON_AGAIN),
        ending!("1001", |p| p.act(Act::Close(1001, "")), "restarting", SCATTERED),
        ending!("1006: EOF", |p| p.act(Act::Eof), "was lost", SOON_AGAIN),
        ending!(
            "1008",
            |p| p.act(Act::Close(1008, "too chatty")),
            "rules: “too chatty”",
            SLOWLY
        ),
        ending!("1009", |p| p.act(Act::Close(1009, "")), "(code 1009)", SLOWLY),
        ending!(
            "1011",
            |p| p.act(Act::Close(1011, "")),
            "WebSocket 1011",
            SOON_AGAIN
        ),
        ending!("1012", |p| p.act(Act::Close(1012, "")), "restarting", SCATTERED),
        ending!("1013", |p| p.act(Act::Close(1013, "")), "slow down", CROWDED),
        ending!(
            "4000",
            |p| p.act(Act::Close(4000, "no")),
            "(code 4000: “no”)",
            SLOWLY
        ),
        // Stream errors (RFC 6120 section 4.9.3).
        ending!(
            "conflict",
            |p| stream_error(p, "conflict"),
            "Another client",
            Then::Redials
        ),
        ending!(
            "policy-violation",
            |p| stream_error(p, "policy-violation"),
            "rules: “so it is”",
            SLOWLY
        ),
        ending!(
            "system-shutdown",
            |p| stream_error(p, "system-shutdown"),
            "restarting",
            SCATTERED
        ),
        ending!(
            "resource-constraint",
            |p| stream_error(p, "resource-constraint"),
            "resource-constraint",
            SLOWLY
        ),
        ending!(
            "see-other-host",
            |p| stream_error(p, "see-other-host"),
            "sent us to",
            SOON_AGAIN
        ),
        ending!(
            "a condition of tomorrow",
            |p| stream_error(p, "too-much-moonlight"),
            "too-much-moonlight",
            SOON_AGAIN
        ),
        ending!(
            "see-other-uri without encryption",
            |p| p.act(Act::Text(
                "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='ws://evil.example/'/>"
                    .into()
            )),
            "unencrypted place",
            SLOWLY
        ),
        // Frames that are none, and elements that are none.
        ending!(
            "a binary frame",
            |p| raw(p, frames::binary("<message/>")),
            "a frame that is none",
            SLOWLY
        ),
        ending!(
            "invalid UTF-8",
            |p| raw(p, frames::text(b"<message>\xff\xfe</message>")),
            "a frame that is none",
            SLOWLY
        ),
        ending!(
            "no frame at all",
            |p| raw(p, b"\x8f\x00HTTP/1.1 500 oh".to_vec()),
            "a frame that is none",
            SLOWLY
        ),
        ending!(
            "a frame of 20 MiB",
            |p| raw(p, frames::announced(20 << 20)),
            "too large",
            SLOWLY
        ),
        ending!(
            "invalid XML",
            |p| raw(p, frames::text("<message><body>hi</message>")),
            "not well-formed",
            SLOWLY
        ),
        ending!(
            "half a stanza",
            |p| raw(p, frames::text("<message")),
            "not well-formed",
            SLOWLY
        ),
        ending!(
            "two roots",
            |p| raw(p, frames::text("<presence/><presence/>")),
            "can't be understood",
            SLOWLY
        ),
        ending!(
            "an undeclared namespace",
            |p| raw(p, frames::text("<x:message/>")),
            "namespace",
            SLOWLY
        ),
        ending!(
            "an entity bomb",
            |p| raw(
                p,
                frames::text(
                    "<!DOCTYPE m [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]><message>&c;</message>"
                )
            ),
            "not well-formed",
            SLOWLY
        ),
        ending!(
            "a bottomless element",
            |p| raw(p, frames::text(format!("<x xmlns='y'>{}", "<x>".repeat(50_000)))),
            "nested too deeply",
            SLOWLY
        ),
        // HTTP instead of an upgrade, from a server that has worked.
        ending!(
            "503",
            |p| next(p, |c| c.upgrade = Upgrade::Status(503, None)),
            "HTTP 503",
            SECOND_TRY
        ),
        ending!(
            "404",
            |p| next(p, |c| c.upgrade = Upgrade::Status(404, None)),
            "HTTP 404",
            SLOWLY
        ),
        ending!(
            "429",
            |p| next(p, |c| c.upgrade = Upgrade::Status(429, None)),
            "slow down",
            CROWDED
        ),
        ending!(
            "no HTTP",
            |p| next(p, |c| c.upgrade = Upgrade::NotHttp),
            "no WebSocket",
            SLOWLY
        ),
        // Silence, at each step. Every step has its own deadline.
        ending!(
            "a silent upgrade",
            |p| next(p, |c| c.upgrade = Upgrade::Silent),
            "did not open the connection in time",
            SECOND_TRY
        ),
        ending!(
            "a silent opening",
            |p| next(p, |c| c.silent_at = Some(Step::Open)),
            "did not answer in time",
            SECOND_TRY
        ),
        ending!(
            "a silent sign-in",
            |p| next(p, |c| c.silent_at = Some(Step::SignIn)),
            "did not answer in time",
            SECOND_TRY
        ),
        ending!(
            "a silent resumption",
            |p| next(p, |c| c.silent_at = Some(Step::Bind)),
            "did not answer in time",
            SECOND_TRY
        ),
        // Sign-in by somebody who does not know the password, or wants to know it.
        ending!(
            "a wrong signature",
            |p| next(p, |c| c.signature = Signature::Wrong),
            "could not prove",
            SLOWLY
        ),
        ending!(
            "no signature",
            |p| next(p, |c| c.signature = Signature::None),
            "could not prove",
            SLOWLY
        ),
        ending!(
            "too many iterations",
            |p| next(p, |c| c.iterations = 2_000_000_000),
            "could not prove",
            SLOWLY
        ),
        ending!(
            "too few iterations",
            |p| next(p, |c| c.iterations = 1),
            "could not prove",
            SLOWLY
        ),
        ending!(
            "only PLAIN after SCRAM",
            |p| next(p, |c| c.mechanisms = vec!["PLAIN"]),
            "could not prove",
            SLOWLY
        ),
        ending!(
            "no mechanism after SCRAM",
            |p| next(p, |c| c.mechanisms = vec![]),
            "could not prove",
            SLOWLY
        ),
        ending!(
            "temporary-auth-failure",
            |p| next(p, |c| c.refusal = Some("temporary-auth-failure")),
            "temporary-auth-failure",
            SECOND_TRY
        ),
        ending!(
            "account-disabled",
            |p| next(p, |c| c.refusal = Some("account-disabled")),
            "disabled",
            Then::Stops
        ),
        ending!(
            "not-authorized",
            |p| next(p, |c| c.refusal = Some("not-authorized")),
            "refused the password",
            Then::Stops
        ),
        // Counts that can't be right (XEP-0198 section 4).
        ending!(
            "h too high",
            |p| p.act(Act::Text("<a xmlns='urn:xmpp:sm:3' h='4000000'/>".into())),
            "confirms more",
            Then::Redials
        ),
        ending!(
            "resumed, h too high",
            |p| next(p, |c| c.resumption = Resumption::Count(Some("4000000"))),
            "confirms more",
            Then::Redials
        ),
        ending!(
            "resumed, h no number",
            |p| next(p, |c| c.resumption = Resumption::Count(Some("many"))),
            "confirms more",
            Then::Redials
        ),
        ending!(
            "resumed, no h",
            |p| next(p, |c| c.resumption = Resumption::Count(None)),
            "confirms more",
            Then::Redials
        ),
        ending!(
            "resumption ends the connection",
            |p| next(p, |c| c.resumption = Resumption::Eof),
            "was lost",
            SECOND_TRY
        ),
        ending!(
            "resumption answered with nonsense",
            |p| next(p, |c| c.resumption = Resumption::Nonsense),
            "did not answer in time",
            SECOND_TRY
        ),
    ]
}

fn comes_to(ending: &Ending) -> Result<()> {
    let mut case = Case::live()?;
    let mark = case.client.mark();
    let dials = case.peer.seen(|state| state.dials.len());
    (ending.fault)(&case.peer);
    let state = match ending.then {
        Then::Waits(_) => "waiting",
        Then::Redials => "connecting",
        Then::Stops => "stopped",
    };
    let shown = case.client.wait_for_since(
        mark,
        &format!("`{state}` because “{}”", ending.reason),
        LATE,
        |event| event.state() == Some(state) && event.text("reason").contains(ending.reason),
    )?;
    if let Then::Waits(range) = &ending.then {
        let wait = shown.json["retry_in"].as_u64().unwrap_or_default();
        // What is left of a wait when it is told is a little less than the wait.
        ensure!(
            (range.start().saturating_sub(200)..=*range.end()).contains(&wait),
            "the wait is {wait} ms\n{}",
            case.client.dump()
        );
        let before = case.peer.seen(|state| state.dials.len());
        thread::sleep(Duration::from_millis(500));
        let after = case.peer.seen(|state| state.dials.len());
        ensure!(before == after, "it did not wait");
    }
    // Typed in hard times.
    case.client.send(CONTACT, "typed meanwhile")?;
    case.peer.says("said meanwhile");
    let plain = case
        .peer
        .seen(|state| state.sign_ins.iter().any(|mechanism| mechanism == "PLAIN"));
    ensure!(!plain, "the password was given away");
    case.peer.mend();
    if !matches!(ending.then, Then::Redials) {
        case.client.send_command(&json!({"command": "retry-now"}))?;
    }
    case.client
        .wait_until_received(&["said meanwhile".into()], LATE)?;
    case.client
        .wait_until_sent(&["typed meanwhile".into()], &["sent"], LATE)?;
    let tried = case.peer.seen(|state| state.dials.len()) - dials;
    ensure!(tried <= 6, "it dialled {tried} times");
    case.recovers()
}

#[test]
fn every_way_to_end_a_connection_has_its_reason_its_wait_and_loses_nothing() {
    each(&endings(), |ending| ending.name.to_owned(), comes_to);
}

/// What a server may say to an account that has never signed in: a person has typed something wrong.
#[test]
fn what_looks_like_a_typing_mistake_stops_an_account_that_has_never_worked() {
    let table: [(&str, Behaviour, &str); 4] = [
        (
            "404",
            |c| c.upgrade = Upgrade::Status(404, None),
            "This endpoint can't be used",
        ),
        (
            "no HTTP",
            |c| c.upgrade = Upgrade::NotHttp,
            "This endpoint can't be used",
        ),
        (
            "not-authorized",
            |c| c.refusal = Some("not-authorized"),
            "refused the password",
        ),
        (
            "no mechanism",
            |c| c.mechanisms = vec!["X-MADE-UP"],
            "no safe way to sign in",
        ),
    ];
    each(
        &table,
        |row| row.0.to_owned(),
        |(_, change, reason)| {
            let case = Case::fresh(|peer| peer.conduct(change))?;
            case.shows("stopped", reason)?;
            thread::sleep(Duration::from_secs(2));
            let dials = case.peer.seen(|state| state.dials.len());
            ensure!(dials == 1, "it dialled {dials} times");
            case.recovers()
        },
    );
}

#[test]
fn a_server_that_hangs_in_the_tls_handshake_is_given_up_in_time() {
    let result = (|| {
        let peer = Peer::start()?;
        peer.conduct(|conduct| conduct.upgrade = Upgrade::Silent);
        let endpoint = peer.tls_endpoint();
        let case = Case::at(peer, endpoint)?;
        let start = Instant::now();
        case.shows("waiting", "did not finish the encryption handshake in time")?;
        let took = start.elapsed();
        ensure!(took > Duration::from_secs(8), "given up after only {took:?}");
        case.client.quit()
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

#[test]
fn retry_after_is_obeyed_whatever_else_happens_but_the_users_own_wish() {
    let table = [(429_u16, "slow down"), (503, "HTTP 503")];
    each(
        &table,
        |row| row.0.to_string(),
        |(status, reason)| {
            let mut case = Case::live()?;
            let status = *status;
            case.peer
                .conduct(|conduct| conduct.upgrade = Upgrade::Status(status, Some("4")));
            case.peer.act(Act::Eof);
            let shown = case.shows("waiting", reason)?;
            let refused = case
                .peer
                .seen(|state| state.dials.last().copied())
                .unwrap_or_else(Instant::now);
            case.peer.mend();
            let wait = shown.json["retry_in"].as_u64().unwrap_or_default();
            ensure!((3_800..=6_000).contains(&wait), "the wait is {wait} ms");
            for _ in 0..4 {
                case.client.send_command(&json!({"command": "visible"}))?;
                case.client
                    .send_command(&json!({"command": "network", "up": true}))?;
                case.client
                    .send_command(&json!({"command": "resume", "slept_ms": 60_000}))?;
                thread::sleep(Duration::from_millis(300));
            }
            case.client.wait_until_live(SOON)?;
            let next = case
                .peer
                .seen(|state| state.dials.iter().copied().find(|dial| *dial > refused));
            let waited = next.map(|next| next.duration_since(refused)).unwrap_or_default();
            ensure!(
                waited >= Duration::from_secs(4),
                "it dialled after {waited:?}\n{}",
                case.client.dump()
            );
            case.recovers()
        },
    );
}

#[test]
fn a_conflict_that_repeats_within_a_minute_stops() {
    let result = (|| {
        let case = Case::live()?;
        stream_error(&case.peer, "conflict");
        case.shows("connecting", "Another client")?;
        case.client.wait_until_live(SOON)?;
        stream_error(&case.peer, "conflict");
        case.shows("stopped", "Another client")?;
        case.recovers()
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

/// A stanza that was written but not acknowledged before a spoilt frame came is not lost with it.
#[test]
fn what_came_before_a_spoilt_frame_is_kept_and_what_was_behind_it_is_read_back() {
    let result = (|| {
        let case = Case::live()?;
        case.peer.says("said before");
        case.peer.act(Act::Bytes(frames::text("<message")));
        case.peer.says_in("said behind", Shape::Whole);
        case.shows("waiting", "not well-formed")?;
        case.recovers()
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

//! Prosody as the tests use it.

mod wire;

use dormouse_servers::{Authority, Prosody, ScramHash, Storage};
use wire::{assert_is_xmpp_websocket, get, is_alive, mechanisms, say, signs_in, upgrade, upgrade_over_tls};

#[test]
fn a_prosody_answers_restarts_with_its_accounts_and_is_gone_after_drop() {
    let mut prosody = Prosody::builder().account("alice", "al ice\"\\").start().unwrap();
    let (port, folder) = (prosody.ws_port(), prosody.folder().to_owned());
    assert_is_xmpp_websocket(port);
    assert!(signs_in(port, "alice", "al ice\"\\"));
    assert!(!signs_in(port, "alice", "wrong"));
    prosody.restart().unwrap();
    assert_eq!(prosody.ws_port(), port);
    assert!(signs_in(port, "alice", "al ice\"\\"));
    prosody.kill();
    assert!(upgrade(port).is_none());
    prosody.start().unwrap();
    prosody.register("bob", "b").unwrap();
    assert!(signs_in(port, "bob", "b"));
    assert!(signs_in(port, "alice", "al ice\"\\"));
    let process = prosody.process_id().unwrap();
    assert!(is_alive(process));
    drop(prosody);
    assert!(!is_alive(process));
    assert!(upgrade(port).is_none());
    assert!(!folder.exists());
}

#[test]
fn a_prosody_on_sqlite_keeps_accounts_over_a_stop() {
    let mut prosody = Prosody::builder()
        .storage(Storage::Sqlite)
        .account("alice", "a")
        .start()
        .unwrap();
    prosody.stop().unwrap();
    assert!(upgrade(prosody.ws_port()).is_none());
    prosody.start().unwrap();
    assert!(signs_in(prosody.ws_port(), "alice", "a"));
    assert!(prosody.folder().join("data/prosody.sqlite").exists());
}

#[test]
fn a_prosody_serves_wss_with_our_certificate_only_to_who_trusts_it() {
    let authority = Authority::new().unwrap();
    let certificate = authority.issue(&["localhost", "127.0.0.1"]).unwrap();
    let prosody = Prosody::builder().tls(&certificate).start().unwrap();
    assert_eq!(
        upgrade_over_tls(prosody.wss_port(), &authority.file()),
        "HTTP/1.1 101"
    );
    let stranger = Authority::new().unwrap();
    assert_eq!(upgrade_over_tls(prosody.wss_port(), &stranger.file()), "");
}

#[test]
fn a_prosody_offers_the_mechanisms_that_were_chosen() {
    let mut prosody = Prosody::builder().scram_hash(ScramHash::Sha256).start().unwrap();
    let offered = mechanisms(prosody.ws_port());
    assert!(
        offered.contains("SCRAM-SHA-256") && !offered.contains("SCRAM-SHA-1<"),
        "{offered}"
    );
    let settings = prosody.settings_mut();
    settings.without_mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]
        .map(str::to_owned)
        .to_vec();
    prosody.restart().unwrap();
    let offered = mechanisms(prosody.ws_port());
    assert!(
        offered.contains("PLAIN") && !offered.contains("SCRAM"),
        "{offered}"
    );
}

#[test]
fn a_prosody_has_archive_and_stream_management_unless_told_otherwise() {
    let features = |prosody: &Prosody| {
        let plain = wire::base64(b"\0alice\0a");
        let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
        let bind = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
        let disco = "<iq xmlns='jabber:client' type='get' id='d' to='alice@localhost'>\
                     <query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
        say(
            prosody.ws_port(),
            &[wire::OPEN, &auth, wire::OPEN, bind, disco],
            "http://jabber.org/protocol/disco#info'>",
        ) + &say(
            prosody.ws_port(),
            &[wire::OPEN, &auth, wire::OPEN, bind, disco],
            "</query>",
        )
    };
    let mut prosody = Prosody::builder().account("alice", "a").start().unwrap();
    let with = features(&prosody);
    assert!(
        with.contains("urn:xmpp:mam:2") && with.contains("urn:xmpp:sm:3"),
        "{with}"
    );
    prosody.settings_mut().archive = false;
    prosody.settings_mut().stream_management = false;
    prosody.restart().unwrap();
    let without = features(&prosody);
    assert!(
        !without.contains("urn:xmpp:mam:2") && !without.contains("urn:xmpp:sm:3"),
        "{without}"
    );
}

#[test]
fn shared_contacts_are_in_the_roster_both_ways() {
    let prosody = Prosody::builder()
        .account("alice", "a")
        .account("bob", "b")
        .shared_contacts([("alice@localhost", "Alice"), ("bob@localhost", "Bob")])
        .start()
        .unwrap();
    let plain = wire::base64(b"\0alice\0a");
    let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
    let bind =
        "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    let roster = "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>";
    let heard = say(
        prosody.ws_port(),
        &[wire::OPEN, &auth, wire::OPEN, bind, roster],
        "</query>",
    );
    assert!(
        heard.contains("bob@localhost") && heard.contains("subscription='both'"),
        "{heard}"
    );
}

#[test]
fn host_meta_names_the_endpoint_it_was_told() {
    let prosody = Prosody::builder()
        .host_meta("wss://chat.example.org/ws")
        .start()
        .unwrap();
    for path in ["/.well-known/host-meta", "/.well-known/host-meta.json"] {
        let answer = get(prosody.ws_port(), path);
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("wss://chat.example.org/ws"),
            "{answer}"
        );
    }
    assert_is_xmpp_websocket(prosody.ws_port());
}

#[test]
fn a_command_of_the_shell_is_answered() {
    let prosody = Prosody::builder().account("alice", "a").start().unwrap();
    let answer = prosody.shell("user:list(\"localhost\")").unwrap();
    assert!(answer.contains("alice"), "{answer}");
    assert!(prosody.shell("no such thing").is_err());
}

#[test]
fn a_prosody_that_cannot_start_says_why_with_its_log() {
    let error = Prosody::builder().lua("this is not Lua").start().unwrap_err();
    assert!(error.to_string().contains("prosody.cfg.lua"), "{error}");
}

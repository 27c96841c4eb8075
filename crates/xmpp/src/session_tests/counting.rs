//! What is counted, answered and blamed, and on which stream.

use super::*;

fn too_large() -> String {
    let body = "x".repeat(1 << 20);
    format!("<message xmlns='jabber:client'><body>{body}</body></message>")
}

fn asks(number: usize) -> String {
    format!(
        "<iq xmlns='jabber:client' type='get' id='q{number}' from='eve@e.example/x'><ping xmlns='urn:xmpp:ping'/></iq>"
    )
}

/// Signed in, and nothing is bound yet.
fn signed_in() -> Script {
    let mut script = Script::new();
    script.sign_in();
    script
}

#[test]
fn before_there_is_a_session_a_stanza_that_cannot_be_looked_into_ends_the_stream() {
    let mut script = signed_in();
    script.give(&too_large());
    assert!(matches!(refused(&script), Some(Cause::ProtocolViolation(_))));
    assert!(
        !script
            .events
            .iter()
            .any(|event| matches!(event, Event::Unreadable(_)))
    );
}

#[test]
fn before_there_is_a_session_nobody_is_answered() {
    let mut script = signed_in();
    script.give(&asks(1));
    assert!(!script.frames.iter().any(|frame| frame.contains("q1")));
}

#[test]
fn a_stanza_that_is_left_unread_is_counted_and_said_on_the_present_connection_only() {
    let mut script = Script::ready();
    let earlier = ConnId(0);
    for (conn, handled) in [(earlier, 5), (script.conn, 6)] {
        let out = script.session.skip(conn);
        assert!(
            matches!(&out[..], [Output::Event(Event::Unreadable(_))]),
            "{out:?}"
        );
        script.commit();
        let told = script.session.acknowledge();
        script.frames.clear();
        script.take(told);
        assert_eq!(script.expect("a").attr("h"), Some(handled.to_string().as_str()));
    }
}

#[test]
fn what_is_left_unread_before_the_session_is_resumed_is_not_counted_in_it() {
    let mut script = Script::ready();
    script.closed(&Closing::Eof);
    script.frames.clear();
    script.begin(&tls(None), PASSWORD);
    let conn = script.conn;
    script.session.skip(conn);
    script.commit();
    script.sign_in_from_open();
    script.give(OFFER);
    assert_eq!(script.expect("resume").attr("h"), Some("5"));
}

#[test]
fn who_asks_without_end_before_stanzas_are_counted_is_no_longer_answered_either() {
    let mut script = signed_in();
    script.give(OFFER);
    script.bind();
    script.expect("enable");
    let kept = script.disk.clone();
    let conn = script.conn;
    let mut answered = 0;
    for number in 0..5_100 {
        let mut draft = Draft::over(&kept);
        let out = script
            .session
            .frame(script.now, conn, &asks(number), &mut draft)
            .unwrap();
        let is_answer =
            |output: &&Output| matches!(output, Output::Frame(_, text) if text.starts_with("<iq"));
        answered += out.iter().filter(is_answer).count();
    }
    assert!((4_900..=5_000).contains(&answered), "{answered}");
}

#[test]
fn how_the_stream_was_signed_in_is_known_once_stanzas_flow() {
    let as_known = |resumed| SignedIn {
        mechanism: "SCRAM-SHA-256",
        resumed,
    };
    assert_eq!(signed_in().session.sign_in(), None);
    let mut script = Script::ready();
    assert_eq!(script.session.sign_in(), Some(as_known(false)));
    script.closed(&Closing::Eof);
    assert_eq!(script.session.sign_in(), None);
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='6'/>");
    assert_eq!(script.session.sign_in(), Some(as_known(true)));
}

#[test]
fn a_stream_that_we_have_closed_has_its_verdict_already_when_its_socket_closes() {
    let mut script = Script::ready();
    let out = script.session.close();
    script.take(out);
    script.expect("presence");
    script.expect("close");
    assert_eq!(script.closed(&Closing::Eof), None);
}

#[test]
fn what_has_no_place_in_a_session_is_left_aside_and_said() {
    let mut script = Script::ready();
    script.events.clear();
    script.give("<odd xmlns='urn:example:odd'/>");
    assert!(matches!(&script.events[..], [Event::Journal(why)] if why.contains("ignored")));
    script.expect_nothing();
}

#[test]
fn a_server_that_insists_on_the_older_request_for_a_session_gets_it() {
    for (optional, asked) in [("", true), ("<optional/>", false)] {
        let mut script = signed_in();
        let older = format!("<session xmlns='urn:ietf:params:xml:ns:xmpp-session'>{optional}</session>");
        script.give(&OFFER.replace("<csi", &format!("{older}<csi")));
        script.bind();
        let asks = |frame: &String| frame.contains("<session");
        assert_eq!(script.frames.iter().any(asks), asked);
    }
}

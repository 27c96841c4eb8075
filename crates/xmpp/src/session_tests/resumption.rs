use super::*;
use crate::session::ending::ANSWERED;
use dormouse_model::{ChatState, StanzaId};

impl Script {
    /// A new connection, signed in up to the point where `<resume/>` is due.
    fn resume(&mut self) -> Element {
        self.frames.clear();
        self.events.clear();
        self.sign_in();
        self.give(OFFER);
        self.expect("resume")
    }
}

fn bound(acked: &[u64], doubtful: &[u64]) -> Event {
    Event::Bound {
        conn: ConnId(2),
        acked: ids(acked),
        doubtful: ids(doubtful),
        resumable: true,
    }
}

/// A session with three messages sent and one of them confirmed.
fn three_sent() -> Script {
    let mut script = Script::ready();
    for number in 1..=3 {
        script.text(number);
    }
    script.give("<a xmlns='urn:xmpp:sm:3' h='7'/>");
    script
}

#[test]
fn a_resumption_sends_the_rest_again_in_order() {
    let mut script = three_sent();
    assert_eq!(
        script.closed(&Closing::Eof).map(|verdict| verdict.action),
        Some(Action::Retry)
    );
    let resume = script.resume();
    assert_eq!(resume.attr("previd"), Some("sm-1"));
    assert_eq!(resume.attr("h"), Some("5"));
    assert!(!script.session.is_ready());
    script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='8'/>");
    assert_eq!(
        script.reports(),
        [&Event::Resumed {
            conn: ConnId(2),
            acked: ids(&[2]),
        }]
    );
    assert!(
        script
            .events
            .iter()
            .any(|event| matches!(event, Event::Features(_)))
    );
    assert!(script.session.is_ready());
    script.expect("r");
    script.expect_nothing();
    script.give("<a xmlns='urn:xmpp:sm:3' h='8'/>");
    script.expect("active");
    let third = script.frames[0].clone();
    assert_eq!(script.expect("message").attr("id"), Some("o-3"));
    script.expect("r");
    script.expect_nothing();
    assert!(script.events.contains(&Event::SentAgain {
        conn: ConnId(2),
        bytes: third.len(),
    }));
    script.give("<a xmlns='urn:xmpp:sm:3' h='9'/>");
    script.expect_nothing();
    assert!(script.events.contains(&Event::Acked {
        conn: ConnId(2),
        messages: ids(&[3]),
        all: true
    }));
}

#[test]
fn a_session_goes_on_in_another_process() {
    let mut script = three_sent().restart();
    let resume = script.resume();
    assert_eq!(
        (resume.attr("previd"), resume.attr("h")),
        (Some("sm-1"), Some("5"))
    );
    script.resumed(11);
    assert_eq!(
        script.reports(),
        [&Event::Resumed {
            conn: ConnId(2),
            acked: ids(&[2, 3]),
        }]
    );
    assert!(
        script.session.is_ready(),
        "a count beyond what the disk knows is adopted"
    );
    script.expect("active");
    script.expect_nothing();
    script.text(4);
    script.give("<a xmlns='urn:xmpp:sm:3' h='12'/>");
    assert!(script.events.contains(&Event::Acked {
        conn: ConnId(2),
        messages: ids(&[4]),
        all: true
    }));
}

#[test]
fn answers_that_died_with_the_process_are_asked_for_again() {
    let mut script = Script::new();
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.give(ENABLED);
    let mut script = script.restart();
    script.resume();
    script.resumed(6);
    script.expect("active");
    let asked: Vec<Element> = (0..4).map(|_| script.expect("iq")).collect();
    assert!(asked.iter().any(|iq| iq.has_child("query", "jabber:iq:roster")));
    assert!(
        asked
            .iter()
            .any(|iq| iq.has_child("query", "http://jabber.org/protocol/disco#info"))
    );
}

#[test]
fn a_lost_session_is_bound_afresh_and_says_what_it_knew() {
    for (failed, acked, doubtful) in [
        ("<failed xmlns='urn:xmpp:sm:3' h='8'/>", vec![2], vec![3]),
        (
            "<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
            vec![],
            vec![2, 3],
        ),
        ("<failed xmlns='urn:xmpp:sm:3' h='90'/>", vec![], vec![2, 3]),
    ] {
        let mut script = three_sent();
        script.closed(&Closing::Eof);
        script.resume();
        script.give(failed);
        script.bind();
        script.expect("enable");
        script.frames.clear();
        script.give(ENABLED);
        assert_eq!(script.reports(), [&bound(&acked, &doubtful)], "{failed}");
        let left = script
            .disk
            .keys()
            .filter(|key| key.first() == Some(&b'u'))
            .count();
        assert_eq!(left, 6, "only the six stanzas behind <enable/> are unconfirmed");
    }
}

#[test]
fn evidence_given_once_survives_the_process() {
    let mut script = three_sent();
    script.closed(&Closing::Eof);
    script.resume();
    script.give("<failed xmlns='urn:xmpp:sm:3' h='8'/>");
    let mut script = script.restart();
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.give(ENABLED);
    let Some(Event::Bound { acked, doubtful, .. }) = script.reports().first().copied() else {
        panic!("no session")
    };
    assert_eq!((acked, doubtful), (&ids(&[2]), &ids(&[3])));
}

#[test]
fn nothing_is_bound_before_the_resumption_is_refused() {
    let mut script = three_sent();
    script.closed(&Closing::Eof);
    script.resume();
    script.expect_nothing();
    script.give("<message xmlns='jabber:client' from='bob@b.example/x'><body>early</body></message>");
    script.expect_nothing();
    assert!(
        !script
            .events
            .iter()
            .any(|event| matches!(event, Event::Message(_)))
    );
}

#[test]
fn a_count_that_is_too_high_ends_the_session_on_a_resumption_and_later() {
    let mut script = three_sent();
    script.closed(&Closing::Eof);
    script.resume();
    script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='10'/>");
    assert_eq!(script.last_verdict().unwrap().action, Action::RetryPlainly);
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.give(ENABLED);
    let report = script.reports().pop().cloned();
    assert_eq!(
        report,
        Some(Event::Bound {
            conn: ConnId(3),
            acked: vec![],
            doubtful: ids(&[2, 3]),
            resumable: true
        })
    );
    script.give("<a xmlns='urn:xmpp:sm:3' h='7'/>");
    assert_eq!(script.last_verdict().unwrap().action, Action::RetryPlainly);
    assert!(script.hung_up);
}

#[test]
fn any_error_after_a_resumption_was_asked_for_discards_the_session() {
    let after = |end: &dyn Fn(&mut Script)| {
        let mut script = three_sent();
        script.closed(&Closing::Eof);
        script.resume();
        end(&mut script);
        script.frames.clear();
        script.sign_in();
        script.give(OFFER);
        script.frames.pop_front().unwrap()
    };
    let error =
        "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    let close = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";
    for answer in [error, close, "<broken"] {
        assert!(
            after(&|script| script.give(answer)).starts_with("<iq"),
            "{answer}"
        );
    }
    assert!(after(&|script| drop(script.closed(&Closing::Eof))).starts_with("<iq"));
    let broken = Closing::Broken("reset".into());
    assert!(
        after(&|script| drop(script.closed(&broken))).starts_with("<resume"),
        "a broken connection may never have carried the question"
    );
}

#[test]
fn an_attempt_that_breaks_without_a_word_is_not_made_for_ever() {
    let mut script = three_sent();
    let broken = Closing::Broken("reset".into());
    script.closed(&broken);
    script.resume();
    script.closed(&broken);
    script.resume();
    script.closed(&broken);
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.expect("iq");
}

#[test]
fn the_frames_of_an_earlier_connection_are_ignored() {
    let mut script = three_sent();
    let old = script.conn;
    script.resume();
    let before = script.events.len();
    for late in [
        "<message xmlns='jabber:client' from='bob@b.example/x'><body>late</body></message>",
        "<a xmlns='urn:xmpp:sm:3' h='9'/>",
        "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        "<broken",
    ] {
        script.give_on(old, late);
    }
    assert_eq!(script.session.closed(Now::default(), old, &Closing::Eof), None);
    assert_eq!(script.events.len(), before);
    script.resumed(7);
    script.expect("active");
    assert_eq!(script.expect("message").attr("id"), Some("o-2"));
    assert_eq!(script.expect("message").attr("id"), Some("o-3"));
}

#[test]
fn nothing_is_acknowledged_before_it_is_on_disk() {
    let mut script = Script::ready();
    script.fast_disk = false;
    let message = "<message xmlns='jabber:client' from='bob@b.example/x' id='1'><body>hi</body></message>";
    script.give(message);
    script.give("<r xmlns='urn:xmpp:sm:3'/>");
    assert_eq!(script.expect("a").attr("h"), Some("5"));
    script.durable();
    assert_eq!(script.expect("a").attr("h"), Some("6"));
    script.expect_nothing();
    script.give(message);
    script.closed(&Closing::Eof);
    assert_eq!(
        script.resume().attr("h"),
        Some("6"),
        "the second one is not on disk"
    );
}

#[test]
fn before_sleep_what_is_on_disk_is_told() {
    let mut script = Script::ready();
    let out = script.session.acknowledge();
    script.take(out);
    assert_eq!(script.expect("a").attr("h"), Some("5"));
}

#[test]
fn poison_is_counted_reported_and_acknowledged() {
    let mut script = Script::ready();
    let deep = format!(
        "<message xmlns='jabber:client'>{}{}</message>",
        "<a>".repeat(80),
        "</a>".repeat(80)
    );
    script.give(&deep);
    assert_eq!(script.expect("a").attr("h"), Some("6"));
    script.give("<message xmlns='jabber:client' from='@@'><body>x</body></message>");
    assert_eq!(script.expect("a").attr("h"), Some("7"));
    let large = format!(
        "<message xmlns='jabber:client'><body>{}</body></message>",
        "x".repeat(1 << 20)
    );
    script.give(&large);
    assert_eq!(script.expect("a").attr("h"), Some("8"));
    let unreadable = script
        .events
        .iter()
        .filter(|event| matches!(event, Event::Unreadable(_)))
        .count();
    assert_eq!(unreadable, 3);
}

#[test]
fn a_stolen_session_is_not_resumed_and_not_bound_under_the_same_name() {
    let mut script = three_sent();
    let resource = script.session.pins.resource.clone();
    script.give("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    assert_eq!(
        script.last_verdict(),
        Some(&Verdict::new(Action::NewResource, Cause::Conflict))
    );
    assert_ne!(script.session.pins.resource, resource);
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.expect("iq");
}

#[test]
fn a_server_that_restarts_may_still_know_the_session() {
    for condition in [
        "system-shutdown",
        "reset",
        "internal-server-error",
        "connection-timeout",
    ] {
        let mut script = three_sent();
        script.give(&format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        ));
        assert!(script.hung_up);
        script.resume();
    }
}

#[test]
fn what_the_server_cannot_read_is_not_sent_again_by_resumption() {
    for condition in ["not-well-formed", "policy-violation", "unsupported-stanza-type"] {
        let mut script = three_sent();
        script.give(&format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        ));
        script.frames.clear();
        script.sign_in();
        script.give(OFFER);
        script.expect("iq");
    }
}

#[test]
fn a_resumed_session_that_cannot_be_read_is_replaced_at_once_and_a_fresh_one_slowly() {
    let error = "<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    let mut script = three_sent();
    script.closed(&Closing::Eof);
    script.resume();
    script.give("<resumed xmlns='urn:xmpp:sm:3' previd='some-long-sm-id' h='1'/>");
    script.give(error);
    let action = |script: &Script| script.last_verdict().map(|verdict| verdict.action);
    assert_eq!(action(&script), Some(Action::RetryPlainly));
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.give(error);
    assert_eq!(action(&script), Some(Action::RetrySlowly));
}

#[test]
fn a_closed_stream_ends_the_session() {
    let mut script = three_sent();
    script.frames.clear();
    let out = script.session.close();
    script.take(out);
    script.commit();
    script.expect("presence");
    script.expect("close");
    script.give("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert!(script.hung_up);
    assert!(script.last_verdict().is_none());
    let mut script = script.restart();
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.give(ENABLED);
    assert_eq!(script.reports(), [&bound(&[], &[2, 3])]);
}

#[test]
fn sign_in_costs_its_slow_part_once() {
    let mut script = Script::ready();
    assert!(script.session.stretched.is_some());
    script.closed(&Closing::Eof);
    script.session.settings.max_iterations = 4096;
    script.resume();
}

#[test]
fn a_connection_that_is_lost_after_a_resumption_is_no_resumption_that_broke() {
    let mut script = three_sent();
    for _ in 0..4 {
        script.closed(&Closing::Broken("reset".into()));
        script.resume();
        script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='9'/>");
        assert!(script.session.is_ready());
    }
}

#[test]
fn an_error_before_the_session_was_asked_for_costs_it_nothing() {
    let mut script = three_sent();
    script.closed(&Closing::Broken("reset".into()));
    script.begin(&tls(None), PASSWORD);
    script
        .give("<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    assert_eq!(script.resume().attr("previd"), Some("sm-1"));
}

#[test]
fn nothing_that_counts_is_said_on_a_resumed_connection_before_the_server_has_answered_there() {
    let mut script = three_sent();
    script.closed(&Closing::Eof);
    script.resume();
    script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='7'/>");
    script.expect("r");
    assert!(script.session.is_ready() && !script.session.is_heard());
    script.text(4);
    let mut out = script.session.ping(dormouse_model::ProbeId(1));
    out.extend(script.session.active(false));
    script.take(out);
    script.give(
        "<iq xmlns='jabber:client' type='get' id='p' from='home.example'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    script.give("<r xmlns='urn:xmpp:sm:3'/>");
    // What does not count is answered: it says what arrived.
    script.frames.retain(|frame| !frame.starts_with("<r "));
    assert_eq!(script.expect("a").attr("h"), Some("6"));
    script.expect("a");
    script.expect_nothing();
    script.give("<a xmlns='urn:xmpp:sm:3' h='8'/>");
    assert!(script.session.is_heard());
    script.expect("inactive");
    assert_eq!(
        script.expect("message").attr("id"),
        Some("o-3"),
        "the second arrived in the end on the old connection"
    );
    assert_eq!(script.expect("message").attr("id"), Some("o-4"));
    assert_eq!(script.expect("iq").attr("type"), Some("get"));
    assert_eq!(script.expect("iq").attr("type"), Some("result"));
    script.expect("r");
    script.expect_nothing();
    script.text(5);
    script.expect("message");
}

#[test]
fn a_session_that_is_resumed_and_then_deaf_is_given_up_and_what_it_held_is_doubtful() {
    let resumed = || {
        let mut script = three_sent();
        script.closed(&Closing::Broken("reset".into()));
        script.resume();
        script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='7'/>");
        script.frames.clear();
        script
    };
    let binds = |mut script: Script, why: &str| {
        script.frames.clear();
        script.sign_in();
        script.give(OFFER);
        script.bind();
        script.give(ENABLED);
        let report = script.reports().pop().cloned();
        assert!(
            matches!(&report, Some(Event::Bound { doubtful, .. }) if *doubtful == ids(&[2, 3])),
            "{why}: {report:?}"
        );
    };
    binds(resumed(), "another connection was ready first");
    let mut script = resumed();
    script.now.tick = script.now.tick + ANSWERED;
    script.closed(&Closing::Broken("given up".into()));
    binds(script, "no answer for long");

    let mut script = resumed();
    script.give("<a xmlns='urn:xmpp:sm:3' h='7'/>");
    script.now.tick = script.now.tick + ANSWERED;
    script.closed(&Closing::Broken("given up".into()));
    assert_eq!(script.resume().attr("previd"), Some("sm-1"), "it heard us");
}

#[test]
fn a_resumption_that_another_connection_overtakes_unanswered_is_one_that_broke() {
    let mut script = three_sent();
    script.closed(&Closing::Broken("reset".into()));
    for _ in 0..2 {
        assert_eq!(script.resume().attr("previd"), Some("sm-1"));
        script.frames.clear();
    }
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.give(ENABLED);
    let report = script.reports().pop();
    assert!(
        matches!(report, Some(Event::Bound { doubtful, .. }) if *doubtful == ids(&[2, 3])),
        "{report:?}"
    );
}

impl Script {
    /// Tells that a message has arrived here.
    fn receipt(&mut self, of: &str) {
        let message = Outgoing::Receipt {
            to: BareJid::new("bob@b.example").unwrap(),
            of: StanzaId(of.to_owned()),
        };
        self.says(|session, draft| session.send(&message, None, draft));
    }

    fn courtesies_again(&mut self) {
        self.says(Session::send_courtesies_again);
    }

    /// The server does not know the session any more, and the connection ends.
    fn loses_its_session(&mut self) {
        self.closed(&Closing::Eof);
        self.resume();
        self.give("<failed xmlns='urn:xmpp:sm:3'/>");
        self.closed(&Closing::Eof);
        self.frames.clear();
    }

    /// A new session on a new connection.
    fn anew(&mut self) {
        self.sign_in();
        self.give(OFFER);
        self.bind();
        self.give(ENABLED);
        self.give("<a xmlns='urn:xmpp:sm:3' h='6'/>");
        self.frames.clear();
    }
}

#[test]
fn a_receipt_that_a_lost_session_never_confirmed_is_sent_again_on_the_next_and_then_no_more() {
    let lost = || {
        let mut script = Script::ready();
        script.receipt("m-1");
        script.give("<a xmlns='urn:xmpp:sm:3' h='7'/>");
        script.receipt("m-2");
        script.loses_its_session();
        script
    };
    for (mut script, why) in [(lost(), "one process"), (lost().restart(), "two")] {
        script.courtesies_again();
        script.anew();
        script.courtesies_again();
        let receipt = script.expect("message");
        let received = receipt.get_child("received", "urn:xmpp:receipts").unwrap();
        assert_eq!(received.attr("id"), Some("m-2"), "{why}");
        script.courtesies_again();
        script.expect_nothing();
        let mut next = script.restart();
        next.resume();
        next.resumed(7);
        next.frames.clear();
        next.courtesies_again();
        next.expect_nothing();
    }
}

#[test]
fn what_a_contact_is_told_to_be_typing_is_not_said_again_on_another_session() {
    let mut script = Script::ready();
    let typing = Outgoing::ChatState {
        to: BareJid::new("bob@b.example").unwrap(),
        state: ChatState::Composing,
    };
    script.says(|session, draft| session.send(&typing, None, draft));
    script.loses_its_session();
    script.anew();
    script.courtesies_again();
    script.expect_nothing();
}

#[test]
fn no_more_receipts_than_a_thousand_are_sent_again() {
    let mut script = Script::ready();
    for number in 0..1100 {
        script.receipt(&format!("m-{number}"));
    }
    script.loses_its_session();
    script.anew();
    script.courtesies_again();
    let receipts = script.frames.iter().filter(|frame| frame.contains("<received"));
    let receipts: Vec<&String> = receipts.collect();
    assert_eq!(receipts.len(), 1000);
    assert!(
        receipts.last().is_some_and(|last| last.contains("m-1099")),
        "the newest"
    );
}

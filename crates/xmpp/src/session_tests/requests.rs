use super::*;
use dormouse_model::{ArchiveQuery, PageWanted, ProbeId, QueryId, Via};

#[test]
fn a_ping_is_answered_and_so_is_what_we_do_not_know() {
    let mut script = Script::ready();
    script.give(
        "<iq xmlns='jabber:client' type='get' id='p' from='home.example'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    let pong = script.expect("iq");
    assert_eq!(
        (pong.attr("type"), pong.attr("id"), pong.attr("to")),
        (Some("result"), Some("p"), Some("home.example"))
    );
    script.frames.clear();
    for (kind, payload) in [
        ("get", "<query xmlns='jabber:iq:version'/>"),
        ("set", "<odd xmlns='urn:odd'/>"),
    ] {
        script.give(&format!(
            "<iq xmlns='jabber:client' type='{kind}' id='q' from='eve@e.example/x'>{payload}</iq>"
        ));
        let answer = script.expect("iq");
        assert_eq!(answer.attr("type"), Some("error"));
        assert_eq!(answer.attr("to"), Some("eve@e.example/x"));
        assert!(String::from(&answer).contains("service-unavailable"));
        script.frames.clear();
    }
}

#[test]
fn a_probe_is_answered_by_a_result_or_an_error_on_its_own_connection() {
    let mut script = Script::ready();
    for (number, kind) in [(1, "result"), (2, "error")] {
        let out = script.session.ping(ProbeId(number));
        script.take(out);
        let ping = script.expect("iq");
        let id = ping.attr("id").unwrap();
        script.give(&format!(
            "<iq xmlns='jabber:client' type='{kind}' id='{id}' from='home.example'/>"
        ));
        script.frames.clear();
        assert!(script.events.contains(&Event::Pong {
            conn: ConnId(1),
            probe: ProbeId(number)
        }));
    }
    let out = script.session.ping(ProbeId(3));
    script.take(out);
    let ping = script.expect("iq");
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='8'/>");
    script.answer(&ping, "");
    let third = Event::Pong {
        conn: ConnId(2),
        probe: ProbeId(3),
    };
    assert!(
        !script.events.contains(&third),
        "it says nothing of either connection"
    );
}

#[test]
fn roster_pushes_are_believed_from_the_own_account_only() {
    let mut script = Script::ready();
    let push = |from: &str| {
        format!(
            "<iq xmlns='jabber:client' type='set' id='1' {from}><query xmlns='jabber:iq:roster'><item jid='bob@b.example' subscription='remove'/></query></iq>"
        )
    };
    for forger in [
        "from='mallory@evil.example'",
        "from='home.example'",
        "from='me@home.example/other'",
    ] {
        script.events.clear();
        script.give(&push(forger));
        assert!(
            matches!(script.events.first(), Some(Event::Refused(_))),
            "{forger}"
        );
        assert_eq!(script.expect("iq").attr("type"), Some("error"));
        script.frames.clear();
    }
    script.give(&push("from='me@home.example'"));
    assert!(
        script
            .events
            .contains(&Event::RosterRemoved(BareJid::new("bob@b.example").unwrap()))
    );
    assert_eq!(script.expect("iq").attr("type"), Some("result"));
}

#[test]
fn carbons_and_archive_results_are_believed_from_the_own_account_only() {
    let inner = "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='bob@b.example/x' to='me@home.example/y' type='chat'><body>hi</body></message></forwarded>";
    let mut script = Script::ready();
    for (from, fine) in [
        ("me@home.example", true),
        ("mallory@evil.example", false),
        ("me@home.example/y", false),
    ] {
        script.events.clear();
        script.give(&format!("<message xmlns='jabber:client' from='{from}'><received xmlns='urn:xmpp:carbons:2'>{inner}</received></message>"));
        match script.events.first() {
            Some(Event::Message(arrival)) => assert!(fine && arrival.via == Via::Carbon),
            Some(Event::Refused(_)) => assert!(!fine),
            other => panic!("{other:?}"),
        }
    }
    script.events.clear();
    script.give(&format!("<message xmlns='jabber:client'><result xmlns='urn:xmpp:mam:2' id='a' queryid='guessed'>{inner}</result></message>"));
    assert!(matches!(script.events.first(), Some(Event::Refused(_))));
}

fn query(number: u64) -> ArchiveQuery {
    ArchiveQuery {
        id: QueryId(number),
        with: None,
        page: PageWanted::Newest,
        since: None,
        max: 50,
    }
}

impl Script {
    /// A session that ended before anything that it began with was answered, about to be resumed; what was asked.
    fn broken_off_before_any_answer() -> (Self, Vec<Element>) {
        let mut script = Script::new();
        script.sign_in();
        script.give(OFFER);
        script.bind();
        script.give(ENABLED);
        let first = script.asked();
        script.closed(&Closing::Eof);
        script.sign_in();
        script.give(OFFER);
        script.expect("resume");
        (script, first)
    }

    /// The requests among what we have sent since.
    fn asked(&mut self) -> Vec<Element> {
        let sent = self
            .frames
            .drain(..)
            .filter_map(|text| text.parse::<Element>().ok());
        sent.filter(|element| element.name() == "iq").collect()
    }

    fn query(&mut self, number: u64) -> Element {
        let out = {
            let disk = self.disk.clone();
            let mut draft = Draft::over(&disk);
            self.session.ask(&query(number), &mut draft)
        };
        self.take(out);
        self.commit();
        self.expect("iq")
    }
}

#[test]
fn a_page_is_its_results_and_its_end() {
    let mut script = Script::ready();
    let iq = script.query(1);
    let name = iq.children().next().unwrap().attr("queryid").unwrap().to_owned();
    script.give(&format!(
        "<message xmlns='jabber:client' from='me@home.example'><result xmlns='urn:xmpp:mam:2' id='a-1' queryid='{name}'><forwarded xmlns='urn:xmpp:forward:0'>\
         <delay xmlns='urn:xmpp:delay' stamp='2024-11-22T10:00:00Z'/><message xmlns='jabber:client' from='bob@b.example/x' to='me@home.example' type='chat'><body>hi</body></message></forwarded></result></message>"
    ));
    script.answer(&iq, "<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><first>a-1</first><last>a-1</last></set></fin>");
    let Some(Event::Page(page)) = script.events.last() else {
        panic!("no page")
    };
    assert_eq!(
        (page.query, page.items.len(), page.complete),
        (QueryId(1), 1, true)
    );
    assert!(
        !script
            .events
            .iter()
            .any(|event| matches!(event, Event::Message(_)))
    );
}

#[test]
fn a_request_survives_a_resumption_and_not_the_session() {
    let mut script = Script::ready();
    let iq = script.query(1);
    script.closed(&Closing::Eof);
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.expect("resume");
    script.resumed(6);
    script.expect("active");
    assert_eq!(script.expect("iq").attr("id"), iq.attr("id"));
    script.answer(&iq, "<fin xmlns='urn:xmpp:mam:2' complete='true'/>");
    assert!(script.events.iter().any(|event| matches!(event, Event::Page(_))));

    script.frames.clear();
    script.query(2);
    script.closed(&Closing::Eof);
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.give("<failed xmlns='urn:xmpp:sm:3'/>");
    let lost = Event::ArchiveFailed {
        query: QueryId(2),
        failure: ArchiveFailure::SessionLost,
    };
    assert!(script.events.contains(&lost));
}

#[test]
fn what_the_server_has_heard_and_not_answered_when_a_session_is_resumed_is_asked_again() {
    let (mut script, first) = Script::broken_off_before_any_answer();
    assert_eq!(first.len(), 5, "carbons, roster, account, server, archive");
    // ejabberd drops an answer that comes between the connections; a presence is among the six.
    script.resumed(6);
    let again = script.asked();
    let lacks: Vec<&Element> = first
        .iter()
        .filter(|iq| !again.iter().any(|other| same_question(iq, other)))
        .collect();
    assert!(
        matches!(lacks.as_slice(), [iq] if iq.has_child("enable", "urn:xmpp:carbons:2")),
        "what the server was told needs no answer, what it was asked does: {lacks:?}"
    );
    for iq in &again {
        let payload = iq.children().next().unwrap();
        let answer = format!("<{} xmlns='{}'/>", payload.name(), payload.ns());
        script.answer(iq, &answer);
    }
    let features = |script: &Script| {
        let events = script.events.iter();
        events.filter(|event| matches!(event, Event::Features(_))).count()
    };
    assert_eq!(features(&script), 1);
    assert!(
        script
            .events
            .iter()
            .any(|event| matches!(event, Event::Roster { .. }))
    );
    script.answer(&first[1], "");
    assert!(
        !script
            .events
            .iter()
            .any(|event| matches!(event, Event::Refused(_))),
        "an answer that was only late is not called a forgery"
    );
}

#[test]
fn what_is_sent_again_with_a_resumption_is_not_asked_twice() {
    let (mut script, first) = Script::broken_off_before_any_answer();
    script.resumed(0);
    let again = script.asked();
    assert_eq!(first, again);
}

/// Whether both ask the same of the same.
fn same_question(one: &Element, other: &Element) -> bool {
    one.attr("to") == other.attr("to") && one.children().eq(other.children())
}

#[test]
fn what_the_server_can_do_is_told_once_all_is_known() {
    let mut script = Script::ready();
    let features = script
        .events
        .iter()
        .filter(|event| matches!(event, Event::Features(_)))
        .count();
    assert_eq!(features, 1);
    script.events.clear();
    let out = script.session.active(false);
    script.take(out);
    script.expect("inactive");
    let out = script.session.active(false);
    script.take(out);
    script.expect_nothing();
}

#[test]
fn a_subscription_request_is_an_event() {
    let mut script = Script::ready();
    script.give("<presence xmlns='jabber:client' type='subscribe' from='bob@b.example'/>");
    assert!(
        script
            .events
            .contains(&Event::SubscriptionAsked(BareJid::new("bob@b.example").unwrap()))
    );
}

fn bare(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

impl Script {
    /// A fresh session with a server that announces these features.
    fn ready_with(features: &str) -> Self {
        let mut script = Self::new();
        script.sign_in();
        script.give(OFFER);
        script.bind();
        script.give(ENABLED);
        let frames = std::mem::take(&mut script.frames);
        for text in frames {
            let request: Element = text.parse().unwrap();
            let payload = request.children().next();
            let Some(payload) = payload.filter(|_| request.name() == "iq") else {
                continue;
            };
            let inner = if payload.ns() == "http://jabber.org/protocol/disco#info" {
                features
            } else {
                ""
            };
            let (name, ns) = (payload.name(), payload.ns());
            script.answer(&request, &format!("<{name} xmlns='{ns}'>{inner}</{name}>"));
        }
        script
    }

    fn asks_for_the_block_list(&self) -> Option<Element> {
        let asked = self.frames.iter().find(|text| text.contains("<blocklist"));
        asked.map(|text| text.parse().unwrap())
    }
}

const BLOCKS: &str = "<feature var='urn:xmpp:blocking'/>";

#[test]
fn whom_the_server_blocks_is_asked_once_per_session_and_only_where_it_can() {
    let script = Script::ready_with("");
    assert_eq!(script.session.can_block(), Some(false));
    assert!(script.asks_for_the_block_list().is_none());

    let mut script = Script::ready_with(BLOCKS);
    assert_eq!(script.session.can_block(), Some(true));
    let asked = script.asks_for_the_block_list().unwrap();
    script.answer(
        &asked,
        "<blocklist xmlns='urn:xmpp:blocking'><item jid='mal@m.example'/></blocklist>",
    );
    assert!(script.events.contains(&Event::Blocked {
        addresses: vec![bare("mal@m.example")],
        whole: true
    }));
    script.commit();
    let mut again = script.restart();
    again.sign_in();
    again.give(OFFER);
    again.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='9'/>");
    assert!(
        again.asks_for_the_block_list().is_none(),
        "the session knows it, and is told of changes"
    );
}

#[test]
fn the_block_list_is_changed_by_the_own_account_or_its_server_only() {
    let mut script = Script::ready();
    let push = |from: &str, what: &str| {
        format!(
            "<iq xmlns='jabber:client' type='set' id='1' {from}><{what} xmlns='urn:xmpp:blocking'><item jid='bob@b.example'/></{what}></iq>"
        )
    };
    for what in ["block", "unblock"] {
        for forger in [
            "from='mallory@evil.example'",
            "from='evil.example'",
            "from='bob@b.example/x'",
            "from='me@home.example/other'",
        ] {
            script.events.clear();
            script.frames.clear();
            script.give(&push(forger, what));
            assert!(
                matches!(&script.events[..], [Event::Refused(_)]),
                "{what} {forger}: {:?}",
                script.events
            );
            assert_eq!(script.expect("iq").attr("type"), Some("error"));
        }
    }
    for fine in ["", "from='me@home.example'", "from='home.example'"] {
        script.events.clear();
        script.frames.clear();
        script.give(&push(fine, "block"));
        script.give(&push(fine, "unblock"));
        let addresses = vec![bare("bob@b.example")];
        let told = [
            Event::Blocked {
                addresses: addresses.clone(),
                whole: false,
            },
            Event::Unblocked(Some(addresses)),
        ];
        assert_eq!(script.events, told, "{fine}");
        assert_eq!(script.expect("iq").attr("type"), Some("result"));
    }
}

#[test]
fn a_refusal_to_block_is_told() {
    let mut script = Script::ready();
    let out = script.session.block(&bare("mal@m.example"));
    script.take(out);
    let request = script.expect("iq");
    assert!(String::from(&request).contains("mal@m.example"));
    let id = request.attr("id").unwrap();
    script.give(&format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    assert!(
        script
            .events
            .contains(&Event::BlockingRefused("forbidden".to_owned()))
    );
}

#[test]
fn a_request_that_is_taken_back_is_an_event() {
    let mut script = Script::ready();
    script.give("<presence xmlns='jabber:client' type='unsubscribe' from='bob@b.example'/>");
    let gone = Event::SubscriptionWithdrawn(bare("bob@b.example"));
    assert!(script.events.contains(&gone));
}

#[test]
fn who_asks_without_end_and_confirms_nothing_is_no_longer_answered_and_nothing_of_the_users_is_lost() {
    let mut script = Script::ready();
    script.fast_disk = false;
    let ask = |number: usize| {
        format!(
            "<iq xmlns='jabber:client' type='get' id='q{number}' from='eve@e.example/x'><ping xmlns='urn:xmpp:ping'/></iq>"
        )
    };
    let conn = script.conn;
    let kept = script.disk.clone();
    let mut answered = 0;
    for number in 0..7_000 {
        // One draft for all, that the test is quick.
        let mut draft = Draft::over(&kept);
        let out = script
            .session
            .frame(Now::default(), conn, &ask(number), &mut draft)
            .unwrap();
        answered += out
            .iter()
            .filter(|output| matches!(output, Output::Frame(_, text) if text.starts_with("<iq")))
            .count();
    }
    assert!((4_900..=5_000).contains(&answered), "{answered}");
    let out = {
        let mut draft = Draft::over(&kept);
        script
            .session
            .frame(Now::default(), conn, &ask(0), &mut draft)
            .unwrap()
    };
    assert!(
        matches!(out.as_slice(), [Output::Event(Event::Journal(why))] if why.contains("not answered")),
        "{out:?}"
    );
    let mut draft = Draft::over(&kept);
    let message = Outgoing::Receipt {
        to: BareJid::new("bob@b.example").unwrap(),
        of: "m".into(),
    };
    let out = script.session.send(&message, Some(MessageId(1)), &mut draft);
    assert!(matches!(out.first(), Some(Output::Frame(..))));
    assert!(
        script.session.held().contains(&MessageId(1)),
        "what the user sends goes out"
    );
    // Once the server has confirmed them, it is answered again.
    script.fast_disk = true;
    let count = script.session.managed.as_ref().unwrap().queue().count();
    script.give(&format!("<a xmlns='urn:xmpp:sm:3' h='{count}'/>"));
    script.frames.clear();
    script.give(&ask(1));
    assert_eq!(script.expect("iq").attr("type"), Some("result"));
}

#[test]
fn a_request_that_could_only_be_answered_with_kilobytes_of_its_own_is_not() {
    let mut script = Script::ready();
    let endless = "x".repeat(100_000);
    for attributes in [
        format!("id='{endless}'"),
        format!("id='q' from='{endless}'"),
        "id='q' from='@'".to_owned(),
        String::new(),
    ] {
        script.events.clear();
        script.give(&format!(
            "<iq xmlns='jabber:client' type='get' {attributes}><ping xmlns='urn:xmpp:ping'/></iq>"
        ));
        assert!(
            matches!(script.events.as_slice(), [Event::Unreadable(_)]),
            "{:?}",
            script.events
        );
        assert!(script.frames.iter().all(|frame| frame.len() < 200));
    }
}

#[test]
fn a_session_that_does_not_appear_takes_nothing_that_is_meant_for_another() {
    let mut script = Script::new();
    script.session.settings.appears = false;
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.expect("enable");
    script.give(ENABLED);
    let sent: Vec<String> = script.frames.drain(..).collect();
    for frame in &sent {
        assert!(
            !frame.contains("<presence") && !frame.contains("carbons") && !frame.contains("roster"),
            "{frame}"
        );
    }
    assert!(script.session.is_ready());
    assert!(
        sent.iter().any(|frame| frame.contains("disco#info")),
        "what the server can do is asked all the same: {sent:?}"
    );
}

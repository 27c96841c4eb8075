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
    script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='6'/>");
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

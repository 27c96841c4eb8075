//! Archives as Prosody and ejabberd answer, and as liars do.

use super::*;
use dormouse_model::PageWanted;
use proptest::prelude::*;

const ME: &str = "me@home.example";

fn own() -> BareJid {
    BareJid::new(ME).unwrap()
}

fn query(id: u64, page: PageWanted) -> ArchiveQuery {
    ArchiveQuery {
        id: QueryId(id),
        with: None,
        page,
        since: None,
        max: 3,
    }
}

fn collector() -> Collector {
    Collector::new(&mut Random::from_seed([3; 32]))
}

/// Asks, and says under which name.
fn ask(collector: &mut Collector, id: u64) -> String {
    let element = collector.ask(&query(id, PageWanted::Newest));
    element.attr("queryid").unwrap().to_owned()
}

fn result(from: &str, name: &str, id: &str, forwarded: &str) -> Element {
    format!(
        "<message xmlns='jabber:client' {from} to='me@home.example/here'>\
         <result xmlns='urn:xmpp:mam:2' queryid='{name}' id='{id}'>{forwarded}</result></message>"
    )
    .parse()
    .unwrap()
}

fn forwarded(stamp: &str, body: &str) -> String {
    format!(
        "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>\
         <message xmlns='jabber:client' from='bob@b.example/home' to='me@home.example' type='chat' id='m'>\
         <body>{body}</body></message></forwarded>"
    )
}

fn fin(attributes: &str, set: &str) -> Element {
    format!(
        "<iq xmlns='jabber:client' type='result' id='q' to='me@home.example/here'>\
         <fin xmlns='urn:xmpp:mam:2' {attributes}><set xmlns='http://jabber.org/protocol/rsm'>{set}</set></fin></iq>"
    )
    .parse()
    .unwrap()
}

fn page(answer: Option<Result<ArchivePage, ArchiveFailure>>) -> ArchivePage {
    answer.unwrap().unwrap()
}

#[test]
fn a_question_bears_its_filters_and_its_page() {
    let mut collector = collector();
    let element = collector.ask(&ArchiveQuery {
        id: QueryId(7),
        with: Some(BareJid::new("bob@b.example").unwrap()),
        page: PageWanted::Before("a-9".into()),
        since: Some(Stamp(1_732_269_600_999)),
        max: 50,
    });
    let name = element.attr("queryid").unwrap();
    assert_eq!(
        String::from(&element).replace('"', "'"),
        format!(
            "<query xmlns='urn:xmpp:mam:2' queryid='{name}'><x xmlns='jabber:x:data' type='submit'>\
             <field type='hidden' var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>\
             <field var='with'><value>bob@b.example</value></field>\
             <field var='start'><value>2024-11-22T10:00:00Z</value></field></x>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>50</max><before>a-9</before></set></query>"
        )
    );
}

#[test]
fn a_page_of_prosody_is_put_together_in_order() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    for (id, stamp) in [("a", "2024-11-22T10:00:00Z"), ("b", "2024-11-22T10:00:00Z")] {
        let taken = collector.result(&result("", &name, id, &forwarded(stamp, id)), &own());
        assert_eq!(taken, Some(Ok(QueryId(1))));
    }
    // Prosody leaves `complete` out when it is false.
    let page = page(collector.finish(
        QueryId(1),
        &fin("", "<first>a</first><last>b</last><count>9</count>"),
    ));
    assert!(!page.complete && page.stable);
    assert_eq!(page.query, QueryId(1));
    let ids: Vec<_> = page.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(page.items[0].stamp, Stamp(1_732_269_600_000));
    let message = page.items[0].message.as_ref().unwrap();
    assert_eq!(message.archive, Some(ArchiveId::from("a")));
    assert_eq!(message.stamp, Some(Stamp(1_732_269_600_000)));
    assert_eq!(message.payload, Payload::Text("a".to_owned()));
    assert!(!message.resent);
}

#[test]
fn a_page_of_ejabberd_says_its_flags_and_stamps_microseconds() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    let from = format!("from='{ME}'");
    let item = result(
        &from,
        &name,
        "1732269600123456",
        &forwarded("2024-11-22T10:00:00.123456Z", "x"),
    );
    assert_eq!(collector.result(&item, &own()), Some(Ok(QueryId(1))));
    let answer = collector.finish(
        QueryId(1),
        &fin("complete='true' stable='false'", "<count>1</count>"),
    );
    let page = page(answer);
    assert!(page.complete && !page.stable);
    assert_eq!(page.items[0].stamp, Stamp(1_732_269_600_123));
}

#[test]
fn flags_are_read_as_xml_schema_writes_them() {
    for (attributes, complete, stable) in [
        ("complete='1' stable='0'", true, false),
        ("complete='false' stable='true'", false, true),
        ("complete='perhaps' stable='perhaps'", false, true),
    ] {
        let mut collector = collector();
        ask(&mut collector, 1);
        let page = page(collector.finish(QueryId(1), &fin(attributes, "")));
        assert_eq!((page.complete, page.stable), (complete, stable), "{attributes}");
    }
}

#[test]
fn items_that_are_removed_or_cannot_be_read_still_count() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    let delay = "<delay xmlns='urn:xmpp:delay' stamp='2024-11-22T10:00:05Z'/>";
    let envelope = |inner: &str| format!("<forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded>");
    let items = [
        ("a", envelope(delay)),
        (
            "b",
            envelope(&format!(
                "{delay}<message xmlns='jabber:client' from='@@'><body>x</body></message>"
            )),
        ),
        ("c", String::new()),
        (
            "d",
            envelope(&format!(
                "{delay}<message xmlns='jabber:client' from='bob@b.example' to='{ME}' id='m-1' type='chat'>\
                 <retracted xmlns='urn:xmpp:message-retract:1' stamp='2024-11-22T11:00:00Z' id='r-1'/></message>"
            )),
        ),
    ];
    for (id, inner) in &items {
        let taken = collector.result(&result("", &name, id, inner), &own());
        assert_eq!(taken, Some(Ok(QueryId(1))));
    }
    let page = page(collector.finish(QueryId(1), &fin("", "<first>a</first><last>d</last>")));
    let ids: Vec<_> = page.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    assert!(page.items[..3].iter().all(|item| item.message.is_none()));
    // The time of what has none is that of its neighbour.
    assert!(
        page.items
            .iter()
            .all(|item| item.stamp == Stamp(1_732_269_605_000))
    );
    let tombstone = page.items[3].message.as_ref().unwrap();
    assert_eq!(tombstone.payload, Payload::Retract("m-1".into()));
}

#[test]
fn an_item_before_all_times_takes_the_next_one() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    collector.result(&result("", &name, "a", ""), &own());
    collector.result(
        &result("", &name, "b", &forwarded("2024-11-22T10:00:00Z", "x")),
        &own(),
    );
    let answer = page(collector.finish(QueryId(1), &fin("", "")));
    assert_eq!(answer.items[0].stamp, Stamp(1_732_269_600_000));
    let name = ask(&mut collector, 2);
    collector.result(&result("", &name, "a", ""), &own());
    let answer = page(collector.finish(QueryId(2), &fin("", "")));
    assert_eq!(answer.items[0].stamp, Stamp(0));
}

#[test]
fn a_message_sent_late_keeps_the_time_its_sender_gave_it() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    let inner = forwarded("2024-11-22T10:00:00Z", "x").replace(
        "<body>",
        "<delay xmlns='urn:xmpp:delay' stamp='2024-11-22T09:00:00Z'/><body>",
    );
    collector.result(&result("", &name, "a", &inner), &own());
    let page = page(collector.finish(QueryId(1), &fin("", "")));
    assert_eq!(page.items[0].stamp, Stamp(1_732_269_600_000));
    let message = page.items[0].message.as_ref().unwrap();
    assert_eq!(message.stamp, Some(Stamp(1_732_266_000_000)));
    assert!(message.resent);
}

#[test]
fn an_archive_id_within_the_message_does_not_override_the_archives() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    let inner = forwarded("2024-11-22T10:00:00Z", "x").replace(
        "<body>",
        &format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{ME}' id='forged'/><body>"),
    );
    collector.result(&result("", &name, "a", &inner), &own());
    let page = page(collector.finish(QueryId(1), &fin("", "")));
    assert_eq!(
        page.items[0].message.as_ref().unwrap().archive,
        Some(ArchiveId::from("a"))
    );
}

#[test]
fn results_by_anybody_but_the_archive_asked_are_refused() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    let inner = forwarded("2024-11-22T10:00:00Z", "forged");
    for forger in [
        "mallory@evil.example",
        "home.example",
        "me@home.example/phone",
        "@@",
    ] {
        let forged = result(&format!("from='{forger}'"), &name, "a", &inner);
        assert!(collector.result(&forged, &own()).unwrap().is_err(), "{forger}");
    }
    assert!(page(collector.finish(QueryId(1), &fin("", ""))).items.is_empty());
}

#[test]
fn results_of_queries_not_in_flight_are_refused() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    let inner = forwarded("2024-11-22T10:00:00Z", "x");
    let prefix = name.strip_suffix("-1").unwrap();
    for wrong in [
        "",
        "1",
        "-1",
        "f27",
        &format!("{prefix}-2"),
        &format!("{prefix}-+1"),
        &format!("{prefix}-01"),
    ] {
        let stray = result("", wrong, "a", &inner);
        assert!(collector.result(&stray, &own()).unwrap().is_err(), "{wrong}");
    }
    let nameless: Element =
        "<message xmlns='jabber:client'><result xmlns='urn:xmpp:mam:2' id='a'/></message>"
            .parse()
            .unwrap();
    assert!(collector.result(&nameless, &own()).unwrap().is_err());
    page(collector.finish(QueryId(1), &fin("", "")));
    let late = result("", &name, "a", &inner);
    assert!(collector.result(&late, &own()).unwrap().is_err());
}

#[test]
fn names_of_another_session_are_not_ours() {
    let mut earlier = Collector::new(&mut Random::from_seed([1; 32]));
    let mut later = Collector::new(&mut Random::from_seed([2; 32]));
    let name = ask(&mut earlier, 1);
    ask(&mut later, 1);
    let stray = result("", &name, "a", &forwarded("2024-11-22T10:00:00Z", "x"));
    assert!(later.result(&stray, &own()).unwrap().is_err());
}

#[test]
fn an_ordinary_message_is_no_result() {
    let message: Element =
        "<message xmlns='jabber:client'><body>x</body><result xmlns='urn:other'/></message>"
            .parse()
            .unwrap();
    assert_eq!(collector().result(&message, &own()), None);
}

#[test]
fn a_server_that_sends_without_end_is_not_followed() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    let item = result("", &name, "a", &forwarded("2024-11-22T10:00:00Z", "x"));
    for _ in 0..(3 + SLACK) {
        collector.result(&item, &own());
    }
    assert_eq!(collector.pending[&QueryId(1)].items.len(), 3 + SLACK);
    collector.result(&item, &own());
    assert!(collector.pending[&QueryId(1)].items.is_empty());
    collector.result(&item, &own());
    assert!(collector.pending[&QueryId(1)].items.is_empty());
    assert!(matches!(
        collector.finish(QueryId(1), &fin("complete='true'", "")),
        Some(Err(ArchiveFailure::Refused(_)))
    ));
}

#[test]
fn a_result_without_id_spoils_the_page_rather_than_leave_a_hole() {
    let mut collector = collector();
    let name = ask(&mut collector, 1);
    collector.result(
        &result("", &name, "", &forwarded("2024-11-22T10:00:00Z", "x")),
        &own(),
    );
    assert!(matches!(
        collector.finish(QueryId(1), &fin("complete='true'", "")),
        Some(Err(ArchiveFailure::Refused(_)))
    ));
}

#[test]
fn an_end_that_speaks_of_items_that_never_came_is_no_page() {
    let mut collector = collector();
    ask(&mut collector, 1);
    assert!(matches!(
        collector.finish(
            QueryId(1),
            &fin("complete='true'", "<first>a</first><last>b</last>")
        ),
        Some(Err(ArchiveFailure::Refused(_)))
    ));
}

#[test]
fn results_that_could_not_be_looked_into_stand_by_their_ids() {
    let mut collector = collector();
    ask(&mut collector, 1);
    collector.missed();
    let bounds = "<first>a</first><last>b</last>";
    let page = page(collector.finish(QueryId(1), &fin("complete='true'", bounds)));
    let ids: Vec<&str> = page.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(page.items.iter().all(|item| item.message.is_none()));
    ask(&mut collector, 2);
    collector.missed();
    let alone = collector.finish(
        QueryId(2),
        &fin("complete='true'", "<first>a</first><last>a</last>"),
    );
    assert_eq!(alone.unwrap().unwrap().items.len(), 1);
}

#[test]
fn each_refusal_is_told_apart() {
    for (condition, failure) in [
        ("item-not-found", ArchiveFailure::ItemNotFound),
        ("service-unavailable", ArchiveFailure::NoArchive),
        ("feature-not-implemented", ArchiveFailure::NoArchive),
        ("forbidden", ArchiveFailure::NoArchive),
        (
            "internal-server-error",
            ArchiveFailure::Refused("internal-server-error".to_owned()),
        ),
    ] {
        let mut collector = collector();
        ask(&mut collector, 1);
        let iq: Element = format!(
            "<iq xmlns='jabber:client' type='error' id='q'><error type='cancel'>\
             <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
        .parse()
        .unwrap();
        assert_eq!(collector.finish(QueryId(1), &iq), Some(Err(failure)));
    }
    let mut collector = collector();
    ask(&mut collector, 1);
    let empty: Element = "<iq xmlns='jabber:client' type='result' id='q'/>"
        .parse()
        .unwrap();
    assert!(matches!(
        collector.finish(QueryId(1), &empty),
        Some(Err(ArchiveFailure::Refused(_)))
    ));
}

#[test]
fn queries_given_up_are_no_longer_in_flight() {
    let mut collector = collector();
    ask(&mut collector, 1);
    ask(&mut collector, 2);
    ask(&mut collector, 3);
    assert_eq!(collector.abandon(), [QueryId(1), QueryId(2), QueryId(3)]);
    assert_eq!(collector.finish(QueryId(1), &fin("", "")), None);
}

#[test]
fn two_queries_in_flight_keep_their_results_apart() {
    let mut collector = collector();
    let one = ask(&mut collector, 1);
    let two = ask(&mut collector, 2);
    collector.result(
        &result("", &two, "b", &forwarded("2024-11-22T10:00:00Z", "b")),
        &own(),
    );
    collector.result(
        &result("", &one, "a", &forwarded("2024-11-22T10:00:00Z", "a")),
        &own(),
    );
    let first = page(collector.finish(QueryId(1), &fin("", "")));
    assert_eq!(first.items.len(), 1);
    assert_eq!(first.items[0].id, ArchiveId::from("a"));
    let second = page(collector.finish(QueryId(2), &fin("", "")));
    assert_eq!(second.items[0].id, ArchiveId::from("b"));
}

proptest! {
    #[test]
    fn nothing_within_a_result_can_make_its_item_vanish(inner in "[<>/a-z =']{0,40}", id in "[a-z0-9-]{1,20}") {
        let mut collector = collector();
        let name = ask(&mut collector, 1);
        let wire = format!(
            "<message xmlns='jabber:client'><result xmlns='urn:xmpp:mam:2' queryid='{name}' id='{id}'>{inner}</result></message>"
        );
        if let Ok(stanza) = wire.parse::<Element>() {
            prop_assert_eq!(collector.result(&stanza, &own()), Some(Ok(QueryId(1))));
            let page = page(collector.finish(QueryId(1), &fin("", "")));
            prop_assert_eq!(page.items.len(), 1);
            prop_assert_eq!(page.items[0].id.as_str(), id);
        }
    }
}

#[test]
fn answers_of_gigabytes_are_not_gathered_and_an_honest_page_of_large_messages_is() {
    let mut collector = collector();
    let (first, second) = (ask(&mut collector, 1), ask(&mut collector, 2));
    let large = forwarded("2024-11-22T10:00:00Z", &"x".repeat(256 * 1024));
    // One element for all: it is the answers that are to take memory here.
    let item = result("", &first, "a", &large);
    for _ in 0..150 {
        assert_eq!(collector.result(&item, &own()), Some(Ok(QueryId(1))));
    }
    assert_eq!(page(collector.finish(QueryId(1), &fin("", ""))).items.len(), 150);
    let first = ask(&mut collector, 1);
    let one = result("", &first, "a", &large);
    let other = result("", &second, "a", &large);
    for _ in 0..200 {
        collector.result(&one, &own());
        collector.result(&other, &own());
        let held: usize = collector.pending.values().map(|pending| pending.weight).sum();
        assert!(held <= HELD, "{held} bytes");
    }
    let refused = Some(Err(ArchiveFailure::Refused(
        "more than can be held at a time".to_owned(),
    )));
    assert_eq!(collector.finish(QueryId(2), &fin("", "")), refused);
}

#[test]
fn of_queries_that_are_never_answered_the_oldest_are_forgotten() {
    let mut collector = collector();
    let first = ask(&mut collector, 0);
    let names: Vec<String> = (1..1_000).map(|id| ask(&mut collector, id)).collect();
    assert_eq!(collector.pending.len(), IN_FLIGHT);
    let late = result("", &first, "a", "");
    assert!(matches!(collector.result(&late, &own()), Some(Err(_))));
    let last = result("", names.last().unwrap(), "a", "");
    assert_eq!(collector.result(&last, &own()), Some(Ok(QueryId(999))));
}

#[test]
fn an_answer_that_names_an_item_which_never_came_is_refused() {
    for named in ["<first>a</first>", "<last>a</last>"] {
        let mut collector = collector();
        ask(&mut collector, 1);
        let answer = collector.finish(QueryId(1), &fin("", named));
        assert!(matches!(answer, Some(Err(ArchiveFailure::Refused(_)))), "{named}");
    }
}

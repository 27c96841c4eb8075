//! A connection that ends, is in doubt, or is sent elsewhere.

use super::*;

#[test]
fn a_resumed_session_is_live_only_behind_all_that_the_server_held() {
    let mut bench = Bench::over(BTreeMap::new());
    let question = bench.begin();
    bench.answer(&question);
    assert!(
        bench.live,
        "a fresh session is live once the archive has been read"
    );
    bench.closed(Closing::Eof);
    bench.until_it_dials();
    assert!(bench.sign_in().iter().any(|text| text.contains("<resume")));
    let said = bench.say("<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
    assert!(
        said.iter()
            .any(|text| text.contains("<r ") || text.contains("<r/")),
        "{said:?}"
    );
    assert!(!bench.live, "nobody has said yet that this was all");
    bench.say("<a xmlns='urn:xmpp:sm:3' h='0'/>");
    assert!(bench.live);
}

#[test]
fn what_is_typed_while_the_link_is_in_doubt_leaves_once_on_the_link_that_is_proven() {
    let text = |said: &[String]| said.iter().filter(|text| text.contains("<body>")).count();
    for the_old_one_lives in [true, false] {
        let mut bench = Bench::over(BTreeMap::new());
        let question = bench.begin();
        bench.answer(&question);
        let first = bench.conn;
        bench.now += 60_000;
        let said = bench.take(Input::Resumed {
            slept: Some(Duration::from_secs(60)),
            proven: true,
        });
        let ping = said.iter().find(|text| text.contains("urn:xmpp:ping")).unwrap();
        assert_eq!(bench.shown().0, ConnectionState::Suspect);
        let send = |body: &str| Command::Send {
            to: bob(),
            body: body.into(),
            tag: None,
        };
        for body in ["one", "two"] {
            assert_eq!(
                text(&bench.command(send(body))),
                0,
                "nobody knows whether it would arrive"
            );
        }
        if the_old_one_lives {
            let pong = format!("<iq xmlns='jabber:client' type='result' id='{}'/>", id_of(ping));
            let said = bench.take(Input::Frame {
                conn: first,
                text: pong,
            });
            assert_eq!(text(&said), 2);
        } else {
            assert!(bench.conn != first, "a spare is dialled");
            assert!(bench.sign_in().iter().any(|text| text.contains("<resume")));
            let said = bench.say("<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
            assert_eq!(text(&said), 0, "nobody knows whether the server hears us here");
            assert_eq!(text(&bench.say("<a xmlns='urn:xmpp:sm:3' h='0'/>")), 2);
        }
    }
}

#[test]
fn a_resumed_session_with_a_gap_is_live_only_once_the_gap_is_closed() {
    let mut bench = Bench::over(BTreeMap::new());
    bench.begin();
    bench.closed(Closing::Eof);
    bench.until_it_dials();
    bench.sign_in();
    bench.say("<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
    let said = bench.say("<a xmlns='urn:xmpp:sm:3' h='0'/>");
    // The question of before is repeated with all that the server has not confirmed; it is the later one that counts.
    let question = said.into_iter().rev().find(|text| text.contains("queryid"));
    assert!(!bench.live, "all that was held is here, and not what nobody held");
    bench.answer(&question.unwrap());
    assert!(bench.live);
}

#[test]
fn a_session_that_is_deaf_once_resumed_is_replaced_and_what_it_held_sent_once_the_archive_lacks_it() {
    let mut bench = Bench::over(BTreeMap::new());
    let question = bench.begin();
    bench.answer(&question);
    let text = |said: &[String]| said.iter().filter(|text| text.contains("<body>")).count();
    let typed = bench.command(Command::Send {
        to: bob(),
        body: "one".into(),
        tag: None,
    });
    assert_eq!(text(&typed), 1);
    bench.closed(Closing::Broken("reset".into()));
    bench.until_it_dials();
    bench.sign_in();
    let deaf = bench.conn;
    let said = bench.say("<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
    assert_eq!(text(&said), 0);
    while bench.conn == deaf {
        bench.now = bench.account.deadline().unwrap().0;
        bench.take(Input::Tick);
    }
    assert_eq!(bench.shown().0, ConnectionState::Suspect, "it does not answer");
    let said = bench.sign_in();
    assert!(!said.iter().any(|text| text.contains("<resume")), "{said:?}");
    let bind = said.iter().find(|text| text.contains("xmpp-bind")).unwrap();
    let said = bench.bound(&id_of(bind));
    assert_eq!(text(&said), 0);
    let question = said.iter().find(|text| text.contains("queryid")).unwrap();
    assert_eq!(text(&bench.answer(question)), 1);
}

#[test]
fn a_server_that_sends_elsewhere_is_followed_over_wss_and_three_times() {
    let to = |target: &str| {
        format!("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='{target}'/>")
    };
    let mut bench = Bench::over(BTreeMap::new());
    bench.take(Input::Start);
    for hop in 1..=3 {
        bench.open();
        let target = format!("wss://{hop}.example/ws");
        bench.say(&to(&target));
        bench.closed(Closing::Eof);
        bench.until_it_dials();
        assert_eq!(bench.endpoint, Some(Endpoint(target)));
    }
    bench.open();
    bench.say(&to("wss://4.example/ws"));
    bench.closed(Closing::Eof);
    bench.until_it_dials();
    assert_eq!(bench.endpoint, None, "back to where it began");

    let mut bench = Bench::over(BTreeMap::new());
    bench.take(Input::Start);
    bench.open();
    bench.say(&to("ws://open.example/ws"));
    bench.closed(Closing::Eof);
    bench.until_it_dials();
    assert_eq!(bench.endpoint, None, "nobody may read along");
}

#[test]
fn how_the_socket_ended_and_how_long_nothing_had_come_is_told() {
    let mut bench = Bench::live();
    bench.now += 5_000;
    bench.take(Input::Activity(bench.conn));
    bench.now += 2_000;
    bench.transitions.clear();
    let closing = Closing::Frame {
        code: 1001,
        reason: "going away".into(),
    };
    bench.closed(closing.clone());
    let first = &bench.transitions[0];
    assert_eq!(
        (first.closing.clone(), first.silence_ms),
        (Some(closing), Some(2_000))
    );
}

#[test]
fn an_interruption_tells_how_many_messages_of_others_it_brought() {
    let mut bench = Bench::live();
    bench.closed(Closing::Eof);
    bench.until_it_dials();
    assert!(bench.transitions.last().unwrap().attempt.is_some());
    bench.sign_in();
    bench.say("<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
    for id in ["m1", "m2"] {
        bench.say(&format!("<message xmlns='jabber:client' type='chat' from='bob@b.example/x' to='me@home.example' id='{id}'><body>hi {id}</body></message>"));
    }
    bench.say("<message xmlns='jabber:client' from='me@home.example'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' from='me@home.example/other' to='bob@b.example' id='c1'><body>from the other one</body></message></forwarded></sent></message>");
    bench.say("<a xmlns='urn:xmpp:sm:3' h='0'/>");
    let recovery = bench.transitions.last().unwrap().recovery.unwrap();
    assert_eq!(recovery.messages, 2);
}

#[test]
fn a_long_text_is_given_more_time_than_a_short_one() {
    let due = |body: String| {
        let mut bench = Bench::live();
        bench.command(Command::Send {
            to: bob(),
            body,
            tag: None,
        });
        let mut asked = 0;
        // Nobody answers: the link asks, doubts, and dials a spare.
        let first = bench.conn;
        while bench.conn == first && asked < 100 {
            bench.now = bench.account.deadline().unwrap().0;
            bench.take(Input::Tick);
            asked += 1;
        }
        assert!(bench.conn != first);
        bench.now
    };
    assert!(due("x".repeat(40_000)) >= due("x".into()) + 10_000);
}

#[test]
fn to_try_now_is_to_dial_now() {
    let mut bench = Bench::live();
    bench.closed(Closing::Eof);
    let first = bench.conn;
    bench.command(Command::RetryNow);
    assert!(bench.conn != first);
    assert_eq!(bench.shown().0.name(), "connecting");
}

#[test]
fn a_way_is_not_remembered_while_nobody_has_signed_in_on_it() {
    let mut bench = Bench::over(BTreeMap::new());
    bench.take(Input::Start);
    bench.open();
    let way = Way {
        endpoint: Endpoint("wss://home.example/ws".into()),
        addresses: Vec::new(),
    };
    bench.take(Input::Reached {
        conn: bench.conn,
        way: way.clone(),
    });
    assert_eq!(bench.account.known_way(), None);
    for text in [OPEN, MECHANISMS, SUCCESS, OPEN] {
        bench.say(text);
    }
    let bind = bench.say(FEATURES);
    assert_eq!(bench.account.known_way(), None);
    let id = id_of(bind.iter().find(|text| text.contains("xmpp-bind")).unwrap());
    bench.bound(&id);
    assert_eq!(bench.account.known_way(), Some(way));
}

#[test]
fn of_a_connection_that_is_given_up_nothing_is_read_any_more() {
    let mut bench = Bench::live();
    let first = bench.conn;
    bench.now += 60_000;
    bench.take(Input::Resumed {
        slept: Some(Duration::from_secs(60)),
        proven: true,
    });
    // Neither the old connection nor the spare ever answers.
    while bench.account.status().session_ready {
        bench.now = bench.account.deadline().unwrap().0;
        assert!(bench.now < 200_000, "it is given up at last");
        bench.take(Input::Tick);
    }
    bench.changes.clear();
    bench.take(Input::Frame {
        conn: first,
        text: "<message xmlns='jabber:client' type='chat' from='bob@b.example/x' to='me@home.example' id='m1'><body>late</body></message>".into(),
    });
    assert!(
        bench.changes.is_empty(),
        "the server holds it for the connection that comes"
    );
}

//! A server without XEP-0198.

use super::*;

fn ready() -> Script {
    let mut script = Script::new();
    script.sign_in();
    script.give(&OFFER.replace("<sm xmlns='urn:xmpp:sm:3'/>", ""));
    script.bind();
    script.frames.clear();
    script
}

#[test]
fn a_message_is_confirmed_by_a_ping_sent_after_it() {
    let mut script = ready();
    assert!(script.events.contains(&Event::Bound {
        conn: ConnId(1),
        acked: vec![],
        doubtful: vec![],
        resumable: false
    }));
    script.text(1);
    script.expect("message");
    let first = script.expect("iq");
    assert!(first.has_child("ping", "urn:xmpp:ping"));
    script.text(2);
    script.expect("message");
    let second = script.expect("iq");
    script.answer(&first, "");
    assert!(script.events.contains(&Event::Acked {
        conn: ConnId(1),
        messages: ids(&[1]),
        all: false
    }));
    let id = second.attr("id").unwrap();
    script.give(&format!("<iq xmlns='jabber:client' type='error' id='{id}'/>"));
    assert!(script.events.contains(&Event::Acked {
        conn: ConnId(1),
        messages: ids(&[2]),
        all: true
    }));
}

#[test]
fn what_was_not_confirmed_is_doubtful_in_this_process_and_the_next() {
    for dies in [false, true] {
        let mut script = ready();
        script.text(1);
        script.closed(&Closing::Eof);
        if dies {
            script = script.restart();
        }
        script.frames.clear();
        script.events.clear();
        script.sign_in();
        script.give(&OFFER.replace("<sm xmlns='urn:xmpp:sm:3'/>", ""));
        script.bind();
        assert_eq!(
            script.reports(),
            [&Event::Bound {
                conn: ConnId(2),
                acked: vec![],
                doubtful: ids(&[1]),
                resumable: false
            }]
        );
    }
}

#[test]
fn a_server_that_refuses_to_manage_is_one_without() {
    let mut script = Script::new();
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.frames.clear();
    script.give("<failed xmlns='urn:xmpp:sm:3'/>");
    assert!(matches!(
        script.reports().first(),
        Some(Event::Bound { resumable: false, .. })
    ));
    script.text(1);
    script.expect("message");
    script.expect("iq");
}

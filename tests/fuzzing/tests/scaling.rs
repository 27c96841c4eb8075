//! Time: what is four times as large may take a little more than four times as long, and not sixteen times.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use dormouse_fuzzing::core::Core;
use dormouse_xmpp::frame::{Limits, read};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The time this thread has worked, whatever else the machine does.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

/// The least of three.
fn time(mut work: impl FnMut()) -> Duration {
    let once = |_| {
        let begun = worked();
        work();
        worked() - begun
    };
    (0..3).map(once).min().unwrap()
}

/// That it takes about as many times as long as it is larger.
fn in_proportion(what: &str, mut work: impl FnMut(usize)) {
    let (small, large) = (60_000, 240_000);
    let (one, four) = (time(|| work(small)), time(|| work(large)));
    // Below a millisecond anything else weighs more.
    assert!(
        four < Duration::from_millis(5) || four < one * 10,
        "{what}: {one:?} for {small} bytes, {four:?} for {large}"
    );
}

fn filled(unit: impl Fn(usize) -> String, size: usize) -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() >= size {
            break;
        }
        text.push_str(&unit(number));
    }
    text
}

#[test]
fn frames_of_any_make_are_read_in_time_that_grows_with_their_size() {
    type Make = fn(usize) -> String;
    let makes: [(&str, Make); 9] = [
        ("elements", |size| {
            format!("<message>{}</message>", filled(|_| "<a/>".into(), size))
        }),
        ("elements and text", |size| {
            format!("<message>{}</message>", filled(|_| "<a/>x".into(), size))
        }),
        ("escapes", |size| {
            format!("<message>{}</message>", filled(|_| "&lt;".into(), size))
        }),
        ("sections", |size| {
            format!("<message>{}</message>", filled(|_| "<![CDATA[]]>x".into(), size))
        }),
        ("attributes", |size| {
            format!("<message{}/>", filled(|n| format!(" a{n}=''"), size))
        }),
        ("attributes with a long namespace", |size| {
            let namespace = "x".repeat(size / 2);
            format!(
                "<message xmlns:p='{namespace}'{}/>",
                filled(|n| format!(" p:a{n}=''"), size / 2)
            )
        }),
        ("elements with a long namespace", |size| {
            let namespace = "x".repeat(size / 2);
            format!(
                "<message xmlns='{namespace}'>{}</message>",
                filled(|_| "<a/>".into(), size / 2)
            )
        }),
        ("declarations", |size| {
            format!("<message{}/>", filled(|n| format!(" xmlns:a{n}='u'"), size))
        }),
        ("a name", |size| format!("<{0}></{0}>", "x".repeat(size / 2))),
    ];
    for (what, make) in makes {
        in_proportion(what, |size| {
            let _ = read(&make(size), &Limits::default());
        });
    }
}

#[test]
fn stanzas_of_any_make_are_handled_in_time_that_grows_with_their_size() {
    type Make = fn(usize) -> String;
    let makes: [(&str, Make); 6] = [
        ("bodies", |size| {
            let bodies = filled(|_| "<body>x</body>".into(), size);
            format!("<message from='bob@b.example/x' type='chat'>{bodies}</message>")
        }),
        ("archive ids", |size| {
            let ids = filled(
                |n| format!("<stanza-id xmlns='urn:xmpp:sid:0' by='me@home.example' id='{n}'/>"),
                size,
            );
            format!("<message from='bob@b.example/x' type='chat'><body>x</body>{ids}</message>")
        }),
        ("delays", |size| {
            let delays = filled(
                |_| "<delay xmlns='urn:xmpp:delay' stamp='2024-11-22T10:00:00Z'/>".into(),
                size,
            );
            format!("<message from='bob@b.example/x' type='chat'><body>x</body>{delays}</message>")
        }),
        ("a roster", |size| {
            let items = filled(|n| format!("<item jid='c{n}@b.example'/>"), size);
            format!("<iq type='set' id='1'><query xmlns='jabber:iq:roster'>{items}</query></iq>")
        }),
        ("people blocked", |size| {
            let items = filled(|n| format!("<item jid='c{n}@b.example'/>"), size);
            format!("<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'>{items}</block></iq>")
        }),
        ("groups", |size| {
            let groups = filled(|n| format!("<group>{n}</group>"), size);
            format!(
                "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='c@b.example'>{groups}</item></query></iq>"
            )
        }),
    ];
    for (what, make) in makes {
        in_proportion(what, |size| {
            let mut core = Core::over(Default::default()).unwrap();
            core.sign_in().unwrap();
            core.say(&make(size)).unwrap();
        });
    }
}

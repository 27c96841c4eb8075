//! What the ends of connections teach about the silence that a path bears.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output};
use dormouse_model::{Action, Cause, ConnId, ConnectionState, Verdict};
use driver::*;
use std::time::Duration;

/// Two connections in succession, each silent for so long and then ended in this way: what is the interval after?
fn interval_after_two(silence: Duration, end: impl Fn(&mut Driver, ConnId)) -> Duration {
    let (mut d, mut conn) = Driver::live(1);
    d.tell(Input::Interval(Some(silence)));
    for _ in 0..2 {
        d.pass(silence);
        end(&mut d, conn);
        if matches!(d.state(), ConnectionState::Waiting { .. }) {
            d.until_dial(secs(60)).unwrap();
        }
        conn = d.sign_in();
    }
    d.tell(Input::Interval(None));
    d.link.interval()
}

fn gets_no_answer(d: &mut Driver, conn: ConnId) {
    assert!(d.pass(secs(10)).contains(&Output::Hangup(conn)));
}

#[test]
fn a_question_after_silence_that_is_never_answered_shrinks_the_interval_as_a_close_does() {
    let learnt = secs(25) * 3 / 4;
    assert_eq!(interval_after_two(secs(25), gets_no_answer), learnt);
    let spare_comes_first = |d: &mut Driver, _: ConnId| {
        d.until_dial(secs(9)).unwrap();
        d.tell(Input::Dialled(d.last_dial().unwrap()));
    };
    assert_eq!(interval_after_two(secs(25), spare_comes_first), learnt);
    let closes = |d: &mut Driver, conn: ConnId| {
        d.tell(Input::Closed(conn, retry(Cause::Lost)));
    };
    assert_eq!(interval_after_two(secs(25), closes), learnt);
}

#[test]
fn the_shortest_silence_between_questions_may_kill_and_a_shorter_one_does_not() {
    assert_eq!(interval_after_two(secs(5), gets_no_answer), secs(5));
    let (mut d, mut conn) = Driver::live(1);
    for _ in 0..4 {
        d.pass(ms(4_999));
        d.tell(Input::Closed(conn, retry(Cause::Lost)));
        d.until_dial(secs(60)).unwrap();
        conn = d.sign_in();
    }
    assert_eq!(d.link.interval(), d.link.ordinary_interval());
}

#[test]
fn an_interval_that_cannot_shrink_any_more_is_not_journalled_again() {
    let (mut d, mut conn) = Driver::live(1);
    let mut said = Vec::new();
    for _ in 0..4 {
        d.pass(secs(5));
        said.extend(d.tell(Input::Closed(conn, retry(Cause::Lost))));
        d.until_dial(secs(60)).unwrap();
        conn = d.sign_in();
    }
    assert_eq!(d.link.interval(), secs(5));
    let lines = said.iter().filter(|output| match output {
        Output::Journal(line) => line.contains("asking every 5 s from now on"),
        _ => false,
    });
    assert_eq!(lines.count(), 1);
}

#[test]
fn a_connection_whose_end_has_another_reason_teaches_nothing_of_silence() {
    let trouble = Cause::ServerTrouble {
        what: "WebSocket 1011".into(),
    };
    let closed = Cause::ClosedByServer {
        code: 4000,
        reason: String::new(),
    };
    for verdict in [
        retry(trouble),
        Verdict::new(Action::RetrySlowly, closed),
        Verdict::new(Action::RetryScattered, Cause::ServerRestarting),
    ] {
        let closes = |d: &mut Driver, conn: ConnId| {
            d.tell(Input::Closed(conn, verdict.clone()));
        };
        assert_eq!(interval_after_two(secs(20), closes), secs(25), "{verdict:?}");
    }
}

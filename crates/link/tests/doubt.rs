//! What a link in doubt is given, and what it is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output};
use dormouse_model::{Action, Cause, ConnectionState, Verdict};
use driver::*;

/// In doubt by `first`, and 9 s later by `second`: whether the link still has time after the 10 s of the first.
fn is_prolonged(first: Input, second: Input) -> bool {
    let (mut d, conn) = Driver::live(1);
    d.tell(first);
    assert_eq!(d.state(), ConnectionState::Suspect);
    d.pass(secs(9));
    d.tell(second);
    !d.pass(secs(5)).contains(&Output::Hangup(conn))
}

#[test]
fn another_sleep_gives_a_link_in_doubt_its_time_anew_and_a_hint_does_not() {
    assert!(is_prolonged(WOKE, WOKE));
    assert!(is_prolonged(MAY_HAVE_SLEPT, WOKE));
    assert!(!is_prolonged(WOKE, MAY_HAVE_SLEPT));
    assert!(!is_prolonged(MAY_HAVE_SLEPT, MAY_HAVE_SLEPT));
}

#[test]
fn a_spare_that_was_refused_for_good_or_for_long_is_not_dialled_again() {
    for action in [Action::Stop, Action::RetrySlowly] {
        let (mut d, _) = Driver::live(1);
        let first = spare(&d.tell(WOKE)).unwrap();
        d.tell(Input::DialFailed(first, Verdict::new(action, Cause::Unreachable)));
        assert_eq!(spare(&d.pass(ms(9_900))), None, "{action:?}");
        assert_eq!(d.state(), ConnectionState::Suspect);
    }
}

#[test]
fn a_spare_that_fails_with_no_sleep_before_it_is_dialled_again_after_two_to_four_seconds() {
    let waits: Vec<_> = (0..50)
        .map(|seed| {
            let (mut d, _) = Driver::live(seed);
            d.tell(MAY_HAVE_SLEPT);
            let first = spare(&d.pass(ms(300))).unwrap();
            d.tell(Input::DialFailed(first, retry(Cause::Unreachable)));
            d.until_dial(secs(9)).unwrap()
        })
        .collect();
    let range = secs(2)..=secs(4);
    assert!(waits.iter().all(|wait| range.contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait > secs(3)), "{waits:?}");
}

#[test]
fn news_of_a_spare_that_was_given_up_does_not_touch_the_one_that_replaced_it() {
    let (mut d, _) = Driver::live(1);
    let first = spare(&d.tell(WOKE)).unwrap();
    d.pass(secs(1));
    let second = spare(&d.tell(WOKE)).unwrap();
    d.tell(Input::DialFailed(first, retry(Cause::Unreachable)));
    assert!(d.tell(Input::Dialled(second)).contains(&Output::Use(second)));
}

#[test]
fn after_a_gap_a_slow_path_has_twice_the_time_an_answer_may_take() {
    let (mut d, conn) = Driver::live(1);
    assert!(quiet(&d.pass(secs(25))));
    d.pass(ms(800));
    d.tell(Input::QuietAnswer(conn));
    // RFC 6298: an answer is late after 800 ms and four times half of it, 2.4 s.
    d.freeze(secs(300));
    assert!(numbered(&d.tell(Input::Tick)).is_some());
    assert!(!d.pass(ms(4_799)).contains(&Output::Hangup(conn)));
    assert!(d.pass(ms(1)).contains(&Output::Hangup(conn)));
}

#[test]
fn the_answer_to_a_number_acknowledges_what_was_written_before_it() {
    let (mut d, conn) = Driver::live(1);
    d.pass(ms(24_500));
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    let probe = numbered(&d.pass(ms(500))).unwrap();
    d.pass(ms(50));
    d.tell(Input::Answer(conn, probe));
    d.pass(secs(10));
    assert_eq!(d.state(), ConnectionState::Live, "the message has arrived");
}

#[test]
fn a_message_written_behind_a_number_is_still_waited_for() {
    let (mut d, conn) = Driver::live(1);
    let probe = numbered(&d.tell(MAY_HAVE_SLEPT)).unwrap();
    d.pass(ms(10));
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    d.pass(ms(50));
    d.tell(Input::Answer(conn, probe));
    assert_eq!(d.state(), ConnectionState::Live);
    d.pass(secs(1));
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Suspect, Cause::Unacknowledged)
    );
}

#[test]
fn a_late_answer_is_not_put_down_to_messages_written_since() {
    let (mut d, conn) = Driver::live(1);
    assert!(quiet(&d.pass(secs(25))));
    d.pass(ms(10));
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    d.pass(secs(2));
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Suspect, Cause::SlowAnswer)
    );
}

#[test]
fn acknowledgements_in_a_doubt_that_has_a_reason_buy_no_time() {
    let (mut d, conn) = Driver::live(1);
    d.tell(WOKE);
    let mut said = Vec::new();
    for _ in 0..7 {
        d.tell(Input::AckAwaited { conn, bytes: 200 });
        said.extend(d.pass(ms(1_500)));
        d.tell(Input::Acked { conn, all: true });
    }
    assert!(said.contains(&Output::Hangup(conn)));
}

#[test]
fn acknowledgements_of_nothing_do_not_keep_a_late_answer_waiting() {
    let (mut d, conn) = Driver::live(1);
    d.pass(secs(26));
    assert_eq!(d.state(), ConnectionState::Suspect);
    let mut said = Vec::new();
    for _ in 0..7 {
        d.tell(Input::Acked { conn, all: true });
        said.extend(d.pass(ms(1_500)));
    }
    assert!(said.contains(&Output::Hangup(conn)));
}

#[test]
fn the_acknowledgement_of_an_ordinary_message_measures_the_path_and_that_of_a_long_one_does_not() {
    for (bytes, measured) in [(200, true), (22_000, false)] {
        let (mut d, conn) = Driver::live(1);
        d.tell(Input::AckAwaited { conn, bytes });
        d.pass(ms(80));
        let said = d.tell(Input::Acked { conn, all: true });
        assert_eq!(said.contains(&Output::RoundTrip(ms(80))), measured, "{bytes}");
    }
}

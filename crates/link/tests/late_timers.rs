//! Timers that fire late, and how late is too late: a program that did not run must not judge by what it missed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output};
use dormouse_model::{ConnId, ConnectionState};
use driver::*;

/// A dial or a sign-in under way, and how long it may take.
fn begun(signing_in: bool) -> (Driver, ConnId, u64) {
    let mut d = Driver::new(1);
    d.tell(Input::Start);
    let conn = d.last_dial().expect("a dial");
    if signing_in {
        d.tell(Input::Dialled(conn));
    }
    let patience = patience(&d);
    (d, conn, patience)
}

/// In doubt after a proven sleep, with the spare on its way.
fn doubtful() -> (Driver, ConnId) {
    let (mut d, _) = Driver::live(1);
    d.pass(secs(1));
    let said = d.tell(Input::Resumed {
        slept: Some(secs(60)),
        proven: true,
    });
    let spare = spare(&said).expect("a spare at once");
    (d, spare)
}

/// How long until something is due.
fn patience(d: &Driver) -> u64 {
    d.link.deadline().expect("a deadline").0 - d.now.0
}

fn says_it_did_not_run(said: &[Output]) -> bool {
    said.iter()
        .any(|o| matches!(o, Output::Journal(line) if line.contains("did not run")))
}

#[test]
fn a_spare_whose_deadline_was_slept_over_gets_a_moment_for_its_news() {
    let (mut d, spare) = doubtful();
    let patience = patience(&d);
    d.freeze(ms(patience + 3_000));
    assert!(!d.tell(Input::Tick).contains(&Output::Hangup(spare)));
    assert!(!d.pass(ms(999)).contains(&Output::Hangup(spare)));
    assert!(d.pass(ms(1)).contains(&Output::Hangup(spare)));
}

#[test]
fn a_dial_or_sign_in_is_given_up_up_to_two_seconds_late_and_has_five_seconds_for_its_news_later() {
    for signing_in in [false, true] {
        for late in [0, 2_000] {
            let (mut d, conn, patience) = begun(signing_in);
            d.freeze(ms(patience + late));
            let said = d.tell(Input::Tick);
            assert!(
                said.contains(&Output::Hangup(conn)),
                "{signing_in}, {late} ms late"
            );
        }
        let (mut d, conn, patience) = begun(signing_in);
        d.freeze(ms(patience + 2_001));
        assert!(!d.tell(Input::Tick).contains(&Output::Hangup(conn)));
        assert!(!d.pass(ms(4_999)).contains(&Output::Hangup(conn)));
        assert!(d.pass(ms(1)).contains(&Output::Hangup(conn)), "{signing_in}");
        // And that once: whoever never runs in time must begin anew some time.
        let (mut d, conn, patience) = begun(signing_in);
        d.freeze(ms(patience + 60_000));
        d.tell(Input::Tick);
        d.freeze(ms(60_000));
        assert!(
            d.tell(Input::Tick).contains(&Output::Hangup(conn)),
            "{signing_in}"
        );
    }
}

#[test]
fn a_spare_that_hangs_is_dialled_anew_up_to_two_seconds_after_its_deadline() {
    for late in [0, 2_000] {
        let (mut d, spare) = doubtful();
        let patience = patience(&d);
        d.freeze(ms(patience + late));
        assert!(
            d.tell(Input::Tick).contains(&Output::Hangup(spare)),
            "{late} ms late"
        );
    }
}

#[test]
fn a_hint_leaves_a_spare_on_its_way_alone_and_another_sleep_does_not() {
    let (mut d, spare) = doubtful();
    d.pass(ms(1_500));
    assert!(!d.tell(Input::Visible(true)).contains(&Output::Hangup(spare)));
    let woke = Input::Resumed {
        slept: Some(secs(60)),
        proven: true,
    };
    assert!(d.tell(woke).contains(&Output::Hangup(spare)));
}

#[test]
fn a_link_is_given_up_at_its_deadline_or_two_seconds_after_it_and_asked_again_later() {
    for (late, given_up) in [(0, true), (2_000, true), (2_001, false)] {
        let (mut d, conn) = Driver::live(1);
        d.pass(ms(25_000));
        // Late since a second; the answer is waited for until ten seconds after the question.
        d.pass(ms(9_999));
        d.freeze(ms(1 + late));
        let said = d.tell(Input::Tick);
        assert_eq!(
            said.contains(&Output::Hangup(conn)),
            given_up,
            "{late} ms late: {said:?}"
        );
    }
}

#[test]
fn a_question_is_asked_quietly_up_to_two_seconds_late_and_in_doubt_later() {
    for (late, doubts) in [(0, false), (2_000, false), (2_001, true)] {
        let (mut d, _) = Driver::live(1);
        d.freeze(ms(25_000 + late));
        let said = d.tell(Input::Tick);
        assert_eq!(says_it_did_not_run(&said), doubts, "{late} ms late");
        assert_eq!(quiet(&said), !doubts, "{late} ms late");
    }
}

#[test]
fn an_answer_that_is_found_late_by_far_is_not_held_against_the_link() {
    for (late, did_not_run) in [(2_000, false), (2_001, true), (300_000, true)] {
        let (mut d, conn) = Driver::live(1);
        assert!(quiet(&d.pass(ms(25_000))));
        let late_at = d.link.deadline().expect("the answer's").0 - d.now.0;
        d.freeze(ms(late_at + late));
        let said = d.tell(Input::Tick);
        assert_eq!(d.state(), ConnectionState::Suspect);
        assert_eq!(says_it_did_not_run(&said), did_not_run, "{late} ms late");
        assert!(numbered(&said).is_some() && !said.contains(&Output::Hangup(conn)));
    }
}

#[test]
fn messages_just_written_do_not_make_a_question_late_that_is_only_due() {
    let (mut d, conn) = Driver::live(1);
    d.pass(ms(24_900));
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    let said = d.pass(ms(100));
    assert!(quiet(&said) || numbered(&said).is_some(), "{said:?}");
    assert_eq!(d.state(), ConnectionState::Live);
}

//! The rules of asking and answering.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output};
use dormouse_model::{Cause, ConnectionState, Endpoint, Network, ProbeId};
use driver::*;

#[test]
fn after_25_s_of_quiet_the_link_is_asked_quietly_and_once() {
    let (mut d, conn) = Driver::live(1);
    assert!(d.pass(ms(24_999)).is_empty());
    let said = d.pass(ms(1));
    assert!(quiet(&said) && numbered(&said).is_none());
    assert!(!quiet(&d.pass(ms(900))));
    d.tell(Input::QuietAnswer(conn));
    assert_eq!(d.state(), ConnectionState::Live);
    assert!(d.pass(ms(24_999)).is_empty());
    assert!(quiet(&d.pass(ms(1))));
}

#[test]
fn a_resumed_session_has_asked_and_is_doubted_unless_it_is_answered_in_time() {
    let resumed = || {
        let (mut d, _) = Driver::live(1);
        let first = spare(&d.tell(WOKE)).unwrap();
        d.tell(Input::Dialled(first));
        d.tell(Input::SignedIn {
            conn: first,
            resumed: true,
        });
        (d, first)
    };
    let (mut d, conn) = resumed();
    d.pass(ms(40));
    let said = d.tell(Input::QuietAnswer(conn));
    assert!(said.contains(&Output::RoundTrip(ms(40))), "{said:?}");
    d.pass(secs(5));
    assert_eq!(d.state(), ConnectionState::CatchingUp);

    let (mut d, conn) = resumed();
    let said = d.pass(secs(1));
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Suspect, Cause::SlowAnswer)
    );
    assert!(numbered(&said).is_some());
    let said = d.pass(secs(8));
    assert!(spare(&said).is_some(), "{said:?}");
    assert!(!said.contains(&Output::Hangup(conn)));
}

#[test]
fn an_answer_later_than_the_path_takes_puts_the_link_in_doubt_long_before_10_s() {
    let (mut d, _) = Driver::live(1);
    let said = d.pass(secs(26));
    assert_eq!(d.state(), ConnectionState::Suspect);
    assert_eq!(d.cause(), Cause::SlowAnswer);
    assert!(numbered(&said).is_some());
}

#[test]
fn a_slow_path_is_given_its_measured_time() {
    let (mut d, conn) = Driver::live(1);
    for _ in 0..20 {
        d.pass(secs(25));
        d.freeze(ms(900));
        d.tell(Input::QuietAnswer(conn));
    }
    let mut fast = Driver::live(1).0;
    d.pass(secs(25));
    fast.pass(secs(25));
    d.pass(ms(1050));
    fast.pass(ms(1050));
    assert_eq!(fast.state(), ConnectionState::Suspect);
    assert_eq!(
        d.state(),
        ConnectionState::Suspect,
        "a steady 900 ms path is late after about a second"
    );
    let (mut wild, conn) = Driver::live(1);
    for n in 0..20 {
        wild.pass(secs(25));
        wild.freeze(ms(if n % 2 == 0 { 100 } else { 950 }));
        wild.tell(Input::QuietAnswer(conn));
    }
    wild.pass(secs(25) + ms(1050));
    assert_eq!(wild.state(), ConnectionState::Live, "variance buys time");
}

#[test]
fn in_doubt_an_a_proves_nothing_and_the_numbered_answer_does() {
    let (mut d, conn) = Driver::live(1);
    let probe = numbered(&d.pass(secs(26))).unwrap();
    d.tell(Input::QuietAnswer(conn));
    d.tell(Input::Acked { conn, all: true });
    d.tell(Input::Inbound(conn));
    assert_eq!(d.state(), ConnectionState::Suspect);
    d.tell(Input::Answer(conn, ProbeId(probe.0 + 1)));
    assert_eq!(d.state(), ConnectionState::Suspect);
    d.tell(Input::Answer(conn.next(), probe));
    assert_eq!(d.state(), ConnectionState::Suspect);
    d.tell(Input::Answer(conn, probe));
    assert_eq!((d.state(), d.cause()), (ConnectionState::Live, Cause::Answered));
}

#[test]
fn an_answer_asked_for_before_the_sleep_proves_nothing_after_it() {
    let (mut d, conn) = Driver::live(1);
    let before = numbered(&d.pass(secs(26))).unwrap();
    d.freeze(secs(3600));
    let said = d.tell(Input::Resumed {
        slept: Some(secs(3600)),
        proven: true,
    });
    let after = numbered(&said).unwrap();
    d.tell(Input::Answer(conn, before));
    assert_eq!(d.state(), ConnectionState::Suspect);
    d.tell(Input::Answer(conn, after));
    assert_eq!(d.state(), ConnectionState::Live);
}

#[test]
fn while_an_r_after_messages_is_open_the_link_is_asked_by_number() {
    let (mut d, conn) = Driver::live(1);
    d.pass(ms(24_500));
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    let said = d.pass(ms(500));
    assert!(!quiet(&said));
    assert!(numbered(&said).is_some());
}

#[test]
fn a_message_not_acknowledged_puts_the_link_in_doubt_whatever_else_arrives() {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    for _ in 0..12 {
        d.pass(ms(100));
        d.tell(Input::Inbound(conn));
    }
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Suspect, Cause::Unacknowledged)
    );
}

#[test]
fn an_acknowledgement_in_time_is_proof() {
    let (mut d, conn) = Driver::live(1);
    d.pass(secs(20));
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    d.pass(ms(80));
    d.tell(Input::Acked { conn, all: true });
    assert!(d.pass(ms(24_999)).is_empty());
    assert!(quiet(&d.pass(ms(1))));
}

#[test]
fn a_half_open_link_is_noticed_and_replaced_within_35_s() {
    for seed in 0..20 {
        let (mut d, conn) = Driver::live(seed);
        let said = d.pass(secs(35));
        assert_ne!(d.state(), ConnectionState::Live);
        assert!(said.contains(&Output::Hangup(conn)));
        assert!(spare(&said).is_some());
    }
}

#[test]
fn a_one_way_link_is_noticed_within_35_s_although_bytes_keep_coming() {
    let (mut d, conn) = Driver::live(1);
    let mut gone = false;
    for _ in 0..70 {
        gone |= d.pass(ms(500)).contains(&Output::Hangup(conn));
        d.tell(Input::Inbound(conn));
    }
    assert!(gone);
}

#[test]
fn frames_of_another_connection_do_not_count() {
    let (mut d, conn) = Driver::live(1);
    d.pass(secs(25));
    d.tell(Input::QuietAnswer(conn.next()));
    d.tell(Input::Closed(conn.next(), retry(Cause::Lost)));
    d.pass(secs(1));
    assert_eq!(d.state(), ConnectionState::Suspect);
}

#[test]
fn an_interval_that_is_given_holds_at_once_and_doubts_nobody() {
    let (mut d, conn) = Driver::live(1);
    d.pass(secs(20));
    let probe =
        numbered(&d.tell(Input::Interval(Some(secs(8))))).expect("asked at once, for 20 s are more than 8");
    assert_eq!(d.state(), ConnectionState::Live);
    d.tell(Input::Answer(conn, probe));
    assert_eq!(d.pass(ms(7_900)), []);
    assert_ne!(d.pass(ms(200)), [], "asked after 8 s");
    d.tell(Input::QuietAnswer(conn));
    assert_eq!(d.tell(Input::Interval(None)), [], "nothing is late");
    assert_eq!(d.pass(secs(24)), []);
}

#[test]
fn an_interval_that_is_given_when_the_question_was_due_anyway_doubts_nobody() {
    for (late, doubts) in [(0, false), (2_000, false), (2_001, true)] {
        let (mut d, _) = Driver::live(1);
        d.freeze(secs(25) + ms(late));
        let said = d.tell(Input::Interval(Some(secs(8))));
        assert!(numbered(&said).is_some());
        assert_eq!(d.state() == ConnectionState::Suspect, doubts, "{late} ms late");
    }
}

#[test]
fn what_silence_kills_on_one_network_is_not_feared_on_another() {
    let mut d = Driver::new(1);
    let aim = |d: &mut Driver, own: [u8; 4]| {
        let endpoint = Endpoint("wss://one.example/ws".into());
        d.link.aim(endpoint, Network::around(own.into()));
    };
    d.tell(Input::Start);
    aim(&mut d, [192, 168, 1, 5]);
    let mut conn = d.sign_in();
    for _ in 0..2 {
        d.pass(secs(20));
        d.tell(Input::Closed(conn, retry(Cause::Lost)));
        d.pass(secs(120));
        conn = d.sign_in();
    }
    assert_eq!(d.link.interval(), secs(15));
    aim(&mut d, [10, 0, 0, 5]);
    assert_eq!(d.link.interval(), d.link.ordinary_interval());
    aim(&mut d, [192, 168, 1, 9]);
    assert_eq!(d.link.interval(), secs(15));
}

#[test]
fn a_catching_up_link_is_probed_like_a_live_one() {
    let mut d = Driver::new(1);
    d.tell(Input::Start);
    let conn = d.last_dial().unwrap();
    d.tell(Input::Dialled(conn));
    d.tell(Input::SignedIn { conn, resumed: false });
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::CatchingUp, Cause::SignedIn)
    );
    let probe = numbered(&d.pass(secs(26))).unwrap();
    assert_eq!(d.state(), ConnectionState::Suspect);
    d.tell(Input::Answer(conn, probe));
    assert_eq!(d.state(), ConnectionState::CatchingUp);
    d.tell(Input::CaughtUp(conn));
    assert_eq!((d.state(), d.cause()), (ConnectionState::Live, Cause::CaughtUp));
}

#[test]
fn a_process_that_was_throttled_asks_before_it_judges() {
    let (mut d, conn) = Driver::live(1);
    d.freeze(secs(300));
    let said = d.tell(Input::Tick);
    assert_eq!(d.state(), ConnectionState::Suspect);
    assert!(!said.contains(&Output::Hangup(conn)));
    let probe = numbered(&said).unwrap();
    assert!(spare(&said).is_none(), "not proven to have slept: asks first");
    // Throttled once more, over the deadline of the question.
    d.freeze(secs(60));
    let said = d.tell(Input::Tick);
    assert!(!said.contains(&Output::Hangup(conn)));
    let again = numbered(&said).unwrap();
    assert_ne!(probe, again);
    d.tell(Input::Answer(conn, again));
    assert_eq!(d.state(), ConnectionState::Live);
}

#[test]
fn after_a_gap_the_patience_is_short() {
    let (mut d, conn) = Driver::live(1);
    d.freeze(secs(300));
    d.tell(Input::Tick);
    assert!(d.pass(secs(3)).contains(&Output::Hangup(conn)));
}

#[test]
fn second_chances_of_a_throttled_process_are_bounded() {
    let (mut d, conn) = Driver::live(1);
    for _ in 0..6 {
        d.freeze(secs(60));
        if d.tell(Input::Tick).contains(&Output::Hangup(conn)) {
            return;
        }
    }
    panic!("asked for ever");
}

#[test]
fn a_shown_window_asks_a_link_that_has_been_quiet_and_only_that() {
    let (mut d, _) = Driver::live(1);
    d.pass(secs(2));
    assert!(d.tell(Input::Visible(true)).is_empty());
    d.pass(secs(4));
    assert!(d.tell(Input::Visible(false)).is_empty());
    let said = d.tell(Input::Visible(true));
    assert!(numbered(&said).is_some());
    assert_eq!((d.state(), d.cause()), (ConnectionState::Suspect, Cause::Shown));
    assert!(spare(&said).is_none());
    assert!(spare(&d.pass(ms(299))).is_none());
    assert!(spare(&d.pass(ms(1))).is_some());
}

#[test]
fn an_unlocked_screen_asks_a_link_that_has_been_quiet_and_only_that() {
    let (mut d, _) = Driver::live(1);
    d.pass(secs(2));
    assert!(d.tell(Input::Unlocked).is_empty());
    d.pass(secs(4));
    let said = d.tell(Input::Unlocked);
    assert!(numbered(&said).is_some());
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Suspect, Cause::Unlocked)
    );
}

#[test]
fn a_path_that_kills_silent_sockets_is_asked_more_often() {
    let (mut d, mut conn) = Driver::live(1);
    for _ in 0..2 {
        d.pass(secs(20));
        d.tell(Input::Closed(conn, retry(Cause::Lost)));
        d.until_dial(secs(60)).unwrap();
        conn = d.sign_in();
    }
    assert!(d.pass(ms(14_999)).is_empty());
    assert!(quiet(&d.pass(ms(1))));
    let mut later = Driver::new(2);
    later.link.restore(d.link.learnt().clone());
    later.tell(Input::Start);
    later.sign_in();
    assert!(
        quiet(&later.pass(secs(15))),
        "what was learnt outlives the process"
    );
}

#[test]
fn a_socket_that_died_in_sleep_teaches_nothing_of_the_path() {
    let (mut d, mut conn) = Driver::live(1);
    for _ in 0..4 {
        d.pass(secs(10));
        d.tell(Input::Suspending);
        d.freeze(secs(10));
        d.tell(Input::Resumed {
            slept: Some(secs(10)),
            proven: true,
        });
        d.tell(Input::Closed(conn, retry(Cause::Lost)));
        conn = d.sign_in();
    }
    assert!(d.pass(ms(24_999)).is_empty());
}

#[test]
fn a_silence_longer_than_any_we_allow_was_a_sleep_and_teaches_nothing() {
    let (mut d, mut conn) = Driver::live(1);
    for _ in 0..4 {
        d.freeze(secs(3600));
        d.tell(Input::Closed(conn, retry(Cause::Lost)));
        d.until_dial(secs(60)).unwrap();
        conn = d.sign_in();
    }
    assert_eq!(d.link.learnt(), &dormouse_link::IdleIntervals::default());
}

#[test]
fn a_question_overtaken_by_sleep_is_void_and_teaches_nothing() {
    let (mut d, _) = Driver::live(1);
    for _ in 0..4 {
        d.pass(secs(25));
        d.freeze(secs(60));
        let said = d.tell(Input::Resumed {
            slept: Some(secs(60)),
            proven: true,
        });
        assert!(spare(&said).is_some());
        d.sign_in();
        d.pass(secs(1));
    }
    assert_eq!(d.link.learnt(), &dormouse_link::IdleIntervals::default());
}

#[test]
fn a_long_message_is_given_the_time_that_a_slow_reader_needs() {
    let (mut d, conn) = Driver::live(1);
    // 230 kB at 3,000 bytes a second, as ejabberd comes.
    d.tell(Input::AckAwaited { conn, bytes: 230_000 });
    let said = d.pass(secs(77));
    assert!(spare(&said).is_none() && !said.contains(&Output::Hangup(conn)));
    // It is not called live all that time: nothing but our hope says so.
    assert_eq!(d.state(), ConnectionState::Suspect);
    d.tell(Input::Acked { conn, all: true });
    d.tell(Input::Answer(conn, numbered(&said).expect("a question")));
    assert_eq!(d.state(), ConnectionState::Live);
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    d.pass(secs(2));
    assert_eq!(
        d.state(),
        ConnectionState::Suspect,
        "an ordinary one is late as ever"
    );
}

#[test]
fn a_long_message_that_nobody_reads_is_given_up_too() {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::AckAwaited { conn, bytes: 22_000 });
    let said = d.pass(secs(10 + 10 + 1));
    assert!(spare(&said).is_some());
    assert!(said.contains(&Output::Hangup(conn)));
}

#[test]
fn a_server_that_reads_slowly_but_reads_keeps_its_connection() {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    for _ in 0..40 {
        assert!(spare(&d.pass(ms(1_500))).is_none());
        assert_eq!(d.state(), ConnectionState::Suspect);
        d.tell(Input::Acked { conn, all: false });
    }
    assert!(d.pass(secs(11)).contains(&Output::Hangup(conn)), "it has stopped");
}

#[test]
fn a_long_message_of_a_lost_connection_buys_the_next_one_no_time() {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::AckAwaited { conn, bytes: 230_000 });
    d.tell(Input::Closed(conn, retry(Cause::Lost)));
    d.pass(secs(3));
    let conn = d.sign_in();
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    d.pass(secs(2));
    assert_eq!(d.state(), ConnectionState::Suspect);
    assert!(d.pass(secs(10)).contains(&Output::Hangup(conn)));
}

//! What follows when a dial, a sign-in or a session has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output};
use dormouse_model::{Action, Cause, ConnectionState, Verdict};
use driver::*;
use std::time::Duration;

fn fails(d: &mut Driver, action: Action) -> Vec<Output> {
    let conn = d.last_dial().unwrap();
    d.tell(Input::DialFailed(conn, Verdict::new(action, Cause::Lost)))
}

fn started(seed: u8) -> Driver {
    let mut d = Driver::new(seed);
    d.tell(Input::Start);
    d
}

#[test]
fn failed_dials_are_repeated_after_one_second_doubling_to_thirty_plus_half() {
    let mut d = started(1);
    for (n, usual) in [1, 2, 4, 8, 16, 30, 30].into_iter().enumerate() {
        fails(&mut d, Action::Retry);
        let ConnectionState::Waiting { until, attempt } = d.state() else {
            panic!("{:?}", d.state())
        };
        assert_eq!(attempt as usize, n + 2);
        let wait = until.since(d.now);
        assert!(wait >= secs(usual) && wait <= secs(usual) * 3 / 2, "{wait:?}");
        assert_eq!(d.until_dial(secs(60)), Some(wait));
        assert_eq!(d.state(), ConnectionState::Connecting { attempt });
        assert_eq!(d.cause(), Cause::BackoffOver);
    }
}

fn wait_after_session_of(length: Duration) -> Duration {
    let mut d = started(1);
    for _ in 0..5 {
        fails(&mut d, Action::Retry);
        d.until_dial(secs(60)).unwrap();
    }
    let conn = d.sign_in();
    d.pass(length.min(secs(25)));
    d.tell(Input::QuietAnswer(conn));
    d.pass(length.saturating_sub(secs(25)));
    d.tell(Input::AckAwaited { conn, bytes: 200 });
    d.tell(Input::Acked { conn, all: true });
    d.tell(Input::Closed(conn, retry(Cause::Lost)));
    d.until_dial(secs(60)).unwrap()
}

#[test]
fn a_session_that_lived_resets_the_backoff_and_a_connect_does_not() {
    assert!(wait_after_session_of(secs(30)) <= ms(1500));
    assert!(wait_after_session_of(secs(29)) >= secs(30));
}

#[test]
fn wake_network_up_and_retry_now_cut_a_wait_short() {
    for input in [
        Input::Resumed {
            slept: Some(secs(9)),
            proven: true,
        },
        Input::Network {
            up: true,
            route_lost: false,
        },
        Input::RetryNow,
    ] {
        let mut d = started(1);
        fails(&mut d, Action::RetrySlowly);
        assert!(dial(&d.tell(input)).is_some());
    }
}

#[test]
fn a_restarting_servers_clients_come_back_spread_over_seconds() {
    let waits: Vec<_> = (0..100)
        .map(|seed| {
            let mut d = started(seed);
            fails(&mut d, Action::RetryScattered);
            d.until_dial(secs(60)).unwrap()
        })
        .collect();
    assert!(waits.iter().min() < Some(&secs(3)) && waits.iter().max() > Some(&secs(13)));
}

#[test]
fn retry_after_is_obeyed_by_all_but_the_user() {
    let mut d = started(1);
    fails(&mut d, Action::RetryAfter(secs(120)));
    for _ in 0..3 {
        d.pass(secs(20));
        d.tell(Input::Resumed {
            slept: Some(secs(9)),
            proven: true,
        });
        d.tell(Input::Network {
            up: true,
            route_lost: true,
        });
        d.tell(Input::Suspending);
        d.tell(Input::Resumed {
            slept: Some(secs(9)),
            proven: true,
        });
    }
    assert_eq!(d.dials().len(), 1);
    assert!(matches!(d.state(), ConnectionState::Waiting { .. }));
    assert!(d.until_dial(secs(120)).is_some());
    assert!(d.dials()[1].since(d.dials()[0]) >= secs(120));

    let mut d = started(1);
    fails(&mut d, Action::RetryAfter(secs(120)));
    assert!(dial(&d.tell(Input::RetryNow)).is_some());
}

#[test]
fn a_spare_obeys_retry_after_too() {
    let (mut d, _) = Driver::live(1);
    let first = spare(&d.tell(Input::Resumed {
        slept: None,
        proven: true,
    }))
    .unwrap();
    d.tell(Input::DialFailed(
        first,
        Verdict::new(Action::RetryAfter(secs(60)), Cause::Throttled),
    ));
    let wait = d.until_dial(secs(200)).unwrap();
    assert!(wait >= secs(60), "{wait:?}");
}

#[test]
fn slow_retries_wait_the_longest() {
    let mut d = started(1);
    fails(&mut d, Action::RetrySlowly);
    let wait = d.until_dial(secs(60)).unwrap();
    assert!(wait >= secs(30) && wait <= secs(45));
}

#[test]
fn who_is_turned_away_from_a_full_server_comes_back_sooner_or_later_than_others() {
    let waits: Vec<_> = (0..100)
        .map(|seed| {
            let mut d = started(seed);
            let conn = d.last_dial().unwrap();
            let verdict = Verdict::new(Action::RetrySlowly, Cause::Throttled);
            d.tell(Input::DialFailed(conn, verdict));
            d.until_dial(secs(60)).unwrap()
        })
        .collect();
    assert!(waits.iter().min() < Some(&secs(13)) && waits.iter().max() > Some(&secs(32)));
}

#[test]
fn a_wait_that_the_server_asked_for_goes_over_into_the_wait_for_the_budget() {
    let mut d = started(1);
    while dial(&{
        fails(&mut d, Action::Retry);
        d.tell(Input::RetryNow)
    })
    .is_some()
    {
        assert!(d.dials().len() < 100, "there is no budget");
    }
    // One more is allowed, and the server asks for a moment's patience; then the budget is empty still.
    d.until_dial(secs(9)).unwrap();
    fails(&mut d, Action::RetryAfter(secs(1)));
    let ConnectionState::Waiting { until, .. } = d.state() else {
        panic!("{:?}", d.state())
    };
    assert_eq!(dial(&d.pass(until.since(d.now))), None);
    assert!(d.until_dial(secs(3)).is_some());
}

#[test]
fn a_plainer_try_follows_at_once_and_once() {
    let mut d = started(1);
    assert!(dial(&fails(&mut d, Action::RetryPlainly)).is_some());
    assert!(dial(&fails(&mut d, Action::RetryPlainly)).is_none());
    assert!(matches!(d.state(), ConnectionState::Waiting { .. }));
    d.pass(secs(61));
    assert!(dial(&fails(&mut d, Action::RetryPlainly)).is_some());
}

#[test]
fn a_conflict_is_answered_by_a_new_resource_and_stops_if_it_repeats_within_a_minute() {
    let conflict = || Verdict::new(Action::NewResource, Cause::Conflict);
    let (mut d, conn) = Driver::live(1);
    assert!(dial(&d.tell(Input::Closed(conn, conflict()))).is_some());
    let conn = d.sign_in();
    d.tell(Input::Closed(conn, conflict()));
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Stopped, Cause::Conflict)
    );

    let (mut d, conn) = Driver::live(1);
    d.tell(Input::Closed(conn, conflict()));
    let conn = d.sign_in();
    d.pass(secs(25));
    d.tell(Input::QuietAnswer(conn));
    d.pass(secs(25));
    d.tell(Input::QuietAnswer(conn));
    d.pass(secs(10));
    assert!(dial(&d.tell(Input::Closed(conn, conflict()))).is_some());
}

#[test]
fn only_a_verdict_or_the_user_stops_a_link() {
    let mut d = started(1);
    d.tell(Input::DialFailed(
        d.last_dial().unwrap(),
        Verdict::new(Action::Stop, Cause::WrongPassword),
    ));
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Stopped, Cause::WrongPassword)
    );
    assert_eq!(d.link.deadline(), None);
    for input in [
        Input::Resumed {
            slept: None,
            proven: true,
        },
        Input::Network {
            up: true,
            route_lost: true,
        },
        Input::Visible(true),
        Input::Suspending,
    ] {
        assert!(
            d.tell(input)
                .iter()
                .all(|o| !matches!(o, Output::Dial { .. } | Output::State(_)))
        );
    }
    assert!(dial(&d.tell(Input::RetryNow)).is_some());

    let (mut d, conn) = Driver::live(1);
    assert!(d.tell(Input::SignOut).contains(&Output::Hangup(conn)));
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Stopped, Cause::UserAsked)
    );
    assert!(dial(&d.tell(Input::Start)).is_some());
}

#[test]
fn each_silence_in_the_sign_in_has_a_deadline_and_so_has_the_whole() {
    let mut d = started(1);
    let conn = d.last_dial().unwrap();
    d.tell(Input::Dialled(conn));
    d.pass(ms(9_999));
    assert_eq!(d.state(), ConnectionState::SigningIn);
    assert!(d.pass(ms(1)).contains(&Output::Hangup(conn)));
    assert!(matches!(d.state(), ConnectionState::Waiting { .. }));

    let mut d = started(1);
    let conn = d.last_dial().unwrap();
    d.tell(Input::Dialled(conn));
    for _ in 0..5 {
        d.pass(ms(5_900));
        d.tell(Input::Inbound(conn));
    }
    assert_eq!(d.state(), ConnectionState::SigningIn);
    assert!(d.pass(ms(500)).contains(&Output::Hangup(conn)));
}

#[test]
fn a_throttled_process_does_not_judge_a_sign_in_without_another_look() {
    let mut d = started(1);
    let conn = d.last_dial().unwrap();
    d.tell(Input::Dialled(conn));
    d.freeze(secs(100));
    d.tell(Input::Tick);
    assert_eq!(d.state(), ConnectionState::SigningIn);
    d.tell(Input::SignedIn { conn, resumed: false });
    assert_eq!(d.state(), ConnectionState::CatchingUp);
}

#[test]
fn a_dial_that_never_answers_is_begun_anew() {
    let mut d = started(1);
    let conn = d.last_dial().unwrap();
    assert!(d.pass(secs(45)).contains(&Output::Hangup(conn)));
    assert!(d.until_dial(secs(2)).is_some());
}

#[test]
fn a_closed_link_waits_a_little_before_it_dials_for_many_may_have_lost_it() {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::Closed(conn, retry(Cause::Lost)));
    let wait = d.until_dial(secs(5)).unwrap();
    assert!(wait >= secs(1) && wait <= ms(1500));
}

#[test]
fn no_impatience_makes_more_dials_than_the_budget() {
    let mut d = started(1);
    for _ in 0..600 {
        fails(&mut d, Action::Retry);
        d.pass(ms(100));
        d.tell(Input::RetryNow);
    }
    let dials = d.dials().len();
    assert!((30..=40).contains(&dials), "{dials} dials in a minute");
    // Refused for the moment only: the dial follows by itself.
    fails(&mut d, Action::Retry);
    d.tell(Input::RetryNow);
    assert!(d.until_dial(secs(3)).is_some());
}

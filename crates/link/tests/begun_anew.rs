//! When a dial or a sign-in is dropped for a new one, when it is left alone, and what is heard of the dropped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output};
use dormouse_model::{Cause, ConnId, ConnectionState};
use driver::*;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Dial,
    SignIn,
}
use Phase::{Dial, SignIn};

/// Whether a dial or a sign-in that is so many milliseconds old is dropped for a new dial.
fn is_begun_anew(phase: Phase, age: u64, input: Input) -> bool {
    let mut d = Driver::new(1);
    d.tell(Input::Start);
    let conn = d.last_dial().unwrap();
    if phase == SignIn {
        d.tell(Input::Dialled(conn));
    }
    d.pass(ms(age));
    let said = d.tell(input);
    let dropped = said.contains(&Output::Hangup(conn));
    assert_eq!(dropped, dial(&said).is_some(), "{said:?}");
    dropped
}

#[test]
fn the_user_who_retries_is_given_a_new_dial_for_one_that_hangs_for_three_seconds() {
    for phase in [Dial, SignIn] {
        assert!(!is_begun_anew(phase, 2_999, Input::RetryNow), "{phase:?}");
        assert!(is_begun_anew(phase, 3_000, Input::RetryNow), "{phase:?}");
    }
}

#[test]
fn what_was_begun_before_a_proven_sleep_is_begun_anew_and_a_wake_told_twice_is_one() {
    for phase in [Dial, SignIn] {
        assert!(is_begun_anew(phase, 1_000, WOKE), "{phase:?}");
        assert!(!is_begun_anew(phase, 999, WOKE), "{phase:?}");
        assert!(!is_begun_anew(phase, 5_000, MAY_HAVE_SLEPT), "{phase:?}");
    }
}

#[test]
fn a_change_of_the_network_drops_a_dial_begun_before_it_and_a_lost_route_a_sign_in_too() {
    assert!(is_begun_anew(Dial, 300, network(false)));
    assert!(!is_begun_anew(Dial, 299, network(false)));
    assert!(!is_begun_anew(SignIn, 5_000, network(false)));
    for phase in [Dial, SignIn] {
        assert!(is_begun_anew(phase, 0, network(true)), "{phase:?}");
    }
}

/// How long it takes until the dial follows that `begin` made necessary, after it has failed once.
fn second_try(mut d: Driver) -> std::time::Duration {
    let conn = d.last_dial().unwrap();
    d.tell(Input::DialFailed(conn, retry(Cause::Unreachable)));
    d.until_dial(secs(60)).unwrap()
}

#[test]
fn after_a_change_of_the_network_a_failed_try_costs_little_as_after_a_wake() {
    let (mut lost, _) = Driver::live(1);
    assert!(spare(&lost.tell(network(true))).is_some());
    let mut dialling = Driver::new(1);
    dialling.tell(Input::Start);
    dialling.tell(network(false));
    let (mut waiting, conn) = Driver::live(1);
    waiting.tell(Input::Closed(conn, retry(Cause::Lost)));
    assert!(dial(&waiting.tell(network(false))).is_some());
    for d in [lost, dialling, waiting] {
        let wait = second_try(d);
        assert!(wait <= ms(375), "{wait:?}");
    }
    // A live link that keeps its route has no such excuse.
    let (mut kept, _) = Driver::live(1);
    kept.tell(network(false));
    assert!(spare(&kept.pass(ms(300))).is_some());
    assert!(second_try(kept) >= secs(2));
}

/// A dial that was dropped for another, and that other.
fn dropped() -> (Driver, ConnId, ConnId) {
    let mut d = Driver::new(1);
    d.tell(Input::Start);
    let first = d.last_dial().unwrap();
    d.pass(secs(3));
    let second = dial(&d.tell(Input::RetryNow)).unwrap();
    (d, first, second)
}

#[test]
fn a_dropped_dial_that_comes_through_all_the_same_is_hung_up_and_not_used() {
    let (mut d, first, second) = dropped();
    assert_eq!(d.tell(Input::Dialled(first)), [Output::Hangup(first)]);
    assert!(matches!(d.state(), ConnectionState::Connecting { .. }));
    assert!(d.tell(Input::Dialled(second)).contains(&Output::Use(second)));
    assert_eq!(d.tell(Input::Dialled(first)), [Output::Hangup(first)]);
    assert_eq!(d.state(), ConnectionState::SigningIn);
}

#[test]
fn what_a_dropped_connection_still_delivers_does_not_keep_a_mute_sign_in_alive() {
    let (mut d, first, second) = dropped();
    d.tell(Input::Dialled(second));
    d.pass(secs(9));
    d.tell(Input::Inbound(first));
    assert!(d.pass(secs(1)).contains(&Output::Hangup(second)));
}

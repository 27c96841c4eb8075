//! What is heard while the machine sleeps, or while there is no network.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output};
use dormouse_model::{Action, Cause, ConnId, ConnectionState, Verdict};
use driver::*;

/// A live link whose machine is about to sleep.
fn asleep() -> (Driver, ConnId) {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::Suspending);
    assert_eq!(d.state(), ConnectionState::Asleep);
    (d, conn)
}

#[test]
fn what_the_network_did_in_the_sleep_decides_how_soon_a_spare_is_dialled_after_it() {
    for (events, at_once) in [
        (vec![], false),
        (vec![network(false)], false),
        (vec![network(true)], true),
        (vec![network(true), network(false)], true),
        (vec![NO_NETWORK, network(false)], true),
    ] {
        let (mut d, _) = asleep();
        for event in &events {
            d.tell(event.clone());
        }
        let said = d.tell(MAY_HAVE_SLEPT);
        assert!(numbered(&said).is_some());
        assert_eq!(spare(&said).is_some(), at_once, "{events:?}");
    }
}

#[test]
fn what_the_network_did_just_before_the_sleep_is_not_forgotten_over_it() {
    for route_lost in [false, true] {
        let (mut d, _) = Driver::live(1);
        // So many at once that the last is kept for later.
        for _ in 0..3 {
            d.tell(network(false));
        }
        assert_eq!(d.tell(network(route_lost)), []);
        d.tell(Input::Suspending);
        assert_eq!(
            spare(&d.tell(MAY_HAVE_SLEPT)).is_some(),
            route_lost,
            "{route_lost}"
        );
    }
    let (mut d, _) = Driver::live(1);
    d.tell(NO_NETWORK);
    d.tell(Input::Suspending);
    d.tell(network(false));
    assert!(
        spare(&d.tell(MAY_HAVE_SLEPT)).is_some(),
        "it was without network once"
    );
}

#[test]
fn a_machine_that_wakes_without_network_is_shown_so_and_its_link_kept() {
    let (mut d, conn) = asleep();
    d.tell(NO_NETWORK);
    let said = d.tell(MAY_HAVE_SLEPT);
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Offline, Cause::NetworkDown)
    );
    assert!(!said.contains(&Output::Hangup(conn)) && d.dials().len() == 1);
    let said = d.tell(network(false));
    assert!(numbered(&said).is_some() && spare(&said).is_some());
}

#[test]
fn a_window_that_is_shown_wakes_a_link_that_was_told_of_no_wake() {
    let (mut d, _) = asleep();
    assert!(numbered(&d.tell(Input::Visible(true))).is_some());
    assert_eq!((d.state(), d.cause()), (ConnectionState::Suspect, Cause::Woke));
}

#[test]
fn an_archive_read_to_its_end_does_not_make_a_simulated_sleep_a_real_one() {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::SimulatedSleep);
    d.tell(Input::CaughtUp(conn));
    d.tell(WOKE);
    assert_eq!(d.cause(), Cause::SimulatedWake);
}

#[test]
fn of_a_held_connection_only_its_own_end_is_heard() {
    for leaves in [Input::Suspending, NO_NETWORK] {
        for (other, kept) in [(true, true), (false, false)] {
            let (mut d, conn) = Driver::live(1);
            d.tell(leaves.clone());
            let ended = if other { conn.next() } else { conn };
            d.tell(Input::Closed(ended, retry(Cause::Lost)));
            let said = d.tell(if leaves == NO_NETWORK {
                network(false)
            } else {
                WOKE
            });
            assert_eq!(
                numbered(&said).is_some(),
                kept,
                "{leaves:?}: asked, for it is held"
            );
            assert_eq!(dial(&said).is_some(), !kept, "{leaves:?}");
        }
    }
}

#[test]
fn a_connection_refused_for_good_in_the_sleep_stops_the_link_then() {
    let (mut d, conn) = asleep();
    d.tell(Input::Closed(
        conn,
        Verdict::new(Action::Stop, Cause::WrongPassword),
    ));
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Stopped, Cause::WrongPassword)
    );
    d.tell(WOKE);
    assert_eq!(d.dials().len(), 1);
}

#[test]
fn a_wait_that_the_server_asks_for_in_the_sleep_is_kept_after_it() {
    let (mut d, conn) = asleep();
    d.tell(Input::Closed(
        conn,
        Verdict::new(Action::RetryAfter(secs(90)), Cause::Throttled),
    ));
    assert_eq!(dial(&d.tell(WOKE)), None);
    assert!(matches!(d.state(), ConnectionState::Waiting { .. }));
    assert!(d.until_dial(secs(300)).unwrap() >= secs(90));
}

//! Sleep, networks, spares.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output};
use dormouse_model::{Action, Cause, ConnectionState, Verdict};
use driver::*;
use std::time::Duration;

fn woke(seconds: u64) -> Input {
    Input::Resumed {
        slept: Some(secs(seconds)),
        proven: true,
    }
}

#[test]
fn after_proven_sleep_the_old_link_is_asked_and_a_spare_dialled_at_the_same_moment() {
    let (mut d, conn) = Driver::live(1);
    assert!(
        d.tell(Input::Suspending)
            .iter()
            .all(|o| !matches!(o, Output::Hangup(_)))
    );
    assert_eq!(d.state(), ConnectionState::Asleep);
    d.freeze(secs(3600));
    let said = d.tell(woke(3600));
    let (probe, spare) = (numbered(&said).unwrap(), spare(&said).unwrap());
    assert_eq!((d.state(), d.cause()), (ConnectionState::Suspect, Cause::Woke));
    d.pass(ms(50));
    let said = d.tell(Input::Answer(conn, probe));
    assert!(said.contains(&Output::Hangup(spare)));
    assert_eq!(d.state(), ConnectionState::Live);
    // The spare comes through all the same: too late.
    assert_eq!(d.tell(Input::Dialled(spare)), [Output::Hangup(spare)]);
    assert_eq!(d.state(), ConnectionState::Live);
}

#[test]
fn a_spare_that_is_ready_first_takes_over() {
    let (mut d, conn) = Driver::live(1);
    d.freeze(secs(60));
    let said = d.tell(woke(60));
    let (probe, spare) = (numbered(&said).unwrap(), spare(&said).unwrap());
    d.pass(ms(200));
    let said = d.tell(Input::Dialled(spare));
    assert!(said.contains(&Output::Use(spare)) && said.contains(&Output::Hangup(conn)));
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::SigningIn, Cause::SpareReady)
    );
    d.tell(Input::Answer(conn, probe));
    d.tell(Input::Closed(
        conn,
        Verdict::new(Action::NewResource, Cause::Conflict),
    ));
    assert_eq!(
        d.state(),
        ConnectionState::SigningIn,
        "the old link's last words are not heard"
    );
}

#[test]
fn a_wake_that_proves_no_sleep_asks_first() {
    let (mut d, _) = Driver::live(1);
    let said = d.tell(Input::Resumed {
        slept: None,
        proven: false,
    });
    assert!(numbered(&said).is_some() && spare(&said).is_none());
    assert!(spare(&d.pass(ms(299))).is_none());
    assert!(spare(&d.pass(ms(1))).is_some());
}

#[test]
fn a_wake_told_twice_makes_one_spare() {
    let (mut d, _) = Driver::live(1);
    assert!(spare(&d.tell(woke(60))).is_some());
    d.pass(ms(100));
    let said = d.tell(woke(60));
    assert!(spare(&said).is_none() && numbered(&said).is_none());
}

#[test]
fn a_spare_from_before_a_second_sleep_is_replaced() {
    let (mut d, _) = Driver::live(1);
    let first = spare(&d.tell(woke(60))).unwrap();
    d.freeze(secs(100));
    let said = d.tell(woke(100));
    assert!(said.contains(&Output::Hangup(first)));
    assert!(spare(&said).is_some() && numbered(&said).is_some());
}

#[test]
fn a_late_answer_brings_no_spare_before_two_seconds() {
    for seed in 0..50 {
        let (mut d, _) = Driver::live(seed);
        assert!(spare(&d.pass(ms(26_999))).is_none());
        assert!(spare(&d.pass(ms(4_001))).is_some());
    }
}

#[test]
fn a_closed_link_goes_on_with_the_spare_under_way() {
    let (mut d, conn) = Driver::live(1);
    let spare = spare(&d.tell(woke(60))).unwrap();
    let said = d.tell(Input::Closed(conn, retry(Cause::Lost)));
    assert!(dial(&said).is_none() && !said.contains(&Output::Hangup(spare)));
    assert!(matches!(d.state(), ConnectionState::Connecting { .. }));
    d.tell(Input::Dialled(spare));
    assert_eq!(d.state(), ConnectionState::SigningIn);
}

#[test]
fn right_after_waking_failed_tries_cost_little() {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::Suspending);
    d.tell(Input::Closed(conn, retry(Cause::Lost)));
    assert_eq!(d.state(), ConnectionState::Asleep);
    d.freeze(secs(60));
    assert!(dial(&d.tell(woke(60))).is_some());
    for _ in 0..4 {
        d.tell(Input::DialFailed(
            d.last_dial().unwrap(),
            retry(Cause::Unreachable),
        ));
        assert!(d.until_dial(ms(750)).is_some());
    }
}

#[test]
fn a_spare_that_fails_right_after_waking_is_soon_replaced() {
    let (mut d, _) = Driver::live(1);
    let first = spare(&d.tell(woke(60))).unwrap();
    d.tell(Input::DialFailed(first, retry(Cause::Unreachable)));
    assert_eq!(d.state(), ConnectionState::Suspect);
    assert!(d.until_dial(ms(500)).is_some());
}

#[test]
fn a_dial_that_hangs_right_after_waking_is_begun_anew() {
    let (mut d, _) = Driver::live(1);
    d.tell(Input::Suspending);
    d.freeze(secs(60));
    let first = spare(&d.tell(woke(60))).unwrap();
    let said = d.pass(ms(2_500));
    assert!(said.contains(&Output::Hangup(first)));
    assert!(spare(&said).is_some());
}

#[test]
fn a_machine_that_never_told_of_waking_is_not_believed_to_sleep_for_ever() {
    let (mut d, _) = Driver::live(1);
    d.tell(Input::Suspending);
    d.freeze(secs(3600));
    assert!(numbered(&d.tell(Input::Tick)).is_some());
    assert_eq!(d.state(), ConnectionState::Suspect);
}

#[test]
fn without_network_nothing_is_dialled_and_the_state_says_so() {
    let mut d = Driver::new(1);
    d.tell(Input::Network {
        up: false,
        route_lost: true,
    });
    d.tell(Input::Start);
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Offline, Cause::NetworkDown)
    );
    d.pass(secs(3600));
    assert!(d.dials().is_empty());
    let said = d.tell(Input::Network {
        up: true,
        route_lost: false,
    });
    assert!(dial(&said).is_some(), "network-up dials at once");
}

#[test]
fn a_living_link_without_network_is_shown_as_offline_and_kept() {
    let (mut d, conn) = Driver::live(1);
    let said = d.tell(Input::Network {
        up: false,
        route_lost: true,
    });
    assert_eq!(d.state(), ConnectionState::Offline);
    assert!(!said.contains(&Output::Hangup(conn)));
    d.pass(secs(300));
    let said = d.tell(Input::Network {
        up: true,
        route_lost: false,
    });
    assert!(numbered(&said).is_some() && spare(&said).is_some());
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Suspect, Cause::NetworkUp)
    );
}

#[test]
fn a_link_that_answers_is_believed_over_a_system_that_sees_no_network() {
    let (mut d, conn) = Driver::live(1);
    let probe = numbered(&d.tell(Input::Network {
        up: false,
        route_lost: false,
    }))
    .unwrap();
    d.tell(Input::Inbound(conn));
    assert_eq!(d.state(), ConnectionState::Offline);
    d.tell(Input::Answer(conn, probe));
    assert_eq!(d.state(), ConnectionState::Live);
}

#[test]
fn losing_the_network_drops_dial_and_spare() {
    let (mut d, _) = Driver::live(1);
    let spare = spare(&d.tell(woke(60))).unwrap();
    assert!(
        d.tell(Input::Network {
            up: false,
            route_lost: true
        })
        .contains(&Output::Hangup(spare))
    );
    let mut d = Driver::new(1);
    d.tell(Input::Start);
    let conn = d.last_dial().unwrap();
    assert!(
        d.tell(Input::Network {
            up: false,
            route_lost: true
        })
        .contains(&Output::Hangup(conn))
    );
}

#[test]
fn a_lost_route_is_treated_like_sleep_and_another_change_asks_first() {
    let (mut d, _) = Driver::live(1);
    let said = d.tell(Input::Network {
        up: true,
        route_lost: true,
    });
    assert!(numbered(&said).is_some() && spare(&said).is_some());
    let (mut d, _) = Driver::live(1);
    let said = d.tell(Input::Network {
        up: true,
        route_lost: false,
    });
    assert!(numbered(&said).is_some() && spare(&said).is_none());
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Suspect, Cause::NetworkChanged)
    );
}

#[test]
fn a_burst_of_network_events_is_debounced() {
    let (mut d, _) = Driver::live(1);
    let mut probes = 0;
    for n in 0..500 {
        d.freeze(ms(10));
        let said = d.tell(Input::Network {
            up: true,
            route_lost: n % 2 == 0,
        });
        probes += usize::from(numbered(&said).is_some());
    }
    assert!(probes <= 6, "{probes} probes in five seconds");
    assert!(d.dials().len() <= 1 + 4, "{} dials", d.dials().len());
}

#[test]
fn what_is_kept_of_a_burst_when_the_link_stops_does_not_outlive_newer_news() {
    let (mut d, _) = Driver::live(1);
    for _ in 0..4 {
        d.tell(network(false));
    }
    d.tell(Input::SignOut);
    d.tell(NO_NETWORK);
    d.pass(secs(5));
    d.tell(Input::Start);
    assert_eq!(d.state(), ConnectionState::Offline);
}

#[test]
fn spares_have_a_budget() {
    let (mut d, conn) = Driver::live(1);
    let mut spares = 0;
    for _ in 0..60 {
        d.freeze(secs(1));
        let said = d.tell(woke(1));
        spares += usize::from(spare(&said).is_some());
        if let Some(probe) = numbered(&said) {
            d.tell(Input::Answer(conn, probe));
        }
    }
    assert!((4..=7).contains(&spares), "{spares} spares in a minute");
}

/// Sleeps again and again, wakes to dead connections; the longest wait for a spare after a wake.
fn longest_wait(sleeps: u32, apart: Duration) -> Duration {
    let (mut d, _) = Driver::live(1);
    let waits = (0..sleeps).map(|_| {
        d.pass(apart - ms(500));
        d.tell(Input::Suspending);
        d.freeze(ms(500));
        let woke_at = d.now;
        if spare(&d.tell(woke(1))).is_none() {
            d.until_dial(secs(60)).expect("a dial");
        }
        let wait = d.now.since(woke_at);
        d.pass(ms(100));
        d.sign_in();
        wait
    });
    waits.max().unwrap()
}

#[test]
fn a_wake_waits_for_no_budget_however_often_the_machine_sleeps() {
    for apart in [ms(3_700), secs(5), secs(11), secs(25)] {
        assert_eq!(longest_wait(40, apart), ms(0), "every {apart:?}");
    }
}

#[test]
fn sleeps_in_quick_succession_ask_the_old_connection_first_and_wait_no_longer_than_the_next_dial() {
    let soon = longest_wait(12, ms(1_500));
    assert!(soon > ms(0) && soon <= ms(300), "{soon:?}");
    let often = longest_wait(60, ms(1_500));
    assert!(often <= secs(3), "{often:?}");
}

#[test]
fn a_route_that_is_lost_again_and_again_is_no_sleep_and_keeps_to_the_budget() {
    let (mut d, conn) = Driver::live(1);
    for _ in 0..12 {
        d.freeze(secs(1));
        let said = d.tell(Input::Network {
            up: true,
            route_lost: true,
        });
        let said = [said, d.pass(ms(900))].concat();
        if let Some(probe) = numbered(&said) {
            d.tell(Input::Answer(conn, probe));
        }
    }
    assert!(d.dials().len() <= 1 + 5, "{} dials", d.dials().len());
}

#[test]
fn a_sign_in_that_falls_asleep_begins_anew() {
    let mut d = Driver::new(1);
    d.tell(Input::Start);
    let conn = d.last_dial().unwrap();
    d.tell(Input::Dialled(conn));
    d.freeze(secs(60));
    let said = d.tell(woke(60));
    assert!(said.contains(&Output::Hangup(conn)) && dial(&said).is_some());
}

/// Sleeps, wakes into no network, which is back after `late`; how long after that the session begins anew.
fn recovery(seed: u8, late: u64, hangs: bool, held: bool, told: bool) -> u64 {
    let (mut d, conn) = Driver::live(seed);
    d.tell(Input::Suspending);
    if !held {
        d.tell(Input::Closed(conn, retry(Cause::Lost)));
    }
    d.freeze(secs(3600));
    let back = d.now + ms(late);
    let (mut seen, mut told) = (d.said.len(), !told);
    d.tell(woke(3600));
    loop {
        while seen < d.said.len() {
            let (at, output) = d.said[seen].clone();
            seen += 1;
            let Output::Dial { conn, .. } = output else {
                continue;
            };
            if at >= back {
                return at.since(back).as_millis() as u64;
            }
            if !hangs {
                d.tell(Input::DialFailed(conn, retry(Cause::Unreachable)));
            }
        }
        let due = d.link.deadline().unwrap();
        if !told && due >= back {
            told = true;
            d.now = back;
            d.tell(Input::Network {
                up: true,
                route_lost: false,
            });
        } else {
            d.now = d.now.max(due);
            d.tell(Input::Tick);
        }
    }
}

#[test]
fn a_network_that_is_late_after_waking_is_found_soon_and_at_once_if_told_of() {
    for seed in 0..30 {
        for late in [500, 2_000, 4_000, 8_000] {
            for held in [false, true] {
                let failing = recovery(seed, late, false, held, false);
                assert!(failing <= 1_500, "{failing} ms (late {late}, held {held})");
                let hanging = recovery(seed, late, true, held, false);
                assert!(hanging <= 6_500, "{hanging} ms (late {late}, held {held})");
                for hangs in [false, true] {
                    let told = recovery(seed, late, hangs, held, true);
                    assert!(told <= 300, "{told} ms (late {late}, hangs {hangs}, held {held})");
                }
            }
        }
    }
}

#[test]
fn news_of_a_restart_read_after_waking_does_not_delay_the_spare() {
    let (mut d, conn) = Driver::live(1);
    let spare = spare(&d.tell(woke(60))).unwrap();
    d.tell(Input::Closed(
        conn,
        Verdict::new(Action::RetryScattered, Cause::ServerRestarting),
    ));
    d.tell(Input::Dialled(spare));
    assert_eq!(d.state(), ConnectionState::SigningIn);
    // Without an interruption everybody was told at the same moment.
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::Resumed {
        slept: None,
        proven: false,
    });
    d.pass(ms(300));
    d.tell(Input::Closed(
        conn,
        Verdict::new(Action::RetryScattered, Cause::ServerRestarting),
    ));
    assert!(matches!(d.state(), ConnectionState::Waiting { .. }));
}

#[test]
fn a_simulated_sleep_is_a_sleep_in_all_but_its_name() {
    let (mut d, conn) = Driver::live(1);
    d.tell(Input::SimulatedSleep);
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Asleep, Cause::SimulatedSleep)
    );
    d.freeze(secs(30));
    let said = d.tell(woke(30));
    let (probe, _) = (numbered(&said).unwrap(), spare(&said).unwrap());
    assert_eq!(
        (d.state(), d.cause()),
        (ConnectionState::Suspect, Cause::SimulatedWake)
    );
    d.pass(ms(20));
    d.tell(Input::Answer(conn, probe));
    assert_eq!(d.state(), ConnectionState::Live);
    // The next real one is real.
    d.tell(Input::Suspending);
    d.freeze(secs(30));
    d.tell(woke(30));
    assert_eq!(d.cause(), Cause::Woke);
}

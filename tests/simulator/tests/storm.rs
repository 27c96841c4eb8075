//! Thousands of clients lose a server at the same moment; nobody is knocked over by their coming back.

use dormouse_simulator::storm::{Habit, Storm, Weather};
use std::time::Duration;

const CLIENTS: usize = 10_000;

fn calm() -> Weather {
    Weather {
        clients: CLIENTS,
        gone: Duration::ZERO,
        orderly: false,
        stalls: Duration::ZERO,
        admits: None,
        watched: Duration::from_secs(180),
    }
}

#[test]
fn ten_thousand_clients_come_back_spread_to_a_server_that_was_gone_for_a_minute() {
    let weather = Weather {
        gone: Duration::from_secs(60),
        ..calm()
    };
    let storm = Storm::of(Habit::Dormouse, &weather);
    let all_but_few = storm.time_until(0.99).expect("99 % come back");
    assert!(all_but_few <= Duration::from_secs(46), "{all_but_few:?}");
    // From the server's return on: the whole crowd spread over the longest wait.
    let peak = storm.peak(60);
    assert!(
        f64::from(peak) <= 3.0 * storm.mean(60),
        "{peak} against {}",
        storm.mean(60)
    );
    for other in [Habit::Fixed(Duration::from_secs(3)), Habit::Doubling] {
        let theirs = Storm::of(other, &weather).peak(60);
        assert!(theirs > 5 * peak, "{}: {theirs} against {peak}", other.name());
    }
}

#[test]
fn a_server_that_stalls_for_5_s_gets_few_spares_and_keeps_its_clients() {
    let storm = Storm::of(
        Habit::Dormouse,
        &Weather {
            stalls: Duration::from_secs(5),
            ..calm()
        },
    );
    let spares = storm.spares();
    assert!(spares > 0, "nobody doubted");
    assert!(spares as usize <= CLIENTS / 10, "{spares} spares");
    assert!(
        storm.peak(0) as usize <= CLIENTS / 20,
        "{} in a second",
        storm.peak(0)
    );
    assert!(
        storm
            .seconds
            .iter()
            .all(|second| second.signed_in as usize >= CLIENTS * 9 / 10)
    );
}

#[test]
fn a_server_that_admits_200_a_second_has_everyone_back_within_twice_the_ideal_time() {
    let admits = 200;
    let weather = Weather {
        gone: Duration::from_secs(60),
        admits: Some(admits),
        ..calm()
    };
    let storm = Storm::of(Habit::Dormouse, &weather);
    let ideal = Duration::from_secs(CLIENTS as u64 / u64::from(admits));
    let all = storm.time_until(1.0).expect("all come back");
    assert!(all <= ideal * 2, "{all:?} where {ideal:?} would be ideal");
}

#[test]
fn a_storm_is_the_same_each_time() {
    let weather = Weather {
        clients: 200,
        gone: Duration::from_secs(20),
        ..calm()
    };
    let (one, two) = (
        Storm::of(Habit::Dormouse, &weather),
        Storm::of(Habit::Dormouse, &weather),
    );
    assert_eq!(one.seconds, two.seconds);
}

//! A server with ten thousand links stalls for three seconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Link, Output, Probe, Settings};
use dormouse_model::{ConnId, ConnectionState, Now, ProbeId, Random, Stamp, Tick};
use driver::{ms, secs};

const STALL: (Tick, Tick) = (Tick(100_000), Tick(103_000));

enum Asked {
    Quiet,
    Numbered(ProbeId),
}

/// One link and its server: every question is answered after 50 ms, those that meet the stall after it.
/// Returns how many spares were dialled, and whether the link was ever lost.
fn life(seed: u64, talks: bool) -> (usize, bool) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut link = Link::new(Settings::default(), Random::from_seed(bytes));
    // Each came at its own time, so their heartbeats are not in step.
    let mut now = Tick(20_000 + seed * 7 % 25_000);
    let moment = |tick: Tick| Now {
        tick,
        stamp: Stamp(0),
    };
    link.handle(moment(now), Input::Start);
    let conn = ConnId(1);
    link.handle(moment(now), Input::Dialled(conn));
    link.handle(moment(now), Input::SignedIn { conn, resumed: false });
    link.handle(moment(now), Input::CaughtUp(conn));
    let (mut spares, mut lost) = (0, false);
    let mut answers: Vec<(Tick, Asked)> = Vec::new();
    let mut message = talks.then_some(STALL.0 + ms(seed % 3_000));
    let mut ack = None;
    while now < Tick(140_000) {
        let next = [link.deadline(), answers.first().map(|a| a.0), message, ack]
            .into_iter()
            .flatten()
            .min();
        now = now.max(next.unwrap());
        let answer_at = |asked: Tick| {
            let at = asked + ms(50);
            if at >= STALL.0 && at < STALL.1 {
                STALL.1 + ms(50)
            } else {
                at
            }
        };
        let input = if message.is_some_and(|at| at <= now) {
            message = None;
            ack = Some(answer_at(now));
            Input::AckAwaited { conn, bytes: 200 }
        } else if ack.is_some_and(|at| at <= now) {
            ack = None;
            Input::Acked { conn, all: true }
        } else if answers.first().is_some_and(|(at, _)| *at <= now) {
            match answers.remove(0).1 {
                Asked::Quiet => Input::QuietAnswer(conn),
                Asked::Numbered(probe) => Input::Answer(conn, probe),
            }
        } else {
            Input::Tick
        };
        for output in link.handle(moment(now), input) {
            match output {
                Output::Dial { .. } => spares += 1,
                Output::Hangup(hung) => lost |= hung == conn,
                Output::Probe(_, Probe::Quiet) => answers.push((answer_at(now), Asked::Quiet)),
                Output::Probe(_, Probe::Numbered(p)) => answers.push((answer_at(now), Asked::Numbered(p))),
                _ => {}
            }
        }
    }
    assert_eq!(link.connection().state, ConnectionState::Live);
    (spares, lost)
}

#[test]
fn a_stall_of_three_seconds_brings_spares_from_few_of_ten_thousand_links() {
    let (mut dialled, mut lost) = (0, 0);
    for seed in 0..10_000 {
        let (spares, gone) = life(seed, false);
        assert!(spares <= 1);
        dialled += spares;
        lost += usize::from(gone);
    }
    assert!(dialled <= 150, "{dialled} of 10,000 dialled a spare");
    assert_eq!(lost, 0);
    assert!(secs(3) == STALL.1.since(STALL.0));
}

#[test]
fn even_if_all_of_them_write_into_the_stall_few_dial() {
    let dialled: usize = (0..10_000).map(|seed| life(seed, true).0).sum();
    assert!(dialled > 0, "the test must see the rule at work");
    assert!(dialled <= 700, "{dialled} of 10,000 dialled a spare");
}

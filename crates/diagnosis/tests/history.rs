//! Histories as connections have them, and what is seen in them.

use dormouse_diagnosis::{Finding, Kind, Manner, by_hour, drops, findings, stretches};
use dormouse_model::{Cause, Closing, Condition, Stamp, Transition};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn entered(at: i64, to: Condition, cause: Cause) -> Transition {
    Transition::new(Stamp(at), to, cause)
}

/// A connection that lives from `at` on and is closed with `code` after `lived`, the last of it silent.
fn life(at: i64, lived: i64, code: u16, silence: i64) -> Vec<Transition> {
    let mut end = entered(at + lived, Condition::Waiting, Cause::Lost);
    end.closing = Some(Closing::Frame {
        code,
        reason: String::new(),
    });
    end.silence_ms = Some(silence as u64);
    let mut life = attempt(at);
    life.push(end);
    life
}

/// A connection that comes about.
fn attempt(at: i64) -> Vec<Transition> {
    vec![
        entered(at, Condition::Connecting, Cause::BackoffOver),
        entered(at, Condition::SigningIn, Cause::Dialled),
        entered(at, Condition::CatchingUp, Cause::Resumed),
        entered(at, Condition::Live, Cause::CaughtUp),
    ]
}

fn lives(lives: impl IntoIterator<Item = Vec<Transition>>) -> Vec<Transition> {
    lives.into_iter().flatten().collect()
}

#[test]
fn dialling_waiting_and_dialling_again_are_one_absence_with_the_cause_it_began_with() {
    let mut history = attempt(0);
    history.push(entered(10 * SECOND, Condition::Suspect, Cause::SlowAnswer));
    history.push(entered(20 * SECOND, Condition::Waiting, Cause::NoAnswer));
    history.push(entered(22 * SECOND, Condition::Connecting, Cause::BackoffOver));
    history.push(entered(23 * SECOND, Condition::Waiting, Cause::Unreachable));
    history.extend(attempt(30 * SECOND));
    let told = stretches(&history, Stamp(0), Stamp(40 * SECOND));
    let seen: Vec<_> = told
        .iter()
        .map(|it| (it.from.0 / SECOND, it.to.0 / SECOND, it.kind))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 10, Kind::Live),
            (10, 20, Kind::Suspect),
            (20, 30, Kind::Away),
            (30, 40, Kind::Live)
        ]
    );
    assert_eq!(told[2].cause, Cause::NoAnswer);
}

#[test]
fn a_picture_begins_where_it_was_asked_to_begin() {
    let mut history = attempt(0);
    history.push(entered(DAY, Condition::Asleep, Cause::Suspending));
    let told = stretches(&history, Stamp(DAY - HOUR), Stamp(DAY + HOUR));
    let seen: Vec<_> = told.iter().map(|it| (it.from.0, it.to.0, it.kind)).collect();
    assert_eq!(
        seen,
        [(DAY - HOUR, DAY, Kind::Live), (DAY, DAY + HOUR, Kind::Asleep)]
    );
}

#[test]
fn while_nothing_ran_nothing_is_said_to_have_been_live() {
    let mut history = attempt(0);
    let mut start = entered(8 * HOUR, Condition::Connecting, Cause::Started);
    start.ran_until = Some(Stamp(HOUR));
    history.push(start);
    let told = stretches(&history, Stamp(0), Stamp(9 * HOUR));
    let seen: Vec<_> = told
        .iter()
        .map(|it| (it.from.0 / HOUR, it.to.0 / HOUR, it.kind))
        .collect();
    assert_eq!(
        seen,
        [(0, 1, Kind::Live), (1, 8, Kind::NotRunning), (8, 9, Kind::Away)]
    );
}

#[test]
fn a_clock_that_was_set_back_makes_no_stretch_that_ends_before_it_begins() {
    let mut history = attempt(5 * HOUR);
    history.push(entered(HOUR, Condition::Suspect, Cause::SlowAnswer));
    history.push(entered(2 * HOUR, Condition::Live, Cause::Answered));
    for stretch in stretches(&history, Stamp(0), Stamp(3 * HOUR)) {
        assert!(stretch.from <= stretch.to, "{stretch:?}");
    }
}

#[test]
fn sleep_a_lost_network_and_quitting_are_no_drops_and_a_close_is() {
    let mut history = attempt(0);
    history.push(entered(MINUTE, Condition::Asleep, Cause::Suspending));
    history.push(entered(HOUR, Condition::Suspect, Cause::Woke));
    history.push(entered(HOUR, Condition::SigningIn, Cause::SpareReady));
    history.push(entered(HOUR, Condition::Live, Cause::CaughtUp));
    history.push(entered(2 * HOUR, Condition::Offline, Cause::NetworkDown));
    history.push(entered(3 * HOUR, Condition::Connecting, Cause::NetworkUp));
    history.extend(life(4 * HOUR, MINUTE, 1012, 0));
    history.extend(attempt(5 * HOUR));
    history.push(entered(6 * HOUR, Condition::Stopped, Cause::UserAsked));
    let found = drops(&history);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].manner, Manner::Code(1012));
    assert_eq!(found[0].lived_ms, Some(MINUTE as u64));
}

#[test]
fn drops_are_counted_by_the_hour_of_whoever_looks() {
    let history = lives((0..3).map(|day| life(day * DAY + HOUR, 2 * MINUTE, 1001, 0)));
    let counts = by_hour(&drops(&history), |stamp| ((stamp.0 / HOUR + 2) % 24) as u8);
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        [((3, Manner::Code(1001)), 3)]
    );
}

#[test]
fn an_idle_timeout_is_recognised_by_silences_of_one_length() {
    let history = lives([
        life(0, 10 * MINUTE, 1006, 20_100),
        life(HOUR, 3 * MINUTE, 1006, 19_900),
        life(2 * HOUR, 40 * MINUTE, 1006, 20_400),
    ]);
    let found = findings(&history, Stamp(3 * HOUR));
    let expected = Finding::IdleTimeout {
        seconds: 20,
        times: 3,
    };
    assert!(found.contains(&expected), "{found:?}");
    assert!(
        !found.iter().any(|it| matches!(it, Finding::Lifetime { .. })),
        "{found:?}"
    );
}

#[test]
fn lives_of_one_length_are_a_limit_and_lives_of_many_are_none() {
    let alike = lives((0..3).map(|n| life(n * HOUR, 5 * MINUTE + n, 1006, 300)));
    let found = findings(&alike, Stamp(3 * HOUR));
    let expected = Finding::Lifetime {
        seconds: 300,
        times: 3,
    };
    assert!(found.contains(&expected), "{found:?}");
    let unlike = lives(
        [1, 7, 31, 4]
            .into_iter()
            .enumerate()
            .map(|(n, minutes)| life(n as i64 * HOUR, minutes * MINUTE, 1006, 300)),
    );
    let found = findings(&unlike, Stamp(5 * HOUR));
    assert!(
        !found.iter().any(|it| matches!(it, Finding::Lifetime { .. })),
        "{found:?}"
    );
}

#[test]
fn connections_that_die_without_a_sign_are_called_zombies() {
    let mut history = Vec::new();
    for n in 0..2 {
        history.extend(attempt(n * HOUR));
        history.push(entered(n * HOUR + MINUTE, Condition::Suspect, Cause::SlowAnswer));
        history.push(entered(
            n * HOUR + MINUTE + 10 * SECOND,
            Condition::SigningIn,
            Cause::SpareReady,
        ));
    }
    let found = findings(&history, Stamp(2 * HOUR));
    assert!(found.contains(&Finding::Zombies { times: 2 }), "{found:?}");
    assert!(
        findings(&history, Stamp(3 * DAY)).is_empty(),
        "what is days ago is no news"
    );
}

#[test]
fn being_let_in_and_thrown_out_again_and_again_is_said_first() {
    let history = lives((0..5).map(|n| life(n * MINUTE, 2 * SECOND, 1008, 0)));
    let found = findings(&history, Stamp(5 * MINUTE));
    assert!(
        matches!(
            found.first(),
            Some(Finding::Cycles {
                times: 5,
                minutes: 15,
                cause: Cause::Lost
            })
        ),
        "{found:?}"
    );
}

#[test]
fn what_does_not_come_about_for_long_is_said_with_what_the_last_attempt_came_to() {
    let mut history = life(0, MINUTE, 1006, 0);
    for n in 2..9 {
        history.push(entered(n * MINUTE, Condition::Connecting, Cause::BackoffOver));
        history.push(entered(
            n * MINUTE + SECOND,
            Condition::Waiting,
            Cause::Unreachable,
        ));
    }
    let expected = Finding::LongConnecting {
        minutes: 8,
        cause: Cause::Unreachable,
    };
    assert_eq!(
        findings(&history, Stamp(9 * MINUTE + SECOND)).first(),
        Some(&expected)
    );
    history.extend(attempt(10 * MINUTE));
    let found = findings(&history, Stamp(11 * MINUTE));
    assert!(
        !found
            .iter()
            .any(|it| matches!(it, Finding::LongConnecting { .. })),
        "{found:?}"
    );
}

#[test]
fn what_happens_every_night_at_the_same_time_shows() {
    let history = lives((0..4).map(|day| life(day * DAY, 3 * HOUR + day * MINUTE, 1012, 0)));
    let found = findings(&history, Stamp(4 * DAY));
    let expected = Finding::SameTime { minute: 180, days: 4 };
    assert!(found.contains(&expected), "{found:?}");
}

#[test]
fn an_ordinary_week_has_no_findings() {
    let mut history = attempt(0);
    for day in 0..7 {
        history.push(entered(
            day * DAY + 8 * HOUR,
            Condition::Asleep,
            Cause::Suspending,
        ));
        history.push(entered(day * DAY + 23 * HOUR, Condition::Suspect, Cause::Woke));
        history.push(entered(day * DAY + 23 * HOUR, Condition::Live, Cause::Answered));
    }
    history.extend(life(7 * DAY, 5 * HOUR, 1012, 10));
    assert_eq!(findings(&history, Stamp(7 * DAY + 6 * HOUR)), []);
    assert_eq!(findings(&[], Stamp(0)), []);
}

#[test]
fn each_finding_is_a_sentence_and_has_a_name() {
    let cause = Cause::Lost;
    let all = [
        Finding::IdleTimeout {
            seconds: 60,
            times: 2,
        },
        Finding::Lifetime {
            seconds: 60,
            times: 3,
        },
        Finding::Zombies { times: 2 },
        Finding::Cycles {
            times: 4,
            minutes: 15,
            cause: cause.clone(),
        },
        Finding::LongConnecting { minutes: 5, cause },
        Finding::SameTime { minute: 185, days: 3 },
    ];
    let names: std::collections::BTreeSet<_> = all.iter().map(Finding::name).collect();
    assert_eq!(names.len(), all.len());
    for finding in all {
        assert!(finding.sentence().ends_with('.'), "{}", finding.sentence());
    }
}

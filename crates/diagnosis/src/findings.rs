//! Patterns that have a usual cause.

use crate::drops::{Drop, Manner, drops};
use crate::stretches::Kind;
use dormouse_model::{Cause, Condition, Stamp, Transition};
use std::collections::{BTreeMap, BTreeSet};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Something that several drops have in common, with what is probably behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Connections end after the same length of silence: something between here and the server forgets or closes what is
    /// idle.
    IdleTimeout {
        /// The length, in seconds.
        seconds: u64,
        /// How many did.
        times: u32,
    },
    /// Connections end after the same length of life, whatever passes on them.
    Lifetime {
        /// The length, in seconds.
        seconds: u64,
        /// How many did.
        times: u32,
    },
    /// Connections go on looking open and carry nothing: somebody in between has forgotten them without a word.
    Zombies {
        /// How many did within a day.
        times: u32,
    },
    /// It connects and is thrown out again, over and over.
    Cycles {
        /// How often.
        times: u32,
        /// Within so many minutes.
        minutes: u32,
        /// The cause of the last one.
        cause: Cause,
    },
    /// It has not come through for long.
    LongConnecting {
        /// For so many minutes.
        minutes: u32,
        /// What the last attempt came to.
        cause: Cause,
    },
    /// Connections end at about the same time of the day: a deployment, a backup, a job of the server's.
    SameTime {
        /// Minutes since midnight, UTC.
        minute: u32,
        /// On so many days.
        days: u32,
    },
}

impl Finding {
    /// Its name in `dormouse-cli`'s events.
    pub fn name(&self) -> &'static str {
        match self {
            Finding::IdleTimeout { .. } => "idle-timeout",
            Finding::Lifetime { .. } => "lifetime",
            Finding::Zombies { .. } => "zombies",
            Finding::Cycles { .. } => "cycles",
            Finding::LongConnecting { .. } => "long-connecting",
            Finding::SameTime { .. } => "same-time",
        }
    }

    /// What was found, what is probably behind it, and what can be done. Plain English.
    pub fn sentence(&self) -> String {
        match self {
            Finding::IdleTimeout { seconds, times } => format!(
                "The connection was ended {times} times after {seconds} s of silence: probably a proxy's or router's idle timeout. Dormouse asks more often now; whoever runs the proxy can allow longer silence."
            ),
            Finding::Lifetime { seconds, times } => format!(
                "The connection was ended {times} times {seconds} s after it was made, whatever passed on it: probably something in between allows a connection only so long. Nothing is lost by it."
            ),
            Finding::Zombies { times } => format!(
                "{times} times within a day the connection looked open and carried nothing: probably a router or firewall forgot it without a word. Dormouse noticed and made a new one."
            ),
            Finding::Cycles {
                times,
                minutes,
                cause,
            } => format!(
                "The server accepted the connection and ended it again {times} times within {minutes} minutes. The last time: {}",
                cause.sentence()
            ),
            Finding::LongConnecting { minutes, cause } => format!(
                "For {minutes} minutes no connection has come about. The last attempt: {}",
                cause.sentence()
            ),
            Finding::SameTime { minute, days } => format!(
                "On {days} days the connection ended at about {:02}:{:02} UTC: probably something that the server does at that time.",
                minute / 60,
                minute % 60
            ),
        }
    }
}

/// What the transitions of the last week show at the moment `now`; the most pressing first.
pub fn findings(transitions: &[Transition], now: Stamp) -> Vec<Finding> {
    let week: Vec<Drop> = drops(transitions)
        .into_iter()
        .filter(|drop| now.0 - drop.at.0 <= 7 * DAY)
        .collect();
    [
        long_connecting(transitions, now),
        cycles(&week, now),
        idle_timeout(&week),
        zombies(&week, now),
        lifetime(&week),
        same_time(&week),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn long_connecting(transitions: &[Transition], now: Stamp) -> Option<Finding> {
    /// So long, in minutes, and so often tried.
    const LONG: i64 = 5;
    const TRIES: usize = 3;
    let away = transitions.iter().rposition(|it| Kind::of(it.to) != Kind::Away);
    let absence = transitions.get(away.map_or(0, |at| at + 1)..)?;
    let minutes = (now.0 - absence.first()?.at.0) / MINUTE;
    let failures = absence.iter().filter(|it| it.to == Condition::Waiting).count();
    let last = absence.iter().rev().find(|it| it.to == Condition::Waiting)?;
    (minutes >= LONG && failures >= TRIES).then(|| Finding::LongConnecting {
        minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
        cause: last.cause.clone(),
    })
}

fn cycles(drops: &[Drop], now: Stamp) -> Option<Finding> {
    /// So often within so many minutes.
    const OFTEN: usize = 4;
    const WITHIN: i64 = 15;
    let lately: Vec<&Drop> = drops
        .iter()
        .filter(|drop| now.0 - drop.at.0 <= WITHIN * MINUTE)
        .collect();
    let last = lately.last()?;
    (lately.len() >= OFTEN).then(|| Finding::Cycles {
        times: count(lately.len()),
        minutes: WITHIN as u32,
        cause: last.cause.clone(),
    })
}

fn idle_timeout(drops: &[Drop]) -> Option<Finding> {
    /// A shorter silence is part of a conversation.
    const SHORTEST: u64 = 5_000;
    let silences = drops
        .iter()
        .filter(|drop| matches!(drop.manner, Manner::Code(_) | Manner::Silent))
        .filter_map(|drop| drop.silence_ms)
        .filter(|silence| *silence >= SHORTEST);
    let (length, times) = alike(silences.collect())?;
    Some(Finding::IdleTimeout {
        seconds: (length + 500) / 1000,
        times,
    })
}

fn lifetime(drops: &[Drop]) -> Option<Finding> {
    // What ends in silence ends because of the silence, and very short lives are a cycle.
    const SHORTEST: u64 = 20_000;
    let lives = drops
        .iter()
        .filter(|drop| drop.silence_ms.is_none_or(|silence| silence < 5_000))
        .filter(|drop| matches!(drop.manner, Manner::Code(_)))
        .filter_map(|drop| drop.lived_ms)
        .filter(|lived| *lived >= SHORTEST);
    let (length, times) = alike(lives.collect())?;
    (times >= 3).then_some(Finding::Lifetime {
        seconds: (length + 500) / 1000,
        times,
    })
}

/// The largest group of at least two lengths that differ by a tenth at most, if it holds at least half of all: its median.
fn alike(mut lengths: Vec<u64>) -> Option<(u64, u32)> {
    lengths.sort_unstable();
    let group = |from: usize| {
        let first = lengths.get(from).copied().unwrap_or_default();
        lengths
            .iter()
            .skip(from)
            .take_while(|it| **it <= first + first / 10)
            .count()
    };
    let (from, size) = (0..lengths.len())
        .map(|from| (from, group(from)))
        .max_by_key(|(_, size)| *size)?;
    let median = *lengths.get(from + (size - 1) / 2)?;
    (size >= 2 && size * 2 >= lengths.len()).then_some((median, count(size)))
}

fn zombies(drops: &[Drop], now: Stamp) -> Option<Finding> {
    const OFTEN: usize = 2;
    let silent = |drop: &&Drop| drop.manner == Manner::Silent && now.0 - drop.at.0 <= DAY;
    let times = drops.iter().filter(silent).count();
    (times >= OFTEN).then_some(Finding::Zombies { times: count(times) })
}

fn same_time(drops: &[Drop]) -> Option<Finding> {
    /// On so many days, within a window of so many minutes.
    const DAYS: usize = 3;
    const WINDOW: i64 = 10;
    let mut days_by_window: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for drop in drops {
        let (day, minute) = (drop.at.0.div_euclid(DAY), drop.at.0.rem_euclid(DAY) / MINUTE);
        days_by_window.entry(minute / WINDOW).or_default().insert(day);
    }
    // What happens all day long happens at this time too.
    let all: usize = days_by_window.values().map(BTreeSet::len).sum();
    let (window, days) = days_by_window.iter().max_by_key(|(_, days)| days.len())?;
    (days.len() >= DAYS && days.len() * 3 >= all).then(|| Finding::SameTime {
        minute: u32::try_from(window * WINDOW).unwrap_or_default(),
        days: count(days.len()),
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

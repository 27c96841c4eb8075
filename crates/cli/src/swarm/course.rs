//! Who was connected when, how often was knocked, and how long it took to be back.
//!
//! A session is connected from when all it had missed was read until it gives its connection up. A drop begins with
//! the first session that is no longer connected, takes in all that follow before the last of them is back, and ends
//! then. The first sign-in is none.

use dormouse_engine::model::{Cause, Condition};
use serde::Serialize;
use std::collections::BTreeMap;

/// As many reasons are told apart: a server may put its own words into them.
const REASONS: usize = 40;

/// The course so far. Times are milliseconds since the start.
#[derive(Debug)]
pub struct Course {
    connected: Vec<bool>,
    /// Those that have been connected once, in that order.
    ever: Vec<u32>,
    comings: Vec<Coming>,
    /// Attempts in each second.
    attempts: Vec<u32>,
    sign_ins: BTreeMap<(String, bool), u64>,
    reasons: BTreeMap<String, u64>,
}

/// A session came or went.
#[derive(Debug, Clone, Copy)]
struct Coming {
    at: u64,
    session: u32,
    connected: bool,
}

/// An interruption of one session or of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Drop {
    /// When the first was gone.
    pub at_ms: u64,
    /// How many were.
    pub sessions: u64,
    /// After how long the first was back, from the drop's beginning as all that follow.
    pub first_back_ms: Option<u64>,
    /// After how long half of them were.
    pub half_back_ms: Option<u64>,
    /// 99 of a hundred.
    pub most_back_ms: Option<u64>,
    /// All.
    pub all_back_ms: Option<u64>,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Its first second.
    pub from_s: u64,
    /// How many seconds.
    pub seconds: u64,
    /// How many were connected at its end.
    pub connected: u64,
    /// How often was knocked in it.
    pub attempts: u64,
    /// And in the worst second of it.
    pub most_in_a_second: u32,
}

/// Sign-ins that the server accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignIns {
    /// By what.
    pub mechanism: String,
    /// Whether the earlier session went on.
    pub resumed: bool,
    /// How many.
    pub times: u64,
}

/// Why connections ended or did not come about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// In a sentence.
    pub reason: String,
    /// How often.
    pub times: u64,
}

impl Course {
    /// Nobody is there yet.
    pub fn new(sessions: u32) -> Self {
        Self {
            connected: vec![false; sessions as usize],
            ever: Vec::new(),
            comings: Vec::new(),
            attempts: Vec::new(),
            sign_ins: BTreeMap::new(),
            reasons: BTreeMap::new(),
        }
    }

    /// A connection is being opened.
    pub fn attempted(&mut self, now: u64) {
        let second = usize::try_from(now / 1000).unwrap_or(usize::MAX - 1);
        if self.attempts.len() <= second {
            self.attempts.resize(second + 1, 0);
        }
        if let Some(attempts) = self.attempts.get_mut(second) {
            *attempts += 1;
        }
    }

    /// A session's connection is something else now.
    pub fn entered(&mut self, now: u64, session: u32, to: Condition) {
        let Some(connected) = self.connected.get_mut(session as usize) else {
            return;
        };
        let is = match to {
            Condition::Live => true,
            // Asked whether it lives, or reading on: no other connection yet.
            Condition::Suspect | Condition::CatchingUp => *connected,
            _ => false,
        };
        if std::mem::replace(connected, is) == is {
            return;
        }
        if is && !self.comings.iter().any(|it| it.session == session) {
            self.ever.push(session);
        }
        self.comings.push(Coming {
            at: now,
            session,
            connected: is,
        });
    }

    /// The server accepted a sign-in.
    pub fn signed_in(&mut self, mechanism: &str, resumed: bool) {
        *self.sign_ins.entry((mechanism.to_owned(), resumed)).or_default() += 1;
    }

    /// Why a session's connection is what it is: counted where it is none, or another one is opened at once.
    pub fn because(&mut self, to: Condition, cause: &Cause) {
        use Cause::{BackoffOver, NetworkChanged, NetworkUp, Shown, Started, UserAsked, Woke};
        let ended = match to {
            Condition::Waiting | Condition::Stopped => true,
            Condition::Connecting => !matches!(
                cause,
                Started | BackoffOver | UserAsked | Woke | Shown | NetworkUp | NetworkChanged
            ),
            _ => false,
        };
        if !ended {
            return;
        }
        let sentence = cause.sentence();
        let known = self.reasons.len() < REASONS || self.reasons.contains_key(&sentence);
        let reason = if known {
            sentence
        } else {
            "Other reasons.".to_owned()
        };
        *self.reasons.entry(reason).or_default() += 1;
    }

    /// Why connections ended or did not come about, in sentences, the most frequent first.
    pub fn reasons(&self) -> Vec<Reason> {
        let all = self.reasons.iter();
        let mut reasons: Vec<Reason> = all
            .map(|(reason, times)| Reason {
                reason: reason.clone(),
                times: *times,
            })
            .collect();
        reasons.sort_by_key(|it| std::cmp::Reverse(it.times));
        reasons
    }

    /// How many are connected.
    pub fn connected(&self) -> u64 {
        self.connected.iter().filter(|it| **it).count() as u64
    }

    /// Which sessions are connected, by number.
    pub fn who_is_connected(&self) -> &[bool] {
        &self.connected
    }

    /// How many sessions there are to be.
    pub fn sessions(&self) -> u64 {
        self.connected.len() as u64
    }

    /// Those that have been connected once.
    pub fn ever_connected(&self) -> &[u32] {
        &self.ever
    }

    /// Attempts in each second.
    pub fn attempts(&self) -> &[u32] {
        &self.attempts
    }

    /// The second in which was knocked most often, and how often.
    pub fn peak(&self) -> Option<(usize, u32)> {
        let seconds = self.attempts.iter().copied().enumerate();
        seconds.reduce(|most, it| if it.1 > most.1 { it } else { most })
    }

    /// The sign-ins by mechanism.
    pub fn sign_ins(&self) -> Vec<SignIns> {
        let all = self.sign_ins.iter();
        all.map(|((mechanism, resumed), times)| SignIns {
            mechanism: mechanism.clone(),
            resumed: *resumed,
            times: *times,
        })
        .collect()
    }

    /// All drops, in order.
    pub fn drops(&self) -> Vec<Drop> {
        let mut drops = Vec::new();
        // Of the drop that is open: when it began, and when each session was back.
        let mut open: Option<(u64, BTreeMap<u32, Option<u64>>)> = None;
        for coming in &self.comings {
            if !coming.connected {
                let (_, sessions) = open.get_or_insert_with(|| (coming.at, BTreeMap::new()));
                sessions.insert(coming.session, None);
            } else if let Some((begun, sessions)) = &mut open
                && let Some(back) = sessions.get_mut(&coming.session)
            {
                *back = Some(coming.at);
                if sessions.values().all(Option::is_some) {
                    drops.push(drop_of(*begun, sessions));
                    open = None;
                }
            }
        }
        drops.extend(open.map(|(begun, sessions)| drop_of(begun, &sessions)));
        drops
    }

    /// The course in at most so many stretches of equal length, up to `now`.
    pub fn stretches(&self, now: u64, most: u64) -> Vec<Stretch> {
        let seconds = now / 1000 + 1;
        let width = seconds.div_ceil(most.max(1)).max(1);
        let mut comings = self.comings.iter().peekable();
        let mut connected = 0_u64;
        let mut stretches = Vec::new();
        for from in (0..seconds).step_by(usize::try_from(width).unwrap_or(usize::MAX)) {
            let end = (from + width) * 1000;
            while let Some(coming) = comings.next_if(|it| it.at < end) {
                connected = if coming.connected {
                    connected + 1
                } else {
                    connected.saturating_sub(1)
                };
            }
            let first = usize::try_from(from).unwrap_or(usize::MAX);
            let attempts = self
                .attempts
                .iter()
                .skip(first)
                .take(usize::try_from(width).unwrap_or(usize::MAX));
            stretches.push(Stretch {
                from_s: from,
                seconds: width,
                connected,
                attempts: attempts.clone().map(|it| u64::from(*it)).sum(),
                most_in_a_second: attempts.copied().max().unwrap_or_default(),
            });
        }
        stretches
    }
}

fn drop_of(begun: u64, sessions: &BTreeMap<u32, Option<u64>>) -> Drop {
    let mut back: Vec<u64> = sessions
        .values()
        .flatten()
        .map(|at| at.saturating_sub(begun))
        .collect();
    back.sort_unstable();
    // After how long so many of a hundred were back, rounded up; none if they are not.
    let after = |hundredths: usize| {
        let needed = (sessions.len() * hundredths).div_ceil(100).max(1);
        back.get(needed - 1).copied()
    };
    Drop {
        at_ms: begun,
        sessions: sessions.len() as u64,
        first_back_ms: back.first().copied(),
        half_back_ms: after(50),
        most_back_ms: after(99),
        all_back_ms: after(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connected(sessions: u32) -> Course {
        let mut course = Course::new(sessions);
        for session in 0..sessions {
            course.attempted(u64::from(session) * 100);
            course.entered(u64::from(session) * 100 + 50, session, Condition::Live);
        }
        course
    }

    #[test]
    fn a_drop_takes_in_all_that_go_before_the_last_is_back() {
        let mut course = connected(4);
        assert!(course.drops().is_empty(), "a first sign-in is no drop");
        for session in 0..4 {
            course.entered(10_000 + u64::from(session), session, Condition::Waiting);
        }
        for (session, at) in [(2, 12_000), (0, 13_000), (3, 15_000)] {
            course.entered(at - 10, session, Condition::CatchingUp);
            course.entered(at, session, Condition::Live);
        }
        assert_eq!(course.connected(), 3);
        assert_eq!(course.drops()[0].all_back_ms, None);
        course.entered(20_000, 1, Condition::Live);
        let drop = Drop {
            at_ms: 10_000,
            sessions: 4,
            first_back_ms: Some(2_000),
            half_back_ms: Some(3_000),
            most_back_ms: Some(10_000),
            all_back_ms: Some(10_000),
        };
        assert_eq!(course.drops(), [drop]);
        course.entered(30_000, 1, Condition::Connecting);
        assert_eq!(course.drops().len(), 2);
    }

    #[test]
    fn a_connection_in_doubt_is_still_one() {
        let mut course = connected(1);
        course.entered(5_000, 0, Condition::Suspect);
        course.entered(5_300, 0, Condition::Live);
        assert!(course.drops().is_empty());
        course.entered(6_000, 0, Condition::Suspect);
        course.entered(6_300, 0, Condition::SigningIn);
        course.entered(6_500, 0, Condition::Live);
        assert_eq!(course.drops()[0].all_back_ms, Some(200));
    }

    #[test]
    fn what_ends_a_connection_is_counted_and_what_begins_one_is_not() {
        let mut course = Course::new(1);
        course.because(Condition::Connecting, &Cause::Started);
        course.because(Condition::Waiting, &Cause::Lost);
        course.because(Condition::Connecting, &Cause::BackoffOver);
        course.because(Condition::Waiting, &Cause::Lost);
        course.because(Condition::Stopped, &Cause::WrongPassword);
        let times: Vec<u64> = course.reasons().iter().map(|it| it.times).collect();
        assert_eq!(times, [2, 1]);
        for number in 0..1000 {
            let what = format!("condition {number}");
            course.because(Condition::Waiting, &Cause::ServerTrouble { what });
        }
        assert_eq!(course.reasons().len(), REASONS + 1);
        assert_eq!(course.reasons()[0].reason, "Other reasons.");
    }

    #[test]
    fn the_stretches_add_up_to_the_whole() {
        let mut course = connected(30);
        for attempt in 0..7 {
            course.attempted(9_000 + attempt);
        }
        course.entered(9_500, 3, Condition::Waiting);
        let stretches = course.stretches(9_999, 5);
        assert_eq!(stretches.len(), 5);
        assert_eq!(stretches.iter().map(|it| it.attempts).sum::<u64>(), 37);
        assert_eq!(stretches[0].connected, 20);
        assert_eq!((stretches[4].connected, stretches[4].most_in_a_second), (29, 7));
        assert_eq!(course.peak(), Some((0, 10)));
    }
}

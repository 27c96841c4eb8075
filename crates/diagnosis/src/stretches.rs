//! What the connection was, from when to when, and why.

use dormouse_model::{Cause, Condition, Stamp, Transition};

/// What somebody who looks back wants to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Everything known had been read and the link answered.
    Live,
    /// The link was being checked.
    Suspect,
    /// Dialling, signing in, catching up, or waiting to dial again.
    Away,
    /// The machine slept.
    Asleep,
    /// There was no network.
    Offline,
    /// It needed the user.
    Stopped,
    /// Dormouse did not run, or it is not known that it did.
    NotRunning,
}

impl Kind {
    /// Its name in `dormouse-cli`'s events.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Live => "live",
            Kind::Suspect => "suspect",
            Kind::Away => "away",
            Kind::Asleep => "asleep",
            Kind::Offline => "offline",
            Kind::Stopped => "stopped",
            Kind::NotRunning => "not-running",
        }
    }

    /// What the connection is in this condition.
    pub fn of(condition: Condition) -> Self {
        match condition {
            Condition::Live => Kind::Live,
            Condition::Suspect => Kind::Suspect,
            Condition::Connecting | Condition::SigningIn | Condition::CatchingUp | Condition::Waiting => {
                Kind::Away
            }
            Condition::Asleep => Kind::Asleep,
            Condition::Offline => Kind::Offline,
            Condition::Stopped => Kind::Stopped,
        }
    }
}

/// A time in which the connection was the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// From when.
    pub from: Stamp,
    /// Until when; never before `from`.
    pub to: Stamp,
    /// What it was.
    pub kind: Kind,
    /// Why it became that.
    pub cause: Cause,
}

/// The history from `since` to `now`, without gaps and in order, of transitions in the order in which they happened. Before the
/// first of them nothing is known and nothing told. A clock that was set back makes a stretch of no length, never a negative one.
pub fn stretches(transitions: &[Transition], since: Stamp, now: Stamp) -> Vec<Stretch> {
    let mut told: Vec<Stretch> = Vec::new();
    for (index, transition) in transitions.iter().enumerate() {
        let next = transitions.get(index + 1);
        let from = transition.at;
        let to = next.map_or(now, |next| next.at).max(from);
        // The program that said so ended at some time before the next one began.
        let ended = next.filter(|next| next.cause == Cause::Started && next.ran_until.is_some());
        let ran = ended
            .and_then(|next| next.ran_until)
            .map_or(to, |until| until.clamp(from, to));
        let kind = Kind::of(transition.to);
        // Whether it slept before it ended does not matter any more: nothing ran.
        if kind == Kind::Asleep && ended.is_some() {
            push(&mut told, from, to, Kind::NotRunning, Cause::Suspending);
            continue;
        }
        push(&mut told, from, ran, kind, transition.cause.clone());
        if ran < to {
            push(&mut told, ran, to, Kind::NotRunning, Cause::Started);
        }
    }
    told.retain(|stretch| stretch.to > since);
    for stretch in &mut told {
        stretch.from = stretch.from.max(since);
    }
    told
}

/// One more, or the last one longer: dialling, waiting and dialling again are one absence with one cause.
fn push(told: &mut Vec<Stretch>, from: Stamp, to: Stamp, kind: Kind, cause: Cause) {
    match told.last_mut() {
        Some(last) if last.kind == kind => last.to = last.to.max(to),
        _ => told.push(Stretch {
            from,
            to,
            kind,
            cause,
        }),
    }
}

//! Each time a connection that worked ended although nobody slept, left or pulled the plug.

use dormouse_model::{Cause, Condition, Stamp, Transition};
use std::collections::BTreeMap;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Manner {
    /// With this WebSocket close code (RFC 6455 section 7.4); 1006 if it just ended.
    Code(u16),
    /// Without a sign: it was asked and did not answer.
    Silent,
    /// With the server's word on the stream (RFC 6120 section 4.9, RFC 7395 section 3.6).
    ByTheServer,
    /// We gave it up for a reason of our own.
    ByUs,
}

/// One end of a connection that worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// When.
    pub at: Stamp,
    /// How.
    pub manner: Manner,
    /// Why, as far as it was said.
    pub cause: Cause,
    /// How long nothing had come before, in milliseconds.
    pub silence_ms: Option<u64>,
    /// How long the connection had been signed in, in milliseconds; none if that began before what is known.
    pub lived_ms: Option<u64>,
}

/// The drops among these transitions, which are in the order in which they happened.
pub fn drops(transitions: &[Transition]) -> Vec<Drop> {
    let mut found = Vec::new();
    // Since when a signed-in connection is in use, and whether its end would surprise.
    let mut signed_in: Option<Option<Stamp>> = None;
    for transition in transitions {
        match transition.to {
            Condition::CatchingUp | Condition::Live => {
                signed_in.get_or_insert(Some(transition.at));
            }
            Condition::Suspect if signed_in.is_none() => {}
            Condition::Suspect => {
                if matches!(
                    transition.cause,
                    Cause::Woke | Cause::SimulatedWake | Cause::NetworkChanged | Cause::NetworkUp
                ) {
                    signed_in = None;
                }
            }
            Condition::Asleep | Condition::Offline => signed_in = None,
            Condition::Connecting | Condition::SigningIn | Condition::Waiting | Condition::Stopped => {
                let was = signed_in.take();
                if let Some(began) = was
                    && let Some(manner) = manner(transition)
                {
                    found.push(Drop {
                        at: transition.at,
                        manner,
                        cause: transition.cause.clone(),
                        silence_ms: transition.silence_ms,
                        lived_ms: began.and_then(|began| u64::try_from(transition.at.0 - began.0).ok()),
                    });
                }
            }
        }
    }
    found
}

/// How it ended; none if that is no drop.
fn manner(transition: &Transition) -> Option<Manner> {
    use Cause::*;
    match &transition.cause {
        Started | UserAsked | Suspending | Woke | SimulatedSleep | SimulatedWake | Shown | NetworkChanged
        | NetworkDown | NetworkUp => None,
        cause => Some(match (transition.code(), cause) {
            (_, NoAnswer | SlowAnswer | Unacknowledged | SpareReady) => Manner::Silent,
            (Some(code), _) => Manner::Code(code),
            (None, StoreFailed | ProtocolViolation(_)) => Manner::ByUs,
            (None, _) => Manner::ByTheServer,
        }),
    }
}

/// How many there were by hour of the day and manner; `hour` says which hour a moment belongs to where its reader
/// lives (0 to 23).
pub fn by_hour(drops: &[Drop], hour: impl Fn(Stamp) -> u8) -> BTreeMap<(u8, Manner), u32> {
    let mut counts = BTreeMap::new();
    for drop in drops {
        *counts.entry((hour(drop.at), drop.manner)).or_default() += 1;
    }
    counts
}

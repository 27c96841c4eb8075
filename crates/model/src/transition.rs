//! The connection's history: each change of its state as it is kept, with what led to it and what came of it.

use crate::{Cause, Closing, Condition, Stamp};
use serde::{Deserialize, Serialize};

/// One change of the connection's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub at: Stamp,
    /// What it is from then on.
    pub to: Condition,
    /// Why.
    pub cause: Cause,
    /// How the socket ended, where its end is the reason.
    #[serde(default)]
    pub closing: Option<Closing>,
    /// How long nothing had come when it did, in milliseconds.
    #[serde(default)]
    pub silence_ms: Option<u64>,
    /// How long until the next attempt at most, in milliseconds, while waiting.
    #[serde(default)]
    pub wait_ms: Option<u64>,
    /// Which attempt this is, or follows: from 1.
    #[serde(default)]
    pub attempt: Option<u32>,
    /// The interruption that ended with it.
    #[serde(default)]
    pub recovery: Option<Recovery>,
    /// At the program's start: until when the program before it certainly ran.
    #[serde(default)]
    pub ran_until: Option<Stamp>,
}

impl Transition {
    /// One of which nothing else is to be told.
    pub fn new(at: Stamp, to: Condition, cause: Cause) -> Self {
        Self {
            at,
            to,
            cause,
            closing: None,
            silence_ms: None,
            wait_ms: None,
            attempt: None,
            recovery: None,
            ran_until: None,
        }
    }

    /// The WebSocket close code (RFC 6455 section 7.4) that led to it; 1006 where the stream of bytes just ended. None
    /// where no socket's end did.
    pub fn code(&self) -> Option<u16> {
        match self.closing.as_ref()? {
            Closing::Frame { code, .. } => Some(*code),
            Closing::Eof | Closing::Broken(_) => Some(1006),
            Closing::TooLarge => Some(1009),
            Closing::Malformed(_) => Some(1002),
        }
    }
}

/// How an interruption ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// From the interruption until everything missed had been read, in milliseconds; of a sleep or an outage of the
    /// network only what came after it.
    pub took_ms: u64,
    /// What the connection went on with.
    pub by: Continuation,
    /// Messages of others that came meanwhile.
    pub messages: u64,
}

/// What a connection goes on with after an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Continuation {
    /// The old connection: it answered.
    OldConnection,
    /// A new connection with the earlier session (XEP-0198).
    Resumed,
    /// A new session.
    FreshSession,
}

impl Continuation {
    /// Its name in `dormouse-cli`'s events.
    pub fn name(self) -> &'static str {
        match self {
            Continuation::OldConnection => "old-connection",
            Continuation::Resumed => "resumed",
            Continuation::FreshSession => "fresh-session",
        }
    }
}

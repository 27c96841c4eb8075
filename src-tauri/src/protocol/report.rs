//! What the connection's own panel shows: read when it is opened, and again when the connection's state changes.

use super::ConnectionState;
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

/// Everything about an account's connection, now and in the last week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionReport {
    /// The connection in use, if there is one.
    pub path: Option<Path>,
    /// After how many seconds of silence the server is asked whether it is there.
    #[cfg_attr(test, ts(type = "number"))]
    pub interval: u64,
    /// That is sooner than usual: silence has ended connections here.
    pub interval_learnt: bool,
    /// The user wants it to be so many seconds.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub interval_given: Option<u64>,
    /// What the history has in common with others of which the cause is known, in sentences; the most pressing first.
    pub findings: Vec<String>,
    /// What the connection was, in order and without gaps.
    pub stretches: Vec<HistoryStretch>,
    /// Each time a connection that worked ended although nobody slept, left or pulled the plug; in order.
    pub drops: Vec<Dropped>,
    /// The latest changes of state, newest first.
    pub transitions: Vec<Transition>,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Path {
    /// What was dialled.
    pub endpoint: String,
    /// The address and port that answered.
    pub peer: String,
    /// The version of TLS; none on the way to this computer itself.
    pub tls: Option<String>,
    /// How the account proved itself: the SASL mechanism; none while signing in.
    pub mechanism: Option<String>,
    /// Whether the session is an earlier connection's; none while signing in.
    pub resumed: Option<bool>,
    /// When the last byte came (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub heard: i64,
}

/// A time in which the connection was the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct HistoryStretch {
    /// From when (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub from: i64,
    /// Until when.
    #[cfg_attr(test, ts(type = "number"))]
    pub to: i64,
    /// What it was.
    pub kind: StretchKind,
    /// Why, in a sentence.
    pub cause: String,
}

/// What a connection was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum StretchKind {
    /// All was read and the link answered.
    Live,
    /// The link was being checked.
    Suspect,
    /// Connecting, catching up, or waiting to connect.
    Away,
    /// The machine slept.
    Asleep,
    /// No network.
    Offline,
    /// It needed the user.
    Stopped,
    /// Dormouse did not run.
    NotRunning,
}

/// The end of a connection that worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Dropped {
    /// When (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub at: i64,
    /// How, in two or three words: equal words are equal ways.
    pub manner: String,
}

/// A change of the connection's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Transition {
    /// When (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub at: i64,
    /// What it was from then on.
    pub state: ConnectionState,
    /// Why, in a sentence.
    pub cause: String,
    /// What was done or came of it, in sentences.
    pub more: Vec<String>,
}

//! A check of an account's connection: what the window asks for, and what it shows while it goes on.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// What the window wants of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum CheckWish {
    /// To know of the last one.
    Look,
    /// To begin one, unless one is under way.
    Begin {
        /// So many seconds of silence are tried; 0: none.
        idle: u32,
        /// So many seconds of sleep are simulated; 0: none.
        sleep: u32,
    },
    /// To end the one that is under way.
    Cancel,
}

/// A check, under way or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionCheck {
    /// It is under way.
    pub running: bool,
    /// Its steps, in order.
    pub steps: Vec<CheckStep>,
    /// What it comes to, in a sentence; none while it is under way.
    pub verdict: Option<String>,
}

/// A step of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct CheckStep {
    /// Its name among programs.
    pub name: String,
    /// Its name among people.
    pub title: String,
    /// How it went, or how far it is.
    pub mark: CheckMark,
    /// The same in a word or two, for whoever does not see the sign.
    pub state: String,
    /// How long it took, readable; none where nothing had to be done.
    pub took: Option<String>,
    /// What it found, in a sentence or two; none as long as nothing is known.
    pub sentence: Option<String>,
}

/// How a step of a check went, or how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum CheckMark {
    /// Its turn has not come.
    ToCome,
    /// It is being tried.
    UnderWay,
    /// Well.
    Fine,
    /// It works, and something is missing.
    Lacking,
    /// Not at all.
    Failed,
    /// There was nothing to do.
    NotNeeded,
    /// It was not tried.
    NotTried,
}

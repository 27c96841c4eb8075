//! A new version of the program, as the window shows it.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// A new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// Its number.
    pub version: String,
    /// What it says of itself: plain text, perhaps none.
    pub notes: String,
    /// How far it is.
    pub stage: UpdateStage,
    /// Why it was not installed, in a sentence.
    pub problem: Option<String>,
}

/// How far a new version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum UpdateStage {
    /// It can be had.
    Offered,
    /// It is being downloaded and put in place; the program then starts anew.
    Installing,
    /// It was not installed.
    Failed,
}

/// What the user wants with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum UpdateWish {
    /// Install it now, and start anew.
    Install,
    /// Say nothing of it before the next start.
    Later,
}

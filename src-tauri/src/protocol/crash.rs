//! What an earlier crash left behind, as the window shows it.

use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

/// The report of a crash, on this computer and sent nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct CrashReport {
    /// When it happened (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub at: i64,
    /// All that is known: for developers, in English.
    pub text: String,
}

//! The frame log, as its panel shows it: read while the panel is open.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// How much is noted of each frame that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum FrameDetail {
    /// Nothing; what was noted is forgotten.
    Off,
    /// When, which way, how large and what kind.
    Kinds,
    /// Its content as well, every text and every secret blacked out.
    Content,
}

/// How the frames are written into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum FrameFormat {
    /// A line a frame.
    Text,
    /// For Wireshark.
    Pcapng,
}

/// The frames noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct FrameLog {
    /// What is noted.
    pub detail: FrameDetail,
    /// How many of those noted are of the kind asked for.
    pub count: usize,
    /// The latest of them, oldest first.
    pub frames: Vec<Frame>,
}

/// A frame that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// When (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub at: i64,
    /// On which connection since the start.
    #[cfg_attr(test, ts(type = "number"))]
    pub connection: u64,
    /// To the server; else from it.
    pub out: bool,
    /// The kind of frame on the WebSocket.
    pub opcode: String,
    /// Its payload in bytes.
    pub size: usize,
    /// What it is: the element's name, with its type where it has one.
    pub name: String,
    /// Its content, blacked out, where that was asked for.
    pub content: Option<String>,
}

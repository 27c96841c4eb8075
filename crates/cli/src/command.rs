//! Commands as JSON lines: what `dormouse-cli run` reads on standard input. See `docs/cli.md`.

use dormouse_engine::model::BareJid;
use serde::Deserialize;
use std::path::PathBuf;

/// One line of standard input.
#[derive(Debug, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line {
    /// Send a text.
    Send {
        to: BareJid,
        body: String,
        tag: Option<String>,
    },
    /// Show a stretch of a conversation from the cache.
    History {
        with: BareJid,
        limit: Option<usize>,
        before: Option<u64>,
        after: Option<u64>,
    },
    /// Read older history from the archive.
    Older { with: BareJid },
    /// Say how things are.
    Status {},
    /// Show the connection's journal.
    Journal { limit: Option<usize> },
    /// Show the changes of the connection's state.
    Transitions { limit: Option<usize> },
    /// Note the frames that pass, with their blacked-out content or without; or stop and forget them.
    Wire {
        on: bool,
        #[serde(default)]
        content: bool,
    },
    /// Show the frames noted, whose kind holds this word.
    Frames {
        #[serde(default)]
        kind: String,
    },
    /// Write the frames noted into a file.
    ExportFrames { to: PathBuf, format: Format },
    /// Say what the connection's history shows.
    Diagnose {},
    /// Make a report for whoever mends the program, without names.
    Report {},
    /// As before a sleep.
    Suspend {},
    /// As after a sleep of so many milliseconds.
    Resume { slept_ms: Option<u64> },
    /// The window is shown.
    Visible {},
    /// The window is hidden.
    Hidden {},
    /// The network changed.
    Network {
        up: bool,
        #[serde(default)]
        route_lost: bool,
    },
    /// Keep what is typed.
    Draft { to: BareJid, text: String },
    /// The user types, or stopped.
    Typing { to: BareJid, typing: bool },
    /// A conversation has been read.
    Read { with: BareJid },
    /// Send a failed message again.
    Retry { id: u64 },
    /// Give up an unsent message.
    Discard { id: u64 },
    /// Replace an own message.
    Edit { id: u64, body: String },
    /// Withdraw an own message.
    Retract { id: u64 },
    /// Add a contact.
    Add { address: BareJid, name: Option<String> },
    /// Let somebody see our presence.
    Accept { address: BareJid },
    /// Don't.
    Decline { address: BareJid },
    /// Remove a contact.
    Remove { address: BareJid },
    /// Hear nothing of somebody any more.
    Block { address: BareJid },
    /// Hear of them again.
    Unblock { address: BareJid },
    /// Don't wait for the next attempt.
    RetryNow {},
    /// Ask the server after so long a silence, in seconds; without a number as long as each network is known to allow.
    Interval { seconds: Option<u64> },
    /// Close the stream and end.
    Quit {},
}

/// How frames are written into a file.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A line each.
    Text,
    /// As Wireshark reads them.
    Pcapng,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_command_is_understood() {
        for line in [
            r#"{"command":"send","to":"bob@example.org","body":"hello","tag":"t1"}"#,
            r#"{"command":"history","with":"bob@example.org","limit":5}"#,
            r#"{"command":"history","with":"bob@example.org","after":7}"#,
            r#"{"command":"draft","to":"bob@example.org","text":"hel"}"#,
            r#"{"command":"block","address":"bob@example.org"}"#,
            r#"{"command":"unblock","address":"bob@example.org"}"#,
            r#"{"command":"transitions","limit":5}"#,
            r#"{"command":"diagnose"}"#,
            r#"{"command":"wire","on":true,"content":true}"#,
            r#"{"command":"frames","kind":"iq"}"#,
            r#"{"command":"export-frames","to":"frames.pcapng","format":"pcapng"}"#,
            r#"{"command":"suspend"}"#,
            r#"{"command":"resume"}"#,
            r#"{"command":"network","up":false}"#,
            r#"{"command":"retry-now"}"#,
            r#"{"command":"interval","seconds":10}"#,
            r#"{"command":"interval"}"#,
            r#"{"command":"report"}"#,
            r#"{"command":"quit"}"#,
        ] {
            assert!(serde_json::from_str::<Line>(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn an_unknown_command_or_field_is_an_error() {
        for line in [
            r#"{"command":"fly"}"#,
            r#"{"command":"quit","now":true}"#,
            "[]",
            "",
            r#"{"command":"send","to":"@","body":""}"#,
        ] {
            assert!(serde_json::from_str::<Line>(line).is_err(), "{line}");
        }
    }
}

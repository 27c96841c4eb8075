//! A message as a window shows it, and as `dormouse-cli` writes it (`docs/cli.md`).

use serde_json::Value;

/// A message as `history` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its local id.
    pub id: u64,
    /// Whether this account wrote it.
    pub own: bool,
    /// What it says.
    pub body: String,
    /// `text`, `encrypted`, `unreadable` or `retracted`.
    pub kind: String,
    /// Of an own message: `queued`, `sent`, `delivered`, `read` or `failed`.
    pub state: Option<String>,
    /// Why it failed.
    pub why: Option<String>,
    /// The ids under which archives know it.
    pub archive_ids: Vec<String>,
}

impl Message {
    /// From a `message` event or an entry of a `history` event. What is missing is empty.
    pub fn read(json: &Value) -> Self {
        let text = |field: &str| json[field].as_str().map(str::to_owned);
        Self {
            id: json["id"].as_u64().unwrap_or_default(),
            own: json["direction"] == "out",
            body: text("body").unwrap_or_default(),
            kind: text("kind").unwrap_or_default(),
            state: text("state"),
            why: text("why"),
            archive_ids: json["archive_ids"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        }
    }
}

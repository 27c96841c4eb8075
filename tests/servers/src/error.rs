//! Why a server could not be started, stopped or asked: a sentence for the person who reads the test's output.

use std::fmt;
use std::path::Path;

/// What went wrong with a server, as a sentence, with the end of the server's log where there is one.
pub struct ServerError {
    sentence: String,
}

/// The result of everything that can go wrong with a server.
pub type Result<T> = std::result::Result<T, ServerError>;

impl ServerError {
    /// An error with this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
        }
    }

    /// The same error with the last lines of a log below it.
    #[must_use]
    pub fn with_log(mut self, log: &Path) -> Self {
        if let Ok(text) = std::fs::read(log) {
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            let tail = &lines[lines.len().saturating_sub(25)..];
            if !tail.is_empty() {
                self.sentence.push_str("\n--- end of its log ---\n");
                self.sentence.push_str(&tail.join("\n"));
            }
        }
        self
    }

    /// For `map_err` on an IO error: `what` says what was being done.
    pub(crate) fn io(what: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::new(format!("{what}: {error}"))
    }
}

// Tests end in `.unwrap()`: the sentence must be readable there too, line breaks included.
impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for ServerError {}

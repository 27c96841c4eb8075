//! What the program is started with: by hand, by the desktop at the start of a session, by a click on an `xmpp:` link.

use crate::links::LONGEST;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;

/// What a start was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Without a window.
    pub hidden: bool,
    /// With these links to be opened in it.
    pub links: Vec<String>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// Start.
    Start(Start),
    /// Only say this.
    Say(String),
}

/// What the words of the command line mean.
///
/// # Errors
/// A sentence: which word means nothing.
pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Arguments, String> {
    let mut start = Start::default();
    for word in words {
        let word = word
            .into_string()
            .map_err(|_| "An argument is not text.".to_owned())?;
        match word.as_str() {
            "--hidden" => start.hidden = true,
            "--version" => return Ok(Arguments::Say(crate::shell::PROGRAM.to_owned())),
            "--help" | "-h" => return Ok(Arguments::Say(HELP.to_owned())),
            link if is_link(link) => start.links.push(word),
            _ => return Err(format!("Dormouse knows nothing called {word:?}. {HELP}")),
        }
    }
    Ok(Arguments::Start(start))
}

const HELP: &str =
    "dormouse [--hidden] [xmpp:ADDRESS...]: opens the window, or only the tray; --version tells the version.";

fn is_link(word: &str) -> bool {
    let scheme = word.split(':').next().unwrap_or_default();
    word.len() <= LONGEST && word.contains(':') && scheme.eq_ignore_ascii_case("xmpp")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Arguments, String> {
        read(words.iter().map(OsString::from))
    }

    #[test]
    fn a_start_is_with_or_without_a_window_and_may_have_links() {
        assert_eq!(of(&[]), Ok(Arguments::Start(Start::default())));
        let hidden = Start {
            hidden: true,
            links: Vec::new(),
        };
        assert_eq!(of(&["--hidden"]), Ok(Arguments::Start(hidden)));
        let link = "XMPP:juliet@example.org?message";
        let links = Start {
            hidden: false,
            links: vec![link.to_owned()],
        };
        assert_eq!(of(&[link]), Ok(Arguments::Start(links)));
    }

    #[test]
    fn what_means_nothing_is_said() {
        for word in ["--hiden", "juliet@example.org", "https://example.org", "", "xmpp"] {
            assert!(of(&[word]).unwrap_err().contains(&format!("{word:?}")), "{word}");
        }
        assert!(of(&[&format!("xmpp:{}", "a".repeat(LONGEST))]).is_err());
        assert!(matches!(of(&["--version"]), Ok(Arguments::Say(it)) if it.starts_with("Dormouse ")));
    }
}

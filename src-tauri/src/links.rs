//! Links that people send: which may be opened, and opening them outside the window.
//!
//! Four schemes and no others. What a link is, a URL parser says, not a look at its first letters:
//! `JAVA\tSCRIPT:` is one of the spellings browsers know. What is handed to the system is the parser's own
//! spelling of it.

use std::io;
use url::Url;

/// The schemes that lead to a browser, a mail program or a chat.
const SCHEMES: [&str; 4] = ["https", "http", "mailto", "xmpp"];
/// The longest link that is opened, in bytes: systems take command lines of bounded length.
pub(crate) const LONGEST: usize = 8 * 1024;

/// Why a link is not opened.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It is none, or of a scheme that may not be opened.
    #[error("the link may not be opened")]
    NotAllowed,
    /// The system found nothing to open it with.
    #[error("the link could not be opened: {0}")]
    NotOpened(io::Error),
}

/// The link as it may be handed to the system.
pub fn allowed(link: &str) -> Result<Url, LinkError> {
    if link.len() > LONGEST {
        return Err(LinkError::NotAllowed);
    }
    let url = Url::parse(link).map_err(|_| LinkError::NotAllowed)?;
    let web = matches!(url.scheme(), "https" | "http");
    let fine = SCHEMES.contains(&url.scheme())
        && (!web || url.host_str().is_some_and(|host| !host.is_empty()))
        && (web || !url.path().is_empty());
    if fine { Ok(url) } else { Err(LinkError::NotAllowed) }
}

/// Opens a link with the system's program for it. Blocks for a moment.
pub fn open(link: &str) -> Result<(), LinkError> {
    let url = allowed(link)?;
    opener::open(url.as_str()).map_err(|error| LinkError::NotOpened(io::Error::other(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_mail_and_chat_are_opened() {
        for link in [
            "https://example.org/a?b#c",
            "HTTP://example.org",
            "mailto:romeo@example.org?subject=hi",
            "xmpp:juliet@example.org?message",
        ] {
            assert!(allowed(link).is_ok(), "{link}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for link in [
            "javascript:alert(1)",
            "JaVa\tScRiPt:alert(1)",
            " javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "tauri://localhost/",
            "smb://host/share",
            "ssh://host",
            "ms-msdt:/id",
            "steam://run/1",
            "example.org",
            "/etc/passwd",
            "--help",
            "",
            "https://",
            "mailto:",
            "xmpp:",
        ] {
            assert!(matches!(allowed(link), Err(LinkError::NotAllowed)), "{link}");
        }
        assert!(allowed(&format!("https://example.org/{}", "a".repeat(LONGEST))).is_err());
    }

    #[test]
    fn what_is_handed_to_the_system_has_nothing_that_a_shell_or_an_option_could_be() {
        let url = allowed("https://example.org/a b\"c<d>\n--e").unwrap();
        assert_eq!(url.as_str(), "https://example.org/a%20b%22c%3Cd%3E--e");
    }
}

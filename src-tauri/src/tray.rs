//! The tray: an icon that stands while Dormouse runs, with or without a window. It says whether something is unread and how the
//! connection is, in words, opens the window and ends the program.
//!
//! What it shows is worked out here from how all accounts stand; each system's own file shows it.

#[cfg(all(unix, not(target_os = "macos")))]
pub mod status_notifier;

use crate::words::Words;
use dormouse_engine::model::{BareJid, Condition};

/// How all accounts stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Messages not read, in all conversations of which the user wants to hear.
    pub unread: u64,
    /// Each account and its connection, as far as known.
    pub accounts: Vec<(BareJid, Condition)>,
}

/// What the tray shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// What it is and how much is unread.
    pub title: String,
    /// A line on each account's connection.
    pub lines: Vec<String>,
    /// Something is unread: the icon has a dot.
    pub dot: bool,
    /// What opens the window.
    pub open: String,
    /// What ends the program.
    pub quit: String,
}

/// What the tray shows of accounts that stand like this.
pub fn look(standing: &Standing, words: &Words) -> Look {
    let state = |condition| words.plain(&format!("ui-connection-{}", name(condition)));
    let lines = match standing.accounts.as_slice() {
        [] => vec![words.plain("tray-nobody")],
        [(_, condition)] => vec![state(*condition)],
        several => several
            .iter()
            .map(|(address, condition)| format!("{address}: {}", state(*condition)))
            .collect(),
    };
    Look {
        title: words.tray_title(standing.unread),
        lines,
        dot: standing.unread > 0,
        open: words.plain("tray-open"),
        quit: words.plain("tray-quit"),
    }
}

/// The state as the window's words have it.
fn name(condition: Condition) -> &'static str {
    match condition {
        Condition::Asleep => "asleep",
        Condition::Offline => "offline",
        Condition::Connecting => "connecting",
        Condition::SigningIn => "signing-in",
        Condition::CatchingUp => "catching-up",
        Condition::Live => "live",
        Condition::Suspect => "suspect",
        Condition::Waiting => "waiting",
        Condition::Stopped => "stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translations::Translations;

    fn standing(unread: u64, accounts: &[(&str, Condition)]) -> Standing {
        let accounts = accounts
            .iter()
            .map(|(address, condition)| (BareJid::new(address).unwrap(), *condition))
            .collect();
        Standing { unread, accounts }
    }

    fn english() -> Words {
        Words::new(Translations::of("en").unwrap())
    }

    #[test]
    fn the_connection_is_said_in_words_and_whose_it_is_where_there_are_several() {
        let one = standing(0, &[("romeo@example.org", Condition::Live)]);
        assert_eq!(look(&one, &english()).lines, ["Connected"]);
        let two = standing(
            0,
            &[
                ("romeo@example.org", Condition::Live),
                ("juliet@example.org", Condition::Offline),
            ],
        );
        assert_eq!(
            look(&two, &english()).lines,
            ["romeo@example.org: Connected", "juliet@example.org: No network"]
        );
        assert_eq!(look(&standing(0, &[]), &english()).lines, ["Not signed in"]);
    }

    #[test]
    fn what_is_unread_is_counted_and_has_a_dot() {
        let none = look(&standing(0, &[]), &english());
        assert_eq!((none.title.as_str(), none.dot), ("Dormouse", false));
        let one = look(&standing(1, &[]), &english());
        assert_eq!((one.title.as_str(), one.dot), ("Dormouse: 1 new message", true));
        let many = look(&standing(12, &[]), &english());
        assert_eq!(many.title, "Dormouse: 12 new messages");
    }

    #[test]
    fn every_state_has_its_words_in_every_language() {
        for language in ["en", "de"] {
            let words = Words::new(Translations::of(language).unwrap());
            for condition in [
                Condition::Asleep,
                Condition::Offline,
                Condition::Connecting,
                Condition::SigningIn,
                Condition::CatchingUp,
                Condition::Live,
                Condition::Suspect,
                Condition::Waiting,
                Condition::Stopped,
            ] {
                let shown = look(&standing(0, &[("romeo@example.org", condition)]), &words);
                assert!(!shown.lines[0].contains("ui-"), "{language}: {shown:?}");
            }
        }
    }
}

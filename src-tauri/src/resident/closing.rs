//! What it means that the user closes the window.
//!
//! With a tray: that the window goes, and the program stays. Without one a program without a window could not be reached
//! any more, so the user is asked, once: quit, or only minimise. What they choose is kept.

use crate::protocol::WhenClosed;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The window goes, the program stays.
    Close,
    /// The window is minimised.
    Minimise,
    /// The program ends.
    Quit,
    /// The user is asked.
    Ask,
}

/// What closing means. `chosen` is what the user wants where there is no tray; `answers` whether a question in the window
/// can be expected to be answered: its page is there and has not left one unanswered. A page that hangs must not
/// keep a window open.
pub fn meaning(tray: bool, chosen: Option<WhenClosed>, answers: bool) -> Meaning {
    match (tray, chosen) {
        (true, _) => Meaning::Close,
        (false, Some(WhenClosed::Minimise)) => Meaning::Minimise,
        (false, Some(WhenClosed::Quit)) => Meaning::Quit,
        (false, None) if answers => Meaning::Ask,
        (false, None) => Meaning::Quit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_a_tray_the_program_stays_whatever_was_chosen_without_one() {
        for chosen in [None, Some(WhenClosed::Quit), Some(WhenClosed::Minimise)] {
            assert_eq!(meaning(true, chosen, true), Meaning::Close);
            assert_eq!(meaning(true, chosen, false), Meaning::Close);
        }
    }

    #[test]
    fn without_a_tray_the_user_is_asked_until_they_have_chosen() {
        assert_eq!(meaning(false, None, true), Meaning::Ask);
        assert_eq!(meaning(false, Some(WhenClosed::Quit), true), Meaning::Quit);
        assert_eq!(
            meaning(false, Some(WhenClosed::Minimise), true),
            Meaning::Minimise
        );
    }

    #[test]
    fn a_page_that_does_not_answer_can_be_closed_all_the_same() {
        assert_eq!(meaning(false, None, false), Meaning::Quit);
    }
}

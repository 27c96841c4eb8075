//! A new version of the program: what is known of it, and what the user wants with it.
//!
//! The window looks for one, if `source` says that this program may, since the updater is Tauri's; the program that stays
//! keeps what it found, tells the page, and passes on that the user wants it. Nothing is downloaded before that. What was put off is not
//! offered again before the next start.

pub mod image;
// In a distribution's packages there is nowhere for new versions to come from.
#[cfg(any(feature = "updater", test))]
pub mod source;

use crate::protocol;
use crate::words::Words;
use serde::{Deserialize, Serialize};

/// How much of what a release says of itself is shown, in characters.
const LONGEST_NOTES: usize = 2000;
/// A version is a few numbers and perhaps a word; in characters.
const LONGEST_VERSION: usize = 40;

/// What the window has to say of a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// There is one.
    Offered {
        /// Its number.
        version: String,
        /// What it says of itself, as it came: it is not signed.
        notes: String,
    },
    /// It lies where the old one was.
    Installed,
    /// It was to be installed, and was not.
    Failed(Trouble),
}

/// Why a new version was not installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// The key that was built in has not signed it.
    NotSigned,
    /// It is signed as another version than was announced.
    OtherVersion,
    /// It did not come: why, in the system's words.
    NotDownloaded(String),
    /// It could not be put where the old one is: why, in the system's words.
    NotReplaced(String),
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Offered,
    Installing,
    Failed(Trouble),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Offer {
    version: String,
    notes: String,
    stage: Stage,
}

/// What is known.
#[derive(Debug, Default)]
pub struct Updates {
    offer: Option<Offer>,
    /// The version that the user does not want now.
    put_off: Option<String>,
}

impl Updates {
    /// Takes in what the window says; true if the program is to start anew.
    pub fn heard(&mut self, news: News) -> bool {
        match news {
            News::Offered { version, notes } => {
                let version = tidy(&version, LONGEST_VERSION);
                let known = self.offer.as_ref().is_some_and(|offer| offer.version == version);
                // Found again the next day, it is what it was.
                if !known {
                    self.offer = Some(Offer {
                        version,
                        notes: tidy(&notes, LONGEST_NOTES),
                        stage: Stage::Offered,
                    });
                }
            }
            // Only what the user has asked for: whoever says so without that is not believed.
            News::Installed => return self.is_installing(),
            News::Failed(why) => {
                if let Some(offer) = self.installing() {
                    offer.stage = Stage::Failed(why);
                }
            }
        }
        false
    }

    /// The user wants it now; false if there is none or it is under way.
    pub fn install(&mut self) -> bool {
        match &mut self.offer {
            Some(offer) if offer.stage != Stage::Installing => {
                offer.stage = Stage::Installing;
                true
            }
            _ => false,
        }
    }

    /// The user does not want it now.
    pub fn put_off(&mut self) {
        if let Some(offer) = &self.offer
            && offer.stage != Stage::Installing
        {
            self.put_off = Some(offer.version.clone());
        }
    }

    /// The window that found it has ended, and can install nothing any more. The next one looks again.
    pub fn gone(&mut self) {
        self.offer = None;
    }

    /// What the page shows of it.
    pub fn shown(&self, words: &Words) -> Option<protocol::Update> {
        let offer = self.offer.as_ref()?;
        if self.put_off.as_ref() == Some(&offer.version) {
            return None;
        }
        let (stage, problem) = match &offer.stage {
            Stage::Offered => (protocol::UpdateStage::Offered, None),
            Stage::Installing => (protocol::UpdateStage::Installing, None),
            Stage::Failed(why) => (protocol::UpdateStage::Failed, Some(words.update_trouble(why))),
        };
        Some(protocol::Update {
            version: offer.version.clone(),
            notes: offer.notes.clone(),
            stage,
            problem,
        })
    }

    fn is_installing(&self) -> bool {
        self.offer
            .as_ref()
            .is_some_and(|offer| offer.stage == Stage::Installing)
    }

    fn installing(&mut self) -> Option<&mut Offer> {
        self.offer
            .as_mut()
            .filter(|offer| offer.stage == Stage::Installing)
    }
}

/// Text of bounded length in which nothing turns what stands around it.
fn tidy(raw: &str, longest: usize) -> String {
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let kept = raw
        .chars()
        .filter(|c| *c == '\n' || !(c.is_control() || turns(*c)));
    let mut kept = kept.peekable();
    let mut text: String = kept.by_ref().take(longest).collect();
    if kept.peek().is_some() {
        text.push('…');
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::UpdateStage;
    use crate::translations::Translations;

    fn words() -> Words {
        Words::new(Translations::of("en").unwrap())
    }

    fn offered(version: &str) -> News {
        News::Offered {
            version: version.into(),
            notes: "Faster.".into(),
        }
    }

    fn stage(updates: &Updates) -> Option<UpdateStage> {
        updates.shown(&words()).map(|update| update.stage)
    }

    #[test]
    fn a_new_version_is_shown_and_starts_the_program_anew_only_once_the_user_wanted_it() {
        let mut updates = Updates::default();
        assert_eq!(stage(&updates), None);
        assert!(!updates.install(), "there is nothing to be installed");
        assert!(!updates.heard(offered("0.2.0")));
        assert_eq!(stage(&updates), Some(UpdateStage::Offered));
        assert!(
            !updates.heard(News::Installed),
            "nobody has asked for anything to be installed"
        );
        assert!(updates.install());
        assert!(!updates.install(), "once is enough");
        assert_eq!(stage(&updates), Some(UpdateStage::Installing));
        assert!(updates.heard(News::Installed));
    }

    #[test]
    fn what_failed_says_why_and_can_be_tried_again() {
        let mut updates = Updates::default();
        updates.heard(offered("0.2.0"));
        updates.heard(News::Failed(Trouble::NotSigned));
        assert_eq!(
            stage(&updates),
            Some(UpdateStage::Offered),
            "nothing was to be done"
        );
        for trouble in [
            Trouble::NotSigned,
            Trouble::OtherVersion,
            Trouble::NotDownloaded("no route to host".into()),
            Trouble::NotReplaced("permission denied".into()),
        ] {
            assert!(updates.install());
            assert!(!updates.heard(News::Failed(trouble)));
            let shown = updates.shown(&words()).unwrap();
            assert_eq!(shown.stage, UpdateStage::Failed);
            assert!(shown.problem.unwrap().ends_with('.'));
        }
        // Found again, it does not forget that it has failed.
        updates.heard(offered("0.2.0"));
        assert_eq!(stage(&updates), Some(UpdateStage::Failed));
    }

    #[test]
    fn what_was_put_off_is_not_offered_again_and_a_newer_one_is() {
        let mut updates = Updates::default();
        updates.heard(offered("0.2.0"));
        updates.put_off();
        assert_eq!(stage(&updates), None);
        updates.gone();
        updates.heard(offered("0.2.0"));
        assert_eq!(stage(&updates), None);
        updates.heard(offered("0.3.0"));
        assert_eq!(stage(&updates), Some(UpdateStage::Offered));
    }

    #[test]
    fn with_the_window_goes_what_it_offered() {
        let mut updates = Updates::default();
        updates.heard(offered("0.2.0"));
        assert!(updates.install());
        updates.gone();
        assert!(!updates.install());
        assert!(!updates.heard(News::Installed));
    }

    #[test]
    fn what_a_release_says_of_itself_is_bounded_and_turns_nothing() {
        let mut updates = Updates::default();
        updates.heard(News::Offered {
            version: "9".repeat(500),
            notes: format!("one\r\n\u{202E}two\u{7}\n{}", "x".repeat(5000)),
        });
        let shown = updates.shown(&words()).unwrap();
        assert_eq!(shown.version.chars().count(), LONGEST_VERSION + 1);
        assert!(shown.notes.starts_with("one\ntwo\nxxx"));
        assert_eq!(shown.notes.chars().count(), LONGEST_NOTES + 1);
    }
}

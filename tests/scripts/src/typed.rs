//! What was typed, and what became of each text as the windows told it.
//!
//! A text is promised once a window has told that it is sent, or has shown it as waiting and then told that everything
//! shown is on disk. A program that is killed before that may forget it; nobody was told anything else.
//!
//! Texts are known by their words, so no two say the same. Times count from the beginning of whatever is played.

use std::collections::BTreeMap;
use std::time::Duration;

/// A text that somebody typed.
#[derive(Debug, Clone)]
pub struct Text {
    /// What it says, and what it said after each edit; never empty.
    pub versions: Vec<String>,
    /// Its author has withdrawn it.
    pub withdrawn: bool,
    /// On which device it was typed.
    pub device: usize,
    /// Who typed it.
    pub from: usize,
    /// To whom. A number behind the last person's means nobody.
    pub to: usize,
    /// When.
    pub at: Duration,
    /// Its own window has shown it.
    pub shown: bool,
    /// When a window told first that it is sent.
    pub sent: Option<Duration>,
    /// Nobody may forget it any more.
    pub promised: bool,
    /// Its program was killed before it had promised it.
    pub excused: bool,
}

impl Text {
    /// What it said when it was typed.
    pub fn body(&self) -> &str {
        self.versions.first().map_or("", String::as_str)
    }
}

/// All texts, in the order in which they were typed.
#[derive(Debug, Default)]
pub struct Typed {
    texts: Vec<Text>,
    by_words: BTreeMap<String, usize>,
}

impl Typed {
    /// Something is typed.
    pub fn text(&mut self, device: usize, from: usize, to: usize, body: &str, at: Duration) {
        self.by_words.insert(body.to_owned(), self.texts.len());
        self.texts.push(Text {
            versions: vec![body.to_owned()],
            withdrawn: false,
            device,
            from,
            to,
            at,
            shown: false,
            sent: None,
            promised: false,
            excused: false,
        });
    }

    /// Its author, on whichever device, has a text say something else.
    pub fn edited(&mut self, text: &str, now: &str) {
        if let Some(place) = self.by_words.get(text).copied()
            && let Some(text) = self.texts.get_mut(place)
        {
            text.versions.push(now.to_owned());
            self.by_words.insert(now.to_owned(), place);
        }
    }

    /// Its author, on whichever device, takes a text back.
    pub fn withdrawn(&mut self, text: &str) {
        if let Some(text) = self.get_mut(text) {
            text.withdrawn = true;
        }
    }

    /// A device told of a message that its own account has written.
    pub fn told(&mut self, device: usize, body: &str, state: &str, at: Duration) {
        let Some(text) = self.get_mut(body) else { return };
        text.shown |= text.device == device;
        if matches!(state, "sent" | "delivered" | "read") {
            text.sent.get_or_insert(at);
            text.promised = true;
        }
    }

    /// A device told that everything it has shown is on disk.
    pub fn kept(&mut self, device: usize) {
        for text in self.texts.iter_mut().filter(|text| text.device == device) {
            text.promised |= text.shown && !text.excused;
        }
    }

    /// The program on a device is about to end: what it has promised holds. In good order it keeps all it has
    /// shown. What it has not promised by then it may have forgotten.
    pub fn ends(&mut self, device: usize, in_good_order: bool) {
        if in_good_order {
            self.kept(device);
        }
        for text in self.texts.iter_mut().filter(|text| text.device == device) {
            text.excused |= !text.promised;
        }
    }

    /// No program ends any more: what was typed and may not have been forgotten holds.
    pub fn nothing_ends(&mut self) {
        for text in &mut self.texts {
            text.promised |= !text.excused;
        }
    }

    /// All texts.
    pub fn texts(&self) -> &[Text] {
        &self.texts
    }

    /// The text that says this, or has said it.
    pub fn find(&self, words: &str) -> Option<&Text> {
        self.by_words.get(words).and_then(|place| self.texts.get(*place))
    }

    fn get_mut(&mut self, words: &str) -> Option<&mut Text> {
        self.by_words
            .get(words)
            .and_then(|place| self.texts.get_mut(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_killed_program_may_forget_only_what_it_has_not_promised() {
        let mut typed = Typed::default();
        for body in ["sent", "kept", "shown", "unseen"] {
            typed.text(0, 0, 1, body, NOW);
        }
        typed.told(0, "sent", "sent", NOW);
        typed.told(0, "kept", "queued", NOW);
        typed.kept(0);
        typed.told(0, "shown", "queued", NOW);
        typed.ends(0, false);
        let promised = |typed: &Typed| typed.texts().iter().map(|text| text.promised).collect::<Vec<_>>();
        assert_eq!(promised(&typed), [true, true, false, false]);
        typed.nothing_ends();
        assert_eq!(promised(&typed), [true, true, false, false]);
        // The next life has found it on disk after all.
        typed.told(0, "shown", "sent", NOW);
        assert_eq!(promised(&typed), [true, true, true, false]);
    }

    #[test]
    fn a_program_that_ends_in_good_order_keeps_what_it_has_shown() {
        let mut typed = Typed::default();
        typed.text(0, 0, 1, "shown", NOW);
        typed.told(0, "shown", "queued", NOW);
        typed.ends(0, true);
        assert!(typed.find("shown").unwrap().promised);
    }

    #[test]
    fn a_text_is_found_by_whatever_it_has_said() {
        let mut typed = Typed::default();
        typed.text(0, 0, 1, "helo", NOW);
        typed.edited("helo", "hello");
        typed.edited("hello", "hello!");
        assert_eq!(typed.find("hello!").unwrap().body(), "helo");
        assert_eq!(typed.texts().len(), 1);
    }
}

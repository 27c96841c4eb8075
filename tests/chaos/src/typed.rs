//! What was typed, and what became of each text as the windows told it.
//!
//! A text is promised once a window has told that it is sent, or has shown it as waiting for long enough that it is on disk. A
//! program that is killed before that may forget it; nobody was told anything else.

use dormouse_scenarios::event::Event;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A text is shown when it is typed and sent when it is on disk; this is enough for a commit on a busy machine.
const COMMITTED: Duration = Duration::from_millis(700);

/// A text that somebody typed.
#[derive(Debug, Clone)]
pub struct Text {
    /// What it says; no two say the same.
    pub body: String,
    /// On which device.
    pub device: usize,
    /// Who typed it.
    pub from: usize,
    /// To whom.
    pub to: usize,
    /// When.
    pub at: Instant,
    /// When its own window showed it first.
    pub shown: Option<Instant>,
    /// When a window told first that it is sent.
    pub sent: Option<Instant>,
    /// Nobody may forget it any more.
    pub promised: bool,
    /// Its program was killed before it had promised it.
    pub excused: bool,
}

/// All texts, in the order in which they were typed.
#[derive(Debug, Default)]
pub struct Typed {
    texts: Vec<Text>,
    by_body: BTreeMap<String, usize>,
}

impl Typed {
    /// Something is typed; what it says.
    pub fn text(&mut self, device: usize, from: usize, to: usize) -> String {
        let number = self.texts.len() + 1;
        let body = format!("text {number} from {from} (device {device}) to {to}");
        self.by_body.insert(body.clone(), self.texts.len());
        self.texts.push(Text {
            body: body.clone(),
            device,
            from,
            to,
            at: Instant::now(),
            shown: None,
            sent: None,
            promised: false,
            excused: false,
        });
        body
    }

    /// A device told something.
    pub fn told(&mut self, device: usize, event: &Event) {
        if event.kind() != "message" || event.text("direction") != "out" {
            return;
        }
        let Some(text) = self
            .by_body
            .get(event.text("body"))
            .and_then(|place| self.texts.get_mut(*place))
        else {
            return;
        };
        if text.device == device {
            text.shown.get_or_insert(event.at);
        }
        if matches!(event.text("state"), "sent" | "delivered" | "read") {
            text.sent.get_or_insert(event.at);
            text.promised = true;
        }
    }

    /// The program on a device is about to end: what it has promised holds. In good order it keeps all it has
    /// shown. What it has not promised by then it may have forgotten.
    pub fn ends(&mut self, device: usize, in_good_order: bool) {
        for text in self.texts.iter_mut().filter(|text| text.device == device) {
            let kept = |shown: Instant| in_good_order || shown.elapsed() >= COMMITTED;
            text.promised |= !text.excused && text.shown.is_some_and(kept);
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

    /// The text that says this.
    pub fn find(&self, body: &str) -> Option<&Text> {
        self.by_body.get(body).and_then(|place| self.texts.get(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(typed: &mut Typed, body: &str, state: &str, ago: Duration) {
        let json = serde_json::json!({"event": "message", "direction": "out", "body": body, "state": state});
        let at = Instant::now() - ago;
        typed.told(0, &Event { at, json });
    }

    #[test]
    fn a_killed_program_may_forget_only_what_it_has_not_promised() {
        let mut typed = Typed::default();
        let bodies: Vec<String> = (0..4).map(|_| typed.text(0, 0, 1)).collect();
        told(&mut typed, &bodies[0], "sent", Duration::ZERO);
        told(&mut typed, &bodies[1], "queued", COMMITTED);
        told(&mut typed, &bodies[2], "queued", Duration::ZERO);
        typed.ends(0, false);
        let promised = |typed: &Typed| typed.texts().iter().map(|text| text.promised).collect::<Vec<_>>();
        assert_eq!(promised(&typed), [true, true, false, false]);
        typed.nothing_ends();
        assert_eq!(promised(&typed), [true, true, false, false]);
        // The next life has found it on disk after all.
        told(&mut typed, &bodies[2], "sent", Duration::ZERO);
        assert_eq!(promised(&typed), [true, true, true, false]);
    }

    #[test]
    fn a_program_that_ends_in_good_order_keeps_what_it_has_shown() {
        let mut typed = Typed::default();
        let body = typed.text(0, 0, 1);
        told(&mut typed, &body, "queued", Duration::ZERO);
        typed.ends(0, true);
        assert!(typed.find(&body).unwrap().promised);
    }
}

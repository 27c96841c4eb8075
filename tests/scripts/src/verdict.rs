//! What must be shown, what is, and what the servers themselves lost.
//!
//! Of each conversation a window must show what the own archive
//! holds, once, in its order, every own text as sent, saying what it said last; what was promised must be in the archives.
//! What was written to nobody stands as failed in the window in which it was typed.
//!
//! What one archive holds and the other doesn't has come to the server and was lost there; what neither
//! holds was lost by the server only if it may lose what it has confirmed, and was killed right
//! after the window had told that it is sent ([`Losses`]).

use crate::archive::{Archived, Archives};
use crate::checker::Expected;
use crate::message::Message;
use crate::typed::{Text, Typed};
use std::collections::BTreeSet;
use std::time::Duration;

const STATES: [&str; 3] = ["sent", "delivered", "read"];
const RETURNED: [&str; 1] = ["failed"];
/// So long after a text was told to be sent a kill may still take it from the server.
const NOT_WRITTEN: Duration = Duration::from_secs(5);
/// What a text says that its author has taken back.
const WITHDRAWN: &str = "(withdrawn)";

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What must not be.
    pub findings: Vec<String>,
    /// What the servers lost.
    pub losses: BTreeSet<String>,
}

/// What servers may lose by themselves. The default: a kill between the two archives of a message, of which nothing is one
/// transaction, and nothing else.
#[derive(Debug, Default, Clone)]
pub struct Losses {
    /// Without any kill of its own, too: a node of a cluster takes with it what was on its way, and returns some of it.
    pub on_the_way: bool,
    /// By a kill also what it has confirmed and not yet written.
    pub unwritten: bool,
    /// When servers were killed.
    pub kills: Vec<Duration>,
}

/// A conversation as a window shows it.
#[derive(Debug, Clone)]
pub struct Window {
    /// On which device.
    pub device: usize,
    /// Whose it is.
    pub person: usize,
    /// With whom.
    pub with: usize,
    /// All of it, oldest first.
    pub shown: Vec<Message>,
}

/// What there is to judge by.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Addresses: those who have archives, in their order, then perhaps somebody who doesn't exist.
    pub people: &'a [String],
    /// What was typed.
    pub typed: &'a Typed,
    /// What was archived.
    pub archives: &'a Archives,
    /// What the servers may lose.
    pub losses: &'a Losses,
}

impl Case<'_> {
    /// Looks at every window.
    pub fn judge(&self, windows: Vec<Window>) -> Verdict {
        let mut verdict = Verdict::default();
        for text in self.typed.texts().iter().filter(|text| text.promised) {
            self.promised(text, &mut verdict);
        }
        self.in_order_of_typing(&mut verdict);
        for window in windows {
            self.conversation(window, &mut verdict);
        }
        verdict
    }

    fn is_nobody(&self, person: usize) -> bool {
        person >= self.archives.0.len()
    }

    fn address(&self, person: usize) -> &str {
        self.people.get(person).map_or("?", String::as_str)
    }

    /// What was promised is in both archives, or the server lost it. What was withdrawn need not be: ejabberd 24.12 takes it
    /// out and leaves a tombstone (XEP-0424).
    fn promised(&self, text: &Text, verdict: &mut Verdict) {
        if self.is_nobody(text.to) || text.withdrawn {
            return;
        }
        let held = [text.from, text.to].map(|owner| self.is_held(owner, text));
        let sentence = match held {
            [true, true] => return,
            [true, false] => "is in its sender's archive and not in its recipient's",
            [false, true] => "is in its recipient's archive and not in its sender's",
            [false, false] => "is in no archive",
        };
        let by_a_kill = text.sent.is_some_and(|sent| {
            let hit = |kill: &Duration| *kill >= text.at && *kill <= sent + NOT_WRITTEN;
            self.losses.kills.iter().any(hit)
        });
        let is_the_servers = match held {
            [false, false] => self.losses.unwritten && by_a_kill,
            _ => self.losses.on_the_way || by_a_kill,
        };
        let sentence = format!("“{}” was promised and {sentence}.", text.body());
        verdict.add(is_the_servers, sentence);
    }

    fn is_held(&self, owner: usize, text: &Text) -> bool {
        text.versions
            .iter()
            .any(|words| self.archives.holds(owner, words))
    }

    /// What one device sent to one person stands in the archive in the order in which it was typed.
    fn in_order_of_typing(&self, verdict: &mut Verdict) {
        let all = self.typed.texts();
        let ways: BTreeSet<(usize, usize, usize)> =
            all.iter().map(|text| (text.device, text.from, text.to)).collect();
        for (device, from, to) in ways {
            let mut seen = BTreeSet::new();
            let mut last: Option<usize> = None;
            for entry in self.archives.of(from) {
                let of_this =
                    |text: &Text| (text.device, text.to) == (device, to) && text.body() == entry.body;
                let Some(number) = all.iter().position(of_this).filter(|number| seen.insert(*number)) else {
                    continue;
                };
                if let Some(before) = last.filter(|last| number < *last) {
                    let sentence = format!(
                        "“{}” was typed before “{}” and archived behind it.",
                        entry.body,
                        all[before].body()
                    );
                    verdict.add(self.losses.on_the_way, sentence);
                }
                last = Some(number);
            }
        }
    }

    fn conversation(&self, mut window: Window, verdict: &mut Verdict) {
        let to_nobody = self.is_nobody(window.with);
        if to_nobody {
            // What came back is known where it was typed only.
            let is_here = |message: &Message| {
                let text = self.typed.find(&message.body);
                text.is_none_or(|text| text.device == window.device)
            };
            window.shown.retain(is_here);
        }
        for message in &mut window.shown {
            if message.kind == "retracted" {
                WITHDRAWN.clone_into(&mut message.body);
                "text".clone_into(&mut message.kind);
            }
            // Of a server that was killed not even who has an account is certain.
            let may_return = self.losses.on_the_way || !self.losses.kills.is_empty();
            if may_return && !to_nobody && message.state.as_deref() == Some("failed") {
                let why = message.why.as_deref().unwrap_or_default();
                let sentence = format!("“{}” was returned by the server: {why}", message.body);
                verdict.losses.insert(sentence);
                message.state = Some("sent".to_owned());
            }
        }
        let expected = Expected {
            received: &self.expected(&window, false),
            sent: &self.expected(&window, true),
            states: if to_nobody { &RETURNED } else { &STATES },
        };
        let mut found: Vec<String> = expected
            .check(&window.shown)
            .err()
            .map(|differences| differences.to_string())
            .into_iter()
            .collect();
        found.extend(self.out_of_order(&window));
        verdict.findings.extend(found.into_iter().map(|what| {
            format!(
                "In the window of device {} ({} with {}): {what}",
                window.device,
                self.address(window.person),
                self.address(window.with)
            )
        }));
    }

    /// What must be shown of one direction, in the order in which it is, what is missing behind it. What is shown and was typed but is in
    /// no archive of ours may be shown: that it is missing there is told elsewhere.
    fn expected(&self, window: &Window, own: bool) -> Vec<String> {
        let (from, to) = match own {
            true => (window.person, window.with),
            false => (window.with, window.person),
        };
        let all: Vec<(&Text, String)> = self
            .typed
            .texts()
            .iter()
            .filter(|text| (text.from, text.to) == (from, to))
            .map(|text| (text, self.words(window.person, text)))
            .collect();
        let mut seen = BTreeSet::new();
        let mut expected = Vec::new();
        for message in window.shown.iter().filter(|message| message.own == own) {
            let shows =
                |text: &Text, words: &str| words == message.body || text.versions.contains(&message.body);
            let meant = (0..all.len()).find(|number| {
                !seen.contains(number) && all.get(*number).is_some_and(|(text, words)| shows(text, words))
            });
            if let Some(number) = meant {
                seen.insert(number);
                expected.extend(all.get(number).map(|(_, words)| words.clone()));
            }
        }
        for (number, (text, words)) in all.into_iter().enumerate() {
            // Whoever promised a text shows it, whatever became of it elsewhere.
            let is_due = self.is_held(window.person, text) || (text.promised && text.device == window.device);
            if is_due && !seen.contains(&number) {
                expected.push(words);
            }
        }
        expected
    }

    /// What a text says in the end: of its edits the one that stands last in the archive.
    fn words(&self, owner: usize, text: &Text) -> String {
        if text.withdrawn {
            return WITHDRAWN.to_owned();
        }
        let edits = text.versions.get(1..).unwrap_or_default();
        let last = self
            .archives
            .of(owner)
            .iter()
            .rev()
            .find(|entry| edits.contains(&entry.body));
        match last {
            Some(entry) => entry.body.clone(),
            None if self.archives.holds(owner, text.body()) => text.body().to_owned(),
            None => text.versions.last().cloned().unwrap_or_default(),
        }
    }

    /// What does not stand as the own archive has it. A message that was archived twice may stand at either place.
    fn out_of_order(&self, window: &Window) -> Vec<String> {
        let archive = self.archives.of(window.person);
        let mut last = 0;
        let mut sentences = Vec::new();
        for message in &window.shown {
            let Some(text) = self.typed.find(&message.body) else {
                continue;
            };
            // An edit stands further down; the message itself is what was archived first of it.
            let is_it = |words: &&String| archive.iter().any(|entry| entry.body == **words);
            let Some(words) = text.versions.iter().find(is_it) else {
                continue;
            };
            let is_here = |entry: &Archived| entry.body == *words;
            let places = || (0..archive.len()).filter(|place| archive.get(*place).is_some_and(is_here));
            match places().find(|place| *place >= last) {
                Some(place) => last = place,
                None => sentences.push(format!(
                    "“{}” stands later than the archive has it.",
                    message.body
                )),
            }
        }
        sentences
    }
}

impl Verdict {
    fn add(&mut self, is_the_servers: bool, sentence: String) {
        if is_the_servers {
            self.losses.insert(sentence);
        } else {
            self.findings.push(sentence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: usize = 0;
    const BOB: usize = 1;
    const NOBODY: usize = 2;

    fn people() -> Vec<String> {
        ["alice@x", "bob@x", "nobody@x"].map(str::to_owned).into()
    }

    /// Alice has typed three texts to Bob, on device 0; they were promised and told to be sent.
    fn typed() -> Typed {
        let mut typed = Typed::default();
        for body in ["a", "b", "c"] {
            typed.text(0, ALICE, BOB, body, Duration::from_secs(1));
            typed.told(0, body, "sent", Duration::from_secs(2));
        }
        typed
    }

    fn archive(bodies: &[&str]) -> Vec<Archived> {
        let entry = |body: &&str| Archived {
            from: "alice@x".to_owned(),
            to: "bob@x".to_owned(),
            body: (*body).to_owned(),
        };
        bodies.iter().map(entry).collect()
    }

    fn archives(alices: &[&str], bobs: &[&str]) -> Archives {
        Archives(vec![archive(alices), archive(bobs)])
    }

    fn message(own: bool, body: &str, state: &str) -> Message {
        let direction = if own { "out" } else { "in" };
        let kind = if body.is_empty() { "retracted" } else { "text" };
        Message::read(
            &serde_json::json!({"id": 1, "direction": direction, "body": body, "kind": kind, "state": state}),
        )
    }

    fn judged(typed: &Typed, archives: &Archives, losses: &Losses, windows: Vec<Window>) -> Verdict {
        let case = Case {
            people: &people(),
            typed,
            archives,
            losses,
        };
        case.judge(windows)
    }

    fn window(person: usize, with: usize, shown: Vec<Message>) -> Window {
        Window {
            device: person,
            person,
            with,
            shown,
        }
    }

    /// What is found in Bob's window.
    fn in_bobs_window(typed: &Typed, archives: &Archives, shown: &[&str]) -> String {
        let shown = shown.iter().map(|body| message(false, body, "")).collect();
        let verdict = judged(
            typed,
            archives,
            &Losses::default(),
            vec![window(BOB, ALICE, shown)],
        );
        verdict.findings.join("\n")
    }

    /// What is found in Alice's window.
    fn in_alices_window(typed: &Typed, archives: &Archives, with: usize, shown: &[(&str, &str)]) -> String {
        let shown = shown
            .iter()
            .map(|(body, state)| message(true, body, state))
            .collect();
        let verdict = judged(
            typed,
            archives,
            &Losses::default(),
            vec![window(ALICE, with, shown)],
        );
        verdict.findings.join("\n")
    }

    #[test]
    fn a_window_that_shows_what_the_archive_holds_is_right_and_any_other_is_not() {
        let all = ["a", "b", "c"];
        let archives = archives(&all, &["a", "b", "c", "a"]);
        let found = |shown: &[&str]| in_bobs_window(&typed(), &archives, shown);
        assert_eq!(found(&all), "");
        // Archived twice: at either place.
        assert_eq!(found(&["b", "c", "a"]), "");
        assert!(found(&["a", "b"]).contains("Lost"));
        assert!(found(&["a", "b", "c", "c"]).contains("Shown 2 times"));
        assert!(found(&["a", "c", "b"]).contains("“b” stands later"));
        assert!(found(&["a", "b", "c", "what nobody typed"]).contains("Never typed"));
    }

    #[test]
    fn what_is_shown_and_missing_in_the_archive_alone_is_not_the_windows_fault() {
        let archives = archives(&["a", "b", "c"], &["a", "c"]);
        let found = in_bobs_window(&typed(), &archives, &["a", "b", "c"]);
        assert!(!found.contains("window"), "{found}");
        assert!(in_bobs_window(&typed(), &archives, &["a", "b", "b", "c"]).contains("Shown 2 times"));
    }

    #[test]
    fn an_own_text_that_its_window_has_forgotten_or_not_sent_is_found() {
        let archives = archives(&["a", "b"], &["a", "b", "c"]);
        let found = |shown: &[(&str, &str)]| in_alices_window(&typed(), &archives, BOB, shown);
        assert!(found(&[("a", "sent"), ("b", "sent")]).contains("Lost (sent): “c”"));
        assert!(found(&[("a", "sent"), ("b", "queued"), ("c", "read")]).contains("is queued"));
    }

    #[test]
    fn a_text_says_what_the_last_edit_in_the_archive_made_of_it_and_nothing_once_it_is_withdrawn() {
        let mut typed = typed();
        typed.edited("a", "a, phone");
        typed.edited("a", "a, laptop");
        let both = ["a", "b", "c", "a, laptop", "a, phone"];
        let archives = archives(&both, &both);
        assert_eq!(in_bobs_window(&typed, &archives, &["a, phone", "b", "c"]), "");
        let found = in_bobs_window(&typed, &archives, &["a, laptop", "b", "c"]);
        assert!(found.contains("Lost (received): “a, phone”"), "{found}");
        typed.withdrawn("a");
        assert_eq!(in_bobs_window(&typed, &archives, &["", "b", "c"]), "");
        assert!(in_bobs_window(&typed, &archives, &["a, phone", "b", "c"]).contains("Lost"));
    }

    #[test]
    fn what_was_withdrawn_may_be_gone_from_the_archives() {
        let mut typed = typed();
        let archives = archives(&["b", "c"], &["b", "c"]);
        let found = in_bobs_window(&typed, &archives, &["", "b", "c"]);
        assert!(found.contains("“a” was promised and is in no archive"), "{found}");
        typed.withdrawn("a");
        assert_eq!(in_bobs_window(&typed, &archives, &["", "b", "c"]), "");
    }

    #[test]
    fn what_was_written_to_nobody_has_failed_and_stands_where_it_was_typed() {
        let mut typed = Typed::default();
        typed.text(0, ALICE, NOBODY, "hello?", Duration::ZERO);
        typed.told(0, "hello?", "sent", Duration::ZERO);
        let archives = archives(&["hello?"], &[]);
        assert_eq!(
            in_alices_window(&typed, &archives, NOBODY, &[("hello?", "failed")]),
            ""
        );
        assert!(
            in_alices_window(&typed, &archives, NOBODY, &[("hello?", "sent")])
                .contains("is sent, not failed")
        );
        assert!(in_alices_window(&typed, &archives, NOBODY, &[]).contains("Lost"));
    }

    #[test]
    fn a_server_is_blamed_only_if_it_may_lose_and_the_archives_or_a_kill_say_so() {
        let losing = |on_the_way, unwritten, killed: bool| Losses {
            on_the_way,
            unwritten,
            kills: killed.then_some(Duration::from_secs(3)).into_iter().collect(),
        };
        let mut typed = Typed::default();
        typed.text(0, ALICE, BOB, "a", Duration::from_secs(1));
        typed.told(0, "a", "sent", Duration::from_secs(2));
        let [both, one, none] = [
            archives(&["a"], &["a"]),
            archives(&["a"], &[]),
            archives(&[], &[]),
        ];
        let counts = |losses: Losses, archives: &Archives| {
            let verdict = judged(&typed, archives, &losses, Vec::new());
            (verdict.findings.len(), verdict.losses.len())
        };
        assert_eq!(counts(losing(false, false, true), &both), (0, 0));
        assert_eq!(counts(losing(false, false, false), &one), (1, 0));
        assert_eq!(counts(losing(false, false, true), &one), (0, 1));
        assert_eq!(counts(losing(false, false, true), &none), (1, 0));
        assert_eq!(counts(losing(false, true, false), &one), (1, 0));
        assert_eq!(counts(losing(false, true, true), &none), (0, 1));
        assert_eq!(counts(losing(true, true, false), &one), (0, 1));
        assert_eq!(counts(losing(true, true, false), &none), (1, 0));
    }

    #[test]
    fn texts_of_one_device_that_overtook_each_other_are_found() {
        let mixed = ["b", "a", "c"];
        let verdict = judged(
            &typed(),
            &archives(&mixed, &mixed),
            &Losses::default(),
            Vec::new(),
        );
        assert_eq!(verdict.findings.len(), 1, "{verdict:?}");
    }
}

//! What must be shown, what is, and what the servers themselves lost.
//!
//! Of each conversation a window must show what the own archive
//! holds, once, in its order, every own text as sent; what was promised must be in the archives.
//!
//! What one archive holds and the other doesn't has come to the server and was lost there. A Prosody does that only when it is
//! killed: it writes the sender's archive, then the recipient's, and nothing of it is one transaction. What neither
//! archive holds was lost by the server only if it is one that may lose what it has confirmed ([`Kind::may_lose`]), and was killed right
//! after the window had told that it is sent.

use crate::Result;
use crate::archive::{Archived, Archives};
use crate::device::Device;
use crate::site::{Kind, PEOPLE, Site, address};
use crate::typed::{Text, Typed};
use dormouse_scenarios::checker::{Expected, check_order};
use dormouse_scenarios::client::Message;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const STATES: [&str; 3] = ["sent", "delivered", "read"];
/// So long after a text was told to be sent a kill may still take it from the server.
const NOT_WRITTEN: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What must not be.
    pub findings: Vec<String>,
    /// What the servers lost.
    pub losses: BTreeSet<String>,
}

/// Looks at every window.
///
/// # Errors
/// When a program does not answer.
pub fn judge(
    kind: Kind,
    site: &Site,
    devices: &mut [Device],
    typed: &Typed,
    archives: &Archives,
) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    for text in typed.texts().iter().filter(|text| text.promised) {
        promised(kind, site.kills(), text, archives, &mut verdict);
    }
    for number in 0..devices.len() {
        in_order_of_typing(kind, number, typed, archives, &mut verdict);
    }
    for (number, device) in devices.iter_mut().enumerate() {
        let own = device.person();
        for other in (0..PEOPLE.len()).filter(|other| *other != own) {
            let shown = device.window(other)?;
            let conversation = Conversation {
                kind,
                device: number,
                own,
                other,
                typed,
                archives,
            };
            conversation.judge(shown, &mut verdict);
        }
    }
    Ok(verdict)
}

/// What was promised is in both archives, or the server lost it.
fn promised(kind: Kind, kills: &[Instant], text: &Text, archives: &Archives, verdict: &mut Verdict) {
    let sentence = match [text.from, text.to].map(|owner| archives.holds(owner, &text.body)) {
        [true, true] => return,
        [true, false] => "is in its sender's archive and not in its recipient's",
        [false, true] => "is in its recipient's archive and not in its sender's",
        [false, false] => "is in no archive",
    };
    let is_in_none = sentence == "is in no archive";
    let by_a_kill = text.sent.is_some_and(|sent| {
        let hit = |kill: &Instant| *kill >= text.at && *kill <= sent + NOT_WRITTEN;
        kills.iter().any(hit)
    });
    let sentence = format!("“{}” was promised and {sentence}.", text.body);
    let is_the_servers = match (kind.may_lose(), is_in_none) {
        (true, false) => true,
        (true, true) | (false, false) => by_a_kill,
        (false, true) => false,
    };
    if is_the_servers {
        verdict.losses.insert(sentence);
    } else {
        verdict.findings.push(sentence);
    }
}

/// What one device sent to one person stands in the archive in the order in which it was typed.
fn in_order_of_typing(kind: Kind, device: usize, typed: &Typed, archives: &Archives, verdict: &mut Verdict) {
    for to in 0..PEOPLE.len() {
        let of_this = |text: &&Text| text.device == device && text.to == to;
        let Some(from) = typed.texts().iter().find(of_this).map(|text| text.from) else {
            continue;
        };
        let mut last = None;
        for body in archives.between(from, from, to) {
            let Some(text) = typed.find(&body).filter(of_this) else {
                continue;
            };
            if let Some((at, before)) = &last
                && text.at < *at
            {
                let sentence = format!("“{body}” was typed before “{before}” and archived behind it.");
                if kind.may_lose() {
                    verdict.losses.insert(sentence);
                } else {
                    verdict.findings.push(sentence);
                }
            }
            last = Some((text.at, body));
        }
    }
}

/// One window's conversation with one person.
struct Conversation<'a> {
    kind: Kind,
    device: usize,
    own: usize,
    other: usize,
    typed: &'a Typed,
    archives: &'a Archives,
}

impl Conversation<'_> {
    fn judge(&self, mut shown: Vec<Message>, verdict: &mut Verdict) {
        if self.kind.may_lose() {
            for message in shown
                .iter_mut()
                .filter(|message| message.state.as_deref() == Some("failed"))
            {
                let why = message.why.as_deref().unwrap_or_default();
                let sentence = format!("“{}” was returned by the server: {why}", message.body);
                verdict.losses.insert(sentence);
                message.state = Some("sent".to_owned());
            }
        }
        let received = self.expected(&shown, Some(false));
        let sent = self.expected(&shown, Some(true));
        let outcome = Expected {
            received: &received,
            sent: &sent,
            states: &STATES,
        }
        .check(&shown)
        .and_then(|()| check_order(&shown, &self.expected(&shown, None)));
        if let Err(differences) = outcome {
            verdict.findings.push(format!(
                "In the window of device {} ({} with {}): {differences}",
                self.device,
                address(self.own),
                address(self.other)
            ));
        }
    }

    /// What must be shown: of one direction or of both, what the archive holds, in its order. What is shown and was
    /// typed but is in no archive of ours stands where it is shown: that it is missing there is told elsewhere.
    fn expected(&self, shown: &[Message], own: Option<bool>) -> Vec<String> {
        let (me, them) = (address(self.own), address(self.other));
        let is_mine = |entry: &Archived| entry.from == me && entry.to == them;
        let is_theirs = |entry: &Archived| entry.from == them && entry.to == me;
        let archived = self.archives.texts(self.own, |entry| match own {
            Some(true) => is_mine(entry),
            Some(false) => is_theirs(entry),
            None => is_mine(entry) || is_theirs(entry),
        });
        let shown: Vec<&Message> = shown
            .iter()
            .filter(|message| own.is_none_or(|own| message.own == own))
            .collect();
        let kept: BTreeSet<&str> = archived.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        let mut rest = archived.iter();
        let mut expected = Vec::new();
        for message in &shown {
            let body = message.body.as_str();
            if kept.contains(body) {
                expected.extend(rest.next().cloned());
            } else if self.was_typed(body, message.own) && seen.insert(body) {
                expected.push(body.to_owned());
            }
        }
        expected.extend(rest.cloned());
        // Whoever promised a text shows it, whatever became of it elsewhere.
        let mine = self.typed.texts().iter().filter(|text| {
            text.promised && text.device == self.device && text.to == self.other && own != Some(false)
        });
        let there: BTreeSet<String> = expected.iter().cloned().collect();
        expected.extend(
            mine.filter(|text| !there.contains(&text.body))
                .map(|text| text.body.clone()),
        );
        expected
    }

    fn was_typed(&self, body: &str, own: bool) -> bool {
        let (from, to) = if own {
            (self.own, self.other)
        } else {
            (self.other, self.own)
        };
        self.typed
            .find(body)
            .is_some_and(|text| text.from == from && text.to == to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_scenarios::event::Event;

    const ALICE: usize = 0;
    const BOB: usize = 1;

    /// Alice has typed three texts to Bob, on device 0; they were promised and told to be sent.
    fn typed() -> (Typed, Vec<String>) {
        let mut typed = Typed::default();
        let bodies: Vec<String> = (0..3).map(|_| typed.text(0, ALICE, BOB)).collect();
        for body in &bodies {
            let json =
                serde_json::json!({"event": "message", "direction": "out", "body": body, "state": "sent"});
            typed.told(
                0,
                &Event {
                    at: Instant::now(),
                    json,
                },
            );
        }
        (typed, bodies)
    }

    fn archive(bodies: &[&String]) -> Vec<Archived> {
        let entry = |body: &&String| Archived {
            from: address(ALICE),
            to: address(BOB),
            body: (*body).clone(),
        };
        bodies.iter().map(entry).collect()
    }

    fn message(own: bool, body: &str) -> Message {
        let direction = if own { "out" } else { "in" };
        Message::read(
            &serde_json::json!({"id": 1, "direction": direction, "body": body, "kind": "text", "state": "sent"}),
        )
    }

    /// What is found in Bob's window.
    fn in_bobs_window(typed: &Typed, archives: &Archives, shown: &[&String]) -> Verdict {
        let conversation = Conversation {
            kind: Kind::Prosody,
            device: 2,
            own: BOB,
            other: ALICE,
            typed,
            archives,
        };
        let mut verdict = Verdict::default();
        let shown = shown.iter().map(|body| message(false, body)).collect();
        conversation.judge(shown, &mut verdict);
        verdict
    }

    #[test]
    fn a_window_that_shows_what_the_archive_holds_is_right_and_any_other_is_not() {
        let (typed, bodies) = typed();
        let [a, b, c] = [&bodies[0], &bodies[1], &bodies[2]];
        let archives = Archives(vec![archive(&[a, b, c]), archive(&[a, b, c, a])]);
        let found = |shown: &[&String]| in_bobs_window(&typed, &archives, shown).findings.join("\n");
        assert_eq!(found(&[a, b, c]), "");
        assert!(found(&[a, b]).contains("Lost"));
        assert!(found(&[a, b, c, c]).contains("Shown 2 times"));
        assert!(found(&[a, c, b]).contains("Out of order"));
        assert!(found(&[a, b, c, &"what nobody typed".to_owned()]).contains("Never typed"));
    }

    #[test]
    fn what_is_shown_and_missing_in_the_archive_alone_is_not_the_windows_fault() {
        let (typed, bodies) = typed();
        let [a, b, c] = [&bodies[0], &bodies[1], &bodies[2]];
        let archives = Archives(vec![archive(&[a, b, c]), archive(&[a, c])]);
        assert_eq!(in_bobs_window(&typed, &archives, &[a, b, c]), Verdict::default());
        let found = in_bobs_window(&typed, &archives, &[a, b, b, c]);
        assert!(found.findings.join("").contains("Shown 2 times"), "{found:?}");
    }

    #[test]
    fn an_own_text_that_its_window_has_forgotten_or_not_sent_is_found() {
        let (typed, bodies) = typed();
        let all: Vec<&String> = bodies.iter().collect();
        let archives = Archives(vec![archive(&all[..2]), archive(&all)]);
        let conversation = Conversation {
            kind: Kind::Prosody,
            device: 0,
            own: ALICE,
            other: BOB,
            typed: &typed,
            archives: &archives,
        };
        let mut verdict = Verdict::default();
        let shown = all[..2].iter().map(|body| message(true, body)).collect();
        conversation.judge(shown, &mut verdict);
        assert!(verdict.findings.join("").contains("Lost (sent)"), "{verdict:?}");
        let mut shown: Vec<Message> = all.iter().map(|body| message(true, body)).collect();
        shown[1].state = Some("queued".to_owned());
        let mut verdict = Verdict::default();
        conversation.judge(shown, &mut verdict);
        assert!(verdict.findings.join("").contains("is queued"), "{verdict:?}");
    }

    #[test]
    fn a_server_is_blamed_only_if_it_may_lose_and_the_archives_or_a_kill_say_so() {
        let (typed, bodies) = typed();
        let text = &typed.texts()[0];
        let judged = |kind, kills: &[Instant], archives: &Archives| {
            let mut verdict = Verdict::default();
            promised(kind, kills, text, archives, &mut verdict);
            (verdict.findings.len(), verdict.losses.len())
        };
        let whole = archive(&[&bodies[0]]);
        let both = Archives(vec![whole.clone(), whole.clone()]);
        let one = Archives(vec![whole, Vec::new()]);
        let none = Archives(vec![Vec::new(), Vec::new()]);
        let just_then = [Instant::now()];
        assert_eq!(judged(Kind::Prosody, &just_then, &both), (0, 0));
        assert_eq!(judged(Kind::Prosody, &[], &one), (1, 0));
        assert_eq!(judged(Kind::Prosody, &just_then, &one), (0, 1));
        assert_eq!(judged(Kind::Prosody, &just_then, &none), (1, 0));
        assert_eq!(judged(Kind::Cluster, &[], &one), (0, 1));
        assert_eq!(judged(Kind::Cluster, &[], &none), (1, 0));
        assert_eq!(judged(Kind::Cluster, &just_then, &none), (0, 1));
    }

    #[test]
    fn texts_of_one_device_that_overtook_each_other_are_found() {
        let (typed, bodies) = typed();
        let archives = Archives(vec![archive(&[&bodies[1], &bodies[0]]), Vec::new()]);
        let mut verdict = Verdict::default();
        in_order_of_typing(Kind::Prosody, 0, &typed, &archives, &mut verdict);
        assert_eq!(verdict.findings.len(), 1);
    }
}

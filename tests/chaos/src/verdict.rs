//! What must be shown, what is, and what the servers themselves lost.
//!
//! Of each conversation a window must show what the own archive
//! holds, once, in its order, every own text as sent; what was promised must be in the archives.
//!
//! A server that may lose messages when it is killed ([`Kind::may_lose`]) is given the doubt only where the
//! archives say so: what one archive holds and the other doesn't has come to the server and was lost there. What neither
//! holds was lost by the server only if it was killed right after the window had told that it is sent.

use crate::Result;
use crate::archive::{Archived, Archives};
use crate::device::Device;
use crate::site::{Kind, PEOPLE, Site, address};
use crate::typed::{Text, Typed};
use dormouse_scenarios::checker::{Expected, check_order};
use dormouse_scenarios::client::Message;
use std::collections::BTreeSet;
use std::time::Duration;

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
        promised(kind, site, text, archives, &mut verdict);
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
fn promised(kind: Kind, site: &Site, text: &Text, archives: &Archives, verdict: &mut Verdict) {
    let sentence = match [text.from, text.to].map(|owner| archives.holds(owner, &text.body)) {
        [true, true] => return,
        [true, false] => "is in its sender's archive and not in its recipient's",
        [false, true] => "is in its recipient's archive and not in its sender's",
        [false, false] => "is in no archive",
    };
    let is_in_none = sentence == "is in no archive";
    let by_a_kill = text.sent.is_some_and(|sent| {
        let hit = |kill: &&std::time::Instant| **kill >= text.at && **kill <= sent + NOT_WRITTEN;
        site.kills().iter().any(|kill| hit(&kill))
    });
    let sentence = format!("“{}” was promised and {sentence}.", text.body);
    if kind.may_lose() && (!is_in_none || by_a_kill) {
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

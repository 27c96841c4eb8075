//! Who else writes: a friend with an old client, and people who claim what they may not claim.
//!
//! The friend's client gives no origin-id and counts 1, 2, 3 from every start. What the others send passes
//! through an honest server, as anything does in XMPP; whoever believes it shows what nobody typed.

use super::requests::ROSTER;
use super::sessions::SessionId;
use super::stanza::{CARBONS, CLIENT, DELAY, FORWARD, MAM, RSM, SID, around, element, set, text, with};
use super::{Server, spend};
use dormouse_model::Jid;
use minidom::Element;

/// Somebody on another server, who knows everybody's ids.
pub const STRANGER: &str = "mallory@evil.example/x";
const MALLORY: &str = "mallory@evil.example";
const BLOCKING: &str = "urn:xmpp:blocking";
const PEP_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0490.
const DISPLAYED: &str = "urn:xmpp:mds:displayed:0";
/// What nobody has typed.
const FORGED: &str = "forged";

/// A claim that its sender may not make: one for each row of [`dormouse_model::authority`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// A stranger's "copy of what another of your clients received".
    Carbon,
    /// A stranger's "message from your archive", under the id of a query that waits for its answer.
    ArchiveResult,
    /// A stranger's answers to requests that wait for them: "there is nothing in your archive", "I am your only contact".
    RequestResult,
    /// A stranger's "your roster has changed".
    RosterPush,
    /// A stranger's "you have blocked somebody".
    BlockPush,
    /// A stranger's "your own published state has changed": read up to here (XEP-0490).
    OwnPep,
    /// A stranger's receipt and marker.
    Receipt,
    /// A stranger's bounce.
    Bounce,
    /// An edit of what the other side wrote.
    Edit,
    /// A retraction of what the other side wrote.
    Retraction,
}

impl Claim {
    /// All of them.
    pub const ALL: [Claim; 10] = [
        Claim::Carbon,
        Claim::ArchiveResult,
        Claim::RequestResult,
        Claim::RosterPush,
        Claim::BlockPush,
        Claim::OwnPep,
        Claim::Receipt,
        Claim::Bounce,
        Claim::Edit,
        Claim::Retraction,
    ];
}

impl Server {
    /// A client that is not ours sends a message.
    pub fn spoken(&mut self, from: usize, to: usize, resource: &str, mut message: Element) {
        let to = self.accounts[to].address.clone();
        let full = format!("{}/{resource}", self.accounts[from].address);
        set(&mut message, "from", Some(&full));
        set(&mut message, "to", Some(to.as_str()));
        self.route(from, None, &Jid::from(to), message);
    }

    /// A friend with an old client says something under a number.
    pub fn said_by_friend(&mut self, from: usize, to: usize, number: u64, body: &str) {
        let message = with(
            "message",
            CLIENT,
            &[("type", "chat"), ("id", &number.to_string())],
        );
        self.spoken(from, to, "old", around(message, text("body", CLIENT, body)));
    }

    /// Somebody claims to an account what they may not claim. `other` is somebody the account talks to.
    pub fn claimed(&mut self, account: usize, other: usize, claim: Claim) {
        match claim {
            Claim::Carbon => {
                let forwarded = around(element("forwarded", FORWARD), self.forged(account, other));
                let carbon = self.by_stranger(account, around(element("received", CARBONS), forwarded));
                self.push_all(account, &carbon);
            }
            // An answer is worth forging while one is waited for.
            Claim::ArchiveResult => self.trouble[account].forged_results += 1,
            Claim::RequestResult => {
                let trouble = &mut self.trouble[account];
                trouble.forged_answers += 1;
                trouble.forged_rosters += 1;
            }
            Claim::RosterPush => self.pushed_by_stranger(account, roster_of_stranger()),
            Claim::BlockPush => {
                let whom = self.accounts[other].address.to_string();
                let block = around(
                    element("block", BLOCKING),
                    with("item", BLOCKING, &[("jid", &whom)]),
                );
                self.pushed_by_stranger(account, block);
            }
            Claim::OwnPep => {
                let whom = self.accounts[other].address.to_string();
                let Some(id) = self.archive_of(account).last().map(|(id, _)| id.to_owned()) else {
                    return;
                };
                let by = self.accounts[account].address.to_string();
                let stanza_id = with("stanza-id", SID, &[("by", &by), ("id", &id)]);
                let displayed = around(element("displayed", DISPLAYED), stanza_id);
                let item = around(with("item", PEP_EVENT, &[("id", &whom)]), displayed);
                let items = around(with("items", PEP_EVENT, &[("node", DISPLAYED)]), item);
                let event = self.by_stranger(account, around(element("event", PEP_EVENT), items));
                self.push_all(account, &event);
            }
            Claim::Receipt | Claim::Bounce | Claim::Edit | Claim::Retraction => {
                if let Some(name) = self.last_said(account, other) {
                    self.claimed_of(account, other, claim, &name);
                }
            }
        }
    }

    /// What somebody claims of a message of the account's.
    fn claimed_of(&mut self, account: usize, other: usize, claim: Claim, name: &str) {
        match claim {
            Claim::Bounce => {
                let condition = element("service-unavailable", super::stanza::STANZAS);
                let error = around(with("error", CLIENT, &[("type", "cancel")]), condition);
                let mut message = self.by_stranger(account, error);
                set(&mut message, "type", Some("error"));
                set(&mut message, "id", Some(name));
                self.push_all(account, &message);
            }
            Claim::Edit | Claim::Retraction => {
                let id = self.random.uuid();
                let message = with("message", CLIENT, &[("type", "chat"), ("id", &id)]);
                let message = if claim == Claim::Edit {
                    let replace = with("replace", "urn:xmpp:message-correct:0", &[("id", name)]);
                    around(around(message, text("body", CLIENT, FORGED)), replace)
                } else {
                    let retract = with("retract", "urn:xmpp:message-retract:1", &[("id", name)]);
                    around(around(message, retract), element("store", "urn:xmpp:hints"))
                };
                self.spoken(other, account, "x", message);
            }
            _ => {
                for (word, namespace) in [
                    ("received", super::routing::RECEIPTS),
                    ("displayed", super::routing::MARKERS),
                ] {
                    let message = self.by_stranger(account, with(word, namespace, &[("id", name)]));
                    self.push_all(account, &message);
                }
            }
        }
    }

    /// What strangers put between a question to the archive and its answer.
    pub(super) fn forged_answers(&mut self, id: SessionId, account: usize, iq: &Element, query: &Element) {
        let trouble = &mut self.trouble[account];
        let (result, answer) = (
            spend(&mut trouble.forged_results),
            spend(&mut trouble.forged_answers),
        );
        if result {
            let other = (account + 1) % self.accounts.len();
            let stamp = self.quirks.stamp(self.stamp());
            let forwarded = around(
                element("forwarded", FORWARD),
                with("delay", DELAY, &[("stamp", &stamp)]),
            );
            let mut result = with("result", MAM, &[("id", "f")]);
            set(&mut result, "queryid", query.attr("queryid"));
            let forged = self.forged(account, other);
            let result = around(result, around(forwarded, forged));
            let message = self.by_stranger(account, result);
            self.push(id, message);
        }
        if answer {
            let fin = around(with("fin", MAM, &[("complete", "true")]), element("set", RSM));
            self.answered_by_stranger(id, iq, fin);
        }
    }

    /// What a stranger says who is on somebody's roster, before the server does.
    pub(super) fn forged_roster(&mut self, id: SessionId, account: usize, iq: &Element) {
        if spend(&mut self.trouble[account].forged_rosters) {
            self.answered_by_stranger(id, iq, roster_of_stranger());
        }
    }

    fn answered_by_stranger(&mut self, id: SessionId, iq: &Element, payload: Element) {
        let mut answer = with("iq", CLIENT, &[("from", STRANGER), ("type", "result")]);
        set(&mut answer, "id", iq.attr("id"));
        self.push(id, around(answer, payload));
    }

    /// The name of what an account itself wrote last to another one.
    fn last_said(&self, account: usize, other: usize) -> Option<String> {
        let own = self.accounts[account].address.as_str();
        let with_whom = self.accounts[other].address.as_str();
        let begins = |message: &Element, name: &str, with: &str| {
            message
                .attr(name)
                .is_some_and(|address| address.starts_with(with))
        };
        let said = self
            .archive_of(account)
            .filter(|(_, message)| begins(message, "from", own) && begins(message, "to", with_whom));
        said.last()?.1.attr("id").map(str::to_owned)
    }

    /// Words that nobody said.
    fn forged(&self, account: usize, other: usize) -> Element {
        let own = self.accounts[account].address.as_str();
        let from = format!("{}/x", self.accounts[other].address);
        let message = [
            ("from", from.as_str()),
            ("to", own),
            ("id", "f"),
            ("type", "chat"),
        ];
        around(with("message", CLIENT, &message), text("body", CLIENT, FORGED))
    }

    fn by_stranger(&self, account: usize, inner: Element) -> Element {
        let own = self.accounts[account].address.as_str();
        let message = [("from", STRANGER), ("to", own), ("type", "chat")];
        around(with("message", CLIENT, &message), inner)
    }

    fn pushed_by_stranger(&mut self, account: usize, payload: Element) {
        let own = self.accounts[account].address.to_string();
        let iq = [("from", STRANGER), ("to", &own), ("type", "set"), ("id", "f")];
        self.push_all(account, &around(with("iq", CLIENT, &iq), payload));
    }

    /// To every client of an account that is there.
    fn push_all(&mut self, account: usize, stanza: &Element) {
        let there: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.account == account && session.available)
            .map(|(id, _)| *id)
            .collect();
        there.into_iter().for_each(|id| self.push(id, stanza.clone()));
    }
}

/// A roster that holds nobody but a stranger.
fn roster_of_stranger() -> Element {
    let item = [("jid", MALLORY), ("subscription", "both")];
    around(element("query", ROSTER), with("item", ROSTER, &item))
}

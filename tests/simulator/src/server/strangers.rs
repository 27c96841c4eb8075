//! Who else writes: a friend with an old client, and people who claim what they may not claim.
//!
//! The friend's client gives no origin-id and counts 1, 2, 3 from every start. What the others send passes
//! through an honest server, as anything does in XMPP; whoever believes it shows what nobody typed.

use super::Server;
use super::sessions::SessionId;
use super::stanza::{CARBONS, CLIENT, DELAY, FORWARD, MAM, around, element, text, with};
use dormouse_model::Jid;
use minidom::Element;

/// Somebody on another server, who knows everybody's ids.
pub const STRANGER: &str = "mallory@evil.example/x";
/// What nobody has typed.
const FORGED: &str = "forged";

/// A claim that its sender may not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// A stranger's "copy of what another of your clients received".
    Carbon,
    /// A stranger's "message from your archive", under the id of a query.
    ArchiveResult,
    /// A stranger's "your roster has changed".
    RosterPush,
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
    pub const ALL: [Claim; 7] = [
        Claim::Carbon,
        Claim::ArchiveResult,
        Claim::RosterPush,
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
        super::stanza::set(&mut message, "from", Some(&full));
        super::stanza::set(&mut message, "to", Some(to.as_str()));
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
        let own = self.accounts[account].address.to_string();
        let with_whom = self.accounts[other].address.to_string();
        // What the account itself wrote last to the other one.
        let named = self.archive_of(account).filter(|(_, message)| {
            message.attr("from").is_some_and(|from| from.starts_with(&own))
                && message.attr("to").is_some_and(|to| to.starts_with(&with_whom))
        });
        let Some(name) = named
            .last()
            .and_then(|(_, message)| message.attr("id").map(str::to_owned))
        else {
            return;
        };
        let forged = || {
            let from = format!("{with_whom}/x");
            let message = with(
                "message",
                CLIENT,
                &[("from", &from), ("to", &own), ("id", "f"), ("type", "chat")],
            );
            around(message, text("body", CLIENT, FORGED))
        };
        let by_stranger = |inner: Element| {
            let message = with(
                "message",
                CLIENT,
                &[("from", STRANGER), ("to", &own), ("type", "chat")],
            );
            around(message, inner)
        };
        let forwarded = || around(element("forwarded", FORWARD), forged());
        let there: Vec<(SessionId, Option<String>)> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.account == account && session.available)
            .map(|(id, session)| (*id, session.last_query.clone()))
            .collect();
        match claim {
            Claim::Carbon => {
                let carbon = by_stranger(around(element("received", CARBONS), forwarded()));
                there
                    .into_iter()
                    .for_each(|(id, _)| self.push(id, carbon.clone()));
            }
            Claim::ArchiveResult => {
                for (id, query) in there {
                    let Some(query) = query else { continue };
                    let stamp = self.quirks.stamp(self.stamp());
                    let mut forwarded = forwarded();
                    forwarded.append_child(with("delay", DELAY, &[("stamp", &stamp)]));
                    let result = with("result", MAM, &[("id", "f"), ("queryid", &query)]);
                    self.push(id, by_stranger(around(result, forwarded)));
                }
            }
            Claim::RosterPush => {
                let item = with(
                    "item",
                    super::requests::ROSTER,
                    &[("jid", "mallory@evil.example"), ("subscription", "both")],
                );
                let query = around(element("query", super::requests::ROSTER), item);
                for (id, _) in there {
                    let iq = with(
                        "iq",
                        CLIENT,
                        &[("from", STRANGER), ("to", &own), ("type", "set"), ("id", "f")],
                    );
                    self.push(id, around(iq, query.clone()));
                }
            }
            Claim::Receipt => {
                for (word, namespace) in [
                    ("received", super::routing::RECEIPTS),
                    ("displayed", super::routing::MARKERS),
                ] {
                    let message = by_stranger(with(word, namespace, &[("id", &name)]));
                    there.iter().for_each(|(id, _)| self.push(*id, message.clone()));
                }
            }
            Claim::Bounce => {
                let condition = element("service-unavailable", super::stanza::STANZAS);
                let error = around(with("error", CLIENT, &[("type", "cancel")]), condition);
                let message = with(
                    "message",
                    CLIENT,
                    &[("from", STRANGER), ("to", &own), ("type", "error"), ("id", &name)],
                );
                there
                    .into_iter()
                    .for_each(|(id, _)| self.push(id, around(message.clone(), error.clone())));
            }
            Claim::Edit => {
                let id = self.random.uuid();
                let message = with("message", CLIENT, &[("type", "chat"), ("id", &id)]);
                let message = around(message, text("body", CLIENT, FORGED));
                let replace = with("replace", "urn:xmpp:message-correct:0", &[("id", &name)]);
                self.spoken(other, account, "x", around(message, replace));
            }
            Claim::Retraction => {
                let id = self.random.uuid();
                let message = with("message", CLIENT, &[("type", "chat"), ("id", &id)]);
                let retract = with("retract", "urn:xmpp:message-retract:1", &[("id", &name)]);
                let hint = element("store", "urn:xmpp:hints");
                self.spoken(other, account, "x", around(around(message, retract), hint));
            }
        }
    }
}

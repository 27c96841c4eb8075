//! What comes in on a session: each stanza to the file of its extension, each claim past the table of who may
//! say what ([`dormouse_model::authority`]).
//!
//! Every stanza counts as handled, also one that can't be read: it is reported and confirmed, or it would
//! come again with every resumption.

use super::Session;
use super::stream_state::Phase;
use crate::addressing::{self, CLIENT};
use crate::carbons::{self, Direction};
use crate::message::{self, Trust};
use crate::presence::{self, Presence};
use crate::requests::Asked;
use crate::roster::{self, Push};
use crate::xml::draft;
use crate::{Event, Output, blocking, disco, mam_prefs, ping, stanza_id};
use dormouse_model::{Arrival, Claim, Via};
use minidom::Element;

const CONDITIONS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// With so many stanzas unconfirmed, beside the user's messages, no further request is answered: whoever goes on
/// asking and confirms nothing would have us keep answers without end. (Servers give up such a peer at 5,000, too.)
const MOST_UNCONFIRMED: usize = 5_000;

impl Session {
    /// One stanza on the current stream.
    pub(super) fn stanza(&mut self, stanza: &Element, out: &mut Vec<Output>) {
        let binding = self
            .stream
            .as_ref()
            .is_some_and(|stream| matches!(stream.phase, Phase::Binding));
        match stanza.name() {
            "iq" => self.iq(stanza, out),
            _ if binding => Self::journal(out, "ignored a stanza before a resource was bound"),
            "message" => self.message(stanza, out),
            "presence" => self.presence(stanza, out),
            _ => {}
        }
        // The answer to the bind request comes before anything is counted.
        if !binding {
            self.handled();
        }
    }

    fn message(&mut self, stanza: &Element, out: &mut Vec<Output>) {
        let trust = Trust {
            strips_forged_ids: self.features.as_ref().unwrap_or(&self.gathered).stanza_ids,
        };
        if let Some(result) = self.collector.result(stanza, &self.account) {
            if let Err(refusal) = result {
                out.push(Output::Event(Event::Refused(refusal)));
            }
            return;
        }
        let (what, read) = match carbons::unwrap(stanza, &self.account) {
            Some(Ok(carbon)) => {
                let what = match carbon.direction {
                    Direction::Received => "a copy of a message to another client",
                    Direction::Sent => "a copy of a message from another client",
                };
                (
                    what,
                    carbon
                        .read(&self.account, trust)
                        .map(|message| (Via::Carbon, message)),
                )
            }
            Some(Err(refusal)) => return out.push(Output::Event(Event::Refused(refusal))),
            None => {
                let read = message::read(stanza, &self.account, trust);
                ("a message", read.map(|message| (Via::Live, message)))
            }
        };
        out.push(Output::Event(match read {
            Ok((via, message)) => Event::Message(Arrival { via, message }),
            Err(unreadable) => Event::Unreadable(format!("{what}: {unreadable}")),
        }));
    }

    fn presence(&mut self, stanza: &Element, out: &mut Vec<Output>) {
        let event = match presence::read(stanza, &self.account) {
            Ok(Presence::Is { from, availability }) => Event::Presence { from, availability },
            Ok(Presence::Asked(who)) => Event::SubscriptionAsked(who),
            Ok(Presence::Failed { from, condition }) => {
                Event::Journal(format!("presence to {from} came back: {condition}"))
            }
            // What they mean for the roster comes as a push.
            Ok(Presence::Approved(_) | Presence::Denied(_) | Presence::Nothing) => return,
            // A request that is not answered yet is taken back with it, and no roster item tells.
            Ok(Presence::Left(who)) => Event::SubscriptionWithdrawn(who),
            Err(unreadable) => Event::Unreadable(format!("a presence: {unreadable}")),
        };
        out.push(Output::Event(event));
    }

    fn iq(&mut self, iq: &Element, out: &mut Vec<Output>) {
        match iq.attr("type") {
            Some("result" | "error") => match self.requests.answered(iq, &self.account) {
                Ok(asked) => self.answered(asked, iq, out),
                Err(refusal) => out.push(Output::Event(Event::Refused(refusal))),
            },
            Some(kind @ ("get" | "set")) if is_answerable(iq) && self.is_bound() => {
                self.asked_of_us(kind, iq, out);
            }
            _ => out.push(Output::Event(Event::Unreadable(
                "an iq without type, id or sender that could be used".to_owned(),
            ))),
        }
    }

    fn answered(&mut self, asked: Asked, iq: &Element, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        let refused = iq.attr("type") == Some("error");
        match asked {
            Asked::Bind => self.bind_answered(iq, out),
            Asked::Carbons => {
                if refused {
                    Self::journal(out, "the server refused carbons");
                }
            }
            Asked::ServerInfo => {
                disco::read(iq).of_server(&mut self.gathered);
                self.gathered_more(out);
            }
            Asked::AccountInfo => {
                disco::read(iq).of_account(&mut self.gathered);
                self.gathered_more(out);
            }
            Asked::ArchivePreferences => {
                self.gathered.archive_default = mam_prefs::read(iq);
                self.gathered_more(out);
            }
            Asked::Roster => match roster::result(iq) {
                Some(roster) => {
                    self.roster_known = true;
                    self.changed = true;
                    if roster.unreadable > 0 {
                        Self::journal(
                            out,
                            format!("{} roster items could not be read", roster.unreadable),
                        );
                    }
                    out.push(Output::Event(Event::Roster {
                        contacts: roster.items,
                        whole: true,
                    }));
                }
                None => Self::journal(out, "the server gave no roster"),
            },
            Asked::BlockList => match blocking::read(iq) {
                Some(addresses) => {
                    self.blocks_known = true;
                    self.changed = true;
                    let whole = true;
                    out.push(Output::Event(Event::Blocked { addresses, whole }));
                }
                None => Self::journal(out, "the server gave no block list"),
            },
            Asked::Blocking => {
                if refused {
                    let error = iq.get_child("error", CLIENT);
                    let condition = error.and_then(message::condition).unwrap_or_default();
                    out.push(Output::Event(Event::BlockingRefused(condition)));
                }
            }
            Asked::Archive(query) => match self.collector.finish(query, iq) {
                Some(Ok(page)) => out.push(Output::Event(Event::Page(page))),
                Some(Err(failure)) => {
                    out.push(Output::Event(Event::ArchiveFailed { query, failure }));
                }
                None => {}
            },
            Asked::Probe(on, probe) if on == conn => {
                out.push(Output::Event(Event::Pong { conn, probe }));
            }
            Asked::Probe(..) => {}
            Asked::Arrived(until) => {
                let waiting = &mut self.unmanaged.waiting;
                let count = waiting.iter().take_while(|(number, _)| *number <= until).count();
                let messages = waiting.drain(..count).map(|(_, id)| id).collect();
                let all = waiting.is_empty();
                self.changed |= count > 0;
                out.push(Output::Event(Event::Acked { conn, messages, all }));
            }
            Asked::Other => {
                if refused {
                    let error = iq.get_child("error", CLIENT);
                    let condition = error.and_then(message::condition).unwrap_or_default();
                    Self::journal(out, format!("a request was refused: {condition}"));
                }
            }
        }
    }

    fn gathered_more(&mut self, out: &mut Vec<Output>) {
        let parts = [Asked::ServerInfo, Asked::AccountInfo, Asked::ArchivePreferences];
        if parts.into_iter().any(|part| self.requests.awaits(part)) {
            return;
        }
        self.features = Some(self.gathered.clone());
        self.changed = true;
        out.push(Output::Event(Event::Features(self.gathered.clone())));
        self.ask_block_list(out);
    }

    /// Asks whom the server blocks for us, once per session and only where it can.
    pub(super) fn ask_block_list(&mut self, out: &mut Vec<Output>) {
        let can = self.can_block() == Some(true);
        if can && !self.blocks_known && !self.requests.awaits(Asked::BlockList) {
            self.request_of(out, "get", Asked::BlockList, blocking::list());
        }
    }

    /// A request to us (RFC 6120 section 8.2.3): each is answered, if only with "no".
    fn asked_of_us(&mut self, kind: &str, iq: &Element, out: &mut Vec<Output>) {
        if kind == "set" && iq.has_child("query", roster::NS) {
            return self.roster_push(iq, out);
        }
        if kind == "set" && blocking::is_push(iq) {
            return self.block_push(iq, out);
        }
        if kind == "get" {
            if iq.has_child("ping", ping::NS) {
                return self.reply(iq, "result", None, out);
            }
            if let Some(payload) = disco::answer(iq) {
                return self.reply(iq, "result", Some(payload), out);
            }
            if iq.has_child("query", disco::INFO) || iq.has_child("query", disco::ITEMS) {
                return self.reply(iq, "error", Some(refusal("item-not-found")), out);
            }
        }
        // RFC 6120 section 8.4: also what we are and in which version is nobody's business.
        self.reply(iq, "error", Some(refusal("service-unavailable")), out);
    }

    /// Whether this push comes from who may push. If not, it is answered as if there were nobody here (RFC 6121
    /// section 2.1.6).
    fn may_push(&mut self, claim: Claim<'_>, iq: &Element, out: &mut Vec<Output>) -> bool {
        let allowed = match addressing::stated_from(iq) {
            Ok(from) => claim.by(from.as_ref(), &self.account),
            Err(_) => Err(dormouse_model::Refusal {
                claim: claim.word(),
                from: None,
            }),
        };
        if let Err(refused) = allowed {
            out.push(Output::Event(Event::Refused(refused)));
            self.reply(iq, "error", Some(refusal("service-unavailable")), out);
            return false;
        }
        true
    }

    fn block_push(&mut self, iq: &Element, out: &mut Vec<Output>) {
        if !self.may_push(Claim::BlockPush, iq, out) {
            return;
        }
        match blocking::push(iq) {
            Some(push) => {
                out.push(Output::Event(match push {
                    blocking::Push::Blocked(addresses) => Event::Blocked {
                        addresses,
                        whole: false,
                    },
                    blocking::Push::Unblocked(addresses) => Event::Unblocked(addresses),
                }));
                self.reply(iq, "result", None, out);
            }
            None => {
                out.push(Output::Event(Event::Unreadable("a block push".to_owned())));
                self.reply(iq, "error", Some(refusal("bad-request")), out);
            }
        }
    }

    fn roster_push(&mut self, iq: &Element, out: &mut Vec<Output>) {
        if !self.may_push(Claim::RosterPush, iq, out) {
            return;
        }
        match roster::push(iq) {
            Some((change, _)) => {
                out.push(Output::Event(match change {
                    Push::Changed(item) => Event::Roster {
                        contacts: vec![item],
                        whole: false,
                    },
                    Push::Removed(address) => Event::RosterRemoved(address),
                }));
                self.reply(iq, "result", None, out);
            }
            None => {
                out.push(Output::Event(Event::Unreadable("a roster push".to_owned())));
                self.reply(iq, "error", Some(refusal("bad-request")), out);
            }
        }
    }

    fn reply(&mut self, iq: &Element, kind: &str, payload: Option<Element>, out: &mut Vec<Output>) {
        if self.unconfirmed() >= MOST_UNCONFIRMED {
            let why =
                "a request was not answered: too many of our answers wait for the server to confirm them";
            return Self::journal(out, why);
        }
        let reply = draft("iq", CLIENT)
            .attr("type", kind)
            .attr_opt("id", iq.attr("id"))
            .attr_opt("to", iq.attr("from"))
            .children(payload);
        if self.transmit(out, &reply.done()) {
            self.request_ack_now(out);
        }
    }
}

/// Whether a request can be answered: with its id, to a sender that has an address. What is said back is kept until
/// it is confirmed, so it must not be as long as a frame.
fn is_answerable(iq: &Element) -> bool {
    stanza_id::attribute(iq).is_some() && addressing::stated_from(iq).is_ok()
}

/// A stanza error (RFC 6120 section 8.3.2).
fn refusal(condition: &str) -> Element {
    draft("error", CLIENT)
        .attr("type", "cancel")
        .child(draft(condition, CONDITIONS))
        .done()
}

//! Finds what was lost, doubled, put out of order or untrue.
//!
//! It knows what each user typed and what each window shows, at the end and along the way, and nothing of how
//! either came about. Only to tell what is *possible* it asks the model server: whether a message has reached
//! it, and in which order its archive holds what was said.

use crate::client::{Client, Power};
use crate::server::Server;
use crate::server::stanza::CLIENT;
use dormouse_model::{
    BareJid, BatchId, ConnectionState, Content, Conversation, Delivery, Message, MessageId, Tick,
};
use dormouse_timeline::{Part, history};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Within this time (awake) a dead link is noticed; the rest is what is under way on it.
const NOTICED: Duration = Duration::from_secs(36);
/// So long after the last fault everybody is live again: an unnoticed dead link, a long wait, a dial, a sign-in.
const RECOVERED: Duration = Duration::from_secs(120);
/// Enough to know what is wrong.
const ENOUGH: usize = 12;

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// When it was found.
    pub at: Tick,
    /// With whom.
    pub who: String,
    /// What.
    pub what: String,
}

/// A message that somebody typed.
#[derive(Debug, Clone)]
pub struct Typed {
    client: usize,
    from: usize,
    to: usize,
    text: String,
    life: u64,
    batch: BatchId,
    /// The process was killed before it was on disk: it was never shown as anything but waiting.
    lost: bool,
}

/// The checker.
#[derive(Debug, Default)]
pub struct Checker {
    typed: Vec<Typed>,
    /// Messages that a client of this account has shown as theirs, by the sender's name for them.
    shown: BTreeSet<(usize, String)>,
    /// Who has read a conversation with whom.
    read: BTreeSet<(usize, usize)>,
    findings: Vec<Finding>,
    at_end: Tick,
}

impl Checker {
    /// Somebody typed something.
    pub fn typed_by(
        &mut self,
        client: usize,
        from: usize,
        to: usize,
        text: String,
        life: u64,
        batch: BatchId,
    ) {
        self.typed.push(Typed {
            client,
            from,
            to,
            text,
            life,
            batch,
            lost: false,
        });
    }

    /// Everything typed.
    pub fn typed(&self) -> &[Typed] {
        &self.typed
    }

    /// Somebody has read a conversation.
    pub fn read_by(&mut self, account: usize, with: usize) {
        self.read.insert((account, with));
    }

    /// A process was killed; what was not on disk need not come back.
    pub fn killed(&mut self, client: usize, life: u64, durable: Option<BatchId>) {
        for typed in &mut self.typed {
            if typed.client == client
                && typed.life == life
                && durable.is_none_or(|durable| typed.batch > durable)
            {
                typed.lost = true;
            }
        }
    }

    /// Something is wrong.
    pub fn found(&mut self, at: Tick, who: &str, what: String) {
        if self.findings.len() < ENOUGH {
            self.findings.push(Finding {
                at,
                who: who.to_owned(),
                what,
            });
        }
    }

    /// A client broke the protocol.
    pub fn protocol(&mut self, what: String) {
        self.found(self.at_end, "srv", what);
    }

    /// Whether there is no sense in going on.
    pub fn is_hopeless(&self) -> bool {
        self.findings.len() >= ENOUGH
    }

    /// What was found.
    pub fn findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    /// "Live" has been untrue for so long.
    pub fn live_untrue(&mut self, at: Tick, who: &str, length: Duration) {
        if length > NOTICED {
            self.found(
                at,
                who,
                format!("shows \"live\" though the link has been dead for {length:?}"),
            );
        }
    }

    /// A window shows a message.
    pub fn shown(&mut self, at: Tick, client: &Client, message: &Message, server: &Server) {
        let Some(with) = server
            .accounts
            .iter()
            .position(|account| account.address == message.conversation)
        else {
            return self.found(
                at,
                &client.name,
                format!("shows a conversation with {}", message.conversation),
            );
        };
        let own = client.account;
        let name = message
            .names
            .origin
            .as_ref()
            .map(|id| id.0.clone())
            .unwrap_or_default();
        let Content::Text(text) = &message.content else {
            return self.found(at, &client.name, format!("shows {:?}", message.content));
        };
        let (from, to) = if message.delivery().is_some() {
            (own, with)
        } else {
            (with, own)
        };
        let in_making = message.delivery() == Some(&Delivery::Queued);
        if !in_making
            && !self
                .typed
                .iter()
                .any(|typed| typed.from == from && typed.to == to && typed.text == *text)
        {
            return self.found(at, &client.name, format!("shows {text:?}, which nobody typed"));
        }
        let reached = server.received.contains(&(from, name.clone()));
        match message.delivery() {
            None => {
                self.shown.insert((own, name));
            }
            Some(Delivery::Queued) => {}
            Some(Delivery::Failed(failure)) => {
                self.found(at, &client.name, format!("shows {text:?} as failed: {failure:?}"));
            }
            Some(state) if !reached => {
                self.found(
                    at,
                    &client.name,
                    format!("shows {text:?} as {state:?}, and the server has it not"),
                );
            }
            Some(Delivery::Delivered) if !self.shown.contains(&(with, name.clone())) => {
                self.found(
                    at,
                    &client.name,
                    format!("shows {text:?} as delivered, and nobody has it"),
                );
            }
            Some(Delivery::Read) if !self.read.contains(&(with, own)) => {
                self.found(
                    at,
                    &client.name,
                    format!("shows {text:?} as read, and nobody has read it"),
                );
            }
            Some(_) => {}
        }
    }

    /// The changes told so far add up to what is stored.
    pub fn window_agrees(&mut self, at: Tick, client: &Client) {
        let kept = list(client);
        if kept != client.list {
            let odd = kept
                .keys()
                .chain(client.list.keys())
                .find(|with| kept.get(*with) != client.list.get(*with));
            let detail = odd.map(|with| (kept.get(with), client.list.get(with)));
            self.found(
                at,
                &client.name,
                format!("the list of conversations and the store differ (stored, shown): {detail:?}"),
            );
        }
        let stored = window(client);
        if stored == client.view {
            return;
        }
        let ids: BTreeSet<&MessageId> = stored.keys().chain(client.view.keys()).collect();
        let odd = ids.into_iter().find(|id| stored.get(id) != client.view.get(id));
        let detail = odd.map(|id| (stored.get(id), client.view.get(id)));
        self.found(
            at,
            &client.name,
            format!("the window and the store differ (stored, shown): {detail:?}"),
        );
    }

    /// When everything has been calm for long.
    pub fn last_look(&mut self, clients: &[Client], server: &Server, calm: Tick) {
        self.at_end = calm;
        for client in clients {
            self.is_well(client, calm);
            self.window_agrees(calm, client);
            for with in 0..server.accounts.len() {
                if with != client.account {
                    self.conversation(client, with, server, calm);
                }
            }
        }
    }

    fn is_well(&mut self, client: &Client, calm: Tick) {
        if client.power != Power::Running || client.state != ConnectionState::Live {
            self.found(
                calm,
                &client.name,
                format!("is {:?}, {} in the end", client.power, client.state.name()),
            );
        } else if client.since > calm + RECOVERED {
            let late = client.since.since(calm);
            self.found(
                calm,
                &client.name,
                format!("was live only {late:?} after the last fault"),
            );
        }
        let waiting = client.core.as_ref().map_or(0, |core| core.status().outbox);
        if waiting > 0 {
            self.found(
                calm,
                &client.name,
                format!("still holds {waiting} unsettled messages"),
            );
        }
    }

    fn conversation(&mut self, client: &Client, with: usize, server: &Server, calm: Tick) {
        let own = client.account;
        let conversation = server.accounts[with].address.clone();
        let shown: Vec<&Message> = {
            let mut all: Vec<&Message> = client
                .view
                .values()
                .filter(|message| message.conversation == conversation)
                .collect();
            all.sort_by_key(|message| message.place);
            all
        };
        // Nothing lost, nothing twice.
        let mut count: BTreeMap<(usize, &str), i64> = BTreeMap::new();
        for typed in self.typed.iter().filter(|typed| !typed.lost) {
            if (typed.from, typed.to) == (own, with) || (typed.from, typed.to) == (with, own) {
                *count.entry((typed.from, &typed.text)).or_default() += 1;
            }
        }
        for message in &shown {
            let from = if message.delivery().is_some() { own } else { with };
            if let Content::Text(text) = &message.content {
                *count.entry((from, text)).or_default() -= 1;
            }
        }
        let wrong: Vec<String> = count
            .into_iter()
            .filter(|(_, left)| *left != 0)
            .map(|((from, text), left)| {
                let what = if left > 0 { "lacks" } else { "shows too often" };
                format!("{what} {text:?} of {} ({left:+})", server.accounts[from].address)
            })
            .collect();
        for what in wrong {
            self.found(calm, &client.name, what);
        }
        self.typing_order(client, own, &shown, calm);
        self.typing_order(client, with, &shown, calm);
        self.archive_order(client, &shown, server, calm);
        for message in &shown {
            if message.delivery() == Some(&Delivery::Queued) {
                self.found(
                    calm,
                    &client.name,
                    format!("shows {:?} as waiting in the end", message.content),
                );
            }
        }
    }

    /// What one client typed stands in the order typed.
    fn typing_order(&mut self, client: &Client, of: usize, shown: &[&Message], calm: Tick) {
        let own = of == client.account;
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut wrong = Vec::new();
        for message in shown.iter().filter(|message| message.delivery().is_some() == own) {
            let Content::Text(text) = &message.content else {
                continue;
            };
            let Some((who, number)) = text.split_once('-') else {
                continue;
            };
            let number: u64 = number.parse().unwrap_or(0);
            let before = last.insert(who, number).unwrap_or(0);
            if number < before {
                wrong.push(format!("shows {who}-{before} before {text}"));
            }
        }
        for what in wrong {
            self.found(calm, &client.name, what);
        }
    }

    /// What is shown stands as the archive has it. A message that was archived twice may stand at either place.
    fn archive_order(&mut self, client: &Client, shown: &[&Message], server: &Server, calm: Tick) {
        let archive: BTreeMap<&str, (usize, String)> = server
            .archive_of(client.account)
            .enumerate()
            .map(|(place, (id, message))| {
                let text = message
                    .get_child("body", CLIENT)
                    .map(minidom::Element::text)
                    .unwrap_or_default();
                (id, (place, text))
            })
            .collect();
        let mut last = 0;
        for message in shown {
            let Content::Text(text) = &message.content else {
                continue;
            };
            if message.names.archive.is_empty() {
                self.found(calm, &client.name, format!("never found {text:?} in the archive"));
                continue;
            }
            let mut places = Vec::new();
            for id in &message.names.archive {
                match archive.get(id.as_str()) {
                    Some((place, body)) if body == text => places.push(*place),
                    _ => self.found(
                        calm,
                        &client.name,
                        format!("takes {id} for {text:?}, which it is not"),
                    ),
                }
            }
            places.sort_unstable();
            match places.iter().find(|place| **place >= last) {
                Some(place) => last = *place,
                None if places.is_empty() => {}
                None => {
                    self.found(
                        calm,
                        &client.name,
                        format!("shows {text:?} later than the archive has it"),
                    );
                }
            }
        }
    }
}

/// What a window would show that is opened now: every message of every conversation.
pub fn window(client: &Client) -> BTreeMap<MessageId, Message> {
    let mut all = BTreeMap::new();
    let records = client.disk.records();
    let conversations: BTreeSet<_> = conversations(client);
    for conversation in conversations {
        let mut part = Part::Latest;
        while let Ok(stretch) = history(records, &client.address, &conversation, part, 50) {
            let first = stretch.messages.first().map(|message| message.place);
            let more = stretch.more;
            all.extend(stretch.messages.into_iter().map(|message| (message.id, message)));
            match first {
                Some(first) if more => part = Part::Before(first),
                _ => break,
            }
        }
    }
    all
}

/// The list of conversations in a window that is opened now.
pub fn list(client: &Client) -> BTreeMap<BareJid, Conversation> {
    let all = dormouse_timeline::conversations(client.disk.records()).unwrap_or_default();
    all.into_iter().map(|it| (it.with.clone(), it)).collect()
}

/// The conversations that a client keeps anything of.
fn conversations(client: &Client) -> BTreeSet<BareJid> {
    crate::world::everybody()
        .into_iter()
        .filter(|address| *address != client.address)
        .collect()
}

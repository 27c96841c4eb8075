//! Finds what was lost, doubled, put out of order or untrue.
//!
//! It knows what each user typed and what each window shows, at the end and along the way, and nothing of how
//! either came about. Only to tell what is *possible* it asks the model server: whether a message has reached
//! it, and in which order its archive holds what was said.

use crate::client::{Client, Power};
use crate::server::Server;
use crate::server::stanza::CLIENT;
use dormouse_model::{
    BareJid, BatchId, ConnectionState, Content, Conversation, Delivery, Failure, Message, MessageId, Random,
    Tick,
};
use dormouse_timeline::{Part, history};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Within this time (awake) a dead link is noticed; the rest is what is under way on it.
const NOTICED: Duration = Duration::from_secs(36);
/// So long after the last fault everybody is live again: an unnoticed dead link, a long wait, a dial, a sign-in.
const RECOVERED: Duration = Duration::from_secs(120);
/// What was sent so long after the last fault has been acknowledged when all is over.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Enough to know what is wrong.
const ENOUGH: usize = 12;
/// Who does not exist, and is written to: the account after the last.
pub const NOBODY: &str = "nobody@home.example";

/// By which client something is done, in which life of its process, and with which batch it reaches the disk.
#[derive(Debug, Clone, Copy)]
pub struct Hand {
    /// The client; one that is not ours has the highest number.
    pub client: usize,
    /// The life.
    pub life: u64,
    /// The batch.
    pub batch: BatchId,
}

impl Hand {
    /// Somebody else's, whose disk is none of our business.
    pub const FOREIGN: Hand = Hand {
        client: usize::MAX,
        life: 0,
        batch: BatchId(0),
    };

    fn makes(self, says: Says) -> Version {
        Version {
            says,
            life: self.life,
            batch: self.batch,
            lost: false,
        }
    }
}

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

/// A message that somebody typed, with what became of it by its author's own hand.
#[derive(Debug, Clone)]
pub struct Typed {
    client: usize,
    from: usize,
    to: usize,
    versions: Vec<Version>,
}

/// What a message was to say from some moment on.
#[derive(Debug, Clone)]
struct Version {
    says: Says,
    life: u64,
    batch: BatchId,
    /// The process was killed before it was on disk: it was never shown as anything but waiting.
    lost: bool,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    Text(String),
    /// Its author has withdrawn it.
    Withdrawn,
    /// Its author has thrown it away before anybody had it, or after it came back.
    Nothing,
}

impl Typed {
    /// What it says in the end.
    fn says(&self) -> &Says {
        let last = self.versions.iter().rev().find(|version| !version.lost);
        last.map_or(&Says::Nothing, |version| &version.says)
    }

    /// Whether it ever said this.
    fn said(&self, text: &str) -> bool {
        self.versions
            .iter()
            .any(|version| matches!(&version.says, Says::Text(said) if said == text))
    }
}

/// The checker.
#[derive(Debug, Default)]
pub struct Checker {
    typed: Vec<Typed>,
    /// Which message of a client is which.
    ids: BTreeMap<(usize, MessageId), usize>,
    /// Messages that a client of this account has shown as theirs, by the sender's name for them.
    shown: BTreeSet<(usize, String)>,
    /// Who has read a conversation with whom.
    read: BTreeSet<(usize, usize)>,
    findings: Vec<Finding>,
    at_end: Tick,
}

impl Checker {
    /// Somebody typed something.
    pub fn typed_by(&mut self, who: Hand, from: usize, to: usize, text: String, id: Option<MessageId>) {
        if let Some(id) = id {
            self.ids.insert((who.client, id), self.typed.len());
        }
        self.typed.push(Typed {
            client: who.client,
            from,
            to,
            versions: vec![who.makes(Says::Text(text))],
        });
    }

    /// An author replaces what a message says, or withdraws it (no text).
    pub fn amended_by(&mut self, who: Hand, id: MessageId, text: Option<String>) {
        let says = text.map_or(Says::Withdrawn, Says::Text);
        if let Some(typed) = self
            .ids
            .get(&(who.client, id))
            .and_then(|at| self.typed.get_mut(*at))
        {
            typed.versions.push(who.makes(says));
        }
    }

    /// The wish to change it was dropped: the disk could not be read.
    pub fn not_amended(&mut self, who: Hand, id: MessageId) {
        if let Some(typed) = self
            .ids
            .get(&(who.client, id))
            .and_then(|at| self.typed.get_mut(*at))
        {
            typed.versions.pop();
        }
    }

    /// An author has thrown a message away.
    pub fn thrown_away_by(&mut self, who: Hand, id: MessageId) {
        if let Some(typed) = self
            .ids
            .get(&(who.client, id))
            .and_then(|at| self.typed.get_mut(*at))
        {
            typed.versions.push(who.makes(Says::Nothing));
        }
    }

    /// A message that this client has typed and can still change: which, by chance.
    pub fn one_of(&self, client: usize, random: &mut Random) -> Option<MessageId> {
        let own: Vec<MessageId> = self
            .ids
            .range((client, MessageId(0))..=(client, MessageId(u64::MAX)))
            .map(|((_, id), _)| *id)
            .collect();
        let recent = own.len().saturating_sub(4);
        let number = random.below((own.len() - recent) as u64 + u64::from(own.is_empty()));
        own.get(recent + usize::try_from(number).unwrap_or(0)).copied()
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
        for version in self
            .typed
            .iter_mut()
            .filter(|typed| typed.client == client)
            .flat_map(|typed| &mut typed.versions)
        {
            version.lost |= version.life == life && durable.is_none_or(|durable| version.batch > durable);
        }
        // A number that was never on disk is given to another message.
        let typed = &self.typed;
        self.ids
            .retain(|(of, _), at| *of != client || typed.get(*at).is_some_and(|it| !it.versions[0].lost));
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
        let Some(with) = number_of(server, &message.conversation) else {
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
        let (from, to) = if message.delivery().is_some() {
            (own, with)
        } else {
            (with, own)
        };
        let mut theirs = self
            .typed
            .iter()
            .filter(|typed| (typed.from, typed.to) == (from, to));
        let text = match &message.content {
            Content::Text(text) => {
                let in_making = message.delivery() == Some(&Delivery::Queued);
                if !in_making && !theirs.any(|typed| typed.said(text)) {
                    return self.found(at, &client.name, format!("shows {text:?}, which nobody typed"));
                }
                text.as_str()
            }
            Content::Retracted => {
                if !theirs.any(|typed| {
                    typed
                        .versions
                        .iter()
                        .any(|version| version.says == Says::Withdrawn)
                }) {
                    let what = "shows a message as withdrawn, which nobody withdrew";
                    return self.found(at, &client.name, what.into());
                }
                "…"
            }
            other => return self.found(at, &client.name, format!("shows {other:?}")),
        };
        let reached = server.received.contains(&(from, name.clone()));
        match message.delivery() {
            None => {
                self.shown.insert((own, name));
            }
            Some(Delivery::Queued) => {}
            Some(Delivery::Failed(Failure::Bounced { .. }))
                if server.bounced.contains(&(own, name.clone())) => {}
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
        for (number, stanzas) in server.silent_on(calm + PATIENCE) {
            let name = clients.get(number).map_or("?", |client| client.name.as_str());
            self.found(
                calm,
                name,
                format!("has never acknowledged {stanzas} stanzas that it was sent"),
            );
        }
        for (number, client) in clients.iter().enumerate() {
            self.is_well(client, calm);
            self.window_agrees(calm, client);
            for with in (0..=server.accounts.len()).filter(|with| *with != client.account) {
                self.conversation(number, with, client, server, calm);
            }
            self.told_to_have(number, client, server, calm);
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

    /// What a client has told the server to have, it has.
    fn told_to_have(&mut self, number: usize, client: &Client, server: &Server, calm: Tick) {
        let has: BTreeSet<(&BareJid, &str)> = client
            .view
            .values()
            .flat_map(|message| {
                let origin = message.names.origin.as_ref().map(|id| id.0.as_str());
                let stanza = message.names.stanza.as_ref().map(|id| id.0.as_str());
                [origin, stanza]
                    .into_iter()
                    .flatten()
                    .map(|name| (&message.conversation, name))
            })
            .collect();
        let of_client = server.acknowledged.iter().filter(|(of, ..)| *of == number);
        for (_, from, name) in of_client {
            if !has.contains(&(from, name.as_str())) {
                self.found(
                    calm,
                    &client.name,
                    format!("told the server that it has {name} of {from}, and has it not"),
                );
            }
        }
    }

    fn conversation(&mut self, number: usize, with: usize, client: &Client, server: &Server, calm: Tick) {
        let own = client.account;
        let nobody = with == server.accounts.len();
        let shown: Vec<&Message> = {
            let mut all: Vec<&Message> = client
                .view
                .values()
                .filter(|message| number_of(server, &message.conversation) == Some(with))
                .collect();
            all.sort_by_key(|message| message.place);
            all
        };
        // Nothing lost, nothing twice. Without an archive what was said while a client was away is nowhere to be
        // had, and of what came back to its author only that client knows all.
        let mut count: BTreeMap<(usize, Says), (i64, i64)> = BTreeMap::new();
        for typed in &self.typed {
            if (typed.from, typed.to) == (own, with) || (typed.from, typed.to) == (with, own) {
                let due = typed.client == number || (server.quirks.archive && !nobody);
                let (least, most) = count.entry((typed.from, typed.says().clone())).or_default();
                *least += i64::from(due);
                // A client that gives no names of its own, on a server that gives none: nobody can tell a copy from
                // a repetition.
                let nameless = typed.client == Hand::FOREIGN.client && !server.quirks.archive;
                *most += if nameless { i64::from(u32::MAX) } else { 1 };
                // And of an edit nobody tells who was not there.
                let earlier: BTreeSet<&Says> = typed.versions.iter().map(|version| &version.says).collect();
                for says in earlier
                    .into_iter()
                    .filter(|says| !server.quirks.archive && *says != typed.says())
                {
                    count.entry((typed.from, says.clone())).or_default().1 += 1;
                }
            }
        }
        for message in &shown {
            let from = if message.delivery().is_some() { own } else { with };
            let says = match &message.content {
                Content::Text(text) => Says::Text(text.clone()),
                _ => Says::Withdrawn,
            };
            let (least, most) = count.entry((from, says)).or_default();
            *least -= 1;
            *most -= 1;
        }
        let exact = server.quirks.archive && !nobody;
        let wrong: Vec<String> = count
            .into_iter()
            .filter(|((_, says), _)| *says != Says::Nothing)
            .filter_map(|((from, says), (least, most))| {
                let what = match (least > 0, most < 0) {
                    (true, _) => format!("lacks {says:?} ({least:+})"),
                    (_, true) if !nobody || self.alone(own, number) => {
                        format!("shows {says:?} too often ({most:+})")
                    }
                    _ => return None,
                };
                let of = server
                    .accounts
                    .get(from)
                    .map_or(NOBODY, |account| account.address.as_str());
                Some(format!("{what} of {of}"))
            })
            .collect();
        for what in wrong {
            self.found(calm, &client.name, what);
        }
        if exact {
            self.typing_order(client, with, &shown, calm);
        }
        // What came back and is tried again stands at the end.
        if !nobody {
            self.typing_order(client, own, &shown, calm);
        }
        if server.quirks.archive {
            self.archive_order(client, &shown, server, calm);
        }
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

    /// Whether all that an account has typed was typed by this client.
    fn alone(&self, account: usize, client: usize) -> bool {
        self.typed
            .iter()
            .all(|typed| typed.from != account || typed.client == client)
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
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            let number: u64 = digits.parse().unwrap_or(0);
            let before = last.insert(who, number).unwrap_or(0);
            if number < before {
                wrong.push(format!("shows {who}-{before} before {text}"));
            }
        }
        for what in wrong {
            self.found(calm, &client.name, what);
        }
    }

    /// Whether a message that says this now may have said that when it was archived.
    fn may_be(&self, now: &Content, archived: &str) -> bool {
        self.typed
            .iter()
            .filter(|typed| typed.said(archived))
            .any(|typed| match now {
                Content::Text(text) => typed.said(text),
                _ => *typed.says() == Says::Withdrawn,
            })
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
            let what = &message.content;
            if message.names.archive.is_empty() {
                self.found(calm, &client.name, format!("never found {what:?} in the archive"));
                continue;
            }
            let mut places = Vec::new();
            for id in &message.names.archive {
                match archive.get(id.as_str()) {
                    Some((place, body)) if self.may_be(what, body) => places.push(*place),
                    _ => self.found(
                        calm,
                        &client.name,
                        format!("takes {id} for {what:?}, which it is not"),
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
                        format!("shows {what:?} later than the archive has it"),
                    );
                }
            }
        }
    }
}

/// The number of an account; the one after the last is nobody's.
fn number_of(server: &Server, address: &BareJid) -> Option<usize> {
    let known = server
        .accounts
        .iter()
        .position(|account| account.address == *address);
    known.or_else(|| (address.as_str() == NOBODY).then_some(server.accounts.len()))
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

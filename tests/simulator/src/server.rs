//! A model XMPP server over WebSocket: text frames in, text frames out.
//!
//! One host with a few accounts who all know each other. It keeps what real servers keep (archive, offline
//! messages, rosters) through every restart, so whatever is missing in the end the client has lost. What it
//! forgets it forgets as they do: sessions at a restart, counts at a kill. The two servers it plays differ in
//! their [`Quirks`].
//!
//! `stream` is one connection until it is signed in, `sessions` what outlives it (XEP-0198), `routing` where a
//! stanza goes, `archive` what is kept and how it is read back (XEP-0313), `requests` the small questions.

mod archive;
mod binding;
mod quirks;
mod requests;
mod routing;
mod sasl2;
mod scram;
mod sessions;
pub mod stanza;
mod strangers;
mod stream;

pub use quirks::{Kind, MNESIA, Quirks};
pub use sasl2::{Ahead, Offer};
pub use sessions::HEARTBEAT;
pub use strangers::{Claim, STRANGER};

use archive::Archive;
use dormouse_model::{BareJid, Closing, Random, Stamp, Tick};
use minidom::Element;
use sessions::{Session, SessionId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stream::Stream;

/// The virtual calendar's beginning: 2026-11-22, 00:00 UTC.
pub const EPOCH: i64 = 1_795_305_600_000;

/// A connection, as the network numbers them.
pub type LineId = u64;

/// What the server does, in order.
#[derive(Debug)]
pub enum Said {
    /// A frame.
    Frame(LineId, String),
    /// Everything that a resumed session held has been sent.
    Held(LineId),
    /// The connection ends, after what was sent before.
    Close(LineId, Closing),
}

/// One account on the server.
#[derive(Debug)]
pub struct Account {
    /// Its address.
    pub address: BareJid,
    password: String,
    /// By SCRAM mechanism.
    proofs: Vec<(&'static str, scram::Secret)>,
    archive: Archive,
    /// Messages for whom no client was there, as they will be delivered.
    offline: Vec<Element>,
}

impl Account {
    /// What proves this account's password by a mechanism.
    fn proof(&self, mechanism: &str) -> Option<&scram::Secret> {
        self.proofs
            .iter()
            .find(|(name, _)| *name == mechanism)
            .map(|(_, secret)| secret)
    }
}

/// Trouble that the world makes for one account at a time, and how often still.
#[derive(Debug, Default, Clone, Copy)]
pub struct Trouble {
    /// Sign-ins that fail for a passing reason.
    pub sign_in: u32,
    /// Sign-ins that are never answered.
    pub silence: u32,
    /// Archive pages that break off: the connection ends in their middle.
    pub broken_pages: u32,
    /// Archive pages that are refused.
    pub refused_pages: u32,
    /// Archive pages after an id that the archive says it does not know.
    pub forgotten_ids: u32,
    /// Resumptions that are refused although the session is held.
    pub refused_resumes: u32,
    /// Resumptions after which the connection breaks before a word of it is heard.
    pub unheard_resumes: u32,
    /// Carbons that come twice.
    pub doubled_carbons: u32,
    /// Carbons that are left out.
    pub lost_carbons: u32,
    /// Messages that a stranger puts between the archive's, as if they were from it.
    pub forged_results: u32,
    /// Answers of the archive that a stranger gives before it does.
    pub forged_answers: u32,
    /// Rosters that a stranger gives before the server does.
    pub forged_rosters: u32,
    /// What was archived since the one moment is not shown before the other.
    pub hidden: Option<(Stamp, Tick)>,
}

/// Takes one from a number of times that something happens; whether there was one.
fn spend(times: &mut u32) -> bool {
    let left = *times > 0;
    *times = times.saturating_sub(1);
    left
}

/// The server.
pub struct Server {
    /// How it behaves.
    pub quirks: Quirks,
    /// Its accounts.
    pub accounts: Vec<Account>,
    /// What goes wrong next, by account.
    pub trouble: Vec<Trouble>,
    /// Whether it runs.
    pub up: bool,
    /// Texts that have reached it: who wrote them, and their ids.
    pub received: BTreeSet<(usize, String)>,
    /// Messages that came back to who wrote them.
    pub bounced: BTreeSet<(usize, String)>,
    /// Which client has told to have which message, by its sender's address and name for it.
    pub acknowledged: BTreeSet<(usize, BareJid, String)>,
    /// What was in an account's archive and was not on its disk when it was killed: whose, the id, the message.
    pub lost: Vec<(usize, String, Element)>,
    /// Where a client broke the protocol in a way that hides a loss: always a fault of the client's.
    pub violations: Vec<String>,
    domain: String,
    random: Random,
    now: Tick,
    streams: BTreeMap<LineId, Stream>,
    sessions: BTreeMap<SessionId, Session>,
    next_session: u64,
    /// Sessions that are gone and whose count is still known (XEP-0198 section 5, `<failed h=''/>`).
    remembered: BTreeMap<String, (usize, u32)>,
    said: Vec<Said>,
    tokens: Vec<sasl2::Token>,
    was_killed: bool,
    /// Until then it keeps nothing for those who are away.
    reads_tables_until: Tick,
    /// Accounts that are nobody's contact; everybody else is everybody's.
    pub strangers: BTreeSet<usize>,
    /// Sabotage: carbons are forged in the own server's name.
    pub forges: bool,
}

impl Server {
    /// A server with these accounts and passwords.
    pub fn new(quirks: Quirks, domain: &str, people: &[(BareJid, String)], mut random: Random) -> Self {
        let accounts: Vec<Account> = people
            .iter()
            .map(|(address, password)| Account {
                address: address.clone(),
                password: password.clone(),
                proofs: quirks
                    .scrams()
                    .map(|(name, hash)| (name, scram::Secret::new(hash, password, random.bytes())))
                    .collect(),
                archive: Archive::default(),
                offline: Vec::new(),
            })
            .collect();
        Self {
            quirks,
            trouble: vec![Trouble::default(); accounts.len()],
            accounts,
            up: true,
            received: BTreeSet::new(),
            bounced: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            lost: Vec::new(),
            violations: Vec::new(),
            domain: domain.to_owned(),
            random,
            now: Tick(0),
            streams: BTreeMap::new(),
            sessions: BTreeMap::new(),
            next_session: 0,
            remembered: BTreeMap::new(),
            said: Vec::new(),
            tokens: Vec::new(),
            was_killed: false,
            reads_tables_until: Tick(0),
            strangers: BTreeSet::new(),
            forges: false,
        }
    }

    /// A WebSocket has been opened by a client.
    pub fn opened(&mut self, now: Tick, line: LineId, client: usize, round_trip: Duration) {
        self.settle(now);
        let stream = Stream {
            client,
            round_trip,
            exporter: self.exporter_of(line),
            ..Stream::default()
        };
        self.streams.insert(line, stream);
    }

    /// A frame came.
    pub fn frame(&mut self, now: Tick, line: LineId, text: &str) -> Vec<Said> {
        self.settle(now);
        if self.streams.contains_key(&line) && !self.swallows(line) {
            let read = match text {
                // Most frames are this one: hearts beat all day.
                HEARTBEAT => Ok(stanza::element("r", stanza::SM)),
                other => sessions::read_count(other).map_or_else(|| other.parse(), Ok),
            };
            match read {
                Ok(element) => self.element(line, &element),
                Err(error) => {
                    self.violations.push(format!("a frame that is no XML: {error}"));
                    self.close(
                        line,
                        Closing::Frame {
                            code: 1000,
                            reason: String::new(),
                        },
                    );
                }
            }
        }
        std::mem::take(&mut self.said)
    }

    /// The server noticed that a connection is gone: its session waits for a while.
    pub fn closed(&mut self, now: Tick, line: LineId) -> Vec<Said> {
        self.settle(now);
        if let Some(stream) = self.streams.remove(&line)
            && let Some(id) = stream.session
        {
            self.hibernate(id);
        }
        std::mem::take(&mut self.said)
    }

    /// The server ends in an orderly way, or is killed. Sessions are lost; their counts only if killed.
    pub fn stop(&mut self, now: Tick, killed: bool, keeps_sessions: bool) -> Vec<Said> {
        self.settle(now);
        self.up = false;
        let lines: Vec<LineId> = self.streams.keys().copied().collect();
        for line in lines {
            if !killed && self.quirks.kind == Kind::Ejabberd {
                self.stream_error(line, "system-shutdown");
            } else {
                self.close(line, Closing::Eof);
            }
        }
        if killed {
            for (number, account) in self.accounts.iter_mut().enumerate() {
                let forgotten = account.archive.forget(now, self.quirks.unwritten);
                self.lost
                    .extend(forgotten.map(|(id, message)| (number, id, message)));
            }
            self.was_killed = true;
        }
        if !keeps_sessions {
            let remembers = !killed && self.quirks.kind == Kind::Prosody;
            self.remembered.clear();
            for session in std::mem::take(&mut self.sessions).into_values() {
                if remembers && let Some(sm) = &session.management {
                    self.remembered
                        .insert(sm.name.clone(), (session.account, sm.received));
                }
            }
        }
        std::mem::take(&mut self.said)
    }

    /// It runs again.
    pub fn start(&mut self, now: Tick) {
        self.settle(now);
        self.up = true;
        if std::mem::take(&mut self.was_killed) {
            self.reads_tables_until = now + self.quirks.unwritten;
        }
    }

    /// All sessions without a connection are forgotten, as by a cluster node that went away.
    pub fn forget_sessions(&mut self, now: Tick) -> Vec<Said> {
        self.settle(now);
        let held: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.line.is_none())
            .map(|(id, _)| *id)
            .collect();
        for id in held {
            self.end_session(id, false);
        }
        std::mem::take(&mut self.said)
    }

    /// Somebody else does something at this server.
    pub fn meanwhile(&mut self, now: Tick, what: impl FnOnce(&mut Self)) -> Vec<Said> {
        self.settle(now);
        what(self);
        std::mem::take(&mut self.said)
    }

    /// Whether two accounts are each other's contacts, or one and the same.
    fn know_each_other(&self, one: usize, other: usize) -> bool {
        one == other
            || [one, other]
                .iter()
                .all(|account| !self.strangers.contains(account))
    }

    /// What the archive of an account holds, oldest first: id, who wrote it, and the text if it has one.
    pub fn archive_of(&self, account: usize) -> impl Iterator<Item = (&str, &Element)> {
        self.accounts[account].archive.items()
    }

    /// The server's calendar.
    fn stamp(&self) -> Stamp {
        self.stamp_at(self.now)
    }

    /// What the server's calendar shows at a moment.
    pub fn stamp_at(&self, now: Tick) -> Stamp {
        Stamp(EPOCH + i64::try_from(now.0).unwrap_or(i64::MAX - EPOCH))
    }

    fn settle(&mut self, now: Tick) {
        self.now = now;
        let hold = self.quirks.hold;
        let over: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.hibernated.is_some_and(|since| now.since(since) > hold))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.end_session(id, true);
        }
    }

    /// What both ends of a connection can derive from its TLS session, where that is of the kind (RFC 9266).
    pub fn exporter_of(&self, line: LineId) -> Option<[u8; 32]> {
        let mut data = [0x5a; 32];
        data[..8].copy_from_slice(&line.to_be_bytes());
        self.quirks.exporter.then_some(data)
    }

    fn send(&mut self, line: LineId, element: &Element) {
        if let Some(stream) = self.streams.get_mut(&line) {
            stream.spoken = Some(self.now);
        }
        self.said.push(Said::Frame(line, stanza::frame(element)));
    }

    fn close(&mut self, line: LineId, closing: Closing) {
        if let Some(stream) = self.streams.remove(&line) {
            self.said.push(Said::Close(line, closing));
            if let Some(id) = stream.session {
                self.hibernate(id);
            }
        }
    }

    fn stream_error(&mut self, line: LineId, condition: &str) {
        if let Some(client) = self.streams.get(&line).map(|stream| stream.client) {
            self.let_off(client);
        }
        self.said.push(Said::Frame(
            line,
            format!(
                "<stream:error xmlns:stream='{}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
                stanza::STREAMS
            ),
        ));
        self.send(line, &stanza::element("close", stanza::FRAMING));
        self.close(
            line,
            Closing::Frame {
                code: 1000,
                reason: String::new(),
            },
        );
    }
}

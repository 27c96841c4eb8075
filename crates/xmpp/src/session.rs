//! The session of one account: what it keeps, and how it begins, ends and is restored.
//!
//! A session is more than its stream. The stream lives on one connection and walks through the states of
//! [`stream_state::Phase`], top to bottom. The session lives on: stanzas not yet confirmed, counters, requests
//! in flight, what is known of the server. It is lost when the server says so, or when the stream
//! ends in a way that ends it; what became of its messages is then carried into the report of the next one
//! ([`Event::Bound`]), on disk until it has been given, because the server tells it only once.

mod binding;
mod commands;
mod ending;
mod negotiation;
mod sign_in;
mod stanzas;
mod stream_state;

use crate::fast::Token;
use crate::mam::Collector;
use crate::one_flight::OneFlight;
use crate::requests::Requests;
use crate::sasl::Pins;
use crate::scram::Stretched;
use crate::stream_management::{self, Managed, Record, Unacked};
use crate::{Credentials, Event, Features, Output, bind, frame, open, verdict};
use dormouse_model::record::decode;
use dormouse_model::{
    BareJid, BatchId, Channel, ConnId, DialFailure, Draft, Key, Memory, MessageId, Now, Random, ReadError,
    Verdict, Walk,
};
use minidom::Element;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use stream_state::{Phase, Stream};

/// Limits on what a server may make us do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What a frame may be.
    pub frame: frame::Limits,
    /// The most PBKDF2 iterations that a server may ask for in SCRAM: 1,300,000 is the highest number that anybody
    /// recommends (OWASP, for SHA-1) and takes about a second; servers use 4,096 to 100,000.
    pub max_iterations: u32,
    /// Whether a new session takes part: it tells its presence, gets carbons, reads the roster and asks for a token. One that
    /// doesn't is sent nothing that was meant for another (RFC 6121 section 8.5.2), least of all what the server has
    /// kept for the next who appears: a connection can be tried out on it.
    pub appears: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            frame: frame::Limits::default(),
            max_iterations: 1_300_000,
            appears: true,
        }
    }
}

/// One account's XMPP session: outlives connections and processes (see the crate's docs).
pub struct Session {
    account: BareJid,
    settings: Settings,
    random: Random,
    pins: Pins,
    one_flight: OneFlight,
    /// Either has, and must be written.
    pins_changed: bool,
    /// The session as XEP-0198 manages it, if the server does.
    managed: Option<Managed>,
    /// Records of earlier sessions, to be deleted.
    stale: Vec<u32>,
    carried: Carried,
    /// Receipts and markers of earlier sessions, which never confirmed them.
    courtesies: Vec<String>,
    unmanaged: Unmanaged,
    /// What the server can do, once all answers are there.
    features: Option<Features>,
    /// The answers so far.
    gathered: Features,
    roster_known: bool,
    blocks_known: bool,
    changed: bool,
    requests: Requests,
    collector: Collector,
    stream: Option<Stream>,
    active: bool,
    stretched: Option<Stretched>,
    /// Attempts to resume that ended without a word from the server.
    silent_resumptions: u8,
    /// What happened where nothing could be said.
    owed: Vec<Output>,
}

/// How a stream was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    /// The SASL mechanism's registered name.
    pub mechanism: &'static str,
    /// The session on it is an earlier stream's (XEP-0198).
    pub resumed: bool,
}

/// Evidence about messages of earlier sessions that has not been reported yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Carried {
    acked: Vec<MessageId>,
    doubtful: Vec<MessageId>,
}

/// Where there is no stream management: messages wait for the answer to a ping sent after them.
#[derive(Debug, Default)]
struct Unmanaged {
    sent: u64,
    waiting: VecDeque<(u64, MessageId)>,
}

/// What the disk holds of all this ([`Key::Session`]).
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Kept {
    managed: Option<Record>,
    carried: Carried,
    courtesies: Vec<String>,
    unconfirmed: Vec<MessageId>,
    features: Option<Features>,
    roster_known: bool,
    blocks_known: bool,
}

/// More unconfirmed stanzas than this are not read back.
const LONGEST_QUEUE: usize = 100_000;

fn pins_key() -> Key {
    Key::Learnt("sign-in".to_owned())
}

fn one_flight_key() -> Key {
    Key::Learnt("one flight".to_owned())
}

impl Session {
    /// The session as it was when the last process ended, or a new one.
    ///
    /// # Errors
    /// The store could not be read, or a record in it is damaged.
    pub fn restore(
        account: BareJid,
        settings: Settings,
        mut random: Random,
        memory: &dyn Memory,
    ) -> Result<Self, ReadError> {
        let kept: Kept = memory.read(&Key::Session)?.unwrap_or_default();
        let mut pins: Pins = memory.read(&pins_key())?.unwrap_or_default();
        let one_flight = memory.read(&one_flight_key())?.unwrap_or_default();
        let pins_changed = pins.resource.is_empty() || pins.user_agent.is_empty();
        if pins.resource.is_empty() {
            pins.resource = bind::resource(&mut random);
        }
        if pins.user_agent.is_empty() {
            pins.user_agent = random.uuid();
        }
        let (from, to) = Key::Unacked(0).kind_range();
        let mut queue: Vec<(u32, Unacked)> = Vec::new();
        for (key, value) in memory.range(&from, &to, Walk::Forwards, LONGEST_QUEUE)? {
            let count = key
                .get(1..)
                .and_then(|bytes| bytes.try_into().ok())
                .map(u32::from_be_bytes);
            match (count, decode(&value)) {
                (Some(count), Some(unacked)) => queue.push((count, unacked)),
                _ => return Err(ReadError::Damaged('u')),
            }
        }
        let mut stale = Vec::new();
        let managed = match kept.managed {
            Some(record) => Some(Managed::restored(record, queue)),
            None => {
                stale = queue.into_iter().map(|(count, _)| count).collect();
                None
            }
        };
        let mut carried = kept.carried;
        carried.doubtful.extend(kept.unconfirmed);
        let collector = Collector::new(&mut random);
        Ok(Self {
            account,
            settings,
            random,
            pins,
            one_flight,
            pins_changed,
            managed,
            changed: !stale.is_empty(),
            stale,
            carried,
            courtesies: kept.courtesies,
            unmanaged: Unmanaged::default(),
            gathered: kept.features.clone().unwrap_or_default(),
            features: kept.features,
            roster_known: kept.roster_known,
            blocks_known: kept.blocks_known,
            requests: Requests::default(),
            collector,
            stream: None,
            active: true,
            stretched: None,
            silent_resumptions: 0,
            owed: Vec::new(),
        })
    }

    /// How the present stream was signed in; none until stanzas flow.
    pub fn sign_in(&self) -> Option<SignedIn> {
        let stream = self.stream.as_ref().filter(|_| self.is_ready())?;
        Some(SignedIn {
            mechanism: stream.mechanism?,
            resumed: stream.resumed,
        })
    }

    /// Whether this account has ever signed in: from then on what looks like a wrong setting is a network's or
    /// server's trouble.
    pub fn has_worked(&self) -> bool {
        self.pins.worked
    }

    /// What a failed dial means for this account.
    pub fn dial_failed(&self, failure: &DialFailure) -> Verdict {
        verdict::dial(failure, self.judged())
    }

    fn judged(&self) -> verdict::Account<'_> {
        verdict::Account {
            domain: self.account.domain().as_str(),
            has_worked: self.pins.worked,
        }
    }

    /// A WebSocket is open: opens the stream on it. An earlier connection is given up; what still comes
    /// there is ignored.
    pub fn begin(
        &mut self,
        now: Now,
        conn: ConnId,
        channel: &Channel,
        credentials: &Credentials,
        token: Option<&Token>,
    ) -> Vec<Output> {
        let mut out = std::mem::take(&mut self.owed);
        match self.stream.take() {
            Some(earlier) if earlier.resume_sent => self.resumption_broke(&mut out),
            // The network is not to blame, for here is a connection that is faster: the session is deaf.
            Some(earlier) if earlier.unheard => self.lose_deaf(&mut out),
            _ => {}
        }
        self.requests.forget_probes();
        if self
            .managed
            .as_ref()
            .is_none_or(|managed| managed.resumption_id().is_none())
        {
            self.lose(&mut out);
        }
        let stream = Stream::new(
            (conn, now.tick),
            channel.clone(),
            credentials.clone(),
            token.cloned(),
        );
        let opening = open::open(&self.account, stream.is_private());
        self.stream = Some(stream);
        self.put(&mut out, &opening);
        self.authenticate_ahead(now, &mut out);
        out
    }

    /// A text frame arrived. Frames of any connection but the current one are ignored.
    ///
    /// # Errors
    /// The store could not be read; the session must be restored before it is used again.
    pub fn frame(
        &mut self,
        now: Now,
        conn: ConnId,
        text: &str,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Output>, ReadError> {
        let mut out = Vec::new();
        if self.conn() != Some(conn) {
            return Ok(out);
        }
        if self.is_ready()
            && let Some(managed) = &mut self.managed
        {
            managed.heard(now.stamp);
        }
        match frame::read(text, &self.settings.frame) {
            Ok(Some(element)) => self.element(now, &element, &mut out),
            Ok(None) => {}
            // Anybody may send it through an honest server. Were it not counted, it would come again for
            // ever; did it end the stream, it would end every stream.
            Err(frame::Broken::Beyond { limit, stanza: true }) if self.is_bound() => {
                out.push(Output::Event(Event::Unreadable(format!(
                    "a stanza {}",
                    limit.words()
                ))));
                self.collector.missed();
                self.handled();
            }
            Err(frame::Broken::Beyond { limit, .. }) => {
                self.violation(&format!("a frame {}", limit.words()), &mut out);
            }
            Err(frame::Broken::Malformed(what)) => self.violation(what, &mut out),
        }
        self.save(draft);
        Ok(out)
    }

    /// What has been written into the draft since the last call goes to the disk as this batch.
    pub fn issued(&mut self, batch: BatchId) {
        if let Some(managed) = &mut self.managed {
            managed.issued(batch);
        }
    }

    /// This batch and all before it are on disk. The server is told what that covers.
    pub fn durable(&mut self, batch: BatchId) -> Vec<Output> {
        let mut out = Vec::new();
        let tell = self
            .managed
            .as_mut()
            .is_some_and(|managed| managed.durable(batch));
        if tell && self.is_counting() {
            self.answer(&mut out);
        }
        out
    }

    /// Writes what has changed and must survive the process.
    pub fn save(&mut self, draft: &mut Draft<'_>) {
        if self.pins_changed {
            draft.put(&pins_key(), &self.pins);
            draft.put(&one_flight_key(), &self.one_flight);
            self.pins_changed = false;
        }
        if !self.changed && self.managed.as_ref().is_none_or(|managed| !managed.has_changed()) {
            return;
        }
        for count in self.stale.drain(..) {
            draft.delete(&Key::Unacked(count));
        }
        if let Some(managed) = &mut self.managed {
            managed.save(draft);
        }
        let kept = Kept {
            managed: self.managed.as_ref().map(|managed| managed.record().clone()),
            carried: self.carried.clone(),
            courtesies: self.courtesies.clone(),
            unconfirmed: self.unmanaged.waiting.iter().map(|(_, id)| *id).collect(),
            features: self.features.clone(),
            roster_known: self.roster_known,
            blocks_known: self.blocks_known,
        };
        draft.put(&Key::Session, &kept);
        self.changed = false;
    }

    /// Whether stanzas may be sent: a session has been bound or resumed on the current connection.
    pub fn is_ready(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(|stream| matches!(stream.phase, Phase::Ready))
    }

    /// Whether the server hears us: the session began on this connection, or was resumed here and the server has answered
    /// since. What is handed over before is kept back until then.
    pub fn is_heard(&self) -> bool {
        self.is_ready() && !self.is_unheard()
    }

    fn is_unheard(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.unheard)
    }

    /// The messages that this session has sent, has no acknowledgement of, and will send again by itself
    /// if it is resumed.
    pub fn held(&self) -> Vec<MessageId> {
        let queued = self
            .managed
            .iter()
            .flat_map(Managed::queue)
            .filter_map(|unacked| unacked.token);
        queued
            .chain(self.carried.acked.iter().copied())
            .chain(self.carried.doubtful.iter().copied())
            .collect()
    }

    /// A stanza that must not be read is counted as handled all the same, or it would come for ever.
    pub fn skip(&mut self, conn: ConnId) -> Vec<Output> {
        if self.conn() == Some(conn) {
            self.handled();
        }
        vec![Output::Event(Event::Unreadable(
            "one that has crashed the program before".to_owned(),
        ))]
    }

    fn conn(&self) -> Option<ConnId> {
        self.stream.as_ref().map(|stream| stream.conn)
    }

    fn is_bound(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(|stream| matches!(stream.phase, Phase::Enabling(_) | Phase::Ready))
    }

    /// How many stanzas that nobody typed wait for the server's confirmation.
    fn unconfirmed(&self) -> usize {
        let nobodys = |unacked: &&Unacked| unacked.token.is_none();
        match self.stream.as_ref().map(|stream| &stream.phase) {
            Some(Phase::Enabling(behind)) => behind.iter().filter(nobodys).count(),
            _ => {
                let queue = self.managed.iter().flat_map(Managed::queue);
                queue.filter(nobodys).count()
            }
        }
    }

    /// Whether stanzas on this stream are counted.
    fn is_counting(&self) -> bool {
        self.managed.is_some() && self.is_ready()
    }

    fn handled(&mut self) {
        if self.is_counting()
            && let Some(managed) = &mut self.managed
        {
            managed.handled();
        }
    }

    fn answer(&mut self, out: &mut Vec<Output>) {
        if let Some(managed) = &mut self.managed {
            let answer = managed.answer();
            self.put(out, &answer);
        }
    }

    /// Sends what is not a stanza.
    fn put(&self, out: &mut Vec<Output>, element: &Element) {
        if let (Some(conn), Some(text)) = (self.conn(), frame::write(element)) {
            out.push(Output::Frame(conn, text));
        }
    }

    /// Sends a stanza that can be done without should the session end. Whether it is time to ask for a confirmation.
    fn transmit(&mut self, out: &mut Vec<Output>, stanza: &Element) -> bool {
        let text = frame::write(stanza);
        text.is_some_and(|stanza| {
            let unacked = Unacked {
                stanza,
                token: None,
                courtesy: false,
            };
            self.transmit_counted(out, unacked)
        })
    }

    fn transmit_counted(&mut self, out: &mut Vec<Output>, unacked: Unacked) -> bool {
        let Some(stream) = &mut self.stream else {
            return false;
        };
        let (text, token) = (unacked.stanza.clone(), unacked.token);
        let due = match (&mut stream.phase, &mut self.managed) {
            (Phase::Enabling(behind), _) => {
                behind.push(unacked);
                false
            }
            (Phase::Ready, Some(managed)) => {
                let due = managed.sent(unacked);
                if stream.unheard {
                    return false;
                }
                due
            }
            (Phase::Ready, None) => {
                self.unmanaged.sent += 1;
                if let Some(token) = token {
                    self.unmanaged.waiting.push_back((self.unmanaged.sent, token));
                    self.changed = true;
                }
                false
            }
            _ => false,
        };
        out.push(Output::Frame(stream.conn, text));
        due
    }

    /// Somebody else is who we are: a copy of our folder, perhaps.
    fn new_resource(&mut self) {
        self.pins.resource = bind::resource(&mut self.random);
        self.pins.user_agent = self.random.uuid();
        self.pins_changed = true;
    }

    fn journal(out: &mut Vec<Output>, text: impl Into<String>) {
        out.push(Output::Event(Event::Journal(text.into())));
    }

    fn request_ack_now(&mut self, out: &mut Vec<Output>) {
        if let Some(conn) = self.conn() {
            out.push(Output::Frame(conn, stream_management::REQUEST.to_owned()));
        }
    }
}

#[cfg(test)]
#[path = "session_tests/mod.rs"]
mod tests;

//! The check's own connection: the session of [`dormouse_xmpp`] over a socket of [`dormouse_dial`], with a memory that nothing
//! outlives.
//!
//! Its resource is its own and it never appears ([`dormouse_xmpp::Settings::appears`]), so it gets no message that was meant
//! for the account and takes nothing from what the server has kept.

use crate::present::now;
use dormouse_account::Credentials;
use dormouse_dial::{Aborter, Connected, Dialler, Inbound, Reader, Target, Writer};
use dormouse_model::{
    Action, ArchiveQuery, BareJid, Batch, BatchId, Cause, Closing, ConnId, Draft, ProbeId, Random, Verdict,
    Way,
};
use dormouse_xmpp::{Event, Features, Output, Session, Settings, verdict};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How a connection ended.
pub(super) struct Ended {
    /// What is to be done about it, and why.
    pub(super) verdict: Verdict,
    /// The WebSocket close code, where the socket's end was all there was; 1006 if it just ended.
    pub(super) code: Option<u16>,
}

/// A session that stands.
pub(super) struct Stands {
    /// It is the one that there was before.
    pub(super) resumed: bool,
    /// How it was signed in: the SASL mechanism.
    pub(super) mechanism: &'static str,
    /// How often an answer was waited for on this connection.
    pub(super) round_trips: u32,
}

/// The connection.
pub(super) struct Own {
    session: Session,
    memory: BTreeMap<Vec<u8>, Vec<u8>>,
    batch: BatchId,
    credentials: Credentials,
    dialler: Dialler,
    domain: String,
    way: Way,
    conn: ConnId,
    open: Option<Open>,
    /// Broken off, as seen from here: the server has not noticed.
    left: Option<Open>,
    resumable: bool,
    features: Option<Features>,
    probe: ProbeId,
    events: VecDeque<Event>,
    /// What waits to be written.
    frames: Vec<String>,
    /// Something was written since the last was read.
    asked: bool,
    round_trips: u32,
}

struct Open {
    reader: Reader,
    writer: Writer,
    aborter: Aborter,
}

impl Own {
    /// Not connected yet.
    pub(super) fn new(
        address: &BareJid,
        credentials: Credentials,
        dialler: Dialler,
        way: Way,
    ) -> Result<Self, Cause> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| Cause::StoreFailed)?;
        let settings = Settings {
            appears: false,
            ..Settings::default()
        };
        let memory = BTreeMap::new();
        let session = Session::restore(address.clone(), settings, Random::from_seed(seed), &memory)
            .map_err(|_| Cause::StoreFailed)?;
        Ok(Self {
            session,
            memory,
            batch: BatchId(0),
            credentials,
            dialler,
            domain: address.domain().to_string(),
            way,
            conn: ConnId::default(),
            open: None,
            left: None,
            resumable: false,
            features: None,
            probe: ProbeId::default(),
            events: VecDeque::new(),
            frames: Vec::new(),
            asked: false,
            round_trips: 0,
        })
    }

    /// Signs in on this socket.
    pub(super) fn begin(&mut self, connected: Connected) {
        let (reader, writer) = connected.socket.split();
        self.open = Some(Open {
            reader,
            writer,
            aborter: connected.aborter,
        });
        self.conn = self.conn.next();
        self.events.clear();
        self.frames.clear();
        self.asked = false;
        self.round_trips = 0;
        let said = self
            .session
            .begin(now(), self.conn, &connected.channel, &self.credentials, None);
        self.take(said);
    }

    /// Waits until the session stands.
    pub(super) async fn session(&mut self) -> Result<Stands, Ended> {
        loop {
            let resumed = match self.next().await? {
                Event::Resumed { .. } => true,
                Event::Bound { resumable, .. } => {
                    self.resumable = resumable;
                    let said = self.session.introduce();
                    self.take(said);
                    false
                }
                _ => continue,
            };
            return Ok(Stands {
                resumed,
                mechanism: self.session.sign_in().map_or("", |it| it.mechanism),
                round_trips: self.round_trips,
            });
        }
    }

    /// Dials and signs in once more; a second time if a quick sign-in is refused.
    pub(super) async fn again(&mut self) -> Result<Stands, Cause> {
        let stands = self.signed_in_again().await;
        if let Some(left) = self.left.take() {
            left.aborter.abort();
        }
        stands
    }

    async fn signed_in_again(&mut self) -> Result<Stands, Cause> {
        let mut plainly = false;
        loop {
            let target = Target {
                domain: self.domain.clone(),
                endpoint: Some(self.way.endpoint.clone()),
                known: Some(self.way.clone()),
            };
            let connected = self.dialler.dial(target).await.map_err(|failure| {
                let account = verdict::Account {
                    domain: &self.domain,
                    has_worked: true,
                };
                verdict::dial(&failure, account).cause
            })?;
            self.begin(connected);
            match self.session().await {
                Ok(stands) => return Ok(stands),
                Err(ended) if ended.verdict.action == Action::RetryPlainly && !plainly => plainly = true,
                Err(ended) => return Err(ended.verdict.cause),
            }
        }
    }

    /// Whether stanzas can be sent.
    pub(super) fn is_ready(&self) -> bool {
        self.open.is_some() && self.session.is_ready()
    }

    /// Whether the server holds the session if the connection breaks.
    pub(super) fn is_resumable(&self) -> bool {
        self.resumable
    }

    /// Breaks the connection off without a farewell. The server does not learn of it before the session is taken up again,
    /// as of a connection that a sleep or another network has cost.
    pub(super) fn break_off(&mut self) {
        self.left = self.open.take();
        self.session.give_up(now(), self.conn);
    }

    /// What the server can do.
    pub(super) async fn features(&mut self) -> Result<Features, Cause> {
        loop {
            if let Some(features) = &self.features {
                return Ok(features.clone());
            }
            self.next().await.map_err(|ended| ended.verdict.cause)?;
        }
    }

    /// Asks the archive.
    pub(super) fn ask(&mut self, query: &ArchiveQuery) {
        let mut draft = Draft::over(&self.memory);
        let said = self.session.ask(query, &mut draft);
        let written = draft.into_batch(self.batch.next());
        self.keep(written);
        self.take(said);
    }

    /// Asks the server whether it is there, and waits so long for its answer.
    pub(super) async fn ping(&mut self, patience: Duration) -> Result<(), Cause> {
        timeout(patience, self.pong())
            .await
            .unwrap_or(Err(Cause::NoAnswer))
    }

    async fn pong(&mut self) -> Result<(), Cause> {
        self.probe = self.probe.next();
        let said = self.session.ping(self.probe);
        self.take(said);
        loop {
            match self.next().await.map_err(|ended| ended.verdict.cause)? {
                Event::Pong { probe, .. } if probe == self.probe => return Ok(()),
                _ => {}
            }
        }
    }

    /// Sends nothing for so long but what the server asks for. The longest time in which nothing passed; or after what
    /// silence the connection ended, and how.
    pub(super) async fn keep_silent(&mut self, length: Duration) -> Result<Duration, (Duration, Ended)> {
        let began = Instant::now();
        let (mut heard, mut longest) = (began, Duration::ZERO);
        loop {
            let left = length.saturating_sub(began.elapsed());
            let told = timeout(left, self.step()).await;
            longest = longest.max(heard.elapsed());
            match told {
                Err(_) => return Ok(longest),
                Ok(Err(ended)) => return Err((heard.elapsed(), ended)),
                Ok(Ok(())) => {
                    if let Some(ended) = self.drain() {
                        return Err((heard.elapsed(), ended));
                    }
                    heard = Instant::now();
                }
            }
        }
    }

    /// The next event, whatever has to be sent and read until there is one.
    pub(super) async fn next(&mut self) -> Result<Event, Ended> {
        loop {
            match self.events.pop_front() {
                Some(Event::Ended { verdict, .. }) => return Err(self.ended(verdict)),
                Some(event) => return Ok(event),
                None => self.step().await?,
            }
        }
    }

    /// Lets everything that has happened pass; how the stream ended, if it did.
    fn drain(&mut self) -> Option<Ended> {
        let ended = std::mem::take(&mut self.events)
            .into_iter()
            .find_map(|event| match event {
                Event::Ended { verdict, .. } => Some(verdict),
                _ => None,
            });
        ended.map(|verdict| self.ended(verdict))
    }

    fn ended(&mut self, verdict: Verdict) -> Ended {
        self.open = None;
        Ended { verdict, code: None }
    }

    /// Closes the stream in order, so that the server keeps nothing of it.
    pub(super) async fn close(mut self) {
        if self.open.is_none() {
            return;
        }
        let said = self.session.close();
        self.take(said);
        while self.step().await.is_ok() {}
    }

    /// Writes what waits, then reads one thing. May be dropped: nothing is lost.
    async fn step(&mut self) -> Result<(), Ended> {
        let Some(open) = &mut self.open else {
            return Err(self.ended(Verdict::new(Action::Retry, Cause::Lost)));
        };
        if !self.frames.is_empty() {
            self.asked = true;
            let frames = std::mem::take(&mut self.frames);
            if let Err(closing) = open.writer.send_all(frames).await {
                return Err(self.closed(&closing));
            }
        }
        match open.reader.next().await {
            Ok(Inbound::Text(text)) => {
                if std::mem::take(&mut self.asked) {
                    self.round_trips += 1;
                }
                self.read(&text);
                Ok(())
            }
            Ok(Inbound::Ping | Inbound::Pong) => Ok(()),
            Err(closing) => Err(self.closed(&closing)),
        }
    }

    fn read(&mut self, text: &str) {
        let mut draft = Draft::over(&self.memory);
        // A memory without a disk can always be read.
        let said = self
            .session
            .frame(now(), self.conn, text, &mut draft)
            .unwrap_or_default();
        let written = draft.into_batch(self.batch.next());
        self.keep(written);
        self.take(said);
    }

    /// What was written is as safe as it will be.
    fn keep(&mut self, batch: Batch) {
        batch.apply_to(&mut self.memory);
        self.batch = batch.id;
        self.session.issued(batch.id);
        let said = self.session.durable(batch.id);
        self.take(said);
    }

    fn closed(&mut self, closing: &Closing) -> Ended {
        self.open = None;
        let verdict = self.session.closed(now(), self.conn, closing);
        let code = match closing {
            Closing::Frame { code, .. } => Some(*code),
            Closing::Eof | Closing::Broken(_) => Some(1006),
            Closing::TooLarge | Closing::Malformed(_) => None,
        };
        Ended {
            verdict: verdict.unwrap_or_else(|| Verdict::new(Action::Retry, Cause::Lost)),
            code,
        }
    }

    fn take(&mut self, said: Vec<Output>) {
        for output in said {
            match output {
                Output::Frame(conn, text) if conn == self.conn => self.frames.push(text),
                Output::Frame(..) | Output::Hangup(_) => {}
                Output::Event(Event::Features(features)) => self.features = Some(features),
                Output::Event(event) => self.events.push_back(event),
            }
        }
    }
}

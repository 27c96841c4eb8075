//! A server that misbehaves as it is told: XMPP over WebSocket on loopback, with one account.
//!
//! [`Peer`] is an honest, small server as long as nobody says otherwise: SCRAM-SHA-256, binding, roster,
//! disco, stream management with resumption, and an archive. Three ways lead from there to a hostile one:
//!
//! * [`Conduct`]: how it behaves from now on (refuses upgrades, falls silent at some step, proves itself wrongly, never
//!   acknowledges). [`Peer::mend`] makes it honest again.
//! * [`Peer::act`]: what it does once, now, on the connection in use (a close code, any bytes, a frame).
//! * [`Peer::stanza`]: any stanza, counted and resumed as XEP-0198 wants it; written whole or in fragments.
//!
//! What it saw is in [`State`]: messages with their ids, the counts that were told, each dial's moment.

mod archive;
mod conn;
pub mod frames;
mod scram;

use crate::Result;
use anyhow::bail;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The one account.
pub const ACCOUNT: &str = "alice@localhost";
/// Its password.
pub const PASSWORD: &str = "correct horse";
/// Its one contact.
pub const CONTACT: &str = "bob@localhost";
/// The domain.
pub(crate) const DOMAIN: &str = "localhost";

/// What it does with a connection before there is a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Upgrade {
    /// Speaks WebSocket.
    #[default]
    Accept,
    /// Takes the connection and says nothing, whatever it is asked: also a TLS handshake.
    Silent,
    /// Answers with bytes that are no HTTP.
    NotHttp,
    /// Answers with an HTTP status, and perhaps `Retry-After`.
    Status(u16, Option<&'static str>),
}

/// A step of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The client's first `<open/>`.
    Open,
    /// Its `<auth/>`.
    SignIn,
    /// Its request for a resource, or for its old session.
    Bind,
}

/// How it proves in SCRAM that it knows the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signature {
    /// As it should.
    #[default]
    Right,
    /// With another signature.
    Wrong,
    /// Not at all: `<success/>` at once.
    None,
}

/// What it says to `<resume/>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resumption {
    /// The truth.
    #[default]
    Honest,
    /// `<resumed/>` with this in place of its count; none leaves it out.
    Count(Option<&'static str>),
    /// The session is gone.
    Gone,
    /// An element that is no answer, and no more.
    Nonsense,
    /// The connection ends.
    Eof,
}

/// How it behaves, until told otherwise. The default is honest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conduct {
    /// Before there is a WebSocket.
    pub upgrade: Upgrade,
    /// Says nothing from this step on.
    pub silent_at: Option<Step>,
    /// What it offers.
    pub mechanisms: Vec<&'static str>,
    /// PBKDF2 iterations it asks for.
    pub iterations: u32,
    /// How it proves itself.
    pub signature: Signature,
    /// Refuses the sign-in with this condition.
    pub refusal: Option<&'static str>,
    /// What it says to `<resume/>`.
    pub resumption: Resumption,
    /// Whether it answers `<r/>` and counts. Messages are taken all the same.
    pub acknowledges: bool,
    /// Whether it answers requests.
    pub answers: bool,
    /// Sends a WebSocket ping this often.
    pub pings: Option<Duration>,
    /// Sends this many results that nobody may believe among those of each archive query.
    pub forged_results: bool,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            upgrade: Upgrade::Accept,
            silent_at: None,
            mechanisms: vec!["SCRAM-SHA-256"],
            iterations: 4096,
            signature: Signature::Right,
            refusal: None,
            resumption: Resumption::Honest,
            acknowledges: true,
            answers: true,
            pings: None,
            forged_results: false,
        }
    }
}

/// What it does once, on the connection in use.
#[derive(Debug, Clone)]
pub enum Act {
    /// These bytes, as they are, on the TCP connection.
    Bytes(Vec<u8>),
    /// A text frame that counts as no stanza.
    Text(String),
    /// A close frame, then the end.
    Close(u16, &'static str),
    /// The end without a word.
    Eof,
}

/// How a stanza is put into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// One frame.
    #[default]
    Whole,
    /// Frames of so many bytes, which may cut characters in two; with a WebSocket ping between them.
    Fragments(usize),
}

/// A message of the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its id.
    pub id: String,
    /// To whom.
    pub to: String,
    /// What.
    pub body: String,
}

/// A session that XEP-0198 manages.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// Stanzas of the client's.
    pub(crate) handled: u32,
    /// Stanzas of ours.
    pub(crate) sent: u32,
    /// Those not acknowledged, with their numbers.
    pub(crate) queue: VecDeque<(u32, String, Shape)>,
}

/// What it knows and has seen.
#[derive(Debug, Default)]
pub struct State {
    pub(crate) conduct: Conduct,
    pub(crate) acts: VecDeque<Act>,
    pub(crate) session: Option<Session>,
    pub(crate) sessions: u32,
    pub(crate) archive: Vec<archive::Archived>,
    pub(crate) current: u64,
    pub(crate) bound: bool,
    pub(crate) stop: bool,
    /// When each connection came.
    pub dials: Vec<Instant>,
    /// What the client sent, in order, each time it sent it.
    pub heard: Vec<Heard>,
    /// The mechanisms that sign-ins used.
    pub sign_ins: Vec<String>,
    /// Frames of the client's that are neither messages nor counted below.
    pub frames: Vec<String>,
    /// The last count that the client told for the present session.
    pub told: u32,
    /// Sessions resumed.
    pub resumptions: u32,
}

impl State {
    /// Stanzas sent in the present session.
    pub fn sent(&self) -> u32 {
        self.session.as_ref().map_or(0, |session| session.sent)
    }

    /// How often a text was sent to us.
    pub fn copies(&self, body: &str) -> usize {
        self.heard.iter().filter(|heard| heard.body == body).count()
    }

    /// The id of the client's message with this text.
    pub fn id_of(&self, body: &str) -> Option<String> {
        let heard = self.heard.iter().find(|heard| heard.body == body);
        heard.map(|heard| heard.id.clone())
    }

    pub(crate) fn push(&mut self, xml: String, shape: Shape) {
        if let Some(session) = &mut self.session {
            session.sent = session.sent.wrapping_add(1);
            session.queue.push_back((session.sent, xml, shape));
        }
    }
}

pub(crate) struct World {
    state: Mutex<State>,
    changed: Condvar,
}

impl World {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.notify_all();
        result
    }
}

/// The server. Its threads end when it is dropped.
pub struct Peer {
    world: Arc<World>,
    port: u16,
}

impl Peer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let world = Arc::new(World {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&world);
        thread::Builder::new().name("peer".into()).spawn(move || {
            for (number, stream) in (1..).zip(listener.incoming()) {
                if theirs.state().stop {
                    return;
                }
                let Ok(stream) = stream else { continue };
                theirs.with(|state| state.dials.push(Instant::now()));
                let world = Arc::clone(&theirs);
                // A connection that fails is the scenario's to notice.
                let _ = thread::Builder::new()
                    .name(format!("peer-{number}"))
                    .spawn(move || conn::serve(&world, stream, number));
            }
        })?;
        Ok(Self { world, port })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("ws://127.0.0.1:{}/xmpp-websocket", self.port)
    }

    /// The same, as if it spoke TLS, which it does not.
    pub fn tls_endpoint(&self) -> String {
        format!("wss://127.0.0.1:{}/xmpp-websocket", self.port)
    }

    /// Changes how it behaves from now on.
    pub fn conduct(&self, change: impl FnOnce(&mut Conduct)) {
        self.world.with(|state| change(&mut state.conduct));
    }

    /// It is honest from now on.
    pub fn mend(&self) {
        self.conduct(|conduct| *conduct = Conduct::default());
    }

    /// Does this on the connection in use.
    pub fn act(&self, act: Act) {
        self.world.with(|state| state.acts.push_back(act));
    }

    /// Sends a stanza in the present session; it is resumed until it is acknowledged. Without a
    /// session nothing happens.
    pub fn stanza(&self, xml: impl Into<String>, shape: Shape) {
        let xml = xml.into();
        self.world.with(|state| state.push(xml, shape));
    }

    /// The contact says something: it is archived, and delivered if there is a session.
    pub fn says(&self, body: &str) {
        self.says_in(body, Shape::Whole);
    }

    /// As [`Peer::says`], in this shape.
    pub fn says_in(&self, body: &str, shape: Shape) {
        self.world.with(|state| {
            let number = state.archive.len();
            let xml = format!(
                "<message xmlns='jabber:client' type='chat' from='{CONTACT}/phone' to='{ACCOUNT}' id='said-{number}'>\
                 <body>{body}</body></message>"
            );
            let id = archive::keep(&mut state.archive, xml.clone());
            let stanza_id = format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{ACCOUNT}' id='{id}'/></message>");
            state.push(xml.replace("</message>", &stanza_id), shape);
        });
    }

    /// Puts a message into the archive alone, as if it had come while nobody was there.
    pub fn archives(&self, xml: impl Into<String>) {
        let xml = xml.into();
        self.world.with(|state| archive::keep(&mut state.archive, xml));
    }

    /// Reads what it has seen.
    pub fn seen<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.world.state())
    }

    /// Waits until it has seen what is looked for.
    ///
    /// # Errors
    /// When it has not within the time.
    pub fn wait<T>(
        &self,
        what: &str,
        within: Duration,
        mut seen: impl FnMut(&State) -> Option<T>,
    ) -> Result<T> {
        let end = Instant::now() + within;
        let mut state = self.world.state();
        loop {
            if let Some(found) = seen(&state) {
                return Ok(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "the peer did not see {what} within {:.0} s; heard: {:?}; last frames: {:?}",
                    within.as_secs_f64(),
                    state.heard,
                    state.frames.iter().rev().take(6).collect::<Vec<_>>()
                );
            }
            state = self
                .world
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.world.with(|state| state.stop = true);
        // Wakes the listener, which then ends.
        let _ = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

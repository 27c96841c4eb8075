//! The account as one state machine: what comes in, whom it concerns, what they say.

use crate::chronicle::Chronicle;
use crate::contacts::Contacts;
use crate::flood::Flood;
use crate::journal::Journal;
use crate::quarantine::Quarantine;
use crate::quiet::{Moment, Quiet};
use crate::round_trips::RoundTrips;
use crate::standing::Standing;
use crate::store_failure::StoreFailure;
use crate::tokens::Tokens;
use crate::turn::Turn;
use crate::way::Ways;
use crate::{Input, Output};
use dormouse_link::{IdleIntervals, Input as LinkInput, Link};
use dormouse_model::{
    Action, BareJid, BatchId, Cause, Change, Channel, ConnId, Connection, ConnectionState, Endpoint, Key,
    Memory, Notice, Now, Outgoing, Random, ReadError, RoundTrip, Side, Stamp, Tick, Verdict, Way,
};
use dormouse_timeline::{Effect, Timeline};
use dormouse_xmpp::{Credentials, Session, SignedIn, Token};
use std::collections::BTreeMap;
use std::time::Duration;

/// Receipts and markers that wait at most. They wait in memory, and a catch-up can be made endless.
const MOST_COURTESIES: usize = 10_000;

/// What a core is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose account it is.
    pub address: BareJid,
    /// How it signs in. None: it stays offline until [`Input::SignIn`]; what is kept can be read, and what is typed
    /// waits.
    pub credentials: Option<Credentials>,
    /// A token that was given at an earlier sign-in (XEP-0484), if one is at hand already.
    pub token: Option<Token>,
    /// The first batch gets this number, at least 1: a core that is rebuilt goes on counting, or an old batch's
    /// durability would be taken for a new one's.
    pub first_batch: BatchId,
    /// The last batch that is known to be on disk: the one before the first, unless the core is rebuilt from what is not all
    /// there yet. Then it begins once that is: it could only tell the server counts that a crash would take back.
    pub durable: BatchId,
}

/// What is known of an account at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The connection's state, since when and why.
    pub connection: Connection,
    /// Messages that wait or whose fate is not known.
    pub outbox: usize,
    /// The session is bound or resumed: stanzas flow.
    pub session_ready: bool,
    /// Everything missed has been read back.
    pub caught_up: bool,
    /// How the session on the present connection was signed in and what it is.
    pub signed_in: Option<SignedIn>,
    /// How long answers took lately.
    pub round_trip: Option<RoundTrip>,
    /// How long the connection may be silent before it is asked.
    pub interval: Duration,
    /// It is shorter than usual: silence has ended connections on this path.
    pub interval_learnt: bool,
    /// It is the one that the user gave, as far as that is allowed.
    pub interval_given: Option<Duration>,
}

/// What is about to end, once everything written before is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    what: End,
    /// The last batch written before; known at the end of the turn in which the end was announced.
    after: Option<BatchId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Sleep,
    Quit,
}

impl Ending {
    pub(crate) fn of(what: End) -> Self {
        Self { what, after: None }
    }
}

/// The core of one account.
pub struct Account {
    pub(crate) settings: Settings,
    pub(crate) link: Link,
    pub(crate) session: Session,
    pub(crate) timeline: Timeline,
    pub(crate) contacts: Contacts,
    pub(crate) journal: Journal,
    pub(crate) chronicle: Chronicle,
    pub(crate) round_trips: RoundTrips,
    flood: Flood,
    quarantine: Quarantine,
    pub(crate) quiet: Quiet,
    store_failure: StoreFailure,
    /// The connection the session runs on.
    pub(crate) current: Option<ConnId>,
    /// Receipts and markers that wait until everything missed has been read: a thousand of them must not stand
    /// between the first page and the second.
    courtesies: Vec<Outgoing>,
    /// A resumed connection on which the server may still be sending what it held.
    pub(crate) fence: Option<ConnId>,
    /// Connections that are open and not in use, with what they offer.
    pub(crate) open: BTreeMap<ConnId, Channel>,
    /// Where the server sent us, and how often in a row.
    pub(crate) elsewhere: Option<(Endpoint, u32)>,
    pub(crate) ways: Ways,
    learnt: IdleIntervals,
    pub(crate) tokens: Tokens,
    next_batch: BatchId,
    durable: BatchId,
    /// It was told to begin and waits for this batch.
    pub(crate) begins_after: Option<BatchId>,
    pub(crate) ending: Option<Ending>,
    /// When those of whom nothing was said count as offline.
    pub(crate) presence_told: Option<Tick>,
    pub(crate) unreadable: u64,
    pub(crate) standing: Standing,
    /// Since when there is no password to sign in with.
    pub(crate) without_password: Option<Stamp>,
}

impl Account {
    /// The core as it was left, read from the memory.
    pub fn restore(settings: Settings, mut random: Random, memory: &dyn Memory) -> Result<Self, ReadError> {
        let mut link = Link::new(dormouse_link::Settings::default(), random.fork());
        let learnt: IdleIntervals = memory.read(&learnt_idle())?.unwrap_or_default();
        link.restore(learnt.clone());
        let session = Session::restore(
            settings.address.clone(),
            dormouse_xmpp::Settings::default(),
            random.fork(),
            memory,
        )?;
        let mut timeline = Timeline::restore(settings.address.clone(), random.fork(), memory)?;
        timeline.held(&session.held());
        Ok(Self {
            link,
            session,
            timeline,
            contacts: Contacts::restore(memory)?,
            journal: Journal::restore(memory)?,
            chronicle: Chronicle::restore(memory)?,
            round_trips: RoundTrips::default(),
            flood: Flood::default(),
            quarantine: Quarantine::restore(memory)?,
            quiet: Quiet::default(),
            store_failure: StoreFailure::default(),
            current: None,
            courtesies: Vec::new(),
            fence: None,
            open: BTreeMap::new(),
            elsewhere: None,
            ways: Ways::restore(memory)?,
            learnt,
            tokens: Tokens::new(settings.token.clone()),
            next_batch: settings.first_batch.max(BatchId(1)),
            durable: settings.durable,
            begins_after: None,
            ending: None,
            presence_told: None,
            unreadable: 0,
            standing: Standing::default(),
            without_password: settings.credentials.is_none().then(Stamp::default),
            settings,
        })
    }

    /// Takes an input and says what to do, in order.
    ///
    /// On an error nothing of it has happened on disk, and this core can't be trusted any more: make a
    /// new one with [`Account::restore`] once the memory can be read again.
    pub fn handle(&mut self, now: Now, input: Input, memory: &dyn Memory) -> Result<Vec<Output>, ReadError> {
        let mut turn = Turn::begin(now, memory);
        self.take(&mut turn, input)?;
        self.go_on(&mut turn)?;
        self.keep(&mut turn);
        for conversation in dormouse_timeline::changed(memory, &turn.draft)? {
            turn.change(Change::Conversation(Box::new(conversation)));
        }
        self.end_if_safe(&mut turn);
        self.chronicle.end_turn(now, &mut turn.draft);
        let batch = self.next_batch;
        if !turn.draft.is_empty() {
            self.next_batch = batch.next();
            self.session.issued(batch);
            self.timeline.issued(batch);
        }
        Ok(turn.end(batch))
    }

    /// Writes what the parts have learnt and must not forget.
    fn keep(&mut self, turn: &mut Turn) {
        self.session.save(&mut turn.draft);
        self.ways.save(&mut turn.draft);
        if self.link.learnt() != &self.learnt {
            self.learnt = self.link.learnt().clone();
            turn.draft.put(&learnt_idle(), &self.learnt);
        }
    }

    /// When [`Input::Tick`] is due, if nothing happens before.
    pub fn deadline(&self) -> Option<Tick> {
        // What can't be asked of the archive now is not due now either.
        let timeline = self.timeline.deadline().filter(|_| self.may_speak());
        [
            self.link.deadline(),
            self.quiet.deadline(),
            self.presence_told,
            timeline,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The number that the next batch will have.
    pub fn next_batch(&self) -> BatchId {
        self.next_batch
    }

    /// How the server was reached last.
    pub fn known_way(&self) -> Option<Way> {
        self.ways.known()
    }

    /// What a window shows, as changes from nothing. The messages of a conversation are read from the memory with
    /// [`crate::history`].
    pub fn snapshot(&self, memory: &dyn Memory) -> Result<Vec<Change>, ReadError> {
        let mut changes = vec![Change::Connection(self.connection())];
        changes.extend(self.round_trips.summary().map(Change::RoundTrip));
        changes.extend(self.contacts.snapshot());
        let conversations = dormouse_timeline::conversations(memory)?.into_iter();
        changes.extend(conversations.map(|it| Change::Conversation(Box::new(it))));
        changes.extend(self.timeline.progress());
        changes.extend(self.standing.all().cloned().map(Change::Notice));
        Ok(changes)
    }

    /// The connection's state, since when and why.
    pub(crate) fn connection(&self) -> Connection {
        match self.without_password {
            Some(since) => Connection {
                state: ConnectionState::Stopped,
                since,
                cause: Cause::NoPassword,
            },
            None => self.link.connection().clone(),
        }
    }

    /// What is known at the moment.
    pub fn status(&self) -> Status {
        Status {
            connection: self.connection(),
            outbox: self.timeline.outbox_len(),
            session_ready: self.session.is_ready(),
            caught_up: self.timeline.caught_up(),
            signed_in: self.session.sign_in(),
            round_trip: self.round_trips.summary(),
            interval: self.link.interval(),
            interval_given: self.link.learnt().given(),
            interval_learnt: self.link.learnt().given().is_none()
                && self.link.interval() < self.link.ordinary_interval(),
        }
    }

    /// Messages that wait or whose fate is not known, and whether everything missed has been read back.
    pub fn unsettled(&self) -> (usize, bool) {
        (self.timeline.outbox_len(), self.timeline.caught_up())
    }

    /// How the session on the present connection was signed in, once stanzas flow.
    pub fn signed_in(&self) -> Option<SignedIn> {
        self.session.sign_in()
    }

    fn take(&mut self, turn: &mut Turn, input: Input) -> Result<(), ReadError> {
        match input {
            Input::Start => {
                let last = BatchId(self.settings.first_batch.0.saturating_sub(1));
                if self.durable < last {
                    self.note(turn, "Waiting for the disk before going on.".into());
                    self.begins_after = Some(last);
                } else {
                    self.start(turn)?;
                }
            }
            Input::SignIn(credentials) => self.sign_in(turn, credentials)?,
            Input::TokenFound(token) => self.tokens.found(token),
            Input::TokenKept => self.tokens.kept(),
            Input::Dialled {
                conn,
                channel,
                endpoint,
                network,
            } => {
                self.open.insert(conn, channel);
                self.link.aim(endpoint, network);
                self.link(turn, LinkInput::Dialled(conn))?;
            }
            Input::Reached { conn, way } => self.reached(conn, way),
            Input::DialFailed { conn, failure } => {
                self.elsewhere = None;
                let verdict = self.session.dial_failed(&failure);
                self.link(turn, LinkInput::DialFailed(conn, verdict))?;
            }
            Input::Frame { conn, text } => self.frame(turn, conn, &text)?,
            Input::Activity(conn) => {
                if self.current == Some(conn) {
                    self.chronicle.heard(turn.now);
                }
                self.link(turn, LinkInput::Inbound(conn))?;
            }
            Input::Closed { conn, closing } => {
                self.open.remove(&conn);
                if self.current == Some(conn) {
                    self.chronicle.closed(turn.now, closing.clone());
                }
                let verdict = match self.session.closed(turn.now, conn, &closing) {
                    Some(verdict) => verdict,
                    None => Verdict::new(Action::Retry, Cause::Lost),
                };
                self.connection_ended(turn, conn, verdict)?;
            }
            Input::Durable(batch) => {
                self.durable = self.durable.max(batch);
                self.timeline.durable(batch);
                let said = self.session.durable(batch);
                self.session_said(turn, said)?;
                if self.begins_after.take_if(|last| *last <= batch).is_some() {
                    self.start(turn)?;
                }
            }
            Input::StoreFailed(why) => {
                if self.store_failure.began() {
                    self.note(
                        turn,
                        format!("The store refuses writes ({why}); nothing is acknowledged."),
                    );
                    self.standing.begin(turn, Notice::StoreFailed(why));
                }
            }
            Input::StoreRecovered => {
                if self.store_failure.ended() {
                    self.note(turn, "The store takes writes again.".into());
                    self.standing.end(turn, "store-failed");
                    turn.change(Change::Notice(Notice::StoreRecovered));
                }
            }
            Input::Suspending => {
                self.ending.get_or_insert(Ending::of(End::Sleep));
                self.link(turn, LinkInput::Suspending)?;
            }
            Input::SimulatedSleep => {
                self.ending.get_or_insert(Ending::of(End::Sleep));
                self.link(turn, LinkInput::SimulatedSleep)?;
            }
            Input::Resumed { slept, proven } => {
                self.ending.take_if(|ending| ending.what == End::Sleep);
                self.link(turn, LinkInput::Resumed { slept, proven })?;
            }
            Input::Network { up, route_lost } => self.link(turn, LinkInput::Network { up, route_lost })?,
            Input::Visible(visible) => {
                let said = self.session.active(visible);
                self.session_said(turn, said)?;
                self.link(turn, LinkInput::Visible(visible))?;
            }
            Input::Unlocked => self.link(turn, LinkInput::Unlocked)?,
            Input::Command(command) => self.command(turn, command)?,
            Input::Tick => self.tick(turn)?,
        }
        Ok(())
    }

    fn frame(&mut self, turn: &mut Turn, conn: ConnId, text: &str) -> Result<(), ReadError> {
        if self.current != Some(conn) {
            return Ok(());
        }
        self.chronicle.heard(turn.now);
        self.link(turn, LinkInput::Inbound(conn))?;
        let said = if self.quarantine.holds(text) {
            self.note(
                turn,
                "A stanza that crashed Dormouse twice was put aside unread.".into(),
            );
            self.session.skip(conn)
        } else {
            self.session.frame(turn.now, conn, text, &mut turn.draft)?
        };
        self.session_said(turn, said)?;
        if self.store_failure.frame() {
            turn.out.push(Output::Abort(conn));
            self.connection_ended(turn, conn, Verdict::new(Action::RetrySlowly, Cause::StoreFailed))?;
        }
        Ok(())
    }

    fn tick(&mut self, turn: &mut Turn) -> Result<(), ReadError> {
        self.link(turn, LinkInput::Tick)?;
        if self.presence_told.is_some_and(|due| due <= turn.now.tick) {
            self.presence_told = None;
            let changes = self.contacts.presence_complete(&mut turn.draft);
            turn.changes(changes);
        }
        match self.quiet.is_due(turn.now.tick) {
            Some(Moment::Check) => self.timeline.quiet_check(),
            Some(Moment::ReadAgain) => self.timeline.read_again(),
            None => {}
        }
        Ok(())
    }

    /// What follows from any input: messages that are due, pages to ask for.
    pub(crate) fn go_on(&mut self, turn: &mut Turn) -> Result<(), ReadError> {
        if !self.may_speak() {
            return Ok(());
        }
        for (id, message) in self.timeline.due() {
            let said = self.session.send(&message, Some(id), &mut turn.draft);
            turn.out.push(Output::HandedOver(id));
            let frames = said.iter().map(|output| match output {
                dormouse_xmpp::Output::Frame(_, text) => text.len(),
                _ => 0,
            });
            let bytes = frames.sum();
            self.session_said(turn, said)?;
            if let Some(conn) = self.current {
                self.link(turn, LinkInput::AckAwaited { conn, bytes })?;
            }
        }
        if self.timeline.caught_up() {
            let said = self.session.send_courtesies_again(&mut turn.draft);
            self.session_said(turn, said)?;
            for message in std::mem::take(&mut self.courtesies) {
                let said = self.session.send(&message, None, &mut turn.draft);
                self.session_said(turn, said)?;
            }
        }
        while let Some(query) = self.timeline.next_query(turn.now) {
            let said = self.session.ask(&query, &mut turn.draft);
            self.session_said(turn, said)?;
        }
        while let Some(query) = self.timeline.next_older(turn.now, &turn.draft)? {
            let said = self.session.ask(&query, &mut turn.draft);
            self.session_said(turn, said)?;
        }
        Ok(())
    }

    /// Whether messages and questions can be handed over. Not to a link in doubt: proof or a spare is there within a moment, and
    /// what was said on a link that is then left may be handled twice. ejabberd still handles what comes on the old one when
    /// it has already said, on the new one, what it has handled. Questions would be repeated with every deadline, too. Nor
    /// where a session was resumed, until the server has answered there.
    fn may_speak(&self) -> bool {
        let state = self.link.connection().state;
        self.session.is_heard() && matches!(state, ConnectionState::CatchingUp | ConnectionState::Live)
    }

    /// Sleep and quit wait until everything written before is on disk, unless the disk refuses.
    fn end_if_safe(&mut self, turn: &mut Turn) {
        let Some(ending) = &mut self.ending else { return };
        let last = if turn.draft.is_empty() {
            self.next_batch.0.saturating_sub(1)
        } else {
            self.next_batch.0
        };
        let after = *ending.after.get_or_insert(BatchId(last));
        if self.durable < after && !self.store_failure.is_on() {
            return;
        }
        let what = ending.what;
        self.ending = None;
        let said = match what {
            End::Sleep => self.session.acknowledge(),
            End::Quit => self.session.close(),
        };
        for output in said {
            if let dormouse_xmpp::Output::Frame(conn, text) = output {
                turn.out.push(Output::Frame { conn, text });
            }
        }
        self.chronicle.runs(turn.now, &mut turn.draft);
        // A closed stream has ended its session: the next start must not ask for it.
        self.session.save(&mut turn.draft);
        turn.out.push(match what {
            End::Sleep => Output::MaySleep,
            End::Quit => Output::MayQuit,
        });
    }

    pub(crate) fn effects(&mut self, turn: &mut Turn, effects: Vec<Effect>) -> Result<(), ReadError> {
        for effect in effects {
            match effect {
                Effect::Change(change) => {
                    if let Change::Message(message) = &change
                        && message.side == Side::Theirs
                    {
                        self.chronicle.message(message.id);
                    }
                    turn.change(change);
                }
                Effect::Send(message) if self.courtesies.len() < MOST_COURTESIES => {
                    self.courtesies.push(message);
                }
                Effect::Send(_) => {
                    let why = "A receipt is not sent: too many wait until everything missed has been read.";
                    self.note_of_others(turn, why.into());
                }
                Effect::Journal(text) => {
                    self.note_of_others(turn, text);
                }
                Effect::CaughtUp => {
                    if let Some(conn) = self.current
                        && self.fence != Some(conn)
                    {
                        self.link(turn, LinkInput::CaughtUp(conn))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes a line about what others did into the journal, unless it is flooded with them. Whether it was written.
    pub(crate) fn note_of_others(&mut self, turn: &mut Turn, text: String) -> bool {
        let lines = self.flood.line(turn.now.tick, text);
        let written = !lines.is_empty();
        for line in lines {
            self.note(turn, line);
        }
        written
    }

    /// Writes a line into the journal.
    pub(crate) fn note(&mut self, turn: &mut Turn, text: String) {
        let entry = self.journal.write(turn.now, text, &mut turn.draft);
        turn.out.push(Output::Journal(entry));
    }
}

fn learnt_idle() -> Key {
    Key::Learnt("idle".into())
}

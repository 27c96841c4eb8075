//! What outlives a connection: sessions with their counts and their unacknowledged stanzas (XEP-0198).

use super::stanza::{SM, delay, element, with};
use super::{Kind, LineId, Server};
use crate::disk::Aged;
use dormouse_model::{Jid, Tick};
use minidom::Element;
use std::collections::VecDeque;

/// `<r/>` as Dormouse writes it.
pub const HEARTBEAT: &str = "<r xmlns='urn:xmpp:sm:3'/>";

/// `<a/>` as Dormouse writes it, read without looking for anything else: after every group commit there is one.
pub(super) fn read_count(frame: &str) -> Option<Element> {
    let h = frame
        .strip_prefix("<a xmlns='urn:xmpp:sm:3' h='")?
        .strip_suffix("'/>")?;
    let is_number = !h.is_empty() && h.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| with("a", SM, &[("h", h)]))
}

/// A session's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionId(u64);

/// One client's session.
#[derive(Debug)]
pub(super) struct Session {
    pub account: usize,
    /// Whose it is, as the world numbers them.
    pub client: usize,
    pub resource: String,
    /// The connection it runs on; none while it hibernates.
    pub line: Option<LineId>,
    pub hibernated: Option<Tick>,
    pub management: Option<Management>,
    /// It has sent its presence: messages go to it.
    pub available: bool,
    pub carbons: bool,
    /// Its client has asked for it again, or said that it is over: it may begin another.
    pub let_off: bool,
    /// So many frames are taken for parts of one that was cut off with an earlier connection, and not read.
    pub swallows: u32,
    /// When it began: whoever sends something again on it can have read what the archive held then.
    pub begun: Tick,
}

/// Stream management of one session.
#[derive(Debug)]
pub(super) struct Management {
    /// The name by which it can be resumed.
    pub name: String,
    pub resumable: bool,
    /// Stanzas that came from the client.
    pub received: u32,
    /// Stanzas that went to the client, and how many of them it has told to have.
    pub sent: u32,
    pub acknowledged: u32,
    pub unacknowledged: VecDeque<Kept>,
}

/// A stanza that may have to be sent again.
#[derive(Debug)]
pub(super) struct Kept {
    stanza: Element,
    since: Tick,
}

impl Kept {
    /// With the time at which it was sent first.
    fn with_delay(&self, domain: &str, at: &str) -> Element {
        let mut stanza = self.stanza.clone();
        if stanza.name() == "message" && !stanza.has_child("delay", super::stanza::DELAY) {
            stanza.append_child(delay(domain, at));
        }
        stanza
    }
}

impl Management {
    /// From nothing.
    pub fn new(name: String, resumable: bool) -> Self {
        Self {
            name,
            resumable,
            received: 0,
            sent: 0,
            acknowledged: 0,
            unacknowledged: VecDeque::new(),
        }
    }
}

impl Server {
    pub(super) fn begin_session(&mut self, account: usize, resource: String, line: LineId) -> SessionId {
        let client = self.streams.get(&line).map_or(usize::MAX, |stream| stream.client);
        let id = SessionId(self.next_session);
        self.next_session += 1;
        let session = Session {
            account,
            client,
            resource,
            line: Some(line),
            hibernated: None,
            management: None,
            available: false,
            carbons: false,
            let_off: false,
            swallows: 0,
            begun: self.now,
        };
        self.sessions.insert(id, session);
        id
    }

    /// A client has asked for its session again, or closed it: whatever comes of that, it may begin another.
    pub fn let_off(&mut self, client: usize) {
        for session in self
            .sessions
            .values_mut()
            .filter(|session| session.client == client)
        {
            session.let_off = true;
        }
    }

    /// Whether a client begins another session although it knows of one that it could have asked for: what it has
    /// acknowledged is on its disk, and so is the session.
    pub(super) fn is_wasted(&self, client: usize) -> bool {
        self.sessions.values().any(|session| {
            let sm = session.management.as_ref();
            session.client == client
                && !session.let_off
                && sm.is_some_and(|sm| sm.resumable && sm.acknowledged > 0)
        })
    }

    /// The connection breaks in the middle of a frame: so many on the next are taken for the rest of it, as Prosody does.
    pub fn tear(&mut self, line: LineId, frames: u32) {
        if self.quirks.kind == Kind::Prosody
            && let Some(session) = self.session_on(line)
        {
            session.swallows = frames;
        }
    }

    /// Whether a frame is lost in one that was cut off before.
    pub(super) fn swallows(&mut self, line: LineId) -> bool {
        self.session_on(line)
            .is_some_and(|session| super::spend(&mut session.swallows))
    }

    fn session_on(&mut self, line: LineId) -> Option<&mut Session> {
        let id = self.streams.get(&line)?.session?;
        self.sessions.get_mut(&id)
    }

    /// The counters of a session grow, as in days of traffic; whether there is such a session.
    pub fn age(&mut self, aged: &Aged) -> bool {
        let named = |sm: &&mut Management| sm.name == aged.session;
        let all = self
            .sessions
            .values_mut()
            .filter_map(|session| session.management.as_mut());
        let Some(sm) = all.into_iter().find(named) else {
            return false;
        };
        sm.received = sm.received.wrapping_add(aged.up);
        sm.sent = sm.sent.wrapping_add(aged.down);
        sm.acknowledged = sm.acknowledged.wrapping_add(aged.down);
        true
    }

    /// Clients that are there and leave unacknowledged what was sent so long ago.
    pub fn silent_on(&self, before: Tick) -> Vec<(usize, usize)> {
        let there = self.sessions.values().filter(|session| session.line.is_some());
        there
            .filter_map(|session| {
                let waiting = &session.management.as_ref()?.unacknowledged;
                let old = waiting.iter().filter(|kept| kept.since < before).count();
                (old > 0).then_some((session.client, old))
            })
            .collect()
    }

    /// The connection is gone. What can be resumed waits, the rest ends.
    pub(super) fn hibernate(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.line = None;
        if session.management.as_ref().is_some_and(|sm| sm.resumable) {
            session.hibernated = Some(self.now);
        } else {
            self.end_session(id, true);
        }
    }

    /// A session ends. `deliver`: what it never told to have goes to another client, or waits for one
    /// (ejabberd, `resend_on_timeout: if_offline`); Prosody leaves it to the archive.
    pub(super) fn end_session(&mut self, id: SessionId, deliver: bool) {
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        if let Some(line) = session.line
            && let Some(stream) = self.streams.get_mut(&line)
        {
            stream.session = None;
        }
        if session.available {
            self.tell_presence(session.account, &session.resource, false);
        }
        let Some(sm) = session.management else { return };
        if self.quirks.kind == Kind::Prosody {
            self.remembered
                .insert(sm.name.clone(), (session.account, sm.received));
        }
        let alone = !self
            .sessions
            .values()
            .any(|other| other.account == session.account && other.available);
        // With an archive Prosody leaves it to that.
        let keeps = self.quirks.kind == Kind::Ejabberd || !self.quirks.archive;
        if deliver && alone && keeps {
            for kept in sm.unacknowledged {
                if kept.stanza.name() == "message" && kept.stanza.has_child("body", super::stanza::CLIENT) {
                    let stanza = self.as_resent(&kept);
                    self.accounts[session.account].offline.push(stanza);
                }
            }
        }
    }

    /// A stanza as it is sent after a resumption, or to another client.
    pub(super) fn as_resent(&self, kept: &Kept) -> Element {
        kept.with_delay(&self.domain, &self.quirks.stamp(self.stamp_at(kept.since)))
    }

    /// The client tells how many stanzas it has: never fewer than before, never more than were sent.
    pub(super) fn count(&mut self, id: SessionId, told: u32) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(sm) = &mut session.management else { return };
        let new = told.wrapping_sub(sm.acknowledged);
        if new > sm.sent.wrapping_sub(sm.acknowledged) {
            self.violations.push(format!(
                "h={told} where {} were acknowledged and {} sent",
                sm.acknowledged, sm.sent
            ));
            return;
        }
        sm.acknowledged = told;
        for _ in 0..new {
            let Some(kept) = sm.unacknowledged.pop_front() else {
                break;
            };
            let from = kept.stanza.attr("from").and_then(|from| Jid::new(from).ok());
            if super::routing::is_said(&kept.stanza)
                && let (Some(from), Some(name)) = (from, kept.stanza.attr("id"))
            {
                self.acknowledged
                    .insert((session.client, from.to_bare(), name.to_owned()));
            }
        }
    }

    /// Sends a stanza to a session, now or when it is resumed.
    pub(super) fn push(&mut self, id: SessionId, stanza: Element) {
        let asks = self.random.below(4) == 0;
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let line = session.line;
        let managed = session.management.is_some();
        if let Some(line) = line {
            self.send(line, &stanza);
            if managed && asks {
                self.send(line, &element("r", SM));
            }
        }
        let since = self.now;
        let management = self
            .sessions
            .get_mut(&id)
            .and_then(|session| session.management.as_mut());
        if let Some(sm) = management {
            sm.sent = sm.sent.wrapping_add(1);
            sm.unacknowledged.push_back(Kept { stanza, since });
        }
    }

    /// A stanza came: it counts, then it is handled.
    pub(super) fn stanza(&mut self, id: SessionId, stanza: &Element) {
        if let Some(sm) = self
            .sessions
            .get_mut(&id)
            .and_then(|session| session.management.as_mut())
        {
            sm.received = sm.received.wrapping_add(1);
        }
        match stanza.name() {
            "message" => self.message(id, stanza),
            "presence" => self.presence(id, stanza),
            _ => self.request(id, stanza),
        }
    }
}

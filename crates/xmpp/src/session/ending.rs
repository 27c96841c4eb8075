//! How a stream ends, and what becomes of its session: it may go on, or it is over, and what it held is carried into the report
//! of the next one.

use super::Session;
use super::stream_state::Phase;
use crate::{Event, Features, Output, open, verdict};
use dormouse_model::{ArchiveFailure, Closing, ConnId, Now, Verdict};
use std::time::Duration;

/// After this many attempts to resume that simply broke, the session is given up.
const SILENT_RESUMPTIONS: u8 = 2;

/// Receipts and markers that are said again at most. The servers that have lost them make as many as they like.
const MOST_COURTESIES: usize = 1000;

/// What is asked with a sign-in may be unanswered for so long without that saying anything of the server.
pub(super) const ANSWERED: Duration = Duration::from_secs(5);

impl Session {
    /// The socket of a connection closed. What to do about it; none if it was not the current one, or if
    /// the session itself had ended the stream.
    pub fn closed(&mut self, now: Now, conn: ConnId, closing: &Closing) -> Option<Verdict> {
        if self.conn() != Some(conn) {
            return None;
        }
        self.blame_flight(now);
        let stream = self.stream.take()?;
        let mut out = Vec::new();
        // What could not be read will come again on resumption, and again not be readable.
        let unreadable = matches!(closing, Closing::TooLarge | Closing::Malformed(_));
        let verdict = match stream.phase {
            Phase::Closing => None,
            _ if stream.resume_sent => {
                // A server that ends the connection has answered: Prosody refuses a count that way.
                // A connection that broke may never have carried the question.
                if matches!(closing, Closing::Broken(_)) {
                    self.resumption_broke(&mut out);
                } else {
                    self.lose(&mut out);
                }
                Some(verdict::closing(closing))
            }
            _ => {
                if unreadable && stream.holds_session() {
                    self.lose(&mut out);
                } else if stream.unheard && now.tick.since(stream.since) >= ANSWERED {
                    self.lose_deaf(&mut out);
                }
                Some(verdict::closing(closing))
            }
        };
        self.requests.forget_probes();
        self.owed.extend(out);
        verdict
    }

    /// This connection's socket is being dropped without closing the stream: its session can be resumed.
    pub fn give_up(&mut self, now: Now, conn: ConnId) {
        // Most often because the machine is about to sleep, or the network has changed: nobody has failed to answer yet.
        if let Some(stream) = &mut self.stream
            && stream.conn == conn
            && now.tick.since(stream.since) < ANSWERED
        {
            stream.ahead = false;
        }
        let _ = self.closed(now, conn, &Closing::Broken("given up".to_owned()));
    }

    /// The session is over: what it still held is carried into the report of the next one.
    pub(super) fn lose(&mut self, out: &mut Vec<Output>) {
        if let Some(managed) = self.managed.take() {
            let left = managed.over();
            self.carried.doubtful.extend(left.doubtful);
            self.stale.extend(left.stale);
            self.courtesies.extend(left.courtesies);
            let beyond = self.courtesies.len().saturating_sub(MOST_COURTESIES);
            self.courtesies.drain(..beyond);
        }
        let waiting = std::mem::take(&mut self.unmanaged).waiting;
        self.carried
            .doubtful
            .extend(waiting.into_iter().map(|(_, id)| id));
        self.requests.clear();
        for query in self.collector.abandon() {
            let failure = ArchiveFailure::SessionLost;
            out.push(Output::Event(Event::ArchiveFailed { query, failure }));
        }
        self.features = None;
        self.gathered = Features::default();
        self.roster_known = false;
        self.blocks_known = false;
        self.silent_resumptions = 0;
        self.changed = true;
    }

    /// The stream ends. If the server has not answered what it was sent before it had asked, that may be why.
    pub(super) fn blame_flight(&mut self, now: Now) {
        if let Some(stream) = &mut self.stream
            && std::mem::take(&mut stream.ahead)
        {
            self.one_flight.broke(now.stamp);
            self.pins_changed = true;
        }
    }

    pub(super) fn resumption_broke(&mut self, out: &mut Vec<Output>) {
        self.silent_resumptions = self.silent_resumptions.saturating_add(1);
        if self.silent_resumptions >= SILENT_RESUMPTIONS {
            self.lose(out);
        }
    }

    /// The server takes the session up again whenever it is asked to, and hears nothing on it.
    pub(super) fn lose_deaf(&mut self, out: &mut Vec<Output>) {
        Self::journal(
            out,
            "the server resumed the session and answered nothing on it: the session is given up",
        );
        self.lose(out);
    }

    /// Ends the stream from our side. A session that lives on it ends with it: a server keeps none whose stream
    /// was closed in order.
    pub(super) fn end(&mut self, verdict: Verdict, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        self.put(out, &open::close());
        if let Some(stream) = self.stream.take()
            && stream.holds_session()
        {
            self.lose(out);
        }
        out.push(Output::Event(Event::Ended { conn, verdict }));
        out.push(Output::Hangup(conn));
    }
}

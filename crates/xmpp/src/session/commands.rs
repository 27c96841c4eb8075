//! What the account asks of the session. Only while [`Session::is_ready`]: otherwise nothing is sent.

use super::Session;
use super::stream_state::Phase;
use crate::requests::Asked;
use crate::stream_management::Unacked;
use crate::{Event, Output, blocking, frame, message_out, open, ping, presence, roster};
use dormouse_model::{ArchiveFailure, ArchiveQuery, BareJid, Draft, MessageId, Outgoing, ProbeId};
use minidom::Element;

impl Session {
    /// Sends a request to the own account or server.
    pub(super) fn request_of(&mut self, out: &mut Vec<Output>, kind: &str, asked: Asked, payload: Element) {
        let iq = self.requests.ask(kind, asked, &mut self.random, payload);
        if self.transmit(out, &iq.done()) {
            self.request_ack_now(out);
        }
    }

    /// Sends a message. With a token its confirmation is asked for at once and reported as [`Event::Acked`],
    /// or, if the session ends before, in the next [`Event::Bound`] or [`Event::Resumed`].
    pub fn send(
        &mut self,
        message: &Outgoing,
        token: Option<MessageId>,
        draft: &mut Draft<'_>,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        if !self.is_ready() {
            // Handed over too early, it is not lost: its fate is reported like that of any other.
            if let Some(token) = token {
                self.carried.doubtful.push(token);
                self.changed = true;
                self.save(draft);
            }
            Self::journal(&mut out, "a message was handed over while there was no session");
            return out;
        }
        let Some(stanza) = frame::write(&message_out::write(message)) else {
            return out;
        };
        let unacked = Unacked {
            stanza,
            token,
            courtesy: matches!(message, Outgoing::Receipt { .. } | Outgoing::Displayed { .. }),
        };
        let due = self.transmit_counted(&mut out, unacked);
        if token.is_some() {
            out.extend(self.request_ack());
        } else if due {
            self.request_ack_now(&mut out);
        }
        self.save(draft);
        out
    }

    /// Says again what sessions that have ended were told as a courtesy and never confirmed: that messages have arrived here,
    /// and were displayed. Their senders would go on showing them as sent and no more. Who hears it twice learns nothing new.
    pub fn send_courtesies_again(&mut self, draft: &mut Draft<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        if self.courtesies.is_empty() || !self.is_ready() {
            return out;
        }
        for stanza in std::mem::take(&mut self.courtesies) {
            let unacked = Unacked {
                stanza,
                token: None,
                courtesy: true,
            };
            if self.transmit_counted(&mut out, unacked) {
                self.request_ack_now(&mut out);
            }
        }
        self.changed = true;
        self.save(draft);
        out
    }

    /// Asks the server to confirm what it has handled (`<r/>`, or a ping where there is no XEP-0198). The
    /// answer is an [`Event::Acked`].
    pub fn request_ack(&mut self) -> Vec<Output> {
        let mut out = Vec::new();
        if !self.is_ready() {
            return out;
        }
        if self.managed.is_some() {
            self.request_ack_now(&mut out);
        } else {
            let until = self.unmanaged.sent;
            self.request_of(&mut out, "get", Asked::Arrived(until), ping::ping());
        }
        out
    }

    /// Probes the link (XEP-0199). The answer is an [`Event::Pong`] with the same number.
    pub fn ping(&mut self, probe: ProbeId) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(conn) = self.conn().filter(|_| self.is_ready()) {
            let domain = self.account.domain().as_str().to_owned();
            let asked = Asked::Probe(conn, probe);
            let iq = self.requests.ask("get", asked, &mut self.random, ping::ping());
            if self.transmit(&mut out, &iq.attr("to", &domain).done()) {
                self.request_ack_now(&mut out);
            }
        }
        out
    }

    /// Confirms what is on disk, unasked: before the machine sleeps.
    pub fn acknowledge(&mut self) -> Vec<Output> {
        let mut out = Vec::new();
        if self.is_counting() {
            self.answer(&mut out);
        }
        out
    }

    /// Asks the own archive for a page. The answer is an [`Event::Page`] or [`Event::ArchiveFailed`].
    pub fn ask(&mut self, query: &ArchiveQuery, draft: &mut Draft<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        if self.is_ready() {
            let payload = self.collector.ask(query);
            self.request_of(&mut out, "set", Asked::Archive(query.id), payload);
            self.save(draft);
        } else {
            let failure = ArchiveFailure::SessionLost;
            out.push(Output::Event(Event::ArchiveFailed {
                query: query.id,
                failure,
            }));
        }
        out
    }

    /// Whether somebody is looking (XEP-0352). Remembered, and said again on each connection.
    pub fn active(&mut self, active: bool) -> Vec<Output> {
        let mut out = Vec::new();
        if self.active != active {
            self.active = active;
            self.tell_client_state(&mut out);
        }
        out
    }

    /// Sets a contact's name and groups, adding them to the roster if needed. The roster as it then is comes as an event.
    pub fn roster_set(&mut self, address: &BareJid, name: Option<&str>, groups: &[String]) -> Vec<Output> {
        self.request(Asked::Other, roster::set(address, name, groups))
    }

    /// Removes a contact, and with it what each sees of the other.
    pub fn roster_remove(&mut self, address: &BareJid) -> Vec<Output> {
        self.request(Asked::Other, roster::remove(address))
    }

    /// Whether the server can block people (XEP-0191); none while it is not known.
    pub fn can_block(&self) -> Option<bool> {
        self.features.as_ref().map(|features| features.blocking)
    }

    /// Hears nothing of somebody any more. That it is so comes as an [`Event::Blocked`], a refusal as an
    /// [`Event::BlockingRefused`].
    pub fn block(&mut self, address: &BareJid) -> Vec<Output> {
        self.request(Asked::Blocking, blocking::block(address))
    }

    /// Hears of somebody again.
    pub fn unblock(&mut self, address: &BareJid) -> Vec<Output> {
        self.request(Asked::Blocking, blocking::unblock(address))
    }

    /// Asks to see somebody's presence.
    pub fn subscribe(&mut self, address: &BareJid) -> Vec<Output> {
        self.tell(&presence::subscribe(address))
    }

    /// Lets somebody see our presence.
    pub fn approve(&mut self, address: &BareJid) -> Vec<Output> {
        self.tell(&presence::approve(address))
    }

    /// Does not let somebody see our presence, or no longer.
    pub fn deny(&mut self, address: &BareJid) -> Vec<Output> {
        self.tell(&presence::deny(address))
    }

    /// No longer wants to see somebody's presence.
    pub fn unsubscribe(&mut self, address: &BareJid) -> Vec<Output> {
        self.tell(&presence::unsubscribe(address))
    }

    /// Closes the stream in order, which ends the session: what it held is doubtful from now on.
    pub fn close(&mut self) -> Vec<Output> {
        let mut out = Vec::new();
        let Some(stream) = &self.stream else { return out };
        if stream.holds_session() {
            if matches!(stream.phase, Phase::Ready) {
                self.transmit(&mut out, &presence::unavailable());
            }
            self.lose(&mut out);
        }
        self.put(&mut out, &open::close());
        if let Some(stream) = &mut self.stream {
            stream.phase = Phase::Closing;
        }
        out
    }

    fn request(&mut self, asked: Asked, payload: Element) -> Vec<Output> {
        let mut out = Vec::new();
        if self.is_ready() {
            self.request_of(&mut out, "set", asked, payload);
        }
        out
    }

    fn tell(&mut self, stanza: &Element) -> Vec<Output> {
        let mut out = Vec::new();
        if self.is_ready() && self.transmit(&mut out, stanza) {
            self.request_ack_now(&mut out);
        }
        out
    }
}

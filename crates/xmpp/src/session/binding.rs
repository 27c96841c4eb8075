//! From signed in to a session: the old one resumed, or a new one bound.
//!
//! A resumption always comes before binding: a bind would destroy the session that was to be resumed. Whatever goes
//! wrong after `<resume/>` discards that session; the same one is not tried twice. Both may be answered inside the
//! sign-in (XEP-0388), or asked for one after the other (XEP-0198, RFC 6120 section 7).

use super::stream_state::Phase;
use super::{Session, stream_management};
use crate::requests::Asked;
use crate::stream::StreamFeatures;
use crate::stream_management::Managed;
use crate::xml::draft;
use crate::{Event, Output, bind, bind2, carbons, csi, disco, mam_prefs, presence, roster, sasl2};
use dormouse_model::{Action, Cause, MessageId, Verdict};
use minidom::Element;

const OLD_SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";

impl Session {
    /// The features of a signed-in client. What was asked for before them is answered next.
    pub(super) fn features_again(&mut self, offer: StreamFeatures, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        stream.offer = offer;
        if stream.resume_sent {
            stream.phase = Phase::Resuming;
        } else if stream.address.is_empty() {
            self.resume_or_bind(out);
        } else {
            self.open_session(out);
        }
    }

    /// They come by themselves behind a sign-in that has done everything (XEP-0388 section 2.6.1).
    pub(super) fn features_late(&mut self, offer: StreamFeatures, out: &mut Vec<Output>) {
        self.gathered.max_stanza = offer.max_stanza;
        if let Some(stream) = &mut self.stream {
            stream.offer = offer;
        }
        self.tell_client_state(out);
    }

    /// What the server says, inside its `<success/>`, to what was asked for inside the sign-in.
    pub(super) fn answered_inline(&mut self, success: &Element, out: &mut Vec<Output>) {
        if let Some(resumed) = success.get_child("resumed", stream_management::NS) {
            return self.resuming(resumed, out);
        }
        if let Some(failed) = success.get_child("failed", stream_management::NS) {
            self.resumption_refused(failed, out);
        }
        let Some(stream) = &mut self.stream else { return };
        stream.resume_sent = false;
        let Some(bound) = bind2::bound(success) else {
            stream.phase = Phase::FeaturesAgain;
            return;
        };
        let identity = sasl2::identity(success).unwrap_or_default();
        let Some(address) = bind2::address(&identity, &self.account) else {
            return self.violation("an address that is not ours", out);
        };
        self.lose(out);
        let Some(stream) = &mut self.stream else { return };
        stream.address = address.as_str().to_owned();
        let Some(enabled) = bound.get_child("enabled", stream_management::NS) else {
            stream.phase = Phase::FeaturesAgain;
            return;
        };
        let offered = stream.offer.sasl2.as_ref().and_then(|offer| offer.bind.as_ref());
        let carbons = offered.is_some_and(|features| features.iter().any(|feature| feature == carbons::NS));
        self.managed = Some(Managed::enabled(enabled, stream.address.clone(), Vec::new()));
        stream.phase = Phase::Ready;
        self.appear(!carbons, out);
        self.bound(out);
        self.request_ack_now(out);
    }

    fn resume_or_bind(&mut self, out: &mut Vec<Output>) {
        let offered = self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.offer.stream_management);
        let resume = self
            .managed
            .as_mut()
            .filter(|_| offered)
            .and_then(Managed::resume);
        match resume {
            Some(resume) => {
                if let Some(stream) = &mut self.stream {
                    stream.resume_sent = true;
                    stream.phase = Phase::Resuming;
                }
                self.put(out, &resume);
            }
            None => self.bind(out),
        }
    }

    pub(super) fn resuming(&mut self, element: &Element, out: &mut Vec<Output>) {
        let h = stream_management::h(element);
        if element.is("resumed", stream_management::NS) {
            let Some(managed) = &mut self.managed else { return };
            match h.map(|h| managed.resumed(h)) {
                Some(Ok(acked)) => self.resumed(acked, out),
                _ => self.count_too_high(out),
            }
        } else if element.is("failed", stream_management::NS) {
            self.resumption_refused(element, out);
            self.bind(out);
        } else {
            Self::journal(out, "ignored an unexpected element while resuming");
        }
    }

    /// The earlier session is gone. What the server says about our messages it says once.
    fn resumption_refused(&mut self, failed: &Element, out: &mut Vec<Output>) {
        if let (Some(managed), Some(h)) = (&mut self.managed, stream_management::h(failed)) {
            match managed.resumed(h) {
                Ok(acked) => self.carried.acked.extend(acked),
                Err(_) => Self::journal(out, "the lost session's count can't be right: not believed"),
            }
        }
        Self::journal(out, "the earlier session is gone");
        self.resumption_answered();
        self.lose(out);
    }

    fn resumption_answered(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        stream.resume_sent = false;
        if std::mem::take(&mut stream.ahead) {
            self.pins_changed |= self.one_flight.answered();
        }
    }

    fn resumed(&mut self, acked: Vec<MessageId>, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        self.resumption_answered();
        self.silent_resumptions = 0;
        if let Some(stream) = &mut self.stream {
            (stream.resumed, stream.unheard) = (true, true);
        }
        let mut all = std::mem::take(&mut self.carried.acked);
        all.extend(acked);
        self.enter(Phase::Ready);
        self.request_ack_now(out);
        out.push(Output::Event(Event::Resumed { conn, acked: all }));
        if let Some(managed) = &self.managed {
            // Ids are unique and of letters and digits: each stands in its own request as it is.
            self.requests
                .resumed(|id| managed.queue().any(|unacked| unacked.stanza.contains(id)));
        }
        if let Some(features) = &self.features {
            out.push(Output::Event(Event::Features(features.clone())));
            self.ask_block_list(out);
        } else {
            self.ask_features(out);
        }
        if self.settings.appears && !self.roster_known && !self.requests.awaits(Asked::Roster) {
            self.request_of(out, "get", Asked::Roster, roster::get(None));
        }
    }

    /// The server has answered what it was asked behind the resumption, and counted up to the answer. What is still
    /// not handled goes out now.
    ///
    /// Sooner it could be lost for good. Prosody (0.12 and 13.0) reads the frames of a resumed session behind what the
    /// old connection left of one that was cut off: some it swallows, until it happens on the beginning of one again,
    /// and what it counts from there on we would take for what it has swallowed. And ejabberd (23.01) still handles what
    /// came on the old connection when it has said, on the new one, what it has handled: that would be sent twice.
    pub(super) fn heard(&mut self, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        if !std::mem::take(&mut stream.unheard) {
            return;
        }
        let conn = stream.conn;
        self.tell_client_state(out);
        let queue = || self.managed.iter().flat_map(Managed::queue);
        let Some(bytes) = queue().map(|unacked| unacked.stanza.len()).max() else {
            return;
        };
        out.extend(queue().map(|unacked| Output::Frame(conn, unacked.stanza.clone())));
        self.request_ack_now(out);
        out.push(Output::Event(Event::SentAgain { conn, bytes }));
    }

    fn bind(&mut self, out: &mut Vec<Output>) {
        self.lose(out);
        self.enter(Phase::Binding);
        let payload = bind::bind(&self.pins.resource);
        self.request_of(out, "set", Asked::Bind, payload);
    }

    /// The answer to [`Asked::Bind`].
    pub(super) fn bind_answered(&mut self, iq: &Element, out: &mut Vec<Output>) {
        if iq.attr("type") != Some("result") {
            let error = iq.get_child("error", crate::addressing::CLIENT);
            let condition = error.and_then(crate::message::condition).unwrap_or_default();
            let Some(stream) = &mut self.stream else { return };
            if condition == "conflict" && !stream.rebound {
                stream.rebound = true;
                self.new_resource();
                return self.bind(out);
            }
            let cause = Cause::ServerTrouble {
                what: format!("no resource: {condition}"),
            };
            return self.end(Verdict::new(Action::RetrySlowly, cause), out);
        }
        let Some(address) = bind::bound(iq, &self.account) else {
            return self.violation("an address that is not ours", out);
        };
        if let Some(stream) = &mut self.stream {
            stream.address = address.as_str().to_owned();
        }
        self.open_session(out);
    }

    /// A resource is bound, and the features of the stream are known.
    fn open_session(&mut self, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let (manages, insists) = (stream.offer.stream_management, stream.offer.session);
        self.gathered.max_stanza = stream.offer.max_stanza;
        stream.phase = if manages {
            Phase::Enabling(Vec::new())
        } else {
            Phase::Ready
        };
        if manages {
            self.put(out, &stream_management::enable());
        }
        if insists {
            self.request_of(out, "set", Asked::Other, draft("session", OLD_SESSION).done());
        }
        // Until stream management is enabled nothing else can be asked: all this costs no time.
        self.appear(true, out);
        self.ask_features(out);
        if !manages {
            self.bound(out);
        }
    }

    /// What a new session begins with. What presence brings is judged by what the account says of itself (ids of the
    /// archive are believed or not) and tells of nobody outside the roster (RFC 6121 section 2.2): both are asked before
    /// it. Carbons and presence come before the archive can be asked: what arrives in between would be in neither; and
    /// Prosody keeps back from whoever asks earlier what it stored for an offline user, be it in the archive or not.
    fn appear(&mut self, carbons: bool, out: &mut Vec<Output>) {
        if !self.settings.appears {
            return;
        }
        if carbons {
            self.request_of(out, "set", Asked::Carbons, carbons::enable());
        }
        self.ask_about(&[Asked::AccountInfo], out);
        self.request_of(out, "get", Asked::Roster, roster::get(None));
        self.transmit(out, &presence::available());
        self.tell_client_state(out);
    }

    /// Asks what the server can do, unless that is known of this session or asked already. Called with
    /// [`Event::Bound`], behind the first question to the archive: the answers are long, and the newest messages are
    /// waited for.
    pub fn introduce(&mut self) -> Vec<Output> {
        let mut out = Vec::new();
        if self.is_ready() && self.features.is_none() {
            self.ask_features(&mut out);
        }
        out
    }

    fn ask_features(&mut self, out: &mut Vec<Output>) {
        let all = [Asked::AccountInfo, Asked::ServerInfo, Asked::ArchivePreferences];
        self.ask_about(&all, out);
    }

    fn ask_about(&mut self, wanted: &[Asked], out: &mut Vec<Output>) {
        for asked in wanted.iter().copied() {
            if self.requests.awaits(asked) {
                continue;
            }
            let (to, payload) = match asked {
                Asked::AccountInfo => (Some(self.account.as_str().to_owned()), disco::query()),
                Asked::ServerInfo => (Some(self.account.domain().as_str().to_owned()), disco::query()),
                _ => (None, mam_prefs::query()),
            };
            let iq = self.requests.ask("get", asked, &mut self.random, payload);
            self.transmit(out, &iq.attr_opt("to", to.as_deref()).done());
        }
    }

    /// The answer to `<enable/>`.
    pub(super) fn enabling(&mut self, element: &Element, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let Phase::Enabling(behind) = &mut stream.phase else {
            return;
        };
        if element.is("enabled", stream_management::NS) {
            let sent = std::mem::take(behind);
            self.managed = Some(Managed::enabled(element, stream.address.clone(), sent));
        } else if element.is("failed", stream_management::NS) {
            Self::journal(out, "the server refused stream management");
        } else {
            return Self::journal(
                out,
                "ignored an unexpected element while enabling stream management",
            );
        }
        self.enter(Phase::Ready);
        self.bound(out);
        if self.managed.is_some() {
            self.request_ack_now(out);
        }
    }

    fn bound(&mut self, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        let carried = std::mem::take(&mut self.carried);
        self.changed = true;
        let resumable = self
            .managed
            .as_ref()
            .is_some_and(|managed| managed.resumption_id().is_some());
        out.push(Output::Event(Event::Bound {
            conn,
            acked: carried.acked,
            doubtful: carried.doubtful,
            resumable,
        }));
    }

    /// Client state is not kept by a resumption.
    pub(super) fn tell_client_state(&mut self, out: &mut Vec<Output>) {
        let offered = self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.offer.client_state);
        if offered && self.is_bound() && !self.is_unheard() {
            self.put(out, &csi::state(self.active));
        }
    }
}

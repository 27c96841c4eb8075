//! From the open socket to a session: sign-in, resumption, binding.
//!
//! Read top to bottom, as the stream walks. A resumption always comes before binding: a bind would destroy
//! the session that was to be resumed. Whatever goes wrong after `<resume/>` discards that session; the same
//! one is not tried twice.

use super::stream_state::Phase;
use super::{Session, stream_management};
use crate::requests::Asked;
use crate::sasl::{self, Answer, Mechanism, SignIn};
use crate::scram::{Exchange, Failure};
use crate::stream::{StreamError, StreamFeatures};
use crate::stream_management::Managed;
use crate::xml::draft;
use crate::{Event, Output, bind, carbons, csi, disco, frame, mam_prefs, open, presence, roster, verdict};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use dormouse_model::{Action, Cause, MessageId, Now, Verdict};
use minidom::Element;

const OLD_SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";

impl Session {
    /// One element from the server, on the current stream.
    pub(super) fn element(&mut self, now: Now, element: &Element, out: &mut Vec<Output>) {
        if let Some(error) = StreamError::read(element) {
            return self.stream_error(&error, out);
        }
        if let Some(close) = open::read_close(element) {
            return self.server_closed(close.see_other.as_deref(), out);
        }
        let Some(stream) = &mut self.stream else { return };
        match &mut stream.phase {
            Phase::Opening | Phase::Reopening => self.opened(element, out),
            Phase::Features => match StreamFeatures::read(element) {
                Some(offer) => {
                    stream.offer = offer;
                    self.authenticate(out);
                }
                None => self.violation("no features", out),
            },
            Phase::Authenticating(_) => self.authenticating(element, out),
            Phase::FeaturesAgain => match StreamFeatures::read(element) {
                Some(offer) => {
                    stream.offer = offer;
                    self.resume_or_bind(out);
                }
                None => self.violation("no features", out),
            },
            Phase::Resuming => self.resuming(element, out),
            Phase::Binding | Phase::Ready if frame::is_stanza(element) => self.stanza(now, element, out),
            Phase::Enabling(_) if frame::is_stanza(element) => self.stanza(now, element, out),
            Phase::Enabling(_) if element.has_ns(stream_management::NS) => self.enabling(element, out),
            Phase::Ready if element.has_ns(stream_management::NS) => self.management(element, out),
            Phase::Closing => {}
            phase => {
                let name = phase.name();
                Self::journal(out, format!("ignored an unexpected element while {name}"));
            }
        }
    }

    fn enter(&mut self, phase: Phase) {
        if let Some(stream) = &mut self.stream {
            stream.phase = phase;
        }
    }

    fn opened(&mut self, element: &Element, out: &mut Vec<Output>) {
        if !open::is_open(element) {
            return self.violation("no stream", out);
        }
        if !open::speaks_our_version(element) {
            return self.violation("another version of XMPP", out);
        }
        let again = matches!(
            self.stream.as_ref().map(|stream| &stream.phase),
            Some(Phase::Reopening)
        );
        self.enter(if again {
            Phase::FeaturesAgain
        } else {
            Phase::Features
        });
    }

    fn authenticate(&mut self, out: &mut Vec<Output>) {
        let Some(stream) = &self.stream else { return };
        let mechanism = match sasl::choose(&stream.offer, &stream.channel, &self.pins, stream.without_binding)
        {
            Ok(mechanism) => mechanism,
            Err(cause) => return self.refuse(cause, out),
        };
        let user = self
            .account
            .node()
            .map(|node| node.as_str().to_owned())
            .unwrap_or_default();
        let Some(credentials) = &stream.credentials else {
            return;
        };
        let (initial, sign_in) = match mechanism {
            Mechanism::Scram(hash, binding) => {
                let nonce = STANDARD_NO_PAD.encode(self.random.bytes::<24>());
                match Exchange::new(hash, binding, &user, credentials, nonce) {
                    Ok(exchange) => (
                        exchange.first().into(),
                        SignIn::Scram(Box::new(exchange), mechanism),
                    ),
                    // What SASLprep forbids can't have been set as a password anywhere.
                    Err(_) => return self.end(Verdict::new(Action::Stop, Cause::WrongPassword), out),
                }
            }
            Mechanism::Plain => (sasl::plain(&user, credentials), SignIn::Plain),
        };
        let auth = sasl::auth(mechanism, &initial);
        Self::journal(out, format!("signing in with {}", mechanism.name()));
        self.put(out, &auth);
        self.enter(Phase::Authenticating(sign_in));
    }

    /// We won't sign in here. A wrong address shows itself before the account has ever worked.
    fn refuse(&mut self, cause: Cause, out: &mut Vec<Output>) {
        let stop = cause == Cause::NoSafeMechanism && !self.pins.worked;
        self.end(
            Verdict::new(if stop { Action::Stop } else { Action::RetrySlowly }, cause),
            out,
        );
    }

    fn authenticating(&mut self, element: &Element, out: &mut Vec<Output>) {
        let answer = match sasl::read(element) {
            Some(Ok(answer)) => answer,
            Some(Err(what)) => return self.violation(what, out),
            None => return self.violation("something else during sign-in", out),
        };
        let Some(stream) = &mut self.stream else { return };
        let Phase::Authenticating(sign_in) = &mut stream.phase else {
            return;
        };
        match (answer, sign_in) {
            (Answer::Challenge(data), SignIn::Scram(exchange, _)) => {
                let step = if exchange.has_proved() {
                    // Some servers send their signature as a challenge of its own.
                    exchange.verify(&data).map(|()| String::new())
                } else {
                    exchange.prove(&data, self.settings.max_iterations, &mut self.stretched)
                };
                match step {
                    Ok(response) => self.put(out, &sasl::response(&response)),
                    Err(failure) => self.scram_failed(failure, out),
                }
            }
            (Answer::Challenge(_), SignIn::Plain) => self.violation("a challenge to PLAIN", out),
            (Answer::Success(data), SignIn::Scram(exchange, mechanism)) => {
                let mechanism = *mechanism;
                let proven = if exchange.is_verified() {
                    Ok(())
                } else {
                    exchange.verify(&data)
                };
                match proven {
                    Ok(()) => self.signed_in(mechanism, out),
                    Err(failure) => self.scram_failed(failure, out),
                }
            }
            (Answer::Success(_), SignIn::Plain) => self.signed_in(Mechanism::Plain, out),
            (Answer::Failure { condition, text }, sign_in) => {
                let bound = matches!(sign_in, SignIn::Scram(_, mechanism) if mechanism.binds());
                // Where a proxy terminates TLS, both sides see different connections. Only an account that has
                // never been bound may do without; on the same stream, the password has not been said.
                if bound && condition == "not-authorized" && !self.pins.channel_binding {
                    stream.without_binding = true;
                    Self::journal(out, "channel binding was refused: signing in without it");
                    return self.authenticate(out);
                }
                Self::journal(
                    out,
                    format!("sign-in refused: {}", crate::xml::excerpt(&condition, 60)),
                );
                let verdict = verdict::sasl(&condition, text, self.judged());
                self.end(verdict, out);
            }
        }
    }

    fn scram_failed(&mut self, failure: Failure, out: &mut Vec<Output>) {
        match failure {
            Failure::NotGenuine(what) => {
                Self::journal(out, format!("sign-in given up: {what}"));
                self.refuse(Cause::ServerNotGenuine, out);
            }
            Failure::Refused(error) => {
                let verdict = match error.as_str() {
                    // It could bind, and its offer did not reach us.
                    "server-does-support-channel-binding" => {
                        Verdict::new(Action::RetrySlowly, Cause::ServerNotGenuine)
                    }
                    "invalid-proof" | "unknown-user" => verdict::sasl("not-authorized", None, self.judged()),
                    other => verdict::sasl(other, None, self.judged()),
                };
                self.end(verdict, out);
            }
            Failure::Password => self.end(Verdict::new(Action::Stop, Cause::WrongPassword), out),
        }
    }

    fn signed_in(&mut self, mechanism: Mechanism, out: &mut Vec<Output>) {
        self.pins.worked = true;
        self.pins.scram |= mechanism != Mechanism::Plain;
        self.pins.channel_binding |= mechanism.binds();
        self.pins_changed = true;
        if let Some(stream) = &mut self.stream {
            stream.credentials = None;
        }
        self.enter(Phase::Reopening);
        self.put(out, &open::open(self.account.domain().as_str()));
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
                self.enter(Phase::Resuming);
                self.put(out, &resume);
            }
            None => self.bind(out),
        }
    }

    fn resuming(&mut self, element: &Element, out: &mut Vec<Output>) {
        let h = stream_management::h(element);
        if element.is("resumed", stream_management::NS) {
            let Some(managed) = &mut self.managed else { return };
            match h.map(|h| managed.resumed(h)) {
                Some(Ok(acked)) => self.resumed(acked, out),
                _ => self.count_too_high(out),
            }
        } else if element.is("failed", stream_management::NS) {
            // What it says about our messages it says once.
            if let (Some(managed), Some(h)) = (&mut self.managed, h) {
                match managed.resumed(h) {
                    Ok(acked) => self.carried.acked.extend(acked),
                    Err(_) => Self::journal(out, "the lost session's count can't be right: not believed"),
                }
            }
            Self::journal(out, "the earlier session is gone");
            self.bind(out);
        } else {
            Self::journal(out, "ignored an unexpected element while resuming");
        }
    }

    fn resumed(&mut self, acked: Vec<MessageId>, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        self.silent_resumptions = 0;
        let mut all = std::mem::take(&mut self.carried.acked);
        all.extend(acked);
        self.enter(Phase::Ready);
        out.push(Output::Event(Event::Resumed { conn, acked: all }));
        if let Some(managed) = &self.managed {
            out.extend(
                managed
                    .queue()
                    .map(|unacked| Output::Frame(conn, unacked.stanza.clone())),
            );
            if !managed.is_idle() {
                self.request_ack_now(out);
            }
        }
        self.tell_client_state(out);
        if let Some(features) = &self.features {
            out.push(Output::Event(Event::Features(features.clone())));
            self.ask_block_list(out);
        } else {
            self.ask_features(out);
        }
        if !self.roster_known && !self.requests.awaits(Asked::Roster) {
            self.request_of(out, "get", Asked::Roster, roster::get(None));
        }
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
        let Some(stream) = &mut self.stream else { return };
        stream.address = address.as_str().to_owned();
        let (manages, insists) = (stream.offer.stream_management, stream.offer.session);
        self.gathered.max_stanza = stream.offer.max_stanza;
        self.enter(if manages {
            Phase::Enabling(Vec::new())
        } else {
            Phase::Ready
        });
        if manages {
            self.put(out, &stream_management::enable());
        }
        // All in one flight. Carbons and presence come before the archive can be asked: what arrives
        // in between would be in neither.
        if insists {
            self.request_of(out, "set", Asked::Other, draft("session", OLD_SESSION).done());
        }
        self.request_of(out, "set", Asked::Carbons, carbons::enable());
        self.ask_features(out);
        self.request_of(out, "get", Asked::Roster, roster::get(None));
        self.transmit_element(out, &presence::available(), None);
        self.tell_client_state(out);
        if !manages {
            self.bound(out);
        }
    }

    fn ask_features(&mut self, out: &mut Vec<Output>) {
        let domain = self.account.domain().as_str().to_owned();
        let account = self.account.as_str().to_owned();
        for (asked, to, payload) in [
            (Asked::ServerInfo, Some(domain), disco::query()),
            (Asked::AccountInfo, Some(account), disco::query()),
            (Asked::ArchivePreferences, None, mam_prefs::query()),
        ] {
            if !self.requests.awaits(asked) {
                let iq = self.requests.ask("get", asked, &mut self.random, payload);
                self.transmit(out, iq.attr_opt("to", to.as_deref()), None);
            }
        }
    }

    /// The answer to `<enable/>`.
    fn enabling(&mut self, element: &Element, out: &mut Vec<Output>) {
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

    /// `<r/>` and `<a/>`.
    fn management(&mut self, element: &Element, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        match (element.name(), &mut self.managed) {
            ("r", Some(_)) => self.answer(out),
            ("a", Some(managed)) => match stream_management::h(element).map(|h| managed.confirmed(h)) {
                Some(Ok(messages)) => {
                    let all = managed.all_confirmed();
                    out.push(Output::Event(Event::Acked { conn, messages, all }));
                }
                Some(Err(_)) => self.count_too_high(out),
                None => Self::journal(out, "ignored an acknowledgement without a count"),
            },
            _ => Self::journal(out, "ignored an unexpected element of stream management"),
        }
    }

    /// XEP-0198 section 4: one of us has lost count, and nothing that is said from here on can be trusted.
    fn count_too_high(&mut self, out: &mut Vec<Output>) {
        let cause = Cause::ProtocolViolation("it confirms more than was sent".to_owned());
        self.end(Verdict::new(Action::RetryPlainly, cause), out);
    }

    fn stream_error(&mut self, error: &StreamError, out: &mut Vec<Output>) {
        Self::journal(
            out,
            format!("stream error: {}", crate::xml::excerpt(&error.condition, 60)),
        );
        let verdict = verdict::stream_error(error, self.judged());
        // The session may still be there after a shutdown or a reset, and if not, its count may be. It is
        // not if another took it over, and must not if what we sent in it can't be read.
        let gone = match self.stream.as_ref().map(|stream| &stream.phase) {
            Some(Phase::Resuming) => true,
            Some(phase) if phase.holds_session() => {
                verdict.action == Action::NewResource || verdict::blames_what_we_sent(&error.condition)
            }
            _ => false,
        };
        self.server_ended(verdict, gone, out);
    }

    fn server_closed(&mut self, see_other: Option<&str>, out: &mut Vec<Output>) {
        let Some(stream) = &self.stream else { return };
        if matches!(stream.phase, Phase::Closing) {
            out.push(Output::Hangup(stream.conn));
            self.stream = None;
            return;
        }
        let gone = matches!(stream.phase, Phase::Resuming);
        self.server_ended(verdict::stream_closed(see_other), gone, out);
    }

    /// The server ended the stream; `gone` if the session went with it.
    fn server_ended(&mut self, verdict: Verdict, gone: bool, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        self.put(out, &open::close());
        if gone {
            self.lose(out);
        }
        if verdict.action == Action::NewResource {
            self.new_resource();
        }
        self.stream = None;
        self.requests.forget_probes();
        out.push(Output::Event(Event::Ended { conn, verdict }));
        out.push(Output::Hangup(conn));
    }

    /// The server broke the protocol (RFC 7395 section 3.4: the stream is closed).
    pub(super) fn violation(&mut self, what: &str, out: &mut Vec<Output>) {
        let cause = Cause::ProtocolViolation(what.to_owned());
        self.end(Verdict::new(Action::RetrySlowly, cause), out);
    }

    /// Client state is not kept by a resumption.
    pub(super) fn tell_client_state(&mut self, out: &mut Vec<Output>) {
        let offered = self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.offer.client_state);
        if offered && self.is_bound() {
            self.put(out, &csi::state(self.active));
        }
    }
}

//! A stream from its opening to its end: what the server says, to whoever waits for it in this phase
//! ([`super::sign_in`], [`super::binding`], [`super::stanzas`]).

use super::stream_state::Phase;
use super::{Session, stream_management};
use crate::stream::{StreamError, StreamFeatures};
use crate::{Event, Output, frame, open, verdict};
use dormouse_model::{Action, Cause, Now, Verdict};
use minidom::Element;

impl Session {
    /// One element from the server, on the current stream.
    pub(super) fn element(&mut self, now: Now, element: &Element, out: &mut Vec<Output>) {
        if let Some(error) = StreamError::read(element) {
            return self.stream_error(now, &error, out);
        }
        if let Some(close) = open::read_close(element) {
            return self.server_closed(now, close.see_other.as_deref(), out);
        }
        let Some(stream) = &mut self.stream else { return };
        match &mut stream.phase {
            Phase::Opening | Phase::Reopening => self.opened(element, out),
            Phase::Features => match StreamFeatures::read(element) {
                Some(offer) => {
                    stream.offer = offer;
                    if stream.attempt.is_some() {
                        stream.phase = Phase::Authenticating;
                    } else {
                        self.authenticate(now, out);
                    }
                }
                None => self.violation("no features", out),
            },
            Phase::Authenticating => self.authenticating(now, element, out),
            Phase::FeaturesAgain => match StreamFeatures::read(element) {
                Some(offer) => self.features_again(offer, out),
                None => self.violation("no features", out),
            },
            Phase::Resuming => self.resuming(element, out),
            Phase::Binding | Phase::Enabling(_) | Phase::Ready if frame::is_stanza(element) => {
                self.stanza(element, out);
            }
            Phase::Enabling(_) if element.has_ns(stream_management::NS) => self.enabling(element, out),
            Phase::Ready if element.has_ns(stream_management::NS) => self.management(element, out),
            Phase::Ready if StreamFeatures::is(element) => {
                if let Some(offer) = StreamFeatures::read(element) {
                    self.features_late(offer, out);
                }
            }
            Phase::Closing => {}
            phase => {
                let name = phase.name();
                Self::journal(out, format!("ignored an unexpected element while {name}"));
            }
        }
    }

    pub(super) fn enter(&mut self, phase: Phase) {
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

    /// `<r/>` and `<a/>`.
    fn management(&mut self, element: &Element, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        match (element.name(), &mut self.managed) {
            ("r", Some(_)) => self.answer(out),
            ("a", Some(managed)) => match stream_management::h(element).map(|h| managed.confirmed(h)) {
                Some(Ok(messages)) => {
                    let all = managed.all_confirmed();
                    out.push(Output::Event(Event::Acked { conn, messages, all }));
                    self.heard(out);
                }
                Some(Err(_)) => self.count_too_high(out),
                None => Self::journal(out, "ignored an acknowledgement without a count"),
            },
            _ => Self::journal(out, "ignored an unexpected element of stream management"),
        }
    }

    /// XEP-0198 section 4: one of us has lost count, and nothing that is said from here on can be trusted.
    pub(super) fn count_too_high(&mut self, out: &mut Vec<Output>) {
        let cause = Cause::ProtocolViolation("it confirms more than was sent".to_owned());
        self.end(Verdict::new(Action::RetryPlainly, cause), out);
    }

    fn stream_error(&mut self, now: Now, error: &StreamError, out: &mut Vec<Output>) {
        Self::journal(
            out,
            format!("stream error: {}", crate::xml::excerpt(&error.condition, 60)),
        );
        let mut verdict = verdict::stream_error(error, self.judged());
        // Prosody (0.12 and 13.0) reads a resumed session's frames behind what the old connection left of one that it cut
        // off: nothing is wrong but that session.
        // Nor behind a resumption that came along with the proof and was refused.
        let goes_anew = self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.resumed || stream.reopened_with_proof);
        if goes_anew && error.condition == "not-well-formed" {
            verdict.action = Action::RetryPlainly;
        }
        // What is wrong with it may be no more than that it came before it was asked for.
        if let Some(stream) = &mut self.stream
            && verdict::blames_what_we_sent(&error.condition)
            && std::mem::take(&mut stream.ahead)
        {
            self.one_flight.refused(now.stamp);
            self.pins_changed = true;
            verdict.action = Action::RetryPlainly;
        }
        // The session may still be there after a shutdown or a reset, and if not, its count may be. It is
        // not if another took it over, and must not if what we sent in it can't be read.
        let gone = match &self.stream {
            Some(stream) if stream.resume_sent => true,
            Some(stream) if stream.holds_session() => {
                verdict.action == Action::NewResource || verdict::blames_what_we_sent(&error.condition)
            }
            _ => false,
        };
        self.server_ended(now, verdict, gone, out);
    }

    fn server_closed(&mut self, now: Now, see_other: Option<&str>, out: &mut Vec<Output>) {
        let Some(stream) = &self.stream else { return };
        if matches!(stream.phase, Phase::Closing) {
            out.push(Output::Hangup(stream.conn));
            self.stream = None;
            return;
        }
        let gone = stream.resume_sent;
        self.server_ended(now, verdict::stream_closed(see_other), gone, out);
    }

    /// The server ended the stream; `gone` if the session went with it.
    fn server_ended(&mut self, now: Now, verdict: Verdict, gone: bool, out: &mut Vec<Output>) {
        let Some(conn) = self.conn() else { return };
        self.put(out, &open::close());
        if gone {
            self.lose(out);
        }
        if verdict.action == Action::NewResource {
            self.new_resource();
        }
        self.blame_flight(now);
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
}

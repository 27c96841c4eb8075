//! Proving who we are: with a token, with SCRAM, or with the password itself where nothing better was ever had; in
//! SASL2's one exchange where the server can, step by step otherwise; and ahead of the server's offer where that
//! has been known to work.
//!
//! What was sent ahead is only a guess. If the server refuses it, the same is tried step by step, by what it really
//! offers, before anything is called a wrong password. A refused token costs nothing but the time: the password follows.

use super::Session;
use super::stream_state::Phase;
use crate::fast::{self, TokenExchange};
use crate::sasl::{self, Answer, Mechanism, SignIn};
use crate::scram::{Exchange, Failure};
use crate::stream_management::Managed;
use crate::{Event, Output, bind2, carbons, open, sasl2, verdict};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use dormouse_model::{Action, Cause, Now, Verdict};
use minidom::Element;
use zeroize::Zeroizing;

/// What others see of this client in the resource that the server makes (XEP-0386 section 4.1).
const TAG: &str = "Dormouse";

/// Which form the exchange has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// RFC 6120 section 6.
    Sasl,
    /// XEP-0388.
    Sasl2,
}

impl Profile {
    fn namespace(self) -> &'static str {
        match self {
            Profile::Sasl => sasl::NS,
            Profile::Sasl2 => sasl2::NS,
        }
    }

    fn read(self, element: &Element) -> Option<Result<Answer, &'static str>> {
        match self {
            Profile::Sasl => sasl::read(element),
            Profile::Sasl2 => sasl2::read(element),
        }
    }
}

/// One try.
pub(super) struct Attempt {
    profile: Profile,
    sign_in: SignIn,
    /// It was sent before the server had offered anything on this stream.
    ahead: bool,
    /// The stream was opened anew behind it, before its answer.
    reopened: bool,
    /// The kind of token that was asked for along with it.
    token_asked: Option<&'static str>,
}

impl Session {
    /// Signs in by what the server offered last time, before it says so again.
    pub(super) fn authenticate_ahead(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let Some(expected) = self.one_flight.expected(now.stamp).cloned() else {
            stream.step_by_step = true;
            return;
        };
        stream.offer = expected;
        let planned = self.plan(now);
        if let Ok(planned) = planned {
            self.attempt(now, planned, true, out);
        }
    }

    /// Signs in by what the server offers.
    pub(super) fn authenticate(&mut self, now: Now, out: &mut Vec<Output>) {
        match self.plan(now) {
            Ok(planned) => self.attempt(now, planned, false, out),
            Err(Refused::NotHere(cause)) => self.refuse(cause, out),
            // What SASLprep forbids can't have been set as a password anywhere.
            Err(Refused::Password) => self.end(Verdict::new(Action::Stop, Cause::WrongPassword), out),
        }
    }

    fn plan(&mut self, now: Now) -> Result<(Profile, SignIn), Refused> {
        let Some(stream) = &self.stream else {
            return Err(Refused::NotHere(Cause::Lost));
        };
        let choose = |mechanisms: &[String]| {
            let bindings = stream.offer.channel_bindings.as_deref();
            sasl::choose(
                mechanisms,
                bindings,
                &stream.channel,
                &self.pins,
                stream.without_binding,
            )
        };
        let mut newer = None;
        if let Some(offer) = &stream.offer.sasl2 {
            let fits = |token: &&fast::Token| {
                let agent = &self.pins.user_agent;
                (token.is_bound() || !self.pins.channel_binding || !stream.channel.encrypted)
                    && token.fits(now.stamp, &stream.channel, agent, &offer.token_mechanisms)
            };
            if let Some(token) = stream.token.as_ref().filter(fits) {
                let exchange = TokenExchange::new(token.clone(), &stream.channel);
                return Ok((Profile::Sasl2, SignIn::Token(exchange)));
            }
            newer = choose(&offer.mechanisms).ok();
        }
        let (profile, mechanism) = match (newer, choose(&stream.offer.mechanisms)) {
            // No round trip is worth the password itself.
            (Some(Mechanism::Plain), Ok(older @ Mechanism::Scram(..))) => (Profile::Sasl, older),
            (Some(newer), _) => (Profile::Sasl2, newer),
            (None, Ok(older)) => (Profile::Sasl, older),
            (None, Err(cause)) => return Err(Refused::NotHere(cause)),
        };
        let sign_in = match mechanism {
            Mechanism::Plain => SignIn::Plain,
            Mechanism::Scram(hash, binding) => {
                let Some(credentials) = &stream.credentials else {
                    return Err(Refused::NotHere(Cause::Lost));
                };
                let nonce = STANDARD_NO_PAD.encode(self.random.bytes::<24>());
                let exchange = Exchange::new(hash, binding, self.user(), credentials, nonce)
                    .map_err(|_| Refused::Password)?;
                SignIn::Scram(Box::new(exchange), mechanism)
            }
        };
        Ok((profile, sign_in))
    }

    fn user(&self) -> &str {
        self.account.node().map_or("", |node| node.as_str())
    }

    fn attempt(
        &mut self,
        now: Now,
        (profile, sign_in): (Profile, SignIn),
        ahead: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(stream) = &self.stream else { return };
        let initial = match &sign_in {
            SignIn::Scram(exchange, _) => Zeroizing::new(STANDARD.encode(exchange.first())),
            SignIn::Token(exchange) => exchange.initial(self.user(), &stream.channel),
            SignIn::Plain => match &stream.credentials {
                Some(credentials) => {
                    Zeroizing::new(STANDARD.encode(sasl::plain(self.user(), credentials).as_bytes()))
                }
                None => return,
            },
        };
        let name = sign_in.name();
        let token_asked = self.token_wanted(now, profile, &sign_in);
        let request = match profile {
            Profile::Sasl => sasl::auth(name, &initial),
            Profile::Sasl2 => {
                let mut inline = self.inline();
                if matches!(sign_in, SignIn::Token(_)) {
                    inline.push(fast::used());
                }
                inline.extend(token_asked.map(fast::request));
                sasl2::authenticate(name, &initial, &self.pins.user_agent, inline)
            }
        };
        let when = if ahead {
            ", without waiting to be asked"
        } else {
            ""
        };
        Self::journal(out, format!("signing in with {name}{when}"));
        self.put(out, &request);
        let Some(stream) = &mut self.stream else { return };
        stream.ahead |= ahead;
        stream.mechanism = Some(name);
        stream.attempt = Some(Attempt {
            profile,
            sign_in,
            ahead,
            reopened: false,
            token_asked,
        });
        if !ahead {
            stream.phase = Phase::Authenticating;
        }
    }

    /// Which kind of token to ask for: if there is none that can be used, or it ends soon.
    fn token_wanted(&self, now: Now, profile: Profile, sign_in: &SignIn) -> Option<&'static str> {
        let stream = self.stream.as_ref()?;
        let offer = stream
            .offer
            .sasl2
            .as_ref()
            .filter(|_| profile == Profile::Sasl2 && self.settings.appears)?;
        let lasts = stream
            .token
            .as_ref()
            .is_some_and(|token| !token.ends_soon(now.stamp));
        if lasts && matches!(sign_in, SignIn::Token(_)) {
            return None;
        }
        fast::wanted(
            &offer.token_mechanisms,
            stream.offer.channel_bindings.as_deref(),
            &stream.channel,
            self.pins.channel_binding,
            self.pins.token_binding_failed,
        )
    }

    /// What is asked for inside the sign-in: the session that there is, and a new one if it is gone. Nothing is bound
    /// where the old session could only be resumed afterwards.
    fn inline(&mut self) -> Vec<Element> {
        let Some(stream) = &mut self.stream else {
            return Vec::new();
        };
        let Some(offer) = stream.offer.sasl2.clone() else {
            return Vec::new();
        };
        let mut inline = Vec::new();
        let resumable = self
            .managed
            .as_ref()
            .is_some_and(|managed| managed.resumption_id().is_some());
        if resumable && offer.resumption {
            inline.extend(self.managed.as_mut().and_then(Managed::resume));
            stream.resume_sent = true;
        }
        if let Some(mut features) = offer.bind.filter(|_| !resumable || offer.resumption) {
            if !self.settings.appears {
                features.retain(|feature| feature != carbons::NS);
            }
            inline.push(bind2::bind(TAG, &features, self.active));
        }
        inline
    }

    /// We won't sign in here. A wrong address shows itself before the account has ever worked.
    fn refuse(&mut self, cause: Cause, out: &mut Vec<Output>) {
        let stop = cause == Cause::NoSafeMechanism && !self.pins.worked;
        self.end(
            Verdict::new(if stop { Action::Stop } else { Action::RetrySlowly }, cause),
            out,
        );
    }

    /// The server's answer.
    pub(super) fn authenticating(&mut self, now: Now, element: &Element, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let Some(attempt) = &mut stream.attempt else {
            return;
        };
        let answer = match attempt.profile.read(element) {
            Some(Ok(answer)) => answer,
            Some(Err(what)) => return self.violation(what, out),
            None => return self.violation("something else during sign-in", out),
        };
        match answer {
            Answer::Challenge(data) => self.challenged(now, &data, out),
            Answer::Success(data) => self.accepted(now, element, &data, out),
            Answer::Failure { condition, text } => self.refused(now, &condition, text, out),
        }
    }

    fn challenged(&mut self, now: Now, data: &[u8], out: &mut Vec<Output>) {
        let Some(attempt) = self.stream.as_mut().and_then(|stream| stream.attempt.as_mut()) else {
            return;
        };
        let profile = attempt.profile;
        let SignIn::Scram(exchange, _) = &mut attempt.sign_in else {
            return self.violation("a challenge where none can be", out);
        };
        let Ok(data) = std::str::from_utf8(data) else {
            return self.violation("sign-in data that is not text", out);
        };
        let last = !exchange.has_proved();
        let step = if last {
            exchange.prove(data, self.settings.max_iterations, &mut self.stretched)
        } else {
            // Some servers send their signature as a challenge of its own.
            exchange.verify(data).map(|()| String::new())
        };
        match step {
            Ok(response) => {
                self.put(out, &sasl::response(profile.namespace(), &response));
                if last && profile == Profile::Sasl {
                    self.resume_with_proof(now, out);
                }
            }
            Err(failure) => self.scram_failed(failure, out),
        }
    }

    /// The stream opened anew and the resumption asked for in the same flight as the proof. Not for a session that is
    /// probably gone: Prosody reads what comes along with the proof by a parser that it then throws away, so that
    /// only a resumption that succeeds leaves a stream that goes on (seen with 0.12).
    fn resume_with_proof(&mut self, now: Now, out: &mut Vec<Output>) {
        let held = self
            .managed
            .as_ref()
            .is_some_and(|managed| managed.is_expected(now.stamp));
        let Some(resume) = self.resumption_ahead(now).filter(|_| held) else {
            return;
        };
        let Some(stream) = &mut self.stream else { return };
        let Some(attempt) = &mut stream.attempt else {
            return;
        };
        attempt.reopened = true;
        stream.reopened_with_proof = true;
        self.reopen(Some(resume), out);
    }

    /// The request to resume, where the server need not be waited for.
    fn resumption_ahead(&mut self, now: Now) -> Option<Element> {
        self.one_flight.expected(now.stamp)?;
        self.stream.as_ref().filter(|stream| !stream.step_by_step)?;
        self.managed.as_mut().and_then(Managed::resume)
    }

    /// Opens the stream anew, and asks for the session behind it.
    fn reopen(&mut self, resume: Option<Element>, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let opening = open::open(&self.account, stream.is_private());
        if resume.is_some() {
            stream.ahead = true;
            stream.resume_sent = true;
        }
        self.put(out, &opening);
        if let Some(resume) = resume {
            self.put(out, &resume);
        }
    }

    fn refused(&mut self, now: Now, condition: &str, text: Option<String>, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let Some(attempt) = stream.attempt.take() else {
            return;
        };
        // What was asked for inside a refused sign-in was not even looked at.
        stream.resume_sent = false;
        let excerpt = crate::xml::excerpt(condition, 60);
        if let SignIn::Token(_) = attempt.sign_in {
            stream.token = None;
            self.pins.token_binding_failed |= attempt.sign_in.binds();
            self.pins_changed = true;
            Self::journal(
                out,
                format!("the token was refused ({excerpt}): signing in with the password"),
            );
            out.push(Output::Event(Event::TokenRefused));
            return self.authenticate(now, out);
        }
        if attempt.reopened {
            // What stands behind it on this stream makes no sense to the server any more.
            self.one_flight.refused(now.stamp);
            self.pins_changed = true;
            Self::journal(out, format!("sign-in refused ({excerpt}): trying step by step"));
            let cause = Cause::ServerTrouble {
                what: "it refused a quick sign-in".to_owned(),
            };
            return self.end(Verdict::new(Action::RetryPlainly, cause), out);
        }
        // Where a proxy terminates TLS, both sides see different connections. Only an account that has
        // never been bound may do without; on the same stream, the password has not been said.
        if attempt.sign_in.binds() && condition == "not-authorized" && !self.pins.channel_binding {
            stream.without_binding = true;
            Self::journal(out, "channel binding was refused: signing in without it");
            return self.authenticate(now, out);
        }
        if attempt.ahead {
            Self::journal(
                out,
                format!("sign-in refused ({excerpt}): trying what is offered now"),
            );
            return self.authenticate(now, out);
        }
        Self::journal(out, format!("sign-in refused: {excerpt}"));
        let verdict = verdict::sasl(condition, text, self.judged());
        self.end(verdict, out);
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

    fn accepted(&mut self, now: Now, success: &Element, data: &[u8], out: &mut Vec<Output>) {
        let Some(attempt) = self.stream.as_mut().and_then(|stream| stream.attempt.as_mut()) else {
            return;
        };
        let proven = match &mut attempt.sign_in {
            SignIn::Scram(exchange, _) if exchange.is_verified() => Ok(()),
            SignIn::Scram(exchange, _) => match std::str::from_utf8(data) {
                Ok(data) => exchange.verify(data),
                Err(_) => Err(Failure::NotGenuine("a signature that is not text")),
            },
            SignIn::Token(exchange) if exchange.is_genuine(data) => Ok(()),
            SignIn::Token(_) => Err(Failure::NotGenuine("it does not know the token")),
            SignIn::Plain => Ok(()),
        };
        match proven {
            Ok(()) => self.signed_in(now, success, out),
            Err(failure) => self.scram_failed(failure, out),
        }
    }

    fn signed_in(&mut self, now: Now, success: &Element, out: &mut Vec<Output>) {
        let Some(stream) = &mut self.stream else { return };
        let Some(attempt) = stream.attempt.take() else {
            return;
        };
        self.pins.worked = true;
        if let SignIn::Scram(..) = attempt.sign_in {
            self.pins.scram = true;
            self.pins.channel_binding |= attempt.sign_in.binds();
        }
        self.one_flight.worked(&stream.offer);
        if !attempt.reopened && std::mem::take(&mut stream.ahead) {
            self.one_flight.answered();
        }
        self.pins_changed = true;
        stream.credentials = None;
        stream.token = None;
        match attempt.profile {
            Profile::Sasl2 => {
                let token = attempt
                    .token_asked
                    .or(match attempt.sign_in {
                        SignIn::Token(_) => Some(attempt.sign_in.name()),
                        _ => None,
                    })
                    .and_then(|kind| fast::given(success, kind, &self.pins.user_agent));
                out.extend(token.map(|token| Output::Event(Event::Token(token))));
                self.answered_inline(success, out);
            }
            Profile::Sasl if attempt.reopened => stream.phase = Phase::Reopening,
            Profile::Sasl => {
                stream.phase = Phase::Reopening;
                let resume = self.resumption_ahead(now);
                self.reopen(resume, out);
            }
        }
    }
}

/// Why no attempt can be made.
enum Refused {
    /// Not on this stream.
    NotHere(Cause),
    /// Not with this password.
    Password,
}

//! The server's side of SASL2 (XEP-0388) with Bind 2 (XEP-0386), FAST (XEP-0484) and inline resumption (XEP-0198).
//!
//! Everything may be asked for in one `<authenticate/>`: proof by SCRAM or by a token, the session to resume, what
//! is to be bound if that is gone, and a new token. The session is resumed first; only if that fails is anything
//! bound, and `<success/>` says both. The features of a signed-in client follow by themselves.

use super::scram::Secret;
use super::stanza::{CARBONS, CSI, SASL, SM, STREAMS, around, element, text, with};
use super::{Kind, LineId, Server, spend};
use base64::prelude::{BASE64_STANDARD, Engine};
use dormouse_model::Tick;
use hmac::{Hmac, KeyInit, Mac};
use minidom::Element;
use sha2::Sha256;
use std::time::Duration;

/// XEP-0388.
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// XEP-0386.
pub const BIND2: &str = "urn:xmpp:bind:0";
/// XEP-0484.
pub const FAST: &str = "urn:xmpp:fast:0";
/// XEP-0440.
const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// How long a token is taken (Prosody: 21 days).
const TOKEN_LIVES: Duration = Duration::from_secs(21 * 24 * 3600);

/// What a server offers of all this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Nothing.
    None,
    /// SASL2, and bind and resumption afterwards, step by step.
    Plain,
    /// Resumption inline, and bind afterwards.
    Resuming,
    /// Bind 2 and resumption inline.
    Inline,
    /// And tokens.
    Fast,
}

/// What becomes of what a client sends before it could know what the server will say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// It is taken.
    Taken,
    /// It is lost.
    Lost,
    /// The stream ends with an error.
    Refused,
}

/// A token by which a client of an account signs in.
#[derive(Debug, Clone)]
pub(super) struct Token {
    account: usize,
    /// The client's `<user-agent id/>`.
    agent: String,
    mechanism: String,
    secret: String,
    until: Tick,
}

impl Server {
    /// No token of this account is taken any more.
    pub fn expire_tokens(&mut self, account: usize) {
        self.tokens.retain(|token| token.account != account);
    }

    /// The stream feature.
    pub(super) fn authentication(&self, line: LineId) -> Option<Element> {
        if self.quirks.sasl2 == Offer::None {
            return None;
        }
        let mut authentication = element("authentication", SASL2);
        for mechanism in self.quirks.mechanisms() {
            authentication.append_child(text("mechanism", SASL2, mechanism));
        }
        if self.quirks.sasl2 == Offer::Plain {
            return Some(authentication);
        }
        let mut inline = element("inline", SASL2);
        if self.quirks.sasl2 != Offer::Resuming {
            let mut features = element("inline", BIND2);
            let managed = self.quirks.management.then_some(SM);
            for feature in [Some(CARBONS), Some(CSI), managed].into_iter().flatten() {
                features.append_child(with("feature", BIND2, &[("var", feature)]));
            }
            inline.append_child(around(element("bind", BIND2), features));
        }
        if self.quirks.management {
            inline.append_child(element("sm", SM));
        }
        if self.quirks.sasl2 == Offer::Fast {
            let mut fast = element("fast", FAST);
            for mechanism in self.token_mechanisms(line) {
                fast.append_child(text("mechanism", FAST, mechanism));
            }
            inline.append_child(fast);
        }
        authentication.append_child(inline);
        Some(authentication)
    }

    /// What kinds of channel binding there are, where there are any.
    pub(super) fn channel_bindings(&self, line: LineId) -> Option<Element> {
        self.exporter(line)?;
        let kind = with("channel-binding", CHANNEL_BINDING, &[("type", "tls-exporter")]);
        Some(around(element("sasl-channel-binding", CHANNEL_BINDING), kind))
    }

    fn exporter(&self, line: LineId) -> Option<[u8; 32]> {
        self.streams.get(&line).and_then(|stream| stream.exporter)
    }

    fn token_mechanisms(&self, line: LineId) -> Vec<&'static str> {
        let bound = self.exporter(line).map(|_| "HT-SHA-256-EXPR");
        bound.into_iter().chain(["HT-SHA-256-NONE"]).collect()
    }

    /// `<authenticate/>`.
    pub(super) fn authenticate(&mut self, line: LineId, asked: &Element) {
        if self.quirks.sasl2 == Offer::None {
            self.violations
                .push("<authenticate/> where there is no SASL2".into());
            return self.stream_error(line, "unsupported-stanza-type");
        }
        let mechanism = asked.attr("mechanism").unwrap_or_default().to_owned();
        let response = asked
            .get_child("initial-response", SASL2)
            .map(Element::text)
            .unwrap_or_default();
        let Ok(given) = BASE64_STANDARD.decode(response) else {
            return self.sasl2_refused(line, "incorrect-encoding");
        };
        if let Some(stream) = self.streams.get_mut(&line) {
            stream.asked = Some(asked.clone());
        }
        if mechanism.starts_with("HT-") {
            return self.by_token(line, asked, &mechanism, &given);
        }
        let Ok(given) = String::from_utf8(given) else {
            return self.sasl2_refused(line, "malformed-request");
        };
        if !self.quirks.mechanisms().contains(&mechanism.as_str()) {
            return self.sasl2_refused(line, "invalid-mechanism");
        }
        if mechanism == "PLAIN" {
            return match self.plain(&given) {
                Some(account) => self.sasl2_accepted(line, account, None),
                None => self.sasl2_refused(line, "not-authorized"),
            };
        }
        let nonce = self.random.uuid();
        let begun = Secret::user(&given).and_then(|user| {
            let account = self.account_named(&user)?;
            self.accounts[account]
                .proof(&mechanism)?
                .begin(user, &given, &nonce)
        });
        let Some((exchange, challenge)) = begun else {
            return self.sasl2_refused(line, "not-authorized");
        };
        if let Some(stream) = self.streams.get_mut(&line) {
            stream.exchange = Some(exchange);
        }
        self.send(
            line,
            &text("challenge", SASL2, &BASE64_STANDARD.encode(challenge)),
        );
    }

    /// `<response/>` to a SCRAM challenge.
    pub(super) fn sasl2_response(&mut self, line: LineId, response: &Element) {
        match self.proven(line, response) {
            Some((account, last)) => self.sasl2_accepted(line, account, Some(last)),
            None => self.sasl2_refused(line, "not-authorized"),
        }
    }

    /// XEP-0484: the account's name, a NUL, and a hash keyed with the token.
    fn by_token(&mut self, line: LineId, asked: &Element, mechanism: &str, given: &[u8]) {
        let agent = agent(asked);
        let binding = match mechanism {
            "HT-SHA-256-EXPR" => self.exporter(line).map(|data| data.to_vec()),
            "HT-SHA-256-NONE" => Some(Vec::new()),
            _ => None,
        };
        let (Some(binding), Some(split)) = (binding, given.iter().position(|byte| *byte == 0)) else {
            return self.sasl2_refused(line, "invalid-mechanism");
        };
        let (user, hash) = (
            String::from_utf8_lossy(&given[..split]).into_owned(),
            &given[split + 1..],
        );
        let account = self.account_named(&user);
        let now = self.now;
        let found = self.tokens.iter().position(|token| {
            Some(token.account) == account
                && token.agent == agent
                && token.mechanism == mechanism
                && token.until > now
                && keyed(&token.secret, "Initiator", &binding) == hash
        });
        let (Some(found), Some(account)) = (found, account) else {
            return self.sasl2_refused(line, "not-authorized");
        };
        // From its first use on a new token takes the place of those before it.
        let token = self.tokens.remove(found);
        self.tokens.retain(|old| {
            old.account != token.account
                || old.agent != token.agent
                || old.mechanism != token.mechanism
                || old.until > token.until
        });
        let proof = keyed(&token.secret, "Responder", &binding);
        self.tokens.push(token);
        self.sasl2_success(line, account, Some(proof));
    }

    fn sasl2_accepted(&mut self, line: LineId, account: usize, last: Option<String>) {
        self.sasl2_success(line, account, last.map(String::into_bytes));
    }

    /// It is who it says: everything that was asked for in one answer.
    fn sasl2_success(&mut self, line: LineId, account: usize, proof: Option<Vec<u8>>) {
        let trouble = &mut self.trouble[account];
        if spend(&mut trouble.sign_in) {
            return self.sasl2_refused(line, "temporary-auth-failure");
        }
        let silent = spend(&mut trouble.silence);
        let Some(stream) = self.streams.get_mut(&line) else {
            return;
        };
        stream.account = Some(account);
        stream.silent = silent;
        let Some(asked) = stream.asked.take().filter(|_| !silent) else {
            return;
        };
        let mut success = element("success", SASL2);
        if let Some(proof) = proof {
            success.append_child(text("additional-data", SASL2, &BASE64_STANDARD.encode(proof)));
        }
        let inline = self.quirks.sasl2 != Offer::Plain;
        let mut resumed = None;
        let mut failed = None;
        if let Some(resume) = asked
            .get_child("resume", SM)
            .filter(|_| inline && self.quirks.management)
        {
            match self.resumption(line, account, resume) {
                Some(Ok(done)) => resumed = Some(done),
                Some(Err(refusal)) => failed = Some(refusal),
                None => return,
            }
        }
        let mut address = self.accounts[account].address.to_string();
        let mut bound = None;
        let binds = inline && self.quirks.sasl2 != Offer::Resuming;
        if let (Some(bind), None, true) = (asked.get_child("bind", BIND2), &resumed, binds) {
            let (full, element) = self.bound_inline(line, account, bind, &agent(&asked));
            address = full;
            bound = Some(element);
        } else if let Some(session) = self.streams.get(&line).and_then(|stream| stream.session)
            && let Some(session) = self.sessions.get(&session)
        {
            address = format!("{address}/{}", session.resource);
        }
        success.append_child(text("authorization-identifier", SASL2, &address));
        let (done, again) = resumed.map_or((None, None), |done| (Some(done.element.clone()), Some(done)));
        for part in [done, failed, bound].into_iter().flatten() {
            success.append_child(part);
        }
        let wanted = asked
            .get_child("request-token", FAST)
            .filter(|_| self.quirks.sasl2 == Offer::Fast);
        let token = wanted.and_then(|wanted| self.new_token(line, account, &asked, wanted));
        token.into_iter().for_each(|token| {
            success.append_child(token);
        });
        self.send(line, &success);
        if again.is_none() || self.quirks.features_after_resumption {
            let features = self.features_of_a_client();
            self.send(line, &features);
        }
        if let Some(again) = again {
            self.resumed_again(line, again);
        }
    }

    fn new_token(
        &mut self,
        line: LineId,
        account: usize,
        asked: &Element,
        wanted: &Element,
    ) -> Option<Element> {
        let mechanism = wanted.attr("mechanism")?.to_owned();
        if !self.token_mechanisms(line).contains(&mechanism.as_str()) {
            return None;
        }
        let agent = agent(asked);
        let secret = self.random.uuid();
        let until = self.now + TOKEN_LIVES;
        // Two at most are known: the one in use, and the one that was given last.
        let same =
            |token: &Token| token.account == account && token.agent == agent && token.mechanism == mechanism;
        let known: Vec<usize> = (0..self.tokens.len())
            .filter(|at| same(&self.tokens[*at]))
            .collect();
        if let [_, .., last] = known[..] {
            self.tokens.remove(last);
        }
        let expiry = self.quirks.stamp(self.stamp_at(until));
        let element = with("token", FAST, &[("token", &secret), ("expiry", &expiry)]);
        self.tokens.push(Token {
            account,
            agent,
            mechanism,
            secret,
            until,
        });
        Some(element)
    }

    /// XEP-0386: a resource of the server's making, with what was asked for turned on.
    fn bound_inline(
        &mut self,
        line: LineId,
        account: usize,
        bind: &Element,
        agent: &str,
    ) -> (String, Element) {
        let tag = bind
            .get_child("tag", BIND2)
            .map(Element::text)
            .unwrap_or_default();
        // The same client gets the same resource again, and so takes the place of its earlier session.
        let short: String = agent
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(12)
            .collect();
        let resource = if short.is_empty() {
            self.random.uuid()
        } else {
            format!("{tag}.{short}")
        };
        let (session, full) = self.bound(line, account, resource);
        // Whoever binds so reads the archive: ejabberd 24.12 throws away what waits for them.
        if self.quirks.kind == Kind::Ejabberd && self.quirks.archive {
            self.accounts[account].offline.clear();
        }
        let mut bound = element("bound", BIND2);
        if bind.has_child("enable", CARBONS)
            && let Some(session) = self.sessions.get_mut(&session)
        {
            session.carbons = true;
        }
        if let Some(enable) = bind.get_child("enable", SM).filter(|_| self.quirks.management) {
            bound.append_child(self.enabled(session, enable));
        }
        (full, bound)
    }

    fn sasl2_refused(&mut self, line: LineId, condition: &str) {
        let by_token = self
            .streams
            .get_mut(&line)
            .and_then(|stream| stream.asked.take())
            .is_some_and(|asked| {
                asked
                    .attr("mechanism")
                    .is_some_and(|mechanism| mechanism.starts_with("HT-"))
            });
        self.send(line, &around(element("failure", SASL2), element(condition, SASL)));
        // A token may be refused for many reasons; the password that everybody here knows may not.
        if !by_token && condition != "temporary-auth-failure" {
            self.violations
                .push(format!("a sign-in had to be refused: {condition}"));
        }
    }

    /// The features of a client that is signed in.
    pub(super) fn features_of_a_client(&self) -> Element {
        let mut features = element("features", STREAMS);
        features.append_child(element("bind", super::stanza::BIND));
        if self.quirks.management {
            features.append_child(element("sm", SM));
        }
        features.append_child(element("csi", CSI));
        features
    }
}

fn agent(asked: &Element) -> String {
    let agent = asked.get_child("user-agent", SASL2);
    agent
        .and_then(|agent| agent.attr("id"))
        .unwrap_or_default()
        .to_owned()
}

/// HMAC-SHA-256 over a word and the channel binding data, keyed with a token.
pub(super) fn keyed(token: &str, word: &str, binding: &[u8]) -> Vec<u8> {
    // A key of any length will do for HMAC (RFC 2104).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.as_bytes()) else {
        return Vec::new();
    };
    mac.update(word.as_bytes());
    mac.update(binding);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
#[path = "sasl2_tests.rs"]
mod tests;

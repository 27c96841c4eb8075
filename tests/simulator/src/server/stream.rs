//! One connection until it is signed in: `<open/>`, features, SASL, bind or resume (RFC 7395, RFC 6120).

use super::sasl2::{Ahead, SASL2};
use super::scram::{Exchange, Secret};
use super::sessions::SessionId;
use super::stanza::{CLIENT, CSI, FRAMING, SASL, SM, STREAMS, element, text, with};
use super::{LineId, Server, spend};
use base64::prelude::{BASE64_STANDARD, Engine};
use dormouse_model::{Closing, Tick};
use minidom::Element;
use std::time::Duration;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Whose, as the world numbers them.
    pub(super) client: usize,
    pub(super) account: Option<usize>,
    pub(super) exchange: Option<Exchange>,
    pub(super) session: Option<SessionId>,
    /// Nothing is answered any more: the server hangs.
    pub(super) silent: bool,
    /// What SASL2 was asked for.
    pub(super) asked: Option<Element>,
    /// What is bound to this connection (RFC 9266), where TLS 1.3 gives it.
    pub(super) exporter: Option<[u8; 32]>,
    /// When the server last said something during sign-in: what comes sooner than a round trip after it was sent
    /// without having been heard.
    pub(super) spoken: Option<Tick>,
    /// The shortest time in which a client can answer.
    pub(super) round_trip: Duration,
}

impl Server {
    /// One element of a stream.
    pub(super) fn element(&mut self, line: LineId, element: &Element) {
        let Some(stream) = self.streams.get(&line) else {
            return;
        };
        let (signed_in, session, silent) = (stream.account, stream.session, stream.silent);
        if silent || self.is_ahead(line, element) {
            return;
        }
        match (element.name(), element.ns().as_str(), signed_in, session) {
            ("open", FRAMING, ..) => self.open(line),
            ("close", FRAMING, ..) => self.close_asked(line),
            ("auth", SASL, None, _) => self.auth(line, element),
            ("response", SASL, None, _) => self.response(line, element),
            ("authenticate", SASL2, None, _) => self.authenticate(line, element),
            ("response", SASL2, None, _) => self.sasl2_response(line, element),
            ("resume", SM, Some(account), None) => self.resume(line, account, element),
            ("enable", SM, Some(_), Some(session)) => self.enable(line, session, element),
            ("r", SM, _, Some(session)) => self.request_of_count(line, session),
            ("a", SM, _, Some(session)) => self.count_told(line, session, element),
            ("active" | "inactive", CSI, _, Some(_)) => {}
            ("iq", CLIENT, Some(account), None) => self.bind(line, account, element),
            ("iq" | "message" | "presence", CLIENT, Some(_), Some(session)) => self.stanza(session, element),
            // Sent ahead of a sign-in that then failed.
            ("resume", SM, None, _) => self.stream_error(line, "not-authorized"),
            (name, namespace, ..) => {
                self.violations
                    .push(format!("<{name} xmlns='{namespace}'/> where it can't stand"));
                self.stream_error(line, "unsupported-stanza-type");
            }
        }
    }

    /// What a client sends before it can have heard what it should wait for is taken, lost or refused. Whether that
    /// is done with it.
    fn is_ahead(&mut self, line: LineId, element: &Element) -> bool {
        let waits = matches!(element.ns().as_str(), SASL | SASL2)
            || element.is("resume", SM)
            || element.is("open", FRAMING);
        let Some(stream) = self.streams.get(&line).filter(|_| waits) else {
            return false;
        };
        let ahead = stream
            .spoken
            .is_some_and(|spoken| self.now.since(spoken) < stream.round_trip);
        match self.quirks.ahead {
            _ if !ahead => false,
            Ahead::Taken => false,
            Ahead::Lost => true,
            Ahead::Refused => {
                self.stream_error(line, "policy-violation");
                true
            }
        }
    }

    fn open(&mut self, line: LineId) {
        let name = self.random.uuid();
        let open = with(
            "open",
            FRAMING,
            &[("from", self.domain.as_str()), ("id", &name), ("version", "1.0")],
        );
        self.send(line, &open);
        let signed_in = self
            .streams
            .get(&line)
            .is_some_and(|stream| stream.account.is_some());
        let features = if signed_in {
            self.features_of_a_client()
        } else {
            let mut mechanisms = element("mechanisms", SASL);
            mechanisms.append_child(text("mechanism", SASL, self.quirks.mechanisms()[0]));
            let mut features = element("features", STREAMS);
            features.append_child(mechanisms);
            let more = [self.authentication(line), self.channel_bindings(line)];
            more.into_iter().flatten().for_each(|feature| {
                features.append_child(feature);
            });
            features
        };
        self.send(line, &features);
    }

    fn close_asked(&mut self, line: LineId) {
        self.send(line, &element("close", FRAMING));
        if let Some(session) = self
            .streams
            .get_mut(&line)
            .and_then(|stream| stream.session.take())
        {
            self.end_session(session, false);
        }
        self.close(
            line,
            Closing::Frame {
                code: 1000,
                reason: String::new(),
            },
        );
    }

    fn auth(&mut self, line: LineId, auth: &Element) {
        let given = BASE64_STANDARD
            .decode(auth.text())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(given) = given else {
            return self.refuse(line, "incorrect-encoding");
        };
        match (auth.attr("mechanism"), self.quirks.scram) {
            (Some("PLAIN"), false) => match self.plain(&given) {
                Some(account) => self.accept(line, account, None),
                None => self.refuse(line, "not-authorized"),
            },
            (Some("SCRAM-SHA-256"), true) => {
                let nonce = self.random.uuid();
                let begun = Secret::user(&given).and_then(|user| {
                    let account = self.account_named(&user)?;
                    self.accounts[account]
                        .proof("SCRAM-SHA-256")?
                        .begin(user, &given, &nonce)
                });
                let Some((exchange, challenge)) = begun else {
                    return self.refuse(line, "not-authorized");
                };
                if let Some(stream) = self.streams.get_mut(&line) {
                    stream.exchange = Some(exchange);
                }
                self.send(line, &text("challenge", SASL, &BASE64_STANDARD.encode(challenge)));
            }
            _ => self.refuse(line, "invalid-mechanism"),
        }
    }

    fn response(&mut self, line: LineId, response: &Element) {
        match self.proven(line, response) {
            Some((account, last)) => self.accept(line, account, Some(&last)),
            None => self.refuse(line, "not-authorized"),
        }
    }

    /// Whose password PLAIN says, if it is the right one.
    pub(super) fn plain(&self, given: &str) -> Option<usize> {
        let [_, user, password] = given.split('\0').collect::<Vec<_>>()[..] else {
            return None;
        };
        self.account_named(user)
            .filter(|account| self.accounts[*account].password == password)
    }

    /// Whose proof a SCRAM response is, and the server's own.
    pub(super) fn proven(&mut self, line: LineId, response: &Element) -> Option<(usize, String)> {
        let exchange = self.streams.get_mut(&line)?.exchange.take()?;
        let given = String::from_utf8(BASE64_STANDARD.decode(response.text()).ok()?).ok()?;
        let account = self.account_named(&exchange.user)?;
        let last = exchange.finish(&given)?;
        Some((account, last))
    }

    pub(super) fn account_named(&self, user: &str) -> Option<usize> {
        self.accounts
            .iter()
            .position(|account| account.address.node().is_some_and(|node| node.as_str() == user))
    }

    fn accept(&mut self, line: LineId, account: usize, last: Option<&str>) {
        let trouble = &mut self.trouble[account];
        if spend(&mut trouble.sign_in) {
            return self.refuse(line, "temporary-auth-failure");
        }
        let silent = spend(&mut trouble.silence);
        if let Some(stream) = self.streams.get_mut(&line) {
            stream.account = Some(account);
            stream.silent = silent;
        }
        if !silent {
            let last = last.map(|last| BASE64_STANDARD.encode(last)).unwrap_or_default();
            self.send(line, &text("success", SASL, &last));
        }
    }

    fn refuse(&mut self, line: LineId, condition: &str) {
        let mut failure = element("failure", SASL);
        failure.append_child(element(condition, SASL));
        self.send(line, &failure);
        if condition != "temporary-auth-failure" {
            self.violations
                .push(format!("a sign-in had to be refused: {condition}"));
        }
    }
}

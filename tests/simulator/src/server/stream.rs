//! One connection until it is signed in: `<open/>`, features, SASL, bind or resume (RFC 7395, RFC 6120).

use super::scram::{Exchange, Secret};
use super::sessions::{Management, SessionId};
use super::stanza::{BIND, CLIENT, CSI, FRAMING, SASL, SM, STREAMS, element, set, text, with};
use super::{LineId, Said, Server, spend};
use base64::prelude::{BASE64_STANDARD, Engine};
use dormouse_model::Closing;
use minidom::Element;

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
}

impl Server {
    /// One element of a stream.
    pub(super) fn element(&mut self, line: LineId, element: &Element) {
        let Some(stream) = self.streams.get(&line) else {
            return;
        };
        if stream.silent {
            return;
        }
        let (signed_in, session) = (stream.account, stream.session);
        match (element.name(), element.ns().as_str(), signed_in, session) {
            ("open", FRAMING, ..) => self.open(line),
            ("close", FRAMING, ..) => self.close_asked(line),
            ("auth", SASL, None, _) => self.auth(line, element),
            ("response", SASL, None, _) => self.response(line, element),
            ("resume", SM, Some(account), None) => self.resume(line, account, element),
            ("enable", SM, Some(_), Some(session)) => self.enable(line, session, element),
            ("r", SM, _, Some(session)) => self.request_of_count(line, session),
            ("a", SM, _, Some(session)) => self.count_told(line, session, element),
            ("active" | "inactive", CSI, _, Some(_)) => {}
            ("iq", CLIENT, Some(account), None) => self.bind(line, account, element),
            ("iq" | "message" | "presence", CLIENT, Some(_), Some(session)) => self.stanza(session, element),
            (name, namespace, ..) => {
                self.violations
                    .push(format!("<{name} xmlns='{namespace}'/> where it can't stand"));
                self.stream_error(line, "unsupported-stanza-type");
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
        let mut features = element("features", STREAMS);
        if signed_in {
            features.append_child(element("bind", BIND));
            if self.quirks.management {
                features.append_child(element("sm", SM));
            }
            features.append_child(element("csi", CSI));
        } else {
            let mechanism = if self.quirks.scram {
                "SCRAM-SHA-256"
            } else {
                "PLAIN"
            };
            let mut mechanisms = element("mechanisms", SASL);
            mechanisms.append_child(text("mechanism", SASL, mechanism));
            features.append_child(mechanisms);
        }
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
            (Some("PLAIN"), false) => {
                let parts: Vec<&str> = given.split('\0').collect();
                let [_, user, password] = parts[..] else {
                    return self.refuse(line, "malformed-request");
                };
                match self.account_named(user) {
                    Some(account) if self.accounts[account].password == password => {
                        self.accept(line, account, None);
                    }
                    _ => self.refuse(line, "not-authorized"),
                }
            }
            (Some("SCRAM-SHA-256"), true) => {
                let nonce = self.random.uuid();
                let begun = Secret::user(&given).and_then(|user| {
                    let account = self.account_named(&user)?;
                    self.accounts[account].proof.as_ref()?.begin(user, &given, &nonce)
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
        let exchange = self
            .streams
            .get_mut(&line)
            .and_then(|stream| stream.exchange.take());
        let proven = exchange.and_then(|exchange| {
            let given = String::from_utf8(BASE64_STANDARD.decode(response.text()).ok()?).ok()?;
            let account = self.account_named(&exchange.user)?;
            let last = self.accounts[account].proof.as_ref()?.finish(&exchange, &given)?;
            Some((account, last))
        });
        match proven {
            Some((account, last)) => self.accept(line, account, Some(&last)),
            None => self.refuse(line, "not-authorized"),
        }
    }

    fn account_named(&self, user: &str) -> Option<usize> {
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

    fn bind(&mut self, line: LineId, account: usize, iq: &Element) {
        let Some(bind) = iq.get_child("bind", BIND) else {
            self.violations
                .push("a request before the resource was bound".into());
            return self.stream_error(line, "not-authorized");
        };
        let client = self.streams.get(&line).map_or(usize::MAX, |stream| stream.client);
        if self.is_wasted(client) {
            self.violations
                .push("a resource was bound where a session could have been resumed".into());
        }
        let wanted = bind
            .get_child("resource", BIND)
            .map(Element::text)
            .filter(|name| !name.is_empty());
        let resource = wanted.unwrap_or_else(|| self.random.uuid());
        // A new binding takes the place of an old one with the same name.
        let replaced: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.account == account && session.resource == resource)
            .map(|(id, _)| *id)
            .collect();
        for id in replaced {
            if let Some(old) = self.sessions.get_mut(&id).and_then(|session| session.line.take()) {
                if let Some(stream) = self.streams.get_mut(&old) {
                    stream.session = None;
                }
                self.stream_error(old, "conflict");
            }
            self.end_session(id, false);
        }
        let session = self.begin_session(account, resource.clone(), line);
        if let Some(stream) = self.streams.get_mut(&line) {
            stream.session = Some(session);
        }
        let full = format!("{}/{resource}", self.accounts[account].address);
        let mut result = with("iq", CLIENT, &[("type", "result")]);
        set(&mut result, "id", iq.attr("id"));
        let mut bound = element("bind", BIND);
        bound.append_child(text("jid", BIND, &full));
        result.append_child(bound);
        self.send(line, &result);
    }

    fn resume(&mut self, line: LineId, account: usize, resume: &Element) {
        let name = resume.attr("previd").unwrap_or_default().to_owned();
        let Some(told) = resume.attr("h").and_then(|h| h.parse::<u32>().ok()) else {
            self.violations.push("<resume/> without a count".into());
            return self.stream_error(line, "undefined-condition");
        };
        let found = self.sessions.iter().find_map(|(id, session)| {
            let same = session.account == account
                && session
                    .management
                    .as_ref()
                    .is_some_and(|sm| sm.resumable && sm.name == name);
            same.then_some(*id)
        });
        let trouble = &mut self.trouble[account];
        let Some(id) = found.filter(|_| !spend(&mut trouble.refused_resumes)) else {
            return self.resume_failed(line, account, &name);
        };
        let unheard = spend(&mut trouble.unheard_resumes);
        self.count(id, told);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let Some(sm) = &session.management else { return };
        let received = sm.received;
        let again: Vec<Element> = sm
            .unacknowledged
            .iter()
            .map(|kept| kept.as_resent(&self.domain))
            .collect();
        let old = session.line.replace(line);
        session.hibernated = None;
        if let Some(stream) = self.streams.get_mut(&line) {
            stream.session = Some(id);
        }
        if let Some(old) = old {
            if let Some(stream) = self.streams.get_mut(&old) {
                stream.session = None;
            }
            if self.quirks.conflict_on_resume {
                self.stream_error(old, "conflict");
            } else {
                self.close(old, Closing::Eof);
            }
        }
        let resumed = with("resumed", SM, &[("previd", &name), ("h", &received.to_string())]);
        self.send(line, &resumed);
        for stanza in &again {
            self.send(line, stanza);
        }
        self.send(line, &element("r", SM));
        if unheard {
            // What was said on it is lost with the connection.
            self.said
                .retain(|said| !matches!(said, Said::Frame(to, _) if *to == line));
            self.close(line, Closing::Broken("reset".into()));
        }
    }

    fn resume_failed(&mut self, line: LineId, account: usize, name: &str) {
        let mut failed = element("failed", SM);
        if let Some((owner, count)) = self.remembered.get(name)
            && *owner == account
        {
            set(&mut failed, "h", Some(&count.to_string()));
        }
        failed.append_child(element("item-not-found", super::stanza::STANZAS));
        self.send(line, &failed);
    }

    fn enable(&mut self, line: LineId, id: SessionId, enable: &Element) {
        let name = self.random.uuid();
        let resumable = matches!(enable.attr("resume"), Some("true" | "1"));
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.management = Some(Management::new(name.clone(), resumable));
        let seconds = self.quirks.hold.as_secs().to_string();
        let mut enabled = element("enabled", SM);
        if resumable {
            set(&mut enabled, "id", Some(&name));
            set(&mut enabled, "resume", Some("true"));
            set(&mut enabled, "max", Some(&seconds));
        }
        self.send(line, &enabled);
    }

    fn request_of_count(&mut self, line: LineId, id: SessionId) {
        if let Some(sm) = self
            .sessions
            .get(&id)
            .and_then(|session| session.management.as_ref())
        {
            let answer = format!("<a xmlns='{SM}' h='{}'/>", sm.received);
            self.said.push(Said::Frame(line, answer));
        }
    }

    fn count_told(&mut self, line: LineId, id: SessionId, answer: &Element) {
        match answer.attr("h").and_then(|h| h.parse().ok()) {
            Some(told) => self.count(id, told),
            None => {
                self.violations.push("<a/> without a count".into());
                self.stream_error(line, "undefined-condition");
            }
        }
    }
}

//! How a signed-in stream gets its session: an earlier one that goes on (XEP-0198), or a resource and a new one
//! (RFC 6120 section 7). The same for both ways to sign in.

use super::sessions::{Management, SessionId};
use super::stanza::{BIND, CLIENT, SM, STANZAS, element, set, text, with};
use super::{LineId, Said, Server, spend};
use dormouse_model::Closing;
use minidom::Element;

/// A session that goes on.
pub(super) struct Resumed {
    /// `<resumed/>`.
    pub element: Element,
    /// What is sent again behind it.
    again: Vec<Element>,
    /// The connection breaks before a word of it is heard.
    unheard: bool,
}

impl Server {
    /// A resource, asked for by itself.
    pub(super) fn bind(&mut self, line: LineId, account: usize, iq: &Element) {
        let Some(bind) = iq.get_child("bind", BIND) else {
            self.violations
                .push("a request before the resource was bound".into());
            return self.stream_error(line, "not-authorized");
        };
        let wanted = bind
            .get_child("resource", BIND)
            .map(Element::text)
            .filter(|name| !name.is_empty());
        let resource = wanted.unwrap_or_else(|| self.random.uuid());
        let (_, full) = self.bound(line, account, resource);
        let mut result = with("iq", CLIENT, &[("type", "result")]);
        set(&mut result, "id", iq.attr("id"));
        let mut bound = element("bind", BIND);
        bound.append_child(text("jid", BIND, &full));
        result.append_child(bound);
        self.send(line, &result);
    }

    /// A new session under this resource, and its full address. A new binding takes the place of an old one with
    /// the same name.
    pub(super) fn bound(&mut self, line: LineId, account: usize, resource: String) -> (SessionId, String) {
        let client = self.streams.get(&line).map_or(usize::MAX, |stream| stream.client);
        if self.is_wasted(client) {
            self.violations
                .push("a resource was bound where a session could have been resumed".into());
        }
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
        let full = format!("{}/{resource}", self.accounts[account].address);
        let session = self.begin_session(account, resource, line);
        if let Some(stream) = self.streams.get_mut(&line) {
            stream.session = Some(session);
        }
        (session, full)
    }

    /// `<enable/>` by itself.
    pub(super) fn enable(&mut self, line: LineId, id: SessionId, enable: &Element) {
        if !self.quirks.management {
            self.violations.push("<enable/> where it is not offered".into());
        }
        let enabled = self.enabled(id, enable);
        self.send(line, &enabled);
    }

    /// Stream management begins.
    pub(super) fn enabled(&mut self, id: SessionId, enable: &Element) -> Element {
        let name = self.random.uuid();
        let resumable = matches!(enable.attr("resume"), Some("true" | "1"));
        if let Some(session) = self.sessions.get_mut(&id) {
            session.management = Some(Management::new(name.clone(), resumable));
        }
        let seconds = self.quirks.hold.as_secs().to_string();
        let mut enabled = element("enabled", SM);
        if resumable {
            set(&mut enabled, "id", Some(&name));
            set(&mut enabled, "resume", Some("true"));
            set(&mut enabled, "max", Some(&seconds));
        }
        enabled
    }

    /// `<resume/>` by itself.
    pub(super) fn resume(&mut self, line: LineId, account: usize, resume: &Element) {
        match self.resumption(line, account, resume) {
            Some(Ok(resumed)) => {
                self.send(line, &resumed.element);
                self.resumed_again(line, resumed);
            }
            Some(Err(failed)) => self.send(line, &failed),
            None => {}
        }
    }

    /// Whether an earlier session goes on, or `<failed/>`; none if the stream has ended over it.
    pub(super) fn resumption(
        &mut self,
        line: LineId,
        account: usize,
        resume: &Element,
    ) -> Option<Result<Resumed, Element>> {
        let name = resume.attr("previd").unwrap_or_default().to_owned();
        let Some(told) = resume.attr("h").and_then(|h| h.parse::<u32>().ok()) else {
            self.violations.push("<resume/> without a count".into());
            self.stream_error(line, "undefined-condition");
            return None;
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
            return Some(Err(self.no_resumption(account, &name)));
        };
        let unheard = spend(&mut trouble.unheard_resumes);
        self.count(id, told);
        let sm = self.sessions.get(&id)?.management.as_ref()?;
        let element = with(
            "resumed",
            SM,
            &[("previd", &name), ("h", &sm.received.to_string())],
        );
        let again: Vec<Element> = sm
            .unacknowledged
            .iter()
            .map(|kept| self.as_resent(kept))
            .collect();
        let session = self.sessions.get_mut(&id)?;
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
        Some(Ok(Resumed {
            element,
            again,
            unheard,
        }))
    }

    /// What the client has not told to have is sent again.
    pub(super) fn resumed_again(&mut self, line: LineId, resumed: Resumed) {
        for stanza in &resumed.again {
            self.send(line, stanza);
        }
        self.said.push(Said::Held(line));
        self.send(line, &element("r", SM));
        if resumed.unheard {
            // What was said on it is lost with the connection.
            self.said
                .retain(|said| !matches!(said, Said::Frame(to, _) if *to == line));
            self.close(line, Closing::Broken("reset".into()));
        }
    }

    fn no_resumption(&self, account: usize, name: &str) -> Element {
        let mut failed = element("failed", SM);
        if let Some((owner, count)) = self.remembered.get(name)
            && *owner == account
        {
            set(&mut failed, "h", Some(&count.to_string()));
        }
        failed.append_child(element("item-not-found", STANZAS));
        failed
    }

    pub(super) fn request_of_count(&mut self, line: LineId, id: SessionId) {
        if let Some(sm) = self
            .sessions
            .get(&id)
            .and_then(|session| session.management.as_ref())
        {
            let answer = format!("<a xmlns='{SM}' h='{}'/>", sm.received);
            self.said.push(Said::Frame(line, answer));
        }
    }

    pub(super) fn count_told(&mut self, line: LineId, id: SessionId, answer: &Element) {
        match answer.attr("h").and_then(|h| h.parse().ok()) {
            Some(told) => self.count(id, told),
            None => {
                self.violations.push("<a/> without a count".into());
                self.stream_error(line, "undefined-condition");
            }
        }
    }
}

//! Requests in flight (RFC 6120 section 8.2.3): an answer is believed by its id and its sender.

use crate::addressing;
use crate::xml::{Draft, draft};
use dormouse_model::{BareJid, Claim, ConnId, ProbeId, QueryId, Random, Refusal};
use minidom::Element;
use std::collections::BTreeMap;

/// What was asked. All requests go to the own account or its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// For a resource (RFC 6120 section 7).
    Bind,
    /// For carbons (XEP-0280).
    Carbons,
    /// What the server can do.
    ServerInfo,
    /// What the account can do.
    AccountInfo,
    /// What the archive keeps.
    ArchivePreferences,
    /// The roster.
    Roster,
    /// Who is blocked.
    BlockList,
    /// To block or unblock somebody; what comes of it comes as a push.
    Blocking,
    /// A page of the archive.
    Archive(QueryId),
    /// Whether this connection lives; an answer on another says nothing.
    Probe(ConnId, ProbeId),
    /// Whether everything sent before has arrived, where there is no stream management: the number of messages
    /// sent until then on this session.
    Arrived(u64),
    /// Something whose answer changes nothing (a change of the roster comes back as a push).
    Other,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    pending: BTreeMap<String, Asked>,
    /// Asked on a connection before this one, or asked again since. An answer counts, and none is waited for.
    earlier: BTreeMap<String, Asked>,
}

impl Requests {
    /// A request, with a fresh id.
    pub(crate) fn ask(&mut self, kind: &str, asked: Asked, random: &mut Random, payload: Element) -> Draft {
        let id = random.uuid();
        let iq = draft("iq", addressing::CLIENT)
            .attr("type", kind)
            .attr("id", &id)
            .child(payload);
        self.pending.insert(id, asked);
        iq
    }

    /// What this `<iq/>` of type `result` or `error` answers; it is answered then.
    pub(crate) fn answered(&mut self, iq: &Element, own: &BareJid) -> Result<Asked, Refusal> {
        let found = |id| self.pending.get(id).or_else(|| self.earlier.get(id));
        let asked = iq.attr("id").and_then(found).copied();
        let claim = Claim::RequestResult {
            asked: None,
            pending: asked.is_some(),
        };
        let Ok(from) = addressing::stated_from(iq) else {
            return Err(Refusal {
                claim: claim.word(),
                from: None,
            });
        };
        claim.by(from.as_ref(), own)?;
        if let Some(id) = iq.attr("id")
            && self.pending.remove(id).is_none()
        {
            self.earlier.remove(id);
            self.set_aside(|_, again| Some(*again) == asked);
        }
        asked.ok_or(Refusal {
            claim: claim.word(),
            from,
        })
    }

    /// Whether such a request is in flight.
    pub(crate) fn awaits(&self, asked: Asked) -> bool {
        self.pending.values().any(|pending| *pending == asked)
    }

    /// The session goes on on another connection, where only what is `sent_again` is sure to be answered: an answer that
    /// the server had ready while the session passed from the one to the other may be gone.
    pub(crate) fn resumed(&mut self, sent_again: impl Fn(&str) -> bool) {
        self.set_aside(|id, _| !sent_again(id));
    }

    fn set_aside(&mut self, which: impl Fn(&str, &Asked) -> bool) {
        let aside = self.pending.extract_if(.., |id, asked| which(id, asked));
        self.earlier.extend(aside);
    }

    /// The session in which they were asked is over.
    pub(crate) fn clear(&mut self) {
        self.pending.clear();
        self.earlier.clear();
    }

    /// The connection is over, the session may go on: probes were about the connection.
    pub(crate) fn forget_probes(&mut self) {
        self.pending
            .retain(|_, asked| !matches!(asked, Asked::Probe(..) | Asked::Bind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once_and_only_from_whom_was_asked() {
        let own = BareJid::new("me@home.example").unwrap();
        let mut requests = Requests::default();
        let mut random = Random::from_seed([1; 32]);
        let iq = requests
            .ask("get", Asked::Roster, &mut random, crate::ping::ping())
            .done();
        let id = iq.attr("id").unwrap();
        let answer = |from: &str, id: &str| -> Element {
            format!("<iq xmlns='jabber:client' type='result' id='{id}' {from}/>")
                .parse()
                .unwrap()
        };
        assert!(
            requests
                .answered(&answer("from='mallory@evil.example'", id), &own)
                .is_err()
        );
        assert!(requests.answered(&answer("from='@@'", id), &own).is_err());
        assert!(requests.answered(&answer("", "another"), &own).is_err());
        assert!(requests.awaits(Asked::Roster));
        assert_eq!(
            requests.answered(&answer("from='home.example'", id), &own),
            Ok(Asked::Roster)
        );
        assert!(requests.answered(&answer("", id), &own).is_err());
    }

    #[test]
    fn what_is_asked_again_is_answered_by_either_answer_and_both_are_believed() {
        let own = BareJid::new("me@home.example").unwrap();
        let mut requests = Requests::default();
        let mut random = Random::from_seed([1; 32]);
        let mut ask = |requests: &mut Requests, asked| {
            let iq = requests.ask("get", asked, &mut random, crate::ping::ping());
            let id = iq.done().attr("id").unwrap().to_owned();
            let answer = format!("<iq xmlns='jabber:client' type='result' id='{id}'/>");
            (id, answer.parse::<Element>().unwrap())
        };
        let (_, lost) = ask(&mut requests, Asked::Roster);
        let (on_its_way, _) = ask(&mut requests, Asked::BlockList);
        requests.resumed(|id| id == on_its_way);
        assert!(!requests.awaits(Asked::Roster) && requests.awaits(Asked::BlockList));
        let (_, again) = ask(&mut requests, Asked::Roster);
        assert_eq!(requests.answered(&lost, &own), Ok(Asked::Roster), "it was late");
        assert!(!requests.awaits(Asked::Roster), "what is known is not waited for");
        assert!(requests.awaits(Asked::BlockList));
        assert_eq!(requests.answered(&again, &own), Ok(Asked::Roster));
        assert!(requests.answered(&lost, &own).is_err() && requests.answered(&again, &own).is_err());
    }

    #[test]
    fn what_was_asked_is_forgotten_with_its_session_and_what_is_about_a_connection_with_that() {
        let mut random = Random::from_seed([1; 32]);
        let mut requests = Requests::default();
        let mut ask = |requests: &mut Requests, asked| {
            let _ = requests.ask("get", asked, &mut random, crate::ping::ping());
        };
        let probe = Asked::Probe(ConnId(1), ProbeId(1));
        for asked in [Asked::Roster, Asked::Bind, probe] {
            ask(&mut requests, asked);
        }
        requests.forget_probes();
        assert!(requests.awaits(Asked::Roster));
        assert!(!requests.awaits(Asked::Bind) && !requests.awaits(probe));
        requests.clear();
        assert!(!requests.awaits(Asked::Roster));
    }
}

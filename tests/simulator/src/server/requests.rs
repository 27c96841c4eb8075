//! The small questions: roster, disco, ping, carbons on, archive preferences.

use super::Server;
use super::sessions::SessionId;
use super::stanza::{CARBONS, CLIENT, MAM, SID, element, set, with};
use minidom::Element;

const DISCO: &str = "http://jabber.org/protocol/disco#info";
pub(super) const ROSTER: &str = "jabber:iq:roster";
const PING: &str = "urn:xmpp:ping";

impl Server {
    /// A request from a client, or an answer to one of ours.
    pub(super) fn request(&mut self, id: SessionId, iq: &Element) {
        if !matches!(iq.attr("type"), Some("get" | "set")) {
            return;
        }
        let Some(payload) = iq.children().next() else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let account = session.account;
        match (payload.name(), payload.ns().as_str()) {
            ("enable", CARBONS) => {
                session.carbons = true;
                self.answer(id, iq, None);
            }
            ("disable", CARBONS) => {
                session.carbons = false;
                self.answer(id, iq, None);
            }
            ("ping", PING) => self.answer(id, iq, None),
            ("prefs", MAM) => self.answer(id, iq, Some(with("prefs", MAM, &[("default", "always")]))),
            (_, MAM) if !self.quirks.archive => self.refuse_request(id, iq, "cancel", "service-unavailable"),
            ("query", MAM) => self.archive_query(id, iq, payload),
            ("query", DISCO) => {
                let own = self.accounts[account].address.as_str();
                let of_account = iq.attr("to").is_none_or(|to| to == own);
                let info = self.info(of_account);
                self.answer(id, iq, Some(info));
            }
            ("query", ROSTER) => {
                self.forged_roster(id, account, iq);
                let mut roster = element("query", ROSTER);
                for (number, other) in self.accounts.iter().enumerate() {
                    if number != account && self.know_each_other(number, account) {
                        let item = with(
                            "item",
                            ROSTER,
                            &[("jid", other.address.as_str()), ("subscription", "both")],
                        );
                        roster.append_child(item);
                    }
                }
                self.answer(id, iq, Some(roster));
            }
            _ => self.refuse_request(id, iq, "cancel", "service-unavailable"),
        }
    }

    fn info(&self, of_account: bool) -> Element {
        let mut info = element("query", DISCO);
        let (category, kind) = if of_account {
            ("account", "registered")
        } else {
            ("server", "im")
        };
        info.append_child(with("identity", DISCO, &[("category", category), ("type", kind)]));
        // Prosody announces carbons on the account, ejabberd on the domain.
        let features: &[&str] = match (of_account, self.is_prosody()) {
            (true, true) => &[MAM, "urn:xmpp:mam:2#extended", SID, CARBONS],
            (true, false) => &[MAM, SID],
            (false, true) => &[PING],
            (false, false) => &[PING, CARBONS],
        };
        for feature in features {
            if !self.quirks.archive && [MAM, "urn:xmpp:mam:2#extended", SID].contains(feature) {
                continue;
            }
            info.append_child(with("feature", DISCO, &[("var", feature)]));
        }
        info
    }

    /// The result of a request.
    pub(super) fn answer(&mut self, id: SessionId, iq: &Element, payload: Option<Element>) {
        let mut answer = with("iq", CLIENT, &[("type", "result")]);
        set(&mut answer, "id", iq.attr("id"));
        set(&mut answer, "from", iq.attr("to"));
        if let Some(payload) = payload {
            answer.append_child(payload);
        }
        self.push(id, answer);
    }
}

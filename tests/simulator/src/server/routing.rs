//! Where a stanza goes: to clients that are there, as carbons to the others (XEP-0280), into the archives,
//! or to wait for a client (XEP-0160).

use super::sessions::SessionId;
use super::stanza::{CARBONS, CLIENT, FORWARD, SID, around, delay, element, set, with};
use super::{Kind, Server, spend};
use dormouse_model::{BareJid, Jid};
use minidom::Element;

const HINTS: &str = "urn:xmpp:hints";
pub(super) const RECEIPTS: &str = "urn:xmpp:receipts";
pub(super) const MARKERS: &str = "urn:xmpp:chat-markers:0";

/// Whether a stanza says something that a window shows as a message.
pub(super) fn is_said(stanza: &Element) -> bool {
    stanza.has_child("body", CLIENT)
        && stanza.attr("type") != Some("error")
        && !stanza.has_child("replace", "urn:xmpp:message-correct:0")
        && !stanza.has_child("retract", "urn:xmpp:message-retract:1")
}

impl Server {
    /// A message from a client.
    pub(super) fn message(&mut self, id: SessionId, stanza: &Element) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let sender = session.account;
        let full = format!("{}/{}", self.accounts[sender].address, session.resource);
        let mut message = stanza.clone();
        set(&mut message, "from", Some(&full));
        let to = message.attr("to").and_then(|to| Jid::new(to).ok());
        let Some(to) = to else { return };
        self.route(sender, Some(id), &to, message);
    }

    /// Takes a message where it goes. `id` is the session that it came from, if it came from one.
    pub(super) fn route(&mut self, sender: usize, id: Option<SessionId>, to: &Jid, message: Element) {
        if message.has_child("body", CLIENT)
            && let Some(name) = message.attr("id")
        {
            let said = (sender, name.to_owned());
            // What came back may be tried again.
            if !self.bounced.contains(&said)
                && let Some(session) = id.and_then(|id| self.sessions.get(&id))
                && self.has_shown(sender, name, session.begun)
            {
                self.violations.push(format!(
                    "{name} was sent again without a look into the archive, which has held it since before the session began"
                ));
            }
            self.received.insert(said);
        }
        let kept = self.is_kept(&message);
        if kept {
            self.keep(sender, to.to_bare().as_str(), &message);
        }
        self.carbons(sender, id, "sent", &message);
        match (self.account_of(&to.to_bare()), id) {
            (Some(account), _) => self.deliver(account, to, message, kept),
            (None, Some(id)) => self.bounce(sender, id, &message),
            (None, None) => {}
        }
    }

    fn deliver(&mut self, account: usize, to: &Jid, mut message: Element, kept: bool) {
        if kept {
            let from = message.attr("from").and_then(|from| Jid::new(from).ok());
            let with_whom = from.map(|from| from.to_bare().to_string()).unwrap_or_default();
            let name = self.keep(account, &with_whom, &message);
            if self.quirks.archive {
                let by = self.accounts[account].address.to_string();
                message.append_child(with("stanza-id", SID, &[("by", &by), ("id", &name)]));
            }
        }
        let there: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.account == account && session.available)
            .map(|(id, _)| *id)
            .collect();
        let addressed = to.resource().and_then(|resource| {
            let named = |id: &&SessionId| {
                self.sessions
                    .get(id)
                    .is_some_and(|session| session.resource == resource.as_str())
            };
            there.iter().find(named).copied()
        });
        let all = match addressed {
            Some(one) => vec![one],
            None if self.quirks.one_resource => there.first().copied().into_iter().collect(),
            None => there.clone(),
        };
        if all.is_empty() {
            if kept && self.now >= self.reads_tables_until {
                let stamp = self.quirks.stamp(self.stamp());
                message.append_child(delay(&self.domain, &stamp));
                self.accounts[account].offline.push(message);
            }
            return;
        }
        for id in &all {
            self.push(*id, message.clone());
        }
        if all.len() < there.len() {
            self.carbons(account, all.first().copied(), "received", &message);
        }
        if self.forges {
            self.forge(account);
        }
    }

    /// Copies for an account's other clients.
    fn carbons(&mut self, account: usize, except: Option<SessionId>, direction: &str, message: &Element) {
        if message.has_child("private", CARBONS) || message.has_child("no-copy", HINTS) {
            return;
        }
        let others: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(id, session)| session.account == account && session.carbons && Some(**id) != except)
            .map(|(id, _)| *id)
            .collect();
        for id in others {
            let (doubled, missing) = (self.quirks.doubled_carbons, self.quirks.missing_carbons);
            let trouble = &mut self.trouble[account];
            let left_out = spend(&mut trouble.lost_carbons);
            let twice = spend(&mut trouble.doubled_carbons);
            if left_out || (missing > 0 && self.random.below(missing) == 0) {
                continue;
            }
            let twice = twice || (doubled > 0 && self.random.below(doubled) == 0);
            for _ in 0..1 + u32::from(twice) {
                let carbon = self.carbon(account, direction, message.clone());
                self.push(id, carbon);
            }
        }
    }

    fn carbon(&self, account: usize, direction: &str, message: Element) -> Element {
        let own = self.accounts[account].address.to_string();
        let wrapped = around(
            element(direction, CARBONS),
            around(element("forwarded", FORWARD), message),
        );
        around(
            with("message", CLIENT, &[("from", &own), ("type", "chat")]),
            wrapped,
        )
    }

    /// Sabotage: words that nobody typed, vouched for by the own server.
    fn forge(&mut self, account: usize) {
        let other = self.accounts[(account + 1) % self.accounts.len()]
            .address
            .to_string();
        let own = self.accounts[account].address.to_string();
        let name = self.random.uuid();
        let mut message = with(
            "message",
            CLIENT,
            &[
                ("from", &format!("{other}/x")),
                ("to", &own),
                ("id", &name),
                ("type", "chat"),
            ],
        );
        message.append_child(super::stanza::text("body", CLIENT, "forged"));
        self.carbons(account, None, "received", &message);
    }

    fn bounce(&mut self, sender: usize, id: SessionId, message: &Element) {
        if matches!(message.attr("type"), Some("error")) {
            return; // An error is never answered (RFC 6120 section 8.3.1).
        }
        if let Some(name) = message.attr("id") {
            self.bounced.insert((sender, name.to_owned()));
        }
        let mut error = message.clone();
        set(&mut error, "type", Some("error"));
        set(&mut error, "from", message.attr("to"));
        set(&mut error, "to", message.attr("from"));
        let condition = element("service-unavailable", super::stanza::STANZAS);
        error.append_child(around(with("error", CLIENT, &[("type", "cancel")]), condition));
        self.push(id, error);
    }

    /// What is archived: what has a text or says that it is to be kept.
    fn is_kept(&self, message: &Element) -> bool {
        if message.has_child("no-store", HINTS) || matches!(message.attr("type"), Some("error" | "groupchat"))
        {
            return false;
        }
        let receipt = message.has_child("received", RECEIPTS) || message.has_child("displayed", MARKERS);
        message.has_child("body", CLIENT)
            || message.has_child("store", HINTS)
            || (receipt && self.quirks.archives_receipts)
    }

    /// Presence from a client: from the first on, messages go to it.
    pub(super) fn presence(&mut self, id: SessionId, stanza: &Element) {
        if stanza.attr("to").is_some() {
            return; // All subscriptions are settled in this world.
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        let (account, resource) = (session.account, session.resource.clone());
        let available = stanza.attr("type").is_none();
        let first = available && !session.available;
        session.available = available;
        self.tell_presence(account, &resource, available);
        if !first {
            return;
        }
        let own = format!("{}/{resource}", self.accounts[account].address);
        let others: Vec<String> = self
            .sessions
            .values()
            .filter(|other| other.available && (other.account != account || other.resource != resource))
            .filter(|other| self.know_each_other(account, other.account))
            .map(|other| format!("{}/{}", self.accounts[other.account].address, other.resource))
            .collect();
        for other in others {
            self.push(id, with("presence", CLIENT, &[("from", &other), ("to", &own)]));
        }
        for message in std::mem::take(&mut self.accounts[account].offline) {
            self.push(id, message);
        }
    }

    /// Tells everybody (all know each other) that a client is there or gone.
    pub(super) fn tell_presence(&mut self, account: usize, resource: &str, available: bool) {
        let from = format!("{}/{resource}", self.accounts[account].address);
        let all: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.available && self.know_each_other(account, session.account))
            .map(|(id, _)| *id)
            .collect();
        for id in all {
            let mut presence = with("presence", CLIENT, &[("from", &from)]);
            if !available {
                set(&mut presence, "type", Some("unavailable"));
            }
            self.push(id, presence);
        }
    }

    pub(super) fn account_of(&self, address: &BareJid) -> Option<usize> {
        self.accounts
            .iter()
            .position(|account| account.address == *address)
    }

    /// Whether a query before presence would hold offline messages back: no server here does.
    pub(super) fn is_prosody(&self) -> bool {
        self.quirks.kind == Kind::Prosody
    }
}

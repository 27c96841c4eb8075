//! The roster and the presence of the people on it.
//!
//! Kept on disk because a resumption repeats neither (XEP-0198 section 5): after a resumed session what
//! was stored still holds; after a fresh one presence is unknown until the server tells it.
//!
//! A server, and in part anybody, can send people, requests and presence without end: what is kept is bounded, and what
//! is beyond is left aside with a reason ([`Contacts::left_aside`]). The server has it still, and tells it again.

use dormouse_model::{
    Availability, BareJid, Change, ChatState, Contact, Draft, Jid, Key, Memory, ReadError, Walk, record,
};
use dormouse_xmpp::RosterItem;
use std::collections::{BTreeMap, BTreeSet};

/// What the roster may weigh, presence included: about a hundred thousand people as they are.
const HEAVIEST_ROSTER: usize = 32 * 1024 * 1024;
/// Clients of one person whose presence is kept. It is written anew with each change of one of them.
const MOST_CLIENTS: usize = 64;
/// Requests to see our presence that are kept open: anybody can make them.
const MOST_REQUESTS: usize = 1_000;
/// People that are kept as blocked.
const MOST_BLOCKED: usize = 20_000;
/// People that are kept as typing.
const MOST_TYPING: usize = 1_000;

/// The people an account knows.
#[derive(Debug, Default)]
pub struct Contacts {
    people: BTreeMap<BareJid, Contact>,
    /// What they weigh together.
    weight: usize,
    /// Why something was left aside.
    beyond: Option<&'static str>,
    requests: BTreeSet<BareJid>,
    /// Requests that a fresh session has not repeated yet (RFC 6121 section 3.1.3: servers repeat open ones at each
    /// sign-in).
    unrepeated: BTreeSet<BareJid>,
    /// Whom the server keeps from us (XEP-0191).
    blocked: BTreeSet<BareJid>,
    /// Who is known to be typing: forgotten with the link, so that nobody types for ever.
    typing: BTreeSet<BareJid>,
}

impl Contacts {
    /// As they were stored.
    pub fn restore(memory: &dyn Memory) -> Result<Self, ReadError> {
        let mut contacts = Self::default();
        let anyone = BareJid::new("a").map_err(|e| ReadError::Failed(e.to_string()))?;
        let (from, to) = Key::Contact(anyone.clone()).kind_range();
        for (_, value) in memory.range(&from, &to, Walk::Forwards, usize::MAX)? {
            let contact: Contact = record::decode(&value).ok_or(ReadError::Damaged('r'))?;
            contacts.weight += weight(&contact);
            contacts.people.insert(contact.address.clone(), contact);
        }
        let (from, to) = Key::Request(anyone.clone()).kind_range();
        for (_, value) in memory.range(&from, &to, Walk::Forwards, usize::MAX)? {
            contacts
                .requests
                .insert(record::decode(&value).ok_or(ReadError::Damaged('w'))?);
        }
        let (from, to) = Key::Blocked(anyone).kind_range();
        for (_, value) in memory.range(&from, &to, Walk::Forwards, usize::MAX)? {
            contacts
                .blocked
                .insert(record::decode(&value).ok_or(ReadError::Damaged('k'))?);
        }
        Ok(contacts)
    }

    /// Why something of the last input was left aside, if it was. Says so once.
    pub fn left_aside(&mut self) -> Option<&'static str> {
        self.beyond.take()
    }

    /// Somebody on the roster.
    pub fn get(&self, who: &BareJid) -> Option<&Contact> {
        self.people.get(who)
    }

    /// All that is known, as changes from nothing.
    pub fn snapshot(&self) -> impl Iterator<Item = Change> {
        let people = self.people.values().cloned().map(Change::Contact);
        let requests = self.requests.iter().cloned().map(Change::Request);
        let blocked = self.blocked.iter().cloned().map(|address| Change::Blocked {
            address,
            blocked: true,
        });
        let typing = self.typing.iter().cloned().map(|conversation| Change::ChatState {
            conversation,
            state: Some(ChatState::Composing),
        });
        people.chain(requests).chain(blocked).chain(typing)
    }

    /// Whether this person may see our presence, and so may get receipts and typing.
    pub fn may_see_us(&self, who: &BareJid) -> bool {
        self.people
            .get(who)
            .is_some_and(|contact| contact.subscription.they_see_us())
    }

    /// The roster, whole or in part, as the server tells it.
    pub fn roster(&mut self, items: Vec<RosterItem>, whole: bool, draft: &mut Draft) -> Vec<Change> {
        let mut changes = Vec::new();
        if whole {
            let told: BTreeSet<&BareJid> = items.iter().map(|item| &item.address).collect();
            let gone: Vec<BareJid> = self
                .people
                .keys()
                .filter(|who| !told.contains(who))
                .cloned()
                .collect();
            for who in gone {
                changes.extend(self.removed(&who, draft));
            }
        }
        for item in items {
            let mut contact = self
                .people
                .get(&item.address)
                .cloned()
                .unwrap_or_else(|| Contact::unknown(item.address.clone()));
            contact.name = item.name;
            contact.subscription = item.subscription;
            contact.asked = item.asked;
            contact.groups = item.groups;
            if contact.subscription.they_see_us() {
                changes.extend(self.answered(&contact.address, draft));
            }
            changes.extend(self.keep(contact, draft));
        }
        changes
    }

    /// Somebody was taken off the roster.
    pub fn removed(&mut self, who: &BareJid, draft: &mut Draft) -> Option<Change> {
        draft.delete(&Key::Contact(who.clone()));
        let gone = self.people.remove(who)?;
        self.weight -= weight(&gone);
        Some(Change::ContactRemoved(gone.address))
    }

    /// Somebody's presence. Of people outside the roster nothing is kept.
    pub fn presence(&mut self, from: &Jid, availability: Availability, draft: &mut Draft) -> Option<Change> {
        let mut contact = self.people.get(&from.to_bare())?.clone();
        contact.presence_known = true;
        let resource = from.resource().map(|r| r.to_string());
        match (resource, availability) {
            (None, Availability::Offline | Availability::Unknown) => contact.presence.clear(),
            (Some(resource), Availability::Offline | Availability::Unknown) => {
                contact.presence.remove(&resource);
            }
            (resource, _)
                if !knows(&contact, resource.as_deref()) && contact.presence.len() >= MOST_CLIENTS =>
            {
                self.beyond = Some("the presence of somebody with too many clients");
                return None;
            }
            (resource, availability) => {
                contact
                    .presence
                    .insert(resource.unwrap_or_default(), availability);
            }
        }
        self.keep(contact, draft)
    }

    /// A fresh session: what the last one told of presence no longer holds.
    pub fn forget_presence(&mut self, draft: &mut Draft) -> Vec<Change> {
        let people: Vec<Contact> = self.people.values().cloned().collect();
        let mut changes = Vec::new();
        for mut contact in people {
            contact.presence.clear();
            contact.presence_known = false;
            changes.extend(self.keep(contact, draft));
        }
        changes
    }

    /// The server has told everything it knows: those it did not mention are offline, and the requests it did not
    /// repeat have been answered elsewhere.
    pub fn presence_complete(&mut self, draft: &mut Draft) -> Vec<Change> {
        let silent: Vec<Contact> = self
            .people
            .values()
            .filter(|contact| !contact.presence_known)
            .cloned()
            .collect();
        let mut changes = Vec::new();
        for mut contact in silent {
            contact.presence_known = true;
            changes.extend(self.keep(contact, draft));
        }
        for who in std::mem::take(&mut self.unrepeated) {
            changes.extend(self.answered(&who, draft));
        }
        changes
    }

    /// A fresh session: the server repeats the requests that are still open.
    pub fn requests_come_again(&mut self) {
        self.unrepeated = self.requests.clone();
    }

    /// Somebody asks to see our presence. Said once, however often it is asked.
    pub fn asked(&mut self, who: BareJid, draft: &mut Draft) -> Option<Change> {
        self.unrepeated.remove(&who);
        if self.may_see_us(&who) || self.requests.contains(&who) {
            return None;
        }
        if self.requests.len() >= MOST_REQUESTS {
            self.beyond = Some("a request to see our presence, as too many are open");
            return None;
        }
        self.requests.insert(who.clone());
        draft.put(&Key::Request(who.clone()), &who);
        Some(Change::Request(who))
    }

    /// A request is no longer open: accepted or declined, here or elsewhere, or taken back.
    pub fn answered(&mut self, who: &BareJid, draft: &mut Draft) -> Option<Change> {
        self.unrepeated.remove(who);
        if !self.requests.remove(who) {
            return None;
        }
        draft.delete(&Key::Request(who.clone()));
        Some(Change::RequestGone(who.clone()))
    }

    /// These are blocked; if it is the whole list, nobody else is. Their requests need no answer.
    pub fn blocked(&mut self, addresses: Vec<BareJid>, whole: bool, draft: &mut Draft) -> Vec<Change> {
        let mut changes = Vec::new();
        if whole {
            let told: BTreeSet<&BareJid> = addresses.iter().collect();
            let others: Vec<BareJid> = self
                .blocked
                .iter()
                .filter(|who| !told.contains(who))
                .cloned()
                .collect();
            changes.extend(self.unblocked(Some(&others), draft));
        }
        for address in addresses {
            changes.extend(self.answered(&address, draft));
            if self.blocked.len() >= MOST_BLOCKED && !self.blocked.contains(&address) {
                self.beyond = Some("somebody blocked, as too many are");
            } else if self.blocked.insert(address.clone()) {
                draft.put(&Key::Blocked(address.clone()), &address);
                changes.push(Change::Blocked {
                    address,
                    blocked: true,
                });
            }
        }
        changes
    }

    /// These are no longer blocked; none: nobody is.
    pub fn unblocked(&mut self, addresses: Option<&[BareJid]>, draft: &mut Draft) -> Vec<Change> {
        let gone: Vec<BareJid> = match addresses {
            Some(addresses) => addresses.to_vec(),
            None => self.blocked.iter().cloned().collect(),
        };
        let mut changes = Vec::new();
        for address in gone {
            if self.blocked.remove(&address) {
                draft.delete(&Key::Blocked(address.clone()));
                changes.push(Change::Blocked {
                    address,
                    blocked: false,
                });
            }
        }
        changes
    }

    /// Somebody started or stopped typing.
    pub fn typing(&mut self, who: &BareJid, typing: bool) {
        if !typing {
            self.typing.remove(who);
        } else if self.typing.len() < MOST_TYPING {
            self.typing.insert(who.clone());
        }
    }

    /// The link is lost or in doubt: nobody is known to be typing.
    pub fn forget_typing(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.typing)
            .into_iter()
            .map(|conversation| Change::ChatState {
                conversation,
                state: None,
            })
            .collect()
    }

    fn keep(&mut self, contact: Contact, draft: &mut Draft) -> Option<Change> {
        let known = self.people.get(&contact.address);
        if known == Some(&contact) {
            return None;
        }
        let (before, now) = (known.map_or(0, weight), weight(&contact));
        if now > before && self.weight - before + now > HEAVIEST_ROSTER {
            self.beyond = Some("somebody on the roster, which is too large");
            return None;
        }
        self.weight = self.weight - before + now;
        draft.put(&Key::Contact(contact.address.clone()), &contact);
        self.people.insert(contact.address.clone(), contact.clone());
        Some(Change::Contact(contact))
    }
}

/// The bytes that somebody takes, about.
fn weight(contact: &Contact) -> usize {
    let texts = contact.groups.iter().chain(contact.presence.keys());
    let texts: usize = texts.map(|text| 64 + text.len()).sum();
    256 + contact.address.as_str().len() + contact.name.as_ref().map_or(0, String::len) + texts
}

fn knows(contact: &Contact, resource: Option<&str>) -> bool {
    contact.presence.contains_key(resource.unwrap_or_default())
}

#[cfg(test)]
#[path = "contacts_tests.rs"]
mod tests;

//! What windows show, along the way: only what somebody typed, in the state that it has reached, and what is stored.

use super::typed::Says;
use super::{Checker, NOBODY};
use crate::client::Client;
use crate::server::Server;
use dormouse_model::{BareJid, Content, Conversation, Delivery, Failure, Message, MessageId, Tick};
use dormouse_timeline::{Part, history};
use std::collections::{BTreeMap, BTreeSet};

impl Checker {
    /// A window shows a message.
    pub fn shown(&mut self, at: Tick, client: &Client, message: &Message, server: &Server) {
        let Some(with) = number_of(server, &message.conversation) else {
            return self.found(
                at,
                &client.name,
                format!("shows a conversation with {}", message.conversation),
            );
        };
        let own = client.account;
        let name = message
            .names
            .origin
            .as_ref()
            .map(|id| id.0.clone())
            .unwrap_or_default();
        let (from, to) = if message.delivery().is_some() {
            (own, with)
        } else {
            (with, own)
        };
        let mut theirs = self
            .typed
            .iter()
            .filter(|typed| (typed.from, typed.to) == (from, to));
        let text = match &message.content {
            Content::Text(text) => {
                let in_making = message.delivery() == Some(&Delivery::Queued);
                if !in_making && !theirs.any(|typed| typed.said(text)) {
                    return self.found(at, &client.name, format!("shows {text:?}, which nobody typed"));
                }
                text.as_str()
            }
            Content::Retracted => {
                if !theirs.any(|typed| {
                    typed
                        .versions
                        .iter()
                        .any(|version| version.says == Says::Withdrawn)
                }) {
                    let what = "shows a message as withdrawn, which nobody withdrew";
                    return self.found(at, &client.name, what.into());
                }
                "…"
            }
            other => return self.found(at, &client.name, format!("shows {other:?}")),
        };
        let reached = server.received.contains(&(from, name.clone()));
        match message.delivery() {
            None => {
                self.shown.insert((own, name));
            }
            Some(Delivery::Queued) => {}
            Some(Delivery::Failed(Failure::Bounced { .. }))
                if server.bounced.contains(&(own, name.clone())) => {}
            Some(Delivery::Failed(failure)) => {
                self.found(at, &client.name, format!("shows {text:?} as failed: {failure:?}"));
            }
            Some(state) if !reached => {
                self.found(
                    at,
                    &client.name,
                    format!("shows {text:?} as {state:?}, and the server has it not"),
                );
            }
            Some(Delivery::Delivered) if !self.shown.contains(&(with, name.clone())) => {
                self.found(
                    at,
                    &client.name,
                    format!("shows {text:?} as delivered, and nobody has it"),
                );
            }
            Some(Delivery::Read) if !self.read.contains(&(with, own)) => {
                self.found(
                    at,
                    &client.name,
                    format!("shows {text:?} as read, and nobody has read it"),
                );
            }
            Some(_) => {}
        }
    }

    /// A window shows a conversation in its list.
    pub fn list_shown(&mut self, at: Tick, client: &Client, it: &Conversation, server: &Server) {
        let with = number_of(server, &it.with);
        if it.read_up_to.is_some() && !with.is_some_and(|with| self.read.contains(&(client.account, with))) {
            let what = format!("shows as read what nobody here has read of {}", it.with);
            self.found(at, &client.name, what);
        }
    }

    /// The changes told so far add up to what is stored.
    pub fn window_agrees(&mut self, at: Tick, client: &Client) {
        let kept = list(client);
        if kept != client.list {
            let odd = kept
                .keys()
                .chain(client.list.keys())
                .find(|with| kept.get(*with) != client.list.get(*with));
            let detail = odd.map(|with| (kept.get(with), client.list.get(with)));
            self.found(
                at,
                &client.name,
                format!("the list of conversations and the store differ (stored, shown): {detail:?}"),
            );
        }
        let stored = window(client);
        if stored == client.view {
            return;
        }
        let ids: BTreeSet<&MessageId> = stored.keys().chain(client.view.keys()).collect();
        let odd = ids.into_iter().find(|id| stored.get(id) != client.view.get(id));
        let detail = odd.map(|id| (stored.get(id), client.view.get(id)));
        self.found(
            at,
            &client.name,
            format!("the window and the store differ (stored, shown): {detail:?}"),
        );
    }
}

/// The number of an account; the one after the last is nobody's.
pub(super) fn number_of(server: &Server, address: &BareJid) -> Option<usize> {
    let known = server
        .accounts
        .iter()
        .position(|account| account.address == *address);
    known.or_else(|| (address.as_str() == NOBODY).then_some(server.accounts.len()))
}

/// What a window would show that is opened now: every message of every conversation.
pub fn window(client: &Client) -> BTreeMap<MessageId, Message> {
    let mut all = BTreeMap::new();
    let records = client.disk.records();
    let conversations: BTreeSet<_> = conversations(client);
    for conversation in conversations {
        let mut part = Part::Latest;
        while let Ok(stretch) = history(records, &client.address, &conversation, part, 50) {
            let first = stretch.messages.first().map(|message| message.place);
            let more = stretch.more;
            all.extend(stretch.messages.into_iter().map(|message| (message.id, message)));
            match first {
                Some(first) if more => part = Part::Before(first),
                _ => break,
            }
        }
    }
    all
}

/// The list of conversations in a window that is opened now.
pub fn list(client: &Client) -> BTreeMap<BareJid, Conversation> {
    let all = dormouse_timeline::conversations(client.disk.records()).unwrap_or_default();
    all.into_iter().map(|it| (it.with.clone(), it)).collect()
}

/// The conversations that a client keeps anything of.
fn conversations(client: &Client) -> BTreeSet<BareJid> {
    crate::world::everybody()
        .into_iter()
        .filter(|address| *address != client.address)
        .collect()
}

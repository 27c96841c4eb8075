//! When everything has been calm for long: nothing lost, nothing twice, everybody well.

use super::typed::{Hand, Says};
use super::window::number_of;
use super::{Checker, NOBODY};
use crate::client::{Client, Power};
use crate::server::Server;
use dormouse_model::{BareJid, ConnectionState, Content, Delivery, Message, Tick};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// So long after the last fault everybody is live again, told of it or not: a wait of 45 s, and again after a sign-in that a
/// server may lose without a word before it is asked step by step.
const RECOVERED: Duration = Duration::from_secs(120);

/// What was sent so long after the last fault has been acknowledged when all is over.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

impl Checker {
    /// When everything has been calm for long.
    pub fn last_look(&mut self, clients: &[Client], server: &Server, calm: Tick) {
        self.look_at_programs(clients, server, calm);
        for (number, client) in clients.iter().enumerate() {
            for with in (0..=server.accounts.len()).filter(|with| *with != client.account) {
                self.conversation(number, with, client, server, calm);
            }
        }
    }

    /// That each program is well, and shows and has what it should, whatever that is.
    pub fn look_at_programs(&mut self, clients: &[Client], server: &Server, calm: Tick) {
        self.at_end = calm;
        for (number, stanzas) in server.silent_on(calm + PATIENCE) {
            let name = clients.get(number).map_or("?", |client| client.name.as_str());
            self.found(
                calm,
                name,
                format!("has never acknowledged {stanzas} stanzas that it was sent"),
            );
        }
        for (number, client) in clients.iter().enumerate() {
            self.is_well(client, calm);
            self.window_agrees(calm, client);
            self.told_to_have(number, client, server, calm);
        }
    }

    fn is_well(&mut self, client: &Client, calm: Tick) {
        if client.power != Power::Running || client.state != ConnectionState::Live {
            self.found(
                calm,
                &client.name,
                format!("is {:?}, {} in the end", client.power, client.state.name()),
            );
        } else if client.since > calm + RECOVERED {
            let late = client.since.since(calm);
            self.found(
                calm,
                &client.name,
                format!("was live only {late:?} after the last fault"),
            );
        }
        let waiting = client.core.as_ref().map_or(0, |core| core.status().outbox);
        if waiting > 0 {
            self.found(
                calm,
                &client.name,
                format!("still holds {waiting} unsettled messages"),
            );
        }
    }

    /// What a client has told the server to have, it has.
    fn told_to_have(&mut self, number: usize, client: &Client, server: &Server, calm: Tick) {
        let has: BTreeSet<(&BareJid, &str)> = client
            .view
            .values()
            .flat_map(|message| {
                let origin = message.names.origin.as_ref().map(|id| id.0.as_str());
                let stanza = message.names.stanza.as_ref().map(|id| id.0.as_str());
                [origin, stanza]
                    .into_iter()
                    .flatten()
                    .map(|name| (&message.conversation, name))
            })
            .collect();
        let of_client = server.acknowledged.iter().filter(|(of, ..)| *of == number);
        for (_, from, name) in of_client {
            if !has.contains(&(from, name.as_str())) {
                self.found(
                    calm,
                    &client.name,
                    format!("told the server that it has {name} of {from}, and has it not"),
                );
            }
        }
    }

    fn conversation(&mut self, number: usize, with: usize, client: &Client, server: &Server, calm: Tick) {
        let own = client.account;
        let nobody = with == server.accounts.len();
        let shown: Vec<&Message> = {
            let mut all: Vec<&Message> = client
                .view
                .values()
                .filter(|message| number_of(server, &message.conversation) == Some(with))
                .collect();
            all.sort_by_key(|message| message.place);
            all
        };
        // Nothing lost, nothing twice. Without an archive what was said while a client was away is nowhere to be
        // had, and of what came back to its author only that client knows all.
        let mut count: BTreeMap<(usize, Says), (i64, i64)> = BTreeMap::new();
        for typed in &self.typed {
            if (typed.from, typed.to) == (own, with) || (typed.from, typed.to) == (with, own) {
                let lost = typed.client != number && Self::was_lost_by(server, own, typed);
                let due = typed.client == number || (server.quirks.archive && !nobody && !lost);
                let (least, most) = count.entry((typed.from, typed.says().clone())).or_default();
                *least += i64::from(due);
                // A client that gives no names of its own, on a server that gives none: nobody can tell a copy from
                // a repetition.
                let nameless = typed.client == Hand::FOREIGN.client && !server.quirks.archive;
                *most += if nameless { i64::from(u32::MAX) } else { 1 };
                // And of an edit nobody tells who was not there, nor of one that the server has lost.
                let earlier: BTreeSet<&Says> = typed.versions.iter().map(|version| &version.says).collect();
                for says in earlier
                    .into_iter()
                    .filter(|says| (lost || !server.quirks.archive) && *says != typed.says())
                {
                    count.entry((typed.from, says.clone())).or_default().1 += 1;
                }
            }
        }
        for message in &shown {
            let from = if message.delivery().is_some() { own } else { with };
            let says = match &message.content {
                Content::Text(text) => Says::Text(text.clone()),
                _ => Says::Withdrawn,
            };
            let (least, most) = count.entry((from, says)).or_default();
            *least -= 1;
            *most -= 1;
        }
        let exact = server.quirks.archive && !nobody;
        let wrong: Vec<String> = count
            .into_iter()
            .filter(|((_, says), _)| *says != Says::Nothing)
            .filter_map(|((from, says), (least, most))| {
                let what = match (least > 0, most < 0) {
                    (true, _) => format!("lacks {says:?} ({least:+})"),
                    (_, true) if !nobody || self.alone(own, number) => {
                        format!("shows {says:?} too often ({most:+})")
                    }
                    _ => return None,
                };
                let of = server
                    .accounts
                    .get(from)
                    .map_or(NOBODY, |account| account.address.as_str());
                Some(format!("{what} of {of}"))
            })
            .collect();
        for what in wrong {
            self.found(calm, &client.name, what);
        }
        if exact {
            self.typing_order(client, with, &shown, server, calm);
        }
        // What came back and is tried again stands at the end.
        if !nobody {
            self.typing_order(client, own, &shown, server, calm);
        }
        if server.quirks.archive {
            self.archive_order(client, &shown, server, calm);
        }
        for message in &shown {
            if message.delivery() == Some(&Delivery::Queued) {
                self.found(
                    calm,
                    &client.name,
                    format!("shows {:?} as waiting in the end", message.content),
                );
            }
        }
    }

    /// Whether all that an account has typed was typed by this client.
    fn alone(&self, account: usize, client: usize) -> bool {
        self.typed
            .iter()
            .all(|typed| typed.from != account || typed.client == client)
    }
}

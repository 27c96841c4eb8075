//! Whether what is shown stands in its order: as typed, and as the archive has it.

use super::Checker;
use super::lost::{body, lost_by};
use super::typed::Says;
use crate::client::Client;
use crate::server::Server;
use dormouse_model::{Content, Message, Tick};
use std::collections::{BTreeMap, BTreeSet};

impl Checker {
    /// What one client typed stands in the order typed. What its server has lost stood somewhere, and nobody knows where any
    /// more.
    pub(super) fn typing_order(
        &mut self,
        client: &Client,
        of: usize,
        shown: &[&Message],
        server: &Server,
        calm: Tick,
    ) {
        let own = of == client.account;
        let lost: BTreeSet<String> = lost_by(server, client.account)
            .filter_map(|(_, message)| body(message))
            .collect();
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut wrong = Vec::new();
        for message in shown.iter().filter(|message| message.delivery().is_some() == own) {
            let Content::Text(text) = &message.content else {
                continue;
            };
            if lost.contains(text) {
                continue;
            }
            let Some((who, number)) = text.split_once('-') else {
                continue;
            };
            // Without an archive nobody can say where a carbon that came late belongs.
            if own && !server.quirks.archive && who != client.name {
                continue;
            }
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            let number: u64 = digits.parse().unwrap_or(0);
            let before = last.insert(who, number).unwrap_or(0);
            if number < before {
                wrong.push(format!("shows {who}-{before} before {text}"));
            }
        }
        for what in wrong {
            self.found(calm, &client.name, what);
        }
    }

    /// Whether a message that says this now may have said that when it was archived.
    fn may_be(&self, now: &Content, archived: &str) -> bool {
        self.typed
            .iter()
            .filter(|typed| typed.said(archived))
            .any(|typed| match now {
                Content::Text(text) => typed.said(text),
                _ => *typed.says() == Says::Withdrawn,
            })
    }

    /// What is shown stands as the archive has it. A message that was archived twice may stand at either place.
    pub(super) fn archive_order(&mut self, client: &Client, shown: &[&Message], server: &Server, calm: Tick) {
        let archive: BTreeMap<&str, (usize, String)> = server
            .archive_of(client.account)
            .enumerate()
            .map(|(place, (id, message))| (id, (place, body(message).unwrap_or_default())))
            .collect();
        let lost: BTreeMap<&str, String> = lost_by(server, client.account)
            .map(|(id, message)| (id, body(message).unwrap_or_default()))
            .collect();
        let mut last = 0;
        for message in shown {
            let what = &message.content;
            if message.names.archive.is_empty() {
                if lost.values().any(|body| self.may_be(what, body)) {
                    continue;
                }
                self.found(calm, &client.name, format!("never found {what:?} in the archive"));
                continue;
            }
            let mut places = Vec::new();
            let mut stood_elsewhere = false;
            for id in &message.names.archive {
                match archive.get(id.as_str()) {
                    Some((place, body)) if self.may_be(what, body) => places.push(*place),
                    None if lost.get(id.as_str()).is_some_and(|body| self.may_be(what, body)) => {
                        stood_elsewhere = true;
                    }
                    _ => self.found(
                        calm,
                        &client.name,
                        format!("takes {id} for {what:?}, which it is not"),
                    ),
                }
            }
            // Where the copy stood that the server has lost, nobody knows any more.
            if stood_elsewhere {
                continue;
            }
            places.sort_unstable();
            match places.iter().find(|place| **place >= last) {
                Some(place) => last = *place,
                None => {
                    self.found(
                        calm,
                        &client.name,
                        format!("shows {what:?} later than the archive has it"),
                    );
                }
            }
        }
    }
}

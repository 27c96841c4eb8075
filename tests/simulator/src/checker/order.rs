//! Whether what is shown stands in its order: as typed, and as the archive has it.

use super::Checker;
use super::typed::Says;
use crate::client::Client;
use crate::server::Server;
use crate::server::stanza::CLIENT;
use dormouse_model::{Content, Message, Tick};
use std::collections::BTreeMap;

impl Checker {
    /// What one client typed stands in the order typed.
    pub(super) fn typing_order(&mut self, client: &Client, of: usize, shown: &[&Message], calm: Tick) {
        let own = of == client.account;
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut wrong = Vec::new();
        for message in shown.iter().filter(|message| message.delivery().is_some() == own) {
            let Content::Text(text) = &message.content else {
                continue;
            };
            let Some((who, number)) = text.split_once('-') else {
                continue;
            };
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
            .map(|(place, (id, message))| {
                let text = message
                    .get_child("body", CLIENT)
                    .map(minidom::Element::text)
                    .unwrap_or_default();
                (id, (place, text))
            })
            .collect();
        let mut last = 0;
        for message in shown {
            let what = &message.content;
            if message.names.archive.is_empty() {
                self.found(calm, &client.name, format!("never found {what:?} in the archive"));
                continue;
            }
            let mut places = Vec::new();
            for id in &message.names.archive {
                match archive.get(id.as_str()) {
                    Some((place, body)) if self.may_be(what, body) => places.push(*place),
                    _ => self.found(
                        calm,
                        &client.name,
                        format!("takes {id} for {what:?}, which it is not"),
                    ),
                }
            }
            places.sort_unstable();
            match places.iter().find(|place| **place >= last) {
                Some(place) => last = *place,
                None if places.is_empty() => {}
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

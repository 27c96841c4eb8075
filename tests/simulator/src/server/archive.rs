//! What is kept of each account's messages, and how it is read back (XEP-0313, paged by XEP-0059).
//!
//! A server does not know that it has seen a message before: what a client sends again is archived again,
//! under a new id.

use super::quirks::read_stamp;
use super::sessions::SessionId;
use super::stanza::{CLIENT, FORWARD, MAM, RSM, STANZAS, around, delay, element, set, text, with};
use super::{Kind, Server, spend};
use dormouse_model::{Closing, Stamp, Tick};
use minidom::Element;
use std::ops::Range;
use std::time::Duration;

/// One account's archive, oldest first.
#[derive(Debug, Default)]
pub(super) struct Archive(Vec<Item>);

#[derive(Debug)]
struct Item {
    id: String,
    at: Stamp,
    /// The moment itself.
    kept: Tick,
    /// The other side's bare address.
    with: String,
    message: Element,
}

impl Archive {
    /// Ids and messages, oldest first.
    pub fn items(&self) -> impl Iterator<Item = (&str, &Element)> {
        self.0.iter().map(|item| (item.id.as_str(), &item.message))
    }

    /// What was kept within so long before this moment is lost; it is returned.
    pub fn forget(&mut self, now: Tick, within: Duration) -> impl Iterator<Item = (String, Element)> + use<> {
        let written = self.0.partition_point(|item| now.since(item.kept) >= within);
        let lost = self.0.split_off(written);
        lost.into_iter().map(|item| (item.id, item.message))
    }
}

/// What a query asks for.
struct Wanted {
    before: Option<String>,
    after: Option<String>,
    max: usize,
}

impl Server {
    /// Keeps a message for an account; the id it has there.
    pub(super) fn keep(&mut self, account: usize, with: &str, message: &Element) -> String {
        let at = self.stamp();
        let id = match self.quirks.kind {
            Kind::Prosody => self.random.uuid(),
            Kind::Ejabberd => format!("{}{:03}", at.0, self.accounts[account].archive.0.len() % 1000),
        };
        // Kept as exactly as this server's clock tells time.
        let at = Stamp(at.0 - at.0.rem_euclid(self.quirks.grain()));
        let item = Item {
            id: id.clone(),
            at,
            kept: self.now,
            with: with.to_owned(),
            message: message.clone(),
        };
        self.accounts[account].archive.0.push(item);
        id
    }

    /// Whether an account's archive has held a text of its own since before this moment, and has shown it since.
    pub(super) fn has_shown(&self, account: usize, name: &str, before: Tick) -> bool {
        let own = self.accounts[account].address.as_str();
        let hidden = self.trouble[account].hidden;
        let lagged = hidden.is_some_and(|(_, until)| until > before);
        let held = self.accounts[account].archive.0.iter().any(|item| {
            let from = item.message.attr("from").and_then(|from| from.split('/').next());
            item.kept < before && item.message.attr("id") == Some(name) && from == Some(own)
        });
        self.quirks.archive && held && !lagged
    }

    /// Answers a query.
    pub(super) fn archive_query(&mut self, id: SessionId, iq: &Element, query: &Element) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        let account = session.account;
        let line = session.line;
        self.forged_answers(id, account, iq, query);
        let trouble = &mut self.trouble[account];
        if spend(&mut trouble.refused_pages) {
            return self.refuse_request(id, iq, "wait", "internal-server-error");
        }
        let wanted = wanted(query, self.quirks.page);
        let forgotten = wanted.after.is_some() && spend(&mut trouble.forgotten_ids);
        let breaks = spend(&mut trouble.broken_pages);
        let hidden = trouble
            .hidden
            .filter(|(_, until)| self.now < *until)
            .map(|(since, _)| since);
        let since = field(query, "start").and_then(|text| read_stamp(&text));
        let with_whom = field(query, "with");
        let found: Vec<&Item> = self.accounts[account]
            .archive
            .0
            .iter()
            .filter(|item| hidden.is_none_or(|hidden| item.at < hidden))
            .filter(|item| since.is_none_or(|since| item.at >= since))
            .filter(|item| with_whom.as_ref().is_none_or(|with| *with == item.with))
            .collect();
        let Some((range, complete)) = page(&found, &wanted, forgotten, self.quirks.kind) else {
            return self.refuse_request(id, iq, "cancel", "item-not-found");
        };
        let results: Vec<(String, Element)> = found[range]
            .iter()
            .map(|item| (item.id.clone(), self.result(query.attr("queryid"), account, item)))
            .collect();
        let broken_at = if breaks { results.len() / 2 } else { usize::MAX };
        let (first, last) = (
            results.first().map(|(id, _)| id.clone()),
            results.last().map(|(id, _)| id.clone()),
        );
        for (number, (_, result)) in results.into_iter().enumerate() {
            if number >= broken_at {
                break;
            }
            self.push(id, result);
        }
        if breaks {
            if let Some(line) = line {
                self.close(line, Closing::Eof);
            }
            return;
        }
        let mut set_ = element("set", RSM);
        for (name, value) in [("first", first), ("last", last)] {
            if let Some(value) = value {
                set_.append_child(text(name, RSM, &value));
            }
        }
        let mut fin = element("fin", MAM);
        if complete || self.quirks.kind == Kind::Ejabberd {
            set(
                &mut fin,
                "complete",
                Some(if complete { "true" } else { "false" }),
            );
        }
        fin.append_child(set_);
        self.answer(id, iq, Some(fin));
    }

    fn result(&self, query: Option<&str>, account: usize, item: &Item) -> Element {
        let forwarded = around(
            around(
                element("forwarded", FORWARD),
                delay(&self.domain, &self.quirks.stamp(item.at)),
            ),
            item.message.clone(),
        );
        let mut result = with("result", MAM, &[("id", &item.id)]);
        set(&mut result, "queryid", query);
        result.append_child(forwarded);
        let mut message = element("message", CLIENT);
        set(
            &mut message,
            "from",
            Some(self.accounts[account].address.as_str()),
        );
        around(message, result)
    }

    /// An error in answer to a request.
    pub(super) fn refuse_request(&mut self, id: SessionId, iq: &Element, kind: &str, condition: &str) {
        let error = around(
            with("error", CLIENT, &[("type", kind)]),
            element(condition, STANZAS),
        );
        let mut answer = with("iq", CLIENT, &[("type", "error")]);
        set(&mut answer, "id", iq.attr("id"));
        set(&mut answer, "from", iq.attr("to"));
        answer.append_child(error);
        self.push(id, answer);
    }
}

/// The items of the page asked for, and whether it reaches the end in its direction; none for an id that
/// is not known.
fn page(found: &[&Item], wanted: &Wanted, forgotten: bool, kind: Kind) -> Option<(Range<usize>, bool)> {
    let place = |id: &str| found.iter().position(|item| item.id == id);
    match (&wanted.before, &wanted.after) {
        (Some(before), _) => {
            let end = match (before.as_str(), place(before)) {
                ("", _) => found.len(),
                (_, Some(place)) => place,
                // Prosody: item-not-found. ejabberd: an empty page that claims to be all.
                (_, None) if kind == Kind::Prosody => return None,
                (_, None) => 0,
            };
            let start = end.saturating_sub(wanted.max);
            Some((start..end, start == 0))
        }
        (None, after) => {
            let start = match after.as_deref().map(|after| place(after).filter(|_| !forgotten)) {
                None => 0,
                Some(Some(place)) => place + 1,
                // Prosody: item-not-found. ejabberd: from the start, as if nothing were wrong.
                Some(None) if kind == Kind::Prosody => return None,
                Some(None) => 0,
            };
            let end = (start + wanted.max).min(found.len());
            Some((start..end, end == found.len()))
        }
    }
}

fn wanted(query: &Element, most: usize) -> Wanted {
    let rsm = query.get_child("set", RSM);
    let part = |name: &str| rsm.and_then(|set| set.get_child(name, RSM)).map(Element::text);
    let max = part("max").and_then(|max| max.parse().ok()).unwrap_or(most);
    Wanted {
        before: part("before"),
        after: part("after"),
        max: max.min(most),
    }
}

/// A field of the query's form (XEP-0313 section 4.1).
fn field(query: &Element, name: &str) -> Option<String> {
    let form = query.get_child("x", "jabber:x:data")?;
    let field = form.children().find(|field| field.attr("var") == Some(name))?;
    Some(field.get_child("value", "jabber:x:data")?.text())
}

//! Message archive management (XEP-0313): asking the own archive, and gathering its answers.
//!
//! An answer is not one stanza: the items come as messages, each with the name of the query, and then the
//! result of the request with `<fin/>`. The [`Collector`] puts them together to one [`ArchivePage`]. An item that
//! can't be read is an item still: its id counts, or coverage would have a hole where it was.
//!
//! An archive result puts words into everybody's mouth, so it is believed only from the archive that was asked
//! and only with the name of a query in flight (section 4.2). Names can't be guessed: a random prefix, given anew
//! with each collector, and the query's number.
//!
//! What the servers do: Prosody omits `complete` when it is false and stamps whole seconds; ejabberd says it
//! explicitly, stamps microseconds, answers `after` an id it does not know with the archive *from the start*, and
//! `before` such an id with an empty, complete page. Neither can be seen in the answer itself; who pages must not
//! conclude more than the stamps and ids of the items show.

use crate::addressing;
use crate::message::{self, Trust};
use crate::stanza_id::usable;
use crate::xml::draft;
use crate::{delay, forwarding, rsm};
use dormouse_model::{
    ArchiveFailure, ArchiveId, ArchiveItem, ArchivePage, ArchiveQuery, BareJid, Claim, Incoming, Payload,
    QueryId, Random, Refusal, Stamp,
};
use minidom::Element;
use std::collections::BTreeMap;

/// The namespace, and the feature of an account that has an archive.
pub const NS: &str = "urn:xmpp:mam:2";

/// The feature of an archive that knows more filters (section 7.2).
pub const EXTENDED: &str = "urn:xmpp:mam:2#extended";

/// The namespace of data forms (XEP-0004).
const FORMS: &str = "jabber:x:data";

/// Whatever `max` said, an honest server with its own idea of a page stays below this many items more.
const SLACK: usize = 200;

/// So many bytes of answers are held at a time, over all queries. The largest honest page (250 messages of 256 KiB, the
/// most that a server takes by default) is below it.
const HELD: usize = 64 * 1024 * 1024;

/// Of more queries than these that were never answered the oldest are forgotten: who asks gives up after a minute.
const IN_FLIGHT: usize = 16;

/// The queries in flight and what has come for them.
#[derive(Debug)]
pub struct Collector {
    prefix: String,
    pending: BTreeMap<QueryId, Pending>,
}

#[derive(Debug)]
struct Pending {
    /// More items than this are a lie, and not kept.
    most: usize,
    items: Vec<ArchiveItem>,
    /// The bytes that the items take, about.
    weight: usize,
    spoilt: Option<&'static str>,
    /// A stanza could not even be looked into while it was awaited: it may have been one of its results.
    missed: bool,
}

impl Collector {
    /// A collector whose queries have names that nobody can guess.
    pub fn new(random: &mut Random) -> Self {
        Self {
            prefix: random.uuid(),
            pending: BTreeMap::new(),
        }
    }

    /// The `<query/>` for a request of type `set`; from now on its results are expected.
    pub fn ask(&mut self, query: &ArchiveQuery) -> Element {
        let most = usize::try_from(query.max)
            .unwrap_or(usize::MAX)
            .saturating_add(SLACK);
        self.pending.insert(
            query.id,
            Pending {
                most,
                items: Vec::new(),
                weight: 0,
                spoilt: None,
                missed: false,
            },
        );
        while self.pending.len() > IN_FLIGHT {
            self.pending.pop_first();
        }
        draft("query", NS)
            .attr("queryid", &self.wire_name(query.id))
            .child(form(query))
            .child(rsm::request(&query.page, query.max))
            .done()
    }

    /// Takes in a message if it is an archive result. None if it is not one; the query that it belongs to; or
    /// an error if it is one that may not be believed.
    pub fn result(&mut self, stanza: &Element, own: &BareJid) -> Option<Result<QueryId, Refusal>> {
        let result = stanza.get_child("result", NS)?;
        let query = result.attr("queryid").and_then(|name| self.query(name));
        let claim = Claim::ArchiveResult {
            asked: own,
            pending: query.is_some(),
        };
        let from = match addressing::stated_from(stanza) {
            Ok(from) => from,
            Err(_) => {
                return Some(Err(Refusal {
                    claim: claim.word(),
                    from: None,
                }));
            }
        };
        if let Err(refusal) = claim.by(from.as_ref(), own) {
            return Some(Err(refusal));
        }
        let query = query?;
        let held: usize = self.pending.values().map(|pending| pending.weight).sum();
        if let Some(pending) = self.pending.get_mut(&query) {
            let before = pending.weight;
            pending.take(result, own);
            if held - before + pending.weight > HELD {
                pending.spoil("more than can be held at a time");
            }
        }
        Some(Ok(query))
    }

    /// The answer to the request: the whole `<iq/>` of type `result` or `error`, which the session has matched
    /// by id and sender. None if the query is not in flight.
    pub fn finish(&mut self, query: QueryId, iq: &Element) -> Option<Result<ArchivePage, ArchiveFailure>> {
        let mut pending = self.pending.remove(&query)?;
        let Some(fin) = iq.get_child("fin", NS) else {
            return Some(Err(failure(iq)));
        };
        let bounds = rsm::bounds(fin);
        if let Some(why) = pending.spoilt {
            return Some(Err(ArchiveFailure::Refused(why.to_owned())));
        }
        if pending.items.is_empty() && pending.missed {
            // They stand in the answer by their ids alone, or reading would stop before them for ever.
            pending.items = bounds
                .ids()
                .map(|id| ArchiveItem {
                    id,
                    stamp: UNSTAMPED,
                    message: None,
                })
                .collect();
        }
        if pending.items.is_empty() && (bounds.first.is_some() || bounds.last.is_some()) {
            // The stream keeps order: what has not come by now will not come.
            return Some(Err(ArchiveFailure::Refused("results are missing".to_owned())));
        }
        Some(Ok(ArchivePage {
            query,
            items: pending.stamped(),
            count: bounds.count,
            complete: flag(fin, "complete").unwrap_or(false),
            stable: flag(fin, "stable").unwrap_or(true),
        }))
    }

    /// Gives up all queries, as when their session has ended: results that still come are refused.
    pub fn abandon(&mut self) -> Vec<QueryId> {
        std::mem::take(&mut self.pending).into_keys().collect()
    }

    /// A stanza came that could not be looked into: it may have been a result of any query.
    pub fn missed(&mut self) {
        for pending in self.pending.values_mut() {
            pending.missed = true;
        }
    }

    fn wire_name(&self, query: QueryId) -> String {
        format!("{}-{query}", self.prefix)
    }

    fn query(&self, wire_name: &str) -> Option<QueryId> {
        let number = wire_name.strip_prefix(&self.prefix)?.strip_prefix('-')?;
        let query = QueryId(number.parse().ok()?);
        // Compared as written, so that `+7` and `07` are not names of the seventh.
        (self.pending.contains_key(&query) && self.wire_name(query) == wire_name).then_some(query)
    }
}

impl Pending {
    fn take(&mut self, result: &Element, own: &BareJid) {
        if self.spoilt.is_some() {
            return;
        }
        if self.items.len() >= self.most {
            self.spoil("more results than asked for");
            return;
        }
        let Some(id) = usable(result.attr("id")).map(ArchiveId::from) else {
            self.spoil("a result without id");
            return;
        };
        let forwarded = forwarding::open(result);
        let stamp = forwarded.and_then(|forwarded| forwarded.stamp);
        let message = forwarded
            .and_then(|forwarded| forwarded.message)
            .and_then(|message| message::read(message, own, Trust::default()).ok())
            .map(|message| Incoming {
                archive: Some(id.clone()),
                stamp: message.stamp.or(stamp),
                ..message
            });
        let stamp = stamp
            .or_else(|| message.as_ref().and_then(|message| message.stamp))
            .unwrap_or(UNSTAMPED);
        let item = ArchiveItem { id, stamp, message };
        self.weight += weight(&item);
        self.items.push(item);
    }

    fn spoil(&mut self, why: &'static str) {
        self.spoilt = Some(why);
        self.items = Vec::new();
        self.weight = 0;
    }

    /// The items, each without a time of its own given that of its nearest neighbour: they are in order.
    fn stamped(mut self) -> Vec<ArchiveItem> {
        let mut last = None;
        for item in &mut self.items {
            fill(&mut item.stamp, &mut last);
        }
        for item in self.items.iter_mut().rev() {
            fill(&mut item.stamp, &mut last);
        }
        for item in &mut self.items {
            if item.stamp == UNSTAMPED {
                item.stamp = Stamp(0);
            }
        }
        self.items
    }
}

/// The bytes that an item takes, about: all but its text is short.
fn weight(item: &ArchiveItem) -> usize {
    let text = match item.message.as_ref().map(|message| &message.payload) {
        Some(Payload::Text(text) | Payload::Edit { body: text, .. }) => text.len(),
        _ => 0,
    };
    1024 + text
}

/// Stands for a missing time within this file; no date on the wire can be it.
const UNSTAMPED: Stamp = Stamp(i64::MIN);

fn fill(stamp: &mut Stamp, last: &mut Option<Stamp>) {
    if *stamp == UNSTAMPED {
        if let Some(last) = last {
            *stamp = *last;
        }
    } else {
        *last = Some(*stamp);
    }
}

/// The filter (section 4.1). `start` is cut to whole seconds: an archive that keeps whole seconds would otherwise
/// leave out what came earlier in that second.
fn form(query: &ArchiveQuery) -> Element {
    let field = |name: &str, value: &str| {
        draft("field", FORMS)
            .attr("var", name)
            .child(draft("value", FORMS).text(value))
    };
    let form_type = draft("field", FORMS)
        .attr("var", "FORM_TYPE")
        .attr("type", "hidden")
        .child(draft("value", FORMS).text(NS));
    let mut form = draft("x", FORMS).attr("type", "submit").child(form_type);
    if let Some(with) = &query.with {
        form = form.child(field("with", with.as_str()));
    }
    if let Some(since) = query.since {
        form = form.child(field("start", &delay::format_seconds(since)));
    }
    form.done()
}

fn failure(iq: &Element) -> ArchiveFailure {
    let condition = iq
        .children()
        .find(|child| child.name() == "error")
        .and_then(message::condition);
    match condition.as_deref() {
        Some("item-not-found") => ArchiveFailure::ItemNotFound,
        // What a server without archive says to an unknown request, and one that keeps none for us.
        Some("service-unavailable" | "feature-not-implemented" | "forbidden" | "not-allowed") => {
            ArchiveFailure::NoArchive
        }
        Some(other) => ArchiveFailure::Refused(other.to_owned()),
        None => ArchiveFailure::Refused("an answer without an end of results".to_owned()),
    }
}

/// A boolean of XML Schema.
fn flag(element: &Element, name: &str) -> Option<bool> {
    match element.attr(name)?.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
#[path = "mam_tests.rs"]
mod tests;

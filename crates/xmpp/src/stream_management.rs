//! Stream management (XEP-0198): what each side has handled, and a session that survives its connection.
//!
//! Two counters, both modulo 2^32. *Sent*: stanzas we sent; those that the server has not yet confirmed
//! wait in a queue, in order, and are sent again when the session is resumed. *Handled*: stanzas of
//! the server that we have dealt with. They exist three times, because dealing with one means storing it:
//! handled in memory, handed to the disk, and on disk. Only the last is ever told to the server.
//!
//! All of it is kept on disk, so that the session can go on in another process. There the server may have
//! confirmed more than we remember sending (the process died between sending and storing): its count is
//! adopted, once.

use crate::xml::draft;
use dormouse_model::{BatchId, Draft, Key, MessageId, Stamp};
use minidom::Element;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The namespace, and the stream feature.
pub(crate) const NS: &str = "urn:xmpp:sm:3";

/// After this many stanzas without confirmation one is asked for, even if nobody waits for it.
pub(crate) const ASK_EVERY: usize = 25;

/// What the server calls a session is written with each stanza: longer (in bytes) it is not taken.
const LONGEST_NAME: usize = 4096;

/// For how long a server keeps a session that does not say, in seconds: the shortest that is usual (ejabberd's).
const USUALLY_KEPT: u32 = 300;

/// A stanza that was sent and not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unacked {
    /// As it was sent.
    pub stanza: String,
    /// The message it carries, if somebody waits for its confirmation.
    pub token: Option<MessageId>,
    /// It is a receipt or a marker: it says the same on any session.
    #[serde(default)]
    pub courtesy: bool,
}

/// What a session leaves behind that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// Messages whose fate is not known.
    pub doubtful: Vec<MessageId>,
    /// Receipts and markers that may not have arrived, in order.
    pub courtesies: Vec<String>,
    /// Records to be deleted.
    pub stale: Vec<u32>,
}

/// What the disk holds of a session, beside the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The server's name for the session; none if it can't be resumed.
    pub id: Option<String>,
    /// Where the server would like to be dialled to resume. Data.
    pub location: Option<String>,
    /// For how long the server keeps the session at most, in seconds.
    pub max: Option<u32>,
    /// The full address that is bound.
    pub address: String,
    /// Stanzas of the server that are handled in the batch that holds this.
    pub handled: u32,
    /// Stanzas of ours that the server has confirmed.
    pub acked: u32,
    /// When the server was last heard on it, as far as that was written down.
    #[serde(default)]
    pub heard: Stamp,
}

/// The server confirmed stanzas that we never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooHigh;

/// One managed session.
#[derive(Debug)]
pub(crate) struct Managed {
    record: Record,
    queue: VecDeque<Unacked>,
    /// How many at the front of the queue the disk has, or will have with the batches issued.
    written: usize,
    /// Records to be deleted.
    stale: Vec<u32>,
    /// What `handled` was when it was last written into a draft.
    drafted: Option<u32>,
    /// Batches on their way to the disk, and the count that each makes durable.
    issued: VecDeque<(BatchId, u32)>,
    /// The count that is on disk.
    durable: u32,
    /// The count that the server was last told on this stream.
    told: Option<u32>,
    /// The queue was read from disk: the server may know of more.
    adopts: bool,
    changed: bool,
}

impl Managed {
    /// A session that the server has just enabled; `sent` went out behind the request, and counts.
    pub(crate) fn enabled(enabled: &Element, address: String, sent: Vec<Unacked>) -> Self {
        let resumable = matches!(enabled.attr("resume"), Some("true" | "1"));
        let id = enabled
            .attr("id")
            .filter(|id| resumable && !id.is_empty() && id.len() <= LONGEST_NAME);
        let record = Record {
            id: id.map(str::to_owned),
            location: enabled
                .attr("location")
                .filter(|location| location.len() <= LONGEST_NAME)
                .map(str::to_owned),
            max: enabled.attr("max").and_then(|max| max.parse().ok()),
            address,
            handled: 0,
            acked: 0,
            heard: Stamp::default(),
        };
        Self {
            record,
            queue: sent.into(),
            written: 0,
            stale: Vec::new(),
            drafted: None,
            issued: VecDeque::new(),
            durable: 0,
            told: Some(0),
            adopts: false,
            changed: true,
        }
    }

    /// A session as the disk holds it. `queue` in any order, with its counts.
    pub(crate) fn restored(record: Record, mut queue: Vec<(u32, Unacked)>) -> Self {
        queue.sort_by_key(|(count, _)| count.wrapping_sub(record.acked));
        // A record outside of the unbroken row behind the confirmed ones is a leftover.
        let mut row = VecDeque::new();
        let mut stale = Vec::new();
        for (count, unacked) in queue {
            let expected = record.acked.wrapping_add(as_count(row.len())).wrapping_add(1);
            if count == expected {
                row.push_back(unacked);
            } else {
                stale.push(count);
            }
        }
        let handled = record.handled;
        Self {
            written: row.len(),
            changed: !stale.is_empty(),
            record,
            queue: row,
            stale,
            drafted: Some(handled),
            issued: VecDeque::new(),
            durable: handled,
            told: None,
            adopts: true,
        }
    }

    /// The server's name for the session, if it can be resumed.
    pub(crate) fn resumption_id(&self) -> Option<&str> {
        self.record.id.as_deref()
    }

    /// The server was heard.
    pub(crate) fn heard(&mut self, now: Stamp) {
        self.record.heard = now;
    }

    /// Whether the server may be expected to hold the session still: it was heard within the time that it keeps
    /// sessions, or within what servers usually do where it does not say.
    pub(crate) fn is_expected(&self, now: Stamp) -> bool {
        let kept = i64::from(self.record.max.unwrap_or(USUALLY_KEPT)) * 1000;
        now.0.saturating_sub(self.record.heard.0) < kept
    }

    /// A stanza is sent. Whether it is time to ask for a confirmation.
    pub(crate) fn sent(&mut self, stanza: Unacked) -> bool {
        self.queue.push_back(stanza);
        self.changed = true;
        self.queue.len().is_multiple_of(ASK_EVERY)
    }

    /// A stanza of the server has been handled, in memory.
    pub(crate) fn handled(&mut self) {
        self.record.handled = self.record.handled.wrapping_add(1);
        self.changed = true;
    }

    /// The server has handled `h` stanzas of ours: the messages among them.
    pub(crate) fn confirmed(&mut self, h: u32) -> Result<Vec<MessageId>, TooHigh> {
        let ahead = h.wrapping_sub(self.record.acked);
        let count = usize::try_from(ahead).unwrap_or(usize::MAX);
        // After a restart the server may have got what we had sent and not yet written down. A count that goes
        // back looks like one far ahead, and is never right.
        let adopts = self.adopts && ahead <= u32::MAX / 2;
        if count > self.queue.len() && !adopts {
            return Err(TooHigh);
        }
        let count = count.min(self.queue.len());
        let messages = self
            .queue
            .drain(..count)
            .filter_map(|unacked| unacked.token)
            .collect();
        for back in 0..self.written.min(count) {
            self.stale
                .push(self.record.acked.wrapping_add(as_count(back)).wrapping_add(1));
        }
        self.written = self.written.saturating_sub(count);
        self.changed |= self.record.acked != h;
        self.record.acked = h;
        Ok(messages)
    }

    /// Whether no message waits for its confirmation.
    pub(crate) fn all_confirmed(&self) -> bool {
        self.queue.iter().all(|unacked| unacked.token.is_none())
    }

    /// What the server has not confirmed, in order.
    pub(crate) fn queue(&self) -> impl Iterator<Item = &Unacked> {
        self.queue.iter()
    }

    /// The request to resume. What was handled and is not on disk will be sent again, and counted again.
    pub(crate) fn resume(&mut self) -> Option<Element> {
        let id = self.record.id.clone()?;
        if self.record.handled != self.durable {
            self.record.handled = self.durable;
            self.changed = true;
        }
        self.issued.clear();
        self.drafted = Some(self.durable);
        self.told = Some(self.durable);
        Some(
            draft("resume", NS)
                .attr("previd", &id)
                .attr("h", &self.durable.to_string())
                .done(),
        )
    }

    /// The server resumed and said how much it has handled. From now on its counts must fit.
    pub(crate) fn resumed(&mut self, h: u32) -> Result<Vec<MessageId>, TooHigh> {
        let messages = self.confirmed(h);
        self.adopts = false;
        messages
    }

    /// The confirmation for the server: what is on disk, no more.
    pub(crate) fn answer(&mut self) -> Element {
        self.told = Some(self.durable);
        draft("a", NS).attr("h", &self.durable.to_string()).done()
    }

    /// The draft's writes have become this batch.
    pub(crate) fn issued(&mut self, batch: BatchId) {
        if let Some(handled) = self.drafted.take() {
            self.issued.push_back((batch, handled));
        }
    }

    /// Everything up to this batch is on disk. Whether the server should be told.
    pub(crate) fn durable(&mut self, batch: BatchId) -> bool {
        while let Some((issued, handled)) = self.issued.front().copied() {
            if issued > batch {
                break;
            }
            self.durable = handled;
            self.issued.pop_front();
        }
        self.told.is_some_and(|told| told != self.durable)
    }

    /// Writes what has changed.
    pub(crate) fn save(&mut self, draft: &mut Draft<'_>) {
        for count in self.stale.drain(..) {
            draft.delete(&Key::Unacked(count));
        }
        for (index, unacked) in self.queue.iter().enumerate().skip(self.written) {
            let count = self.record.acked.wrapping_add(as_count(index)).wrapping_add(1);
            draft.put(&Key::Unacked(count), unacked);
        }
        self.written = self.queue.len();
        self.drafted = Some(self.record.handled);
        self.changed = false;
    }

    /// Whether there is something to write.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed
    }

    /// What the disk is to hold beside the queue.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// The session is over.
    pub(crate) fn over(self) -> Left {
        let acked = self.record.acked;
        let kept = (0..self.written).map(|index| acked.wrapping_add(as_count(index)).wrapping_add(1));
        let mut left = Left {
            doubtful: Vec::new(),
            courtesies: Vec::new(),
            stale: self.stale.iter().copied().chain(kept).collect(),
        };
        for unacked in self.queue {
            left.doubtful.extend(unacked.token);
            if unacked.courtesy {
                left.courtesies.push(unacked.stanza);
            }
        }
        left
    }
}

/// A length as a count. Longer than 2^32 no queue can be.
fn as_count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Asks for resumable stream management.
pub(crate) fn enable() -> Element {
    draft("enable", NS).attr("resume", "true").done()
}

/// Asks for a confirmation. A frame as it is: hearts beat all day.
pub(crate) const REQUEST: &str = "<r xmlns='urn:xmpp:sm:3'/>";

/// Reads what is asked and answered all day, in the shape in which servers write it: `<r/>` and `<a/>` with nothing but
/// their namespace and the count. None for any other text; only [`crate::frame::read`] says what that is.
pub(crate) fn read_plainly(frame: &str) -> Option<Element> {
    let (name, mut rest) = frame.strip_prefix('<')?.strip_suffix("/>")?.split_once(' ')?;
    let mut element = match name {
        "r" | "a" => draft(name, NS),
        _ => return None,
    };
    let mut seen = (false, false);
    while !rest.is_empty() {
        let (attribute, after) = rest.split_once('=')?;
        let quote = after.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (value, after) = after.get(1..)?.split_once(quote)?;
        match attribute {
            "xmlns" if value == NS && !seen.0 => seen.0 = true,
            "h" if !seen.1 && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                seen.1 = true;
                element = element.attr("h", value);
            }
            _ => return None,
        }
        rest = match after.strip_prefix(' ') {
            Some("") => return None,
            Some(more) => more,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    seen.0.then(|| element.done())
}

/// The `h` of an element.
pub(crate) fn h(element: &Element) -> Option<u32> {
    element.attr("h")?.trim().parse().ok()
}

#[cfg(test)]
#[path = "stream_management_tests.rs"]
mod tests;

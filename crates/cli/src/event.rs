//! Events as JSON lines: what `dormouse-cli run` writes on standard output. See `docs/cli.md`.

use crate::words;
use dormouse_diagnosis::Finding;
use dormouse_diagnosis::wire::{Direction, Frame};
use dormouse_engine::model::{
    Availability, Change, ChatState, Connection, ConnectionState, Contact, Content, Conversation, Delivery,
    Message, MessageId, Now, RoundTrip, Side, Subscription, Transition,
};
use dormouse_engine::{Status, Stretch};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The tags of this run's own messages, by id.
pub type Tags = BTreeMap<MessageId, String>;

/// A change as an event. The present is needed to say how long a wait still is.
pub fn change(change: &Change, tags: &Tags, now: Now) -> Value {
    match change {
        Change::Connection(it) => connection(it, now),
        Change::RoundTrip(it) => {
            let mut event = round_trip(it);
            event["event"] = json!("round-trip");
            event
        }
        Change::Message(it) => {
            let mut event = message(it, tags);
            event["event"] = json!("message");
            event
        }
        Change::Conversation(it) => conversation(it, tags),
        Change::Removed { id, conversation } => {
            json!({"event": "removed", "id": id.0, "conversation": conversation.as_str()})
        }
        Change::Contact(it) => contact(it),
        Change::ContactRemoved(address) => {
            json!({"event": "contact", "address": address.as_str(), "removed": true})
        }
        Change::Request(from) => json!({"event": "request", "from": from.as_str()}),
        Change::RequestGone(from) => json!({"event": "request", "from": from.as_str(), "gone": true}),
        Change::Blocked { address, blocked } => {
            json!({"event": "blocked", "address": address.as_str(), "blocked": blocked})
        }
        Change::ChatState { conversation, state } => json!({
            "event": "typing", "conversation": conversation.as_str(),
            "typing": *state == Some(ChatState::Composing),
        }),
        Change::CatchUp {
            stored,
            expected,
            done,
        } => json!({"event": "catch-up", "stored": stored, "expected": expected, "done": done}),
        Change::Older { conversation, more } => {
            json!({"event": "older", "conversation": conversation.as_str(), "more": more})
        }
        Change::Stored => json!({"event": "stored"}),
        Change::Notice(it) => json!({"event": "notice", "kind": it.name(), "text": it.sentence()}),
        Change::NoticeGone(name) => json!({"event": "notice", "kind": name, "gone": true}),
    }
}

fn conversation(it: &Conversation, tags: &Tags) -> Value {
    json!({
        "event": "conversation", "conversation": it.with.as_str(), "unread": it.unread, "draft": it.draft,
        "last": it.last.as_ref().map(|last| message(last, tags)),
        "read_up_to": it.read_up_to.map(|place| place.to_string()),
    })
}

fn connection(it: &Connection, now: Now) -> Value {
    let mut event = json!({
        "event": "connection", "state": it.state.name(), "reason": it.cause.sentence(), "at": it.since.0,
    });
    match it.state {
        ConnectionState::Connecting { attempt } => event["attempt"] = json!(attempt),
        ConnectionState::Waiting { attempt, until } => {
            event["attempt"] = json!(attempt);
            event["retry_in"] = json!(millis(until.since(now.tick)));
        }
        _ => {}
    }
    event
}

fn contact(it: &Contact) -> Value {
    json!({
        "event": "contact", "address": it.address.as_str(), "name": it.name, "asked": it.asked,
        "subscription": match it.subscription {
            Subscription::None => "none", Subscription::To => "to",
            Subscription::From => "from", Subscription::Both => "both",
        },
        "availability": match it.availability() {
            Availability::Online => "online", Availability::Away => "away",
            Availability::DoNotDisturb => "dnd", Availability::ExtendedAway => "xa",
            Availability::Offline => "offline", Availability::Unknown => "unknown",
        },
    })
}

fn message(it: &Message, tags: &Tags) -> Value {
    let (kind, body) = match &it.content {
        Content::Text(text) => ("text", Some(text.as_str())),
        Content::Encrypted(name) => ("encrypted", Some(name.as_str())),
        Content::Unreadable(what) => ("unreadable", Some(what.as_str())),
        Content::Retracted => ("retracted", None),
    };
    let (state, why) = match &it.side {
        Side::Theirs => (None, None),
        Side::Own(Delivery::Queued) => (Some("queued"), None),
        Side::Own(Delivery::Sent) => (Some("sent"), None),
        Side::Own(Delivery::Delivered) => (Some("delivered"), None),
        Side::Own(Delivery::Read) => (Some("read"), None),
        Side::Own(Delivery::Failed(failure)) => (Some("failed"), Some(words::why(failure))),
    };
    json!({
        "id": it.id.0, "conversation": it.conversation.as_str(), "from": it.sender.to_string(),
        "direction": if it.delivery().is_some() { "out" } else { "in" },
        "kind": kind, "body": body, "at": it.stamp.0, "edited": it.edited.is_some(),
        "origin_id": it.names.origin.as_ref().map(|id| id.as_str()),
        "archive_ids": it.names.archive.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "state": state, "why": why, "place": it.place.to_string(), "tag": tags.get(&it.id),
    })
}

/// The answer to `history`.
pub fn history(with: &str, stretch: &Stretch, tags: &Tags) -> Value {
    let hole = stretch.hole.map(|(from, to)| [from.to_string(), to.to_string()]);
    json!({
        "event": "history", "conversation": with, "gap": hole.is_some(), "hole": hole,
        "more": stretch.more, "newer": stretch.newer, "beginning": stretch.beginning,
        "messages": stretch.messages.iter().map(|it| message(it, tags)).collect::<Vec<_>>(),
    })
}

/// The answer to `status`.
pub fn status(it: &Status) -> Value {
    let account = &it.account;
    let connection = &account.connection;
    let mut event = json!({
        "event": "status", "state": connection.state.name(), "reason": connection.cause.sentence(),
        "since": connection.since.0, "outbox": account.outbox, "ready": account.session_ready,
        "caught_up": account.caught_up, "interval_ms": millis(account.interval),
        "interval_learnt": account.interval_learnt, "interval_given_ms": account.interval_given.map(millis),
    });
    if let Some(path) = &it.path {
        event["endpoint"] = json!(path.endpoint.0);
        event["peer"] = json!(path.peer.to_string());
        event["tls"] = json!(path.tls.map(|version| version.name()));
        event["heard"] = json!(path.heard.0);
    }
    if let Some(signed_in) = &account.signed_in {
        event["mechanism"] = json!(signed_in.mechanism);
        event["resumed"] = json!(signed_in.resumed);
    }
    if let Some(it) = &account.round_trip {
        event["round_trip"] = round_trip(it);
    }
    event
}

/// How long answers took lately.
fn round_trip(it: &RoundTrip) -> Value {
    json!({"now_ms": millis(it.now), "median_ms": millis(it.median), "worst_ms": millis(it.worst)})
}

/// A line of the connection's history.
pub fn transition(it: &Transition) -> Value {
    json!({
        "event": "transition", "at": it.at.0, "state": it.to.name(), "reason": it.cause.sentence(),
        "code": it.code(), "wait_ms": it.wait_ms, "attempt": it.attempt,
        "ran_until": it.ran_until.map(|stamp| stamp.0),
        "recovery": it.recovery.map(|recovery| json!({
            "took_ms": recovery.took_ms, "by": recovery.by.name(), "messages": recovery.messages,
        })),
    })
}

/// Something that the connection's history shows.
pub fn finding(it: &Finding) -> Value {
    json!({"event": "finding", "kind": it.name(), "text": it.sentence()})
}

/// A frame that passed.
pub fn frame(it: &Frame) -> Value {
    json!({
        "event": "frame", "at": it.at.0, "conn": it.conn.0, "size": it.size, "opcode": it.opcode.name(),
        "direction": match it.direction { Direction::Out => "out", Direction::In => "in" },
        "kind": it.kind, "content": it.content,
    })
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

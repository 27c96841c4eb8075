//! What the engine tells, as the window gets it: codes become sentences, names become harmless, moments become
//! milliseconds.
//!
//! A [`View`] belongs to one account and takes its changes in order. It remembers who is on the roster and
//! what the list of conversations shows, because how somebody looks depends on both: when a contact gets
//! another name, the conversation with them is told anew.

use crate::protocol::{self, Change};
use crate::tags::Tags;
use crate::words::Words;
use dormouse_engine::model::{
    self, BareJid, Cause, ChatState, Condition, ConnectionState, Now, Place, Side, Subscription,
};
use dormouse_names::Book;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The longest text that a list of conversations gets, in characters.
const EXCERPT: usize = 160;

/// One account as its window sees it.
pub struct View {
    words: Arc<Words>,
    book: Book,
    roster: BTreeSet<BareJid>,
    conversations: BTreeMap<BareJid, model::Conversation>,
}

impl View {
    /// Of an account of which nothing is known yet.
    pub fn new(words: Arc<Words>) -> Self {
        Self {
            words,
            book: Book::new(),
            roster: BTreeSet::new(),
            conversations: BTreeMap::new(),
        }
    }

    /// The present as changes from nothing. Whoever is on the roster is known before anybody is shown.
    pub fn snapshot(&mut self, changes: Vec<model::Change>, tags: &Tags, now: Now) -> Vec<Change> {
        *self = Self::new(Arc::clone(&self.words));
        for change in &changes {
            if let model::Change::Contact(contact) = change {
                self.enter(contact);
            }
        }
        let mut shown = Vec::with_capacity(changes.len());
        for change in changes {
            self.change(change, tags, now, &mut shown);
        }
        shown
    }

    /// One change; what the window is told of it is added to `out`.
    pub fn change(&mut self, change: model::Change, tags: &Tags, now: Now, out: &mut Vec<Change>) {
        match change {
            model::Change::Connection(connection) => {
                out.push(Change::Connection(self.connection(&connection, now)));
            }
            model::Change::RoundTrip(round_trip) => {
                let millis = |length: Duration| u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
                out.push(Change::RoundTrip(protocol::RoundTrip {
                    now: millis(round_trip.now),
                    median: millis(round_trip.median),
                    worst: millis(round_trip.worst),
                    at: now.stamp.0,
                }));
            }
            model::Change::Conversation(conversation) => {
                out.push(Change::Conversation(self.conversation(&conversation, tags)));
                if conversation.is_nothing() {
                    self.conversations.remove(&conversation.with);
                } else {
                    self.conversations
                        .insert(conversation.with.clone(), *conversation);
                }
            }
            model::Change::Message(message) => out.push(Change::Message(self.message(&message, tags))),
            model::Change::Removed { id, conversation } => out.push(Change::Removed {
                id: id.0,
                with: conversation.to_string(),
            }),
            model::Change::Contact(contact) => {
                let before = self.person(&contact.address);
                self.enter(&contact);
                out.push(Change::Contact(self.contact(&contact)));
                self.look_again(&contact.address, &before, tags, out);
            }
            model::Change::ContactRemoved(address) => {
                let before = self.person(&address);
                self.roster.remove(&address);
                self.book.remove(address.as_str());
                out.push(Change::ContactRemoved {
                    address: address.to_string(),
                });
                self.look_again(&address, &before, tags, out);
            }
            model::Change::Request(address) => out.push(Change::Request {
                person: self.person(&address),
            }),
            model::Change::RequestGone(address) => out.push(Change::RequestGone {
                address: address.to_string(),
            }),
            model::Change::Blocked { address, blocked } => out.push(Change::Blocked {
                address: address.to_string(),
                blocked,
            }),
            model::Change::ChatState { conversation, state } => out.push(Change::Typing {
                with: conversation.to_string(),
                typing: state == Some(ChatState::Composing),
            }),
            model::Change::CatchUp {
                stored,
                expected,
                done,
            } => out.push(Change::CatchUp {
                stored,
                expected,
                done,
            }),
            model::Change::Older { conversation, more } => out.push(Change::Older {
                with: conversation.to_string(),
                more,
            }),
            model::Change::Notice(notice) => out.push(Change::Notice {
                name: notice.name().to_owned(),
                text: Some(self.words.notice(&notice)),
            }),
            // What is shown is what was told, on the disk or a moment later.
            model::Change::Stored => {}
            model::Change::NoticeGone(name) => out.push(Change::Notice {
                name: name.to_owned(),
                text: None,
            }),
        }
    }

    fn enter(&mut self, contact: &model::Contact) {
        self.roster.insert(contact.address.clone());
        self.book.set(contact.address.as_str(), contact.name.as_deref());
    }

    /// Tells a conversation anew if whom it is with looks different now.
    fn look_again(&self, address: &BareJid, before: &protocol::Person, tags: &Tags, out: &mut Vec<Change>) {
        if let Some(conversation) = self.conversations.get(address)
            && self.person(address) != *before
        {
            out.push(Change::Conversation(self.conversation(conversation, tags)));
        }
    }

    /// Somebody, by their address.
    pub fn person(&self, address: &BareJid) -> protocol::Person {
        let guise = self.book.guise(address.as_str());
        protocol::Person {
            address: address.to_string(),
            name: guise.shown,
            initials: guise.initials,
            hue: guise.hue,
            stranger: !self.roster.contains(address),
            warning: guise.warning.map(|warning| self.words.warning(&warning)),
        }
    }

    fn contact(&self, contact: &model::Contact) -> protocol::Contact {
        protocol::Contact {
            person: self.person(&contact.address),
            availability: availability(contact.availability()),
            we_see_them: matches!(contact.subscription, Subscription::To | Subscription::Both),
            they_see_us: contact.subscription.they_see_us(),
            asked: contact.asked,
        }
    }

    fn conversation(&self, conversation: &model::Conversation, tags: &Tags) -> protocol::Conversation {
        let mut last = conversation
            .last
            .as_ref()
            .map(|message| self.message(message, tags));
        if let Some(protocol::Message {
            content: protocol::Content::Text { body },
            ..
        }) = &mut last
        {
            *body = excerpt(body, EXCERPT);
        }
        protocol::Conversation {
            person: self.person(&conversation.with),
            last,
            unread: conversation.unread,
            read_up_to: conversation.read_up_to.map(|place| place.to_string()),
            draft: conversation.draft.clone(),
        }
    }

    /// A message.
    pub fn message(&self, message: &model::Message, tags: &Tags) -> protocol::Message {
        message_in(&self.words, message, tags)
    }

    fn connection(&self, connection: &model::Connection, now: Now) -> protocol::Connection {
        connection_in(&self.words, connection, now)
    }
}

/// A message, its sentences in these words.
pub fn message_in(words: &Words, message: &model::Message, tags: &Tags) -> protocol::Message {
    protocol::Message {
        id: message.id.0,
        with: message.conversation.to_string(),
        place: message.place.to_string(),
        own: matches!(message.side, Side::Own(_)),
        at: message.stamp.0,
        content: content(words, &message.content),
        edited: message.edited.is_some(),
        delivery: message.delivery().map(|state| delivery(words, state)),
        tag: tags.of(message.id),
    }
}

/// A connection's state without its particulars.
pub fn condition(condition: Condition) -> protocol::ConnectionState {
    use protocol::ConnectionState as Shown;
    match condition {
        Condition::Asleep => Shown::Asleep,
        Condition::Offline => Shown::Offline,
        Condition::Connecting => Shown::Connecting,
        Condition::SigningIn => Shown::SigningIn,
        Condition::CatchingUp => Shown::CatchingUp,
        Condition::Live => Shown::Live,
        Condition::Suspect => Shown::Suspect,
        Condition::Waiting => Shown::Waiting,
        Condition::Stopped => Shown::Stopped,
    }
}

/// The connection's state, its sentence in these words.
pub fn connection_in(words: &Words, connection: &model::Connection, now: Now) -> protocol::Connection {
    let retry_at = match connection.state {
        // Deadlines are on a clock that counts sleep; the window has the calendar's only.
        ConnectionState::Waiting { until, .. } => {
            let wait = i64::try_from(until.since(now.tick).as_millis()).unwrap_or(i64::MAX);
            Some(now.stamp.shifted(wait).0)
        }
        _ => None,
    };
    protocol::Connection {
        state: condition(connection.state.condition()),
        since: connection.since.0,
        cause: words.cause(&connection.cause),
        retry_at,
        password_refused: wants_password(connection),
    }
}

/// Whether only a password can mend this state.
pub fn wants_password(connection: &model::Connection) -> bool {
    connection.state == ConnectionState::Stopped
        && matches!(connection.cause, Cause::WrongPassword | Cause::NoPassword)
}

fn content(words: &Words, content: &model::Content) -> protocol::Content {
    match content {
        model::Content::Text(body) => protocol::Content::Text { body: body.clone() },
        model::Content::Retracted => protocol::Content::Retracted,
        other => protocol::Content::Unshowable {
            sentence: words.stand_in(other).unwrap_or_default(),
        },
    }
}

fn delivery(words: &Words, delivery: &model::Delivery) -> protocol::Delivery {
    match delivery {
        model::Delivery::Queued => protocol::Delivery::Queued,
        model::Delivery::Sent => protocol::Delivery::Sent,
        model::Delivery::Delivered => protocol::Delivery::Delivered,
        model::Delivery::Read => protocol::Delivery::Read,
        model::Delivery::Failed(failure) => protocol::Delivery::Failed {
            why: words.failure(failure),
        },
    }
}

fn availability(availability: model::Availability) -> protocol::Availability {
    match availability {
        model::Availability::Online => protocol::Availability::Online,
        model::Availability::Away => protocol::Availability::Away,
        model::Availability::DoNotDisturb => protocol::Availability::DoNotDisturb,
        model::Availability::ExtendedAway => protocol::Availability::ExtendedAway,
        model::Availability::Offline => protocol::Availability::Offline,
        model::Availability::Unknown => protocol::Availability::Unknown,
    }
}

/// The beginning of a text on one line, at most `limit` characters with the sign that it goes on.
pub fn excerpt(text: &str, limit: usize) -> String {
    let mut short = String::new();
    let mut length = 0;
    let mut gap = false;
    for c in text.trim().chars() {
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        let wanted = 1 + usize::from(gap);
        if length + wanted >= limit {
            short.push('…');
            break;
        }
        if std::mem::take(&mut gap) {
            short.push(' ');
        }
        short.push(c);
        length += wanted;
    }
    short
}

/// A place as the window knows it: as many hexadecimal digits as a place has.
pub fn place(text: &str) -> Option<Place> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
        .map(Place)
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;

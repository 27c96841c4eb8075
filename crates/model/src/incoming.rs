//! A `<message/>` that came in, taken apart: who says it, how it reached us, what it carries.

use crate::{ArchiveId, Jid, OriginId, Stamp, StanzaId};

/// A message stanza together with the way it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// How it reached us.
    pub via: Via,
    /// What it is.
    pub message: Incoming,
}

/// How a message reached us. Each way proves something different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Addressed to this client on the current stream.
    Live,
    /// A copy of what another of our clients sent or received (XEP-0280), vouched for by the own server.
    Carbon,
    /// Read back from the own archive (XEP-0313).
    Archive,
}

/// A message stanza, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Who says it. Always present: a stanza without `from` comes from the own account.
    pub from: Jid,
    /// To whom. Always present: a stanza without `to` is for the own account.
    pub to: Jid,
    /// The `type` attribute.
    pub kind: Kind,
    /// The `id` attribute.
    pub id: Option<StanzaId>,
    /// The sender's own id for it (XEP-0359).
    pub origin: Option<OriginId>,
    /// The own archive's id for it: only where that server is known to strip forgeries (XEP-0359 section 5),
    /// or from the archive itself.
    pub archive: Option<ArchiveId>,
    /// When it was first sent, from `<delay/>` (XEP-0203) or the archive; none on a fresh live message.
    pub stamp: Option<Stamp>,
    /// Whether its sender sent it (perhaps) before, and says so by a `<delay/>` of its own.
    pub resent: bool,
    /// Whether the sender asks for a receipt (XEP-0184).
    pub receipt_wanted: bool,
    /// What it carries.
    pub payload: Payload,
    /// The typing state that came along (XEP-0085).
    pub chat_state: Option<ChatState>,
}

/// The `type` of a message (RFC 6121 section 5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `chat`.
    Chat,
    /// `normal`, or none.
    Normal,
    /// `groupchat`.
    Groupchat,
    /// `headline`.
    Headline,
    /// `error`: something of ours came back.
    Error,
}

/// What a message carries. One at a time: a stanza that carries several things is read as the first of
/// these that it has, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Our own stanza came back (RFC 6120 section 8.3).
    Bounce {
        /// The condition's element name.
        condition: String,
        /// The server's words.
        text: Option<String>,
    },
    /// Withdraws the message that has this id (XEP-0424: an origin-id or `id` in one-to-one chats).
    Retract(StanzaId),
    /// Replaces the body of the message that has this `id` (XEP-0308).
    Edit {
        /// The `id` of the message to replace.
        replaces: StanzaId,
        /// The new body.
        body: String,
    },
    /// Text to show.
    Text(String),
    /// Encrypted for us in a way we can't read; the name of the way (XEP-0380 or the element itself).
    Encrypted(String),
    /// The message with this `id` has reached one of the sender's clients (XEP-0184).
    Received(StanzaId),
    /// The message with this `id`, and all before it, have been displayed (XEP-0333).
    Displayed(StanzaId),
    /// Claims to be a message to show and can't be read; what it was, in a few words.
    Unreadable(String),
    /// Nothing that is kept or shown (a bare typing state, an unknown extension without body).
    Nothing,
}

/// What the other side's user does (XEP-0085).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatState {
    /// Attends to the conversation.
    Active,
    /// Is typing.
    Composing,
    /// Was typing, and stopped.
    Paused,
    /// Attends to something else.
    Inactive,
    /// Left the conversation.
    Gone,
}

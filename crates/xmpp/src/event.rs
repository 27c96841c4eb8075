//! What a session says to the rest of the account.

use crate::fast::Token;
use dormouse_model::{
    ArchiveFailure, ArchivePage, Arrival, Availability, BareJid, ConnId, Jid, MessageId, ProbeId, QueryId,
    Refusal, Subscription, Verdict,
};
use serde::{Deserialize, Serialize};

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this text frame on this connection.
    Frame(ConnId, String),
    /// Something happened.
    Event(Event),
    /// Close the WebSocket of this connection: its stream is over.
    Hangup(ConnId),
}

/// Something that happened in the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The earlier session goes on. The server is asked at once whether it hears us here: its answer is an [`Event::Acked`]
    /// and comes behind all that it had held.
    Resumed {
        /// On which connection.
        conn: ConnId,
        /// Messages that the server turns out to have handled.
        acked: Vec<MessageId>,
    },
    /// The stanzas that the server had not handled are among the frames before, in their old order: it hears us.
    SentAgain {
        /// On which connection.
        conn: ConnId,
        /// The length of the longest of them, in bytes.
        bytes: usize,
    },
    /// A new session has begun.
    Bound {
        /// On which connection.
        conn: ConnId,
        /// Messages of the earlier session that the server had handled.
        acked: Vec<MessageId>,
        /// Messages of the earlier session whose fate is not known.
        doubtful: Vec<MessageId>,
        /// Whether the server will hold this session across interruptions.
        resumable: bool,
    },
    /// The server gave a token for the next sign-in (XEP-0484). It must be kept safely before it is used: its first
    /// use ends the one before.
    Token(Token),
    /// The server refused the token; the password is tried next.
    TokenRefused,
    /// The server has handled these messages (XEP-0198, or a ping sent after them was answered).
    Acked {
        /// On which connection.
        conn: ConnId,
        /// Which messages; empty for an acknowledgement that covers none.
        messages: Vec<MessageId>,
        /// Whether nothing sent remains unacknowledged.
        all: bool,
    },
    /// A numbered ping was answered on the connection it was sent on, by a result or an error.
    Pong {
        /// On which connection.
        conn: ConnId,
        /// Which ping.
        probe: ProbeId,
    },
    /// What the server can do is known, or turned out to be different.
    Features(Features),
    /// A message arrived, live or as a carbon.
    Message(Arrival),
    /// One page of the archive.
    Page(ArchivePage),
    /// A page that will not come.
    ArchiveFailed {
        /// Which.
        query: QueryId,
        /// Why.
        failure: ArchiveFailure,
    },
    /// Contacts on the roster (RFC 6121 section 2).
    Roster {
        /// These contacts, as they are now.
        contacts: Vec<RosterItem>,
        /// Whether this is the whole roster: who is not in it is not on the roster.
        whole: bool,
    },
    /// A contact was removed from the roster, here or elsewhere.
    RosterRemoved(BareJid),
    /// A contact's client told its presence.
    Presence {
        /// Which client.
        from: Jid,
        /// Its presence.
        availability: Availability,
    },
    /// Somebody asks to see our presence (RFC 6121 section 3.1).
    SubscriptionAsked(BareJid),
    /// Somebody no longer wants to see our presence (RFC 6121 section 3.3).
    SubscriptionWithdrawn(BareJid),
    /// People are blocked (XEP-0191).
    Blocked {
        /// These.
        addresses: Vec<BareJid>,
        /// Whether this is the whole list: who is not in it is not blocked.
        whole: bool,
    },
    /// These are no longer blocked; none: nobody is.
    Unblocked(Option<Vec<BareJid>>),
    /// The server did not block or unblock whom we asked for; the condition.
    BlockingRefused(String),
    /// The stream is over, by a stream error, a refused sign-in, or because the server broke the protocol.
    Ended {
        /// On which connection.
        conn: ConnId,
        /// What to do about it.
        verdict: Verdict,
    },
    /// Somebody claimed what they may not claim; it was dropped.
    Refused(Refusal),
    /// A line for the connection's journal. No bodies, no secrets.
    Journal(String),
    /// A stanza that could not be read, in a few words without its content; it counts as handled, or it
    /// would be sent for ever.
    Unreadable(String),
}

/// What the account's server can do (XEP-0030, XEP-0313 preferences, stream limits XEP-0478).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Features {
    /// The account has an archive (XEP-0313 `urn:xmpp:mam:2`).
    pub archive: bool,
    /// The archive knows `before-id`, `after-id` and `ids` (XEP-0313 `#extended`).
    pub archive_extended: bool,
    /// What the archive keeps when nothing else is said.
    pub archive_default: ArchiveDefault,
    /// Carbons are known (XEP-0280).
    pub carbons: bool,
    /// The account strips forged `<stanza-id by='own address'/>` (XEP-0359 section 5): they may be believed.
    pub stanza_ids: bool,
    /// Blocking is known (XEP-0191).
    pub blocking: bool,
    /// The largest stanza that the server takes, in bytes, if it says so (XEP-0478).
    pub max_stanza: Option<u32>,
}

/// What an archive keeps by default (XEP-0441, XEP-0313 `<prefs default=''/>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ArchiveDefault {
    /// Everything.
    Always,
    /// What is exchanged with contacts on the roster.
    Roster,
    /// Nothing.
    Never,
    /// The server does not say.
    #[default]
    Unknown,
}

/// A contact as the roster holds it (RFC 6121 section 2.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterItem {
    /// Their bare address.
    pub address: BareJid,
    /// The name the user gave them.
    pub name: Option<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// We asked to see their presence and have no answer yet (`ask='subscribe'`).
    pub asked: bool,
    /// Groups the user sorted them into.
    pub groups: Vec<String>,
}

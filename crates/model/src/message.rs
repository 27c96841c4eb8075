//! A message as it is kept and shown.

use crate::{ArchiveId, BareJid, Jid, MessageId, OriginId, Place, Stamp, StanzaId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One message of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Our own name for it.
    pub id: MessageId,
    /// The other side's bare address.
    pub conversation: BareJid,
    /// Where it stands in the history.
    pub place: Place,
    /// Who wrote it, as the stanza said; own ones may come from another of our clients.
    pub sender: Jid,
    /// Theirs, or ours with what is known of its delivery.
    pub side: Side,
    /// When it was written, as far as anyone claims to know. Shown, never used to order.
    pub stamp: Stamp,
    /// What it says.
    pub content: Content,
    /// The names others know it by.
    pub names: Names,
    /// The content was replaced by its sender (XEP-0308); the `id` of the latest replacement.
    pub edited: Option<StanzaId>,
}

/// Whose message it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The other side's.
    Theirs,
    /// Ours, from this or another of our clients.
    Own(Delivery),
}

/// What is known of the way of an own message. Shown as it is: a state says no more than has been proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// Written down here; the server has not confirmed it. It leaves once it is on disk, which takes
    /// milliseconds; a disk that refuses is said at once.
    Queued,
    /// The server has it (XEP-0198 acknowledgement, or the own archive holds it).
    Sent,
    /// One of the other side's clients has it (XEP-0184).
    Delivered,
    /// The other side has displayed it (XEP-0333).
    Read,
    /// It came back, or can't be sent. May follow any other state.
    Failed(Failure),
}

/// Why an own message failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The addressee's server sent it back with this stanza error condition (RFC 6120 section 8.3.3).
    Bounced {
        /// The condition's element name, such as `service-unavailable`.
        condition: String,
        /// The server's own words, if any: data, to be shown as a quotation.
        text: Option<String>,
    },
    /// The contact was removed while it waited.
    ContactRemoved,
    /// Larger than the server takes in one stanza.
    TooLarge,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Encrypted for us in a way we can't read; the name of the way (XEP-0380).
    Encrypted(String),
    /// Could not be read at all; what it was, in a few words. Kept so that nothing vanishes silently.
    Unreadable(String),
    /// Withdrawn by its sender (XEP-0424).
    Retracted,
}

impl Content {
    /// Stands for the content where two copies are compared; the text itself stays out of indices.
    pub fn fingerprint(&self) -> [u8; 16] {
        let (kind, text) = match self {
            Content::Text(text) => (b't', text.as_str()),
            Content::Encrypted(name) => (b'e', name.as_str()),
            Content::Unreadable(what) => (b'u', what.as_str()),
            Content::Retracted => (b'r', ""),
        };
        let mut hash = Sha256::new();
        hash.update([kind]);
        hash.update(text);
        let digest = hash.finalize();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        short
    }
}

/// The names by which others know a message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names {
    /// Given by the sender's client (XEP-0359).
    pub origin: Option<OriginId>,
    /// The `id` attribute.
    pub stanza: Option<StanzaId>,
    /// Given by the own archive; more than one where a resent copy was archived again.
    pub archive: Vec<ArchiveId>,
}

impl Message {
    /// Whether it stands in archive order, or only where we saw it first.
    pub fn is_settled(&self) -> bool {
        !self.names.archive.is_empty()
    }

    /// What is known of the delivery of an own message.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.side {
            Side::Own(delivery) => Some(delivery),
            Side::Theirs => None,
        }
    }
}

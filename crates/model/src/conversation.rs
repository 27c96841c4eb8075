//! A conversation as the list of them shows it.

use crate::{BareJid, Message, Place};

/// A conversation's summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// With whom.
    pub with: BareJid,
    /// Its last message.
    pub last: Option<Message>,
    /// Messages of the other side that the user has not read, here or elsewhere.
    pub unread: u64,
    /// Where the last message stands that the user has read, here or elsewhere: those of the other side behind
    /// it are new. None: all are.
    pub read_up_to: Option<Place>,
    /// What was typed and not sent; empty if nothing.
    pub draft: String,
}

impl Conversation {
    /// A conversation in which nothing was ever said or typed.
    pub fn nothing(with: BareJid) -> Self {
        Self {
            with,
            last: None,
            unread: 0,
            read_up_to: None,
            draft: String::new(),
        }
    }

    /// Whether there is neither a message nor a draft in it: then it is not listed.
    pub fn is_nothing(&self) -> bool {
        self.last.is_none() && self.draft.is_empty()
    }
}

//! What the window is told, in order.

use crate::{BareJid, ChatState, Connection, Contact, Conversation, Message, MessageId, RoundTrip, Stamp};
use serde::{Deserialize, Serialize};

/// One change to what a window shows. Applying all changes in order to an earlier snapshot gives what
/// a fresh snapshot would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The connection's state.
    Connection(Connection),
    /// The server answered: how long answers took lately.
    RoundTrip(RoundTrip),
    /// A conversation of the list that is new, or looks different now. Once per input, after its messages. One
    /// that [is nothing](Conversation::is_nothing) is no longer there.
    Conversation(Box<Conversation>),
    /// A message that is new, or looks different now.
    Message(Box<Message>),
    /// A message that is no longer there: discarded, or recognised as another one.
    Removed {
        /// Which.
        id: MessageId,
        /// Where.
        conversation: BareJid,
    },
    /// A contact that is new or looks different now.
    Contact(Contact),
    /// A contact that is no longer on the roster.
    ContactRemoved(BareJid),
    /// Somebody asks to see our presence.
    Request(BareJid),
    /// A request is no longer open: answered here or elsewhere, or taken back.
    RequestGone(BareJid),
    /// Somebody was blocked, or no longer is (XEP-0191).
    Blocked {
        /// Who.
        address: BareJid,
        /// Which of the two.
        blocked: bool,
    },
    /// What the other side does in a conversation. Forgotten when the link is lost (no eternal "typing").
    ChatState {
        /// Where.
        conversation: BareJid,
        /// What; none when it is no longer known.
        state: Option<ChatState>,
    },
    /// How far the catch-up is.
    CatchUp {
        /// Messages read back so far in this catch-up.
        stored: u64,
        /// How many there will be at most, where the server says so: what is left to read is not known to be
        /// messages before it is read, so this falls towards `stored`.
        expected: Option<u64>,
        /// Whether it has reached what was known.
        done: bool,
    },
    /// Whether history before what is kept has been asked for and what came of it.
    Older {
        /// Which conversation.
        conversation: BareJid,
        /// Whether the archive may hold still older ones.
        more: bool,
    },
    /// Everything told before this is on the disk. The engine's to tell: the core does not see the disk.
    Stored,
    /// Something to say once, plainly.
    Notice(Notice),
    /// A standing notice no longer holds; its [name](Notice::name).
    NoticeGone(&'static str),
}

/// What the user should know once, where it matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// The server keeps no history for us.
    NoArchive,
    /// The server can't hold a session across interruptions.
    NoResumption,
    /// What arrives can't be stored; the reason.
    StoreFailed(String),
    /// The store works again.
    StoreRecovered,
    /// The cache could not be opened and was set aside; how many unsent messages were saved from it.
    CacheSetAside {
        /// Messages of the outbox that were carried over.
        saved: u64,
    },
    /// Stanzas that could not be read; how many so far.
    Unreadable(u64),
    /// A command could not be done.
    CannotDo(CannotDo),
}

/// Why a command could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CannotDo {
    /// The message says nothing that XMPP could carry.
    NothingSaid,
    /// It is for the server to do, and there is no session.
    NotConnected,
    /// The server offers no blocking (XEP-0191).
    NoBlocking,
    /// The server refused to change the block list.
    BlockingRefused,
    /// The message is not ours to change.
    NotYours,
    /// The message has been withdrawn.
    Withdrawn,
    /// The message has no id by which others know it.
    Nameless,
    /// The message has been sent: it can't be discarded any more.
    AlreadySent,
    /// The message has not failed: there is nothing to try again.
    NotFailed,
}

impl CannotDo {
    /// In plain English: what is the matter and, where there is something, what to do.
    pub fn sentence(self) -> &'static str {
        match self {
            CannotDo::NothingSaid => "There is nothing in this message.",
            CannotDo::NotConnected => "That can only be done while you are connected. Try again then.",
            CannotDo::NoBlocking => "Your server can't block people. You can remove them from your contacts.",
            CannotDo::BlockingRefused => "Your server refused to change whom you block. Try again later.",
            CannotDo::NotYours => "That is not a message of yours.",
            CannotDo::Withdrawn => "That message has been withdrawn.",
            CannotDo::Nameless => "That message has no id by which others know it.",
            CannotDo::AlreadySent => "That message has been sent; it can only be withdrawn.",
            CannotDo::NotFailed => "That message has not failed.",
        }
    }
}

impl Notice {
    /// Whether it says how things are, until they are otherwise ([`Change::NoticeGone`]); the others say what
    /// has happened.
    pub fn is_standing(&self) -> bool {
        matches!(
            self,
            Notice::NoArchive | Notice::NoResumption | Notice::StoreFailed(_)
        )
    }

    /// The notice's name in `dormouse-cli`'s events.
    pub fn name(&self) -> &'static str {
        match self {
            Notice::NoArchive => "no-archive",
            Notice::NoResumption => "no-resumption",
            Notice::StoreFailed(_) => "store-failed",
            Notice::StoreRecovered => "store-recovered",
            Notice::CacheSetAside { .. } => "cache-set-aside",
            Notice::Unreadable(_) => "unreadable",
            Notice::CannotDo(_) => "cannot-do",
        }
    }

    /// In plain English.
    pub fn sentence(&self) -> String {
        match self {
            Notice::NoArchive => {
                "Your server keeps no history: what arrives while Dormouse is not running may be lost.".into()
            }
            Notice::NoResumption => {
                "Your server can't hold a session across interruptions; Dormouse reads its archive instead."
                    .into()
            }
            Notice::StoreFailed(why) => format!(
                "Messages can't be stored on this computer ({why}). Make room on the disk; Dormouse goes on by itself."
            ),
            Notice::StoreRecovered => "Messages are stored again.".into(),
            Notice::CacheSetAside { saved: 0 } => {
                "The local cache was damaged and has been set aside; it is being rebuilt from the server."
                    .into()
            }
            Notice::CacheSetAside { saved } => format!(
                "The local cache was damaged and has been set aside; {saved} unsent messages were saved, the rest is being rebuilt from the server."
            ),
            Notice::Unreadable(count) => {
                format!("{count} messages could not be read and are marked in place.")
            }
            Notice::CannotDo(why) => why.sentence().into(),
        }
    }
}

/// A line of the connection's journal: what happened and what was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// When.
    pub at: Stamp,
    /// What, in words. Never bodies, never secrets.
    pub text: String,
}

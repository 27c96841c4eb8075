//! Questions to an archive and its answers (XEP-0313, paged by XEP-0059).

use crate::{ArchiveId, BareJid, Incoming, QueryId, Stamp};

/// A question to an archive: one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveQuery {
    /// Its name; the answer bears it.
    pub id: QueryId,
    /// Only what was exchanged with this address. A query with this set is an island: it closes no gap.
    pub with: Option<BareJid>,
    /// Which page.
    pub page: PageWanted,
    /// Nothing older than this (form field `start`).
    pub since: Option<Stamp>,
    /// How many items at most.
    pub max: u32,
}

/// Which page of the (filtered) archive is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageWanted {
    /// The newest (an empty `<before/>`).
    Newest,
    /// The one that ends just before this item.
    Before(ArchiveId),
    /// The one that starts just after this item.
    After(ArchiveId),
    /// The oldest: from `since` on, forwards.
    Oldest,
}

/// One page of an archive, oldest item first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivePage {
    /// Which query it answers.
    pub query: QueryId,
    /// The items, oldest first. An item that could not be read is there too: its id counts.
    pub items: Vec<ArchiveItem>,
    /// The page reaches the end of the filtered archive in the direction asked (XEP-0313 section 4.3).
    pub complete: bool,
    /// How many items the whole (filtered) archive holds, as far as the server says (XEP-0059 section 2.6: may be
    /// approximate).
    pub count: Option<u64>,
    /// False if the server says that the result may still change (`stable='false'`): moves nothing.
    pub stable: bool,
}

/// One item of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveItem {
    /// The archive's id of it.
    pub id: ArchiveId,
    /// When the archive got it.
    pub stamp: Stamp,
    /// The message. A removed or unreadable one is there as [`crate::Payload::Unreadable`] or `Nothing`;
    /// none when not even its sender could be read.
    pub message: Option<Incoming>,
}

/// Why a page did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveFailure {
    /// The archive does not know the id asked for (`item-not-found`): fall back to dates with overlap.
    ItemNotFound,
    /// There is no archive, or not for us.
    NoArchive,
    /// Try later; the error condition.
    Refused(String),
    /// The session in which it was asked ended before the answer came.
    SessionLost,
}

//! The disk of one account: sled behind a memory of what is not on it yet.
//!
//! # Model
//!
//! [`Store::apply`] takes a [`Batch`](dormouse_model::Batch) and never touches the disk: the writes stand
//! in the *overlay* and every look-up through [`Memory`](dormouse_model::Memory) sees them at once.
//! [`Store::flush`] takes everything applied so far to the disk as one atomic write, waits until it is
//! there, and says up to which batch that is true. So a group commit is one write however many batches
//! it covers, nothing half done is ever on disk, and a full disk costs nothing but the flush: what is
//! in the overlay stays there, stays readable, and is written by a later [`Store::reopen`].
//!
//! Beside sled's folder stands the [outbox copy](outbox_copy): a small file that holds what the user
//! has written and nobody has confirmed. sled has no repair tool; when its files can't be read they are
//! set aside and the archive gives back everything but that.
//!
//! ```text
//! <folder>/lock           held while a process uses the folder
//! <folder>/schema         the version of everything below, in decimal
//! <folder>/cache/         sled
//! <folder>/outbox.copy    the outbox copy
//! <folder>/cache.damaged-<seconds since 1970>/   what was set aside
//! ```
//!
//! Nothing here decides anything about messages. The only records it looks into are the schema and
//! those that the outbox copy must be able to give back.

mod disk;
mod error;
mod folder;
pub mod outbox_copy;
mod overlay;
mod store;
mod timer_slack;

pub use error::{OpenError, StoreError};
pub use folder::SetAside;
pub use store::{Opened, Reopened, Store};

//! What can go wrong with the disk, as far as somebody can act on it.

use std::io;
use std::path::PathBuf;

/// Why a folder can't be used. Whatever it is, its files have not been changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the folder.
    #[error("another Dormouse is using {0}")]
    InUse(PathBuf),
    /// A newer Dormouse wrote it.
    #[error(
        "{folder} was written by a newer Dormouse (its records have version {found}, this one knows {known})"
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The version found.
        found: u32,
        /// The newest version this program can read.
        known: u32,
    },
    /// No room to open it.
    #[error("the disk is full")]
    DiskFull,
    /// The folder or its files can't be made, read or locked.
    #[error("{folder} can't be opened: {why}")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        why: String,
    },
}

/// Why what was applied is not durable. Nothing is lost by it while the process lives:
/// [`Store::reopen`](crate::Store::reopen) writes all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk, or the user's share of it, is full.
    #[error("the disk is full")]
    DiskFull,
    /// The disk or the database failed.
    #[error("the store failed: {0}")]
    Failed(String),
    /// What is on the disk makes no sense; reopening sets it aside.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

impl StoreError {
    pub(crate) fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull,
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::of_io(&error)
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => Self::of_io(&error),
            sled::Error::Corruption { at, .. } => StoreError::Damaged(format!("checksum wrong at {at:?}")),
            sled::Error::ReportableBug(what) => StoreError::Damaged(what),
            other => StoreError::Failed(other.to_string()),
        }
    }
}

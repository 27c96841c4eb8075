//! sled, kept at arm's length.
//!
//! Two of its habits are dealt with here. It panics where its files surprise it: every call is
//! caught and a panic counts as damage. And on Linux its flush hands the pages to the drive without
//! asking the drive to keep them (`sync_file_range`), and never syncs values it keeps in files of
//! their own: after its flush we sync both ourselves.

use crate::StoreError;
use crate::overlay::Value;
use crate::timer_slack::unhurried;
use dormouse_model::memory::Record;
use dormouse_model::{Key, MessageId, Walk};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// Enough for the newest messages of every conversation; the rest is read from the disk in fractions of
/// a millisecond.
const CACHE: u64 = 8 * 1024 * 1024;
/// Threads of an earlier sled in this process may hold its lock a moment longer.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// Where the number of records of a kind is kept; no key of the model starts like this.
const COUNT: u8 = b'~';

/// An open database.
#[derive(Debug)]
pub(crate) struct Disk {
    db: sled::Db,
    file: File,
    blobs: PathBuf,
    synced: Mutex<BTreeSet<OsString>>,
}

fn guarded<T>(call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("a panic");
            Err(StoreError::Damaged(text.to_owned()))
        }
    }
}

/// sled starts its threads with the first work for them: here it is, and nobody waits for it.
fn start_threads(db: &sled::Db) {
    let flush = pin!(db.flush_async());
    let _ = flush.poll(&mut Context::from_waker(Waker::noop()));
}

/// The kinds whose records are counted.
fn counted() -> [u8; 2] {
    [Key::Message(MessageId(0)), Key::Outbox(MessageId(0))]
        .map(|key| key.bytes().first().copied().unwrap_or_default())
}

fn number(bytes: Option<sled::IVec>) -> Option<u64> {
    Some(u64::from_be_bytes(bytes?.as_ref().try_into().ok()?))
}

/// Why a database did not open.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Its files make no sense.
    Damaged(String),
    /// Something outside it: rights, room, memory.
    Outside(std::io::Error),
}

impl Disk {
    pub(crate) fn open(folder: &Path) -> Result<Self, Refused> {
        let since = Instant::now();
        loop {
            let open = || -> sled::Result<sled::Db> {
                let db = sled::Config::default()
                    .path(folder)
                    .cache_capacity(CACHE)
                    .flush_every_ms(None)
                    .mode(sled::Mode::LowSpace)
                    .open()?;
                start_threads(&db);
                Ok(db)
            };
            let opened = unhurried(|| catch_unwind(AssertUnwindSafe(open)));
            let error = match opened {
                Ok(Ok(db)) => return Self::over(db, folder).map_err(Refused::Outside),
                Ok(Err(error)) => error,
                Err(_) => return Err(Refused::Damaged("the database panicked".into())),
            };
            let locked = error.to_string().contains("could not acquire lock");
            if locked && since.elapsed() < LOCK_PATIENCE {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            return Err(match error {
                sled::Error::Io(io) if locked || is_from_outside(&io) => Refused::Outside(io),
                other => Refused::Damaged(other.to_string()),
            });
        }
    }

    fn over(db: sled::Db, folder: &Path) -> std::io::Result<Self> {
        let file = File::options().read(true).write(true).open(folder.join("db"))?;
        Ok(Self {
            db,
            file,
            blobs: folder.join("blobs"),
            synced: Mutex::default(),
        })
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        guarded(|| Ok(self.db.get(key)?.map(|value| value.to_vec())))
    }

    pub(crate) fn is_empty(&self) -> Result<bool, StoreError> {
        guarded(|| Ok(self.db.iter().next().transpose()?.is_none()))
    }

    pub(crate) fn range(
        &self,
        from: &[u8],
        to: &[u8],
        walk: Walk,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        guarded(|| {
            let found = self.db.range(from..to);
            let copy = |record: sled::Result<(sled::IVec, sled::IVec)>| -> Result<Record, StoreError> {
                let (key, value) = record?;
                Ok((key.to_vec(), value.to_vec()))
            };
            match walk {
                Walk::Forwards => found.take(limit).map(copy).collect(),
                Walk::Backwards => found.rev().take(limit).map(copy).collect(),
            }
        })
    }

    /// Writes all of it or nothing; on the disk when this returns.
    pub(crate) fn commit(&self, writes: &[(Vec<u8>, Value)]) -> Result<(), StoreError> {
        guarded(|| {
            let counted = counted();
            let mut grown = [0_i64; 2];
            let mut batch = sled::Batch::default();
            for (key, value) in writes {
                if let Some(at) = counted.iter().position(|kind| key.first() == Some(kind)) {
                    let there = self.db.contains_key(key)?;
                    grown[at] += i64::from(value.is_some()) - i64::from(there);
                }
                match value {
                    Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                    None => batch.remove(key.as_slice()),
                }
            }
            for (kind, grown) in counted.into_iter().zip(grown) {
                let old = number(self.db.get([COUNT, kind])?).unwrap_or(0);
                if grown != 0 {
                    batch.insert(&[COUNT, kind], &old.saturating_add_signed(grown).to_be_bytes());
                }
            }
            self.db.apply_batch(batch)?;
            self.sync()
        })
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.db.flush()?;
        self.file.sync_data()?;
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let mut there = BTreeSet::new();
        for blob in fs::read_dir(&self.blobs).into_iter().flatten() {
            let blob = blob?;
            let name = blob.file_name();
            if !synced.contains(&name) {
                match File::open(blob.path()) {
                    Ok(file) => file.sync_all()?,
                    // sled removes those that nothing names any longer.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            there.insert(name);
        }
        *synced = there;
        Ok(())
    }

    /// How many records of a kind there are, as of the last commit; none if the kind is not counted.
    pub(crate) fn count(&self, kind: u8) -> Result<Option<u64>, StoreError> {
        if !counted().contains(&kind) {
            return Ok(None);
        }
        guarded(|| Ok(Some(number(self.db.get([COUNT, kind])?).unwrap_or(0))))
    }

    /// Reads every record; an error says that the files are damaged.
    pub(crate) fn verify(&self) -> Result<u64, StoreError> {
        guarded(|| {
            let mut records = 0;
            for record in self.db.iter() {
                record?;
                records += 1;
            }
            Ok(records)
        })
    }

    /// Lets go of the files. sled tries to write what it still holds.
    pub(crate) fn close(self) {
        let _: Result<(), StoreError> = guarded(|| {
            drop(self.db);
            Ok(())
        });
    }
}

/// Errors that say nothing about the files' contents.
fn is_from_outside(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::*;
    matches!(
        error.kind(),
        PermissionDenied
            | StorageFull
            | QuotaExceeded
            | ReadOnlyFilesystem
            | OutOfMemory
            | WouldBlock
            | Interrupted
            | ResourceBusy
            | NotFound
            | StaleNetworkFileHandle
    )
}

//! The store: the overlay over the disk, commits, and what happens when one fails.

use crate::disk::Disk;
use crate::folder::{Folder, Ready, SetAside};
use crate::outbox_copy::OutboxCopy;
use crate::overlay::Overlay;
use crate::{OpenError, StoreError};
use dormouse_model::memory::Record;
use dormouse_model::{Batch, BatchId, Key, Memory, MessageId, ReadError, Walk};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A store just opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// The earlier database could not be read; the user is told, and the archive fills the fresh one.
    pub set_aside: Option<SetAside>,
    /// Waiting messages that the database had lost and the outbox copy still held.
    pub put_back: usize,
}

/// A store opened again in place.
#[derive(Debug)]
pub struct Reopened {
    /// Everything up to this batch is durable.
    pub durable: BatchId,
    /// The database was damaged. What was applied and not durable is gone but for the waiting messages,
    /// and so is everything the core knew: it has to start from the store again.
    pub set_aside: Option<SetAside>,
}

#[derive(Debug)]
struct State {
    overlay: Overlay,
    /// None while it could not be opened again.
    disk: Option<Arc<Disk>>,
    failure: Option<StoreError>,
    durable: BatchId,
}

/// One account's records. Shared between the thread that writes and any number that read.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    state: RwLock<State>,
    /// Held for the whole of a commit: they happen one after the other.
    copy: Mutex<OutboxCopy>,
    /// A read met what makes no sense: the next reopening looks at every record.
    damaged: AtomicBool,
}

impl Store {
    /// Opens the store in this folder, made if need be. Blocks on the disk.
    ///
    /// A database that can't be read is set aside and the messages that wait to be sent are saved from it.
    pub fn open(folder: &Path) -> Result<Opened, OpenError> {
        let folder = Folder::take(folder)?;
        let Ready {
            disk,
            copy,
            set_aside,
            put_back,
        } = folder.open()?;
        let state = State {
            overlay: Overlay::default(),
            disk: Some(Arc::new(disk)),
            failure: None,
            durable: BatchId::default(),
        };
        let store = Store {
            folder,
            state: RwLock::new(state),
            copy: Mutex::new(copy),
            damaged: AtomicBool::new(false),
        };
        Ok(Opened {
            store,
            set_aside,
            put_back,
        })
    }

    // What the locks guard is whole between any two statements, so a panic elsewhere spoils nothing.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy(&self) -> MutexGuard<'_, OutboxCopy> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a batch visible. Never touches the disk and can't fail.
    pub fn apply(&self, batch: Batch) {
        self.write().overlay.apply(batch);
    }

    /// Writes everything applied so far to the disk as one atomic commit and says up to which batch
    /// (0 before the first). Blocks on the disk: for a thread that may.
    ///
    /// After an error nothing is tried until [`Store::reopen`]; what was applied stays visible.
    pub fn flush(&self) -> Result<BatchId, StoreError> {
        let mut copy = self.copy();
        self.commit(&mut copy)
    }

    fn commit(&self, copy: &mut OutboxCopy) -> Result<BatchId, StoreError> {
        let (commit, disk) = {
            let mut state = self.write();
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            let Some(disk) = state.disk.clone() else {
                return Err(StoreError::Failed("closed".into()));
            };
            if state.overlay.bytes() == 0 {
                state.durable = state.overlay.last();
                return Ok(state.durable);
            }
            (state.overlay.commit(), disk)
        };
        let share = copy
            .waiting()
            .share_of(&commit.writes, |key| disk.get(key).ok().flatten());
        let written = copy
            .record(share)
            .map_err(StoreError::from)
            .and_then(|()| disk.commit(&commit.writes));
        drop(disk);
        let mut state = self.write();
        match written {
            Ok(()) => {
                state.overlay.committed(&commit);
                state.durable = commit.last;
                Ok(commit.last)
            }
            Err(error) => {
                tracing::error!(%error, "a commit failed");
                state.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Closes the database, opens it again and writes what was applied meanwhile. Blocks on the disk, and
    /// so do readers. To be tried again later if it fails; on a disk that is still full the old one stays open
    /// for reading.
    pub fn reopen(&self) -> Result<Reopened, StoreError> {
        let mut copy = self.copy();
        let set_aside = {
            let mut state = self.write();
            let thorough =
                self.damaged.load(Ordering::Relaxed) || matches!(state.failure, Some(StoreError::Damaged(_)));
            if state.disk.is_some() && matches!(state.failure, Some(StoreError::DiskFull)) {
                self.folder.room()?;
            }
            // Commits are excluded by the copy's lock and readers by the state's: this is the last one.
            if let Some(disk) = state.disk.take().and_then(Arc::into_inner) {
                disk.close();
            }
            let fail = |state: &mut State, error: OpenError| {
                let failure = match error {
                    OpenError::DiskFull => StoreError::DiskFull,
                    other => StoreError::Failed(other.to_string()),
                };
                state.failure = Some(failure.clone());
                failure
            };
            match self.folder.open_as_it_is(thorough) {
                Err(error) => return Err(fail(&mut state, error)),
                Ok(Ok(disk)) => {
                    // It can be read again, whatever comes of writing.
                    state.disk = Some(Arc::new(disk));
                    state.failure = None;
                    self.damaged.store(false, Ordering::Relaxed);
                    None
                }
                Ok(Err((why, disk))) => {
                    let unwritten = state.overlay.commit().writes;
                    copy.let_go();
                    let ready = match self.folder.start_afresh(why, disk, &unwritten) {
                        Ok(ready) => ready,
                        Err(error) => return Err(fail(&mut state, error)),
                    };
                    state.disk = Some(Arc::new(ready.disk));
                    state.failure = None;
                    self.damaged.store(false, Ordering::Relaxed);
                    *copy = ready.copy;
                    // Cursors and session in the overlay speak of records that are gone.
                    state.overlay.forget();
                    ready.set_aside
                }
            }
        };
        let durable = self.commit(&mut copy)?;
        Ok(Reopened { durable, set_aside })
    }

    /// Why the last commit failed, until a reopening succeeds.
    pub fn failure(&self) -> Option<StoreError> {
        self.read().failure.clone()
    }

    /// A look-up met a damaged record: reopening will look at all of them.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Says that a record makes no sense (it was read well and could not be decoded).
    pub fn report_damage(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    /// The last batch that is known to be durable; 0 before the first.
    pub fn durable(&self) -> BatchId {
        self.read().durable
    }

    /// Bytes that wait in memory to be written. Who applies batches stops taking in more when this grows
    /// beyond what it is willing to hold.
    pub fn pending_bytes(&self) -> usize {
        self.read().overlay.bytes()
    }

    /// How many messages are stored, as of the last commit. Costs one look-up.
    pub fn messages(&self) -> Result<u64, ReadError> {
        self.count(&Key::Message(MessageId(0)))
    }

    /// How many messages wait to be settled, as of the last commit. Costs one look-up.
    pub fn waiting(&self) -> Result<u64, ReadError> {
        self.count(&Key::Outbox(MessageId(0)))
    }

    fn count(&self, kind: &Key) -> Result<u64, ReadError> {
        let kind = kind.bytes().first().copied().unwrap_or_default();
        let state = self.read();
        let counted = disk_of(&state)?.count(kind);
        counted
            .map(Option::unwrap_or_default)
            .map_err(|error| self.read_error(&[kind], error))
    }

    fn read_error(&self, key: &[u8], error: StoreError) -> ReadError {
        match error {
            StoreError::Damaged(why) => {
                tracing::error!(why, "a record could not be read");
                self.report_damage();
                ReadError::Damaged(key.first().map_or('?', |kind| char::from(*kind)))
            }
            other => ReadError::Failed(other.to_string()),
        }
    }
}

fn disk_of(state: &State) -> Result<&Disk, ReadError> {
    let closed = || ReadError::Failed("it could not be opened again".into());
    state.disk.as_deref().ok_or_else(closed)
}

impl Memory for Store {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let state = self.read();
        if let Some(value) = state.overlay.get(key) {
            return Ok(value.clone());
        }
        disk_of(&state)?
            .get(key)
            .map_err(|error| self.read_error(key, error))
    }

    fn range(&self, from: &[u8], to: &[u8], walk: Walk, limit: usize) -> Result<Vec<Record>, ReadError> {
        let state = self.read();
        state.overlay.range(from, to, walk, limit, |limit| {
            disk_of(&state)?
                .range(from, to, walk, limit)
                .map_err(|error| self.read_error(from, error))
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(disk) = state.disk.take().and_then(Arc::into_inner) {
            disk.close();
        }
    }
}

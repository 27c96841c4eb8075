//! The files of a store: who may use them, what is set aside, and in what state a database opens.

use crate::disk::{Disk, Refused};
use crate::outbox_copy::{self, Copy, OutboxCopy, Waiting, sync_folder};
use crate::{OpenError, StoreError};
use dormouse_model::record::{SCHEMA, decode, encode};
use dormouse_model::{Key, MessageId, Walk};
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How many set-aside databases are kept; older ones are removed.
const KEPT_ASIDE: usize = 3;
/// Two of sled's segments.
const ROOM: usize = 1024 * 1024;
/// A program that is being started by this one holds copies of its locks for a moment.
const LOCK_PATIENCE: Duration = Duration::from_millis(400);

/// What became of a database that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it stands now.
    pub path: PathBuf,
    /// What was wrong with it, in the database's words.
    pub why: String,
    /// Waiting messages that were saved from it and stand in the fresh store.
    pub saved: usize,
    /// Waiting messages that could not be saved: it is known that they were there, their text is gone.
    pub lost: usize,
}

/// A database that opened, and what had to be done for it.
pub(crate) struct Ready {
    pub(crate) disk: Disk,
    pub(crate) copy: OutboxCopy,
    pub(crate) set_aside: Option<SetAside>,
    pub(crate) put_back: usize,
}

/// A folder that this process alone uses.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked until it is dropped.
    _lock: File,
}

impl Folder {
    /// Makes it if need be, and locks it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let refuse = |error| io_refusal(path, error);
        make_private(path).map_err(refuse)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(refuse)?;
        let since = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if since.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_PATIENCE / 20);
                }
                Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
                Err(TryLockError::Error(error)) => return Err(refuse(error)),
            }
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        // A newer version may not even use this database: look before it is touched.
        if let Ok(text) = fs::read_to_string(path.join("schema"))
            && let Ok(found) = text.trim().parse::<u32>()
            && found > SCHEMA
        {
            return Err(folder.newer(found));
        }
        Ok(folder)
    }

    fn newer(&self, found: u32) -> OpenError {
        OpenError::Newer {
            folder: self.path.clone(),
            found,
            known: SCHEMA,
        }
    }

    fn refuse(&self, error: io::Error) -> OpenError {
        io_refusal(&self.path, error)
    }

    fn cache(&self) -> PathBuf {
        self.path.join("cache")
    }

    fn copy(&self) -> PathBuf {
        self.path.join("outbox.copy")
    }

    /// Opens the database, or sets it aside and opens a fresh one that holds the waiting messages.
    pub(crate) fn open(&self) -> Result<Ready, OpenError> {
        match self.open_as_it_is(false)? {
            Ok(disk) => {
                let copy = outbox_copy::read(&self.copy()).map_err(|error| self.refuse(error))?;
                self.ready(disk, copy)
            }
            Err((why, disk)) => self.start_afresh(why, disk, &[]),
        }
    }

    /// Opens the database, and no more: works on a full disk, too. `thorough` reads every record first.
    ///
    /// The inner error says why it has to be set aside.
    pub(crate) fn open_as_it_is(
        &self,
        thorough: bool,
    ) -> Result<Result<Disk, (String, Option<Disk>)>, OpenError> {
        make_private(&self.cache()).map_err(|error| self.refuse(error))?;
        let disk = match Disk::open(&self.cache()) {
            Ok(disk) => disk,
            Err(Refused::Outside(error)) => return Err(self.refuse(error)),
            Err(Refused::Damaged(why)) => return Ok(Err((why, None))),
        };
        match self.check(&disk, thorough) {
            Ok(Some(SCHEMA)) => Ok(Ok(disk)),
            Ok(Some(found)) if found > SCHEMA => {
                disk.close();
                Err(self.newer(found))
            }
            // There is no older version yet; what claims to be one is damaged.
            Ok(Some(found)) => Ok(Err((format!("unknown schema {found}"), Some(disk)))),
            // Where its log makes no sense from the beginning on, sled opens as if there had never been anything.
            Ok(None) if self.was_used() => Ok(Err(("everything in it is gone".into(), Some(disk)))),
            Ok(None) => {
                self.begin(&disk, Waiting::default())?;
                Ok(Ok(disk))
            }
            Err(StoreError::DiskFull) => Err(OpenError::DiskFull),
            Err(StoreError::Failed(why)) => Err(OpenError::Io {
                folder: self.path.clone(),
                why,
            }),
            Err(StoreError::Damaged(why)) => Ok(Err((why, Some(disk)))),
        }
    }

    /// The schema; none for an empty database.
    fn check(&self, disk: &Disk, thorough: bool) -> Result<Option<u32>, StoreError> {
        let Some(schema) = disk.get(&Key::Schema.bytes())? else {
            return match disk.is_empty()? {
                true => Ok(None),
                false => Err(StoreError::Damaged("no schema".into())),
            };
        };
        let schema = decode(&schema).ok_or_else(|| StoreError::Damaged("no readable schema".into()))?;
        if thorough {
            disk.verify()?;
        } else {
            // What the core reads when it starts; the rest is found out when it is wanted.
            for kind in [
                Key::Counters,
                Key::Session,
                Key::Unacked(0),
                Key::Outbox(MessageId(0)),
            ] {
                let (from, to) = kind.kind_range();
                disk.range(&from, &to, Walk::Forwards, usize::MAX)?;
            }
        }
        Ok(Some(schema))
    }

    /// Writes what every database starts with.
    fn begin(&self, disk: &Disk, waiting: Waiting) -> Result<(), OpenError> {
        let mut writes: Vec<_> = waiting
            .into_records()
            .into_iter()
            .map(|(key, value)| (key, Some(value)))
            .collect();
        writes.push((Key::Schema.bytes(), Some(encode(&SCHEMA))));
        disk.commit(&writes).map_err(|error| self.failed(error))?;
        fs::write(self.path.join("schema"), format!("{SCHEMA}\n")).map_err(|error| self.refuse(error))
    }

    /// Whether a database has been begun here: the schema is written beside it after its first commit.
    fn was_used(&self) -> bool {
        self.path.join("schema").exists()
    }

    fn failed(&self, error: StoreError) -> OpenError {
        match error {
            StoreError::DiskFull => OpenError::DiskFull,
            other => OpenError::Io {
                folder: self.path.clone(),
                why: other.to_string(),
            },
        }
    }

    fn ready(&self, disk: Disk, copy: Copy) -> Result<Ready, OpenError> {
        // A database that lost its newest part opens as if that had never been. Messages that it has
        // never heard of are put back, with the counters of their time, which are the newer ones; those that
        // it knows and no longer lists are settled.
        let missing = copy.waiting.only(|message| matches!(disk.get(message), Ok(None)));
        let put_back = missing.messages().0.len();
        if put_back > 0 {
            let writes: Vec<_> = missing
                .into_records()
                .into_iter()
                .map(|(key, value)| (key, Some(value)))
                .collect();
            disk.commit(&writes).map_err(|error| self.failed(error))?;
        }
        let waiting = stored(&disk).map_err(|error| self.failed(error))?;
        self.finish(disk, waiting, None, put_back)
    }

    /// Sets the database aside. `unwritten` is what was applied to it and not written.
    pub(crate) fn start_afresh(
        &self,
        why: String,
        disk: Option<Disk>,
        unwritten: &[(Vec<u8>, Option<Vec<u8>>)],
    ) -> Result<Ready, OpenError> {
        let copy = outbox_copy::read(&self.copy()).map_err(|error| self.refuse(error))?;
        let mut waiting = copy.waiting;
        if let Some(disk) = disk {
            // The copy is never behind, so the database is asked only if the copy has holes.
            if copy.damaged > 0
                && let Ok(stored) = stored(&disk)
            {
                waiting.add_missing(stored);
            }
            disk.close();
        }
        waiting.take_in(unwritten);
        let aside = self.put_aside().map_err(|error| self.refuse(error))?;
        make_private(&self.cache()).map_err(|error| self.refuse(error))?;
        let disk = match Disk::open(&self.cache()) {
            Ok(disk) => disk,
            Err(Refused::Outside(error)) => return Err(self.refuse(error)),
            Err(Refused::Damaged(why)) => {
                return Err(OpenError::Io {
                    folder: self.path.clone(),
                    why,
                });
            }
        };
        let (messages, lost) = waiting.messages();
        self.begin(&disk, waiting.clone())?;
        let aside = SetAside {
            path: aside,
            why,
            saved: messages.len(),
            lost,
        };
        tracing::error!(path = %aside.path.display(), why = aside.why, saved = aside.saved, lost, "the store was damaged and set aside");
        self.finish(disk, waiting, Some(aside), 0)
    }

    fn finish(
        &self,
        disk: Disk,
        waiting: Waiting,
        set_aside: Option<SetAside>,
        put_back: usize,
    ) -> Result<Ready, OpenError> {
        let copy = OutboxCopy::write(&self.copy(), waiting).map_err(|error| self.refuse(error))?;
        make_files_private(&self.path).map_err(|error| self.refuse(error))?;
        Ok(Ready {
            disk,
            copy,
            set_aside,
            put_back,
        })
    }

    /// Whether the disk takes as much as opening the database needs: on a full disk it can't be opened again,
    /// while the one that is open can still be read.
    pub(crate) fn room(&self) -> io::Result<()> {
        let path = self.path.join("room");
        // By the handle that wrote: Windows brings nothing to the disk for one that only reads.
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&vec![0xa5; ROOM])?;
            file.sync_all()
        });
        let _ = fs::remove_file(&path);
        written
    }

    fn put_aside(&self) -> io::Result<PathBuf> {
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let name = |number: u64| self.path.join(format!("cache.damaged-{number}"));
        let mut number = since_1970;
        while name(number).exists() {
            number += 1;
        }
        fs::rename(self.cache(), name(number))?;
        sync_folder(&name(number))?;
        let mut old: Vec<PathBuf> = fs::read_dir(&self.path)?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("cache.damaged-"))
            })
            .collect();
        old.sort();
        for path in old.iter().rev().skip(KEPT_ASIDE) {
            if let Err(error) = fs::remove_dir_all(path) {
                tracing::warn!(%error, "an old damaged store could not be removed");
            }
        }
        Ok(name(number))
    }
}

/// The waiting messages of a database.
fn stored(disk: &Disk) -> Result<Waiting, StoreError> {
    let (from, to) = Key::Outbox(MessageId(0)).kind_range();
    let mut records = disk.range(&from, &to, Walk::Forwards, usize::MAX)?;
    let writes: Vec<_> = records
        .iter()
        .map(|(key, value)| (key.clone(), Some(value.clone())))
        .collect();
    let share = Waiting::default().share_of(&writes, |key| disk.get(key).ok().flatten());
    records = share
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
    if !records.is_empty()
        && let Some(counters) = disk.get(&Key::Counters.bytes())?
    {
        records.push((Key::Counters.bytes(), counters));
    }
    Ok(Waiting::from_records(records))
}

fn io_refusal(folder: &Path, error: io::Error) -> OpenError {
    match StoreError::of_io(&error) {
        StoreError::DiskFull => OpenError::DiskFull,
        _ => OpenError::Io {
            folder: folder.to_owned(),
            why: error.to_string(),
        },
    }
}

/// A folder that only its owner may look into.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    set_mode(folder, 0o700)
}

/// sled makes its files with whatever rights the process gives away.
fn make_files_private(folder: &Path) -> io::Result<()> {
    for inside in [folder.to_owned(), folder.join("cache")] {
        for entry in fs::read_dir(inside)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                set_mode(&entry.path(), 0o600)?;
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Elsewhere a folder inside the user's profile is the user's alone.
#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

//! Kills, full disks and damaged files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod common;

use common::*;
use dormouse_model::{BatchId, Memory as _};
use dormouse_store::Store;
#[cfg(target_os = "linux")]
use dormouse_store::StoreError;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }
}

const CHILD: &str = "DORMOUSE_STORE_CHILD";

/// Not a test by itself: what the killed process does. Says each durable batch on standard output.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let store = open(Path::new(&folder));
    let first = ids(&store).last().copied().unwrap_or(0) + 1;
    for id in first.. {
        store.apply(if id % 3 == 0 {
            sent(id, id)
        } else {
            received(id, id)
        });
        if id % 4 == 0 {
            let durable = store.flush().unwrap();
            println!("durable {durable}");
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_that_was_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    let mut flushed = BTreeSet::new();
    let mut durable = 0;
    for round in 0..25 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_that_writes_until_it_is_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let listener = std::thread::spawn(move || {
            let lines = said.lines().map_while(Result::ok);
            lines
                .filter_map(|line| line.split("durable ").nth(1)?.trim().parse::<u64>().ok())
                .last()
        });
        // Wine starts a process more slowly than Linux does.
        let start = if cfg!(windows) { 1_000 } else { 0 };
        std::thread::sleep(Duration::from_millis(start + 150 + dice.roll(120) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        durable = listener.join().unwrap().unwrap_or(durable);
        let opened = Store::open(folder.path()).unwrap();
        assert_eq!(opened.set_aside, None, "round {round}");
        let found = ids(&opened.store);
        let first = flushed.last().map_or(1, |last| last + 1);
        flushed.extend(first..=durable);
        let missing: Vec<_> = flushed.iter().filter(|id| !found.contains(id)).collect();
        assert_eq!(missing, Vec::<&u64>::new(), "round {round}");
        // Written and not flushed: may be there, as what the user wrote is put back.
        flushed.extend(&found);
        assert_waiting(
            &opened.store,
            &found.iter().copied().filter(|id| id % 3 == 0).collect::<Vec<_>>(),
        );
    }
    assert!(durable > 100, "the child hardly ran ({durable})");
}

/// A small file system, unmounted at the end.
#[cfg(target_os = "linux")]
struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        if std::env::var("DORMOUSE_SKIP").is_ok_and(|skip| skip.split(',').any(|part| part == "mounts")) {
            println!("skipped: mounts");
            return None;
        }
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(at)
            .status()
            .is_ok_and(|status| status.success());
        assert!(
            mounted,
            "mounting a small tmpfs needs root; DORMOUSE_SKIP=mounts leaves this test out"
        );
        Some(Self(at.to_owned()))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_nothing_applied_is_lost() {
    let mountpoint = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(mountpoint.path()) else {
        return;
    };
    let folder = mountpoint.path().join("store");
    let ballast = mountpoint.path().join("ballast");
    let store = open(&folder);
    store.apply(sent(1, 1));
    store.flush().unwrap();
    // As full as can be: whole blocks, then bytes.
    let mut file = std::fs::File::create(&ballast).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    drop(file);
    let mut last = 1;
    let mut durable = 1;
    let failure = loop {
        last += 1;
        assert!(last < 20_000, "the disk never filled");
        store.apply(if last % 2 == 0 {
            received(last, last)
        } else {
            sent(last, last)
        });
        match store.flush() {
            Ok(batch) => durable = batch.0,
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure, StoreError::DiskFull);
    assert_eq!(store.durable(), BatchId(durable));
    for _ in 0..10 {
        last += 1;
        store.apply(sent(last, last));
    }
    assert_eq!(
        store.flush(),
        Err(StoreError::DiskFull),
        "an error sticks until the store is reopened"
    );
    assert!(store.reopen().is_err(), "there is still no room");
    assert!(store.failure().is_some());
    assert_eq!(
        ids(&store),
        (1..=last).collect::<Vec<_>>(),
        "everything is still seen"
    );

    std::fs::remove_file(&ballast).unwrap();
    let reopened = store.reopen().unwrap();
    assert_eq!(reopened.set_aside, None);
    assert_eq!(reopened.durable, BatchId(last));
    assert_eq!(store.failure(), None);
    assert_eq!(store.pending_bytes(), 0);
    store.apply(received(last + 1, last + 1));
    store.flush().unwrap();
    drop(store);
    assert_eq!(ids(&open(&folder)), (1..=last + 1).collect::<Vec<_>>());
}

#[test]
fn reopening_writes_what_was_applied_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(received(1, 1));
    store.flush().unwrap();
    store.apply(sent(2, 2));
    assert_eq!(store.reopen().unwrap().durable, BatchId(2));
    drop(store);
    assert_eq!(ids(&open(folder.path())), [1, 2]);
}

/// Files of a store with history and three messages that wait: 11, 12 and 13.
fn a_store_with_history(folder: &Path) {
    let store = open(folder);
    for id in 1..=10 {
        store.apply(sent(id, id));
        store.apply(settled(id, id));
    }
    for id in 11..=13 {
        store.apply(sent(id, id));
    }
    for id in 100..400 {
        store.apply(received(id, id));
        if id % 50 == 0 {
            store.flush().unwrap();
        }
    }
    store.flush().unwrap();
}

#[test]
fn a_damaged_database_opens_or_is_set_aside_and_what_waits_is_saved() {
    let template = tempfile::tempdir().unwrap();
    a_store_with_history(template.path());
    let files = contents(template.path());
    let sled: Vec<&PathBuf> = files
        .keys()
        .filter(|path| path.starts_with(template.path().join("cache")))
        .collect();
    let mut dice = Dice(42);
    let (mut set_aside, mut later) = (0, 0);
    for round in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let victim = sled[dice.roll(sled.len())];
        for (path, bytes) in &files {
            let copy = folder.path().join(path.strip_prefix(template.path()).unwrap());
            std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
            let mut bytes = bytes.clone();
            if path == victim && !bytes.is_empty() {
                // Where sled wrote something: a large part of its files is still empty.
                let used = bytes
                    .iter()
                    .rposition(|byte| *byte != 0)
                    .map_or(1, |last| last + 1);
                let at = dice.roll(used);
                match round % 4 {
                    0 => bytes[at] ^= 0x55,
                    1 => bytes.truncate(at),
                    2 => bytes[at..].iter_mut().take(4096).for_each(|byte| *byte = 0),
                    _ => bytes[at..]
                        .iter_mut()
                        .take(300)
                        .for_each(|byte| *byte = dice.roll(256) as u8),
                }
            }
            std::fs::write(copy, bytes).unwrap();
        }
        let opened = Store::open(folder.path()).unwrap();
        let mut aside = opened.set_aside;
        let store = opened.store;
        let all = dormouse_model::Key::range_of(&[]);
        assert_eq!(all, (vec![], vec![]));
        let everything = store.range(&[0], &[255], dormouse_model::Walk::Forwards, usize::MAX);
        if everything.is_err() {
            // Found out only when it was read: reopening looks at everything.
            assert!(store.is_damaged());
            aside = store.reopen().unwrap().set_aside;
            assert!(aside.is_some(), "round {round}");
            later += 1;
        }
        set_aside += usize::from(aside.is_some());
        if let Some(aside) = &aside {
            assert_eq!((aside.saved, aside.lost), (3, 0), "round {round}: {aside:?}");
            assert!(aside.path.is_dir());
        }
        assert_waiting(&store, &[11, 12, 13]);
        store.apply(sent(1, 500));
        store.flush().unwrap();
        drop(store);
        assert_waiting(&open(folder.path()), &[11, 12, 13, 500]);
    }
    assert!(set_aside > 5, "the damage was never noticed ({set_aside})");
    println!("{set_aside} of 60 set aside, {later} of them at a later reading");
}

#[test]
fn what_is_not_on_disk_yet_survives_in_the_outbox_when_the_database_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    a_store_with_history(folder.path());
    let store = open(folder.path());
    store.apply(sent(500, 500));
    store.apply(received(501, 501));
    // The running database's files are destroyed under it.
    let db = folder.path().join("cache/db");
    let length = std::fs::metadata(&db).unwrap().len();
    std::fs::write(&db, vec![0xa5; usize::try_from(length).unwrap()]).unwrap();
    store.report_damage();
    let aside = store.reopen().unwrap().set_aside.unwrap();
    assert_eq!((aside.saved, aside.lost), (4, 0));
    assert_waiting(&store, &[11, 12, 13, 500]);
    assert_eq!(ids(&store), [11, 12, 13, 500], "the rest comes from the archive");
}

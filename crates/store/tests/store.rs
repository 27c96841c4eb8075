//! The store as its users see it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod common;

use common::*;
use dormouse_model::record::encode;
use dormouse_model::{BareJid, Batch, BatchId, Key, Memory, MessageId, Place, Walk};
use dormouse_store::{OpenError, Store};
use std::sync::Arc;

#[test]
fn what_was_applied_is_seen_at_once_and_is_durable_only_after_a_flush() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(received(1, 1));
    store.apply(received(2, 2));
    assert_eq!(store.durable(), BatchId(0));
    assert_eq!(ids(&store), [1, 2]);
    assert!(store.pending_bytes() > 0);
    drop(store);
    let store = open(folder.path());
    assert_eq!(ids(&store), Vec::<u64>::new(), "nothing was flushed");
    store.apply(received(1, 1));
    store.apply(received(2, 2));
    assert_eq!(store.flush(), Ok(BatchId(2)));
    assert_eq!(store.durable(), BatchId(2));
    assert_eq!(store.pending_bytes(), 0);
    assert_eq!(store.messages().unwrap(), 2);
    drop(store);
    let store = open(folder.path());
    assert_eq!(ids(&store), [1, 2]);
    assert_eq!(store.messages().unwrap(), 2);
}

#[test]
fn ranges_merge_what_is_stored_with_what_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for id in 1..=4 {
        store.apply(received(id, id));
    }
    store.flush().unwrap();
    store.apply(Batch {
        id: BatchId(5),
        writes: vec![
            (Key::Line(Place(2)).bytes(), None),
            (Key::Line(Place(9)).bytes(), Some(encode(&MessageId(9)))),
        ],
    });
    assert_eq!(ids(&store), [1, 3, 4, 9]);
    let (from, to) = Key::Line(Place(0)).kind_range();
    let newest = store.range(&from, &to, Walk::Backwards, 2).unwrap();
    assert_eq!(
        newest.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(),
        [Key::Line(Place(9)).bytes(), Key::Line(Place(4)).bytes()]
    );
}

#[test]
fn counts_follow_every_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(sent(1, 1));
    store.apply(sent(2, 2));
    store.flush().unwrap();
    store.apply(sent(3, 2));
    store.apply(settled(4, 1));
    store.apply(Batch {
        id: BatchId(5),
        writes: vec![(Key::Message(MessageId(77)).bytes(), None)],
    });
    store.flush().unwrap();
    assert_eq!((store.messages().unwrap(), store.waiting().unwrap()), (2, 1));
}

#[test]
fn readers_never_see_half_a_batch_while_commits_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let pair = |n: u64| Batch {
        id: BatchId(n),
        writes: vec![
            (Key::Learnt("a".into()).bytes(), Some(encode(&n))),
            (Key::Learnt("b".into()).bytes(), Some(encode(&n))),
        ],
    };
    store.apply(pair(1));
    let reader = std::thread::spawn({
        let (store, done) = (store.clone(), done.clone());
        move || {
            let (from, to) = Key::Learnt(String::new()).kind_range();
            let mut seen = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let records = store.range(&from, &to, Walk::Forwards, 9).unwrap();
                assert_eq!(records.len(), 2);
                assert_eq!(records[0].1, records[1].1);
                seen += 1;
            }
            seen
        }
    });
    let flusher = std::thread::spawn({
        let (store, done) = (store.clone(), done.clone());
        move || {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                store.flush().unwrap();
            }
        }
    });
    for n in 2..2000 {
        store.apply(pair(n));
        if n % 100 == 0 {
            std::thread::yield_now();
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(reader.join().unwrap() > 0);
    flusher.join().unwrap();
}

#[test]
fn a_folder_in_use_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(received(1, 1));
    assert!(matches!(Store::open(folder.path()), Err(OpenError::InUse(_))));
    store.flush().unwrap();
    drop(store);
    assert_eq!(ids(&open(folder.path())), [1]);
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_not_touched() {
    for by_file in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        store.apply(received(1, 1));
        if !by_file {
            store.apply(Batch {
                id: BatchId(2),
                writes: vec![(Key::Schema.bytes(), Some(encode(&99_u32)))],
            });
        }
        store.flush().unwrap();
        drop(store);
        if by_file {
            std::fs::write(folder.path().join("schema"), "99\n").unwrap();
        }
        let before = contents(folder.path());
        match Store::open(folder.path()) {
            Err(OpenError::Newer { found: 99, .. }) => {}
            other => panic!("{other:?}"),
        }
        if by_file {
            assert_eq!(contents(folder.path()), before);
        }
        assert!(!aside(folder.path()));
    }
}

#[test]
fn only_the_owner_may_look_into_the_files() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("account");
        let store = open(&folder);
        store.apply(sent(1, 1));
        store.flush().unwrap();
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("cache")), 0o700);
        for file in ["outbox.copy", "lock", "cache/db"] {
            assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
        }
    }
}

#[test]
fn a_database_that_went_back_in_time_gets_its_waiting_messages_back() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let old = contents(folder.path());
    let store = open(folder.path());
    store.apply(sent(1, 1));
    store.apply(sent(2, 2));
    store.apply(settled(3, 2));
    store.flush().unwrap();
    drop(store);
    std::fs::remove_dir_all(folder.path().join("cache")).unwrap();
    for (path, bytes) in old
        .iter()
        .filter(|(path, _)| path.starts_with(folder.path().join("cache")))
    {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let opened = Store::open(folder.path()).unwrap();
    assert_eq!((opened.set_aside, opened.put_back), (None, 1));
    assert_waiting(&opened.store, &[1]);
}

#[test]
fn a_database_that_opens_empty_after_it_was_used_counts_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(sent(1, 1));
    store.flush().unwrap();
    drop(store);
    std::fs::remove_dir_all(folder.path().join("cache")).unwrap();
    let opened = Store::open(folder.path()).unwrap();
    assert_eq!(
        opened.set_aside.map(|aside| (aside.saved, aside.lost)),
        Some((1, 0))
    );
    drop(opened.store);
    assert_waiting(&open(folder.path()), &[1]);
}

#[test]
fn a_message_that_the_database_knows_as_settled_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(sent(1, 1));
    store.flush().unwrap();
    let copy = std::fs::read(folder.path().join("outbox.copy")).unwrap();
    store.apply(settled(2, 1));
    store.flush().unwrap();
    drop(store);
    std::fs::write(folder.path().join("outbox.copy"), copy).unwrap();
    let opened = Store::open(folder.path()).unwrap();
    assert_eq!(opened.put_back, 0);
    assert_waiting(&opened.store, &[]);
}

#[test]
fn a_conversation_of_another_account_is_no_concern_of_a_range() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(received(1, 1));
    store.flush().unwrap();
    let (from, to) = Key::timeline_range(&BareJid::new("nobody@example.org").unwrap());
    assert_eq!(store.range(&from, &to, Walk::Forwards, 9).unwrap(), []);
    assert_eq!(store.range(&to, &from, Walk::Forwards, 9).unwrap(), []);
}

#[cfg(target_os = "linux")]
#[test]
fn threads_that_wait_for_something_to_do_do_not_wake_the_machine_each_second() {
    let slack = |thread: &std::ffi::OsStr| -> u64 {
        let file = std::path::Path::new("/proc").join(thread).join("timerslack_ns");
        std::fs::read_to_string(file).unwrap().trim().parse().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.apply(received(1, 1));
    assert_eq!(store.flush(), Ok(BatchId(1)));
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let mut unhurried = 0;
    for task in tasks.flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        // The first seven stay; those that come with more work go again.
        let number = name
            .trim()
            .strip_prefix("sled-io-")
            .and_then(|it| it.parse().ok());
        if number.is_some_and(|number: u32| number < 7) {
            assert_eq!(slack(&task.file_name()), 60_000_000_000, "{name}");
            unhurried += 1;
        }
    }
    assert_eq!(unhurried, 7);
    let own = std::fs::read_link("/proc/thread-self").unwrap();
    let own = slack(own.file_name().unwrap());
    assert!(own < 1_000_000, "who opens a store waits as ever");
}

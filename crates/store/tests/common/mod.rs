//! Batches as the account makes them, and looks into a store.
#![allow(dead_code)]

use dormouse_model::record::{decode, encode};
use dormouse_model::{
    BareJid, Batch, BatchId, Content, Delivery, Jid, Key, Memory, Message, MessageId, Names, Place, Side,
    Stamp, Walk,
};
use dormouse_store::Store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub fn open(folder: &Path) -> Store {
    let opened = Store::open(folder).unwrap();
    assert_eq!(opened.set_aside, None);
    opened.store
}

pub fn message(id: u64, side: Side) -> Message {
    Message {
        id: MessageId(id),
        conversation: BareJid::new("anna@example.org").unwrap(),
        place: Place(u128::from(id)),
        sender: Jid::new("me@example.org/desk").unwrap(),
        side,
        stamp: Stamp(1),
        content: Content::Text(format!("message {id} {}", "dormouse ".repeat(20))),
        names: Names {
            origin: Some(format!("o{id}").as_str().into()),
            stanza: None,
            archive: vec![],
        },
        edited: None,
    }
}

fn placed(id: u64, side: Side) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let message = message(id, side);
    vec![
        (Key::Counters.bytes(), Some(encode(&(id + 1)))),
        (Key::Message(message.id).bytes(), Some(encode(&message))),
        (Key::Line(message.place).bytes(), Some(encode(&message.id))),
        (
            Key::Timeline(message.conversation, message.place).bytes(),
            Some(encode(&message.id)),
        ),
    ]
}

/// A message arrived.
pub fn received(batch: u64, id: u64) -> Batch {
    Batch {
        id: BatchId(batch),
        writes: placed(id, Side::Theirs),
    }
}

/// The user wrote a message.
pub fn sent(batch: u64, id: u64) -> Batch {
    let mut writes = placed(id, Side::Own(Delivery::Queued));
    writes.push((Key::Outbox(MessageId(id)).bytes(), Some(encode(&id))));
    Batch {
        id: BatchId(batch),
        writes,
    }
}

/// The server has it.
pub fn settled(batch: u64, id: u64) -> Batch {
    let mut writes = placed(id, Side::Own(Delivery::Sent));
    writes.push((Key::Outbox(MessageId(id)).bytes(), None));
    Batch {
        id: BatchId(batch),
        writes,
    }
}

/// The messages on the line of history.
pub fn ids(store: &Store) -> Vec<u64> {
    let (from, to) = Key::Line(Place(0)).kind_range();
    let records = store.range(&from, &to, Walk::Forwards, usize::MAX).unwrap();
    records
        .iter()
        .map(|(_, value)| decode::<MessageId>(value).unwrap().0)
        .collect()
}

/// These and no others wait, and stand whole in the store.
pub fn assert_waiting(store: &Store, expected: &[u64]) {
    let (from, to) = Key::Outbox(MessageId(0)).kind_range();
    let entries = store.range(&from, &to, Walk::Forwards, usize::MAX).unwrap();
    let waiting: Vec<u64> = entries.iter().map(|(_, value)| decode(value).unwrap()).collect();
    assert_eq!(waiting, expected);
    let memory: &dyn Memory = store;
    for &id in expected {
        let stored: Message = memory.read(&Key::Message(MessageId(id))).unwrap().unwrap();
        assert_eq!(stored, message(id, Side::Own(Delivery::Queued)));
        let line: MessageId = memory.read(&Key::Line(stored.place)).unwrap().unwrap();
        assert_eq!(line, stored.id);
        let timeline = Key::Timeline(stored.conversation, stored.place);
        assert_eq!(memory.read::<MessageId>(&timeline).unwrap(), Some(stored.id));
        let counters: u64 = memory.read(&Key::Counters).unwrap().unwrap();
        assert!(counters > id, "a fresh store must not give {id} again");
    }
}

pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(contents(&entry.path()));
        } else {
            found.insert(entry.path(), std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Whether something was set aside.
pub fn aside(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("cache.damaged-")
    })
}

//! Records as a damaged disk may hold them: any keys, any values.
//!
//! An input is a row of records, each the length of its key (one byte), the key, the length of its value (two bytes,
//! the higher first) and the value. Whatever they are, the core says that a record is damaged or lives with
//! it; and what is one of our words reads back as it was written.

use crate::core::{Core, account};
use dormouse_model::record::{decode, encode};
use dormouse_model::{
    ArchiveId, BareJid, Contact, JournalEntry, Key, Message, MessageId, OriginId, Place, StanzaId,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A row of records.
pub fn run(data: &[u8]) {
    let disk = parse(data);
    for (key, value) in &disk {
        keys(key);
        reads_back::<Message>(value);
        reads_back::<Contact>(value);
        reads_back::<JournalEntry>(value);
        reads_back::<BareJid>(value);
        reads_back::<Vec<MessageId>>(value);
        reads_back::<String>(value);
    }
    // Either it says that something is damaged, or it can be used.
    let Ok(mut core) = Core::over(disk) else { return };
    let lived = core.shown().and_then(|_| core.sign_in()).and_then(|()| {
        core.say("<message from='bob@b.example/x' type='chat' id='m1'><body>hi</body></message>")?;
        core.say("<iq type='result' id='{ASKED}'><fin xmlns='urn:xmpp:mam:2' complete='true'/></iq>")?;
        core.wait()
    });
    if lived.is_ok() {
        assert!(core.kept() > 0);
    }
}

/// Records as one input, for a corpus. None of what does not fit.
pub fn write(disk: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let mut data = Vec::new();
    for (key, value) in disk {
        let (Ok(key_length), Ok(value_length)) = (u8::try_from(key.len()), u16::try_from(value.len())) else {
            continue;
        };
        data.push(key_length);
        data.extend_from_slice(key);
        data.extend_from_slice(&value_length.to_be_bytes());
        data.extend_from_slice(value);
    }
    data
}

fn parse(mut data: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut disk = BTreeMap::new();
    while let Some((length, rest)) = data.split_first() {
        let Some((key, rest)) = rest.split_at_checked(usize::from(*length)) else {
            break;
        };
        let Some((length, rest)) = rest.split_first_chunk() else {
            break;
        };
        let value = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)));
        let Some((value, rest)) = value else { break };
        disk.insert(key.to_vec(), value.to_vec());
        data = rest;
    }
    disk
}

fn reads_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &[u8]) {
    if let Some(read) = decode::<T>(value) {
        assert_eq!(decode::<T>(&encode(&read)), Some(read));
    }
}

/// Any text as a part of a key: order is kept, and no part imitates a boundary.
fn keys(bytes: &[u8]) {
    let _ = Key::conversation_of(bytes);
    let (from, to) = Key::range_of(bytes);
    assert!(to.is_empty() || from < to);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at));
    let (one, other) = text.split_at(half.unwrap_or_default());
    let own = account();
    let key = |id: &str| Key::ByArchiveId(own.clone(), ArchiveId::from(id)).bytes();
    assert_eq!(one.cmp(other), key(one).cmp(&key(other)), "{one:?} {other:?}");
    let names = |id: &str| {
        let (mut from, to) = (own.clone(), own.clone());
        if let Ok(with) = BareJid::new(id) {
            from = with;
        }
        [
            Key::ByOriginId(from.clone(), to.clone(), OriginId::from(id)).bytes(),
            Key::ByStanzaId(from, to, StanzaId::from(id)).bytes(),
        ]
    };
    assert_eq!(one == other, names(one) == names(other));
    if let Ok(with) = BareJid::new(one) {
        let place = Key::Timeline(with.clone(), Place(7)).bytes();
        let (from, to) = Key::timeline_range(&with);
        assert!(from <= place && place < to);
        assert_eq!(Key::conversation_of(&place), Some(with));
    }
}

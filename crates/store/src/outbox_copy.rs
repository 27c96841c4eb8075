//! A second copy of the outbox, readable without sled.
//!
//! What the archive can give back need not survive a broken database; what the user has written and
//! the server has not confirmed must. Those messages (their `Outbox` and `Message` records, the records under
//! their names and places as the timeline wrote them, the counters that named them and their
//! conversations' summaries) are also kept in one append-only file:
//!
//! ```text
//! frame = "DMO1", length (u32, little endian), CRC-32 of the payload (u32), payload
//! payload = MessagePack of [(key, value or none to delete), ...], one commit's share
//! ```
//!
//! A frame is written and synced before sled gets the same commit, so the copy is never behind. It
//! costs nothing while no message waits: commits that touch no waiting message are not recorded.
//! A damaged frame is skipped and reading goes on at the next one that is whole: the worst that
//! comes of it is a message that was already settled and comes back as a doubtful one, which the
//! archive settles again. The file is rewritten when it is opened, if that changes
//! anything, and when most of it is history.

use dormouse_model::record::{decode, encode};
use dormouse_model::{Key, Message, MessageId};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 4] = *b"DMO1";
const HEADER: usize = 12;
/// Below this the file is never worth rewriting.
const SMALL: u64 = 64 * 1024;

/// The kind of `Key::Conversation`, which needs an address to be asked. A test holds the two together.
const CONVERSATION: u8 = b'v';

/// A key, and its value or none to delete it.
type KeyWrite = (Vec<u8>, Option<Vec<u8>>);

/// The records of waiting messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What could be read of a copy.
#[derive(Debug, Default)]
pub struct Copy {
    /// The messages that wait.
    pub waiting: Waiting,
    /// Stretches of the file that could not be read. A torn last frame counts: its commit was never said
    /// to be durable.
    pub damaged: usize,
}

fn kind(key: &Key) -> u8 {
    key.bytes().first().copied().unwrap_or_default()
}

fn outbox() -> u8 {
    kind(&Key::Outbox(MessageId(0)))
}

fn message() -> u8 {
    kind(&Key::Message(MessageId(0)))
}

/// The key of the same message's record of another kind.
fn sibling(key: &[u8], kind: u8) -> Vec<u8> {
    let mut key = key.to_vec();
    if let Some(first) = key.first_mut() {
        *first = kind;
    }
    key
}

fn is_kind(key: &[u8], kind: u8) -> bool {
    key.first() == Some(&kind)
}

/// The keys under which a message is found by its place and its names. What stands there is the timeline's.
fn indices(message: &Message) -> Vec<Vec<u8>> {
    let conversation = &message.conversation;
    let sender = message.sender.to_bare();
    let names = &message.names;
    let origin = names.origin.iter().cloned();
    let stanza = names.stanza.iter().cloned();
    [
        Key::Line(message.place),
        Key::Timeline(conversation.clone(), message.place),
    ]
    .into_iter()
    .chain(origin.map(|id| Key::ByOriginId(conversation.clone(), sender.clone(), id)))
    .chain(stanza.map(|id| Key::ByStanzaId(conversation.clone(), sender.clone(), id)))
    .map(|key| key.bytes())
    .collect()
}

fn indices_of(record: Option<&Vec<u8>>) -> Vec<Vec<u8>> {
    let message: Option<Message> = record.and_then(|bytes| decode(bytes));
    message.iter().flat_map(indices).collect()
}

impl Waiting {
    fn absorb(&mut self, writes: impl IntoIterator<Item = KeyWrite>) {
        for (key, value) in writes {
            match value {
                Some(value) => {
                    if is_kind(&key, message()) {
                        let stay = indices_of(Some(&value));
                        let moved = indices_of(self.records.get(&key));
                        for index in moved.iter().filter(|index| !stay.contains(index)) {
                            self.records.remove(index);
                        }
                    }
                    self.records.insert(key, value);
                }
                None => {
                    if is_kind(&key, outbox()) {
                        let settled = self.records.remove(&sibling(&key, message()));
                        for index in indices_of(settled.as_ref()) {
                            self.records.remove(&index);
                        }
                    }
                    self.records.remove(&key);
                }
            }
        }
        if self.is_empty() {
            self.records.clear();
        }
    }

    /// A copy made from what a store holds.
    pub(crate) fn from_records(records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        let mut waiting = Waiting::default();
        waiting.absorb(records.into_iter().map(|(key, value)| (key, Some(value))));
        waiting
    }

    /// Adds those of `other` that are not known here.
    pub(crate) fn add_missing(&mut self, other: Waiting) {
        for (key, value) in other.records {
            self.records.entry(key).or_insert(value);
        }
    }

    fn keys(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.records.keys().filter(|key| is_kind(key, outbox()))
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.keys().next().is_none()
    }

    /// The share of a commit that belongs here. `lookup` reads what was stored before it.
    pub(crate) fn share_of(
        &self,
        writes: &[KeyWrite],
        lookup: impl Fn(&[u8]) -> Option<Vec<u8>>,
    ) -> Vec<KeyWrite> {
        let written: BTreeMap<&[u8], Option<&[u8]>> = writes
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_deref()))
            .collect();
        let waits = |key: &[u8]| match written.get(key) {
            Some(value) => value.is_some(),
            None => self.records.contains_key(key),
        };
        let news = |key: &[u8], value: &[u8]| self.records.get(key).is_none_or(|known| known != value);
        let mut share = Vec::new();
        let mut begins = false;
        for (&key, &value) in &written {
            if is_kind(key, outbox()) {
                let body = sibling(key, message());
                match value {
                    Some(value) => {
                        if news(key, value) {
                            begins = true;
                            share.push((key.to_vec(), Some(value.to_vec())));
                        }
                        if !written.contains_key(body.as_slice())
                            && !self.records.contains_key(&body)
                            && let Some(stored) = lookup(&body)
                        {
                            share.push((body, Some(stored)));
                        }
                    }
                    None if self.records.contains_key(key) => share.push((key.to_vec(), None)),
                    None => {}
                }
            } else if is_kind(key, message())
                && let Some(value) = value
                && waits(&sibling(key, outbox()))
                && news(key, value)
            {
                share.push((key.to_vec(), Some(value.to_vec())));
            }
        }
        let bodies = share.iter().filter(|(key, _)| is_kind(key, message()));
        let indices: Vec<Vec<u8>> = bodies.flat_map(|(_, value)| indices_of(value.as_ref())).collect();
        for index in indices {
            let value = match written.get(index.as_slice()) {
                Some(value) => value.map(<[u8]>::to_vec),
                None => lookup(&index).filter(|_| !self.records.contains_key(&index)),
            };
            share.extend(
                value
                    .filter(|value| news(&index, value))
                    .map(|value| (index.clone(), Some(value))),
            );
        }
        if begins {
            let around = [kind(&Key::Counters), CONVERSATION];
            share.extend(writes.iter().filter_map(|(key, value)| {
                let value = value.as_ref()?;
                around
                    .contains(key.first()?)
                    .then(|| (key.clone(), Some(value.clone())))
            }));
        }
        share
    }

    /// The messages that can be given back, and how many can't because their text is gone.
    pub fn messages(&self) -> (Vec<Message>, usize) {
        let mut lost = 0;
        let messages = self
            .keys()
            .filter_map(|key| {
                let found = self
                    .records
                    .get(&sibling(key, message()))
                    .and_then(|bytes| decode(bytes));
                lost += usize::from(found.is_none());
                found
            })
            .collect();
        (messages, lost)
    }

    /// Everything a fresh store needs so that the messages stand and wait in it as before.
    pub(crate) fn into_records(self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let (messages, _) = self.messages();
        let mut records = self.records;
        let known: Vec<Vec<u8>> = messages.iter().map(|m| Key::Message(m.id).bytes()).collect();
        // An entry without its text can't be sent; it would only stand in the way.
        records.retain(|key, _| {
            let own = is_kind(key, outbox()) || is_kind(key, message());
            !own || known.contains(&sibling(key, message()))
        });
        records
    }

    /// What a commit would have changed.
    pub(crate) fn take_in(&mut self, writes: &[KeyWrite]) {
        let share = self.share_of(writes, |_| None);
        self.absorb(share);
    }

    /// Only the messages for which `unknown` says yes to their `Message` key.
    pub(crate) fn only(mut self, unknown: impl Fn(&[u8]) -> bool) -> Self {
        let settled: Vec<Vec<u8>> = self
            .keys()
            .filter(|key| !unknown(&sibling(key, message())))
            .cloned()
            .collect();
        self.absorb(settled.into_iter().map(|key| (key, None)));
        self
    }
}

fn frame(writes: &[KeyWrite]) -> io::Result<Vec<u8>> {
    let payload = encode(writes);
    let length = u32::try_from(payload.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
    frame.extend_from_slice(&payload);
    Ok(frame)
}

/// The payload of the frame at the start of `bytes`, and the frame's length, if it is whole.
fn whole_frame(bytes: &[u8]) -> Option<(Vec<KeyWrite>, usize)> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != MAGIC {
        return None;
    }
    let end = HEADER.checked_add(usize::try_from(number(4)?).ok()?)?;
    let payload = bytes.get(HEADER..end)?;
    if crc32fast::hash(payload) != number(8)? {
        return None;
    }
    Some((decode(payload)?, end))
}

/// Reads a copy. A missing file is an empty one.
pub fn read(path: &Path) -> io::Result<Copy> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Copy::default()),
        Err(error) => return Err(error),
    };
    let mut copy = Copy::default();
    let mut at = 0;
    let mut in_damage = false;
    while at < bytes.len() {
        if let Some((writes, length)) = whole_frame(&bytes[at..]) {
            copy.waiting.absorb(writes);
            at += length;
            in_damage = false;
        } else {
            copy.damaged += usize::from(!in_damage);
            in_damage = true;
            let rest = &bytes[at + 1..];
            at += 1 + rest
                .windows(4)
                .position(|four| four == MAGIC)
                .unwrap_or(rest.len());
        }
    }
    Ok(copy)
}

/// The copy, open for writing at its end. Not for appending only: Windows then shortens no file.
#[derive(Debug)]
pub(crate) struct OutboxCopy {
    path: PathBuf,
    /// Open between two records, unless the last one failed or the file was to be replaced: Windows replaces no file that is open.
    file: Option<File>,
    /// Where the last whole frame ends.
    length: u64,
    waiting: Waiting,
}

impl OutboxCopy {
    /// A fresh file that holds just these; replaces the old one at once or not at all.
    pub(crate) fn write(path: &Path, waiting: Waiting) -> io::Result<Self> {
        let mut whole = Vec::new();
        if !waiting.is_empty() {
            let writes: Vec<KeyWrite> = waiting
                .records
                .iter()
                .map(|(key, value)| (key.clone(), Some(value.clone())))
                .collect();
            whole = frame(&writes)?;
        }
        // Most often nothing waits and nothing did: a start need not wait for the disk to write that down once more.
        if fs::read(path).ok().as_ref() != Some(&whole) {
            let fresh = path.with_extension("new");
            let mut file = private().create(true).truncate(true).open(&fresh)?;
            file.write_all(&whole)?;
            file.sync_all()?;
            drop(file);
            fs::rename(&fresh, path)?;
            sync_folder(path)?;
        }
        let length = whole.len() as u64;
        let file = private().open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            length,
            waiting,
        })
    }

    /// Closes the file until the next record: another is about to take its place.
    pub(crate) fn let_go(&mut self) {
        self.file = None;
    }

    /// What waits, as of the last record.
    pub(crate) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// Records a commit's share; durable when this returns. Nothing is written if there is none.
    pub(crate) fn record(&mut self, share: Vec<KeyWrite>) -> io::Result<()> {
        if share.is_empty() {
            return Ok(());
        }
        let frame = frame(&share)?;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => private().open(&self.path)?,
        };
        // A frame that failed half way would be taken for damage.
        file.set_len(self.length)?;
        let written = file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| file.write_all(&frame))
            .and_then(|()| file.sync_data());
        if let Err(error) = written {
            let _ = file.set_len(self.length);
            return Err(error);
        }
        self.length += frame.len() as u64;
        self.waiting.absorb(share);
        let live: usize = self.waiting.records.iter().map(|(k, v)| k.len() + v.len()).sum();
        if self.length > SMALL && self.length > 4 * live as u64 {
            // Let go of, as in `let_go`.
            drop(file);
            match Self::write(&self.path, self.waiting.clone()) {
                Ok(compacted) => *self = compacted,
                // The long file is as good as the short one.
                Err(error) => tracing::warn!(%error, "the outbox copy could not be rewritten"),
            }
        } else {
            self.file = Some(file);
        }
        Ok(())
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a rename durable. Windows has no such thing for folders and does it by itself.
pub(crate) fn sync_folder(inside: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = inside.parent() {
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = inside;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::{BareJid, Content, Delivery, Names, Place, Side, Stamp};

    fn key_of(id: u64) -> (Vec<u8>, Vec<u8>) {
        (
            Key::Outbox(MessageId(id)).bytes(),
            Key::Message(MessageId(id)).bytes(),
        )
    }

    fn text(id: u64) -> Message {
        Message {
            id: MessageId(id),
            conversation: BareJid::new("anna@example.org").unwrap(),
            place: Place(u128::from(id) << 64),
            sender: dormouse_model::Jid::new("me@example.org/desk").unwrap(),
            side: Side::Own(Delivery::Queued),
            stamp: Stamp(1),
            content: Content::Text(format!("message {id}")),
            names: Names {
                origin: Some(format!("o{id}").as_str().into()),
                stanza: Some(format!("o{id}").as_str().into()),
                archive: vec![],
            },
            edited: None,
        }
    }

    fn sending(id: u64) -> Vec<KeyWrite> {
        let (entry, message) = key_of(id);
        vec![
            (Key::Counters.bytes(), Some(encode(&(id + 1)))),
            (entry, Some(encode(&id))),
            (message, Some(encode(&text(id)))),
        ]
    }

    fn record(copy: &mut OutboxCopy, writes: &[KeyWrite]) {
        let share = copy.waiting().share_of(writes, |_| None);
        copy.record(share).unwrap();
    }

    #[test]
    fn the_kind_of_a_conversation_is_the_models() {
        assert_eq!(
            kind(&Key::Conversation(BareJid::new("a@x").unwrap())),
            CONVERSATION
        );
    }

    #[test]
    fn it_holds_what_waits_and_lets_go_of_what_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let mut copy = OutboxCopy::write(&path, Waiting::default()).unwrap();
        record(&mut copy, &sending(1));
        record(&mut copy, &sending(2));
        record(&mut copy, &[(key_of(1).0, None)]);
        let read = read(&path).unwrap();
        assert_eq!(read.damaged, 0);
        assert_eq!(read.waiting.messages(), (vec![text(2)], 0));
        assert_eq!(&read.waiting, copy.waiting());
        record(&mut copy, &[(key_of(2).0, None)]);
        assert_eq!(super::read(&path).unwrap().waiting, Waiting::default());
    }

    #[test]
    fn a_commit_that_touches_no_waiting_message_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let mut copy = OutboxCopy::write(&path, Waiting::default()).unwrap();
        record(&mut copy, &sending(1));
        let before = fs::metadata(&path).unwrap().len();
        record(
            &mut copy,
            &[
                (Key::Counters.bytes(), Some(vec![9])),
                (key_of(7).1, Some(encode(&text(7)))),
                (key_of(1).1, Some(encode(&text(1)))),
                (key_of(8).0, None),
            ],
        );
        assert_eq!(fs::metadata(&path).unwrap().len(), before);
    }

    #[test]
    fn an_entry_whose_message_was_stored_earlier_brings_it_along() {
        let (entry, message) = key_of(3);
        let line = Key::Line(text(3).place).bytes();
        let share = Waiting::default().share_of(&[(entry, Some(vec![1]))], |key| {
            (key == message)
                .then(|| encode(&text(3)))
                .or_else(|| (key == line).then(|| b"as stored".to_vec()))
        });
        let mut waiting = Waiting::default();
        waiting.absorb(share);
        assert_eq!(waiting.messages(), (vec![text(3)], 0));
        assert_eq!(waiting.records.get(&line).unwrap(), b"as stored");
    }

    #[test]
    fn what_stands_under_its_place_and_names_is_kept_as_written_and_moves_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let mut copy = OutboxCopy::write(&path, Waiting::default()).unwrap();
        let written = |message: &Message| {
            let under = indices(message).into_iter();
            under
                .map(|key| (key, Some(b"the timeline's own".to_vec())))
                .collect::<Vec<_>>()
        };
        let kept = || {
            let records = read(&path).unwrap().waiting.into_records();
            let own = records
                .into_iter()
                .filter(|(_, value)| value == b"the timeline's own");
            own.map(|(key, _)| key).collect::<Vec<_>>()
        };
        let sorted = |mut keys: Vec<Vec<u8>>| {
            keys.sort();
            keys
        };
        let mut writes = sending(1);
        writes.extend(written(&text(1)));
        // What another message stands under is no concern of the copy.
        writes.extend(written(&text(9)));
        record(&mut copy, &writes);
        assert_eq!(kept(), sorted(indices(&text(1))));
        let moved = Message {
            place: Place(77),
            ..text(1)
        };
        let mut writes = vec![(key_of(1).1, Some(encode(&moved)))];
        writes.extend(written(&moved));
        record(&mut copy, &writes);
        assert_eq!(kept(), sorted(indices(&moved)));
        // A change that leaves them alone does.
        let delivered = Message {
            side: Side::Own(Delivery::Sent),
            ..moved.clone()
        };
        record(&mut copy, &[(key_of(1).1, Some(encode(&delivered)))]);
        assert_eq!(kept(), sorted(indices(&moved)));
        record(&mut copy, &sending(2));
        record(&mut copy, &[(key_of(1).0, None)]);
        assert_eq!(kept(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn damage_anywhere_costs_only_the_frames_it_hits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let mut copy = OutboxCopy::write(&path, Waiting::default()).unwrap();
        let mut ends = vec![];
        for id in 1..=5 {
            record(&mut copy, &sending(id));
            ends.push(fs::metadata(&path).unwrap().len() as usize);
        }
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut hurt = whole.clone();
            hurt[at] ^= 0x10;
            fs::write(&path, &hurt).unwrap();
            let read = read(&path).unwrap();
            let hit = ends.iter().position(|end| at < *end).unwrap();
            let expected: Vec<Message> = (1..=5).filter(|id| *id != hit as u64 + 1).map(text).collect();
            assert_eq!(read.waiting.messages().0, expected, "byte {at}");
            assert_eq!(read.damaged, 1);
        }
        for length in (0..whole.len()).step_by(7) {
            fs::write(&path, &whole[..length]).unwrap();
            let whole_ones = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(read(&path).unwrap().waiting.messages().0.len(), whole_ones);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_there_already_is_not_written_once_more() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.copy");
        let mut waiting = Waiting::default();
        for id in 0..2 {
            let written = |waiting: &Waiting| {
                OutboxCopy::write(&path, waiting.clone()).unwrap();
                assert_eq!(read(&path).unwrap().waiting, *waiting);
                fs::metadata(&path).unwrap().ino()
            };
            let file = written(&waiting);
            assert_eq!(written(&waiting), file);
            waiting.absorb(sending(id));
            assert_ne!(written(&waiting), file);
        }
    }

    #[test]
    fn the_file_does_not_grow_with_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let mut copy = OutboxCopy::write(&path, Waiting::default()).unwrap();
        for id in 1..1000 {
            record(&mut copy, &sending(id));
            if id > 2 {
                record(&mut copy, &[(key_of(id - 2).0, None)]);
            }
        }
        assert!(fs::metadata(&path).unwrap().len() <= SMALL + 4096);
        assert_eq!(read(&path).unwrap().waiting.messages().0, [text(998), text(999)]);
    }
}

//! `cargo xtask bench store`: a timeline of a million messages, next to the bare operation of sled.
//!
//! The messages come as an archive gives them, in pages of 50, newest first, through the rules of the timeline: each
//! with all that is kept to recognise it. Then what a window asks for is timed over the shipped store, and next to it
//! what of it sled itself has to do: the same keys of the same database, found and read, not decoded. A durable
//! insert stands next to one record of the same size inserted and synced in the same way in a database of its
//! own.

use crate::figure::Figure;
use crate::machine;
use anyhow::{Context, Result, ensure};
use dormouse_model::{
    ArchiveId, ArchiveItem, ArchivePage, ArchiveQuery, Arrival, BareJid, BatchId, Draft, Incoming, Jid, Key,
    Kind, Message, MessageId, Now, PageWanted, Payload, Place, Random, ReadError, Stamp, StanzaId, Tick, Via,
    record::decode,
};
use dormouse_store::Store;
use dormouse_timeline::{Part, Timeline, history};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PAGE: usize = 50;
const YEAR_MS: u64 = 365 * 24 * 3600 * 1000;
/// The newest message.
const TODAY: i64 = 1_795_000_000_000;
/// Pages between two commits while filling: a long catch-up's group commit.
const PAGES_PER_COMMIT: usize = 100;
/// As the shipped store opens sled.
const CACHE: u64 = 8 * 1024 * 1024;

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Messages.
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// Conversations they are in.
    #[arg(long, default_value_t = 200)]
    conversations: usize,
    /// Years over which they were sent.
    #[arg(long, default_value_t = 3)]
    years: u64,
    /// How often each thing is done.
    #[arg(long, default_value_t = 50)]
    runs: usize,
}

/// An archive that makes its items when they are asked for.
struct Archive<'a>(&'a Options);

impl Archive<'_> {
    fn conversation(&self, number: usize) -> String {
        // Scattered: neighbours in time are not neighbours in the list.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        format!("friend{}@example.org", mixed % self.0.conversations)
    }

    fn stamp(&self, number: usize) -> Stamp {
        let age = self.0.years * YEAR_MS * (self.0.messages - number) as u64 / self.0.messages as u64;
        Stamp(TODAY - i64::try_from(age).unwrap_or(i64::MAX))
    }

    fn incoming(&self, number: usize) -> Result<Incoming> {
        Ok(Incoming {
            from: Jid::new(&format!("{}/phone", self.conversation(number)))?,
            to: Jid::new("me@example.org")?,
            kind: Kind::Chat,
            id: Some(StanzaId(format!("stanza-{number:08x}-4c1f-9d2e"))),
            origin: None,
            archive: None,
            stamp: None,
            resent: false,
            receipt_wanted: false,
            payload: Payload::Text(format!(
                "Message number {number}: as long as the messages that people write to each other are on average."
            )),
            chat_state: None,
        })
    }

    fn id(number: usize) -> ArchiveId {
        ArchiveId(format!("{number:020}"))
    }

    /// The page asked for; items are numbered from 1.
    fn answer(&self, query: &ArchiveQuery) -> Result<ArchivePage> {
        let end = match &query.page {
            PageWanted::Newest => self.0.messages,
            PageWanted::Before(id) => id.as_str().parse::<usize>()?.saturating_sub(1),
            other => anyhow::bail!("a first catch-up does not ask for {other:?}"),
        };
        let begin = end.saturating_sub(PAGE) + 1;
        let items = (begin..=end).map(|number| {
            Ok(ArchiveItem {
                id: Self::id(number),
                stamp: self.stamp(number),
                message: Some(self.incoming(number)?),
            })
        });
        Ok(ArchivePage {
            query: query.id,
            items: items.collect::<Result<_>>()?,
            complete: begin == 1,
            count: Some(self.0.messages as u64),
            stable: true,
        })
    }
}

/// A timeline over a store, and the number of its next batch.
struct Kept<'a> {
    timeline: Timeline,
    store: &'a Store,
    batch: u64,
    now: Now,
}

impl Kept<'_> {
    fn act<R>(
        &mut self,
        act: impl FnOnce(&mut Timeline, Now, &mut Draft<'_>) -> Result<R, ReadError>,
    ) -> Result<R> {
        let mut draft = Draft::over(self.store);
        let result = act(&mut self.timeline, self.now, &mut draft)?;
        self.batch += 1;
        let batch = draft.into_batch(BatchId(self.batch));
        self.timeline.issued(batch.id);
        self.store.apply(batch);
        Ok(result)
    }

    fn commit(&mut self) -> Result<()> {
        let durable = self.store.flush()?;
        self.timeline.durable(durable);
        Ok(())
    }
}

/// Measures, and tells a table in Markdown.
///
/// # Errors
/// When the disk refuses, or what was stored is not read back.
pub fn measure(options: &Options) -> Result<String> {
    ensure!(
        options.messages >= 2 * PAGE && options.conversations > 0 && options.runs > 0,
        "A timeline of less than {} messages shows nothing.",
        2 * PAGE
    );
    let load_before = machine::load();
    let folder = TempDir::new()?;
    let account = BareJid::new("me@example.org")?;
    let archive = Archive(options);
    let store = Store::open(folder.path())?.store;
    let filling = fill(&archive, &account, &store)?;
    eprintln!("filled in {:.0} s", filling.as_secs_f64());
    drop(store);

    let mut opening = Figure::default();
    for _ in 0..options.runs.min(10) {
        opening.time(|| Store::open(folder.path()))?;
    }
    let store = Store::open(folder.path())?.store;
    let held = store.messages()?;
    ensure!(held == options.messages as u64, "{held} messages were stored");
    let listing = repeat(options.runs, |_| Ok(dormouse_timeline::conversations(&store)?))?;
    // Not the same conversation each time: what was just read would be in memory.
    let with = |run: usize| -> Result<BareJid> {
        let number = run % options.conversations;
        Ok(BareJid::new(&format!("friend{number}@example.org"))?)
    };
    let newest = repeat(options.runs, |run| {
        let stretch = history(&store, &account, &with(run)?, Part::Latest, PAGE)?;
        ensure!(
            stretch.messages.len() == PAGE.min(stretch.messages.len()),
            "too many"
        );
        ensure!(!stretch.messages.is_empty(), "a conversation is empty");
        Ok(stretch)
    })?;
    let places = (0..options.runs)
        .map(|run| a_year_back(&store, &with(run)?))
        .collect::<Result<Vec<Place>>>()?;
    let old = repeat(options.runs, |run| {
        let stretch = history(&store, &account, &with(run)?, Part::Before(places[run]), PAGE)?;
        ensure!(!stretch.messages.is_empty(), "nothing is a year old");
        Ok(stretch)
    })?;
    let mut kept = Kept {
        timeline: Timeline::restore(account.clone(), Random::from_seed([9; 32]), &store)?,
        store: &store,
        batch: store.durable().0,
        now: now(),
    };
    let inserting = repeat(options.runs, |run| {
        let arrival = Arrival {
            via: Via::Live,
            message: Incoming {
                archive: Some(Archive::id(options.messages + 1 + run)),
                ..archive.incoming(options.messages + 1 + run)?
            },
        };
        kept.act(|timeline, now, draft| timeline.arrival(now, arrival, true, draft))?;
        kept.commit()
    })?;
    drop(kept);
    drop(store);

    let disk = used(folder.path())?;
    let bare = bare(folder.path(), options, &places)?;
    let row = |what: &str, ours: &Figure, bare: &Figure| {
        format!(
            "| {what} | {} | {} | {:.1} |\n",
            micro(ours),
            micro(bare),
            ours.median().unwrap_or_default() / bare.median().unwrap_or(f64::NAN)
        )
    };
    Ok(format!(
        "{}. Load {load_before} at the start, {} at the end.\n\n\
         | median / largest, µs | Dormouse | bare sled | times |\n|---|---:|---:|---:|\n{}{}{}{}| the list of {} conversations | {} | | |\n\n\
         Filled in {:.0} s ({:.0} messages per second); {:.0} MiB on the disk, {:.0} bytes a message, of which sled's own keys \
         and values are {:.0}.\n",
        machine::describe(),
        machine::load(),
        row("opening", &opening, &bare.opening),
        row("the last 50 of a conversation", &newest, &bare.newest),
        row("50 messages a year back", &old, &bare.old),
        row("one durable insert", &inserting, &bare.inserting),
        options.conversations,
        micro(&listing),
        filling.as_secs_f64(),
        options.messages as f64 / filling.as_secs_f64(),
        disk as f64 / 1_048_576.0,
        disk as f64 / options.messages as f64,
        bare.bytes as f64 / options.messages as f64,
    ))
}

fn now() -> Now {
    Now {
        tick: Tick(1_000_000),
        stamp: Stamp(TODAY + 1_000),
    }
}

fn micro(figure: &Figure) -> String {
    match (figure.median(), figure.largest()) {
        (Some(median), Some(largest)) => format!("{median:.0} / {largest:.0}"),
        _ => "–".to_owned(),
    }
}

fn repeat<T>(runs: usize, mut work: impl FnMut(usize) -> Result<T>) -> Result<Figure> {
    let mut figure = Figure::default();
    for run in 0..runs {
        figure.time(|| work(run))?;
    }
    Ok(figure)
}

/// Reads the whole archive into the store, as a long catch-up does.
fn fill(archive: &Archive<'_>, account: &BareJid, store: &Store) -> Result<Duration> {
    let begun = Instant::now();
    let mut kept = Kept {
        timeline: Timeline::restore(account.clone(), Random::from_seed([7; 32]), store)?,
        store,
        batch: 0,
        now: now(),
    };
    // An account that has read the very first message, and then was away for years.
    kept.act(|timeline, _, draft| timeline.session(true, true, draft))?;
    let mut pages = 0;
    let first = Archive(&Options {
        messages: 1,
        conversations: archive.0.conversations,
        years: archive.0.years,
        runs: 1,
    });
    let query = kept
        .timeline
        .next_query(kept.now)
        .context("nothing was asked for")?;
    let mut page = first.answer(&query)?;
    page.items
        .iter_mut()
        .for_each(|item| item.stamp = archive.stamp(1));
    kept.act(|timeline, now, draft| timeline.page(now, page, draft))?;
    kept.commit()?;
    kept.act(|timeline, _, draft| timeline.session(true, true, draft))?;
    while let Some(query) = kept.timeline.next_query(kept.now) {
        let page = archive.answer(&query)?;
        kept.act(|timeline, now, draft| timeline.page(now, page, draft))?;
        pages += 1;
        if pages % PAGES_PER_COMMIT == 0 {
            kept.commit()?;
        }
        if pages % 2_000 == 0 {
            eprintln!(
                "{} of {}, {:.0} s",
                pages * PAGE,
                archive.0.messages,
                begun.elapsed().as_secs_f64()
            );
        }
    }
    kept.commit()?;
    ensure!(kept.timeline.caught_up(), "the archive was not read to its end");
    Ok(begun.elapsed())
}

/// The place of the first message of a conversation that is less than a year old. By halves.
fn a_year_back(store: &Store, with: &BareJid) -> Result<Place> {
    let newest = |place: Place| -> Result<Option<Message>> {
        let account = BareJid::new("me@example.org")?;
        Ok(history(store, &account, with, Part::Before(place), 1)?
            .messages
            .pop())
    };
    let last = newest(Place(u128::MAX))?
        .context("an empty conversation")?
        .place
        .0;
    let (mut low, mut high) = (0, last);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match newest(Place(middle))? {
            Some(message) if message.stamp.0 >= TODAY - YEAR_MS as i64 => high = message.place.0,
            Some(message) if message.place.0 > low => low = message.place.0.max(middle),
            _ => low = middle,
        }
    }
    Ok(Place(high))
}

/// What sled alone takes for its part of the work.
struct Bare {
    opening: Figure,
    newest: Figure,
    old: Figure,
    inserting: Figure,
    bytes: u64,
}

fn bare(folder: &Path, options: &Options, places: &[Place]) -> Result<Bare> {
    let place = database(folder).context("no database of sled's is in the store's folder")?;
    let open = |path: &Path| {
        sled::Config::default()
            .path(path)
            .cache_capacity(CACHE)
            .flush_every_ms(None)
            .mode(sled::Mode::LowSpace)
            .open()
    };
    let opening = repeat(options.runs.min(10), |_| Ok(open(&place)?))?;
    let db = open(&place)?;
    let read = |from: Vec<u8>, to: Vec<u8>| -> Result<usize> {
        let mut bytes = 0;
        for entry in db.range(from..to).rev().take(PAGE) {
            let id: MessageId = decode(&entry?.1).context("no id")?;
            bytes += db.get(Key::Message(id).bytes())?.map_or(0, |value| value.len());
        }
        Ok(bytes)
    };
    let with = |run: usize| BareJid::new(&format!("friend{}@example.org", run % options.conversations));
    let newest = repeat(options.runs, |run| {
        let (from, to) = Key::timeline_range(&with(run)?);
        read(from, to)
    })?;
    let old = repeat(options.runs, |run| {
        let with = with(run)?;
        let (from, _) = Key::timeline_range(&with);
        read(from, Key::Timeline(with, places[run]).bytes())
    })?;
    let mut bytes = 0;
    for entry in db.iter() {
        let (key, value) = entry?;
        bytes += (key.len() + value.len()) as u64;
    }
    drop(db);
    let fresh = TempDir::new()?;
    let db = open(fresh.path())?;
    db.insert(b"first", &[0])?;
    db.flush()?;
    let file = File::options().write(true).open(fresh.path().join("db"))?;
    let inserting = repeat(options.runs, |run| {
        db.insert((run as u64).to_be_bytes(), vec![7; 300])?;
        db.flush()?;
        // Sled hands its pages to the drive without asking the drive to keep them.
        Ok(file.sync_data()?)
    })?;
    Ok(Bare {
        opening,
        newest,
        old,
        inserting,
        bytes,
    })
}

/// The folder that has sled's file in it.
fn database(folder: &Path) -> Option<PathBuf> {
    let mut unseen = vec![folder.to_owned()];
    while let Some(folder) = unseen.pop() {
        if folder.join("db").is_file() {
            return Some(folder);
        }
        let entries = std::fs::read_dir(&folder).ok()?.flatten();
        unseen.extend(entries.map(|entry| entry.path()).filter(|path| path.is_dir()));
    }
    None
}

/// Bytes that a folder takes on the disk.
fn used(folder: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            used(&entry.path())?
        } else {
            metadata.blocks() * 512
        };
    }
    Ok(bytes)
}

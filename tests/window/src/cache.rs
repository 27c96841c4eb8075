//! A cache as years of use leave it, without the years: messages go through the timeline's own rules into a store,
//! as they would when they came from the server, only without one.

use crate::Result;
use crate::people::ALICE;
use anyhow::Context;
use dormouse_engine::Folder;
use dormouse_engine::model::{
    Arrival, BareJid, BatchId, Draft, Incoming, Jid, Kind, Now, Payload, Random, ReadError, Stamp, StanzaId,
    Tick, Via,
};
use dormouse_store::Store;
use dormouse_timeline::Timeline;
use std::path::Path;

/// Messages written at a time: what the store takes to the disk as one.
const BATCH: usize = 1000;

/// Who said what.
#[derive(Debug, Clone)]
pub struct Said {
    /// Bare address: alice's own, or the other's.
    pub by: String,
    /// The text.
    pub body: String,
}

/// Puts a conversation of alice's, read to its end, into the cache of an app that does not run. The messages are a
/// minute apart and end at `until` (milliseconds since 1970).
///
/// # Errors
/// When the cache can't be written.
pub fn fill(
    app_home: &Path,
    with: &str,
    until: i64,
    messages: impl ExactSizeIterator<Item = Said>,
) -> Result<()> {
    let account = BareJid::new(ALICE)?;
    let folder = Folder::within(&app_home.join("accounts"), &account);
    std::fs::create_dir_all(folder.path())?;
    let store = Store::open(&folder.store())?.store;
    let mut timeline = Timeline::restore(account, Random::from_seed([7; 32]), &store)?;
    let first = until - 60_000 * i64::try_from(messages.len())?;
    let mut batch = BatchId::default();
    let mut messages = messages.enumerate().peekable();
    while messages.peek().is_some() {
        let mut draft = Draft::over(&store);
        for (number, said) in messages.by_ref().take(BATCH) {
            let stamp = Stamp(first + 60_000 * i64::try_from(number)?);
            arrive(&mut timeline, stamp, number, with, said, &mut draft)
                .context("the timeline can't be written")?;
        }
        if messages.peek().is_none() {
            let now = Now {
                tick: Tick(0),
                stamp: Stamp(until),
            };
            timeline.read(now, &BareJid::new(with)?, false, &mut draft)?;
        }
        batch = BatchId(batch.0 + 1);
        let written = draft.into_batch(batch);
        timeline.issued(batch);
        store.apply(written);
        store.flush()?;
        timeline.durable(batch);
    }
    Ok(())
}

fn arrive(
    timeline: &mut Timeline,
    stamp: Stamp,
    number: usize,
    with: &str,
    said: Said,
    draft: &mut Draft<'_>,
) -> Result<()> {
    let own = said.by == ALICE;
    let (from, to) = if own { (ALICE, with) } else { (with, ALICE) };
    let message = Incoming {
        from: Jid::new(&format!("{from}/earlier"))?,
        to: Jid::new(to)?,
        kind: Kind::Chat,
        id: Some(StanzaId::from(format!("earlier-{number}").as_str())),
        origin: None,
        archive: None,
        stamp: Some(stamp),
        resent: false,
        receipt_wanted: false,
        payload: Payload::Text(said.body),
        chat_state: None,
    };
    let via = if own { Via::Carbon } else { Via::Live };
    let now = Now {
        tick: Tick(u64::try_from(number)?),
        stamp,
    };
    timeline
        .arrival(now, Arrival { via, message }, false, draft)
        .map(drop)
        .map_err(|error: ReadError| error.into())
}

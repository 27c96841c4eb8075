//! A cache as years of use leave it, without the years: messages go through the timeline's own rules, as they would
//! when they came from the server, and what the rules leave behind goes into the store in few large batches.

use crate::Result;
use crate::people::ALICE;
use dormouse_engine::Folder;
use dormouse_engine::model::{
    Arrival, BareJid, Batch, BatchId, Draft, Incoming, Jid, Kind, Memory, Now, Payload, Random, Stamp,
    StanzaId, Tick, Via, Walk,
};
use dormouse_store::Store;
use dormouse_timeline::Timeline;
use std::collections::BTreeMap;
use std::path::Path;

/// Records written at a time: what the store takes to the disk as one.
const RECORDS: usize = 20_000;

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
    // What an earlier conversation left is there: the rules go on from it.
    let kept = store.range(&[], &[u8::MAX], Walk::Forwards, usize::MAX)?;
    let mut memory: BTreeMap<Vec<u8>, Vec<u8>> = kept.into_iter().collect();
    let mut timeline = Timeline::restore(account, Random::from_seed([7; 32]), &memory)?;
    let first = until - 60_000 * i64::try_from(messages.len())?;
    let mut number = 0;
    let mut turn = |memory: &mut BTreeMap<Vec<u8>, Vec<u8>>,
                    act: &mut dyn FnMut(&mut Timeline, &mut Draft<'_>) -> Result<()>| {
        number += 1;
        let mut draft = Draft::over(memory);
        act(&mut timeline, &mut draft)?;
        let batch = draft.into_batch(BatchId(number));
        timeline.issued(batch.id);
        timeline.durable(batch.id);
        batch.apply_to(memory);
        anyhow::Ok(())
    };
    for (number, said) in messages.enumerate() {
        let stamp = Stamp(first + 60_000 * i64::try_from(number)?);
        let arrival = arrival(stamp, number, with, said)?;
        let now = Now {
            tick: Tick(u64::try_from(number)?),
            stamp,
        };
        turn(&mut memory, &mut |timeline, draft| {
            timeline.arrival(now, arrival.clone(), false, draft)?;
            Ok(())
        })?;
    }
    let with = BareJid::new(with)?;
    turn(&mut memory, &mut |timeline, draft| {
        timeline.read(&with, false, draft)?;
        Ok(())
    })?;
    let mut records = memory.into_iter().map(|(key, value)| (key, Some(value)));
    for id in 1.. {
        let writes: Vec<_> = records.by_ref().take(RECORDS).collect();
        if writes.is_empty() {
            break;
        }
        store.apply(Batch {
            id: BatchId(id),
            writes,
        });
        store.flush()?;
    }
    Ok(())
}

/// A message as it comes: live from somebody else, as a carbon from another device of alice's.
fn arrival(stamp: Stamp, number: usize, with: &str, said: Said) -> Result<Arrival> {
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
    Ok(Arrival { via, message })
}

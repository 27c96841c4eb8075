//! The group commit: a thread of its own that brings applied batches to the disk.
//!
//! While one flush runs, further batches gather; the next flush takes them all. A disk that refuses is
//! tried again until it takes everything; meanwhile nothing is reported durable, so nothing is
//! acknowledged.

use dormouse_model::BatchId;
use dormouse_store::{Reopened, SetAside, Store};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// How long to wait before a disk that refused is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// As many batches are flushed at the latest: some milliseconds' work.
const MOST_GATHERED: u32 = 32;

/// What the thread tells.
#[derive(Debug)]
pub enum Flushed {
    /// This batch and all before it are on disk.
    Durable(BatchId),
    /// The disk refuses; why.
    Failed(String),
    /// The disk took everything again.
    Recovered,
    /// The database turned out to be damaged and was set aside: whatever the core knows is stale.
    SetAside(SetAside),
}

/// Batches that wait to be flushed while there is more to be read already: a flush that began with the first of twenty messages
/// would keep the other nineteen waiting for its end, and for another one.
#[derive(Debug, Default)]
pub struct Gathered(u32);

impl Gathered {
    /// Another one.
    pub fn gather(&mut self) {
        self.0 = self.0.saturating_add(1);
    }

    /// Whether it is time to flush: nothing more is there to be read, or enough has gathered.
    pub fn is_due(&mut self, more: bool) -> bool {
        let due = self.0 > 0 && (!more || self.0 >= MOST_GATHERED);
        if due {
            self.0 = 0;
        }
        due
    }
}

/// The flushing thread. Ends when dropped, after a last flush.
pub struct Flusher {
    nudge: Option<Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread.
    pub fn start(store: Arc<Store>, tell: UnboundedSender<Flushed>) -> std::io::Result<Self> {
        let (nudge, nudged) = channel();
        let thread = thread::Builder::new()
            .name("dormouse-flush".into())
            .spawn(move || run(&store, &nudged, &tell))?;
        Ok(Self {
            nudge: Some(nudge),
            thread: Some(thread),
        })
    }

    /// Something has been applied and wants to be durable.
    pub fn flush_soon(&self) {
        if let Some(nudge) = &self.nudge {
            // The thread is gone only when everything ends: then there is nobody to wait for it either.
            let _ = nudge.send(());
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.nudge = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(store: &Store, nudged: &Receiver<()>, tell: &UnboundedSender<Flushed>) {
    while nudged.recv().is_ok() {
        while nudged.try_recv().is_ok() {}
        match store.flush() {
            Ok(batch) => {
                let _ = tell.send(Flushed::Durable(batch));
            }
            Err(error) => {
                let _ = tell.send(Flushed::Failed(error.to_string()));
                if !reopen(store, nudged, tell) {
                    return;
                }
            }
        }
    }
    // Whoever drops the engine while something is unflushed still wants it kept.
    if let Err(error) = store.flush() {
        tracing::error!(%error, "the last flush failed");
    }
}

/// Tries until the store takes everything again; false if the engine ends meanwhile.
fn reopen(store: &Store, nudged: &Receiver<()>, tell: &UnboundedSender<Flushed>) -> bool {
    loop {
        match nudged.recv_timeout(RETRY) {
            // More was applied; it waits with the rest.
            Ok(()) => thread::sleep(RETRY),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        match store.reopen() {
            Ok(Reopened { durable, set_aside }) => {
                let _ = tell.send(Flushed::Recovered);
                let _ = tell.send(match set_aside {
                    None => Flushed::Durable(durable),
                    Some(aside) => Flushed::SetAside(aside),
                });
                return true;
            }
            Err(error) => tracing::warn!(%error, "the store can't be reopened yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_together_is_flushed_together_and_a_flood_not_only_at_its_end() {
        let mut gathered = Gathered::default();
        assert!(!gathered.is_due(false), "nothing to flush");
        gathered.gather();
        assert!(gathered.is_due(false), "alone it waits for nothing");
        assert!(!gathered.is_due(false), "once");
        let flushes = (0..320).filter(|_| {
            gathered.gather();
            gathered.is_due(true)
        });
        assert_eq!(flushes.count(), 10);
        gathered.gather();
        assert!(!gathered.is_due(true));
        assert!(gathered.is_due(false));
    }
}

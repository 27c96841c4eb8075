//! What the watcher says, and the guard that holds the machine awake for a moment.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::network::{NetworkChange, Reach};

/// Something that happened to the machine.
#[derive(Debug)]
pub enum Event {
    /// The machine is about to sleep: save, acknowledge, then drop the guard. Followed by exactly one
    /// [`Event::Resumed`] for this attempt, also when the sleep was called off.
    Suspending(Guard),
    /// The machine has woken. May come without [`Event::Suspending`] before it. A sleep that is interrupted
    /// (suspend, then hibernate) gives one for each time the machine ran.
    Resumed {
        /// How long it slept: zero when the sleep was called off, `None` where no clock can tell.
        slept: Option<Duration>,
        /// What told us.
        proof: Proof,
    },
    /// How far the network reached when the watching began. Once, before any [`Event::NetworkChanged`].
    NetworkKnown(Reach),
    /// The network is not what it was. Raw: joining a network gives several of these within a second or two;
    /// calming them down is up to whoever listens.
    NetworkChanged(NetworkChange),
    /// The wall clock was set. Sleep does not count as this; nor does the slow correction of a clock.
    WallClockJumped {
        /// By how much, in milliseconds; negative: back.
        by_ms: i64,
    },
    /// The session's screen was locked or unlocked; nothing is said at the start of a session that is unlocked. Somebody who has
    /// just unlocked is about to look: a good time to ask whether connections live.
    Screen(Screen),
    /// One of the sources works or does not. Said once for each at the start, then at each change.
    Source {
        /// Which.
        source: Source,
        /// How it is.
        state: SourceState,
    },
}

/// The screen of the session that this program belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Nobody sees what is on it.
    Locked,
    /// Somebody may.
    Unlocked,
}

/// How a resume is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The system said so.
    Signal,
    /// The clock that counts sleep ran ahead of the one that does not.
    Clock,
}

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The system's word before and after a sleep (Linux: logind; macOS: the root power domain; Windows: the power notifications).
    SleepSignal,
    /// The right to delay a sleep for some seconds. Without it [`Event::Suspending`] may come too late to act on.
    DelayLock,
    /// The clock that counts sleep.
    Clock,
    /// Links, addresses and routes.
    Network,
    /// Whether the screen is locked.
    Screen,
}

/// Whether a [`Source`] works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// It works.
    Working,
    /// It does not, for this reason (one sentence, for a log). It is tried again where that can help.
    Missing(String),
}

type Release = Box<dyn FnOnce() + Send>;

/// While it lives the system waits with the sleep, though never longer than [`Guard::granted`]: whoever forgets or
/// hangs does not keep the machine from sleeping. Dropping it says "ready".
pub struct Guard {
    release: Arc<Mutex<Option<Release>>>,
    granted: Duration,
}

impl Guard {
    /// A guard that holds nothing: where the system grants no delay, and for tests.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            release: Arc::default(),
            granted: Duration::ZERO,
        }
    }

    /// A guard that calls `release` when it is dropped, or after `granted` at the latest. Must be made
    /// inside a tokio runtime.
    #[cfg_attr(
        not(any(target_os = "linux", target_os = "macos", windows, test)),
        allow(dead_code)
    )]
    pub(crate) fn new(granted: Duration, release: impl FnOnce() + Send + 'static) -> Self {
        let guard = Self {
            release: Arc::new(Mutex::new(Some(Box::new(release)))),
            granted,
        };
        let late = Arc::clone(&guard.release);
        tokio::spawn(async move {
            tokio::time::sleep(granted).await;
            if let Some(release) = take(&late) {
                tracing::warn!("not ready to sleep in time: the delay lock is given back");
                release();
            }
        });
        guard
    }

    /// How long the system waits from the moment of [`Event::Suspending`].
    #[must_use]
    pub fn granted(&self) -> Duration {
        self.granted
    }

    /// Whether the system is still waiting for this guard.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.release
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }
}

fn take(slot: &Mutex<Option<Release>>) -> Option<Release> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(release) = take(&self.release) {
            release();
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("holds", &self.holds())
            .field("granted", &self.granted)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn counted(granted: Duration) -> (Guard, Arc<AtomicUsize>) {
        let released = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&released);
        (
            Guard::new(granted, move || {
                let _ = count.fetch_add(1, Ordering::SeqCst);
            }),
            released,
        )
    }

    #[tokio::test]
    async fn dropping_the_guard_releases_the_lock_once() {
        let (guard, released) = counted(Duration::from_millis(30));
        assert!(guard.holds());
        drop(guard);
        assert_eq!(released.load(Ordering::SeqCst), 1);
        tokio::time::sleep(Duration::from_millis(80)).await;
        assert_eq!(released.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_guard_that_nobody_drops_is_released_when_its_time_is_up() {
        let (guard, released) = counted(Duration::from_millis(30));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(released.load(Ordering::SeqCst), 1);
        assert!(!guard.holds());
    }
}

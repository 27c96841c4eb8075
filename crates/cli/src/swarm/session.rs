//! One session of the swarm, and what all of them share.

use super::{Course, Memory, Report};
use crate::swarm::texts::Texts;
use anyhow::{Context, Result};
use dormouse_engine::model::{BareJid, Change, Observation, Observer};
use dormouse_engine::{Command, Engine, Settings};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One running account.
pub struct Session {
    address: BareJid,
    engine: Engine,
}

impl Session {
    /// Opens its store and goes online. Blocks on the disk.
    pub fn begin(number: u32, settings: Settings, shared: &Arc<Shared>) -> Result<Self> {
        let address = settings.address.clone();
        let engine = Engine::start_observed(settings, observer(number, Arc::clone(shared)))
            .with_context(|| format!("{address} can't be started"))?;
        Ok(Self { address, engine })
    }

    /// Whose it is.
    pub fn address(&self) -> &BareJid {
        &self.address
    }

    /// Writes a text to another.
    pub fn write(&self, to: BareJid, body: String) {
        self.engine.command(Command::Send { to, body, tag: None });
    }

    /// Closes the stream.
    pub async fn end(self) {
        self.engine.quit().await;
    }
}

/// What all sessions add to.
pub struct Shared {
    start: Instant,
    course: Mutex<Course>,
    texts: Mutex<Texts>,
    pairs: AtomicU64,
}

impl Shared {
    /// Nothing has happened yet.
    pub fn new(sessions: u32) -> Result<Self> {
        Ok(Self {
            start: Instant::now(),
            course: Mutex::new(Course::new(sessions)),
            texts: Mutex::new(Texts::new()?),
            pairs: AtomicU64::new(0),
        })
    }

    /// Milliseconds since the start.
    pub fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Who is connected, and who knocked.
    pub fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written, and what arrived.
    pub fn texts(&self) -> MutexGuard<'_, Texts> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who writes to whom next: everybody in turn, to ever other ones.
    pub fn next_pair(&self) -> Option<(u32, u32)> {
        let course = self.course();
        let known = course.ever_connected();
        let count = known.len() as u64;
        if count < 2 {
            return None;
        }
        let turn = self.pairs.fetch_add(1, Ordering::Relaxed);
        let from = turn % count;
        let to = (from + 1 + (turn / count) % (count - 1)) % count;
        let at = |index: u64| known.get(usize::try_from(index).ok()?).copied();
        Some((at(from)?, at(to)?))
    }

    /// All of it, now.
    pub fn report(&self, memory: Option<Memory>) -> Report {
        let now = self.now();
        let course = self.course();
        let fate = self.texts().fate(Some(course.who_is_connected()));
        Report::of(&course, fate, now, memory)
    }
}

/// Adds what happens to a session to what all share.
fn observer(number: u32, shared: Arc<Shared>) -> Observer {
    Box::new(move |_, observation| {
        match observation {
            Observation::Dialling(_) => shared.course().attempted(shared.now()),
            Observation::Transition(transition) => {
                let mut course = shared.course();
                course.entered(shared.now(), number, transition.to);
                course.because(transition.to, &transition.cause);
            }
            Observation::SignedIn { mechanism, resumed } => shared.course().signed_in(mechanism, resumed),
            Observation::Change(Change::Message(message)) => shared.texts().told(number, message),
            Observation::Change(Change::Removed { id, .. }) => shared.texts().removed(number, *id),
            _ => {}
        }
        true
    })
}

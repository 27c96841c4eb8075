//! The frame log of a running account: shared by its lines, which note what passes, and by whoever looks.

use crate::present::now;
use dormouse_diagnosis::wire::{Detail, Direction, Log, Opcode};
use dormouse_model::{Closing, ConnId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The frame log. Clones are the same log. Off until somebody asks for it; then each frame is read once more.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    /// Whether anything is noted: asked for each frame, so without the lock.
    on: Arc<AtomicBool>,
    log: Arc<Mutex<Log>>,
}

impl Wire {
    /// Begins to note, or notes more or less than before; none: stops, and forgets all.
    pub fn set(&self, detail: Option<Detail>) {
        self.on.store(detail.is_some(), Ordering::Relaxed);
        self.log().set(detail);
    }

    /// The log as it is.
    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn text(&self, conn: ConnId, direction: Direction, text: &str) {
        if self.on.load(Ordering::Relaxed) {
            self.log().text(now().stamp, conn, direction, text);
        }
    }

    pub(crate) fn control(&self, conn: ConnId, opcode: Opcode) {
        if self.on.load(Ordering::Relaxed) {
            self.log().control(now().stamp, conn, Direction::In, opcode, None);
        }
    }

    pub(crate) fn closed(&self, conn: ConnId, closing: &Closing) {
        if let Closing::Frame { code, .. } = closing
            && self.on.load(Ordering::Relaxed)
        {
            self.log()
                .control(now().stamp, conn, Direction::In, Opcode::Close, Some(*code));
        }
    }
}

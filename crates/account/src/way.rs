//! How the server was reached last: between waking and dialling neither host-meta nor DNS is asked.
//!
//! A way is remembered once a session stood on it, not because something answered there. Where the server sent
//! us elsewhere, that is for now and is not remembered. Dialling corrects a stale way by itself: it looks
//! the names up again beside the dial, and says what is true now.

use crate::account::Account;
use dormouse_model::{ConnId, Draft, Key, Memory, ReadError, Way};

/// The way that is remembered, and the one in use.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    known: Option<Way>,
    /// Of a connection on which no session has stood yet.
    reached: Option<(ConnId, Way)>,
    unsaved: bool,
}

impl Ways {
    pub(crate) fn restore(memory: &dyn Memory) -> Result<Self, ReadError> {
        Ok(Self {
            known: known(memory)?,
            ..Self::default()
        })
    }

    pub(crate) fn known(&self) -> Option<Way> {
        self.known.clone()
    }

    fn remember(&mut self, way: Way) {
        if self.known.as_ref() != Some(&way) {
            self.known = Some(way);
            self.unsaved = true;
        }
    }

    pub(crate) fn save(&mut self, draft: &mut Draft) {
        if std::mem::take(&mut self.unsaved)
            && let Some(known) = &self.known
        {
            draft.put(&key(), known);
        }
    }
}

/// How the server was reached last, by whatever program.
pub fn known(memory: &dyn Memory) -> Result<Option<Way>, ReadError> {
    memory.read(&key())
}

impl Account {
    /// A connection leads this way, or the way that it leads has a better name by now.
    pub(crate) fn reached(&mut self, conn: ConnId, way: Way) {
        if self.elsewhere.is_some() {
            return;
        }
        if self.current == Some(conn) && self.session.is_ready() {
            self.ways.remember(way);
        } else {
            self.ways.reached = Some((conn, way));
        }
    }

    /// A session stands on this connection.
    pub(crate) fn stands(&mut self, conn: ConnId) {
        if let Some((_, way)) = self.ways.reached.take_if(|(reached, _)| *reached == conn) {
            self.ways.remember(way);
        }
    }
}

fn key() -> Key {
    Key::Learnt("way".into())
}

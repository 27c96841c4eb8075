//! A private session bus with nothing on it: no keyring, no notification service, unless a test starts one there.

use crate::bus::{Bus, socket_folder};
use crate::error::Result;
use tempfile::TempDir;

/// A private session bus; gone when dropped.
#[derive(Debug)]
pub struct SessionBus {
    bus: Bus,
    _folder: TempDir,
}

impl SessionBus {
    /// Starts it.
    pub fn start() -> Result<Self> {
        let (folder, path) = socket_folder("dormouse-session-")?;
        Ok(Self {
            bus: Bus::start(&path, "session")?,
            _folder: folder,
        })
    }

    /// For `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        self.bus.address()
    }
}

//! A private session bus with GNOME's keyring on it, unlocked, empty, and gone afterwards.
//!
//! Give [`SecretService::environment`] to the program under test. The keyring's files lie in its own folder, never
//! in the user's.

use crate::bus::{Bus, socket_folder};
use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A private session bus with an unlocked secret service.
#[derive(Debug)]
pub struct SecretService {
    _daemon: Foreground,
    bus: Bus,
    path: PathBuf,
    _folder: TempDir,
}

impl SecretService {
    /// Starts the bus and the keyring, and waits until its default collection is unlocked.
    pub fn start() -> Result<Self> {
        let (folder, path) = socket_folder("dormouse-keyring-")?;
        let bus = Bus::start(&path, "session")?;
        let environment = environment(&bus, &path);
        let mut command = Command::new("gnome-keyring-daemon");
        command
            .args(["--foreground", "--unlock", "--components=secrets"])
            .envs(environment)
            .env_remove("DISPLAY");
        let log = path.join("keyring.log");
        let name = "gnome-keyring-daemon (package gnome-keyring)";
        let mut daemon = Foreground::spawn(name, command, &log, Stdio::piped())?;
        // The password of the fresh login collection, which dies with the folder.
        let told = daemon.take_stdin().map(|mut input| input.write_all(b"dormouse"));
        if !matches!(told, Some(Ok(()))) {
            return Err(ServerError::new("gnome-keyring-daemon did not take its password").with_log(&log));
        }
        let unlocked = || {
            bus.call(
                "org.freedesktop.secrets",
                "/org/freedesktop/secrets/aliases/default",
                "org.freedesktop.DBus.Properties.Get",
                &["org.freedesktop.Secret.Collection", "Locked"],
            )
            .is_ok_and(|answer| answer.contains("false"))
        };
        daemon
            .wait_until(Duration::from_secs(20), unlocked)
            .map_err(|error| error.with_log(&log))?;
        Ok(Self {
            _daemon: daemon,
            bus,
            path,
            _folder: folder,
        })
    }

    /// For `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        self.bus.address()
    }

    /// The variables that make a program use this bus and keyring and none of the user's.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        environment(&self.bus, &self.path)
    }
}

fn environment(bus: &Bus, path: &std::path::Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("DBUS_SESSION_BUS_ADDRESS", bus.address().into()),
        ("XDG_RUNTIME_DIR", path.into()),
        ("XDG_DATA_HOME", path.join("data").into()),
        ("GNOME_KEYRING_CONTROL", path.join("keyring").into()),
    ]
}

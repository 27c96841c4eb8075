//! A logind that says "sleep" and "wake" on command, on a private system bus.
//!
//! By python-dbusmock's logind template, with Debian's own Python (another one on PATH has not its modules). Give
//! [`MockLogind::address`] to the program under test as `DBUS_SYSTEM_BUS_ADDRESS`. An inhibitor's entry goes when
//! its file descriptor is closed, as with the real one; the real one's 5 s limit is not imitated.

use crate::bus::{Bus, socket_folder};
use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const NAME: &str = "org.freedesktop.login1";
const OBJECT: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";

/// A private system bus with a logind.
#[derive(Debug)]
pub struct MockLogind {
    _logind: Foreground,
    bus: Bus,
    _folder: TempDir,
}

/// A lock that a program holds against sleep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inhibitor {
    /// What is inhibited, such as `sleep`.
    pub what: String,
    /// The program's name.
    pub who: String,
    /// Why, in the program's words.
    pub why: String,
    /// `delay` or `block`.
    pub mode: String,
}

impl MockLogind {
    /// Starts the bus and the logind on it.
    pub fn start() -> Result<Self> {
        let (folder, path) = socket_folder("dormouse-logind-")?;
        let bus = Bus::start(&path, "system")?;
        let mut command = Command::new("/usr/bin/python3");
        command
            .args(["-m", "dbusmock", "--template", "logind"])
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus.address());
        let log = path.join("logind.log");
        let mut logind = Foreground::spawn(
            "dbusmock (package python3-dbusmock)",
            command,
            &log,
            Stdio::null(),
        )?;
        let answers = || {
            bus.call(NAME, OBJECT, &format!("{MANAGER}.CanSuspend"), &[])
                .is_ok()
        };
        logind
            .wait_until(Duration::from_secs(20), answers)
            .map_err(|error| error.with_log(&log))?;
        Ok(Self {
            _logind: logind,
            bus,
            _folder: folder,
        })
    }

    /// For `DBUS_SYSTEM_BUS_ADDRESS`.
    pub fn address(&self) -> &str {
        self.bus.address()
    }

    /// Emits `PrepareForSleep`: true before a sleep, false after it.
    pub fn prepare_for_sleep(&self, about_to_sleep: bool) -> Result<()> {
        let value = format!("[<{about_to_sleep}>]");
        self.bus
            .call(
                NAME,
                OBJECT,
                "org.freedesktop.DBus.Mock.EmitSignal",
                &[MANAGER, "PrepareForSleep", "b", &value],
            )
            .map(drop)
    }

    /// The locks held now.
    pub fn inhibitors(&self) -> Result<Vec<Inhibitor>> {
        let answer = self
            .bus
            .call(NAME, OBJECT, &format!("{MANAGER}.ListInhibitors"), &[])?;
        let strings = quoted(&answer);
        if !strings.len().is_multiple_of(4) {
            return Err(ServerError::new(format!(
                "An answer of ListInhibitors that is not understood: {answer}"
            )));
        }
        Ok(strings
            .chunks_exact(4)
            .filter_map(|entry| match entry {
                [what, who, why, mode] => Some(Inhibitor {
                    what: what.clone(),
                    who: who.clone(),
                    why: why.clone(),
                    mode: mode.clone(),
                }),
                _ => None,
            })
            .collect())
    }
}

/// The string literals in GVariant's text form, in either quotes, in order.
fn quoted(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut characters = text.chars();
    while let Some(quote) = characters.by_ref().find(|c| matches!(c, '\'' | '"')) {
        let mut string = String::new();
        while let Some(c) = characters.next() {
            match c {
                '\\' => string.extend(characters.next()),
                c if c == quote => break,
                c => string.push(c),
            }
        }
        found.push(string);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_in_either_quotes_are_read_with_their_escapes() {
        let text = r#"([('sleep', "it's", 'a \'b\'', 'delay', uint32 1, uint32 2)],)"#;
        assert_eq!(quoted(text), ["sleep", "it's", "a 'b'", "delay"]);
    }
}

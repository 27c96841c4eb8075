//! The list of accounts: `accounts.json` in the home folder. No secrets in it. With them what else is to be as it was at
//! the next start.
//!
//! Written whole to a file beside it and renamed over it, so that it is the old list or the new one, never
//! half of one. A list that can't be read is set aside, not overwritten: an account that is not listed
//! still has its folder.

use crate::notifications::Key;
use crate::protocol::WhenClosed;
use crate::quiet::Quiet;
use dormouse_engine::model::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tracing::error;

/// An account that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its address.
    pub address: BareJid,
    /// Where it connects, if the user said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Its proxy, if it is not the system's: `none`, or a URL. User and password are in the keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
}

/// What the user prefers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// What closing the window means where there is no tray; none until they were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing: Option<WhenClosed>,
    /// Notifications make no sound.
    #[serde(skip_serializing_if = "is_false")]
    pub silent: bool,
    /// When nothing is notified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// Conversations of which nothing is notified or counted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub muted: BTreeSet<Key>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The file's content.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct List {
    accounts: Vec<Entry>,
    /// The port at which metrics are given out, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metrics: Option<u16>,
    #[serde(default)]
    preferences: Preferences,
}

/// The list and where it is kept.
#[derive(Debug)]
pub struct Registry {
    file: PathBuf,
    list: List,
}

impl Registry {
    /// Reads the list; an empty one if there is none yet. Blocks.
    pub fn read(file: PathBuf) -> io::Result<Self> {
        let list = match fs::read(&file) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(list) => list,
                Err(why) => {
                    let aside = aside(&file);
                    error!(%why, aside = %aside.display(), "the list of accounts is damaged and was set aside");
                    fs::rename(&file, &aside)?;
                    List::default()
                }
            },
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => List::default(),
            Err(other) => return Err(other),
        };
        Ok(Self { file, list })
    }

    /// Every account, in the order of signing in.
    pub fn entries(&self) -> &[Entry] {
        &self.list.accounts
    }

    /// The port at which metrics are to be given out, if they are.
    pub fn metrics(&self) -> Option<u16> {
        self.list.metrics
    }

    /// Keeps the port at which metrics are to be given out. Blocks; if it fails, nothing has changed.
    pub fn set_metrics(&mut self, port: Option<u16>) -> io::Result<()> {
        self.write(List {
            metrics: port,
            ..self.list.clone()
        })
    }

    /// What the user prefers.
    pub fn preferences(&self) -> &Preferences {
        &self.list.preferences
    }

    /// Keeps what the user prefers from now on. Blocks; if it fails, nothing has changed.
    pub fn prefer(&mut self, change: impl FnOnce(&mut Preferences)) -> io::Result<()> {
        let mut list = self.list.clone();
        change(&mut list.preferences);
        self.write(list)
    }

    /// Enters an account, in place of an earlier entry of the same address. Blocks; if it fails, nothing
    /// has changed.
    pub fn enter(&mut self, entry: Entry) -> io::Result<()> {
        let mut accounts = self.list.accounts.clone();
        match accounts.iter_mut().find(|known| known.address == entry.address) {
            Some(known) => *known = entry,
            None => accounts.push(entry),
        }
        self.write_accounts(accounts)
    }

    /// Takes an account out. Blocks; if it fails, nothing has changed.
    pub fn remove(&mut self, address: &BareJid) -> io::Result<()> {
        let mut accounts = self.list.accounts.clone();
        let before = accounts.len();
        accounts.retain(|entry| entry.address != *address);
        if accounts.len() == before {
            return Ok(());
        }
        self.write_accounts(accounts)
    }

    fn write_accounts(&mut self, accounts: Vec<Entry>) -> io::Result<()> {
        self.write(List {
            accounts,
            ..self.list.clone()
        })
    }

    fn write(&mut self, list: List) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&list)?;
        let new = self.file.with_extension("json.new");
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, &self.file)?;
        self.list = list;
        Ok(())
    }
}

/// A name beside the file that is not taken.
fn aside(file: &Path) -> PathBuf {
    (1_u32..)
        .map(|number| file.with_extension(format!("json.damaged-{number}")))
        .find(|name| !name.exists())
        .unwrap_or_else(|| file.with_extension("json.damaged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(address: &str, endpoint: Option<&str>) -> Entry {
        Entry {
            address: BareJid::new(address).unwrap(),
            endpoint: endpoint.map(str::to_owned),
            proxy: None,
        }
    }

    fn at(folder: &tempfile::TempDir) -> Registry {
        Registry::read(folder.path().join("accounts.json")).unwrap()
    }

    #[test]
    fn an_account_that_was_entered_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = at(&folder);
        assert!(registry.entries().is_empty());
        registry.enter(entry("romeo@example.org", None)).unwrap();
        registry
            .enter(entry("juliet@example.org", Some("wss://example.org/ws")))
            .unwrap();
        assert_eq!(
            at(&folder).entries(),
            [
                entry("romeo@example.org", None),
                entry("juliet@example.org", Some("wss://example.org/ws"))
            ]
        );
    }

    #[test]
    fn an_account_is_listed_once_and_goes_when_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = at(&folder);
        registry.enter(entry("romeo@example.org", None)).unwrap();
        registry
            .enter(entry("romeo@example.org", Some("wss://example.org/ws")))
            .unwrap();
        assert_eq!(
            at(&folder).entries(),
            [entry("romeo@example.org", Some("wss://example.org/ws"))]
        );
        registry
            .remove(&BareJid::new("romeo@example.org").unwrap())
            .unwrap();
        assert!(at(&folder).entries().is_empty());
    }

    #[test]
    fn the_port_for_metrics_is_kept_whatever_becomes_of_the_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = at(&folder);
        registry.set_metrics(Some(9464)).unwrap();
        registry.enter(entry("romeo@example.org", None)).unwrap();
        assert_eq!(at(&folder).metrics(), Some(9464));
        assert_eq!(at(&folder).entries().len(), 1);
        registry.set_metrics(None).unwrap();
        assert_eq!(at(&folder).metrics(), None);
        assert_eq!(at(&folder).entries().len(), 1);
    }

    #[test]
    fn what_is_preferred_is_kept_and_a_list_from_before_there_were_preferences_is_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("accounts.json"), r#"{"accounts":[]}"#).unwrap();
        let mut registry = at(&folder);
        assert_eq!(registry.preferences(), &Preferences::default());
        registry
            .prefer(|preferences| preferences.closing = Some(WhenClosed::Minimise))
            .unwrap();
        registry.enter(entry("romeo@example.org", None)).unwrap();
        assert_eq!(at(&folder).preferences().closing, Some(WhenClosed::Minimise));
    }

    #[test]
    fn a_damaged_list_is_set_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts.json");
        fs::write(&file, "{\"accounts\": [{\"address\": \"no").unwrap();
        assert!(at(&folder).entries().is_empty());
        let kept = fs::read_to_string(folder.path().join("accounts.json.damaged-1")).unwrap();
        assert!(kept.ends_with("no"));
    }

    #[test]
    fn an_address_that_is_none_damages_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts.json");
        fs::write(&file, r#"{"accounts":[{"address":"@@"}]}"#).unwrap();
        assert!(at(&folder).entries().is_empty());
        assert!(!file.exists());
    }

    #[test]
    fn a_list_that_can_not_be_written_is_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = at(&folder);
        registry.enter(entry("romeo@example.org", None)).unwrap();
        // A folder stands where the new list is to be written.
        fs::create_dir(folder.path().join("accounts.json.new")).unwrap();
        assert!(registry.enter(entry("juliet@example.org", None)).is_err());
        assert_eq!(registry.entries(), [entry("romeo@example.org", None)]);
        assert_eq!(at(&folder).entries(), [entry("romeo@example.org", None)]);
    }
}

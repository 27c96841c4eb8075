//! What can be chosen about a Prosody, and its start.

use super::Prosody;
use crate::certificate::Certificate;
use crate::error::{Result, ServerError};
use crate::memory_folder::MemoryFolder;
use crate::place::Place;
use crate::port::Port;
use crate::release::{Ground, Release};
use std::path::PathBuf;

/// Where Prosody keeps accounts, archives and rosters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// Files (Prosody's default); slow for large archives.
    #[default]
    Internal,
    /// One SQLite database.
    Sqlite,
}

/// The hash under which passwords are kept, and thereby the only SCRAM mechanism offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScramHash {
    /// SCRAM-SHA-1 (Prosody's default).
    #[default]
    Sha1,
    /// SCRAM-SHA-256.
    Sha256,
}

/// What can be chosen about a Prosody. Changes take effect at its next start.
#[derive(Clone, Debug)]
pub struct ProsodySettings {
    /// The one virtual host.
    pub domain: String,
    /// Message archive (XEP-0313).
    pub archive: bool,
    /// Stream management (XEP-0198).
    pub stream_management: bool,
    /// Seconds for which a lost session can be resumed.
    pub hibernation: u32,
    /// Where data is kept.
    pub storage: Storage,
    /// Whether small packets wait for others (Nagle's algorithm, Prosody's default). It costs a round trip or two.
    pub nagle: bool,
    /// XMPP over TCP (RFC 6120), unencrypted: for clients that don't speak WebSocket.
    pub c2s: bool,
    /// For the wss listener; without one only ws is served.
    pub certificate: Option<Certificate>,
    /// TLS 1.2 and nothing else: the only way in which Prosody 0.12 offers -PLUS mechanisms.
    pub tls_1_2_only: bool,
    /// How passwords are kept. Accounts made under one hash cannot sign in under another.
    pub scram_hash: ScramHash,
    /// SASL mechanisms that are not offered.
    pub without_mechanisms: Vec<String>,
    /// Modules beyond the usual ones.
    pub modules: Vec<String>,
    /// Modules of the usual ones that are left out.
    pub without_modules: Vec<String>,
    /// Lines of Lua for the global section of the configuration.
    pub lua: Vec<String>,
    /// Lines of Lua after the virtual host: its own options, or components.
    pub lua_of_host: Vec<String>,
    /// Addresses and names that all have each other in the roster (mod_groups), without being asked.
    pub shared_contacts: Vec<(String, String)>,
    /// The WebSocket URL that `/.well-known/host-meta` and `.json` name, if they are served.
    pub host_meta: Option<String>,
}

/// See [`Prosody::builder`].
#[derive(Debug)]
pub struct ProsodyBuilder {
    pub(super) settings: ProsodySettings,
    pub(super) accounts: Vec<(String, String)>,
    pub(super) folder: Option<PathBuf>,
    pub(super) in_memory: bool,
    pub(super) release: Release,
    pub(super) place: Place,
}

impl ProsodyBuilder {
    /// An account on the server's domain.
    #[must_use]
    pub fn account(mut self, user: &str, password: &str) -> Self {
        self.accounts.push((user.to_owned(), password.to_owned()));
        self
    }

    /// Several accounts: users and passwords.
    #[must_use]
    pub fn accounts<'a>(mut self, accounts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.accounts.extend(
            accounts
                .into_iter()
                .map(|(user, password)| (user.to_owned(), password.to_owned())),
        );
        self
    }

    /// The virtual host; `localhost` by default.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.settings.domain = domain.to_owned();
        self
    }

    /// Message archive on (default) or off.
    #[must_use]
    pub fn archive(mut self, on: bool) -> Self {
        self.settings.archive = on;
        self
    }

    /// Stream management on (default) or off.
    #[must_use]
    pub fn stream_management(mut self, on: bool) -> Self {
        self.settings.stream_management = on;
        self
    }

    /// Seconds for which a lost session can be resumed; 600 by default.
    #[must_use]
    pub fn hibernation(mut self, seconds: u32) -> Self {
        self.settings.hibernation = seconds;
        self
    }

    /// Where data is kept.
    #[must_use]
    pub fn storage(mut self, storage: Storage) -> Self {
        self.settings.storage = storage;
        self
    }

    /// Sends small packets at once, as an operator who cares for speed has it.
    #[must_use]
    pub fn without_nagle(mut self) -> Self {
        self.settings.nagle = false;
        self
    }

    /// Debian 12's Prosody 0.12 (default) or Debian 13's Prosody 13, which has SASL2 and FAST.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// Adds a listener for XMPP over TCP, unencrypted: for clients that don't speak WebSocket.
    #[must_use]
    pub fn c2s(mut self) -> Self {
        self.settings.c2s = true;
        self
    }

    /// Adds a wss listener with this certificate.
    #[must_use]
    pub fn tls(mut self, certificate: &Certificate) -> Self {
        self.settings.certificate = Some(certificate.clone());
        self
    }

    /// TLS 1.2 only, so that -PLUS is offered.
    #[must_use]
    pub fn tls_1_2_only(mut self) -> Self {
        self.settings.tls_1_2_only = true;
        self
    }

    /// How passwords are kept: the one SCRAM mechanism offered.
    #[must_use]
    pub fn scram_hash(mut self, hash: ScramHash) -> Self {
        self.settings.scram_hash = hash;
        self
    }

    /// Offers PLAIN and nothing else, on ws too (which Prosody is told to take for secure, as behind a proxy).
    #[must_use]
    pub fn plain_only(mut self) -> Self {
        let scram = [
            "SCRAM-SHA-1",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-256",
            "SCRAM-SHA-256-PLUS",
        ];
        self.settings.without_mechanisms.extend(scram.map(str::to_owned));
        self
    }

    /// Does not offer this SASL mechanism.
    #[must_use]
    pub fn without_mechanism(mut self, mechanism: &str) -> Self {
        self.settings.without_mechanisms.push(mechanism.to_owned());
        self
    }

    /// Loads one more module.
    #[must_use]
    pub fn module(mut self, name: &str) -> Self {
        self.settings.modules.push(name.to_owned());
        self
    }

    /// Leaves one of the usual modules out.
    #[must_use]
    pub fn without_module(mut self, name: &str) -> Self {
        self.settings.without_modules.push(name.to_owned());
        self
    }

    /// A line of Lua for the global section of the configuration.
    #[must_use]
    pub fn lua(mut self, line: &str) -> Self {
        self.settings.lua.push(line.to_owned());
        self
    }

    /// A line of Lua after the virtual host.
    #[must_use]
    pub fn lua_of_host(mut self, line: &str) -> Self {
        self.settings.lua_of_host.push(line.to_owned());
        self
    }

    /// These addresses have each other as contacts, both ways, under these names, without being asked.
    #[must_use]
    pub fn shared_contacts<'a>(mut self, contacts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.settings.shared_contacts.extend(
            contacts
                .into_iter()
                .map(|(address, name)| (address.to_owned(), name.to_owned())),
        );
        self
    }

    /// Serves `/.well-known/host-meta` and `.json` (XEP-0156) naming this URL.
    #[must_use]
    pub fn host_meta(mut self, websocket_url: &str) -> Self {
        self.settings.host_meta = Some(websocket_url.to_owned());
        self
    }

    /// Keeps configuration and data in this folder, which outlives the server.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Keeps its temporary folder in memory, so that it never waits for a disk. As root only.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.in_memory = true;
        self
    }

    /// Runs in a network namespace, listening on one of its addresses.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Makes the accounts that don't exist yet, starts the server and waits until its WebSocket answers.
    pub fn start(self) -> Result<Prosody> {
        let ground = Ground::new(self.release, self.place)?;
        let mut memory = None;
        let (path, temporary) = match self.folder {
            Some(path) => {
                std::fs::create_dir_all(&path).map_err(ServerError::io("Prosody's folder cannot be made"))?;
                let path = path
                    .canonicalize()
                    .map_err(ServerError::io("Prosody's folder cannot be found"))?;
                (path, None)
            }
            None => {
                let folder = ground.temporary("dormouse-prosody-")?;
                if self.in_memory {
                    memory = Some(MemoryFolder::over(folder.path())?);
                }
                (folder.path().to_owned(), Some(folder))
            }
        };
        let mut prosody = Prosody {
            settings: self.settings,
            release: self.release,
            ground,
            ws_port: Port::reserve()?,
            wss_port: Port::reserve()?,
            c2s_port: Port::reserve()?,
            running: None,
            path,
            _memory: memory,
            _temporary: temporary,
        };
        prosody.write_config()?;
        for (user, password) in &self.accounts {
            prosody.register(user, password)?;
        }
        prosody.start()?;
        Ok(prosody)
    }
}

//! Prosody 0.12 (Debian 12's) or 13 (Debian 13's, [`Release::Trixie`]) from its own folder.
//!
//! 13 has SASL2, Bind 2, FAST and inline resumption switched on, from Debian's `prosody-modules`; on 0.12 they don't
//! work. Both come with Nagle's algorithm switched on, as their makers have it ([`ProsodyBuilder::without_nagle`]).
//!
//! [`Prosody::builder`] collects [`ProsodySettings`]; `start` writes the configuration, makes the accounts and
//! waits until the WebSocket is answered. Ports and data are kept over [`Prosody::restart`]; the settings may be
//! changed in between ([`Prosody::settings_mut`]). How it ends, as a client sees it: a stop or a kill is a bare end
//! of the stream, without a stream error and without a close frame.

mod config;

use crate::certificate::Certificate;
use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use crate::http::{accepts_xmpp_websocket, host_meta_files};
use crate::place::Place;
use crate::port::Port;
use crate::release::{Ground, Release};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(10);

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
    settings: ProsodySettings,
    accounts: Vec<(String, String)>,
    folder: Option<PathBuf>,
    release: Release,
    place: Place,
}

/// A Prosody; stopped (killed) when dropped.
#[derive(Debug)]
pub struct Prosody {
    settings: ProsodySettings,
    release: Release,
    ground: Ground,
    ws_port: Port,
    wss_port: Port,
    c2s_port: Port,
    // Before the folder: the process must be gone before its data is.
    running: Option<Foreground>,
    path: PathBuf,
    _temporary: Option<TempDir>,
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

    /// Runs in a network namespace, listening on one of its addresses.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Makes the accounts that don't exist yet, starts the server and waits until its WebSocket answers.
    pub fn start(self) -> Result<Prosody> {
        let ground = Ground::new(self.release, self.place)?;
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

impl Prosody {
    /// A Prosody on `localhost` with archive, stream management, carbons and client state, on ws only.
    pub fn builder() -> ProsodyBuilder {
        ProsodyBuilder {
            settings: ProsodySettings {
                domain: "localhost".to_owned(),
                archive: true,
                stream_management: true,
                hibernation: 600,
                storage: Storage::Internal,
                nagle: true,
                c2s: false,
                certificate: None,
                tls_1_2_only: false,
                scram_hash: ScramHash::Sha1,
                without_mechanisms: Vec::new(),
                modules: Vec::new(),
                without_modules: Vec::new(),
                lua: Vec::new(),
                lua_of_host: Vec::new(),
                shared_contacts: Vec::new(),
                host_meta: None,
            },
            accounts: Vec::new(),
            folder: None,
            release: Release::default(),
            place: Place::default(),
        }
    }

    /// The XMPP domain.
    pub fn domain(&self) -> &str {
        &self.settings.domain
    }

    /// `ws://ADDRESS:PORT/xmpp-websocket`.
    pub fn ws_endpoint(&self) -> String {
        format!(
            "ws://{}:{}/xmpp-websocket",
            self.ground.place().host(),
            self.ws_port.number()
        )
    }

    /// `wss://ADDRESS:PORT/xmpp-websocket`; answered only with a certificate, which must name the address.
    pub fn wss_endpoint(&self) -> String {
        self.wss_endpoint_for(&self.ground.place().host())
    }

    /// The same under another name of the machine, such as `localhost`.
    pub fn wss_endpoint_for(&self, name: &str) -> String {
        format!("wss://{name}:{}/xmpp-websocket", self.wss_port.number())
    }

    /// The port of plain HTTP and ws.
    pub fn ws_port(&self) -> u16 {
        self.ws_port.number()
    }

    /// The port of https and wss.
    pub fn wss_port(&self) -> u16 {
        self.wss_port.number()
    }

    /// The port of XMPP over TCP; answered only if asked for ([`ProsodyBuilder::c2s`]).
    pub fn c2s_port(&self) -> u16 {
        self.c2s_port.number()
    }

    /// The settings, for the next start.
    pub fn settings_mut(&mut self) -> &mut ProsodySettings {
        &mut self.settings
    }

    /// The folder with configuration, data and log.
    pub fn folder(&self) -> &Path {
        &self.path
    }

    /// The server's log file.
    pub fn log(&self) -> PathBuf {
        self.path.join("prosody.log")
    }

    /// The process id while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.running.as_ref().map(Foreground::id)
    }

    /// Starts it (again) with the present settings, on the same ports and data. Nothing happens if it runs.
    pub fn start(&mut self) -> Result<()> {
        if self
            .running
            .as_mut()
            .is_some_and(|running| running.ended().is_none())
        {
            return Ok(());
        }
        self.running = None;
        self.write_config()?;
        let mut command = self.ground.command("prosody");
        command
            .arg("--config")
            .arg(self.ground.inside(&self.config_file())?)
            .arg("-F");
        let mut running = Foreground::spawn("Prosody", command, &self.log(), Stdio::null())?;
        let answers =
            || accepts_xmpp_websocket(self.ground.place(), self.ws_port.number(), &self.settings.domain);
        running
            .wait_until(START_LIMIT, answers)
            .map_err(|error| error.with_log(&self.log()))?;
        self.running = Some(running);
        Ok(())
    }

    /// Stops it in good order (SIGTERM), data kept. Nothing happens if it doesn't run.
    pub fn stop(&mut self) -> Result<()> {
        match self.running.take() {
            // Prosody 0.12 gives up its own shutdown with an error of its own, now and then for good, when the
            // signal meets the end of a session. Then it is killed; what it had stored is on disk.
            Some(running) => {
                let _ = running.stop(STOP_LIMIT);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// `kill -9`, data kept. Nothing happens if it doesn't run.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }

    /// Stop and start with the same ports and data.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.start()
    }

    /// Makes an account, running or not. An account that exists keeps its password.
    pub fn register(&self, user: &str, password: &str) -> Result<()> {
        let output = self.prosodyctl(&["register", user, &self.settings.domain, password])?;
        if output.status.success() {
            return Ok(());
        }
        let text = said(&output);
        if text.contains("already exists") {
            return Ok(());
        }
        Err(ServerError::new(format!(
            "prosodyctl cannot make the account {user}: {text}"
        )))
    }

    /// A command of Prosody's shell, such as `c2s:show()` or `user:delete("bob@localhost")`, and what it printed.
    pub fn shell(&self, command: &str) -> Result<String> {
        let output = self.prosodyctl(&["shell", command])?;
        if output.status.success() {
            return Ok(said(&output));
        }
        Err(ServerError::new(format!(
            "Prosody's shell refused {command}: {}",
            said(&output)
        )))
    }

    fn prosodyctl(&self, arguments: &[&str]) -> Result<std::process::Output> {
        self.ground
            .command("prosodyctl")
            .arg("--config")
            .arg(self.ground.inside(&self.config_file())?)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(ServerError::io("`prosodyctl` cannot be run (package prosody)"))
    }

    fn config_file(&self) -> PathBuf {
        self.path.join("prosody.cfg.lua")
    }

    fn write_config(&self) -> Result<()> {
        for name in ["data", "files", "certificates"] {
            std::fs::create_dir_all(self.path.join(name))
                .map_err(ServerError::io("Prosody's folder cannot be made"))?;
        }
        if let Some(url) = &self.settings.host_meta {
            host_meta_files(&self.path.join("files"), url)?;
        }
        if let Some(certificate) = &self.settings.certificate {
            certificate.copy_to(&self.path)?;
        }
        if !self.settings.shared_contacts.is_empty() {
            let mut text = "[Dormouse]\n".to_owned();
            for (address, name) in &self.settings.shared_contacts {
                text.push_str(&format!("{address}={name}\n"));
            }
            std::fs::write(self.path.join("contacts.txt"), text)
                .map_err(ServerError::io("The shared contacts cannot be written"))?;
        }
        let text = config::text(
            &self.settings,
            self.release,
            self.ground.place(),
            &self.ground.inside(&self.path)?,
            [&self.ws_port, &self.wss_port, &self.c2s_port].map(Port::number),
        );
        std::fs::write(self.config_file(), text)
            .map_err(ServerError::io("Prosody's configuration cannot be written"))
    }
}

fn said(output: &std::process::Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text.trim().to_owned()
}

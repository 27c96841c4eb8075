//! Prosody 0.12 (Debian 12's) or 13 (Debian 13's, [`Release::Trixie`]) from its own folder.
//!
//! 13 has SASL2, Bind 2, FAST and inline resumption switched on, from Debian's `prosody-modules`; on 0.12 they don't
//! work. Both come with Nagle's algorithm switched on, as their makers have it ([`ProsodyBuilder::without_nagle`]).
//!
//! [`Prosody::builder`] collects [`ProsodySettings`]; `start` writes the configuration, makes the accounts and
//! waits until the WebSocket is answered. Ports and data are kept over [`Prosody::restart`]; the settings may be
//! changed in between ([`Prosody::settings_mut`]). How it ends, as a client sees it: a stop or a kill is a bare end
//! of the stream, without a stream error and without a close frame.

mod builder;
mod config;

pub use builder::{ProsodyBuilder, ProsodySettings, ScramHash, Storage};

use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use crate::http::{accepts_xmpp_websocket, host_meta_files};
use crate::memory_folder::MemoryFolder;
use crate::place::Place;
use crate::port::Port;
use crate::release::{Ground, Release};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(10);

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
    _memory: Option<MemoryFolder>,
    _temporary: Option<TempDir>,
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
            in_memory: false,
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

    /// Stops it where it is: its connections stay open, and nobody answers on them. Nothing happens if it doesn't run.
    pub fn freeze(&self) -> Result<()> {
        self.running.as_ref().map_or(Ok(()), Foreground::freeze)
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

    /// Makes many accounts with one password, running or not: one by `prosodyctl`, which takes a third of a second, and the
    /// others as copies of its file. Only with [`Storage::Internal`].
    pub fn register_crowd(&self, users: impl IntoIterator<Item = String>, password: &str) -> Result<()> {
        let mut users = users.into_iter();
        let Some(first) = users.next() else {
            return Ok(());
        };
        self.register(&first, password)?;
        let folder = self
            .path
            .join("data")
            .join(&self.settings.domain)
            .join("accounts");
        let file = |user: &str| folder.join(format!("{user}.dat"));
        for user in users {
            // Salt and keys are the password's; nothing in it is the user's.
            std::fs::copy(file(&first), file(&user))
                .map_err(ServerError::io("An account's file cannot be copied"))?;
        }
        Ok(())
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

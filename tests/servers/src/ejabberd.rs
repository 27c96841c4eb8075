//! ejabberd 23.01 (Debian 12's) or 24.12 (Debian 13's, [`Release::Trixie`]) in the foreground from its own folder: as
//! whoever we are, without su and epmd. 24.12 has SASL2, Bind 2, FAST and inline resumption switched on.
//! Its tokens are good for 30 days: less than a quarter of an hour can't be had, since it counts the milliseconds of its option
//! `token_lifetime` as seconds.
//!
//! Started by a copy of Debian's `ejabberdctl` with two changes: no other user is taken on, and the shell replaces
//! itself by Erlang, so that our child is the server itself. Accounts are made over ejabberd's own HTTP API on a
//! port of its own (a call of ejabberdctl takes a second).
//!
//! How it ends, as a client sees it: a stop is `system-shutdown`, `<close/>` and close code 1000; a kill is a bare
//! end. **A kill loses what Mnesia had not written** (about the last 0.4 s: delivered messages, fresh accounts).

mod config;

use crate::certificate::Certificate;
use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use crate::http::{accepts_xmpp_websocket, json_string, post_json};
use crate::place::Place;
use crate::port::Port;
use crate::prosody::ScramHash;
use crate::release::{Ground, Release};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const DEBIANS_CONTROL_SCRIPT: &str = "/usr/sbin/ejabberdctl";

/// What can be chosen about an ejabberd. Changes take effect at its next start.
#[derive(Clone, Debug)]
pub struct EjabberdSettings {
    /// The one host.
    pub domain: String,
    /// Message archive (XEP-0313).
    pub archive: bool,
    /// Stream management (XEP-0198).
    pub stream_management: bool,
    /// Seconds for which a lost session can be resumed.
    pub resume_timeout: u32,
    /// XMPP over TCP (RFC 6120), unencrypted: for clients that don't speak WebSocket.
    pub c2s: bool,
    /// For the wss listener; without one only ws is served.
    pub certificate: Option<Certificate>,
    /// How passwords are kept: SHA-1 offers SCRAM-SHA-1, SHA-256 offers SCRAM-SHA-256.
    pub scram_hash: ScramHash,
    /// SASL mechanisms that are not offered.
    pub without_mechanisms: Vec<String>,
    /// The WebSocket URL that `/.well-known/host-meta` and `.json` name, if they are served.
    pub host_meta: Option<String>,
    /// Lines of YAML at the top level of the configuration.
    pub yaml: Vec<String>,
    /// Lines of YAML in the section of modules, without their indentation.
    pub yaml_of_modules: Vec<String>,
}

/// See [`Ejabberd::builder`].
#[derive(Debug)]
pub struct EjabberdBuilder {
    settings: EjabberdSettings,
    accounts: Vec<(String, String)>,
    release: Release,
    place: Place,
}

/// The ports of one ejabberd.
#[derive(Debug)]
struct Ports {
    ws: Port,
    wss: Port,
    c2s: Port,
    api: Port,
    distribution: Port,
}

/// An ejabberd; killed when dropped.
#[derive(Debug)]
pub struct Ejabberd {
    settings: EjabberdSettings,
    release: Release,
    ground: Ground,
    ports: Ports,
    // Before the folder: the process must be gone before its data is.
    running: Option<Foreground>,
    folder: TempDir,
}

impl EjabberdBuilder {
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

    /// The host; `localhost` by default.
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

    /// Seconds for which a lost session can be resumed; 300 by default.
    #[must_use]
    pub fn resume_timeout(mut self, seconds: u32) -> Self {
        self.settings.resume_timeout = seconds;
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

    /// How passwords are kept.
    #[must_use]
    pub fn scram_hash(mut self, hash: ScramHash) -> Self {
        self.settings.scram_hash = hash;
        self
    }

    /// Does not offer this SASL mechanism.
    #[must_use]
    pub fn without_mechanism(mut self, mechanism: &str) -> Self {
        self.settings.without_mechanisms.push(mechanism.to_owned());
        self
    }

    /// Serves `/.well-known/host-meta` and `.json` (XEP-0156) naming this URL.
    #[must_use]
    pub fn host_meta(mut self, websocket_url: &str) -> Self {
        self.settings.host_meta = Some(websocket_url.to_owned());
        self
    }

    /// A line of YAML at the top level.
    #[must_use]
    pub fn yaml(mut self, line: &str) -> Self {
        self.settings.yaml.push(line.to_owned());
        self
    }

    /// A line of YAML in the section of modules.
    #[must_use]
    pub fn yaml_of_modules(mut self, line: &str) -> Self {
        self.settings.yaml_of_modules.push(line.to_owned());
        self
    }

    /// Debian 12's ejabberd 23.01 (default) or Debian 13's 24.12, which has SASL2 and FAST.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// Runs in a network namespace, listening on one of its addresses.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Starts the server, waits until its WebSocket answers and makes the accounts.
    pub fn start(self) -> Result<Ejabberd> {
        let ground = Ground::new(self.release, self.place)?;
        let folder = ground.temporary("dormouse-ejabberd-")?;
        let mut ejabberd = Ejabberd {
            settings: self.settings,
            release: self.release,
            ground,
            ports: Ports {
                ws: Port::reserve()?,
                wss: Port::reserve()?,
                c2s: Port::reserve()?,
                api: Port::reserve()?,
                distribution: Port::reserve()?,
            },
            running: None,
            folder,
        };
        ejabberd.lay_out()?;
        ejabberd.start()?;
        for (user, password) in &self.accounts {
            ejabberd.register(user, password)?;
        }
        Ok(ejabberd)
    }
}

impl Ejabberd {
    /// An ejabberd on `localhost` with archive, stream management, carbons and client state, on ws only.
    pub fn builder() -> EjabberdBuilder {
        EjabberdBuilder {
            settings: EjabberdSettings {
                domain: "localhost".to_owned(),
                archive: true,
                stream_management: true,
                resume_timeout: 300,
                c2s: false,
                certificate: None,
                scram_hash: ScramHash::Sha1,
                without_mechanisms: Vec::new(),
                host_meta: None,
                yaml: Vec::new(),
                yaml_of_modules: Vec::new(),
            },
            accounts: Vec::new(),
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
            self.ports.ws.number()
        )
    }

    /// `wss://ADDRESS:PORT/xmpp-websocket`; answered only with a certificate, which must name the address.
    pub fn wss_endpoint(&self) -> String {
        self.wss_endpoint_for(&self.ground.place().host())
    }

    /// The same under another name of the machine, such as `localhost`.
    pub fn wss_endpoint_for(&self, name: &str) -> String {
        format!("wss://{name}:{}/xmpp-websocket", self.ports.wss.number())
    }

    /// The port of plain HTTP and ws.
    pub fn ws_port(&self) -> u16 {
        self.ports.ws.number()
    }

    /// The port of https and wss.
    pub fn wss_port(&self) -> u16 {
        self.ports.wss.number()
    }

    /// The port of XMPP over TCP; answered only if asked for ([`EjabberdBuilder::c2s`]).
    pub fn c2s_port(&self) -> u16 {
        self.ports.c2s.number()
    }

    /// The settings, for the next start.
    pub fn settings_mut(&mut self) -> &mut EjabberdSettings {
        &mut self.settings
    }

    /// The folder with configuration, data and log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's log file.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log/ejabberd.log")
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
        if let Some(certificate) = &self.settings.certificate {
            certificate.copy_to(self.folder.path())?;
        }
        let text = config::text(
            &self.settings,
            self.release,
            self.ground.place(),
            &self.inside("")?,
            &self.ports,
        );
        std::fs::write(self.path("ejabberd.yml"), text)
            .map_err(ServerError::io("ejabberd's configuration cannot be written"))?;
        let output = self.path("output.log");
        let mut running = Foreground::spawn(
            "ejabberd",
            self.control_script("foreground")?,
            &output,
            Stdio::null(),
        )?;
        let answers =
            || accepts_xmpp_websocket(self.ground.place(), self.ports.ws.number(), &self.settings.domain);
        running
            .wait_until(START_LIMIT, answers)
            .map_err(|error| error.with_log(&output).with_log(&self.log()))?;
        self.running = Some(running);
        Ok(())
    }

    /// Stops it in good order (SIGTERM), data kept. Nothing happens if it doesn't run.
    pub fn stop(&mut self) -> Result<()> {
        match self.running.take() {
            Some(running) => running
                .stop(STOP_LIMIT)
                .map_err(|error| error.with_log(&self.log())),
            None => Ok(()),
        }
    }

    /// `kill -9`. Nothing happens if it doesn't run.
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

    /// Makes an account; the server must be running.
    pub fn register(&self, user: &str, password: &str) -> Result<()> {
        let fields = [("user", user), ("host", self.domain()), ("password", password)];
        self.api("register", &fields).map(drop)
    }

    /// A command of ejabberd's HTTP API with string arguments (`kick_user`, `unregister`, …) and the JSON it
    /// answered; the server must be running.
    pub fn api(&self, command: &str, arguments: &[(&str, &str)]) -> Result<String> {
        let fields: Vec<String> = arguments
            .iter()
            .map(|(name, value)| format!("{}:{}", json_string(name), json_string(value)))
            .collect();
        let body = format!("{{{}}}", fields.join(","));
        let (status, answer) = post_json(
            self.ground.place(),
            self.ports.api.number(),
            &format!("/api/{command}"),
            &body,
        )?;
        if status == 200 {
            return Ok(answer);
        }
        Err(ServerError::new(format!(
            "ejabberd refused {command} with HTTP status {status}: {answer}"
        )))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as ejabberd names it.
    fn inside(&self, name: &str) -> Result<PathBuf> {
        self.ground.inside(&self.path(name))
    }

    fn control_script(&self, command: &str) -> Result<Command> {
        let mut script = self.ground.command("bash");
        script
            .arg(self.inside("ejabberdctl")?)
            .arg("-d")
            .arg(self.inside("")?)
            .arg("-c")
            .arg(self.inside("ejabberdctl.cfg")?)
            .arg("-s")
            .arg(self.inside("spool")?)
            .arg("-l")
            .arg(self.inside("log")?)
            .arg(command)
            .env("HOME", self.inside("home")?);
        Ok(script)
    }

    /// Everything but the configuration, which is written at each start.
    fn lay_out(&self) -> Result<()> {
        let script = std::fs::read_to_string(self.ground.outside(DEBIANS_CONTROL_SCRIPT)).map_err(
            ServerError::io("ejabberd's control script cannot be read (package ejabberd)"),
        )?;
        let written =
            |result: std::io::Result<()>| result.map_err(ServerError::io("ejabberd's folder cannot be made"));
        for name in ["spool", "log", "home"] {
            written(std::fs::create_dir(self.path(name)))?;
        }
        written(std::fs::write(
            self.path("ejabberdctl"),
            config::control_script(&script)?,
        ))?;
        let distribution = self.ports.distribution.number();
        let settings = format!(
            "ERLANG_NODE=dormouse{distribution}@localhost\nERL_DIST_PORT={distribution}\n\
             INET_DIST_INTERFACE=127.0.0.1\nEJABBERD_PID_PATH={}\n",
            self.inside("ejabberd.pid")?.display()
        );
        written(std::fs::write(self.path("ejabberdctl.cfg"), settings))?;
        written(std::fs::write(self.path("inetrc"), config::INETRC))?;
        // Erlang's nodes trust whoever knows the cookie: ours is the folder's random name, readable by us alone.
        let cookie = self.path("home/.erlang.cookie");
        let secret = self
            .folder
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        written(std::fs::write(&cookie, secret))?;
        written(std::fs::set_permissions(&cookie, Permissions::from_mode(0o400)))
    }
}

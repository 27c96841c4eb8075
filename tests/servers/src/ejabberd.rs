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

mod builder;
mod config;

pub use builder::{EjabberdBuilder, EjabberdSettings};

use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use crate::http::{accepts_xmpp_websocket, json_string, post_json};
use crate::place::Place;
use crate::port::Port;
use crate::prosody::ScramHash;
use crate::release::{Ground, Release};
use std::fs::Permissions;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const DEBIANS_CONTROL_SCRIPT: &str = "/usr/sbin/ejabberdctl";

/// The ports of one ejabberd.
#[derive(Debug)]
struct Ports {
    ws: Port,
    wss: Port,
    c2s: Port,
    api: Port,
}

/// What an ejabberd is among Erlang's nodes. Those of a cluster share port and cookie.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) distribution: Arc<Port>,
    pub(crate) cookie: String,
}

impl Node {
    /// One for itself.
    fn alone(folder: &Path) -> Result<Self> {
        let distribution = Port::reserve()?;
        // Nodes trust whoever knows the cookie: the folder's random name.
        let cookie = folder.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: format!("dormouse{}@localhost", distribution.number()),
            address: Ipv4Addr::LOCALHOST,
            distribution: Arc::new(distribution),
            cookie: cookie.into_owned(),
        })
    }
}

/// An ejabberd; killed when dropped.
#[derive(Debug)]
pub struct Ejabberd {
    settings: EjabberdSettings,
    release: Release,
    ground: Ground,
    ports: Ports,
    node: Node,
    // Before the folder: the process must be gone before its data is.
    running: Option<Foreground>,
    folder: TempDir,
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
                shaper: None,
                accept_interval: None,
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
            node: None,
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

    /// Its name among Erlang's nodes.
    pub(crate) fn node_name(&self) -> &str {
        &self.node.name
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
        let settings = format!(
            "ERLANG_NODE={}\nERL_DIST_PORT={}\nINET_DIST_INTERFACE={}\nEJABBERD_PID_PATH={}\n",
            self.node.name,
            self.node.distribution.number(),
            self.node.address,
            self.inside("ejabberd.pid")?.display()
        );
        written(std::fs::write(self.path("ejabberdctl.cfg"), settings))?;
        written(std::fs::write(self.path("inetrc"), config::INETRC))?;
        // For nobody else to read, or Erlang refuses it.
        let cookie = self.path("home/.erlang.cookie");
        written(std::fs::write(&cookie, &self.node.cookie))?;
        written(std::fs::set_permissions(&cookie, Permissions::from_mode(0o400)))
    }
}

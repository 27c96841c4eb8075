//! mitmproxy's `mitmdump`: it takes part in the TLS of both sides and writes down what passes.
//!
//! Between a client that trusts its authority ([`Mitmproxy::authority_file`]) and a server, as a proxy for CONNECT or in
//! front of a server. Every WebSocket message stands in its [`Mitmproxy::log`].

use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use crate::place::Place;
use crate::port::Port;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

/// Python, its libraries, and a key of 2048 bits for the authority.
const START_LIMIT: Duration = Duration::from_secs(60);

/// See [`Mitmproxy::builder`].
#[derive(Debug, Default)]
pub struct MitmproxyBuilder {
    place: Place,
    in_front_of: Option<String>,
    trusts: Option<PathBuf>,
    login: Option<(String, String)>,
}

/// A mitmdump; killed when dropped.
#[derive(Debug)]
pub struct Mitmproxy {
    settings: MitmproxyBuilder,
    port: Port,
    // Before the folder: the process must be gone before its files are.
    running: Option<Foreground>,
    folder: TempDir,
}

impl MitmproxyBuilder {
    /// Stands in front of this server (`https://host:port`) instead of being asked for tunnels.
    #[must_use]
    pub fn in_front_of(mut self, server: &str) -> Self {
        self.in_front_of = Some(server.to_owned());
        self
    }

    /// Trusts this authority (PEM) on its own way to servers.
    #[must_use]
    pub fn trusts(mut self, authority: &Path) -> Self {
        self.trusts = Some(authority.to_owned());
        self
    }

    /// Lets nobody through who does not say this.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Runs somewhere else.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Starts it, and waits until it answers.
    pub fn start(self) -> Result<Mitmproxy> {
        let folder = tempfile::Builder::new()
            .prefix("dormouse-mitmproxy-")
            .tempdir()
            .map_err(ServerError::io("A temporary folder cannot be made"))?;
        let mut proxy = Mitmproxy {
            settings: self,
            port: Port::reserve()?,
            running: None,
            folder,
        };
        proxy.start()?;
        Ok(proxy)
    }
}

impl Mitmproxy {
    /// A proxy for CONNECT that lets everybody through.
    pub fn builder() -> MitmproxyBuilder {
        MitmproxyBuilder::default()
    }

    /// `http://ADDRESS:PORT`, as a proxy.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.settings.place.host(), self.port.number())
    }

    /// `wss://NAME:PORT/xmpp-websocket`, in front of a server.
    pub fn wss_endpoint_for(&self, name: &str) -> String {
        format!("wss://{name}:{}/xmpp-websocket", self.port.number())
    }

    /// Its own authority's certificate (PEM): what a client must trust.
    pub fn authority_file(&self) -> PathBuf {
        self.folder.path().join("mitmproxy-ca-cert.pem")
    }

    /// What has passed.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("output.log")
    }

    /// Starts it (again) on the same port, with the same authority. Nothing happens if it runs.
    pub fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let settings = &self.settings;
        settings.place.prepare()?;
        let mut command = settings.place.command("mitmdump");
        command
            .args(["--listen-host", &settings.place.address().to_string()])
            .args(["--listen-port", &self.port.number().to_string()])
            .args(["--set", "flow_detail=4", "--set", "termlog_verbosity=info"])
            .args(["--set", &format!("confdir={}", self.folder.path().display())])
            // Otherwise Python keeps what it says until it is much.
            .env("PYTHONUNBUFFERED", "1");
        if let Some(server) = &settings.in_front_of {
            command.args(["--mode", &format!("reverse:{server}")]);
        }
        if let Some(authority) = &settings.trusts {
            let trusts = format!("ssl_verify_upstream_trusted_ca={}", authority.display());
            command.args(["--set", &trusts]);
        }
        if let Some((user, password)) = &settings.login {
            command.args(["--proxyauth", &format!("{user}:{password}")]);
        }
        let log = self.log();
        let mut running = Foreground::spawn("mitmdump", command, &log, Stdio::null())?;
        let port = self.port.number();
        running
            .wait_until(START_LIMIT, || {
                // In front of a server any answer comes from there: that it listens has to do.
                settings.place.exchange(port, "", 0).is_some()
            })
            .map_err(|error| error.with_log(&log))?;
        self.running = Some(running);
        Ok(())
    }

    /// `kill -9`; every connection ends. Nothing happens if it doesn't run.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }
}

//! tinyproxy: an HTTP proxy that opens tunnels (CONNECT), as companies have them.
//!
//! What a client sees: 200 once the server has been reached, 407 without user and password where they are wanted (401 with
//! wrong ones), 403 to a port that is not allowed, 500 where the server can't be reached.

use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use crate::place::Place;
use crate::port::Port;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(20);

/// See [`Tinyproxy::builder`].
#[derive(Debug, Default)]
pub struct TinyproxyBuilder {
    place: Place,
    login: Option<(String, String)>,
    only_to: Option<u16>,
}

/// A tinyproxy; killed when dropped.
#[derive(Debug)]
pub struct Tinyproxy {
    settings: TinyproxyBuilder,
    port: Port,
    // Before the folder: the process must be gone before its files are.
    running: Option<Foreground>,
    folder: TempDir,
}

impl TinyproxyBuilder {
    /// Lets nobody through who does not say this. tinyproxy takes letters and digits.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Opens tunnels to this port of servers only.
    #[must_use]
    pub fn only_to(mut self, port: u16) -> Self {
        self.only_to = Some(port);
        self
    }

    /// Runs somewhere else.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Starts it, and waits until it answers.
    pub fn start(self) -> Result<Tinyproxy> {
        let folder = tempfile::Builder::new()
            .prefix("dormouse-tinyproxy-")
            .tempdir()
            .map_err(ServerError::io("A temporary folder cannot be made"))?;
        let mut proxy = Tinyproxy {
            settings: self,
            port: Port::reserve()?,
            running: None,
            folder,
        };
        proxy.start()?;
        Ok(proxy)
    }
}

impl Tinyproxy {
    /// A proxy that lets everybody through to everywhere.
    pub fn builder() -> TinyproxyBuilder {
        TinyproxyBuilder::default()
    }

    /// `http://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.settings.place.host(), self.port.number())
    }

    /// Its log file, in which every tunnel stands with the name that was asked for.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("tinyproxy.log")
    }

    /// Starts it (again) on the same port. Nothing happens if it runs.
    pub fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let file = self.folder.path().join("tinyproxy.conf");
        std::fs::write(&file, self.text())
            .map_err(ServerError::io("tinyproxy's configuration cannot be written"))?;
        self.settings.place.prepare()?;
        let mut command = self.settings.place.command("tinyproxy");
        command.arg("-d").arg("-c").arg(&file);
        let output = self.folder.path().join("output.log");
        let mut running = Foreground::spawn("tinyproxy", command, &output, Stdio::null())?;
        let (place, port) = (&self.settings.place, self.port.number());
        running
            .wait_until(START_LIMIT, || {
                let question = "GET / HTTP/1.0\r\n\r\n";
                place
                    .exchange(port, question, 5)
                    .is_some_and(|answer| answer == b"HTTP/")
            })
            .map_err(|error| error.with_log(&output))?;
        self.running = Some(running);
        Ok(())
    }

    /// `kill -9`; every tunnel ends. Nothing happens if it doesn't run.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }

    fn text(&self) -> String {
        let mut lines = vec![
            "# Written by dormouse-servers.".to_owned(),
            format!("Port {}", self.port.number()),
            format!("Listen {}", self.settings.place.address()),
            format!("LogFile \"{}\"", self.log().display()),
            "LogLevel Connect".to_owned(),
            "MaxClients 100".to_owned(),
            "Timeout 600".to_owned(),
        ];
        if let Some((user, password)) = &self.settings.login {
            lines.push(format!("BasicAuth {user} {password}"));
        }
        if let Some(port) = self.settings.only_to {
            lines.push(format!("ConnectPort {port}"));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

//! microsocks: a SOCKS5 proxy that takes names and looks them up itself, as Tor does.

use crate::error::Result;
use crate::error::ServerError;
use crate::foreground::Foreground;
use crate::place::Place;
use crate::port::Port;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_secs(20);

/// A microsocks; killed when dropped.
#[derive(Debug)]
pub struct Microsocks {
    place: Place,
    login: Option<(String, String)>,
    port: Port,
    // Before the folder: the process must be gone before its files are.
    running: Option<Foreground>,
    folder: TempDir,
}

impl Microsocks {
    /// Starts one, which lets nobody through who does not say this user and password, if any are given.
    pub fn start_at(place: Place, login: Option<(&str, &str)>) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dormouse-microsocks-")
            .tempdir()
            .map_err(ServerError::io("A temporary folder cannot be made"))?;
        let mut proxy = Self {
            place,
            login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
            port: Port::reserve()?,
            running: None,
            folder,
        };
        proxy.start()?;
        Ok(proxy)
    }

    /// `socks5://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("socks5://{}:{}", self.place.host(), self.port.number())
    }

    /// Starts it (again) on the same port. Nothing happens if it runs.
    pub fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        self.place.prepare()?;
        let mut command = self.place.command("microsocks");
        command.args(["-i", &self.place.address().to_string()]);
        command.args(["-p", &self.port.number().to_string()]);
        if let Some((user, password)) = &self.login {
            command.args(["-u", user, "-P", password]);
        }
        let log = self.folder.path().join("microsocks.log");
        let mut running = Foreground::spawn("microsocks", command, &log, Stdio::null())?;
        let (place, port) = (&self.place, self.port.number());
        running
            .wait_until(START_LIMIT, || {
                // Version 5, two methods: none, user and password.
                let answer = place.exchange(port, "\u{5}\u{2}\u{0}\u{2}", 1);
                answer.is_some_and(|answer| answer == [5])
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

//! A private D-Bus bus: a `dbus-daemon` with its own configuration and socket.

use crate::error::{Result, ServerError};
use crate::foreground::Foreground;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The bus; gone when dropped.
#[derive(Debug)]
pub(crate) struct Bus {
    _daemon: Foreground,
    address: String,
}

impl Bus {
    /// Starts a bus of this type (`system` or `session`, which clients can ask for) with its socket in `folder`.
    pub(crate) fn start(folder: &Path, kind: &str) -> Result<Self> {
        let socket = folder.join("bus");
        let address = format!("unix:path={}", socket.display());
        let config = folder.join("bus.conf");
        let text = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
             <busconfig>\n  <type>{kind}</type>\n  <listen>{address}</listen>\n  <policy context=\"default\">\n    \
             <allow send_destination=\"*\" eavesdrop=\"true\"/>\n    <allow eavesdrop=\"true\"/>\n    \
             <allow own=\"*\"/>\n    <allow user=\"*\"/>\n  </policy>\n</busconfig>\n"
        );
        std::fs::write(&config, text)
            .map_err(ServerError::io("The bus's configuration cannot be written"))?;
        let mut command = Command::new("dbus-daemon");
        command
            .arg("--config-file")
            .arg(&config)
            .args(["--nofork", "--nopidfile", "--nosyslog"]);
        let log = folder.join("bus.log");
        let mut daemon = Foreground::spawn("dbus-daemon", command, &log, Stdio::null())?;
        daemon
            .wait_until(Duration::from_secs(10), || {
                std::os::unix::net::UnixStream::connect(&socket).is_ok()
            })
            .map_err(|error| error.with_log(&log))?;
        Ok(Self {
            _daemon: daemon,
            address,
        })
    }

    /// `unix:path=…`, as `DBUS_SYSTEM_BUS_ADDRESS` or `DBUS_SESSION_BUS_ADDRESS` wants it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Calls a method and returns the answer as `gdbus` prints it.
    pub(crate) fn call(&self, name: &str, object: &str, method: &str, arguments: &[&str]) -> Result<String> {
        let output = Command::new("gdbus")
            .args(["call", "--address", &self.address, "--timeout", "10"])
            .args(["--dest", name, "--object-path", object, "--method", method])
            .args(arguments)
            .output()
            .map_err(ServerError::io("`gdbus` cannot be run (package libglib2.0-bin)"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(ServerError::new(format!(
            "{method} failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )))
    }
}

/// A folder short enough for the path of a socket in it (108 bytes), for our user only.
pub(crate) fn socket_folder(prefix: &str) -> Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .map_err(ServerError::io("A temporary folder cannot be made"))?;
    let path = folder.path().to_owned();
    Ok((folder, path))
}

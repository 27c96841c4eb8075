//! An X display that nobody sees, with a window manager on it.
//!
//! The display's number is chosen by the X server itself (`-displayfd`): two tests never fight for one.

use crate::Result;
use anyhow::Context;
use dormouse_servers::Foreground;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Larger than every window that a test asks for, its frame included.
const SCREEN: &str = "1600x1000x24";
const START: Duration = Duration::from_secs(20);

/// A display and its window manager; gone when dropped.
#[derive(Debug)]
pub struct Display {
    // In this order: the manager before the display it manages.
    _manager: Foreground,
    _server: Foreground,
    name: String,
    framebuffer: PathBuf,
}

impl Display {
    /// Starts both, their logs in `folder`.
    ///
    /// # Errors
    /// When one of them is not installed or does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let number = folder.join("display");
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                "exec Xvfb -displayfd 3 -screen 0 \"$2\" -fbdir \"$3\" -nolisten tcp -noreset 3>\"$1\"",
                "xvfb",
            ])
            .arg(&number)
            .arg(SCREEN)
            .arg(folder);
        let mut server = Foreground::spawn(
            "Xvfb (package xvfb)",
            command,
            &folder.join("xvfb.log"),
            Stdio::null(),
        )?;
        let told = || std::fs::read_to_string(&number).unwrap_or_default();
        server.wait_until(START, || told().ends_with('\n'))?;
        let name = format!(":{}", told().trim());
        let mut command = Command::new("openbox");
        // Without the user's own configuration.
        command
            .arg("--sm-disable")
            .env("DISPLAY", &name)
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder.join("openbox"));
        let log = folder.join("openbox.log");
        let mut manager = Foreground::spawn("openbox", command, &log, Stdio::null())?;
        let manages = || {
            let property = Command::new("xprop")
                .args(["-display", &name, "-root", "_NET_SUPPORTING_WM_CHECK"])
                .output();
            property.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("window id"))
        };
        manager
            .wait_until(START, manages)
            .map_err(|error| error.with_log(&log))?;
        Ok(Self {
            _manager: manager,
            _server: server,
            name,
            framebuffer: folder.join("Xvfb_screen0"),
        })
    }

    /// For `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is on the screen at this moment, as a file in the form of `xwd`: reading it costs the X server nothing.
    pub fn framebuffer(&self) -> &Path {
        &self.framebuffer
    }

    /// A command of `xdotool`, and what it said.
    ///
    /// # Errors
    /// When it fails.
    pub fn xdotool(&self, words: &[&str]) -> Result<String> {
        let output = Command::new("xdotool")
            .args(words)
            .env("DISPLAY", &self.name)
            .stdin(Stdio::null())
            .output()
            .context("`xdotool` can't be run (package xdotool)")?;
        anyhow::ensure!(
            output.status.success(),
            "xdotool {} failed: {}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A picture of the whole screen as PNG, frames and all.
    ///
    /// # Errors
    /// When ImageMagick's `import` fails.
    pub fn picture(&self) -> Result<Vec<u8>> {
        let output = Command::new("import")
            .args(["-display", &self.name, "-window", "root", "png:-"])
            .stdin(Stdio::null())
            .output()
            .context("`import` can't be run (package imagemagick)")?;
        anyhow::ensure!(
            output.status.success(),
            "import failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(output.stdout)
    }
}

//! What the desktop was asked to open: a false `xdg-open`, first in PATH, that writes it down and opens nothing.

use crate::Result;
use crate::wait::{SOON, until};
use anyhow::Context;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The false opener and its list.
#[derive(Debug)]
pub struct Opened {
    programs: PathBuf,
    list: PathBuf,
}

impl Opened {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let programs = folder.join("bin");
        let list = folder.join("opened");
        std::fs::create_dir(&programs)?;
        let quoted = list.display();
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{quoted}'\n");
        for name in ["xdg-open", "gio", "gnome-open", "kde-open", "wslview"] {
            let program = programs.join(name);
            std::fs::write(&program, &script)?;
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { programs, list })
    }

    /// `PATH` with the false programs first.
    pub(crate) fn path_variable(&self) -> OsString {
        let mut path = self.programs.clone().into_os_string();
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        path
    }

    /// Everything opened so far, in order.
    pub fn all(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.list).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until this has been opened.
    ///
    /// # Errors
    /// When it is not.
    pub fn wait_for(&self, what: &str) -> Result<()> {
        until(SOON, || {
            Ok(self.all().iter().any(|one| one == what).then_some(()))
        })
        .with_context(|| format!("{what} was not opened; opened were {:?}", self.all()))
    }
}

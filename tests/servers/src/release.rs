//! Which Debian a server comes from, and what that means for its files.
//!
//! Debian 12's servers are the machine's own packages. Debian 13's (Prosody 13, ejabberd 24.12: the first with SASL2, Bind 2
//! and FAST over WebSocket) live in a folder of their own that looks like a Debian 13 ([`crate::install_trixie`]) and are run
//! there by `chroot`: same network, same processes, another `/`. They need no mount in it, not even `/proc`; the
//! devices that they read (`null`, `urandom`) are made with the folder. Their files lie in its `/tmp`, so that both sides
//! see them, under two names.

use crate::error::{Result, ServerError};
use crate::place::Place;
use crate::trixie;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The Debian whose server is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// Debian 12: Prosody 0.12, ejabberd 23.01. From the machine's own packages.
    #[default]
    Bookworm,
    /// Debian 13: Prosody 13, ejabberd 24.12. From a folder of their own, as root only.
    Trixie,
}

/// Where a server's programs run and what they see as `/`.
#[derive(Debug)]
pub(crate) struct Ground {
    place: Place,
    root: Option<PathBuf>,
}

impl Ground {
    pub(crate) fn new(release: Release, place: Place) -> Result<Self> {
        place.prepare()?;
        let root = match release {
            Release::Bookworm => None,
            Release::Trixie => Some(trixie::installed()?),
        };
        Ok(Self { place, root })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// `program` as a command that runs here.
    pub(crate) fn command(&self, program: &str) -> Command {
        match &self.root {
            None => self.place.command(program),
            Some(root) => {
                // `chroot` replaces itself by the program: signals reach it.
                let mut command = self.place.command("chroot");
                command
                    .arg(root)
                    .arg(program)
                    .env(
                        "PATH",
                        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    )
                    .env("HOME", "/root")
                    .env("LC_ALL", "C.UTF-8");
                command
            }
        }
    }

    /// A temporary folder that both sides see.
    pub(crate) fn temporary(&self, prefix: &str) -> Result<TempDir> {
        let parent = match &self.root {
            None => std::env::temp_dir(),
            Some(root) => root.join("tmp"),
        };
        tempfile::Builder::new()
            .prefix(prefix)
            .tempdir_in(parent)
            .map_err(ServerError::io("A temporary folder cannot be made"))
    }

    /// A path of ours as the programs name it.
    ///
    /// # Errors
    /// When they can't see it.
    pub(crate) fn inside(&self, path: &Path) -> Result<PathBuf> {
        let Some(root) = &self.root else {
            return Ok(path.to_owned());
        };
        path.strip_prefix(root)
            .map(|below| Path::new("/").join(below))
            .map_err(|_| {
                ServerError::new(format!(
                    "A server of Debian 13 sees only what is below {}, not {}.",
                    root.display(),
                    path.display()
                ))
            })
    }

    /// A path of the programs as we name it.
    pub(crate) fn outside(&self, path: &str) -> PathBuf {
        match &self.root {
            None => PathBuf::from(path),
            Some(root) => root.join(path.trim_start_matches('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_two_names_where_the_root_is_another() {
        let ground = Ground {
            place: Place::default(),
            root: Some("/cache/trixie".into()),
        };
        let inside = ground.inside(Path::new("/cache/trixie/tmp/a")).unwrap();
        assert_eq!(inside, Path::new("/tmp/a"));
        assert_eq!(ground.outside("/tmp/a"), Path::new("/cache/trixie/tmp/a"));
        assert!(ground.inside(Path::new("/tmp/a")).is_err());
    }
}

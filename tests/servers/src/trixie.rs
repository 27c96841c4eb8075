//! A Debian 13 in a folder of its own, for its servers.
//!
//! Made once by debootstrap (about two minutes, 250 MB) in the user's cache, outside of any target folder, since
//! it costs more than it takes to keep. A number in its name tells one recipe from the next. While it is
//! made it has another name, and a lock that the kernel lets go of whatever becomes of us: an interrupted
//! one is made anew, and of two who want it at once one waits for the other.

use crate::error::{Result, ServerError};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// No test's server runs for as long.
const FORGOTTEN: Duration = Duration::from_secs(2 * 24 * 3600);

/// Changes whenever the recipe below does.
const NAME: &str = "trixie-1";

const PACKAGES: &[&str] = &["ejabberd", "lua-dbi-sqlite3", "prosody", "prosody-modules"];

/// `$1`: the folder. The rest: packages. Services are never started: `policy-rc.d` forbids it, for good, as nobody
/// else lives here. What is not needed to run is thrown away.
const SCRIPT: &str = r#"
set -eu
root=$1
shift
debootstrap --variant=minbase trixie "$root"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
chroot "$root" apt-get -o Acquire::Retries=3 install -y --no-install-recommends "$@"
chroot "$root" apt-get clean
rm -rf "$root/var/lib/apt/lists" "$root/usr/share/doc" "$root/usr/share/locale" "$root/usr/share/man"
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
"#;

/// Where it is.
fn folder() -> Result<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let cache = cache.ok_or_else(|| {
        ServerError::new(
            "Neither XDG_CACHE_HOME nor HOME is set: there is no place for the servers of Debian 13.",
        )
    })?;
    Ok(cache.join("dormouse"))
}

/// Whether it is there. What servers left in it that were killed with everything around them is removed.
///
/// # Errors
/// When we are not root.
pub fn is_trixie_installed() -> Result<bool> {
    as_root()?;
    let root = folder()?.join(NAME);
    for left in std::fs::read_dir(root.join("tmp"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let changed = left.metadata().and_then(|data| data.modified()).ok();
        let age = changed.and_then(|changed| changed.elapsed().ok());
        if age.is_some_and(|age| age > FORGOTTEN) {
            // It costs nothing but room.
            let _ = std::fs::remove_dir_all(left.path());
        }
    }
    Ok(root.is_dir())
}

/// The folder, if it is there and can be used.
pub(crate) fn installed() -> Result<PathBuf> {
    as_root()?;
    let root = folder()?.join(NAME);
    if root.is_dir() {
        return Ok(root);
    }
    Err(ServerError::new(format!(
        "The servers of Debian 13 are not installed in {}. `cargo xtask install test` does it.",
        root.display()
    )))
}

/// Makes it if it is not there. `log` is given what debootstrap and apt say, which is much.
///
/// # Errors
/// When we are not root, or debootstrap is missing or fails.
pub fn install_trixie(log: &Path) -> Result<()> {
    as_root()?;
    let folder = folder()?;
    let root = folder.join(NAME);
    if root.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder).map_err(ServerError::io("The cache folder cannot be made"))?;
    let lock = File::create(folder.join(format!("{NAME}.lock"))).map_err(ServerError::io(
        "The lock of the servers of Debian 13 cannot be opened",
    ))?;
    lock.lock().map_err(ServerError::io(
        "The lock of the servers of Debian 13 cannot be taken",
    ))?;
    if root.is_dir() {
        return Ok(());
    }
    let unfinished = folder.join(format!("{NAME}.unfinished"));
    remove(&unfinished)?;
    let output = File::create(log).map_err(ServerError::io("A log cannot be written"))?;
    let errors = output
        .try_clone()
        .map_err(ServerError::io("A log cannot be written"))?;
    let status = Command::new("sh")
        .args(["-c", SCRIPT, "trixie"])
        .arg(&unfinished)
        .args(PACKAGES)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .status()
        .map_err(ServerError::io("`sh` cannot be run"))?;
    if !status.success() {
        return Err(ServerError::new(
            "The servers of Debian 13 cannot be installed. Packages debootstrap and debian-archive-keyring are \
             needed, and a way to a mirror of Debian's.",
        )
        .with_log(log));
    }
    std::fs::rename(&unfinished, &root).map_err(ServerError::io(
        "The servers of Debian 13 cannot be put in their place",
    ))
}

fn as_root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(ServerError::new(
        "The servers of Debian 13 run in a folder of their own by `chroot`, which only root may use. Run this as \
         root, or leave their tests out by `--skip trixie`.",
    ))
}

/// debootstrap mounts things in the folder while it works; left by an interrupted one, they must not be walked into.
fn remove(unfinished: &Path) -> Result<()> {
    for mounted in ["proc", "sys", "dev/pts", "dev/shm"] {
        // Usually there is nothing to unmount.
        let _ = Command::new("umount")
            .args(["--lazy", "--quiet"])
            .arg(unfinished.join(mounted))
            .stderr(Stdio::null())
            .status();
    }
    let status = Command::new("rm")
        .args(["-rf", "--one-file-system"])
        .arg(unfinished)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(ServerError::new(format!(
            "What an interrupted installation left in {} cannot be removed.",
            unfinished.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_is_a_shell_script_without_a_mistake_in_its_syntax() {
        let status = Command::new("sh").args(["-n", "-c", SCRIPT]).status().unwrap();
        assert!(status.success());
    }
}

//! What is missing on this machine, and its installation.
//!
//! Debian and Ubuntu only; elsewhere it says what to install. Packages that bring a service must not start it: the
//! tests and `start` run servers of their own from their own folders. During the installation a `policy-rc.d` keeps
//! services from being started (removed again, even when interrupted), and where systemd runs, services that came
//! with this installation are disabled for the next boot.

use crate::run::{Result, cargo, output, root, run, step, target};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// For what the machine must be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// `cargo xtask start`.
    Start,
    /// `cargo xtask test`.
    Test,
}

const FOR_START: [&str; 5] = [
    "ca-certificates",
    "gcc",
    "libc6-dev",
    "lua-dbi-sqlite3",
    "prosody",
];

const FOR_TEST: [&str; 16] = [
    "dbus",
    "dbus-x11",
    "ejabberd",
    "gnome-keyring",
    "iproute2",
    "libglib2.0-bin",
    "libsecret-tools",
    "nftables",
    "nginx-light",
    "openssl",
    "prosody-modules",
    "python3",
    "python3-dbus",
    "python3-dbusmock",
    "python3-gi",
    "python3-venv",
];

/// The other side in part of the tests: a client that is not ours.
const SLIXMPP: &str = "1.17.0";

/// As root. Arguments: the packages. The one place where the system is changed.
const SCRIPT: &str = r#"
set -e
made=0
restore() { if [ "$made" = 1 ]; then rm -f /usr/sbin/policy-rc.d; fi; }
trap restore EXIT
trap 'exit 130' INT TERM HUP
if [ ! -e /usr/sbin/policy-rc.d ]; then
    made=1
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 update
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
if [ -d /run/systemd/system ]; then
    for package in "$@"; do
        case "$package" in
            prosody|ejabberd|nftables) systemctl disable --now "$package" || true ;;
            nginx-light) systemctl disable --now nginx || true ;;
        esac
    done
fi
"#;

/// Makes the machine ready; does nothing, in well under a second, if it is.
pub fn install(need: Need) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let mut packages: Vec<&str> = FOR_START.to_vec();
    if need == Need::Test {
        packages.extend(FOR_TEST);
        packages.sort_unstable();
    }
    if !Path::new("/usr/bin/apt-get").exists() {
        println!(
            "This is neither Debian nor Ubuntu: nothing is installed. Needed are what Debian calls {}.",
            packages.join(", ")
        );
        return Ok(());
    }
    let missing = missing(&packages)?;
    if !missing.is_empty() {
        println!(
            "These packages are missing and will be installed by apt: {}.",
            missing.join(", ")
        );
        println!("Their services are not started.");
        agree()?;
        step("Installing packages", || {
            run(as_root()?
                .args(["sh", "-c", SCRIPT, "install"])
                .args(&missing)
                .stdin(Stdio::null()))
        })?;
        let still = self::missing(&packages)?;
        if !still.is_empty() {
            return Err(format!(
                "apt said nothing was wrong, but these packages are still missing: {}",
                still.join(", ")
            ));
        }
    }
    if need == Need::Test {
        components()?;
        slixmpp()?;
    }
    Ok(())
}

/// The Python that has slixmpp.
pub fn python() -> PathBuf {
    target().join("python/bin/python")
}

fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    // It fails when one is unknown, and lists the others all the same.
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${Package} ${db:Status-Status}\n"])
        .args(packages)
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("dpkg-query cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(missing_in(packages, &text))
}

fn missing_in<'a>(packages: &[&'a str], listing: &str) -> Vec<&'a str> {
    let is_there = |package: &str| {
        listing
            .lines()
            .any(|line| line.split(' ').eq([package, "installed"]))
    };
    packages
        .iter()
        .copied()
        .filter(|package| !is_there(package))
        .collect()
}

fn agree() -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Ok(());
    }
    print!("Install them now? [Y/n] ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| format!("The answer cannot be read: {error}"))?;
    match answer.trim().to_lowercase().as_str() {
        "" | "y" | "yes" => Ok(()),
        _ => Err("Nothing was installed. Install them yourself and start again.".to_owned()),
    }
}

/// `env`, as root: by sudo if we are not. (`env` so that there is a program to give arguments to.)
fn as_root() -> Result<Command> {
    if output(Command::new("id").arg("-u"))?.trim() == "0" {
        return Ok(Command::new("env"));
    }
    let can_ask = std::io::stdin().is_terminal();
    let mut sudo = Command::new("sudo");
    // Without a terminal sudo must not wait for a password.
    if !can_ask {
        sudo.arg("--non-interactive");
    }
    sudo.arg("env");
    Ok(sudo)
}

fn components() -> Result<()> {
    for (component, probe) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if output(cargo().args([probe, "--version"])).is_err() {
            step(&format!("Installing {component}"), || {
                run(Command::new("rustup")
                    .args(["component", "add", component])
                    .current_dir(root()))
            })?;
        }
    }
    Ok(())
}

fn slixmpp() -> Result<()> {
    let folder = target().join("python");
    let done = folder.join(format!("slixmpp-{SLIXMPP}.installed"));
    if done.exists() && python().exists() {
        return Ok(());
    }
    step("Installing slixmpp (from PyPI, into the target folder)", || {
        let _ = std::fs::remove_dir_all(&folder);
        run(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(python())
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .arg(format!("slixmpp=={SLIXMPP}")))?;
        run(Command::new(python()).args(["-c", "import slixmpp"]))?;
        std::fs::write(&done, "").map_err(|error| format!("{} cannot be written: {error}", done.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_was_removed_but_left_its_configuration_is_missing() {
        let listing = "gcc installed\nprosody config-files\n";
        assert_eq!(
            missing_in(&["gcc", "prosody", "ejabberd"], listing),
            ["prosody", "ejabberd"]
        );
    }

    #[test]
    fn the_installation_script_is_a_shell_script_without_a_mistake_in_its_syntax() {
        let status = Command::new("sh").args(["-n", "-c", SCRIPT]).status().unwrap();
        assert!(status.success());
    }
}

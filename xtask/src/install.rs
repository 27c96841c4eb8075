//! What is missing on this machine, and its installation.
//!
//! Debian and Ubuntu only; elsewhere it says what to install. Packages that bring a service must not start it: the
//! tests and `start` run servers of their own from their own folders. During the installation a `policy-rc.d` keeps
//! services from being started (removed again, even when interrupted), and where systemd runs, services that came
//! with this installation are disabled for the next boot.

use crate::page;
use crate::run::{Result, cargo, output, root, run, step, target};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// For what the machine must be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// `cargo xtask start` with a display.
    Start,
    /// `cargo xtask start` without one.
    StartUnseen,
    /// `cargo xtask test`.
    Test,
    /// `cargo xtask dist`, and trying what it makes.
    Dist,
}

const FOR_START: [&str; 13] = [
    "build-essential",
    "ca-certificates",
    "file",
    "gcc",
    "libayatana-appindicator3-dev",
    "libc6-dev",
    "librsvg2-dev",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
    "libxdo-dev",
    "lua-dbi-sqlite3",
    "pkg-config",
    "prosody",
];

/// A desktop that nobody sees, and the window on it.
const FOR_DESKTOP: [&str; 10] = [
    "at-spi2-core",
    "dbus",
    "dbus-x11",
    "fonts-noto-color-emoji",
    "imagemagick",
    "openbox",
    "webkit2gtk-driver",
    "x11-utils",
    "xdotool",
    "xvfb",
];

/// What makes packages, and what looks at them.
const FOR_DIST: [&str; 5] = [
    "appstream",
    "debootstrap",
    "desktop-file-utils",
    "dpkg-dev",
    "rpm",
];

/// For the checks of the page; only where no node is there yet, from wherever it came.
const NODE: [&str; 2] = ["nodejs", "npm"];

const FOR_TEST: [&str; 22] = [
    "debian-archive-keyring",
    "debootstrap",
    "ejabberd",
    "gnome-keyring",
    "gsettings-desktop-schemas",
    "iproute2",
    "libglib2.0-bin",
    "libsecret-tools",
    "microsocks",
    "mitmproxy",
    "nftables",
    "nginx-light",
    "openssl",
    "prometheus",
    "prosody-modules",
    "python3",
    "python3-dbus",
    "python3-dbusmock",
    "python3-gi",
    "python3-venv",
    "tinyproxy-bin",
    "tshark",
];

/// The other side in part of the tests: a client that is not ours.
const SLIXMPP: &str = "1.17.0";

/// What checks the page: accessibility in the window, and types.
const NODE_PACKAGES: [&str; 2] = ["axe-core@4.14.1", "typescript@5.9.3"];

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
            prosody|ejabberd|nftables|prometheus) systemctl disable --now "$package" || true ;;
            nginx-light) systemctl disable --now nginx || true ;;
        esac
    done
fi
"#;

/// Makes the machine ready; does nothing, in well under a second, if it is. `skip`: what of the tests is left out.
pub fn install(need: Need, skip: &[String]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let packages = packages(need, page::has_node);
    if !Path::new("/usr/bin/apt-get").exists() {
        println!(
            "This is neither Debian nor Ubuntu: nothing is installed. Needed are what Debian calls {}.",
            packages.join(", ")
        );
        return Ok(());
    }
    by_apt(&packages)?;
    if need == Need::Test {
        components()?;
        slixmpp()?;
        node()?;
        if !skip.iter().any(|name| name == "trixie") {
            trixie()?;
        }
    }
    Ok(())
}

/// Makes sure of some packages more: `whose` needs them.
pub fn packages_for(whose: &str, packages: &[&str]) -> Result<()> {
    if cfg!(target_os = "linux") && Path::new("/usr/bin/apt-get").exists() {
        by_apt(packages)
    } else {
        Err(format!(
            "This is neither Debian nor Ubuntu: {whose} need what Debian calls {}.",
            packages.join(", ")
        ))
    }
}

fn by_apt(packages: &[&str]) -> Result<()> {
    let missing = missing(packages)?;
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
        let still = self::missing(packages)?;
        if !still.is_empty() {
            return Err(format!(
                "apt said nothing was wrong, but these packages are still missing: {}",
                still.join(", ")
            ));
        }
    }
    Ok(())
}

/// A package from PyPI in a Python of its own, in this folder.
pub fn from_pypi(folder: &Path, package: &str, version: &str) -> Result<()> {
    let _ = std::fs::remove_dir_all(folder);
    run(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(folder))?;
    let python = folder.join("bin/python");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .arg(format!("{package}=={version}")))?;
    run(Command::new(python).args(["-c", &format!("import {package}")]))
}

fn packages(need: Need, has_node: impl FnOnce() -> bool) -> Vec<&'static str> {
    let mut packages: Vec<&str> = FOR_START.to_vec();
    if need != Need::Start {
        packages.extend(FOR_DESKTOP);
    }
    if need == Need::Dist {
        packages.extend(FOR_DIST);
    }
    if need == Need::Test {
        packages.extend(FOR_TEST);
        if !has_node() {
            packages.extend(NODE);
        }
    }
    packages.sort_unstable();
    packages
}

/// Where npm put what checks the page.
pub fn node_modules() -> PathBuf {
    target().join("node/node_modules")
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
        from_pypi(&folder, "slixmpp", SLIXMPP)?;
        std::fs::write(&done, "").map_err(|error| format!("{} cannot be written: {error}", done.display()))
    })
}

fn node() -> Result<()> {
    let folder = target().join("node");
    let done = folder.join(format!("{}.installed", NODE_PACKAGES.join("-")));
    if done.exists() && node_modules().exists() {
        return Ok(());
    }
    let what = format!(
        "Installing {} (from npm, into the target folder)",
        NODE_PACKAGES.join(" and ")
    );
    step(&what, || {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        run(Command::new("npm")
            .args(["install", "--no-save", "--no-package-lock", "--ignore-scripts"])
            .args(["--no-audit", "--no-fund", "--silent", "--prefix"])
            .arg(&folder)
            .args(NODE_PACKAGES)
            .current_dir(&folder)
            .stdin(Stdio::null()))?;
        std::fs::write(&done, "").map_err(|error| format!("{} cannot be written: {error}", done.display()))
    })
}

/// Debian 13's servers, for the tests of what Debian 12's don't have.
#[cfg(target_os = "linux")]
fn trixie() -> Result<()> {
    let installed = || dormouse_servers::is_trixie_installed().map_err(|error| error.to_string());
    if installed()? {
        return Ok(());
    }
    let what =
        "Installing the servers of Debian 13 into a folder of the user's cache (two minutes, 250 MB, once)";
    step(what, || {
        dormouse_servers::install_trixie(&target().join("trixie.log")).map_err(|error| error.to_string())
    })
}

#[cfg(not(target_os = "linux"))]
fn trixie() -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_installed_only_for_the_tests_and_only_where_there_is_none() {
        let wants = |need, has_node: bool| packages(need, || has_node).contains(&"nodejs");
        assert!(wants(Need::Test, false));
        assert!(!wants(Need::Test, true));
        assert!(!wants(Need::Start, false));
    }

    #[test]
    fn a_start_that_somebody_sees_needs_no_hidden_desktop() {
        assert!(!packages(Need::Start, || true).contains(&"xvfb"));
        assert!(packages(Need::StartUnseen, || true).contains(&"xvfb"));
    }

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

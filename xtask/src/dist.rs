//! `cargo xtask dist`: what people install.
//!
//! For Linux here: the tree of files as it will lie on a machine ([`tree`]), and of it a package for Debian ([`deb`]) and one for
//! Fedora and its kin ([`rpm`]), each by its own system's tools, which find out which libraries the program needs. The other
//! systems' installers, the AppImage and the Flatpak are made by the release workflow, on machines of those systems.
//!
//! `cargo xtask test --only packages` installs both into a clean Debian, starts what they bring and removes them again
//! (`packaging/linux/try.sh`).

mod deb;
mod rpm;
mod tree;

use crate::install::{self, Need};
use crate::run::{Result, cargo, output, root, run, step, target};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the packages say of themselves, all three of them.
struct About {
    version: &'static str,
    summary: &'static str,
    description: &'static str,
}

/// One version for the whole workspace, this program's too.
const ABOUT: About = About {
    version: env!("CARGO_PKG_VERSION"),
    summary: "Chat that never loses a message to sleep",
    description: "A desktop client for XMPP. Close the lid, change the network, restart the server: it shows the \
                  conversations at once, says truthfully what state the connection is in, and has every missed \
                  message, once and in order, moments after the network is back.",
};

/// Nobody answers there: who distributes the packages puts an address of theirs (RFC 2606 keeps `.invalid` free).
const MAINTAINER: &str = "The Dormouse contributors <packages@dormouse.invalid>";

/// Makes the packages and says where they are.
pub fn dist() -> Result<()> {
    for package in packages()? {
        println!("==> {}", package.display());
    }
    Ok(())
}

/// The packages, and beside them their checksums.
fn packages() -> Result<Vec<PathBuf>> {
    install::install(Need::Dist, &[])?;
    step("Building Dormouse for release", || {
        run(cargo().args(["build", "--release", "--locked", "-p", "dormouse"]))
    })?;
    let folder = target().join("dist");
    let tree = folder.join("tree");
    tree::lay_out(&target().join("release"), &tree)?;
    let packages = vec![deb::pack(&tree, &folder)?, rpm::pack(&tree, &folder)?];
    let names = packages.iter().filter_map(|package| package.file_name());
    let sums = output(Command::new("sha256sum").args(names).current_dir(&folder))?;
    write(&folder.join("SHA256SUMS"), &sums)?;
    Ok(packages)
}

/// Installs each into a clean Debian, starts it and removes it. `passed` is told of each that did well.
pub fn check(mut passed: impl FnMut()) -> Result<()> {
    let packages = packages()?;
    let folder = target().join("dist");
    for package in &packages {
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        step(&format!("Installing, starting and removing {name}"), || {
            run(Command::new("sh")
                .arg(root().join("packaging/linux/try.sh"))
                .arg(package)
                .arg(&folder))
        })?;
        passed();
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Makes a folder anew, without what an earlier packing left in it.
fn fresh(folder: &Path) -> Result<()> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))
}

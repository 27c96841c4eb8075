//! The package for Debian, Ubuntu and their kin (deb(5)). It brings no script: caches of menus and icons are brought up to date by the
//! desktop's own triggers.

use super::{ABOUT, MAINTAINER, fresh, write};
use crate::run::{Result, output, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program finds by itself at run time, and does without.
const RECOMMENDS: &str = "default-dbus-session-bus | dbus-session-bus, gnome-keyring | kwalletmanager";

pub(super) fn pack(tree: &Path, folder: &Path) -> Result<PathBuf> {
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let work = folder.join("deb");
    fresh(&work.join("debian"))?;
    // The tool wants to be called in a source package.
    write(
        &work.join("debian/control"),
        "Source: dormouse\n\nPackage: dormouse\nArchitecture: any\n",
    )?;
    let needs = output(
        Command::new("dpkg-shlibdeps")
            .arg("-O")
            .args(super::tree::PROGRAMS.map(|program| tree.join("usr/bin").join(program)))
            .current_dir(&work),
    )?;
    let depends = libraries(&needs)?;
    let size = output(Command::new("du").args(["-sk", "--apparent-size"]).arg(tree))?;
    let size = size.split_whitespace().next().unwrap_or("0");
    let packed = work.join("packed");
    run(Command::new("cp").arg("-a").arg(tree).arg(&packed))?;
    std::fs::create_dir_all(packed.join("DEBIAN"))
        .map_err(|error| format!("{} cannot be made: {error}", packed.display()))?;
    let control = format!(
        "Package: dormouse\nVersion: {}\nArchitecture: {architecture}\nMaintainer: {MAINTAINER}\nInstalled-Size: {size}\n\
         Depends: {depends}\nRecommends: {RECOMMENDS}\nSection: net\nPriority: optional\nDescription: {}\n {}\n",
        ABOUT.version, ABOUT.summary, ABOUT.description
    );
    write(&packed.join("DEBIAN/control"), &control)?;
    let package = folder.join(format!("dormouse_{}_{architecture}.deb", ABOUT.version));
    run(Command::new("dpkg-deb")
        .args(["--root-owner-group", "--build"])
        .arg(&packed)
        .arg(&package))?;
    Ok(package)
}

/// The packages that `dpkg-shlibdeps` names.
fn libraries(told: &str) -> Result<&str> {
    told.lines()
        .find_map(|line| line.strip_prefix("shlibs:Depends="))
        .ok_or_else(|| format!("dpkg-shlibdeps names no libraries: {told}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_are_read_from_what_the_tool_says() {
        let told = "other:X=y\nshlibs:Depends=libc6 (>= 2.34), libgtk-3-0 (>= 3.24)\n";
        assert_eq!(libraries(told), Ok("libc6 (>= 2.34), libgtk-3-0 (>= 3.24)"));
        assert!(libraries("").is_err());
    }
}

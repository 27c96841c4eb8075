//! The package for Fedora, openSUSE and their kin. `rpmbuild` reads from the program itself which libraries it needs, by their names and
//! versions, not by packages: so one package serves all that have them.

use super::{ABOUT, MAINTAINER, fresh, write};
use crate::run::{Result, output, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The only folder that is ours alone: without its name here it would stay behind.
const OURS: &str = "/usr/share/doc/dormouse";

pub(super) fn pack(tree: &Path, folder: &Path) -> Result<PathBuf> {
    let work = folder.join("rpm");
    fresh(&work)?;
    let listed = output(
        Command::new("find")
            .arg(tree)
            .args(["-type", "f", "-printf", "/%P\\n"]),
    )?;
    let mut files: Vec<&str> = listed.lines().collect();
    files.sort_unstable();
    let spec = work.join("dormouse.spec");
    write(&spec, &specification(tree, &files))?;
    run(Command::new("rpmbuild")
        .args(["-bb", "--quiet", "--define"])
        .arg(format!("_topdir {}", work.display()))
        .arg(&spec))?;
    let made = output(
        Command::new("find")
            .arg(work.join("RPMS"))
            .args(["-name", "*.rpm"]),
    )?;
    let made = Path::new(made.trim());
    let name = made.file_name().ok_or("rpmbuild has made no package.")?;
    let package = folder.join(name);
    std::fs::rename(made, &package)
        .map_err(|error| format!("{} cannot be written: {error}", package.display()))?;
    Ok(package)
}

fn specification(tree: &Path, files: &[&str]) -> String {
    format!(
        "%global debug_package %{{nil}}\n%global _build_id_links none\n%global __os_install_post %{{nil}}\n\
         Name: dormouse\nVersion: {version}\nRelease: 1\nSummary: {summary}\nLicense: MIT OR Apache-2.0\n\
         Vendor: {MAINTAINER}\nRecommends: (gnome-keyring or kwalletmanager5)\n\n\
         %description\n{description}\n\n\
         %install\ncp -a {tree}/. %{{buildroot}}/\n\n%files\n%dir {OURS}\n{files}\n",
        version = ABOUT.version,
        summary = ABOUT.summary,
        description = ABOUT.description,
        tree = tree.display(),
        files = files.join("\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_names_each_file_and_nothing_else() {
        let text = specification(Path::new("/t"), &["/usr/bin/dormouse", "/usr/share/a"]);
        assert!(
            text.ends_with("%files\n%dir /usr/share/doc/dormouse\n/usr/bin/dormouse\n/usr/share/a\n"),
            "{text}"
        );
        assert!(text.contains("cp -a /t/. %{buildroot}/"), "{text}");
    }
}

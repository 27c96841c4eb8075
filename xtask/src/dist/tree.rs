//! The files of a package as they will lie on a machine, by the rules of freedesktop.org: every package is made of this.

use super::fresh;
use crate::run::{Result, root, run};
use std::path::Path;
use std::process::Command;

/// What the desktop calls us, and our files.
const ID: &str = "im.dormouse.Dormouse";

/// From where in the repository, where to.
const FILES: [(&str, &str); 10] = [
    ("packaging/linux/ID.desktop", "applications/ID.desktop"),
    ("packaging/linux/ID.metainfo.xml", "metainfo/ID.metainfo.xml"),
    ("packaging/linux/copyright", "doc/dormouse/copyright"),
    ("LICENSE-MIT", "doc/dormouse/LICENSE-MIT"),
    ("LICENSE-APACHE", "doc/dormouse/LICENSE-APACHE"),
    ("ui/icons/LICENSE", "doc/dormouse/LICENSE-icons"),
    (
        "src-tauri/icons/dormouse.svg",
        "icons/hicolor/scalable/apps/ID.svg",
    ),
    ("src-tauri/icons/32x32.png", "icons/hicolor/32x32/apps/ID.png"),
    ("src-tauri/icons/128x128.png", "icons/hicolor/128x128/apps/ID.png"),
    (
        "src-tauri/icons/128x128@2x.png",
        "icons/hicolor/256x256/apps/ID.png",
    ),
];

/// The programs: the one that stays, and its window, which it looks for beside itself.
pub(super) const PROGRAMS: [&str; 2] = ["dormouse", "dormouse-window"];

/// Lays everything out below `tree`, and has the desktop's own tools look at what they will read.
pub(super) fn lay_out(programs: &Path, tree: &Path) -> Result<()> {
    fresh(tree)?;
    for program in PROGRAMS {
        put(
            &programs.join(program),
            &tree.join("usr/bin").join(program),
            "755",
        )?;
    }
    let share = tree.join("usr/share");
    for (from, to) in FILES {
        let from = root().join(from.replace("ID", ID));
        put(&from, &share.join(to.replace("ID", ID)), "644")?;
    }
    run(Command::new("desktop-file-validate").arg(share.join(format!("applications/{ID}.desktop"))))?;
    run(Command::new("appstreamcli")
        .args(["validate", "--no-net"])
        .arg(share.join(format!("metainfo/{ID}.metainfo.xml"))))
}

fn put(from: &Path, to: &Path, mode: &str) -> Result<()> {
    run(Command::new("install").args(["-D", "-m", mode]).arg(from).arg(to))
}

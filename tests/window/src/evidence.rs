//! What is kept of a failed test: `target/window-failures/TEST`.

use crate::Result;
use anyhow::Context;
use std::path::{Path, PathBuf};

const LINES: usize = 40;

/// The folder of the running test, made and empty at its first failure.
pub(crate) fn folder() -> Result<PathBuf> {
    let thread = std::thread::current();
    // libtest names the thread after the test.
    let name = thread.name().unwrap_or("unknown").replace("::", "-");
    let folder = target()?.join("window-failures").join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Cargo's target folder: the running test lies in it.
pub(crate) fn target() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    // target/debug/deps/test
    test.ancestors()
        .nth(3)
        .map(Path::to_owned)
        .context("the test does not lie in a target folder")
}

/// Copies every log of a desktop, the app's own included.
pub(crate) fn copy_logs(desktop: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(desktop)?.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let is_log = path
            .ancestors()
            .any(|part| part.file_name().is_some_and(|name| name == "log"))
            || path.extension().is_some_and(|extension| extension == "log");
        if path.is_dir() {
            copy_logs(&path, to)?;
        } else if is_log {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// The last lines of a log, for the text of an error.
pub(crate) fn end_of(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    format!("--- end of {} ---\n{}", log.display(), tail.join("\n"))
}

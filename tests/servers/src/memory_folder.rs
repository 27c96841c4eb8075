//! A folder that is kept in memory: a disk for which nobody waits. For benches, where it is not the server's disk that is
//! measured. Root only.

use crate::error::{Result, ServerError};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory, mounted over a folder for as long as this lives.
#[derive(Debug)]
pub(crate) struct MemoryFolder(PathBuf);

impl MemoryFolder {
    pub(crate) fn over(folder: &Path) -> Result<Self> {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "mode=0755", "tmpfs"])
            .arg(folder);
        let mounted = mount
            .status()
            .map_err(ServerError::io("No folder can be made in memory"))?;
        if !mounted.success() {
            let folder = folder.display();
            return Err(ServerError::new(format!(
                "No folder can be made in memory at {folder}: mount ended with {mounted}."
            )));
        }
        Ok(Self(folder.to_owned()))
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        // What still holds a file of it keeps that until it ends. If it fails, `umount` has said why.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

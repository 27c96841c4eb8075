//! Where an account keeps its things.

use dormouse_model::BareJid;
use std::path::{Path, PathBuf};

/// The folder of one account: cache, journal and log. Readable by its user only.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// A folder given by the user.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The account's folder in the system's place for application data; none where the system names no
    /// such place.
    pub fn of(account: &BareJid) -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "Dormouse")?;
        Some(Self(
            dirs.data_local_dir().join("accounts").join(file_name(account)),
        ))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The store's folder.
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// The log's folder.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }
}

/// An address as a file name: what is not plain is written as `%` and two hex digits, so that two
/// addresses never share a folder and none can climb out of it.
fn file_name(account: &BareJid) -> String {
    let mut name = String::new();
    for byte in account.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'@' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_not_climb_out_of_its_folder() {
        let name = file_name(&BareJid::new("jules\\2f..\\2fverne@ünter.example").unwrap());
        assert!(!name.contains('/') && !name.contains('\\'), "{name}");
        assert_ne!(name, ".");
        assert_ne!(name, "..");
    }
}

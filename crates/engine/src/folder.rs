//! Where an account keeps its things.

use crate::crash::Crashes;
use dormouse_model::BareJid;
use std::io;
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
        Some(Self::within(&dirs.data_local_dir().join("accounts"), account))
    }

    /// The account's folder among others in `accounts`.
    pub fn within(accounts: &Path, account: &BareJid) -> Self {
        Self(accounts.join(file_name(account)))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Removes what an account kept here, and the folder itself if nothing else is in it. Only after its engine
    /// has ended and its log is closed.
    ///
    /// # Errors
    /// Something could not be removed; what else there is may be gone all the same.
    pub fn forget(self) -> io::Result<()> {
        // The folder may be one that the user named: nothing in it is touched but what is ours.
        for ours in [self.store(), self.log(), self.crashes().folder().to_owned()] {
            match std::fs::remove_dir_all(ours) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match std::fs::remove_dir(&self.0) {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
                ) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// The store's folder.
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// The log's folder.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// What crashes of a program have left that has this account alone.
    pub fn crashes(&self) -> Crashes {
        Crashes::in_folder(self.0.join("crashes"))
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
    fn forgetting_an_account_takes_what_is_its_own_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let folder = || Folder::at(home.path().join("accounts").join("me@home.example"));
        std::fs::create_dir_all(folder().store().join("cache")).unwrap();
        std::fs::create_dir_all(folder().log()).unwrap();
        std::fs::create_dir_all(folder().crashes().folder()).unwrap();
        let letter = folder().path().join("letter.txt");
        std::fs::write(&letter, "dear Bob").unwrap();
        folder().forget().unwrap();
        assert!(letter.exists() && !folder().store().exists() && !folder().log().exists());
        std::fs::remove_file(letter).unwrap();
        folder().forget().unwrap();
        assert!(!folder().path().exists());
        folder().forget().unwrap();
    }

    #[test]
    fn an_address_can_not_climb_out_of_its_folder() {
        let name = file_name(&BareJid::new("jules\\2f..\\2fverne@ünter.example").unwrap());
        assert!(!name.contains('/') && !name.contains('\\'), "{name}");
        assert_ne!(name, ".");
        assert_ne!(name, "..");
    }
}

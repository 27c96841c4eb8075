//! Where Dormouse keeps its things: the list of accounts, a folder for each account, the log.
//!
//! The system's place for application data, unless `DORMOUSE_HOME` names another folder (tests, development, a
//! second life beside the first).

use dormouse_engine::Folder;
use dormouse_engine::crash::Crashes;
use dormouse_engine::model::BareJid;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of everything.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
    is_given: bool,
}

/// The system names no place for application data.
#[derive(Debug, thiserror::Error)]
#[error(
    "This system names no folder for application data. Set DORMOUSE_HOME to the folder Dormouse may use."
)]
pub struct Homeless;

impl Home {
    /// The folder that `given` (the value of `DORMOUSE_HOME`) names, or else the system's.
    pub fn find(given: Option<OsString>) -> Result<Self, Homeless> {
        if let Some(root) = given.filter(|root| !root.is_empty()) {
            return Ok(Self {
                root: root.into(),
                is_given: true,
            });
        }
        let dirs = directories::ProjectDirs::from("", "", "Dormouse").ok_or(Homeless)?;
        Ok(Self {
            root: dirs.data_local_dir().to_owned(),
            is_given: false,
        })
    }

    /// Makes the folder, readable by its user only: whom one talks to is nobody else's business.
    pub fn make(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.root)?;
        #[cfg(unix)]
        std::fs::set_permissions(&self.root, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        Ok(())
    }

    /// The list of accounts.
    pub fn registry(&self) -> PathBuf {
        self.root.join("accounts.json")
    }

    /// The log's folder.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// What crashes have left behind.
    pub fn crashes(&self) -> Crashes {
        Crashes::in_folder(self.root.join("crashes"))
    }

    /// Where files go that the user asked for: the folder for downloads, or one of ours where there is none or another home
    /// was given.
    pub fn exports(&self) -> PathBuf {
        let downloads = || Some(directories::UserDirs::new()?.download_dir()?.to_owned());
        let given = if self.is_given { None } else { downloads() };
        given.unwrap_or_else(|| self.root.join("exports"))
    }

    /// Where the window was.
    pub fn window_place(&self) -> PathBuf {
        self.root.join("window.json")
    }

    /// What the window's engine keeps for itself. Nothing of ours is in it.
    pub fn webview(&self) -> PathBuf {
        self.root.join("webview")
    }

    /// The folder of one account. In the system's place it is the one that `dormouse-cli` uses too.
    pub fn account(&self, address: &BareJid) -> Folder {
        Folder::within(&self.root.join("accounts"), address)
    }

    /// Whether it is not the system's place: a second life beside the first.
    pub fn is_given(&self) -> bool {
        self.is_given
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_that_was_given_holds_everything() {
        let home = Home::find(Some("/some/where".into())).unwrap();
        let address = BareJid::new("romeo@example.org").unwrap();
        assert_eq!(
            home.account(&address).path(),
            Path::new("/some/where/accounts/romeo@example.org")
        );
        assert!(home.registry().starts_with("/some/where"));
        assert!(home.log().starts_with("/some/where"));
    }

    #[test]
    fn an_empty_name_is_no_home() {
        let home = Home::find(Some(OsString::new()));
        assert!(home.is_err() || !home.unwrap().path().as_os_str().is_empty());
    }

    #[test]
    fn no_address_leads_out_of_the_home() {
        let home = Home::find(Some("/some/where".into())).unwrap();
        let address = BareJid::new("jules\\2f..\\2fverne@example.org").unwrap();
        let folder = home.account(&address);
        assert_eq!(folder.path().parent(), Some(Path::new("/some/where/accounts")));
    }
}

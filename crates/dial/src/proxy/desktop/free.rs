//! The desktops of Linux and its relatives.

use super::{gnome, kde};
use crate::endpoint::Host;
use crate::proxy::system::Wanted;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// How long the settings may take to be read before what was read last holds.
const PATIENCE: Duration = Duration::from_secs(1);

/// The settings, as they were read last.
#[derive(Default)]
pub(in crate::proxy) struct Desktop(Mutex<Option<Read>>);

#[derive(Clone)]
struct Read {
    stamps: Stamps,
    wanted: Option<Wanted>,
}

/// When what lies under the settings was changed last.
type Stamps = Vec<Option<SystemTime>>;

/// Whose settings hold in this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gnome,
    Kde,
}

impl Desktop {
    /// What they want, for whatever host.
    pub(in crate::proxy) async fn wanted(self: &Arc<Self>, _: &Host, _: u16) -> Option<Wanted> {
        let kind = kind(&std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default())?;
        let stamps = stamps(kind);
        let known = self.known();
        if let Some(read) = known.as_ref().filter(|read| read.stamps == stamps) {
            return read.wanted.clone();
        }
        let keep = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let wanted = match kind {
                Kind::Gnome => gsettings().and_then(|listing| gnome::wanted(&listing)),
                Kind::Kde => kioslaverc().and_then(|text| kde::wanted(&text)),
            };
            *keep.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Read {
                stamps,
                wanted: wanted.clone(),
            });
            wanted
        });
        match timeout(PATIENCE, reading).await {
            Ok(Ok(wanted)) => wanted,
            _ => {
                tracing::warn!(?kind, "the desktop's proxy settings can't be read");
                known.and_then(|read| read.wanted)
            }
        }
    }

    fn known(&self) -> Option<Read> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Names between colons (the Desktop Entry Specification's `OnlyShowIn`). Where there is no desktop its settings don't hold.
fn kind(current_desktop: &str) -> Option<Kind> {
    let mut names = current_desktop.split(':').filter(|name| !name.is_empty());
    let first = names.next()?;
    let kde = std::iter::once(first)
        .chain(names)
        .any(|name| name.eq_ignore_ascii_case("kde"));
    Some(if kde { Kind::Kde } else { Kind::Gnome })
}

fn config(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".config"));
    Some(folder.map(PathBuf::from).or_else(home)?.join(file))
}

fn stamps(kind: Kind) -> Stamps {
    let files = match kind {
        Kind::Kde => vec![config("kioslaverc")],
        Kind::Gnome => vec![
            config("dconf/user"),
            config("glib-2.0/settings/keyfile"),
            Some(PathBuf::from("/etc/dconf/db")),
        ],
    };
    let changed = |file: PathBuf| std::fs::metadata(file).ok()?.modified().ok();
    files.into_iter().map(|file| changed(file?)).collect()
}

fn kioslaverc() -> Option<String> {
    std::fs::read_to_string(config("kioslaverc")?).ok()
}

fn gsettings() -> Option<String> {
    let output = Command::new("gsettings")
        .args(["list-recursively", gnome::SCHEMA])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => {
            tracing::debug!(status = %output.status, "gsettings knows no proxy settings");
            None
        }
        Err(error) => {
            tracing::debug!(%error, "there is no gsettings");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_desktop_has_its_settings_and_without_one_there_are_none() {
        for (name, whose) in [
            ("", None),
            ("GNOME", Some(Kind::Gnome)),
            ("ubuntu:GNOME", Some(Kind::Gnome)),
            ("X-Cinnamon", Some(Kind::Gnome)),
            ("KDE", Some(Kind::Kde)),
            ("Budgie:kde", Some(Kind::Kde)),
        ] {
            assert_eq!(kind(name), whose, "{name}");
        }
    }
}

//! A desktop of a test's own: display, window manager, session bus, folders, and what is on the bus.
//!
//! Nothing of the machine's own desktop is reached, and nothing of the user's folders is read or written. Several
//! windows may be opened on a desktop one after another: they find the same folder, keyring and settings, as
//! starts of the app on one computer do.

use crate::Result;
use crate::display::Display;
use crate::notifications::Notifications;
use crate::opened::Opened;
use crate::tray::Tray;
use anyhow::Context;
use dormouse_servers::{MockLogind, SecretService, SessionBus};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A system bus on which nobody answers.
const NO_BUS: &str = "unix:path=/nonexistent/dormouse-no-bus";

/// What the desktop's theme is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Both, for tests of how things look.
    pub const BOTH: [Self; 2] = [Self::Light, Self::Dark];

    /// `light` or `dark`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What is on the desktop; see [`Desktop::builder`].
#[derive(Debug, Clone)]
pub struct DesktopBuilder {
    keyring: bool,
    notifications: bool,
    logind: bool,
    tray: bool,
    theme: Theme,
    language: &'static str,
}

impl DesktopBuilder {
    /// With a keyring, unlocked and empty.
    #[must_use]
    pub fn keyring(mut self) -> Self {
        self.keyring = true;
        self
    }

    /// With a notification service.
    #[must_use]
    pub fn notifications(mut self) -> Self {
        self.notifications = true;
        self
    }

    /// With a logind that sleeps when told.
    #[must_use]
    pub fn logind(mut self) -> Self {
        self.logind = true;
        self
    }

    /// With a tray.
    #[must_use]
    pub fn tray(mut self) -> Self {
        self.tray = true;
        self
    }

    /// In this theme; light by default.
    #[must_use]
    pub fn theme(mut self, theme: Theme) -> Self {
        self.theme = theme;
        self
    }

    /// In this language (`en`, `de`); English by default.
    #[must_use]
    pub fn language(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When a part of it is not installed or does not come up.
    pub fn start(self) -> Result<Desktop> {
        let folder = tempfile::Builder::new()
            .prefix("dormouse-desktop-")
            .tempdir()
            .context("A temporary folder can't be made")?;
        for name in ["home", "config", "data", "cache", "state", "run", "dormouse"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        let opened = Opened::new(folder.path())?;
        let session = if self.keyring {
            Session::WithKeyring(SecretService::start()?)
        } else {
            Session::Bare(SessionBus::start()?)
        };
        let notifications = self
            .notifications
            .then(|| Notifications::start(session.address(), folder.path()))
            .transpose()?;
        let logind = self.logind.then(MockLogind::start).transpose()?;
        let tray = self
            .tray
            .then(|| Tray::start(session.address(), folder.path()))
            .transpose()?;
        let display = Display::start(folder.path())?;
        Ok(Desktop {
            display,
            notifications,
            logind,
            tray,
            session,
            opened,
            theme: self.theme,
            language: self.language,
            folder,
        })
    }
}

#[derive(Debug)]
enum Session {
    Bare(SessionBus),
    WithKeyring(SecretService),
}

impl Session {
    fn address(&self) -> &str {
        match self {
            Self::Bare(bus) => bus.address(),
            Self::WithKeyring(service) => service.address(),
        }
    }
}

/// A desktop; gone when dropped.
#[derive(Debug)]
pub struct Desktop {
    display: Display,
    notifications: Option<Notifications>,
    logind: Option<MockLogind>,
    tray: Option<Tray>,
    session: Session,
    opened: Opened,
    theme: Theme,
    language: &'static str,
    // Last: the folder goes after the programs that use it.
    folder: TempDir,
}

impl Desktop {
    /// A desktop in English and light, without keyring, notifications or logind.
    pub fn builder() -> DesktopBuilder {
        DesktopBuilder {
            keyring: false,
            notifications: false,
            logind: false,
            tray: false,
            theme: Theme::Light,
            language: "en",
        }
    }

    /// The plainest one.
    ///
    /// # Errors
    /// As [`DesktopBuilder::start`].
    pub fn start() -> Result<Self> {
        Self::builder().start()
    }

    /// Its screen.
    pub fn display(&self) -> &Display {
        &self.display
    }

    /// Its notification service.
    ///
    /// # Errors
    /// When it was started without one.
    pub fn notifications(&self) -> Result<&Notifications> {
        self.notifications
            .as_ref()
            .context("This desktop has no notification service.")
    }

    /// Its logind.
    ///
    /// # Errors
    /// When it was started without one.
    pub fn logind(&self) -> Result<&MockLogind> {
        self.logind.as_ref().context("This desktop has no logind.")
    }

    /// Its tray.
    ///
    /// # Errors
    /// When it has none.
    pub fn tray(&self) -> Result<&Tray> {
        self.tray.as_ref().context("This desktop has no tray.")
    }

    /// What it was asked to open.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Where the app keeps everything on this desktop.
    pub fn app_home(&self) -> PathBuf {
        self.folder.path().join("dormouse")
    }

    /// The theme of windows opened from now on.
    pub fn set_theme(&mut self, theme: Theme) {
        self.theme = theme;
    }

    /// The theme of windows opened now.
    pub fn theme(&self) -> Theme {
        self.theme
    }

    /// A folder of the desktop.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The variables that put a program on this desktop and on no other.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let inside = |name: &str| OsString::from(self.folder.path().join(name));
        let mut environment = vec![
            ("DISPLAY", self.display.name().into()),
            ("GDK_BACKEND", "x11".into()),
            ("NO_AT_BRIDGE", "1".into()),
            ("HOME", inside("home")),
            ("XDG_CONFIG_HOME", inside("config")),
            ("XDG_DATA_HOME", inside("data")),
            ("XDG_CACHE_HOME", inside("cache")),
            ("XDG_STATE_HOME", inside("state")),
            ("XDG_RUNTIME_DIR", inside("run")),
            ("XDG_CURRENT_DESKTOP", "dormouse-test".into()),
            ("DBUS_SESSION_BUS_ADDRESS", self.session.address().into()),
            (
                "DBUS_SYSTEM_BUS_ADDRESS",
                self.logind.as_ref().map_or(NO_BUS, MockLogind::address).into(),
            ),
            ("LANG", "C.UTF-8".into()),
            ("PATH", self.opened.path_variable()),
            // GTK's own dark variant: what WebKitGTK takes for `prefers-color-scheme`.
            (
                "GTK_THEME",
                match self.theme {
                    Theme::Light => "Adwaita",
                    Theme::Dark => "Adwaita:dark",
                }
                .into(),
            ),
            ("DORMOUSE_HOME", self.app_home().into()),
            ("DORMOUSE_LANGUAGE", self.language.into()),
        ];
        if let Session::WithKeyring(service) = &self.session {
            // The keyring is found by its own runtime folder.
            environment.extend(
                service
                    .environment()
                    .into_iter()
                    .filter(|(name, _)| *name != "XDG_DATA_HOME"),
            );
        }
        environment
    }
}

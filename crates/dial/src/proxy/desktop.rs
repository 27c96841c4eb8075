//! The proxy of the desktop's settings.
//!
//! GNOME and those that share its settings are asked by `gsettings`, KDE's are a file. Asking takes a process, so it is
//! done only when what lies under the settings has changed since. macOS and Windows are asked by hyper-util.

#[cfg(any(target_os = "macos", windows))]
mod native;
#[cfg(any(target_os = "macos", windows))]
pub(super) use native::Desktop;

#[cfg(not(any(target_os = "macos", windows)))]
mod free;
#[cfg(not(any(target_os = "macos", windows)))]
mod gnome;
#[cfg(not(any(target_os = "macos", windows)))]
mod kde;
#[cfg(not(any(target_os = "macos", windows)))]
pub(super) use free::Desktop;

//! The shell: the window on one side, the engines on the other, and no rules of its own about either.
//!
//! [`protocol`] is what the two say to each other. [`running`] is one account: a task that passes on what
//! its engine tells, in order, as [`view`] puts it, and what the window wishes, as [`wishes`] lets it
//! through. [`shell`] holds all accounts; [`resident`] is the program that stays when there is no window, [`questions`] what a
//! window may ask of it and [`wire`] the line between the two. What is to be decided is decided in files that know no system:
//! [`visibility`], [`notifications`], [`links`], [`resident::closing`], [`updates`].
//!
//! Nothing here knows Tauri: what does is in `windowed`, which the program that stays does not load where it can do without.

pub mod accounts;
pub mod alerts;
pub mod arguments;
pub mod autostart;
pub mod catalogue;
pub mod connection_check;
pub mod connection_report;
#[cfg(test)]
mod declarations;
pub mod frame_log;
pub mod given_out;
pub mod home;
#[cfg(all(unix, not(target_os = "macos")))]
pub mod instance;
pub mod links;
pub mod notifications;
pub mod notify;
pub mod outlet;
pub mod program;
pub mod protocol;
pub mod questions;
pub mod quiet;
pub mod resident;
pub mod running;
pub mod shell;
pub mod sign_in;
pub mod stretch;
pub mod tags;
pub mod translations;
pub mod tray;
pub mod updates;
pub mod view;
pub mod visibility;
pub mod window_place;
#[cfg(all(unix, not(target_os = "macos")))]
pub mod window_process;
pub mod wire;
pub mod wishes;
pub mod words;
pub mod xmpp_link;

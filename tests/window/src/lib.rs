//! What the window's tests in `tests/` are made of: a desktop of their own, and the real window on it.
//!
//! | module | what it gives |
//! |---|---|
//! | [`accessibility`] | axe-core in the page |
//! | [`cache`] | a cache as years of use leave it |
//! | [`desktop`] | display, window manager, session bus, folders: all private, all gone afterwards |
//! | [`display`] | the X display of a desktop |
//! | [`notifications`] | what a desktop was asked to notify of, and a user who clicks it |
//! | [`opened`] | what a desktop was asked to open |
//! | [`people`] | alice at the window, the others, and their server |
//! | [`releases`] | a place that offers a new version, signed |
//! | [`tray`] | a tray, and a user who clicks what is in it |
//! | [`window`] | the app under WebDriver: what a user does and sees |
//! | [`wait`] | waiting for a condition until a deadline |
//!
//! A test sees what a user sees and nothing else: what is on the screen, what the desktop was asked for, and what
//! the person at the other end received.

#![cfg(target_os = "linux")]

pub mod accessibility;
pub mod cache;
pub mod desktop;
pub mod display;
mod evidence;
pub mod notifications;
pub mod opened;
pub mod people;
pub mod releases;
mod screens;
pub mod tray;
pub mod wait;
pub mod window;

/// Why a test could not go on, in sentences.
pub type Result<T> = anyhow::Result<T>;

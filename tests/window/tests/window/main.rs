//! The real window against real servers: what a user does, and what they then see.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod connection;
mod connection_check;
mod conversation;
mod drafts;
mod hostile;
mod interruptions;
mod keyboard;
mod keyring;
mod language;
mod looks;
mod metrics;
mod notifications;
mod people;
mod scrolling;
mod sign_in;
mod start;
mod tray;
mod updates;

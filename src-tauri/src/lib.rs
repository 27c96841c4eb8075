//! The shell: the window on one side, the engines on the other, and no rules of its own about either.
//!
//! [`protocol`] is what the two say to each other. [`running`] is one account: a task that passes on what
//! its engine tells, in order, as [`view`] puts it, and what the window wishes, as [`wishes`] lets it
//! through. [`shell`] holds all accounts; [`commands`] and [`window`] are Tauri's side of it. What is to be
//! decided is decided in files that know neither: [`visibility`], [`notifications`], [`links`].

pub mod accounts;
pub mod alerts;
pub mod catalogue;
pub mod commands;
pub mod connection_check;
pub mod connection_report;
#[cfg(test)]
mod declarations;
pub mod frame_log;
pub mod given_out;
pub mod home;
pub mod links;
pub mod notifications;
pub mod notify;
pub mod outlet;
mod program;
pub mod protocol;
pub mod running;
pub mod shell;
pub mod sign_in;
pub mod stretch;
pub mod tags;
pub mod translations;
pub mod view;
pub mod visibility;
pub mod window;
pub mod wishes;
pub mod words;

pub use program::run;

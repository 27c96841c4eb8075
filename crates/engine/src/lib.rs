//! The engine: runs the pure core of an account over real sockets, a real disk and a real clock, and
//! publishes what a window shows.
//!
//! One thread per account feeds the core ([`dormouse_account`]) one input at a time and does what it
//! says; a second brings writes to the disk. Whoever holds an [`Engine`] gives commands and reads a
//! snapshot followed by ordered changes; scrolling back reads the store directly.

mod driver;
mod engine;
mod flush;
pub mod folder;
mod line;
pub mod logging;
mod rebuild;
pub mod secret;

pub use dormouse_account::{Command, Status, Stretch};
pub use dormouse_model as model;
pub use engine::{Engine, Happening, Settings, StartError, Subscription, now};
pub use folder::Folder;
pub use secret::{Keyring, KeyringError, Secret};

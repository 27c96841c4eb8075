//! The engine: runs the pure core of an account over real sockets, a real disk and a real clock, and
//! publishes what a window shows.
//!
//! One thread per account feeds the core ([`dormouse_account`]) one input at a time and does what it
//! says; a second brings writes to the disk. Whoever holds an [`Engine`] gives commands and reads a
//! snapshot followed by ordered changes; scrolling back reads the store directly.

mod batches;
pub mod check;
pub mod crash;
mod driver;
mod engine;
mod flush;
pub mod folder;
mod line;
pub mod logging;
mod observers;
mod path;
mod present;
mod private_file;
mod rebuild;
mod report;
mod request;
pub mod secret;
mod settings;
mod system;
mod tokens;
mod wire;

pub use batches::Batches;
pub use dormouse_account::{Command, Part, Stretch};
pub use dormouse_model as model;
pub use dormouse_store::OpenError;
pub use engine::Engine;
pub use folder::Folder;
pub use path::{Path, Status};
pub use present::now;
pub use private_file::write_private;
pub use report::Program;
pub use request::{Happening, Subscription};
pub use secret::{Keyring, KeyringError, Secret};
pub use settings::{Settings, StartError};
pub use system::system;
pub use wire::Wire;

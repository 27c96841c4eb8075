//! What an engine needs to know to start, and why it could not.

use crate::folder::Folder;
use crate::secret::Secret;
use dormouse_dial::{BadEndpoint, BadProxy};
use dormouse_model::{BareJid, ReadError};
use dormouse_store::OpenError;

/// What an engine needs to know to start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account.
    pub address: BareJid,
    /// Its password. None: the account stays offline until [`crate::Engine::sign_in`].
    pub password: Option<Secret>,
    /// The password is, or will be, in the OS keyring: then the token that stands in for it is kept there as well.
    pub keyring: bool,
    /// Where it keeps its things.
    pub folder: Folder,
    /// The WebSocket endpoint, if the user gave one; else it is discovered (XEP-0156).
    pub endpoint: Option<String>,
    /// Which proxy it goes through: `system` (as where there is nothing), `none`, `http://host:port` or
    /// `socks5://host:port`.
    pub proxy: Option<String>,
    /// `user:password` for the proxy that is given.
    pub proxy_login: Option<Secret>,
    /// Listen to the system's sleep and network. Tests that tell the engine themselves switch it off.
    pub watch_system: bool,
}

/// Why an engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The endpoint given can't be used.
    #[error("This endpoint can't be used: {0}")]
    Endpoint(#[from] BadEndpoint),
    /// The proxy given can't be used.
    #[error("This proxy can't be used: {0}")]
    Proxy(#[from] BadProxy),
    /// The store can't be opened, and must not be set aside.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The system refused a thread or its random numbers.
    #[error("The system refused what Dormouse needs to run: {0}.")]
    System(String),
}

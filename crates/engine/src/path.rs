//! Where a connection leads and what protects it, as it was opened.

use dormouse_dial::TlsVersion;
use dormouse_model::{Endpoint, Stamp};
use std::net::SocketAddr;

/// An open connection, as the system sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// What was dialled.
    pub endpoint: Endpoint,
    /// Our side: when this address goes away, so does the connection.
    pub local: SocketAddr,
    /// The other side.
    pub peer: SocketAddr,
    /// What protects it; none on the way to this machine itself.
    pub tls: Option<TlsVersion>,
    /// When the last byte came.
    pub heard: Stamp,
}

/// What is known of a running account: of its core and of the connection it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What the core knows.
    pub account: dormouse_account::Status,
    /// The connection in use, if there is one.
    pub path: Option<Path>,
}

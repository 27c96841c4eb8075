//! What is told of a dial while it is under way.

use crate::tls::TlsVersion;
use dormouse_model::DialStep;
use std::net::SocketAddr;

/// What is told of a dial while it is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// This step begins.
    Begins(DialStep),
    /// Somebody answered at this address: the server, or the proxy in front of it.
    Reached(SocketAddr),
    /// This proxy opened the way, as a URL without user and password.
    Through(String),
    /// The connection is encrypted, and the certificate trusted.
    Secured(Secured),
}

/// What protects a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// The version.
    pub version: TlsVersion,
    /// Who issued the server's certificate, as it says itself: data.
    pub issuer: Option<String>,
}

/// Who is told.
pub(crate) type Tell<'a> = &'a (dyn Fn(Report) + Sync);

//! What can be set about dialling.

use crate::proxy::setting::Setting;
use dormouse_model::DialStep;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// How long each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Finding the endpoint, with all that its requests need.
    pub discovery: Duration,
    /// Looking up addresses.
    pub names: Duration,
    /// Connecting to one of them.
    pub tcp: Duration,
    /// What a proxy may take to reach the server and say so. Tor takes its time.
    pub proxy: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// The WebSocket handshake.
    pub web_socket: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            discovery: Duration::from_secs(5),
            names: Duration::from_secs(5),
            tcp: Duration::from_secs(10),
            proxy: Duration::from_secs(20),
            tls: Duration::from_secs(10),
            web_socket: Duration::from_secs(10),
        }
    }
}

impl Deadlines {
    pub(crate) fn of(&self, step: DialStep) -> Duration {
        match step {
            DialStep::Discovery => self.discovery,
            DialStep::Names => self.names,
            DialStep::Tcp => self.tcp,
            DialStep::Proxy => self.proxy,
            DialStep::Tls => self.tls,
            DialStep::WebSocket => self.web_socket,
        }
    }
}

/// Everything that can be set. The defaults are right for users.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long each step may take.
    pub deadlines: Deadlines,
    /// Before the next address is tried beside the one that has not answered (RFC 8305 section 5).
    pub stagger: Duration,
    /// How long a remembered endpoint may take to open before the domain is asked whether it still is the right
    /// one.
    pub doubt: Duration,
    /// How often the domain is asked for its endpoint although the remembered one works.
    pub discover_every: Duration,
    /// The largest message taken, in bytes; a larger one ends the connection. Servers bound stanzas at
    /// a few hundred KiB, or not at all.
    pub largest_message: usize,
    /// Certificates trusted besides the operating system's: for tests and for companies' own servers.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Addresses of names that are not looked up, as in `/etc/hosts`.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// Through which proxy, if any.
    pub proxy: Setting,
    /// Where discovery asks; 443 but in tests.
    pub discovery_port: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadlines: Deadlines::default(),
            stagger: Duration::from_millis(250),
            doubt: Duration::from_secs(3),
            discover_every: Duration::from_hours(24),
            largest_message: 10 * 1024 * 1024,
            extra_roots: Vec::new(),
            hosts: BTreeMap::new(),
            proxy: Setting::System,
            discovery_port: 443,
        }
    }
}

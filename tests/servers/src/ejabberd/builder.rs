//! What can be chosen about an ejabberd, and its start.

use super::{Ejabberd, Node, Ports};
use crate::certificate::Certificate;
use crate::error::Result;
use crate::place::Place;
use crate::port::Port;
use crate::prosody::ScramHash;
use crate::release::{Ground, Release};

/// What can be chosen about an ejabberd. Changes take effect at its next start.
#[derive(Clone, Debug)]
pub struct EjabberdSettings {
    /// The one host.
    pub domain: String,
    /// Message archive (XEP-0313).
    pub archive: bool,
    /// Stream management (XEP-0198).
    pub stream_management: bool,
    /// Seconds for which a lost session can be resumed.
    pub resume_timeout: u32,
    /// XMPP over TCP (RFC 6120), unencrypted: for clients that don't speak WebSocket.
    pub c2s: bool,
    /// How much a client may write: bytes a second, and how many at once before that. It is an option of the listener for TCP,
    /// and holds over WebSocket, too.
    pub shaper: Option<(u32, u32)>,
    /// Milliseconds between two connections that are let in.
    pub accept_interval: Option<u32>,
    /// For the wss listener; without one only ws is served.
    pub certificate: Option<Certificate>,
    /// How passwords are kept: SHA-1 offers SCRAM-SHA-1, SHA-256 offers SCRAM-SHA-256.
    pub scram_hash: ScramHash,
    /// SASL mechanisms that are not offered.
    pub without_mechanisms: Vec<String>,
    /// The WebSocket URL that `/.well-known/host-meta` and `.json` name, if they are served.
    pub host_meta: Option<String>,
    /// Lines of YAML at the top level of the configuration.
    pub yaml: Vec<String>,
    /// Lines of YAML in the section of modules, without their indentation.
    pub yaml_of_modules: Vec<String>,
}

/// See [`Ejabberd::builder`].
#[derive(Debug)]
pub struct EjabberdBuilder {
    pub(super) settings: EjabberdSettings,
    pub(super) accounts: Vec<(String, String)>,
    pub(super) release: Release,
    pub(super) place: Place,
    pub(super) node: Option<Node>,
}

impl EjabberdBuilder {
    /// An account on the server's domain.
    #[must_use]
    pub fn account(mut self, user: &str, password: &str) -> Self {
        self.accounts.push((user.to_owned(), password.to_owned()));
        self
    }

    /// Several accounts: users and passwords.
    #[must_use]
    pub fn accounts<'a>(mut self, accounts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.accounts.extend(
            accounts
                .into_iter()
                .map(|(user, password)| (user.to_owned(), password.to_owned())),
        );
        self
    }

    /// The host; `localhost` by default.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.settings.domain = domain.to_owned();
        self
    }

    /// Message archive on (default) or off.
    #[must_use]
    pub fn archive(mut self, on: bool) -> Self {
        self.settings.archive = on;
        self
    }

    /// Stream management on (default) or off.
    #[must_use]
    pub fn stream_management(mut self, on: bool) -> Self {
        self.settings.stream_management = on;
        self
    }

    /// Seconds for which a lost session can be resumed; 300 by default.
    #[must_use]
    pub fn resume_timeout(mut self, seconds: u32) -> Self {
        self.settings.resume_timeout = seconds;
        self
    }

    /// Adds a listener for XMPP over TCP, unencrypted: for clients that don't speak WebSocket.
    #[must_use]
    pub fn c2s(mut self) -> Self {
        self.settings.c2s = true;
        self
    }

    /// Reads so many bytes a second of each client, and so many at once before that. Adds the listener for TCP, whose option it is.
    #[must_use]
    pub fn shaper(mut self, rate: u32, burst: u32) -> Self {
        self.settings.shaper = Some((rate, burst));
        self.c2s()
    }

    /// Lets one connection in, and the next after so many milliseconds.
    #[must_use]
    pub fn accept_interval(mut self, milliseconds: u32) -> Self {
        self.settings.accept_interval = Some(milliseconds);
        self
    }

    /// Adds a wss listener with this certificate.
    #[must_use]
    pub fn tls(mut self, certificate: &Certificate) -> Self {
        self.settings.certificate = Some(certificate.clone());
        self
    }

    /// How passwords are kept.
    #[must_use]
    pub fn scram_hash(mut self, hash: ScramHash) -> Self {
        self.settings.scram_hash = hash;
        self
    }

    /// Does not offer this SASL mechanism.
    #[must_use]
    pub fn without_mechanism(mut self, mechanism: &str) -> Self {
        self.settings.without_mechanisms.push(mechanism.to_owned());
        self
    }

    /// Serves `/.well-known/host-meta` and `.json` (XEP-0156) naming this URL.
    #[must_use]
    pub fn host_meta(mut self, websocket_url: &str) -> Self {
        self.settings.host_meta = Some(websocket_url.to_owned());
        self
    }

    /// A line of YAML at the top level.
    #[must_use]
    pub fn yaml(mut self, line: &str) -> Self {
        self.settings.yaml.push(line.to_owned());
        self
    }

    /// A line of YAML in the section of modules.
    #[must_use]
    pub fn yaml_of_modules(mut self, line: &str) -> Self {
        self.settings.yaml_of_modules.push(line.to_owned());
        self
    }

    /// Debian 12's ejabberd 23.01 (default) or Debian 13's 24.12, which has SASL2 and FAST.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// Runs in a network namespace, listening on one of its addresses.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Not one for itself, but a member of a cluster.
    #[must_use]
    pub(crate) fn node(mut self, node: Node) -> Self {
        self.node = Some(node);
        self
    }

    /// Starts the server, waits until its WebSocket answers and makes the accounts.
    pub fn start(self) -> Result<Ejabberd> {
        let ground = Ground::new(self.release, self.place)?;
        let folder = ground.temporary("dormouse-ejabberd-")?;
        let mut ejabberd = Ejabberd {
            settings: self.settings,
            release: self.release,
            ground,
            ports: Ports {
                ws: Port::reserve()?,
                wss: Port::reserve()?,
                c2s: Port::reserve()?,
                api: Port::reserve()?,
            },
            node: match self.node {
                Some(node) => node,
                None => Node::alone(folder.path())?,
            },
            running: None,
            folder,
        };
        ejabberd.lay_out()?;
        ejabberd.start()?;
        for (user, password) in &self.accounts {
            ejabberd.register(user, password)?;
        }
        Ok(ejabberd)
    }
}

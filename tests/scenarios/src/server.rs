//! A server of either make, for scenarios that must hold for both, and its people.
//!
//! Everything speaks plain ws on loopback unless a scenario is about TLS.

use crate::Result;
use crate::client::{Client, ClientBuilder};
use crate::event::Mark;
use anyhow::Context;
use dormouse_servers::{Certificate, Ejabberd, Place, Prosody, Release, ScramHash};
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How long a sign-in, or anything else with a few round trips, may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// Prosody 0.12.
    Prosody,
    /// ejabberd 23.01.
    Ejabberd,
}

/// What is wanted of a server; what is not said is as its makers have it.
#[derive(Debug, Clone)]
pub struct Plan {
    make: Make,
    release: Release,
    archive: bool,
    stream_management: bool,
    held: Option<u32>,
    certificate: Option<Certificate>,
    scram_hash: ScramHash,
    without: Vec<String>,
    host_meta: Option<String>,
    c2s: bool,
    place: Place,
}

/// A running server.
#[derive(Debug)]
pub enum Server {
    /// Prosody 0.12.
    Prosody(Prosody),
    /// ejabberd 23.01.
    Ejabberd(Ejabberd),
}

/// An account and its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The part before the @.
    pub user: String,
    /// The whole address.
    pub address: String,
    /// The password.
    pub password: String,
}

impl Plan {
    /// Archive, stream management, ws.
    pub fn new(make: Make) -> Self {
        Self {
            make,
            release: Release::default(),
            archive: true,
            stream_management: true,
            held: None,
            certificate: None,
            scram_hash: ScramHash::Sha1,
            without: Vec::new(),
            host_meta: None,
            c2s: false,
            place: Place::default(),
        }
    }

    /// Another release of it: Prosody 13, ejabberd 24.12.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// Without a message archive.
    #[must_use]
    pub fn without_archive(mut self) -> Self {
        self.archive = false;
        self
    }

    /// Without stream management.
    #[must_use]
    pub fn without_stream_management(mut self) -> Self {
        self.stream_management = false;
        self
    }

    /// Holds a lost session for so many seconds.
    #[must_use]
    pub fn holds_sessions(mut self, seconds: u32) -> Self {
        self.held = Some(seconds);
        self
    }

    /// With a wss listener.
    #[must_use]
    pub fn tls(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// With this SCRAM mechanism.
    #[must_use]
    pub fn scram(mut self, hash: ScramHash) -> Self {
        self.scram_hash = hash;
        self
    }

    /// Offers PLAIN and nothing else.
    #[must_use]
    pub fn plain_only(mut self) -> Self {
        let names = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"];
        let with_plus = names
            .iter()
            .flat_map(|name| [(*name).to_owned(), format!("{name}-PLUS")]);
        self.without = with_plus
            .chain(["X-OAUTH2".to_owned(), "DIGEST-MD5".to_owned()])
            .collect();
        self
    }

    /// Names its endpoint by XEP-0156.
    #[must_use]
    pub fn host_meta(mut self, url: &str) -> Self {
        self.host_meta = Some(url.to_owned());
        self
    }

    /// Takes clients over TCP too.
    #[must_use]
    pub fn c2s(mut self) -> Self {
        self.c2s = true;
        self
    }

    /// Runs somewhere else.
    #[must_use]
    pub fn place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(self) -> Result<Server> {
        Ok(match self.make {
            Make::Prosody => {
                let mut builder = Prosody::builder()
                    .release(self.release)
                    .archive(self.archive)
                    .stream_management(self.stream_management)
                    .scram_hash(self.scram_hash)
                    .place(self.place);
                if let Some(seconds) = self.held {
                    builder = builder.hibernation(seconds);
                }
                if let Some(certificate) = &self.certificate {
                    builder = builder.tls(certificate);
                }
                for name in &self.without {
                    builder = builder.without_mechanism(name);
                }
                if let Some(url) = &self.host_meta {
                    builder = builder.host_meta(url);
                }
                if self.c2s {
                    builder = builder.c2s();
                }
                Server::Prosody(builder.start()?)
            }
            Make::Ejabberd => {
                let mut builder = Ejabberd::builder()
                    .release(self.release)
                    .archive(self.archive)
                    .stream_management(self.stream_management)
                    .scram_hash(self.scram_hash)
                    .place(self.place);
                if let Some(seconds) = self.held {
                    builder = builder.resume_timeout(seconds);
                }
                if let Some(certificate) = &self.certificate {
                    builder = builder.tls(certificate);
                }
                for name in &self.without {
                    builder = builder.without_mechanism(name);
                }
                if let Some(url) = &self.host_meta {
                    builder = builder.host_meta(url);
                }
                if self.c2s {
                    builder = builder.c2s();
                }
                Server::Ejabberd(builder.start()?)
            }
        })
    }
}

impl Server {
    /// Whose it is.
    pub fn make(&self) -> Make {
        match self {
            Server::Prosody(_) => Make::Prosody,
            Server::Ejabberd(_) => Make::Ejabberd,
        }
    }

    /// The endpoint without TLS.
    pub fn ws_endpoint(&self) -> String {
        match self {
            Server::Prosody(it) => it.ws_endpoint(),
            Server::Ejabberd(it) => it.ws_endpoint(),
        }
    }

    /// The port without TLS.
    pub fn ws_port(&self) -> u16 {
        match self {
            Server::Prosody(it) => it.ws_port(),
            Server::Ejabberd(it) => it.ws_port(),
        }
    }

    /// The endpoint with TLS, under the name `localhost`.
    pub fn wss_endpoint(&self) -> String {
        match self {
            Server::Prosody(it) => it.wss_endpoint_for("localhost"),
            Server::Ejabberd(it) => it.wss_endpoint_for("localhost"),
        }
    }

    /// The port with TLS.
    pub fn wss_port(&self) -> u16 {
        match self {
            Server::Prosody(it) => it.wss_port(),
            Server::Ejabberd(it) => it.wss_port(),
        }
    }

    /// The port of XMPP over TCP.
    pub fn c2s_port(&self) -> u16 {
        match self {
            Server::Prosody(it) => it.c2s_port(),
            Server::Ejabberd(it) => it.c2s_port(),
        }
    }

    /// The log file.
    pub fn log(&self) -> PathBuf {
        match self {
            Server::Prosody(it) => it.log(),
            Server::Ejabberd(it) => it.log(),
        }
    }

    /// Starts it again.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&mut self) -> Result<()> {
        Ok(match self {
            Server::Prosody(it) => it.start(),
            Server::Ejabberd(it) => it.start(),
        }?)
    }

    /// Stops it in good order.
    ///
    /// # Errors
    /// When it has to be killed.
    pub fn stop(&mut self) -> Result<()> {
        Ok(match self {
            Server::Prosody(it) => it.stop(),
            Server::Ejabberd(it) => it.stop(),
        }?)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        match self {
            Server::Prosody(it) => it.kill(),
            Server::Ejabberd(it) => it.kill(),
        }
    }

    /// From now on it offers PLAIN and nothing else; takes effect at the next start.
    pub fn degrade_to_plain(&mut self) {
        let without = Plan::new(self.make()).plain_only().without;
        match self {
            Server::Prosody(it) => it.settings_mut().without_mechanisms = without,
            Server::Ejabberd(it) => it.settings_mut().without_mechanisms = without,
        }
    }

    /// Shows another certificate; takes effect at the next start.
    pub fn set_certificate(&mut self, certificate: &Certificate) {
        match self {
            Server::Prosody(it) => it.settings_mut().certificate = Some(certificate.clone()),
            Server::Ejabberd(it) => it.settings_mut().certificate = Some(certificate.clone()),
        }
    }

    /// A fresh account whose user name begins with this.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn person(&self, name: &str) -> Result<Person> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let person = self.nobody(&format!("{name}{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        match self {
            Server::Prosody(it) => it.register(&person.user, &person.password)?,
            Server::Ejabberd(it) => it.register(&person.user, &person.password)?,
        }
        Ok(person)
    }

    /// An address at which there is nobody.
    pub fn nobody(&self, user: &str) -> Person {
        Person {
            user: user.to_owned(),
            address: format!("{user}@localhost"),
            password: format!("{user}'s pass word, 1ä"),
        }
    }

    /// A client of this person at this server, over ws; it does not listen to the system.
    pub fn client(&self, person: &Person) -> ClientBuilder {
        Client::builder(&person.address, &person.password)
            .endpoint(self.ws_endpoint())
            .no_wake()
    }

    /// A running client that is live.
    ///
    /// # Errors
    /// When it does not get there.
    pub fn live(&self, person: &Person) -> Result<Client> {
        let client = self.client(person).start()?;
        client.wait_until_live(SOON)?;
        Ok(client)
    }

    /// Ends this account's connections with a `conflict`-like error, as an administrator does.
    ///
    /// # Errors
    /// When the server does not.
    pub fn kick(&self, person: &Person) -> Result<()> {
        match self {
            Server::Prosody(it) => {
                it.shell(&format!("c2s:close(\"{}\")", person.address))?;
            }
            Server::Ejabberd(it) => {
                it.api("kick_user", &[("user", &person.user), ("host", "localhost")])?;
            }
        }
        Ok(())
    }
}

/// A server that the tests of one file share while any of them runs.
#[derive(Debug)]
pub struct Shared(Mutex<Weak<Server>>);

impl Shared {
    /// Nothing runs yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The server; started by the first who asks, gone after the last who used it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn get(&self, plan: Plan) -> Result<Arc<Server>> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(plan.start()?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new()
    }
}

/// The two become each other's contacts, as people do it: one asks, the other accepts, and likewise back.
///
/// # Errors
/// When a step does not come.
pub fn befriend(one: &mut Client, other: &mut Client) -> Result<()> {
    let (first, second) = (one.address().to_owned(), other.address().to_owned());
    one.send_command(&json!({"command": "add", "address": second}))?;
    for (asked, asking) in [(&mut *other, &first), (&mut *one, &second)] {
        asked.wait_for(&format!("a request from {asking}"), SOON, |event| {
            event.kind() == "request" && event.text("from") == asking
        })?;
        asked.send_command(&json!({"command": "accept", "address": asking}))?;
    }
    for (client, contact) in [(one, &second), (other, &first)] {
        client
            .wait(Mark::START, &format!("{contact} as a contact"), SOON, |events| {
                let of = |event: &&crate::event::Event| {
                    event.kind() == "contact" && event.text("address") == contact
                };
                let last = events.iter().rev().find(of)?;
                (last.text("subscription") == "both").then_some(())
            })
            .context("while becoming contacts")?;
    }
    Ok(())
}

/// Runs the scenarios of these names, each a function of a [`Make`], as a test with Prosody and one with ejabberd.
#[macro_export]
macro_rules! with_both_servers {
    ($($name:ident),+ $(,)?) => {
        mod prosody {
            $(#[test] fn $name() { $crate::server::passes(super::$name($crate::server::Make::Prosody)); })+
        }
        mod ejabberd {
            $(#[test] fn $name() { $crate::server::passes(super::$name($crate::server::Make::Ejabberd)); })+
        }
    };
}

/// A scenario that could not go on fails its test, with its sentences.
#[track_caller]
#[allow(clippy::panic, reason = "it is how a test fails")]
pub fn passes(outcome: Result<()>) {
    if let Err(error) = outcome {
        panic!("{error:#}");
    }
}

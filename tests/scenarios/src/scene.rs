//! A laptop behind the lab's relay; on the far side Prosody and a friend who is always there.
//!
//! Both sides are the shipped program. They speak wss (plain ws is for loopback only) under an authority that
//! `SSL_CERT_FILE` makes them trust, and have each other as contacts. Only the laptop's packets cross the relay;
//! only its clocks are held.

use crate::client::{Client, ClientBuilder};
use crate::{Result, program};
use anyhow::{Context, bail};
use dormouse_scripts::checker::{Expected, check_order};
use dormouse_servers::{Authority, MockLogind, Place, Prosody};
use dormouse_sleep_lab::{Flow, Lab};
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

/// The laptop's account.
pub const LAPTOP: &str = "alice@localhost";
/// The friend's account.
pub const FRIEND: &str = "bob@localhost";

const PASSWORD: &str = "correct horse";
/// How long a first sign-in may take on a busy machine.
const SIGN_IN: Duration = Duration::from_secs(40);
/// As long as logind waits by default.
const INHIBITOR_DELAY: Duration = Duration::from_secs(5);
/// How long after the last message a second copy of one may still turn up.
const SECOND_COPIES: Duration = Duration::from_secs(2);
/// A pause of fifteen seconds is quiet; then a query, on a busy machine.
const QUIET_MOMENT: Duration = Duration::from_secs(35);
/// A system bus on which nobody answers.
const NO_BUS: &str = "unix:path=/nonexistent/dormouse-no-bus";

/// A laptop, a friend, a server, and the network between them.
pub struct Scene {
    // Dropped in this order: programs before servers, all before the lab.
    /// In the client's namespace, behind the relay.
    pub laptop: Client,
    /// In the server's namespace, beside the server.
    pub friend: Client,
    /// Their server.
    pub server: Prosody,
    /// The laptop's logind, if it has one.
    pub logind: Option<MockLogind>,
    /// The namespaces and the relay.
    pub lab: Lab,
    /// What has been typed so far.
    pub said: Said,
    _authority: Authority,
}

/// What has been typed so far by each side, in order.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// By the laptop.
    pub laptop: Vec<String>,
    /// By the friend.
    pub friend: Vec<String>,
}

impl Scene {
    /// Sets it up: both live, one message exchanged in each direction.
    ///
    /// # Errors
    /// When anything of it does not start.
    pub fn new(lab: Lab, with_logind: bool) -> Result<Self> {
        Self::with_laptop(lab, with_logind, Authority::new()?, |laptop| laptop)
    }

    /// The same with a laptop of its own kind, and an authority that is known before.
    ///
    /// # Errors
    /// As [`Scene::new`].
    pub fn with_laptop(
        lab: Lab,
        with_logind: bool,
        authority: Authority,
        own_kind: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self> {
        let address = IpAddr::V4(lab.server_address());
        let certificate = authority.issue(&[&address.to_string()])?;
        let server = Prosody::builder()
            .accounts([("alice", PASSWORD), ("bob", PASSWORD)])
            .shared_contacts([(LAPTOP, "Alice"), (FRIEND, "Bob")])
            .tls(&certificate)
            .place(Place::namespace(lab.server_ns(), address))
            .start()?;
        let logind = with_logind.then(MockLogind::start).transpose()?;
        let bus = logind.as_ref().map_or(NO_BUS, MockLogind::address);
        let client = |account, command, bus: &str| {
            Client::builder(account, PASSWORD)
                .endpoint(server.wss_endpoint())
                .command(command)
                .env("SSL_CERT_FILE", authority.file())
                .env("DBUS_SYSTEM_BUS_ADDRESS", bus)
        };
        let laptop = client(LAPTOP, lab.client_command(program::cli()?)?, bus);
        let laptop = own_kind(laptop).start()?;
        let friend = client(FRIEND, lab.server_command(program::cli()?)?, NO_BUS).start()?;
        let mut scene = Self {
            laptop,
            friend,
            server,
            logind,
            lab,
            said: Said::default(),
            _authority: authority,
        };
        scene.laptop.wait_until_live(SIGN_IN)?;
        scene.friend.wait_until_live(SIGN_IN)?;
        scene.laptop_types("the laptop's first")?;
        scene.friend_types("the friend's first")?;
        scene
            .laptop
            .wait_until_received(&scene.said.friend.clone(), SIGN_IN)?;
        scene
            .laptop
            .wait_until_sent(&scene.said.laptop.clone(), &["delivered"], SIGN_IN)?;
        Ok(scene)
    }

    /// The laptop's user types a text.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn laptop_types(&mut self, body: &str) -> Result<()> {
        self.said.laptop.push(body.to_owned());
        self.laptop.send(FRIEND, body)
    }

    /// The friend types a text.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn friend_types(&mut self, body: &str) -> Result<()> {
        self.said.friend.push(body.to_owned());
        self.friend.send(LAPTOP, body)
    }

    /// logind says that the machine will sleep, and the laptop lets go of its delay lock in time.
    ///
    /// # Errors
    /// When it holds none, or does not let go.
    pub fn announce_sleep(&self) -> Result<()> {
        let logind = self.logind.as_ref().context("this laptop has no logind")?;
        self.wait_for_lock(true, Duration::from_secs(10))
            .context("before the sleep")?;
        logind.prepare_for_sleep(true)?;
        self.wait_for_lock(false, INHIBITOR_DELAY)
            .context("after PrepareForSleep")
    }

    /// logind says that the machine is awake.
    ///
    /// # Errors
    /// When the bus fails.
    pub fn announce_wake(&self) -> Result<()> {
        let logind = self.logind.as_ref().context("this laptop has no logind")?;
        Ok(logind.prepare_for_sleep(false)?)
    }

    /// Waits until the laptop holds its delay lock against sleep, or doesn't.
    ///
    /// # Errors
    /// When that does not happen within the time.
    pub fn wait_for_lock(&self, held: bool, within: Duration) -> Result<()> {
        let logind = self.logind.as_ref().context("this laptop has no logind")?;
        let start = Instant::now();
        loop {
            let locks = logind.inhibitors()?;
            if locks.iter().any(|lock| lock.what == "sleep") == held {
                return Ok(());
            }
            if start.elapsed() > within {
                let does = if held { "does not take" } else { "does not release" };
                bail!(
                    "the laptop {does} its delay lock within {} s: {locks:?}\n{}",
                    within.as_secs(),
                    self.laptop.dump()
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Both windows hold what both sides typed, each text once and in each side's order, and every own message
    /// is through. Waits for what is still on its way, then a moment more for what comes twice.
    ///
    /// # Errors
    /// Everything that differs.
    pub fn check(&mut self, within: Duration) -> Result<()> {
        let end = Instant::now() + within;
        let left = || end.saturating_duration_since(Instant::now());
        let Said { laptop, friend } = self.said.clone();
        self.laptop.wait_until_received(&friend, left())?;
        self.friend.wait_until_received(&laptop, left())?;
        self.laptop.wait_until_sent(&laptop, &["delivered"], left())?;
        self.friend
            .wait_until_sent(&friend, &["sent", "delivered"], left())?;
        self.laptop.wait_until_live(left())?;
        self.friend.wait_until_live(left())?;
        thread::sleep(SECOND_COPIES);
        let laptops = Expected {
            received: &friend,
            sent: &laptop,
            states: &["delivered"],
        };
        laptops
            .check(&self.laptop.messages(FRIEND)?)
            .with_context(|| format!("in the laptop's window:\n{}", self.laptop.dump()))?;
        let friends = Expected {
            received: &laptop,
            sent: &friend,
            states: &["sent", "delivered"],
        };
        friends
            .check(&self.friend.messages(LAPTOP)?)
            .with_context(|| format!("in the friend's window:\n{}", self.friend.dump()))
    }

    /// The laptop's window shows both directions together in the archive's order, at the latest once a quiet
    /// moment has passed in which it asked the archive.
    ///
    /// # Errors
    /// Where the order differs.
    pub fn check_order(&mut self, order: &[String]) -> Result<()> {
        let start = Instant::now();
        loop {
            match check_order(&self.laptop.messages(FRIEND)?, order) {
                Ok(()) => return Ok(()),
                Err(differences) if start.elapsed() > QUIET_MOMENT => {
                    return Err(differences)
                        .with_context(|| format!("in the laptop's window:\n{}", self.laptop.dump()));
                }
                Err(_) => thread::sleep(Duration::from_millis(500)),
            }
        }
    }

    /// The TCP connections that the laptop has made or tried so far.
    pub fn flows(&self) -> Vec<Flow> {
        self.lab.relay().flows()
    }
}

//! The servers of a run.

use crate::Result;
use crate::plan::End;
use dormouse_scripts::verdict::Losses;
use dormouse_servers::{Cluster, Prosody, Release, Storage};
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Seconds for which a lost session can be resumed: some that are away find theirs, some don't.
const HELD: u32 = 15;

/// The people: user and password.
pub const PEOPLE: [(&str, &str); 3] = [
    ("alice", "correct horse"),
    ("bob", "battery"),
    ("carol", "staple"),
];

/// The address of one of them.
pub fn address(person: usize) -> String {
    let user = PEOPLE.get(person).map_or("nobody", |(user, _)| *user);
    format!("{user}@localhost")
}

/// Everybody: user and password.
pub fn people() -> Vec<(String, String)> {
    PEOPLE
        .map(|(user, password)| (user.to_owned(), password.to_owned()))
        .into()
}

/// Which servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Prosody 0.12: classic sign-in.
    OldProsody,
    /// Prosody 13: SASL2, Bind 2, FAST.
    Prosody,
    /// Two ejabberd 24.12 behind nginx, which forgets idle connections after its default of 60 s.
    Cluster,
    /// The same, after 20 s: sooner than anybody asks whether the link is alive.
    Impatient,
}

impl Kind {
    /// All of them with the names by which they are asked for.
    pub const ALL: [(&'static str, Self); 4] = [
        ("prosody-0.12", Self::OldProsody),
        ("prosody", Self::Prosody),
        ("cluster", Self::Cluster),
        ("impatient", Self::Impatient),
    ];

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| kind)
    }

    /// How many servers there are of which one may be down.
    pub fn servers(self) -> usize {
        match self {
            Self::OldProsody | Self::Prosody => 1,
            Self::Cluster | Self::Impatient => 2,
        }
    }

    /// What the servers may lose by themselves, killed at these times: Mnesia writes later, and a node
    /// takes with it what was on its way to its users.
    pub fn losses(self, kills: &[Duration]) -> Losses {
        let is_cluster = matches!(self, Self::Cluster | Self::Impatient);
        Losses {
            on_the_way: is_cluster,
            unwritten: is_cluster,
            kills: kills.to_vec(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, kind)| kind == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

#[derive(Debug)]
enum Servers {
    Prosody(Box<Prosody>),
    Cluster(Box<Cluster>),
}

/// The servers, running.
#[derive(Debug)]
pub struct Site {
    servers: Servers,
    begun: Instant,
    kills: Vec<Duration>,
}

impl Site {
    /// Starts them, with everybody's account. Times are told from the beginning given.
    ///
    /// # Errors
    /// When they don't start.
    pub fn start(kind: Kind, begun: Instant) -> Result<Self> {
        let prosody = |release| -> Result<Servers> {
            let addresses: Vec<String> = (0..PEOPLE.len()).map(address).collect();
            let contacts = addresses
                .iter()
                .map(|address| (address.as_str(), address.as_str()));
            let builder = Prosody::builder()
                .release(release)
                .storage(Storage::Sqlite)
                .hibernation(HELD)
                .shared_contacts(contacts)
                .accounts(PEOPLE);
            Ok(Servers::Prosody(Box::new(builder.start()?)))
        };
        let servers = match kind {
            Kind::OldProsody => prosody(Release::Bookworm)?,
            Kind::Prosody => prosody(Release::Trixie)?,
            Kind::Cluster | Kind::Impatient => {
                let mut builder = Cluster::builder().resume_timeout(HELD);
                for (user, password) in PEOPLE {
                    builder = builder.account(user, password);
                }
                if kind == Kind::Impatient {
                    builder = builder.idle(20);
                }
                Servers::Cluster(Box::new(builder.start()?))
            }
        };
        Ok(Self {
            servers,
            begun,
            kills: Vec::new(),
        })
    }

    /// Where clients connect to: a port of 127.0.0.1 that speaks ws.
    pub fn port(&self) -> u16 {
        match &self.servers {
            Servers::Prosody(it) => it.ws_port(),
            Servers::Cluster(it) => it.nginx().ws_port(),
        }
    }

    /// Where the archives are asked: a server itself.
    pub fn archive_port(&self) -> u16 {
        match &self.servers {
            Servers::Prosody(it) => it.ws_port(),
            Servers::Cluster(it) => it.nodes()[0].ws_port(),
        }
    }

    /// A server goes down.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn end(&mut self, server: usize, end: End) -> Result<()> {
        if end == End::Kill {
            self.kills.push(self.begun.elapsed());
        }
        match (&mut self.servers, end) {
            (Servers::Prosody(it), End::Kill) => it.kill(),
            (Servers::Prosody(it), _) => it.stop()?,
            (Servers::Cluster(it), End::Kill) => it.kill(server),
            (Servers::Cluster(it), _) => it.stop(server)?,
        }
        Ok(())
    }

    /// It comes back.
    ///
    /// # Errors
    /// When it does not start.
    pub fn begin(&mut self, server: usize) -> Result<()> {
        match &mut self.servers {
            Servers::Prosody(it) => it.start()?,
            Servers::Cluster(it) => it.start(server)?,
        }
        Ok(())
    }

    /// When servers were killed.
    pub fn kills(&self) -> &[Duration] {
        &self.kills
    }

    /// Their log files.
    pub fn logs(&self) -> Vec<PathBuf> {
        match &self.servers {
            Servers::Prosody(it) => vec![it.log()],
            Servers::Cluster(it) => {
                let mut logs = vec![it.nginx().log()];
                logs.extend(it.nodes().iter().map(|node| node.log()));
                logs
            }
        }
    }
}

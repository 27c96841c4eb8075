//! Draws what a life holds: who lives in it, what they say, what goes wrong and when.

use super::{Act, Event, Sabotage, World};
use crate::checker::{Checker, NOBODY};
use crate::client::Client;
use crate::fault::{Coverage, Fault, Phase};
use crate::network::Network;
use crate::queue::Queue;
use crate::server::{Claim, Kind, MNESIA, Quirks, Server};
use crate::trace::Trace;
use dormouse_account::Command;
use dormouse_model::{BareJid, Random, Tick};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const DOMAIN: &str = "home.example";
const NAMES: [&str; 3] = ["anna", "bela", "cleo"];

/// Who talks to all of them, with a client that is not ours.
const FRIEND: &str = "frida";

/// Everybody to whom anybody in a world may talk.
pub fn everybody() -> Vec<BareJid> {
    let all = NAMES
        .iter()
        .chain([&FRIEND])
        .map(|name| format!("{name}@{DOMAIN}"));
    all.chain([NOBODY.to_owned()])
        .filter_map(|address| BareJid::new(&address).ok())
        .collect()
}

/// Chance as it follows from a seed.
pub(super) fn chance(seed: u64) -> Random {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Random::from_seed(bytes)
}

/// The first so many of those with clients of ours, with their passwords.
pub(super) fn people(count: usize) -> Vec<(BareJid, String)> {
    accounts(NAMES.iter().take(count))
}

fn accounts<'a>(names: impl Iterator<Item = &'a &'a str>) -> Vec<(BareJid, String)> {
    let account = |name: &&str| {
        Some((
            BareJid::new(&format!("{name}@{DOMAIN}")).ok()?,
            format!("secret of {name}"),
        ))
    };
    names.filter_map(account).collect()
}

impl World {
    /// A world in which nothing has happened yet.
    pub(super) fn set(
        clients: Vec<Client>,
        server: Server,
        people: usize,
        random: Random,
        told: bool,
        sabotage: Option<Sabotage>,
    ) -> Self {
        let mut world = Self {
            now: Tick(0),
            queue: Queue::default(),
            next_text: vec![0; clients.len()],
            people,
            friend_said: 0,
            unread: false,
            known: everybody(),
            clients,
            network: Network::default(),
            server,
            checker: Checker::default(),
            trace: Trace::new(told),
            coverage: Coverage::default(),
            sabotage,
            end: Tick(0),
            calm: false,
            tags: BTreeMap::new(),
            heard: None,
            random,
        };
        let quirks = format!("{:?}", world.server.quirks);
        world.note("srv", "is", &quirks);
        world
    }

    /// The world of a seed, before its first moment.
    pub(super) fn plan(seed: u64, told: bool, sabotage: Option<Sabotage>) -> Self {
        let mut random = chance(seed);
        let accounts = 2 + random.below(2) as usize;
        let mut people = people(accounts);
        people.extend(self::accounts([FRIEND].iter()));
        let mut quirks = Quirks::draw(&mut random);
        // From no chance of its own: it changes no life in which no such server is killed.
        if quirks.kind == Kind::Ejabberd && !seed.is_multiple_of(3) {
            quirks.unwritten = MNESIA;
        }
        let mut server = Server::new(quirks, DOMAIN, &people, random.fork());
        server.forges = sabotage == Some(Sabotage::Forgery);
        let mut clients = Vec::new();
        for (account, (address, password)) in people.iter().enumerate().take(accounts) {
            let devices = match random.below(4) {
                0 if account == 0 => 3,
                1 if account == 0 => 2,
                0 => 2,
                _ => 1,
            };
            for device in 0..devices {
                let name = format!("{}{device}", &NAMES[account][..1]);
                let latency = Duration::from_millis([5, 25, 60, 150][random.below(4) as usize]);
                let client = Client::new(name, account, address.clone(), password.clone(), latency);
                clients.push(client);
            }
        }
        let length = [1_200_000, 10_800_000, 32_400_000, 43_200_000][random.below(4) as usize];
        let end = Tick(length / 2 + random.below(length));
        let mut world = Self::set(clients, server, accounts, random, told, sabotage);
        world.end = end;
        for client in 0..world.clients.len() {
            // Some are started late, and find an archive.
            let late = if world.random.below(4) == 0 {
                world.random.below(end.0 / 2)
            } else {
                0
            };
            world.at(Tick(late), Event::Launch { client, life: 0 });
        }
        let bursts = world.draw_talk();
        world.draw_faults(&bursts);
        world.at(end, Event::Calm);
        world
    }

    /// Bursts of talk, with silence between them; the times of their beginnings.
    fn draw_talk(&mut self) -> Vec<Tick> {
        let bursts = 4 + self.random.below(6);
        let mut times = Vec::new();
        for _ in 0..bursts {
            let start = Tick(1 + self.random.below(self.end.0));
            times.push(start);
            let one = self.random.below(self.clients.len() as u64) as usize;
            let account = self.clients[one].account;
            let others = self.people - 1;
            let with = (account + 1 + self.random.below(others as u64) as usize) % self.people;
            let mut at = start;
            for _ in 0..3 + self.random.below(10) {
                at = at + self.some(0, 12_000);
                let (speaker, to) = if self.random.below(2) == 0 {
                    (account, with)
                } else {
                    (with, account)
                };
                let client = self.one_of(speaker);
                // What is typed and not sent, or taken away again. From no chance of its own: it changes no life.
                if at.0.is_multiple_of(3) {
                    let to = self.server.accounts[to].address.clone();
                    let text = "…".repeat(usize::try_from(at.0 % 2).unwrap_or(0));
                    let act = Act::Command(Command::Draft { to, text });
                    self.at(at, Event::User { client, act });
                }
                let act = match self.random.below(18) {
                    14 => Act::Edit,
                    15 if self.random.below(2) == 0 => Act::Edit,
                    15 => Act::Retract,
                    16 if self.random.below(3) == 0 => Act::Type {
                        to: self.server.accounts.len(),
                        repeat: false,
                    },
                    17 if self.random.below(2) == 0 => match self.random.below(2) {
                        0 => Act::Retry,
                        _ => Act::Discard,
                    },
                    0 => Act::Read(to),
                    1 => Act::Visible(self.random.below(2) == 0),
                    2 => Act::Command(Command::RetryNow),
                    3 => Act::Command(Command::Typing {
                        to: self.server.accounts[to].address.clone(),
                        typing: self.random.below(2) == 0,
                    }),
                    kind => Act::Type {
                        to,
                        repeat: kind == 4,
                    },
                };
                self.at(at, Event::User { client, act });
            }
        }
        self.draw_strangers(&times);
        times
    }

    /// What others say who have no client of ours.
    fn draw_strangers(&mut self, bursts: &[Tick]) {
        let hostile = self.random.below(3) == 0;
        for burst in bursts {
            if self.random.below(3) == 0 {
                let to = self.random.below(self.people as u64) as usize;
                let mut at = *burst;
                // Their client counts from one again at every start.
                for number in 1..2 + self.random.below(5) {
                    at = at + self.some(500, 20_000);
                    self.at(at, Event::Friend { to, number });
                }
            }
            if hostile {
                for _ in 0..2 {
                    let at = *burst + self.some(0, 90_000);
                    let account = self.random.below(self.people as u64) as usize;
                    let other =
                        (account + 1 + self.random.below(self.people as u64 - 1) as usize) % self.people;
                    let claim = Claim::ALL[self.random.below(Claim::ALL.len() as u64) as usize];
                    self.at(
                        at,
                        Event::Claimed {
                            account,
                            other,
                            claim,
                        },
                    );
                }
            }
        }
    }

    fn one_of(&mut self, account: usize) -> usize {
        let of: Vec<usize> = (0..self.clients.len())
            .filter(|number| self.clients[*number].account == account)
            .collect();
        of[self.random.below(of.len() as u64) as usize]
    }

    /// Faults: most of them near talk, half of them waiting for a phase of the connection.
    fn draw_faults(&mut self, bursts: &[Tick]) {
        for _ in 0..6 + self.random.below(10) {
            let client = self.random.below(self.clients.len() as u64) as usize;
            let fault = Fault::draw(&mut self.random);
            let mut at = Tick(1 + self.random.below(self.end.0));
            if self.random.below(3) != 0 {
                let burst = bursts[self.random.below(bursts.len() as u64) as usize];
                at = (burst + self.some(0, 60_000)).min(Tick(self.end.0 - 1));
            }
            if self.random.below(2) == 0 {
                let phase = Phase::ALL[self.random.below(Phase::ALL.len() as u64) as usize];
                self.at(at, Event::Arm { client, phase, fault });
            } else {
                self.at(at, Event::Strike { client, fault });
            }
        }
    }
}

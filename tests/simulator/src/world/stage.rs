//! The world as a stage for the scripts that real servers are put through, too (`tests/scripts`).
//!
//! Alice, Bob and Carol are three accounts of the model server, which keeps an archive and manages streams; all else that servers
//! differ in is drawn from the seed. Besides the scripts' verdict, what the world itself looks at along the way and
//! of each program in the end holds here, too.

use super::sleep::FREEZING;
use super::{Event, World, plan};
use crate::checker::NOBODY;
use crate::client::{Client, Ending, Power};
use crate::fault::{AfterSleep, Fault};
use crate::network::{Flow, Way};
use crate::server::stanza::CLIENT;
use crate::server::{Ahead, Kind, MNESIA, Quirks, Server};
use dormouse_account::{Command, Input};
use dormouse_model::{Change, Content, Delivery, Message, MessageId, Tick};
use dormouse_scripts::archive::{Archived, Archives};
use dormouse_scripts::director::{self, Played};
use dormouse_scripts::message::Message as Shown;
use dormouse_scripts::script::{self, Device, End, Network, Person, Script};
use dormouse_scripts::stage::{Deed, Stage, Told, What};
use dormouse_scripts::verdict::Losses;
use dormouse_scripts::{Failed, Result};
use minidom::Element;
use std::time::Duration;

/// Alice, Bob and Carol.
const PEOPLE: usize = 3;
/// As long as nobody wakes, starts or mends it.
const FOR_GOOD: Duration = Duration::from_secs(30 * 24 * 3600);
/// A sleep that a connection survives is shorter than the world's longest.
const SHORT: Duration = Duration::from_secs(899);
/// A program that is told to end, or that the machine will sleep, has done what it has to do within this.
const ORDERLY: Duration = Duration::from_secs(61);

/// What came of a script in a model world.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What was found and seen, or why it could not go on.
    pub played: Result<Played>,
    /// The story's last lines, if wanted.
    pub story: Vec<String>,
}

/// A world, and whose client is whose device.
struct Theatre {
    world: World,
    cast: Vec<Device>,
    kills: Vec<Duration>,
    offline: Vec<usize>,
}

impl World {
    /// Plays a script before a server of this kind, whose other habits and everything else by chance follow from the seed.
    pub fn play(script: &Script, kind: Kind, seed: u64, told: bool) -> Scene {
        let mut theatre = Theatre::new(script, kind, seed, told);
        let played = director::play(script, &mut theatre).map(|mut played| {
            played.verdict.findings.extend(theatre.last_look());
            played
        });
        Scene {
            played,
            story: theatre.world.trace.lines().map(str::to_owned).collect(),
        }
    }
}

impl Theatre {
    fn new(script: &Script, kind: Kind, seed: u64, told: bool) -> Self {
        let mut random = plan::chance(seed);
        let people = plan::people(PEOPLE);
        let quirks = Quirks {
            archive: true,
            management: true,
            unwritten: MNESIA * u32::from(kind == Kind::Ejabberd && random.below(2) == 0),
            // As each of the real ones does: by which session one comes back hangs on it.
            ahead: Ahead::Taken,
            ..Quirks::draw_of(kind, &mut random)
        };
        let mut server = Server::new(quirks, plan::DOMAIN, &people, random.fork());
        server.strangers.insert(Person::Carol as usize);
        let clients = script.cast.iter().filter_map(|device| {
            let account = device.owner() as usize;
            let (address, password) = people.get(account)?.clone();
            let latency = Duration::from_millis([1, 5, 25, 60][random.below(4) as usize]);
            Some(Client::new(
                device.to_string(),
                account,
                address,
                password,
                latency,
            ))
        });
        let clients: Vec<Client> = clients.collect();
        let count = clients.len();
        let mut world = World::set(clients, server, people.len(), random, told, None);
        world.heard = Some(Vec::new());
        for client in 0..count {
            world.launch(client);
        }
        Self {
            world,
            cast: script.cast.to_vec(),
            kills: Vec::new(),
            offline: Vec::new(),
        }
    }

    fn number(&self, device: Device) -> Result<usize> {
        let place = self.cast.iter().position(|it| *it == device);
        place.ok_or_else(|| Failed(format!("there is no {device}")))
    }

    /// Lives on until so much later.
    fn live_until(&mut self, end: Tick) {
        let world = &mut self.world;
        while world.queue.next().is_some_and(|at| at <= end) {
            if let Some((at, event)) = world.queue.take() {
                world.now = at;
                world.happen(event);
            }
        }
        world.now = end;
    }

    /// Until a program stands still or has ended.
    fn until_power(&mut self, number: usize, power: Power) -> Result<()> {
        let end = self.world.now + ORDERLY;
        while self.world.clients[number].power != power {
            if self.world.now > end {
                return Err(Failed(format!("client {number} is not {power:?} in time")));
            }
            self.live_until(self.world.now + Duration::from_millis(10));
        }
        Ok(())
    }

    fn network(&mut self, number: usize, network: Network) {
        let world = &mut self.world;
        let lines = world.network.of_client(number);
        let lost = match network {
            Network::Whole => {
                let was_gone = self.offline.contains(&number);
                self.offline.retain(|it| *it != number);
                world.clients[number].network_down_until = world.now;
                return world.network_back(number, was_gone, false);
            }
            Network::Gone => {
                self.offline.push(number);
                world.clients[number].network_down_until = world.now + FOR_GOOD;
                world.cut_off(number, false);
                let input = Input::Network {
                    up: false,
                    route_lost: true,
                };
                world.feed(number, input);
                return world.watch_truth(number);
            }
            Network::Reset => return lines.into_iter().for_each(|line| world.reset(line)),
            Network::Torn => {
                for line in lines {
                    let frames = 1 + u32::try_from(world.random.below(40)).unwrap_or(0);
                    world.server.tear(line, frames);
                    world.reset(line);
                }
                return;
            }
            Network::Silent => [true, true],
            Network::SilentUp => [true, false],
            Network::SilentDown => [false, true],
        };
        for line in lines {
            for (way, is_lost) in [Way::Up, Way::Down].into_iter().zip(lost) {
                if is_lost {
                    world.network.set(line, way, Flow::Dead);
                }
            }
            world.server_notices_late(line);
        }
        world.watch_truth(number);
    }

    fn sleep(&mut self, number: usize, flow: script::Flow) -> Result<()> {
        let fault = fault(flow, SHORT, Duration::ZERO);
        let world = &mut self.world;
        world.about_to_stop(number, Ending::Sleep(fault));
        world.feed(number, Input::Suspending);
        self.until_power(number, Power::Asleep)?;
        self.live_until(self.world.now + Duration::from_millis(FREEZING));
        if flow == script::Flow::Gone {
            self.noticed(number);
        }
        Ok(())
    }

    fn wake(&mut self, number: usize, flow: script::Flow) {
        let world = &mut self.world;
        let since = world.clients[number].asleep_since;
        // How far the server's retransmissions have backed off: what it says on a connection that lives waits so long.
        let mute = match flow {
            script::Flow::Mute => world.some(5_000, 30_000),
            script::Flow::Alive if world.random.below(2) == 0 => world.some(50, 8_000),
            _ => Duration::ZERO,
        };
        for line in world.network.of_client(number) {
            if let Some(line) = world.network.line(line) {
                line.mute_until = world.now + mute;
            }
        }
        let fault = fault(flow, world.now.since(since), mute);
        world.wake(number, &fault);
    }

    fn noticed(&mut self, number: usize) {
        for line in self.world.network.of_client(number) {
            self.world.server_notices(line);
        }
    }

    /// The message of an account that says this.
    fn find(&self, number: usize, with: Person, body: &str) -> Result<MessageId> {
        let with = self.address(with);
        let view = &self.world.clients[number].view;
        let is_it = |message: &&Message| {
            message.conversation.as_str() == with
                && matches!(&message.content, Content::Text(text) if text == body)
        };
        let found = view.values().find(is_it).map(|message| message.id);
        found.ok_or_else(|| Failed(format!("nothing says “{body}”")))
    }

    fn last_look(&mut self) -> Vec<String> {
        let world = &mut self.world;
        world.end = world.now;
        for number in 0..world.clients.len() {
            world.watch_truth(number);
        }
        for violation in std::mem::take(&mut world.server.violations) {
            world.checker.protocol(violation);
        }
        world
            .checker
            .look_at_programs(&world.clients, &world.server, world.now);
        let findings = world.checker.findings().into_iter();
        findings
            .map(|finding| format!("{} ms, {}: {}", finding.at.0, finding.who, finding.what))
            .collect()
    }
}

impl Stage for Theatre {
    fn now(&self) -> Duration {
        self.world.now.since(Tick(0))
    }

    fn pass(&mut self, time: Duration) -> Result<Vec<Told>> {
        self.live_until(self.world.now + time);
        let heard = self.world.heard.replace(Vec::new()).unwrap_or_default();
        let told = heard.into_iter().filter_map(|(number, at, change)| {
            Some(Told {
                device: *self.cast.get(number)?,
                at: at.since(Tick(0)),
                what: what(change)?,
            })
        });
        Ok(told.collect())
    }

    fn perform(&mut self, deed: &Deed) -> Result<()> {
        match deed {
            Deed::Type(device, to, body) => {
                let number = self.number(*device)?;
                let to = match to {
                    Person::Nobody => self.world.people,
                    person => *person as usize,
                };
                self.world.types(number, to, body.clone());
            }
            Deed::Edit(device, with, before, body) => {
                let number = self.number(*device)?;
                let id = self.find(number, *with, before)?;
                let hand = self.world.hand(number);
                let text = Some(body.clone());
                self.world
                    .checker
                    .amended_anywhere(hand, device.owner() as usize, before, text);
                let body = body.clone();
                self.world
                    .feed(number, Input::Command(Command::Edit { id, body }));
            }
            Deed::Withdraw(device, with, before) => {
                let number = self.number(*device)?;
                let id = self.find(number, *with, before)?;
                let hand = self.world.hand(number);
                self.world
                    .checker
                    .amended_anywhere(hand, device.owner() as usize, before, None);
                self.world.feed(number, Input::Command(Command::Retract(id)));
            }
            Deed::Network(device, network) => {
                let number = self.number(*device)?;
                self.network(number, *network);
            }
            Deed::Sleep(device, flow) => {
                let number = self.number(*device)?;
                self.sleep(number, *flow)?;
            }
            Deed::Wake(device, flow) => {
                let number = self.number(*device)?;
                self.wake(number, *flow);
            }
            Deed::End(device, End::Killed) => {
                let number = self.number(*device)?;
                self.world.kill(number, FOR_GOOD);
            }
            Deed::End(device, End::Quit) => {
                let number = self.number(*device)?;
                self.world.about_to_stop(number, Ending::Quit(FOR_GOOD));
                self.world.feed(number, Input::Command(Command::Quit));
                self.until_power(number, Power::Off)?;
            }
            Deed::Start(device) => {
                let number = self.number(*device)?;
                if self.world.clients[number].power == Power::Off {
                    self.world.launch(number);
                }
            }
            Deed::Noticed(device) => {
                let number = self.number(*device)?;
                self.noticed(number);
            }
            Deed::Server(script::Power::Starts) => self.world.happen(Event::ServerStarts),
            Deed::Server(power) => {
                let is_killed = *power == script::Power::Dies;
                if is_killed {
                    self.kills.push(self.now());
                }
                let said = self.world.server.stop(self.world.now, is_killed, false);
                self.world.say(said);
            }
        }
        Ok(())
    }

    fn window(&mut self, device: Device, with: Person) -> Result<Vec<Shown>> {
        let number = self.number(device)?;
        let with = self.address(with);
        let view = self.world.clients[number].view.values();
        let mut all: Vec<&Message> = view
            .filter(|message| message.conversation.as_str() == with)
            .collect();
        all.sort_by_key(|message| message.place);
        Ok(all.into_iter().map(shown).collect())
    }

    fn archives(&mut self) -> Result<Archives> {
        let archive = |account| {
            let all = self.world.server.archive_of(account);
            all.filter_map(|(_, message)| archived(message)).collect()
        };
        Ok(Archives((0..self.world.people).map(archive).collect()))
    }

    fn address(&self, person: Person) -> String {
        let account = self.world.server.accounts.get(person as usize);
        account.map_or_else(|| NOBODY.to_owned(), |account| account.address.to_string())
    }

    fn hold(&self) -> Duration {
        self.world.server.quirks.hold
    }

    fn losses(&self) -> Losses {
        Losses {
            on_the_way: false,
            unwritten: !self.world.server.quirks.unwritten.is_zero(),
            kills: self.kills.clone(),
        }
    }
}

/// As a life has it.
fn fault(flow: script::Flow, length: Duration, mute: Duration) -> Fault {
    let (length, after) = match flow {
        script::Flow::Alive | script::Flow::Mute => (length, AfterSleep::Mute(mute)),
        script::Flow::Dead => (length, AfterSleep::Dead),
        script::Flow::Gone => (length.max(FOR_GOOD), AfterSleep::Dead),
    };
    Fault::Sleep {
        length,
        announced: true,
        told: Some(Duration::ZERO),
        after,
        network_late: Duration::ZERO,
    }
}

fn what(change: Change) -> Option<What> {
    Some(match change {
        Change::Connection(it) => What::State {
            state: it.state.name().to_owned(),
            reason: it.cause.sentence(),
        },
        Change::Message(message) => {
            let shown = shown(&message);
            What::Message {
                body: shown.body,
                own: shown.own,
                state: shown.state.unwrap_or_default(),
            }
        }
        Change::CatchUp {
            stored, done: true, ..
        } => What::CaughtUp { stored },
        Change::Stored => What::Kept,
        _ => return None,
    })
}

/// As `dormouse-cli` writes it.
fn shown(message: &Message) -> Shown {
    let (kind, body) = match &message.content {
        Content::Text(text) => ("text", text.clone()),
        Content::Retracted => ("retracted", String::new()),
        other => ("unreadable", format!("{other:?}")),
    };
    let state = message.delivery().map(|delivery| match delivery {
        Delivery::Queued => "queued",
        Delivery::Sent => "sent",
        Delivery::Delivered => "delivered",
        Delivery::Read => "read",
        Delivery::Failed(_) => "failed",
    });
    Shown {
        id: message.id.0,
        own: message.delivery().is_some(),
        body,
        kind: kind.to_owned(),
        state: state.map(str::to_owned),
        why: None,
        archive_ids: message
            .names
            .archive
            .iter()
            .map(|id| id.as_str().to_owned())
            .collect(),
    }
}

/// The text that an archive holds, if it is one.
fn archived(message: &Element) -> Option<Archived> {
    let bare = |side: &str| {
        let address = message.attr(side).unwrap_or_default();
        address.split('/').next().unwrap_or_default().to_owned()
    };
    Some(Archived {
        from: bare("from"),
        to: bare("to"),
        body: message.get_child("body", CLIENT)?.text(),
    })
}

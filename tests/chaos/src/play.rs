//! Scripts on real servers: the stage of `dormouse_scripts` on which the shipped program runs behind proxies.
//!
//! Scripts that leave their server alone share one, each with people of its own, and are played beside each other. Two such servers: one
//! holds sessions as long as usual, one only for moments, where a script waits until a session is gone.

use crate::archive;
use crate::device::Device;
use crate::plan;
use crate::plan::{Fault, Way};
use anyhow::Context;
use dormouse_scenarios::event::Event;
use dormouse_scenarios::server::{Make, Person as Account, Plan, Server, befriend};
use dormouse_scripts::archive::Archives;
use dormouse_scripts::director::{self, Played};
use dormouse_scripts::message::Message;
use dormouse_scripts::script::{self, End, Flow, Network, Person, Power, Script};
use dormouse_scripts::stage::{Deed, Stage, Told, What};
use dormouse_scripts::verdict::Losses;
use dormouse_scripts::{Failed, Result};
use dormouse_servers::Release;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Scripts played at a time. They mostly wait.
const AT_ONCE: usize = 8;
/// Seconds for which a lost session is held where scripts wait for its end, and where they don't.
const MOMENTS: u32 = 5;
const USUALLY: u32 = 300;
/// What a killed ejabberd has not written yet: the accounts just made, and who knows whom.
const WRITTEN: Duration = Duration::from_secs(3);
/// For a sign-in on a busy machine.
const SOON: Duration = Duration::from_secs(60);
const PEOPLE: [Person; 3] = [Person::Alice, Person::Bob, Person::Carol];

/// A script, and what came of it.
#[derive(Debug)]
pub struct Scene {
    /// The script.
    pub script: Script,
    /// What was found and seen, or why it could not go on.
    pub played: Result<Played>,
    /// Where everything is that was left behind.
    pub evidence: PathBuf,
}

impl Scene {
    /// All was well: nobody needs what was left behind.
    pub fn forget(&self) {
        let _ = std::fs::remove_dir_all(&self.evidence);
    }
}

/// Plays all these scripts on servers of this make and release.
///
/// # Errors
/// When the servers don't start.
pub fn play_all(make: Make, release: Release, scripts: &[Script]) -> crate::Result<Vec<Scene>> {
    let house = House {
        make,
        release,
        usual: plan(make, release, USUALLY).start()?,
        forgetful: plan(make, release, MOMENTS).start()?,
        evidence: std::env::temp_dir().join(format!("dormouse-scripts-{}", std::process::id())),
    };
    let next = AtomicUsize::new(0);
    let scenes = Mutex::new(Vec::new());
    // Those with a server of their own take longest: first.
    let mut order: Vec<&Script> = scripts.iter().collect();
    order.sort_by_key(|script| !script.ends_the_server());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(order.len()) {
            scope.spawn(|| {
                while let Some(script) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let scene = house.play(script);
                    scenes.lock().unwrap_or_else(PoisonError::into_inner).push(scene);
                }
            });
        }
    });
    let mut scenes = scenes.into_inner().unwrap_or_else(PoisonError::into_inner);
    scenes.sort_by_key(|scene| scripts.iter().position(|script| script.name == scene.script.name));
    Ok(scenes)
}

fn plan(make: Make, release: Release, held: u32) -> Plan {
    Plan::new(make).release(release).holds_sessions(held)
}

/// The servers that scripts share.
struct House {
    make: Make,
    release: Release,
    usual: Server,
    forgetful: Server,
    evidence: PathBuf,
}

impl House {
    fn play(&self, script: &Script) -> Scene {
        let name: String = script
            .name
            .chars()
            .map(|letter| if letter.is_alphanumeric() { letter } else { '-' })
            .collect();
        let evidence = self
            .evidence
            .join(format!("{:?}-{:?}-{name}", self.make, self.release));
        Scene {
            script: script.clone(),
            played: self.play_there(script, &evidence),
            evidence,
        }
    }

    fn play_there(&self, script: &Script, evidence: &Path) -> Result<Played> {
        let (server, held) = if script.ends_the_server() {
            let own = plan(self.make, self.release, USUALLY).start();
            (Ground::Own(Box::new(own.map_err(failed)?)), USUALLY)
        } else if script.outlives_a_session() {
            (Ground::Shared(&self.forgetful), MOMENTS)
        } else {
            (Ground::Shared(&self.usual), USUALLY)
        };
        let mut theatre = Theatre::set(script, server, held, evidence).map_err(failed)?;
        let played = director::play(script, &mut theatre);
        theatre.keep(evidence);
        played
    }
}

/// A server of somebody's own, or one that others use, too.
enum Ground<'a> {
    Own(Box<Server>),
    Shared(&'a Server),
}

impl Ground<'_> {
    fn server(&self) -> &Server {
        match self {
            Ground::Own(server) => server,
            Ground::Shared(server) => server,
        }
    }

    fn own(&mut self) -> Result<&mut Server> {
        match self {
            Ground::Own(server) => Ok(server),
            Ground::Shared(_) => Err(Failed("others use this server".to_owned())),
        }
    }
}

/// A server, people, and their devices.
struct Theatre<'a> {
    // Before the server: programs that lose it at the very end would try for nothing.
    devices: Vec<(script::Device, Device)>,
    people: [Option<Account>; 3],
    ground: Ground<'a>,
    held: u32,
    begun: Instant,
    kills: Vec<Duration>,
}

impl<'a> Theatre<'a> {
    fn set(script: &Script, ground: Ground<'a>, held: u32, evidence: &Path) -> crate::Result<Self> {
        let begun = Instant::now();
        let mut people = [None, None, None];
        for person in script.people() {
            if let Some(place) = people.get_mut(person as usize) {
                *place = Some(ground.server().person(&format!("{person}-"))?);
            }
        }
        if script.ends_the_server() {
            thread::sleep(WRITTEN);
        }
        let port = ground.server().ws_port();
        let mut devices = Vec::new();
        for (number, device) in script.cast.iter().enumerate() {
            let owner = people.get(device.owner() as usize).cloned().flatten();
            let owner = owner.context("nobody's device")?;
            let mut made = Device::new(number, owner, port, evidence)?.that_sleeps()?;
            made.start()?;
            devices.push((*device, made));
        }
        let mut theatre = Self {
            devices,
            people,
            ground,
            held,
            begun,
            kills: Vec::new(),
        };
        theatre.befriend()?;
        if script.ends_the_server() {
            thread::sleep(WRITTEN);
        }
        Ok(theatre)
    }

    /// Alice and Bob become each other's contacts, if both are there.
    fn befriend(&mut self) -> crate::Result<()> {
        let mut both = Vec::new();
        for wanted in [script::Device::Laptop, script::Device::Desk] {
            both.extend(self.devices.iter().position(|(device, _)| *device == wanted));
        }
        let [one, other] = both[..] else { return Ok(()) };
        let [(_, one), (_, other)] = self.devices.get_disjoint_mut([one, other])?;
        let (one, other) = one
            .client()
            .zip(other.client())
            .context("a program does not run")?;
        one.wait_until_live(SOON)?;
        other.wait_until_live(SOON)?;
        befriend(one, other)
    }

    fn device(&mut self, wanted: script::Device) -> Result<&mut Device> {
        let found = self.devices.iter_mut().find(|(device, _)| *device == wanted);
        found
            .map(|(_, device)| device)
            .ok_or_else(|| Failed(format!("there is no {wanted}")))
    }

    /// The message that says this.
    fn find(&mut self, device: script::Device, with: Person, body: &str) -> Result<u64> {
        let window = self.window(device, with)?;
        let found = window.into_iter().find(|message| message.body == body);
        found
            .map(|message| message.id)
            .ok_or_else(|| Failed(format!("nothing says “{body}”")))
    }

    fn command(&mut self, device: script::Device, command: &serde_json::Value) -> Result<()> {
        self.device(device)?.command(command).map_err(failed)
    }

    fn network(&mut self, device: script::Device, network: Network) -> Result<()> {
        let it = self.device(device)?;
        match network {
            Network::Whole => it.mend(),
            Network::Gone => it.fail(Fault::Refuse),
            Network::Silent => it.fail(SILENCE),
            Network::SilentUp => it.fail(SILENCE_UP),
            Network::SilentDown => it.fail(SILENCE_DOWN),
            Network::Reset => it.fail(Fault::Reset),
            Network::Torn => it.fail(Fault::Cut(Way::Up, IN_A_HEAD)),
        }
        match network {
            Network::Whole | Network::Gone => it.tell_of_network(network == Network::Whole).map_err(failed),
            _ => Ok(()),
        }
    }

    /// Puts what may be needed to understand it beside the devices' folders.
    fn keep(&mut self, evidence: &Path) {
        for (_, device) in &mut self.devices {
            device.keep_journal();
        }
        if let Ok(archives) = self.archives() {
            let people = PEOPLE.map(|person| self.address(person));
            let _ = std::fs::write(evidence.join("archives.txt"), archives.dump(&people));
        }
        let _ = std::fs::copy(self.ground.server().log(), evidence.join("server.log"));
    }
}

/// So many bytes are part of the head of any WebSocket frame with a text in it: whoever goes on reading there reads a length
/// and a mask that are none (RFC 6455 section 5.2).
const IN_A_HEAD: usize = 3;
const SILENCE: Fault = Fault::Silence { up: true, down: true };
const SILENCE_UP: Fault = Fault::Silence {
    up: true,
    down: false,
};
const SILENCE_DOWN: Fault = Fault::Silence {
    up: false,
    down: true,
};

impl Stage for Theatre<'_> {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn pass(&mut self, time: Duration) -> Result<Vec<Told>> {
        thread::sleep(time);
        let (begun, now) = (self.begun, self.now());
        let mut all = Vec::new();
        for (device, it) in &mut self.devices {
            let device = *device;
            let wrong = it.listen(|event| {
                let at = event.at.saturating_duration_since(begun);
                all.extend(what(event).map(|what| Told { device, at, what }));
            });
            let wrong = wrong.into_iter().map(What::Wrong);
            all.extend(wrong.map(|what| Told {
                device,
                at: now,
                what,
            }));
        }
        Ok(all)
    }

    fn perform(&mut self, deed: &Deed) -> Result<()> {
        match deed {
            Deed::Type(device, to, body) => {
                let to = self.address(*to);
                self.device(*device)?.types(&to, body).map_err(failed)
            }
            Deed::Edit(device, with, before, body) => {
                let id = self.find(*device, *with, before)?;
                self.command(*device, &json!({"command": "edit", "id": id, "body": body}))
            }
            Deed::Withdraw(device, with, before) => {
                let id = self.find(*device, *with, before)?;
                self.command(*device, &json!({"command": "retract", "id": id}))
            }
            Deed::Network(device, network) => self.network(*device, *network),
            Deed::Sleep(device, flow) => {
                let it = self.device(*device)?;
                it.fall_asleep().map_err(failed)?;
                if *flow == Flow::Gone {
                    it.fail(Fault::ForgetClient);
                }
                Ok(())
            }
            Deed::Wake(device, flow) => {
                let met = match flow {
                    Flow::Alive => None,
                    Flow::Dead | Flow::Gone => Some(SILENCE),
                    Flow::Mute => Some(SILENCE_DOWN),
                };
                self.device(*device)?.wake(met).map_err(failed)
            }
            Deed::End(device, end) => {
                let end = match end {
                    End::Killed => plan::End::Kill,
                    End::Quit => plan::End::Quit,
                };
                self.device(*device)?.end(end);
                Ok(())
            }
            Deed::Start(device) => self.device(*device)?.start().map_err(failed),
            Deed::Noticed(device) => {
                self.device(*device)?.fail(Fault::ForgetClient);
                Ok(())
            }
            Deed::Server(Power::Stops) => self.ground.own()?.stop().map_err(failed),
            Deed::Server(Power::Dies) => {
                self.kills.push(self.begun.elapsed());
                self.ground.own()?.kill();
                Ok(())
            }
            Deed::Server(Power::Starts) => self.ground.own()?.start().map_err(failed),
        }
    }

    fn window(&mut self, device: script::Device, with: Person) -> Result<Vec<Message>> {
        let with = self.address(with);
        self.device(device)?.window(&with).map_err(failed)
    }

    fn archives(&mut self) -> Result<Archives> {
        let port = self.ground.server().ws_port();
        let mut archives = Archives::default();
        for account in &self.people {
            let there = account
                .iter()
                .map(|it| (it.user.clone(), it.password.clone()))
                .collect::<Vec<_>>();
            let read = archive::read(port, &there).map_err(failed)?;
            archives.0.push(read.0.into_iter().next().unwrap_or_default());
        }
        Ok(archives)
    }

    fn address(&self, person: Person) -> String {
        let account = self.people.get(person as usize).and_then(Option::as_ref);
        account.map_or_else(|| format!("{person}@localhost"), |it| it.address.clone())
    }

    fn hold(&self) -> Duration {
        Duration::from_secs(self.held.into())
    }

    fn losses(&self) -> Losses {
        Losses {
            on_the_way: false,
            unwritten: self.ground.server().make() == Make::Ejabberd,
            kills: self.kills.clone(),
        }
    }
}

fn what(event: &Event) -> Option<What> {
    Some(match event.kind() {
        "connection" => What::State {
            state: event.text("state").to_owned(),
            reason: event.text("reason").to_owned(),
        },
        "message" => What::Message {
            body: event.text("body").to_owned(),
            own: event.text("direction") == "out",
            state: event.text("state").to_owned(),
        },
        "catch-up" if event.json["done"] == true => What::CaughtUp {
            stored: event.json["stored"].as_u64().unwrap_or_default(),
        },
        "stored" => What::Kept,
        _ => return None,
    })
}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed(format!("{error:#}"))
}

//! A whole run: everything goes wrong for a while, then comes calm, then it is looked at what is there.

use crate::Result;
use crate::archive;
use crate::device::Device;
use crate::plan::{Cast, Deed, End, Plan};
use crate::site::{Kind, PEOPLE, Site, address, people};
use anyhow::{Context, anyhow};
use dormouse_scenarios::event::Event;
use dormouse_scenarios::server::Person;
use dormouse_scripts::archive::Archives;
use dormouse_scripts::typed::Typed;
use dormouse_scripts::verdict::{Case, Verdict, Window};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Whose each device is: one person has two.
const OWNERS: [usize; 4] = [0, 0, 1, 2];
/// How often the devices are listened to.
const LISTEN: Duration = Duration::from_millis(100);
/// When nothing fails any more everybody is live within this: the longest wait, a dial, a sign-in.
const RECOVERED: Duration = Duration::from_secs(75);
/// For everything to arrive then, the query of a quiet moment included.
const SETTLED: Duration = Duration::from_secs(90);
/// How long after that a second copy may still turn up.
const SECOND_COPIES: Duration = Duration::from_secs(3);
/// Enough for two idle connections to die where idleness kills after 20 s; the queries of a quiet moment begin it anew.
const LESSON: Duration = Duration::from_secs(100);
/// After that nobody loses a connection for as long as this.
const STILL: Duration = Duration::from_secs(65);

/// What is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Chaos {
    /// On which servers.
    pub kind: Kind,
    /// How long everything goes wrong; calm and verdict come on top.
    pub length: Duration,
    /// What the plan follows from.
    pub seed: u64,
}

/// What a run was like, and what was found.
#[derive(Debug)]
pub struct Report {
    chaos: Chaos,
    typed: usize,
    promised: usize,
    faults: BTreeMap<String, u32>,
    dials: u32,
    recovered: Duration,
    /// What was found.
    pub verdict: Verdict,
    /// Where everything is that was left behind, if something was found.
    pub evidence: Option<PathBuf>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}, seed {}, {} s: {} texts typed, {} promised; {} connections; everybody live {:.1} s after the last fault",
            self.chaos.kind,
            self.chaos.seed,
            self.chaos.length.as_secs(),
            self.typed,
            self.promised,
            self.dials,
            self.recovered.as_secs_f64()
        )?;
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        writeln!(f, "{}", faults.join(", "))?;
        writeln!(f, "lost by the servers themselves: {}", self.verdict.losses.len())?;
        for loss in &self.verdict.losses {
            writeln!(f, "  {loss}")?;
        }
        writeln!(f, "found: {}", self.verdict.findings.len())?;
        for finding in &self.verdict.findings {
            writeln!(f, "  {finding}")?;
        }
        if let Some(evidence) = &self.evidence {
            writeln!(
                f,
                "Plan, deeds, events, journals and logs are in {}.",
                evidence.display()
            )?;
        }
        Ok(())
    }
}

impl Chaos {
    /// Runs it.
    ///
    /// # Errors
    /// When it can't be brought to its end.
    pub fn run(self) -> Result<Report> {
        let evidence = std::env::temp_dir().join(format!("dormouse-chaos-{}-{}", self.kind, self.seed));
        // What an earlier run of the same seed left.
        let _ = std::fs::remove_dir_all(&evidence);
        std::fs::create_dir_all(&evidence)?;
        let mut run = Run::new(self, &evidence)?;
        let outcome = run.live();
        let found = outcome
            .as_ref()
            .map_or(true, |report| !report.verdict.findings.is_empty());
        if found {
            run.keep(&evidence);
        }
        drop(run);
        if found {
            let mut report = outcome.with_context(|| format!("{self:?}; see {}", evidence.display()))?;
            let _ = std::fs::write(evidence.join("report.txt"), report.to_string());
            report.evidence = Some(evidence);
            return Ok(report);
        }
        std::fs::remove_dir_all(&evidence)?;
        outcome
    }
}

struct Run {
    chaos: Chaos,
    // Before the servers: programs that lose their server at the very end would try for nothing.
    devices: Vec<Device>,
    servers: Option<Keeper>,
    site: Option<Site>,
    typed: Typed,
    faults: BTreeMap<String, u32>,
    findings: Vec<String>,
    deeds: File,
    start: Instant,
    archives: Option<Archives>,
}

/// The servers go down and come back on a thread of their own: it takes seconds, and everything else goes on.
struct Keeper {
    orders: Sender<(usize, Option<End>)>,
    thread: JoinHandle<Result<Site>>,
}

impl Keeper {
    fn new(mut site: Site) -> Self {
        let (orders, received) = channel();
        let thread = thread::spawn(move || {
            for (server, order) in received {
                match order {
                    Some(end) => site.end(server, end)?,
                    None => site.begin(server)?,
                }
            }
            Ok(site)
        });
        Self { orders, thread }
    }

    /// When everything ordered is done.
    fn finish(self) -> Result<Site> {
        drop(self.orders);
        self.thread
            .join()
            .map_err(|_| anyhow!("The thread that kept the servers has panicked."))?
    }
}

impl Run {
    fn new(chaos: Chaos, evidence: &Path) -> Result<Self> {
        let start = Instant::now();
        let site = Site::start(chaos.kind, start)?;
        let everybody = everybody();
        let device = |(number, person): (usize, &usize)| {
            let owner = everybody.get(*person).context("nobody's device")?;
            Device::new(number, owner.clone(), site.port(), evidence)
        };
        let devices = OWNERS.iter().enumerate().map(device).collect::<Result<_>>()?;
        Ok(Self {
            chaos,
            devices,
            servers: Some(Keeper::new(site)),
            site: None,
            typed: Typed::default(),
            faults: BTreeMap::new(),
            findings: Vec::new(),
            deeds: File::create(evidence.join("deeds.txt"))?,
            start,
            archives: None,
        })
    }

    fn live(&mut self) -> Result<Report> {
        for device in &mut self.devices {
            device.start()?;
        }
        self.until_all_live(RECOVERED).context("at the very start")?;
        let cast = Cast {
            owners: OWNERS.to_vec(),
            people: PEOPLE.len(),
            servers: self.chaos.kind.servers(),
        };
        let plan = Plan::new(self.chaos.seed, self.chaos.length, &cast);
        let begun = Instant::now();
        for (at, deed) in &plan.deeds {
            self.listen_until(begun + *at);
            self.perform(*deed)?;
        }
        self.note("calm");
        let servers = self.servers.take().context("no servers")?;
        let site = self.site.insert(servers.finish()?);
        let kills = site.kills().len();
        let calm = Instant::now();
        for device in &mut self.devices {
            device.mend();
            device.start()?;
        }
        let live = self.until_all_live(RECOVERED);
        let recovered = calm.elapsed();
        if let Err(error) = live {
            self.findings.push(format!("{error:#}"));
        }
        let mut verdict = self.verdict()?;
        if self.chaos.kind == Kind::Impatient {
            self.silence();
        }
        verdict.findings.extend(self.findings.iter().cloned());
        self.faults.insert("server killed".to_owned(), kills as u32);
        let texts = self.typed.texts();
        Ok(Report {
            chaos: self.chaos,
            typed: texts.len(),
            promised: texts.iter().filter(|text| text.promised).count(),
            faults: self.faults.clone(),
            dials: self.devices.iter().map(Device::dials).sum(),
            recovered,
            verdict,
            evidence: None,
        })
    }

    /// What is found once everything has arrived, and a moment later.
    fn verdict(&mut self) -> Result<Verdict> {
        self.typed.nothing_ends();
        let start = Instant::now();
        let mut settled = false;
        loop {
            self.listen();
            let site = self.site.as_ref().context("no servers")?;
            let archives = archive::read(site.archive_port(), &people())?;
            let losses = self.chaos.kind.losses(site.kills());
            let windows = windows(&mut self.devices)?;
            let case = Case {
                people: &addresses(),
                typed: &self.typed,
                archives: &archives,
                losses: &losses,
            };
            let verdict = case.judge(windows);
            self.archives = Some(archives);
            let is_over = start.elapsed() > SETTLED;
            if is_over || (verdict.findings.is_empty() && settled) {
                return Ok(verdict);
            }
            settled = verdict.findings.is_empty();
            self.listen_until(Instant::now() + SECOND_COPIES);
        }
    }

    /// Whoever has learnt that silence kills connections here loses none any more.
    fn silence(&mut self) {
        self.note("a lesson in silence");
        self.listen_until(Instant::now() + LESSON);
        let before: Vec<u32> = self.devices.iter().map(Device::losses).collect();
        self.note("silence");
        self.listen_until(Instant::now() + STILL);
        for (number, (device, before)) in self.devices.iter().zip(before).enumerate() {
            if device.losses() > before {
                self.findings.push(format!(
                    "Device {number} lost its connection {} times in {} s of silence.",
                    device.losses() - before,
                    STILL.as_secs()
                ));
            }
        }
    }

    fn perform(&mut self, deed: Deed) -> Result<()> {
        self.note(&format!("{deed:?}"));
        match deed {
            Deed::Type { device, to } => {
                let from = OWNERS.get(device).copied().unwrap_or_default();
                let (number, at) = (self.typed.texts().len() + 1, self.start.elapsed());
                if let Some(it) = self.devices.get_mut(device).filter(|it| it.runs()) {
                    let body = format!("text {number} from {from} (device {device}) to {to}");
                    self.typed.text(device, from, to, &body, at);
                    // A program that ended by itself is found when it is listened to.
                    let _ = it.types(&address(to), &body);
                }
            }
            Deed::Break(device, fault) => {
                let name = format!("{fault:?}");
                let name = name.split('(').next().unwrap_or_default();
                self.count(name);
                if let Some(device) = self.devices.get(device) {
                    device.fail(fault);
                }
            }
            Deed::Mend(device) => {
                if let Some(device) = self.devices.get(device) {
                    device.mend();
                }
            }
            Deed::EndClient(device, end) => {
                self.count(&format!("client {end:?}"));
                self.listen();
                if let Some(end) = self.devices.get_mut(device).and_then(|it| it.end(end)) {
                    self.typed.ends(device, end != End::Kill);
                }
            }
            Deed::StartClient(device) => {
                if let Some(device) = self.devices.get_mut(device)
                    && let Err(error) = device.start()
                {
                    self.findings.push(format!("{error:#}"));
                }
            }
            Deed::EndServer(server, end) => {
                self.count(&format!("server {end:?}"));
                self.order(server, Some(end))?;
            }
            Deed::StartServer(server) => self.order(server, None)?,
        }
        Ok(())
    }

    fn order(&mut self, server: usize, order: Option<End>) -> Result<()> {
        let servers = self.servers.as_ref().context("no servers")?;
        if servers.orders.send((server, order)).is_ok() {
            return Ok(());
        }
        // It has ended with an error, which says more.
        let servers = self.servers.take().context("no servers")?;
        servers.finish().map(drop)
    }

    fn count(&mut self, name: &str) {
        *self.faults.entry(name.to_owned()).or_default() += 1;
    }

    fn note(&mut self, what: &str) {
        // Evidence, not judgement.
        let _ = writeln!(self.deeds, "{:9.3} {what}", self.start.elapsed().as_secs_f64());
    }

    fn listen(&mut self) {
        let (typed, start) = (&mut self.typed, self.start);
        for (number, device) in self.devices.iter_mut().enumerate() {
            let told =
                |event: &Event| take_note(typed, number, event, event.at.saturating_duration_since(start));
            self.findings.extend(device.listen(told));
        }
    }

    fn listen_until(&mut self, end: Instant) {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.listen();
            thread::sleep(left.min(LISTEN));
        }
    }

    fn until_all_live(&mut self, within: Duration) -> Result<()> {
        let start = Instant::now();
        loop {
            self.listen();
            let others: BTreeSet<String> = self
                .devices
                .iter()
                .enumerate()
                .filter(|(_, device)| !device.is_live())
                .map(|(number, device)| format!("device {number} is {}", device.state()))
                .collect();
            if others.is_empty() {
                return Ok(());
            }
            if start.elapsed() > within {
                let others: Vec<String> = others.into_iter().collect();
                return Err(anyhow!(
                    "Not everybody was live within {} s: {}.",
                    within.as_secs(),
                    others.join(", ")
                ));
            }
            thread::sleep(LISTEN);
        }
    }

    /// Puts what may be needed to understand it beside the devices' folders.
    fn keep(&mut self, evidence: &Path) {
        for device in &mut self.devices {
            device.keep_journal();
        }
        if let Some(archives) = &self.archives {
            let _ = std::fs::write(evidence.join("archives.txt"), archives.dump(&addresses()));
        }
        for (number, log) in self.site.iter().flat_map(Site::logs).enumerate() {
            let _ = std::fs::copy(log, evidence.join(format!("server-{number}.log")));
        }
    }
}

/// What a device tells of what was typed.
fn take_note(typed: &mut Typed, device: usize, event: &Event, at: Duration) {
    match event.kind() {
        "message" if event.text("direction") == "out" => {
            typed.told(device, event.text("body"), event.text("state"), at);
        }
        "stored" => typed.kept(device),
        _ => {}
    }
}

/// Every conversation of every window.
fn windows(devices: &mut [Device]) -> Result<Vec<Window>> {
    let mut windows = Vec::new();
    for ((device, it), person) in devices.iter_mut().enumerate().zip(OWNERS) {
        for with in (0..PEOPLE.len()).filter(|with| *with != person) {
            windows.push(Window {
                device,
                person,
                with,
                shown: it.window(&address(with))?,
            });
        }
    }
    Ok(windows)
}

fn addresses() -> Vec<String> {
    (0..PEOPLE.len()).map(address).collect()
}

fn everybody() -> Vec<Person> {
    let person = |(user, password): (String, String)| Person {
        address: format!("{user}@localhost"),
        user,
        password,
    };
    people().into_iter().map(person).collect()
}

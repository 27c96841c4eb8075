//! `dormouse-cli swarm`: many real sessions against a server of one's own, for whoever runs it.
//!
//! Each session is the engine as it ships, with a store of its own. They sign in at a bounded rate, write to each other
//! at another, and go on until told to stop; the operator restarts the server meanwhile, or what stands before it. Then
//! the report says how many were connected when, how often was knocked, how long it took until all were back, and
//! whether every text arrived once.

mod course;
mod crowd;
mod open_files;
mod report;
mod session;
mod texts;

use crate::words::{complain, say};
use anyhow::{Context, Result, bail};
use clap::Args;
use course::Course;
use crowd::{Crowd, Pattern};
use report::{Memory, Report};
use session::{Session, Shared};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How often people are told the course on the way, and programs.
const TOLD_EVERY: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(1)];
/// How long all sessions together may take to say good-bye.
const FAREWELL: Duration = Duration::from_secs(30);

/// Whose sessions, and what they do.
#[derive(Args)]
pub struct Plan {
    /// How many sessions.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=20_000))]
    accounts: u32,
    /// Their addresses, with {} where the number stands: user{}@example.org.
    #[arg(long)]
    address_pattern: Pattern,
    /// The first number.
    #[arg(long, default_value_t = 1)]
    first: u32,
    /// A file with the passwords: a line for each account, or one line for all. Without: standard input.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// The WebSocket endpoint, if it can't be found by itself: wss://…, or ws://… on this computer.
    #[arg(long)]
    endpoint: Option<String>,
    /// The proxy: the system's, none, or this one, http://host:port or socks5://host:port.
    #[arg(long, value_name = "system|none|URL", default_value = "system")]
    proxy: String,
    /// How many sessions are begun in a second.
    #[arg(long, default_value_t = 10.0)]
    ramp: f64,
    /// How many texts all of them write in a second; two a minute each, if not given.
    #[arg(long)]
    rate: Option<f64>,
    /// End after so many seconds. Without: on Ctrl-C.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// How many seconds what is on its way at the end may still take.
    #[arg(long, default_value_t = 60)]
    settle: u64,
    /// Where the sessions keep their stores; in memory (/dev/shm) or a temporary folder, if not given.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Tell the course and the report as JSON lines.
    #[arg(long)]
    json: bool,
}

/// Runs the swarm and reports.
pub async fn swarm(plan: Plan) -> Result<()> {
    for (what, rate) in [("--ramp", Some(plan.ramp)), ("--rate", plan.rate)] {
        if rate.is_some_and(|rate| !(0.01..=10_000.0).contains(&rate)) {
            bail!("{what} is how many in a second: between 0.01 and 10000.");
        }
    }
    let crowd = Crowd::gather(
        &plan.address_pattern,
        plan.first,
        plan.accounts,
        plan.password_file.as_deref(),
    )?;
    open_files::make_room(plan.accounts)?;
    let (folder, _temporary) = folder(plan.data_dir.as_deref())?;
    let before = Memory::now();
    let run = Run {
        shared: Arc::new(Shared::new(plan.accounts)?),
        crowd,
        plan,
        folder,
    };
    let [people, programs] = TOLD_EVERY;
    let mut told = interval(if run.plan.json { programs } else { people });
    told.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut sessions = Vec::new();
    {
        let work = run.live(&mut sessions);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => break done?,
                _ = told.tick() => run.tell(),
            }
        }
    }
    let memory = Memory::now().since(&before);
    let report = run.shared.report(memory);
    if run.plan.json {
        say(&report.json());
    } else {
        say(&report.text());
    }
    let farewell = async {
        let ends: Vec<_> = sessions
            .into_iter()
            .map(|it: Session| tokio::spawn(it.end()))
            .collect();
        for end in ends {
            let _ = end.await;
        }
    };
    if timeout(FAREWELL, farewell).await.is_err() {
        complain("Some sessions did not end in time; their server ends them.");
    }
    Ok(())
}

/// A swarm under way.
struct Run {
    shared: Arc<Shared>,
    crowd: Crowd,
    plan: Plan,
    folder: PathBuf,
}

impl Run {
    /// Begins the sessions, has them write, and waits for what is on its way at the end.
    async fn live(&self, sessions: &mut Vec<Session>) -> Result<()> {
        let until = self
            .plan
            .seconds
            .map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut told_to_stop = std::pin::pin!(async {
            match until {
                Some(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    _ = tokio::signal::ctrl_c() => {}
                },
                None => drop(tokio::signal::ctrl_c().await),
            }
        });
        let mut begin = interval(Duration::from_secs_f64(1.0 / self.plan.ramp));
        begin.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let rate = self.plan.rate.unwrap_or(f64::from(self.plan.accounts) / 30.0);
        let mut write = interval(Duration::from_secs_f64(1.0 / rate));
        write.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                () = &mut told_to_stop => break,
                _ = begin.tick(), if sessions.len() < self.crowd.len() => {
                    sessions.push(self.begin(sessions.len()).await?);
                }
                _ = write.tick() => self.write(sessions),
            }
        }
        // Once more Ctrl-C is for whoever does not want to wait.
        let settled = async {
            while !self.shared.texts().is_settled() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            // What comes twice comes a little later.
            tokio::time::sleep(Duration::from_secs(2)).await;
        };
        tokio::select! {
            _ = timeout(Duration::from_secs(self.plan.settle), settled) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(())
    }

    async fn begin(&self, index: usize) -> Result<Session> {
        let (address, password) = self.crowd.account(index)?;
        let settings = dormouse_engine::Settings {
            folder: dormouse_engine::Folder::within(&self.folder, &address),
            address,
            password: Some(password),
            keyring: false,
            endpoint: self.plan.endpoint.clone(),
            proxy: Some(self.plan.proxy.clone()),
            proxy_login: None,
            watch_system: false,
        };
        let shared = Arc::clone(&self.shared);
        let number = u32::try_from(index)?;
        // Opening a store blocks.
        tokio::task::spawn_blocking(move || Session::begin(number, settings, &shared)).await?
    }

    /// The next text, from one of those that have been connected to another.
    fn write(&self, sessions: &[Session]) {
        let Some((from, to)) = self.shared.next_pair() else {
            return;
        };
        let (Some(sender), Some(addressee)) = (sessions.get(from as usize), sessions.get(to as usize)) else {
            return;
        };
        let body = self.shared.texts().write(from, to);
        sender.write(addressee.address().clone(), body);
    }

    /// How it is going.
    fn tell(&self) {
        let now = self.shared.now();
        let line = report::course(
            &self.shared.course(),
            &self.shared.texts().fate(None),
            now,
            self.crowd.len(),
        );
        if self.plan.json {
            say(&line.json());
        } else {
            complain(&line.text());
        }
    }
}

/// Where the stores are; the folder that goes with the program, unless somebody named one.
fn folder(given: Option<&Path>) -> Result<(PathBuf, Option<TempDir>)> {
    if let Some(given) = given {
        return Ok((given.to_owned(), None));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix("dormouse-swarm-");
    // The disk of this computer is not what is to be tested.
    let folder = match builder.tempdir_in("/dev/shm") {
        Ok(folder) => folder,
        Err(_) => builder
            .tempdir()
            .context("No temporary folder can be made; give one with --data-dir")?,
    };
    Ok((folder.path().to_owned(), Some(folder)))
}

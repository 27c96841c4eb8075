//! Putting a program to sleep as a suspend of its machine would.
//!
//! Asleep, the program is stopped, its network silent, and its clock held: the time slept is added to the
//! shim's file before it goes on. On waking, the wall clock is set (by a nanosecond), since the kernel gives that
//! event after every suspend and programs may listen for it. Two things differ from a laptop. Its kernel goes on running, so its TCP
//! stack may retransmit into the silence; and other programs are not stopped.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::fate::Direction;
use crate::lab::SHIM;
use crate::relay::Relay;
use crate::sys;

/// How long a program may take to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a program was not put to sleep or woken.
#[derive(Debug, thiserror::Error)]
pub enum SleepError {
    /// The program is no longer there.
    #[error("process {0} has ended")]
    Gone(u32),
    /// A thread of it still runs.
    #[error("process {0} did not stop within ten seconds of the signal")]
    Deaf(u32),
    /// The wall clock can't be set.
    #[error("a wake sets the wall clock, which needs CAP_SYS_TIME here: {0}")]
    WallClock(io::Error),
    /// The signal or the clock's file failed.
    #[error("process {pid} cannot be put to sleep or woken: {source}")]
    System {
        /// The process.
        pid: u32,
        /// The system's reason.
        source: io::Error,
    },
}

/// How long a machine has slept altogether, in a file that the shim maps into its programs.
#[derive(Clone)]
pub struct SleepClock {
    file: Arc<NamedTempFile>,
    sleep: Arc<Mutex<Sleep>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sleep {
    slept: Duration,
    uncounted: Duration,
}

/// Whether the sleeping machine itself knows that it slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// A suspend: CLOCK_BOOTTIME goes on, CLOCK_MONOTONIC and the timers stand.
    Yes,
    /// A virtual machine paused by its host: all stand but the wall clock, which somebody puts right. No program
    /// can tell that from its monotonic clocks, and nothing is announced.
    No,
}

impl SleepClock {
    /// The clock of a machine that has not slept yet.
    ///
    /// # Errors
    /// When no temporary file can be made.
    pub fn new() -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix("dormouse-sleep-").tempfile()?;
        let clock = Self {
            file: Arc::new(file),
            sleep: Arc::default(),
        };
        clock.write(Sleep::default())?;
        Ok(clock)
    }

    /// The file for DORMOUSE_SLEEP_FILE.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Sets the environment that makes a program, and whatever it starts, live by this clock.
    pub fn hold(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", SHIM)
            .env("DORMOUSE_SLEEP_FILE", self.path());
    }

    /// The time slept so far, counted or not.
    pub fn slept(&self) -> Duration {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner).slept
    }

    /// Adds a sleep. The machine's programs must be stopped meanwhile: to a running one its clock would
    /// jump backwards.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn add(&self, length: Duration, counted: Counted) -> io::Result<()> {
        let mut sleep = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = Sleep {
            slept: sleep.slept.saturating_add(length),
            ..*sleep
        };
        if counted == Counted::No {
            sum.uncounted = sum.uncounted.saturating_add(length);
        }
        self.write(sum)?;
        *sleep = sum;
        Ok(())
    }

    fn write(&self, sleep: Sleep) -> io::Result<()> {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).map_err(io::Error::other);
        let words = [
            nanoseconds(sleep.slept)?.to_ne_bytes(),
            nanoseconds(sleep.uncounted)?.to_ne_bytes(),
        ];
        let file: &File = self.file.as_file();
        file.write_all_at(words.as_flattened(), 0)
    }
}

/// Stops a process with all its threads, and waits until they stand.
///
/// # Errors
/// When it has ended or does not stop.
pub fn freeze(pid: u32) -> Result<(), SleepError> {
    send(pid, libc::SIGSTOP)?;
    let start = Instant::now();
    loop {
        let states = thread_states(pid).map_err(|_| SleepError::Gone(pid))?;
        if states.is_empty() || states.contains(&'Z') {
            return Err(SleepError::Gone(pid));
        }
        if states.iter().all(|state| *state == 'T') {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(SleepError::Deaf(pid));
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// Lets a stopped process go on.
///
/// # Errors
/// When it has ended.
pub fn thaw(pid: u32) -> Result<(), SleepError> {
    send(pid, libc::SIGCONT)
}

fn send(pid: u32, signal: libc::c_int) -> Result<(), SleepError> {
    sys::signal(pid, signal).map_err(|source| match source.raw_os_error() {
        Some(libc::ESRCH) => SleepError::Gone(pid),
        _ => SleepError::System { pid, source },
    })
}

/// The state letter of each thread, as proc(5) names them.
fn thread_states(pid: u32) -> io::Result<Vec<char>> {
    let mut states = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the two.
        let Ok(stat) = fs::read_to_string(task?.path().join("stat")) else {
            continue;
        };
        // The name before it stands in parentheses and may contain anything.
        states.extend(
            stat.rsplit_once(')')
                .and_then(|(_, rest)| rest.trim_start().chars().next()),
        );
    }
    Ok(states)
}

/// When the network is there again, counted from the wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkReturn {
    /// Already when the program goes on.
    AtOnce,
    /// So long after it.
    Late(Duration),
}

/// A program that can be put to sleep.
pub struct Sleeper {
    pid: u32,
    clock: SleepClock,
    relay: Relay,
}

impl Sleeper {
    pub(crate) fn new(pid: u32, clock: SleepClock, relay: Relay) -> Self {
        Self { pid, clock, relay }
    }

    /// Stops the program and silences its network. In between the network is left as it is: kill or mute
    /// flows through the relay while it sleeps.
    ///
    /// # Errors
    /// When the program has ended or does not stop.
    pub fn suspend(&mut self) -> Result<Asleep<'_>, SleepError> {
        freeze(self.pid)?;
        let since = Instant::now();
        self.relay.silence(Direction::Both);
        Ok(Asleep { sleeper: self, since })
    }
}

/// A program asleep. Dropped without a resume it stays stopped, and ends with the lab.
#[must_use = "a program that is not resumed stays stopped"]
pub struct Asleep<'a> {
    sleeper: &'a mut Sleeper,
    since: Instant,
}

impl Asleep<'_> {
    /// How long it has slept.
    pub fn slept(&self) -> Duration {
        self.since.elapsed()
    }

    /// Wakes the program as after a suspend. Returns how long it slept.
    ///
    /// # Errors
    /// When the program has ended or a clock can't be set.
    pub fn resume(self, network: NetworkReturn) -> Result<Duration, SleepError> {
        self.wake(network, Counted::Yes)
    }

    /// Wakes the program as after a pause of its virtual machine: nothing on this machine tells it that it
    /// slept. Returns how long it did.
    ///
    /// # Errors
    /// As [`Asleep::resume`].
    pub fn resume_uncounted(self, network: NetworkReturn) -> Result<Duration, SleepError> {
        self.wake(network, Counted::No)
    }

    fn wake(self, network: NetworkReturn, counted: Counted) -> Result<Duration, SleepError> {
        let Sleeper { pid, clock, relay } = self.sleeper;
        if counted == Counted::Yes {
            sys::set_wall_clock().map_err(SleepError::WallClock)?;
        }
        match network {
            NetworkReturn::AtOnce => relay.open(),
            NetworkReturn::Late(delay) => relay.open_after(delay),
        }
        let slept = self.since.elapsed();
        clock
            .add(slept, counted)
            .map_err(|source| SleepError::System { pid: *pid, source })?;
        thaw(*pid)?;
        Ok(slept)
    }
}

//! Clocks that know sleep.
//!
//! Every system has a monotonic clock that stops while the machine sleeps and one that goes on. Their
//! difference is the time slept since boot. It grows by nothing else: a program that is stopped, swapped out or
//! throttled sees both clocks advance alike, and setting the wall clock moves neither.
//!
//! | system | counts sleep | stops in sleep |
//! |---|---|---|
//! | Linux | `CLOCK_BOOTTIME` | `CLOCK_MONOTONIC` |
//! | macOS | `CLOCK_MONOTONIC_RAW` (`mach_continuous_time`) | `CLOCK_UPTIME_RAW` (`mach_absolute_time`) |
//! | Windows | `GetTickCount64` | `QueryUnbiasedInterruptTime` |
//!
//! `std::time::Instant` stops in sleep on Linux and macOS and goes on on Windows: keep deadlines on [`Clock::now`].

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The readings this crate decides by. Implemented by [`SystemClock`] and, for tests, by [`ManualClock`].
pub trait Clock: Send + Sync + 'static {
    /// Time since some fixed moment (usually boot), sleep included. Never goes back.
    fn now(&self) -> Duration;

    /// How long the machine has slept in all since that moment; `None` where the system cannot tell.
    /// Exact to a few tens of milliseconds.
    fn slept(&self) -> Option<Duration>;

    /// The wall clock, in milliseconds since the Unix epoch (negative before it).
    fn wall_ms(&self) -> i64;
}

/// The system's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        reading::counting_sleep().unwrap_or_default()
    }

    fn slept(&self) -> Option<Duration> {
        slept_between(reading::stopping_in_sleep, reading::counting_sleep)
    }

    fn wall_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// The difference of two clocks that cannot be read at the same instant. A program stopped between the two readings
/// would see the whole stop as sleep, so the counting clock is read between two readings of the other and only
/// a tight enclosure is believed; the tightest one if there is none.
fn slept_between(
    mut stopping: impl FnMut() -> Option<Duration>,
    mut counting: impl FnMut() -> Option<Duration>,
) -> Option<Duration> {
    const TIGHT: Duration = Duration::from_millis(1);
    const TRIES: usize = 10;
    let mut best: Option<(Duration, Duration)> = None;
    for _ in 0..TRIES {
        let before = stopping()?;
        let counted = counting()?;
        let after = stopping()?;
        let width = after.saturating_sub(before);
        let slept = counted.saturating_sub(after);
        if best.is_none_or(|(tightest, _)| width < tightest) {
            best = Some((width, slept));
        }
        if width <= TIGHT {
            break;
        }
    }
    best.map(|(_, slept)| slept)
}

/// A clock that a test moves by hand. Clones of an `Arc` of it share the time.
#[derive(Debug, Default)]
pub struct ManualClock(Mutex<Hands>);

#[derive(Debug, Default)]
struct Hands {
    now: Duration,
    slept: Duration,
    wall_ms: i64,
}

impl ManualClock {
    /// Time passes while the machine is awake (also what a stopped or throttled program sees).
    pub fn pass(&self, time: Duration) {
        self.turn(|hands| {
            hands.now += time;
            hands.wall_ms += millis(time);
        });
    }

    /// The machine sleeps.
    pub fn sleep(&self, time: Duration) {
        self.turn(|hands| {
            hands.now += time;
            hands.slept += time;
            hands.wall_ms += millis(time);
        });
    }

    /// Somebody sets the wall clock, forward or back.
    pub fn set_wall(&self, by_ms: i64) {
        self.turn(|hands| hands.wall_ms += by_ms);
    }

    fn turn<T>(&self, how: impl FnOnce(&mut Hands) -> T) -> T {
        how(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.turn(|hands| hands.now)
    }

    fn slept(&self) -> Option<Duration> {
        Some(self.turn(|hands| hands.slept))
    }

    fn wall_ms(&self) -> i64 {
        self.turn(|hands| hands.wall_ms)
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod reading {
    use std::time::Duration;

    #[cfg(target_os = "linux")]
    const COUNTING: libc::clockid_t = libc::CLOCK_BOOTTIME;
    #[cfg(target_os = "linux")]
    const STOPPING: libc::clockid_t = libc::CLOCK_MONOTONIC;
    #[cfg(target_os = "macos")]
    const COUNTING: libc::clockid_t = libc::CLOCK_MONOTONIC_RAW;
    #[cfg(target_os = "macos")]
    const STOPPING: libc::clockid_t = libc::CLOCK_UPTIME_RAW;

    pub fn counting_sleep() -> Option<Duration> {
        read(COUNTING)
    }

    pub fn stopping_in_sleep() -> Option<Duration> {
        read(STOPPING)
    }

    /// Through libc's function, not a system call of our own: a test that preloads a library in
    /// front of libc can then make a sleep.
    #[allow(unsafe_code)]
    fn read(clock: libc::clockid_t) -> Option<Duration> {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `time` is a valid timespec that outlives the call; clock_gettime writes to nothing else.
        let failed = unsafe { libc::clock_gettime(clock, &raw mut time) } != 0;
        if failed {
            return None;
        }
        Some(Duration::new(
            u64::try_from(time.tv_sec).ok()?,
            u32::try_from(time.tv_nsec).ok()?,
        ))
    }
}

#[cfg(windows)]
mod reading {
    use std::time::Duration;
    use windows_sys::Win32::System::SystemInformation::GetTickCount64;
    use windows_sys::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime;

    /// Milliseconds since boot, in steps of 10 to 16 ms. (`QueryInterruptTime` is finer, but lives in an API set that
    /// not every system has.)
    #[allow(unsafe_code)]
    pub fn counting_sleep() -> Option<Duration> {
        // SAFETY: the function takes nothing and only returns a number.
        Some(Duration::from_millis(unsafe { GetTickCount64() }))
    }

    /// In units of 100 ns.
    #[allow(unsafe_code)]
    pub fn stopping_in_sleep() -> Option<Duration> {
        let mut time = 0u64;
        // SAFETY: `time` is a valid u64 that outlives the call, which writes to nothing else.
        let worked = unsafe { QueryUnbiasedInterruptTime(&raw mut time) } != 0;
        worked.then(|| Duration::from_micros(time / 10))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod reading {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};

    /// Nothing better is known here: whether this counts sleep is not known either.
    pub fn counting_sleep() -> Option<Duration> {
        static START: OnceLock<Instant> = OnceLock::new();
        Some(START.get_or_init(Instant::now).elapsed())
    }

    pub fn stopping_in_sleep() -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_counts_on_and_an_awake_machine_does_not_sleep() {
        let clock = SystemClock;
        let (now, slept) = (clock.now(), clock.slept().expect("this system tells"));
        std::thread::sleep(Duration::from_millis(30));
        assert!(clock.now() >= now + Duration::from_millis(30));
        let grown = clock.slept().expect("this system tells").saturating_sub(slept);
        assert!(grown < Duration::from_millis(50), "grew by {grown:?}");
        assert!(clock.now() >= slept);
    }

    #[test]
    fn a_program_stopped_between_two_readings_has_not_slept() {
        let ms = Duration::from_millis;
        // First enclosure: stopped for 10 s after the first reading. Second: undisturbed.
        let mut stopping = [ms(1000), ms(11_000), ms(11_000), ms(11_000)].into_iter();
        let mut counting = [ms(16_000), ms(16_000)].into_iter();
        assert_eq!(
            slept_between(|| stopping.next(), || counting.next()),
            Some(ms(5000))
        );
    }

    #[test]
    fn where_a_clock_is_missing_the_time_slept_is_unknown() {
        assert_eq!(slept_between(|| None, || Some(Duration::ZERO)), None);
    }
}

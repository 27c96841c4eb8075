//! The clocks: what has been slept, awake time, and deadlines kept in it.

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use libc::{clockid_t, timespec};

use crate::real;

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MILLISECOND: u64 = 1_000_000;

/// Stands in for the mapping when no file is named: nothing is ever slept.
static NEVER: Sleep = Sleep {
    slept: AtomicU64::new(0),
    uncounted: AtomicU64::new(0),
};
static MAPPING: AtomicPtr<Sleep> = AtomicPtr::new(null_mut());

/// What stands in the file, in nanoseconds.
#[repr(C)]
struct Sleep {
    slept: AtomicU64,
    uncounted: AtomicU64,
}

/// The time slept so far, in nanoseconds.
pub(crate) fn slept() -> u64 {
    sleep().slept.load(Ordering::SeqCst)
}

fn sleep() -> &'static Sleep {
    let mut mapping = MAPPING.load(Ordering::Acquire);
    if mapping.is_null() {
        // Two threads may both map the file: the same page, and the loser's mapping is merely unused.
        mapping = map_sleep_file();
        MAPPING.store(mapping, Ordering::Release);
    }
    // SAFETY: `mapping` is `NEVER` or a page-aligned shared mapping of that size that is never unmapped.
    unsafe { &*mapping }
}

fn map_sleep_file() -> *mut Sleep {
    // SAFETY: a C string in, a C string of the environment (or null) out.
    let path = unsafe { libc::getenv(c"DORMOUSE_SLEEP_FILE".as_ptr()) };
    if path.is_null() {
        return (&raw const NEVER).cast_mut();
    }
    // SAFETY: `path` is a C string.
    let file = unsafe { libc::open(path, libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        give_up();
    }
    // SAFETY: a fresh mapping of an open file at an address of the kernel's choice.
    let mapping = unsafe {
        libc::mmap(
            null_mut(),
            size_of::<Sleep>(),
            libc::PROT_READ,
            libc::MAP_SHARED,
            file,
            0,
        )
    };
    // SAFETY: our own descriptor; the mapping outlives it.
    unsafe { libc::close(file) };
    if mapping == libc::MAP_FAILED {
        give_up();
    }
    mapping.cast()
}

/// A test that believes its clocks are held when they are not would pass for the wrong reason.
fn give_up() -> ! {
    let sentence = c"sleep-shim: the file named by DORMOUSE_SLEEP_FILE cannot be mapped\n";
    // SAFETY: a valid buffer of that length; abort takes nothing.
    unsafe {
        libc::write(2, sentence.as_ptr().cast::<c_void>(), sentence.count_bytes());
        libc::abort()
    }
}

/// Whether a suspend stops this clock.
pub(crate) fn stops_in_sleep(clock: clockid_t) -> bool {
    matches!(
        clock,
        libc::CLOCK_MONOTONIC | libc::CLOCK_MONOTONIC_RAW | libc::CLOCK_MONOTONIC_COARSE
    )
}

/// CLOCK_MONOTONIC without the time slept, in nanoseconds.
pub(crate) fn awake_now() -> u64 {
    let mut now = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a valid place to write to.
    unsafe { clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    nanoseconds(&now).unwrap_or(0)
}

/// `None` if it is no valid length of time (negative, or a second or more of nanoseconds).
pub(crate) fn nanoseconds(time: &timespec) -> Option<u64> {
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let rest = u64::try_from(time.tv_nsec).ok().filter(|rest| *rest < SECOND)?;
    Some(seconds.saturating_mul(SECOND).saturating_add(rest))
}

pub(crate) fn to_timespec(nanoseconds: u64) -> timespec {
    // Both fit: u64::MAX nanoseconds are 18 thousand million seconds.
    timespec {
        tv_sec: (nanoseconds / SECOND) as _,
        tv_nsec: (nanoseconds % SECOND) as _,
    }
}

/// A moment of awake time at which a wait ends.
pub(crate) struct Deadline {
    at: u64,
    slept: u64,
}

impl Deadline {
    /// `length` nanoseconds of awake time from now.
    pub(crate) fn after(length: u64) -> Self {
        let slept = slept();
        Self {
            at: awake_now().saturating_add(length),
            slept,
        }
    }

    /// At this reading of the program's CLOCK_MONOTONIC.
    pub(crate) fn at(at: u64) -> Self {
        Self { at, slept: slept() }
    }

    /// The same moment on the kernel's CLOCK_MONOTONIC, if no further sleep comes.
    pub(crate) fn kernel_time(&self) -> u64 {
        self.at.saturating_add(self.slept)
    }

    pub(crate) fn left(&self) -> u64 {
        self.at.saturating_sub(awake_now())
    }

    /// After the kernel said that the time is over: what is still left of it, because a sleep fell into
    /// the wait. `None`: it is over.
    pub(crate) fn left_after_sleep(&mut self) -> Option<u64> {
        let slept = slept();
        if slept == self.slept {
            return None;
        }
        self.slept = slept;
        Some(self.left()).filter(|left| *left > 0)
    }
}

/// # Safety
/// As the C function: `time` points to a place that may be written.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    let Some(real) = real::CLOCK_GETTIME.get() else {
        return -1;
    };
    let held = match clock {
        clock if stops_in_sleep(clock) => |sleep: &Sleep| sleep.slept.load(Ordering::SeqCst),
        libc::CLOCK_BOOTTIME => |sleep: &Sleep| sleep.uncounted.load(Ordering::SeqCst),
        // SAFETY: the caller's promise, handed on.
        _ => return unsafe { real(clock, time) },
    };
    loop {
        // A stop between reading the clock and reading the time slept would move the clock backwards.
        let before = held(sleep());
        // SAFETY: the caller's promise, handed on.
        let answer = unsafe { real(clock, time) };
        if answer != 0 {
            return answer;
        }
        if held(sleep()) == before {
            // SAFETY: the real function has just written there.
            let read = unsafe { &mut *time };
            *read = to_timespec(nanoseconds(read).unwrap_or(0).saturating_sub(before));
            return 0;
        }
    }
}

//! Timers that are files. The kernel runs them on through a stop, so after each sleep those that are still
//! due in awake time are set again before the program can see that they ran out.

use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use libc::{clockid_t, itimerspec};

use crate::clock::{Deadline, awake_now, nanoseconds, slept, stops_in_sleep, to_timespec};
use crate::real;

/// What is known of one descriptor. Descriptors are small numbers and reused: creating a timer starts
/// its entry afresh, and an entry whose descriptor is no timer any more is forgotten when setting fails.
struct Timer {
    monotonic: AtomicBool,
    /// Awake time of the next expiry, 0 when not set.
    due: AtomicU64,
    /// 0 when it fires once.
    interval: AtomicU64,
}

impl Timer {
    const fn unknown() -> Self {
        Self {
            monotonic: AtomicBool::new(false),
            due: AtomicU64::new(0),
            interval: AtomicU64::new(0),
        }
    }
}

static TIMERS: [Timer; 4096] = [const { Timer::unknown() }; 4096];
/// One above the highest descriptor seen: most programs have no timer at all and scan nothing.
static IN_USE: AtomicU64 = AtomicU64::new(0);
/// The time slept for which all timers are right.
static RIGHT_FOR: AtomicU64 = AtomicU64::new(0);
static AT_IT: AtomicBool = AtomicBool::new(false);

fn timer(file: c_int) -> Option<&'static Timer> {
    TIMERS.get(usize::try_from(file).ok()?)
}

/// # Safety
/// None beyond the C function's.
#[unsafe(no_mangle)]
unsafe extern "C" fn timerfd_create(clock: clockid_t, flags: c_int) -> c_int {
    let Some(real) = real::TIMERFD_CREATE.get() else {
        return -1;
    };
    // SAFETY: takes two numbers.
    let file = unsafe { real(clock, flags) };
    if let Some(timer) = timer(file) {
        timer.due.store(0, Ordering::SeqCst);
        timer.monotonic.store(stops_in_sleep(clock), Ordering::SeqCst);
        IN_USE.fetch_max(u64::from(file.unsigned_abs()) + 1, Ordering::SeqCst);
    }
    file
}

/// # Safety
/// As the C function: `new` can be read, `old` is null or can be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn timerfd_settime(
    file: c_int,
    flags: c_int,
    new: *const itimerspec,
    old: *mut itimerspec,
) -> c_int {
    let Some(real) = real::TIMERFD_SETTIME.get() else {
        return -1;
    };
    set_again_after_sleep();
    let known = timer(file).filter(|timer| timer.monotonic.load(Ordering::SeqCst));
    // SAFETY: the caller's promise; null is left to the kernel, which answers EFAULT.
    let (Some(timer), Some(wanted)) = (known, unsafe { new.as_ref() }) else {
        // SAFETY: the caller's promise, handed on.
        return unsafe { real(file, flags, new, old) };
    };
    let (Some(first), Some(interval)) = (nanoseconds(&wanted.it_value), nanoseconds(&wanted.it_interval))
    else {
        // SAFETY: as above.
        return unsafe { real(file, flags, new, old) };
    };
    let absolute = flags & libc::TFD_TIMER_ABSTIME != 0;
    let deadline = if absolute {
        Deadline::at(first)
    } else {
        Deadline::after(first)
    };
    let mut kernel = *wanted;
    if absolute && first != 0 {
        kernel.it_value = to_timespec(deadline.kernel_time());
    }
    // SAFETY: `kernel` can be read; `old` is the caller's promise.
    let answer = unsafe { real(file, flags, &raw const kernel, old) };
    if answer == 0 {
        let due = if first == 0 {
            0
        } else {
            deadline.left().saturating_add(awake_now())
        };
        timer.interval.store(interval, Ordering::SeqCst);
        timer.due.store(due, Ordering::SeqCst);
    }
    answer
}

/// Puts all timers right if there has been a sleep since the last time.
pub(crate) fn set_again_after_sleep() {
    let slept = slept();
    if RIGHT_FOR.load(Ordering::SeqCst) == slept {
        return;
    }
    let errno = real::errno();
    // Another thread that is at it must have finished before this one may look at a timer.
    while AT_IT.swap(true, Ordering::SeqCst) {
        std::thread::yield_now();
    }
    if RIGHT_FOR.load(Ordering::SeqCst) != slept {
        set_again();
        RIGHT_FOR.store(slept, Ordering::SeqCst);
    }
    AT_IT.store(false, Ordering::SeqCst);
    real::set_errno(errno);
}

fn set_again() {
    let Some(real) = real::TIMERFD_SETTIME.get() else {
        return;
    };
    let in_use = usize::try_from(IN_USE.load(Ordering::SeqCst)).unwrap_or(0);
    for (file, timer) in (0..).zip(&TIMERS).take(in_use) {
        let due = timer.due.load(Ordering::SeqCst);
        if due == 0 || !timer.monotonic.load(Ordering::SeqCst) {
            continue;
        }
        let interval = timer.interval.load(Ordering::SeqCst);
        let Some(left) = left(due, interval, awake_now()) else {
            continue;
        };
        let again = itimerspec {
            it_value: to_timespec(left),
            it_interval: to_timespec(interval),
        };
        // SAFETY: `again` can be read; the old setting is not asked for.
        if unsafe { real(file, 0, &raw const again, null_mut()) } != 0 {
            timer.due.store(0, Ordering::SeqCst);
        }
    }
}

/// Nanoseconds to the next expiry; `None` when it fires once and has rightly fired already.
fn left(due: u64, interval: u64, now: u64) -> Option<u64> {
    match (due.checked_sub(now).filter(|left| *left > 0), interval) {
        (Some(left), _) => Some(left),
        (None, 0) => None,
        (None, interval) => Some(interval - (now - due) % interval),
    }
}

//! Waiting for another thread with a timeout: futexes as Rust's std uses them, and condition variables.

use core::ffi::{c_int, c_long};

use libc::{clockid_t, pthread_cond_t, pthread_mutex_t, timespec};

use crate::clock::{Deadline, SECOND, clock_gettime, nanoseconds, stops_in_sleep, to_timespec};
use crate::real;

/// libc's `syscall` is variadic, which stable Rust can call but not define. On the 64-bit Linux ABIs a
/// variadic function takes integer arguments exactly as one with seven declared ones, and reading those
/// that the caller left out yields values that the kernel does not look at.
///
/// # Safety
/// As the system call that `number` names.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    match number {
        // SAFETY: the caller's promise, handed on.
        libc::SYS_futex => unsafe { futex(a, b, c, d, e, f) },
        // SAFETY: the caller's promise, handed on.
        libc::SYS_clock_gettime => unsafe { clock_gettime(a as clockid_t, b as *mut timespec).into() },
        _ => match real::SYSCALL.get() {
            // SAFETY: the caller's promise, handed on.
            Some(real) => unsafe { real(number, a, b, c, d, e, f) },
            None => -1,
        },
    }
}

/// # Safety
/// As futex(2).
unsafe fn futex(
    word: c_long,
    operation: c_long,
    value: c_long,
    time: c_long,
    word2: c_long,
    value3: c_long,
) -> c_long {
    let Some(real) = real::SYSCALL.get() else {
        return -1;
    };
    let wait = |time: c_long| {
        // SAFETY: the caller's promise, handed on; `time` is the caller's or points to ours.
        unsafe { real(libc::SYS_futex, word, operation, value, time, word2, value3) }
    };
    let flags = operation as c_int & (libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    let absolute = match operation as c_int & !flags {
        libc::FUTEX_WAIT => false,
        libc::FUTEX_WAIT_BITSET if flags & libc::FUTEX_CLOCK_REALTIME == 0 => true,
        // Wakes, and waits for a moment of the real-time clock.
        _ => return wait(time),
    };
    // SAFETY: for these two operations the fourth argument is null or a timespec.
    let Some(length) = unsafe { (time as *const timespec).as_ref() }.and_then(nanoseconds) else {
        return wait(time);
    };
    let mut deadline = if absolute {
        Deadline::at(length)
    } else {
        Deadline::after(length)
    };
    let mut left = length;
    loop {
        let time = to_timespec(if absolute { deadline.kernel_time() } else { left });
        let answer = wait((&raw const time) as c_long);
        if answer != -1 || real::errno() != libc::ETIMEDOUT {
            return answer;
        }
        // Waiting again loses no wake: the kernel compares the word with the expected value first.
        match deadline.left_after_sleep() {
            Some(rest) => left = rest,
            None => {
                real::set_errno(libc::ETIMEDOUT);
                return -1;
            }
        }
    }
}

/// Ends a wait that timed out while it was not yet over in awake time. To wait again here could miss
/// a signal given between the two waits; a spurious wake is allowed, and the program then looks at its
/// condition and waits again for the same moment.
fn unless_too_early(answer: c_int, deadline: &mut Deadline) -> c_int {
    if answer == libc::ETIMEDOUT && deadline.left_after_sleep().is_some() {
        0
    } else {
        answer
    }
}

/// The clock is an attribute of the condition variable that can't be asked for. But no machine has been
/// up for thirty years, and no real-time clock stands before 2001.
const EARLIEST_REAL_TIME: u64 = 1_000_000_000 * SECOND;

/// # Safety
/// As the C function: a condition variable and its locked mutex; `time` can be read.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_timedwait(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    time: *const timespec,
) -> c_int {
    let Some(real) = real::COND_TIMEDWAIT.get() else {
        return libc::ENOSYS;
    };
    // SAFETY: the caller's promise.
    match unsafe { time.as_ref() }
        .and_then(nanoseconds)
        .filter(|at| *at < EARLIEST_REAL_TIME)
    {
        Some(at) => {
            let mut deadline = Deadline::at(at);
            let time = to_timespec(deadline.kernel_time());
            // SAFETY: the caller's promise, handed on; `time` is ours.
            unless_too_early(unsafe { real(condition, mutex, &raw const time) }, &mut deadline)
        }
        // SAFETY: the caller's promise, handed on.
        None => unsafe { real(condition, mutex, time) },
    }
}

/// # Safety
/// As the C function: a condition variable and its locked mutex; `time` can be read.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_clockwait(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    time: *const timespec,
) -> c_int {
    let Some(real) = real::COND_CLOCKWAIT.get() else {
        return libc::ENOSYS;
    };
    // SAFETY: the caller's promise.
    match unsafe { time.as_ref() }.and_then(nanoseconds) {
        Some(at) if stops_in_sleep(clock) => {
            let mut deadline = Deadline::at(at);
            let time = to_timespec(deadline.kernel_time());
            // SAFETY: the caller's promise, handed on; `time` is ours.
            unless_too_early(
                unsafe { real(condition, mutex, clock, &raw const time) },
                &mut deadline,
            )
        }
        // SAFETY: the caller's promise, handed on.
        _ => unsafe { real(condition, mutex, clock, time) },
    }
}

//! Sleeping, and waiting for files with a timeout.

use core::ffi::{c_int, c_uint};
use core::ptr::null_mut;

use libc::{clockid_t, epoll_event, nfds_t, pollfd, sigset_t, timespec};

use crate::clock::{Deadline, MILLISECOND, SECOND, nanoseconds, slept, stops_in_sleep, to_timespec};
use crate::{real, timerfd};

/// # Safety
/// As the C function: `request` can be read, `rest` is null or can be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn nanosleep(request: *const timespec, rest: *mut timespec) -> c_int {
    // SAFETY: the caller's promise, handed on. nanosleep(2) measures on CLOCK_MONOTONIC.
    match unsafe { clock_nanosleep(libc::CLOCK_MONOTONIC, 0, request, rest) } {
        0 => 0,
        error => {
            real::set_errno(error);
            -1
        }
    }
}

/// # Safety
/// As the C function: `request` can be read, `rest` is null or can be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    request: *const timespec,
    rest: *mut timespec,
) -> c_int {
    let Some(real) = real::CLOCK_NANOSLEEP.get() else {
        return libc::ENOSYS;
    };
    let absolute = flags & libc::TIMER_ABSTIME != 0;
    // Linux measures a relative sleep on CLOCK_REALTIME with the monotonic clock too.
    let awake = stops_in_sleep(clock) || (clock == libc::CLOCK_REALTIME && !absolute);
    // SAFETY: the caller's promise; null is left to the kernel, which answers EFAULT.
    let length = unsafe { request.as_ref() }.and_then(nanoseconds);
    let (true, Some(length)) = (awake, length) else {
        // SAFETY: the caller's promise, handed on.
        return unsafe { real(clock, flags, request, rest) };
    };
    let mut deadline = if absolute {
        Deadline::at(length)
    } else {
        Deadline::after(length)
    };
    loop {
        let end = to_timespec(deadline.kernel_time());
        // SAFETY: `end` can be read; no remaining time is asked for.
        let answer = unsafe {
            real(
                libc::CLOCK_MONOTONIC,
                libc::TIMER_ABSTIME,
                &raw const end,
                null_mut(),
            )
        };
        if answer != 0 {
            // SAFETY: the caller's promise: null or a place to write to.
            if let (libc::EINTR, false, Some(rest)) = (answer, absolute, unsafe { rest.as_mut() }) {
                *rest = to_timespec(deadline.left());
            }
            return answer;
        }
        if deadline.left_after_sleep().is_none() {
            return 0;
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn sleep(seconds: c_uint) -> c_uint {
    let mut rest = to_timespec(u64::from(seconds) * SECOND);
    let request = rest;
    // SAFETY: both are valid here.
    match unsafe { nanosleep(&raw const request, &raw mut rest) } {
        0 => 0,
        _ => nanoseconds(&rest).map_or(seconds, |left| {
            u32::try_from(left.div_ceil(SECOND)).unwrap_or(seconds)
        }),
    }
}

#[unsafe(no_mangle)]
extern "C" fn usleep(microseconds: c_uint) -> c_int {
    let request = to_timespec(u64::from(microseconds) * 1_000);
    // SAFETY: valid here; no remaining time is asked for.
    unsafe { nanosleep(&raw const request, null_mut()) }
}

/// Runs a wait until it is over in awake time. `wait` takes the nanoseconds that are left, and answers as
/// the C function does (0: the time is over), or `None` to be called again.
fn wait_for(length: u64, mut wait: impl FnMut(u64) -> Option<c_int>) -> c_int {
    let mut deadline = Deadline::after(length);
    let mut left = length;
    loop {
        left = match wait(left) {
            Some(0) => match deadline.left_after_sleep() {
                Some(left) => left,
                None => return 0,
            },
            Some(answer) => return answer,
            None => deadline.left(),
        };
    }
}

/// Runs a wait with a timeout in milliseconds (0: don't wait, negative: for ever).
fn wait_milliseconds(timeout: c_int, mut wait: impl FnMut(c_int) -> Option<c_int>) -> c_int {
    match u64::try_from(timeout) {
        Ok(length) if length > 0 => wait_for(length * MILLISECOND, |left| {
            wait(c_int::try_from(left.div_ceil(MILLISECOND)).unwrap_or(c_int::MAX))
        }),
        _ => loop {
            if let Some(answer) = wait(timeout) {
                return answer;
            }
        },
    }
}

/// Runs a wait with a timeout given as a timespec (null: for ever).
///
/// # Safety
/// `timeout` is null or can be read.
unsafe fn wait_timespec(
    timeout: *const timespec,
    mut wait: impl FnMut(*const timespec) -> Option<c_int>,
) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { timeout.as_ref() }.and_then(nanoseconds) {
        Some(length) if length > 0 => wait_for(length, |left| {
            let timeout = to_timespec(left);
            wait(&raw const timeout)
        }),
        _ => loop {
            if let Some(answer) = wait(timeout) {
                return answer;
            }
        },
    }
}

// A stopped epoll wait always ends with EINTR on SIGCONT and takes no events with it (signal(7)), as it
// does after a suspend: the program waits again by itself, and the timers are put right before that.

/// # Safety
/// As the C function: `events` has room for `room` events.
#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_wait(
    epoll: c_int,
    events: *mut epoll_event,
    room: c_int,
    timeout: c_int,
) -> c_int {
    let Some(real) = real::EPOLL_WAIT.get() else {
        return -1;
    };
    wait_milliseconds(timeout, |timeout| {
        timerfd::set_again_after_sleep();
        // SAFETY: the caller's promise, handed on.
        Some(unsafe { real(epoll, events, room, timeout) })
    })
}

/// # Safety
/// As the C function: `events` has room for `room` events, `mask` is null or can be read.
#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_pwait(
    epoll: c_int,
    events: *mut epoll_event,
    room: c_int,
    timeout: c_int,
    mask: *const sigset_t,
) -> c_int {
    let Some(real) = real::EPOLL_PWAIT.get() else {
        return -1;
    };
    wait_milliseconds(timeout, |timeout| {
        timerfd::set_again_after_sleep();
        // SAFETY: the caller's promise, handed on.
        Some(unsafe { real(epoll, events, room, timeout, mask) })
    })
}

/// # Safety
/// As the C function: `events` has room for `room` events, `timeout` and `mask` are null or can be read.
#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_pwait2(
    epoll: c_int,
    events: *mut epoll_event,
    room: c_int,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> c_int {
    let Some(real) = real::EPOLL_PWAIT2.get() else {
        return -1;
    };
    let wait = |timeout| {
        timerfd::set_again_after_sleep();
        // SAFETY: the caller's promise, handed on; `timeout` is the caller's or ours.
        Some(unsafe { real(epoll, events, room, timeout, mask) })
    };
    // SAFETY: the caller's promise, handed on.
    unsafe { wait_timespec(timeout, wait) }
}

/// Unlike epoll, poll(2) goes on after a stop and may answer with a timerfd that ran out during it. It
/// consumes nothing, so after a sleep it is asked again, with the timers put right.
fn without_late_timers(poll: impl FnOnce() -> c_int) -> Option<c_int> {
    timerfd::set_again_after_sleep();
    let before = slept();
    let answer = poll();
    (answer <= 0 || slept() == before).then_some(answer)
}

/// # Safety
/// As the C function: `files` has `count` entries.
#[unsafe(no_mangle)]
unsafe extern "C" fn poll(files: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int {
    let Some(real) = real::POLL.get() else { return -1 };
    wait_milliseconds(timeout, |timeout| {
        // SAFETY: the caller's promise, handed on.
        without_late_timers(|| unsafe { real(files, count, timeout) })
    })
}

/// # Safety
/// As the C function: `files` has `count` entries, `timeout` and `mask` are null or can be read.
#[unsafe(no_mangle)]
unsafe extern "C" fn ppoll(
    files: *mut pollfd,
    count: nfds_t,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> c_int {
    let Some(real) = real::PPOLL.get() else { return -1 };
    // SAFETY: the caller's promise, handed on; `timeout` is the caller's or ours.
    let wait = |timeout| without_late_timers(|| unsafe { real(files, count, timeout, mask) });
    // SAFETY: the caller's promise, handed on.
    unsafe { wait_timespec(timeout, wait) }
}

//! Makes a SIGSTOP look like a suspend of the machine to the process that is stopped.
//!
//! A suspended Linux machine stops CLOCK_MONOTONIC, and with it every timer; CLOCK_BOOTTIME and
//! CLOCK_REALTIME go on. A stopped process is different: all its clocks go on, and the timers that ran
//! out meanwhile fire at once on SIGCONT, so a recovery measured that way looks far better than on a
//! laptop. This library, preloaded with `LD_PRELOAD`, takes the sleep out again:
//!
//! - the *time slept* (nanoseconds, native-endian `u64` at offset 0) stands in the file named by
//!   `DORMOUSE_SLEEP_FILE`, which is mapped shared. Whoever stops the process adds to it while the
//!   process is stopped, before SIGCONT;
//! - the part of it that *no clock of the machine counts* (the same at offset 8) is what a virtual machine
//!   loses that its host pauses: it is taken out of CLOCK_BOOTTIME too, and the program can't know of it;
//! - *awake time* is CLOCK_MONOTONIC minus the time slept, and it is what the program reads as
//!   CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW and CLOCK_MONOTONIC_COARSE;
//! - every wait keeps its deadline in awake time. When the kernel says that it has run out and a sleep
//!   fell into it, the wait goes on for what is left.
//!
//! Covered: `clock_gettime`, `nanosleep`, `clock_nanosleep`, `sleep`, `usleep`, `epoll_wait`,
//! `epoll_pwait`, `epoll_pwait2`, `poll`, `ppoll`, `timerfd_*`, `pthread_cond_timedwait`,
//! `pthread_cond_clockwait`, and futex waits made through libc's `syscall` (those of Rust's std).
//!
//! Not covered, because they never pass through a symbol of libc or are not used here: system calls
//! made inline (rustix, Go), futex waits inside libc itself, `select`, `setitimer`, `timer_create`,
//! io_uring, a blocking `read` of a timerfd, timers on CLOCK_BOOTTIME, socket timeouts.
//! The kernel's own TCP timers go on as well: data that was unacknowledged when the process was
//! stopped has backed off further than on a laptop.
//!
//! Without `DORMOUSE_SLEEP_FILE` the library changes nothing.

#![cfg(target_os = "linux")]
// Interposing C functions is this crate's whole purpose; every block says why it is sound.
#![allow(unsafe_code)]

mod clock;
mod lock;
mod real;
mod timerfd;
mod wait;

//! Starts one timer of each kind at the same moment and says for each, when it fires, how much time has
//! passed: on the clock that stops in a sleep, and on the one that counts it. For the tests of the shim.
//!
//! `dormouse-sleep-probe MILLISECONDS` prints `started`, then lines `NAME AWAKE_MS BOOT_MS`.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    probe::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod probe {
    // The C interface is what the shim interposes: calling it directly is the point. Each block passes
    // only pointers to locals that live through the call.
    #![allow(unsafe_code)]

    use std::io::{self, Write};
    use std::process::ExitCode;
    use std::ptr::{null, null_mut};
    use std::sync::{Condvar, Mutex, PoisonError, mpsc};
    use std::thread;
    use std::time::{Duration, Instant};

    /// Returns when the time is over.
    type Timer = fn(Duration);

    const TIMERS: &[(&str, Timer)] = &[
        ("tokio_sleep", tokio_sleep),
        ("thread_sleep", thread::sleep),
        ("park_timeout", park),
        ("condvar", condvar),
        ("channel", channel),
        ("clock_nanosleep_absolute", clock_nanosleep_absolute),
        ("usleep", usleep),
        ("poll", poll),
        ("ppoll", ppoll),
        ("epoll_wait", epoll_wait),
        ("epoll_pwait2", epoll_pwait2),
        ("timerfd", |length| timerfd(length, false)),
        ("timerfd_absolute", |length| timerfd(length, true)),
        ("timerfd_in_epoll", timerfd_in_epoll),
        ("monotonic_condition", monotonic_condition),
    ];

    pub(crate) fn main() -> ExitCode {
        let Some(length) = std::env::args()
            .nth(1)
            .and_then(|text| text.parse().ok())
            .map(Duration::from_millis)
        else {
            return ExitCode::FAILURE;
        };
        say("started");
        let start = (Instant::now(), clock(libc::CLOCK_BOOTTIME));
        thread::scope(|scope| {
            for (name, timer) in TIMERS {
                scope.spawn(move || {
                    timer(length);
                    let awake = start.0.elapsed().as_millis();
                    let boot = clock(libc::CLOCK_BOOTTIME).saturating_sub(start.1).as_millis();
                    say(&format!("{name} {awake} {boot}"));
                });
            }
        });
        ExitCode::SUCCESS
    }

    fn say(line: &str) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    fn clock(clock: libc::clockid_t) -> Duration {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        unsafe { libc::clock_gettime(clock, &raw mut time) };
        Duration::new(
            time.tv_sec.unsigned_abs(),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
    }

    fn timespec(time: Duration) -> libc::timespec {
        libc::timespec {
            tv_sec: time.as_secs().cast_signed(),
            tv_nsec: time.subsec_nanos().into(),
        }
    }

    fn milliseconds(time: Duration) -> i32 {
        i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
    }

    /// Repeats what a stop may interrupt, with what is left of the time, as every program does.
    fn until_over(length: Duration, mut wait: impl FnMut(Duration) -> i32) {
        let end = Instant::now() + length;
        let mut left = length;
        while wait(left) < 0 && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted {
            left = end.saturating_duration_since(Instant::now());
        }
    }

    fn tokio_sleep(length: Duration) {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(async { tokio::time::sleep(length).await });
        }
    }

    fn park(length: Duration) {
        let end = Instant::now() + length;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            thread::park_timeout(left);
        }
    }

    fn condvar(length: Duration) {
        let (mutex, condition) = (Mutex::new(()), Condvar::new());
        let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        drop(condition.wait_timeout_while(guard, length, |()| true));
    }

    fn channel(length: Duration) {
        let (_sender, receiver) = mpsc::channel::<()>();
        let _ = receiver.recv_timeout(length);
    }

    fn clock_nanosleep_absolute(length: Duration) {
        let end = timespec(clock(libc::CLOCK_MONOTONIC) + length);
        let sleep = || unsafe {
            libc::clock_nanosleep(
                libc::CLOCK_MONOTONIC,
                libc::TIMER_ABSTIME,
                &raw const end,
                null_mut(),
            )
        };
        while sleep() == libc::EINTR {}
    }

    fn usleep(length: Duration) {
        until_over(length, |left| unsafe {
            libc::usleep(u32::try_from(left.as_micros()).unwrap_or(u32::MAX))
        });
    }

    fn poll(length: Duration) {
        until_over(length, |left| unsafe {
            libc::poll(null_mut(), 0, milliseconds(left))
        });
    }

    fn ppoll(length: Duration) {
        until_over(length, |left| unsafe {
            libc::ppoll(null_mut(), 0, &timespec(left), null())
        });
    }

    fn epoll_wait(length: Duration) {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        let epoll = unsafe { libc::epoll_create1(0) };
        until_over(length, |left| unsafe {
            libc::epoll_wait(epoll, &raw mut event, 1, milliseconds(left))
        });
    }

    fn epoll_pwait2(length: Duration) {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        let epoll = unsafe { libc::epoll_create1(0) };
        until_over(length, |left| unsafe {
            libc::epoll_pwait2(epoll, &raw mut event, 1, &timespec(left), null())
        });
    }

    fn set_timer(length: Duration, absolute: bool) -> i32 {
        let timer = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, 0) };
        let (flags, first) = match absolute {
            true => (libc::TFD_TIMER_ABSTIME, clock(libc::CLOCK_MONOTONIC) + length),
            false => (0, length),
        };
        let setting = libc::itimerspec {
            it_value: timespec(first),
            it_interval: timespec(Duration::ZERO),
        };
        unsafe { libc::timerfd_settime(timer, flags, &raw const setting, null_mut()) };
        timer
    }

    fn timerfd(length: Duration, absolute: bool) {
        let mut file = libc::pollfd {
            fd: set_timer(length, absolute),
            events: libc::POLLIN,
            revents: 0,
        };
        until_over(length, |_| unsafe { libc::poll(&raw mut file, 1, -1) });
    }

    fn timerfd_in_epoll(length: Duration) {
        let timer = set_timer(length, false);
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN.cast_unsigned(),
            u64: 0,
        };
        let epoll = unsafe { libc::epoll_create1(0) };
        unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, timer, &raw mut event) };
        until_over(length, |_| unsafe {
            libc::epoll_wait(epoll, &raw mut event, 1, -1)
        });
    }

    fn monotonic_condition(length: Duration) {
        let mut mutex = libc::PTHREAD_MUTEX_INITIALIZER;
        let mut condition = libc::PTHREAD_COND_INITIALIZER;
        // A condition variable on the monotonic clock, as GLib's.
        let mut attributes: libc::pthread_condattr_t = unsafe { std::mem::zeroed() };
        unsafe {
            libc::pthread_condattr_init(&raw mut attributes);
            libc::pthread_condattr_setclock(&raw mut attributes, libc::CLOCK_MONOTONIC);
            libc::pthread_cond_init(&raw mut condition, &raw const attributes);
            libc::pthread_mutex_lock(&raw mut mutex);
        }
        let end = timespec(clock(libc::CLOCK_MONOTONIC) + length);
        // 0 is a wake for no reason, which a program answers by waiting again.
        while unsafe { libc::pthread_cond_timedwait(&raw mut condition, &raw mut mutex, &raw const end) } == 0
        {
        }
    }
}

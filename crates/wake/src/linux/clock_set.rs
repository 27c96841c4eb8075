//! The kernel's word that the wall clock was set, which it also gives after each sleep.
//!
//! A timer on `CLOCK_REALTIME` with `TFD_TIMER_CANCEL_ON_SET` (timerfd_create(2)) never runs out but is cancelled
//! when that clock changes discontinuously. Resuming from a suspend is such a change. So a sleep without
//! logind, and a clock that is set, are noticed at once and without looking at the clock every few seconds.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// Far enough: the year 2242.
const NEVER_S: i64 = 1 << 33;

#[derive(Debug)]
pub(crate) struct ClockSet(Option<AsyncFd<OwnedFd>>);

impl ClockSet {
    /// Where the timer cannot be had (a sandbox that forbids it), only the ticks are left.
    pub(crate) fn new() -> Self {
        let timer = armed_timer();
        if let Err(error) = &timer {
            tracing::debug!(%error, "no timer tells of clocks that are set");
        }
        Self(timer.ok())
    }

    /// Whether there is such a timer.
    pub(crate) fn tells(&self) -> bool {
        self.0.is_some()
    }

    /// Waits until the clock has been set or the machine has slept. Safe to cancel.
    pub(crate) async fn changed(&mut self) {
        loop {
            let Some(timer) = &self.0 else {
                return std::future::pending().await;
            };
            let Ok(mut ready) = timer.readable().await else {
                self.0 = None;
                continue;
            };
            let mut expirations = [0u8; 8];
            match rustix::io::read(timer.get_ref(), &mut expirations) {
                Err(Errno::AGAIN | Errno::INTR) => ready.clear_ready(),
                Ok(_) | Err(Errno::CANCELED) => {
                    ready.clear_ready();
                    if arm(timer.get_ref()).is_err() {
                        self.0 = None;
                    }
                    return;
                }
                Err(error) => {
                    tracing::debug!(%error, "the timer that tells of clocks being set has failed");
                    self.0 = None;
                }
            }
        }
    }
}

/// `AsyncFd::new` is deprecated because any `AsRawFd` may pass for a descriptor; an `OwnedFd` is one and stays one. Its
/// successor is `unsafe`, for nothing here.
#[allow(deprecated)]
fn armed_timer() -> std::io::Result<AsyncFd<OwnedFd>> {
    let timer = timerfd_create(
        TimerfdClockId::Realtime,
        TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
    )?;
    arm(&timer)?;
    AsyncFd::new(timer)
}

fn arm(timer: &OwnedFd) -> rustix::io::Result<()> {
    let zero = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let never = Itimerspec {
        it_interval: zero,
        it_value: Timespec {
            tv_sec: NEVER_S,
            tv_nsec: 0,
        },
    };
    timerfd_settime(
        timer,
        TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET,
        &never,
    )
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn the_timer_is_armed_and_quiet_while_nobody_sets_the_clock() {
        let mut clock_set = ClockSet::new();
        assert!(clock_set.0.is_some());
        assert!(
            tokio::time::timeout(Duration::from_millis(100), clock_set.changed())
                .await
                .is_err()
        );
        assert!(clock_set.0.is_some());
    }
}

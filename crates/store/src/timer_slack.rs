//! Threads that wait with a limit, and nobody hurries when it is over.
//!
//! sled keeps seven threads for reading and writing; each looks once a second whether it is still wanted, and nothing
//! can tell it otherwise. Of such a wait Linux may say the end late (timer slack, `prctl(2)`): when the processor is awake for
//! something else. What the threads are given to do wakes them as ever, and no other wait of theirs has a limit (sled 0.34.7).
//! On other systems they wake the machine.

/// Runs this. The threads that it starts hear of the end of a wait up to a minute late.
pub(crate) fn unhurried<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{current_timer_slack, set_current_timer_slack};
        use std::num::NonZeroU64;
        const LATE: Option<NonZeroU64> = NonZeroU64::new(60_000_000_000);

        let usual = current_timer_slack().ok().and_then(NonZeroU64::new);
        // Whether the kernel takes it or not: the threads do the same work.
        let _ = set_current_timer_slack(LATE);
        let done = work();
        let _ = set_current_timer_slack(usual);
        done
    }
    #[cfg(not(target_os = "linux"))]
    work()
}

//! The lengths of time and the budgets of the connection policy, in one place.

use std::time::Duration;

/// How patient the link is. [`Settings::default`] is what the app uses; tests may change one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long after the last proof of life the link is asked again, if the path allows it (see
    /// [`crate::IdleInterval`]).
    pub heartbeat: Duration,
    /// How long an answer may take before the link is given up. With `heartbeat` it makes the bound within
    /// which a dead link is noticed: 35 s.
    pub answer: Duration,
    /// How long a session must have been proven alive before its end is treated as a first failure.
    pub lived: Duration,
    /// Backstop for a dial whose own deadlines failed to fire.
    pub dial: Duration,
    /// For the whole sign-in.
    pub sign_in: Duration,
    /// For each silence within the sign-in.
    pub sign_in_silence: Duration,
    /// The window was shown: how fresh proof must be to be taken without asking.
    pub fresh: Duration,
    /// A deadline met later than this shows that the program did not run.
    pub late: Duration,
    /// How long a machine that announced sleep and never told us of waking is believed to sleep.
    pub asleep: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(25),
            answer: Duration::from_secs(10),
            lived: Duration::from_secs(30),
            dial: Duration::from_secs(45),
            sign_in: Duration::from_secs(30),
            sign_in_silence: Duration::from_secs(10),
            fresh: Duration::from_secs(5),
            late: Duration::from_secs(2),
            asleep: Duration::from_secs(120),
        }
    }
}

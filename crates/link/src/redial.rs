//! Dialling, and what follows when a dial or a connection has failed.

use crate::Output;
use crate::link::{Link, State};
use dormouse_model::{Action, Cause, Now, Tick, Verdict};
use std::time::Duration;

/// A conflict, or a plainer second try, that repeats within this is not a new one.
const REPEATED: Duration = Duration::from_secs(60);

impl Link {
    /// Dials, if that may be done now.
    pub(crate) fn connect(&mut self, now: Now, cause: Cause) {
        if !self.network {
            return self.enter(State::Offline { held: None }, Cause::NetworkDown);
        }
        let allowed = self.not_before.filter(|tick| *tick > now.tick);
        let until = allowed.unwrap_or_else(|| self.dials.ready_at(now.tick));
        if until > now.tick || !self.dials.take(now.tick) {
            let cause = allowed.map_or(cause, |_| Cause::Throttled);
            return self.enter(State::Waiting { until }, cause);
        }
        let conn = self.new_conn();
        let attempt = self.backoff.attempt();
        self.say(format!(
            "dialling connection {conn}, attempt {attempt}: {}",
            cause.sentence()
        ));
        self.out.push(Output::Dial { conn, spare: false });
        let state = State::Dialling {
            conn,
            since: now.tick,
            until: now.tick + self.dial_patience(now),
            extended: false,
        };
        self.enter(state, cause);
    }

    /// How long a dial that begins now may take.
    pub(crate) fn dial_patience(&mut self, now: Now) -> Duration {
        let impatient = self.backoff.patience(now, self.path.smoothed());
        impatient.map_or(self.settings.dial, |patience| patience.min(self.settings.dial))
    }

    /// A connection or a dial is over: what its verdict wants.
    pub(crate) fn fail(&mut self, now: Now, verdict: Verdict) {
        let Verdict { action, cause } = verdict;
        self.say(format!("failed ({action:?}): {}", cause.sentence()));
        let repeats = |last: Option<Tick>| last.is_some_and(|last| now.tick.since(last) < REPEATED);
        let wait = match action {
            Action::Retry => self.backoff.ordinary(now, &mut self.random),
            Action::RetryScattered => self.backoff.scattered(&mut self.random),
            Action::RetrySlowly if cause == Cause::Throttled => self.backoff.crowded(&mut self.random),
            Action::RetrySlowly => self.backoff.slow(&mut self.random),
            Action::RetryAfter(wait) => {
                let wait = self.backoff.asked(wait, &mut self.random);
                self.not_before = Some(now.tick + wait);
                wait
            }
            Action::RetryPlainly if repeats(self.plainly) => self.backoff.ordinary(now, &mut self.random),
            Action::RetryPlainly => {
                self.plainly = Some(now.tick);
                return self.connect(now, cause);
            }
            Action::NewResource if repeats(self.conflict) => return self.enter(State::Stopped, cause),
            Action::NewResource => {
                self.conflict = Some(now.tick);
                return self.connect(now, cause);
            }
            Action::Stop => return self.enter(State::Stopped, cause),
        };
        let until = now.tick + wait;
        self.enter(State::Waiting { until }, cause);
    }
}

//! The simulated sleep of the running account, and how it recovers.

use super::App;
use crate::engine::Engine;
use crate::present::now;
use crate::request::Subscription;
use dormouse_diagnosis::check::Said;
use dormouse_model::{Cause, Change, Condition, Recovery, Stamp};
use std::time::Duration;
use tokio::time::timeout;

/// How long the account may take to be live before.
const BEFORE: Duration = Duration::from_secs(30);
/// How long it may take to be live again.
const AFTER: Duration = Duration::from_secs(60);
/// Transitions that may happen until it is.
const CHANGES: usize = 64;

pub(super) async fn sleep(app: &App, length: Duration) -> Said {
    let engine = match app {
        App::Running(engine) => engine,
        App::NotRunning(why) => return Said::NotRun(why.clone()),
    };
    let Some(subscription) = engine.subscribe().await else {
        return Said::Trouble(Cause::StoreFailed);
    };
    let mut watched = Watched::new(subscription);
    if timeout(BEFORE, watched.until(Condition::Live)).await.is_err() {
        return Said::NotLive(watched.cause);
    }
    let Some(slept) = engine.simulate_sleep(length).await else {
        return Said::NotLive(watched.cause);
    };
    let woke = now().stamp;
    // It was live before; what counts is what follows the sleep.
    let back = async {
        watched.until(Condition::Asleep).await;
        watched.until(Condition::Live).await;
    };
    if timeout(AFTER, back).await.is_err() {
        return Said::NotBack {
            seconds: AFTER.as_secs(),
            cause: watched.cause,
        };
    }
    match recovery(engine, woke) {
        Some(recovery) => Said::Recovered {
            slept: slept.as_secs_f64().round() as u64,
            took_ms: recovery.took_ms,
            by: recovery.by,
            messages: recovery.messages,
        },
        None => Said::Trouble(Cause::StoreFailed),
    }
}

/// How the account recovered last, as its history has it. The history's clock may have stood a moment before ours.
fn recovery(engine: &Engine, woke: Stamp) -> Option<Recovery> {
    const MOMENT: i64 = 1_000;
    let history = engine.transitions(CHANGES).ok()?;
    let back = history.iter().rev().find(|it| it.recovery.is_some())?;
    back.recovery.filter(|_| back.at.0 >= woke.0 - MOMENT)
}

/// The connection of an account, watched.
struct Watched {
    changes: Subscription,
    condition: Condition,
    cause: Cause,
}

impl Watched {
    fn new(mut changes: Subscription) -> Self {
        let snapshot = std::mem::take(&mut changes.snapshot);
        let mut watched = Self {
            changes,
            condition: Condition::Stopped,
            cause: Cause::Started,
        };
        snapshot.into_iter().for_each(|change| watched.heed(change));
        watched
    }

    /// Waits until it is that; for ever, if the engine ends before.
    async fn until(&mut self, condition: Condition) {
        while self.condition != condition {
            match self.changes.changes.recv().await {
                Some(change) => self.heed(change),
                None => std::future::pending().await,
            }
        }
    }

    fn heed(&mut self, change: Change) {
        if let Change::Connection(connection) = change {
            self.condition = connection.state.condition();
            self.cause = connection.cause;
        }
    }
}

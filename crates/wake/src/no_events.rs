//! What a system answers whose events nobody has connected yet: that they are missing. The ticks still look at
//! the clocks.

use tokio::sync::mpsc::Sender;

use crate::event::{Event, Source, SourceState};
use crate::watch::SleepSignal;

/// Who asks for what; the same fields on every system.
#[derive(Clone, Debug)]
#[allow(dead_code)]
pub(crate) struct Ask {
    pub(crate) who: String,
    pub(crate) why: String,
    pub(crate) system_bus: Option<String>,
}

fn not_here(what: &str) -> String {
    format!("{what} are not watched on {} yet", std::env::consts::OS)
}

pub(crate) async fn sleep_signals(_: Ask, out: Sender<SleepSignal>) {
    if out
        .send(SleepSignal::Lost(not_here("sleep signals")))
        .await
        .is_ok()
    {
        out.closed().await;
    }
}

pub(crate) async fn network(out: Sender<Event>) {
    let state = SourceState::Missing(not_here("network changes"));
    let _ = out
        .send(Event::Source {
            source: Source::Network,
            state,
        })
        .await;
}

#[derive(Debug)]
pub(crate) struct ClockSet;

impl ClockSet {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) async fn changed(&mut self) {
        std::future::pending().await
    }
}

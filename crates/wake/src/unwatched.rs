//! What nobody has connected: clocks that are set, where the system does not tell by a source of its own, and everything on a
//! system that nobody has looked at yet. The ticks still look at the clocks.

#[cfg(not(any(target_os = "macos", windows)))]
pub(crate) use elsewhere::{CLOCKS, network, signals};

/// Word that the wall clock was set: never.
#[derive(Debug)]
pub(crate) struct ClockSet;

impl ClockSet {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn tells(&self) -> bool {
        false
    }

    pub(crate) async fn changed(&mut self) {
        std::future::pending().await
    }
}

#[cfg(not(any(target_os = "macos", windows)))]
mod elsewhere {
    use tokio::sync::mpsc::Sender;

    use crate::event::{Event, Source, SourceState};
    use crate::sleep::Clocks;
    use crate::watch::{Ask, Signal};

    pub(crate) const CLOCKS: Clocks = Clocks::SeeEverySleep;

    fn not_here(what: &str) -> String {
        format!("{what} are not watched on {} yet", std::env::consts::OS)
    }

    pub(crate) async fn signals(_: Ask, out: Sender<Signal>) {
        if out.send(Signal::Lost(not_here("sleep signals"))).await.is_ok() {
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
}

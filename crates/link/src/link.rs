//! The connection policy as one state machine.

use crate::{IdleIntervals, Input, Output, Settings};
use dormouse_model::{Cause, Connection, ConnectionState, Endpoint, Now, Random, Stamp, Tick};

/// The connection of one account.
#[derive(Debug)]
pub struct Link {
    settings: Settings,
    random: Random,
    shown: Connection,
    learnt: IdleIntervals,
    endpoint: Endpoint,
}

impl Link {
    /// A link that waits for [`Input::Start`]: shown as `Stopped` with the cause `Started`.
    pub fn new(settings: Settings, random: Random) -> Self {
        Self {
            settings,
            random,
            shown: Connection {
                state: ConnectionState::Stopped,
                since: Stamp::default(),
                cause: Cause::Started,
            },
            learnt: IdleIntervals::default(),
            endpoint: Endpoint(String::new()),
        }
    }

    /// Takes what happened, says what to do.
    pub fn handle(&mut self, _now: Now, _input: Input) -> Vec<Output> {
        let _ = (&self.settings, &mut self.random, &self.endpoint);
        Vec::new()
    }

    /// When to call [`Link::handle`] with [`Input::Tick`] next.
    pub fn deadline(&self) -> Option<Tick> {
        None
    }

    /// What is shown.
    pub fn connection(&self) -> &Connection {
        &self.shown
    }

    /// Which endpoint is dialled from now on; what is learnt of the path belongs to it.
    pub fn aim(&mut self, endpoint: Endpoint) {
        self.endpoint = endpoint;
    }

    /// What has been learnt of the paths, to be kept under `Key::Learnt("idle")` when it changes.
    pub fn learnt(&self) -> &IdleIntervals {
        &self.learnt
    }

    /// Takes up what an earlier run has learnt.
    pub fn restore(&mut self, learnt: IdleIntervals) {
        self.learnt = learnt;
    }
}

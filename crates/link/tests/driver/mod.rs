//! Drives a [`Link`] by a virtual clock, as a driver with real sockets would.
#![allow(dead_code)] // Each test file uses a part.

use dormouse_link::{Input, Link, Output, Probe, Settings};
use dormouse_model::{Action, Cause, ConnId, ConnectionState, Now, ProbeId, Random, Stamp, Tick, Verdict};
use std::time::Duration;

pub const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The machine certainly slept for a minute.
pub const WOKE: Input = Input::Resumed {
    slept: Some(secs(60)),
    proven: true,
};

/// The machine may have slept, or only this program stood still.
pub const MAY_HAVE_SLEPT: Input = Input::Resumed {
    slept: None,
    proven: false,
};

/// There is a network; whether the socket's route is lost.
pub const fn network(route_lost: bool) -> Input {
    Input::Network { up: true, route_lost }
}

pub const NO_NETWORK: Input = Input::Network {
    up: false,
    route_lost: false,
};

pub fn retry(cause: Cause) -> Verdict {
    Verdict::new(Action::Retry, cause)
}

pub struct Driver {
    pub link: Link,
    pub now: Tick,
    /// Everything said, with when.
    pub said: Vec<(Tick, Output)>,
}

impl Driver {
    pub fn new(seed: u8) -> Self {
        Self {
            link: Link::new(Settings::default(), Random::from_seed([seed; 32])),
            now: Tick(1_000_000),
            said: Vec::new(),
        }
    }

    /// A link that is live, on the connection returned.
    pub fn live(seed: u8) -> (Self, ConnId) {
        let mut driver = Self::new(seed);
        driver.tell(Input::Start);
        let conn = driver.sign_in();
        (driver, conn)
    }

    fn moment(&self) -> Now {
        Now {
            tick: self.now,
            stamp: Stamp(self.now.0 as i64),
        }
    }

    /// Hands an input in; returns what was said.
    pub fn tell(&mut self, input: Input) -> Vec<Output> {
        let outputs = self.link.handle(self.moment(), input);
        self.said
            .extend(outputs.iter().map(|output| (self.now, output.clone())));
        outputs
    }

    /// Lets time pass with punctual ticks; returns what was said.
    pub fn pass(&mut self, length: Duration) -> Vec<Output> {
        let end = self.now + length;
        let mut said = Vec::new();
        while let Some(due) = self.link.deadline().filter(|due| *due <= end) {
            said.extend(self.tick(due));
        }
        self.now = end;
        said
    }

    /// What was due has been done.
    fn tick(&mut self, due: Tick) -> Vec<Output> {
        self.now = self.now.max(due);
        let said = self.tell(Input::Tick);
        let spins = self.link.deadline().is_some_and(|next| next <= self.now);
        assert!(!spins, "it would be called again and again: {said:?}");
        said
    }

    /// Lets time pass without ticks: the machine or the process stood still.
    pub fn freeze(&mut self, length: Duration) {
        self.now = self.now + length;
    }

    /// Lets the dial under way succeed, and the sign-in and catch-up after it.
    pub fn sign_in(&mut self) -> ConnId {
        let conn = self.last_dial().expect("a dial");
        self.tell(Input::Dialled(conn));
        self.tell(Input::SignedIn { conn, resumed: false });
        self.tell(Input::CaughtUp(conn));
        assert_eq!(self.state(), ConnectionState::Live);
        conn
    }

    pub fn state(&self) -> ConnectionState {
        self.link.connection().state
    }

    pub fn cause(&self) -> Cause {
        self.link.connection().cause.clone()
    }

    pub fn last_dial(&self) -> Option<ConnId> {
        self.said.iter().rev().find_map(|(_, output)| match output {
            Output::Dial { conn, .. } => Some(*conn),
            _ => None,
        })
    }

    /// When dials were made.
    pub fn dials(&self) -> Vec<Tick> {
        let dials = self.said.iter().filter(|(_, o)| matches!(o, Output::Dial { .. }));
        dials.map(|(at, _)| *at).collect()
    }

    /// Waits until the link dials by itself; how long that took.
    pub fn until_dial(&mut self, most: Duration) -> Option<Duration> {
        let begin = self.now;
        let before = self.dials().len();
        while self.dials().len() == before {
            let due = self.link.deadline().filter(|due| *due <= begin + most)?;
            self.tick(due);
        }
        Some(self.now.since(begin))
    }
}

pub fn numbered(outputs: &[Output]) -> Option<ProbeId> {
    outputs.iter().rev().find_map(|output| match output {
        Output::Probe(_, Probe::Numbered(probe)) => Some(*probe),
        _ => None,
    })
}

pub fn quiet(outputs: &[Output]) -> bool {
    outputs
        .iter()
        .any(|o| matches!(o, Output::Probe(_, Probe::Quiet)))
}

pub fn spare(outputs: &[Output]) -> Option<ConnId> {
    outputs.iter().find_map(|output| match output {
        Output::Dial { conn, spare: true } => Some(*conn),
        _ => None,
    })
}

pub fn dial(outputs: &[Output]) -> Option<ConnId> {
    outputs.iter().find_map(|output| match output {
        Output::Dial { conn, spare: false } => Some(*conn),
        _ => None,
    })
}

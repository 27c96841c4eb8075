//! A sleep that the user wants to see: the account is cut off as by a real one, and wakes as from a real one.
//!
//! First everything is brought to the disk and acknowledged, as before the lid is closed. From then on the lines read
//! nothing, the core is told nothing and nothing is due; what the server sends waits in the kernel until the server gives the connection
//! up. At the end the core is told that the machine woke. Whoever wants something done meanwhile wakes it: of a computer that
//! sleeps nobody can ask anything either.

use super::{Driver, Waiting};
use crate::present::now;
use crate::request::Request;
use dormouse_account::Input;
use dormouse_model::Tick;
use dormouse_wake::Event as WakeEvent;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long everything may take to be safe before the sleep begins all the same: as long as logind waits.
const PREPARATION: Duration = Duration::from_secs(5);

/// A sleep that is simulated.
pub(super) struct SimulatedSleep {
    length: Duration,
    phase: Phase,
    reply: oneshot::Sender<Duration>,
    /// What happened to machine and window meanwhile.
    meanwhile: Vec<Meanwhile>,
}

enum Phase {
    /// Everything is being made safe; until then at the latest.
    Preparing(Tick),
    /// Cut off, since then.
    Asleep(Tick),
}

enum Meanwhile {
    Event(WakeEvent),
    Request(Request),
}

impl SimulatedSleep {
    /// When it goes on.
    pub(super) fn due(&self) -> Tick {
        match self.phase {
            Phase::Preparing(until) => until,
            Phase::Asleep(since) => since + self.length,
        }
    }
}

/// Waits until nobody wants to see it any more.
pub(super) async fn given_up(simulated: &mut Option<SimulatedSleep>) {
    match simulated {
        Some(simulated) => simulated.reply.closed().await,
        None => std::future::pending().await,
    }
}

impl Driver {
    /// Begins one, unless one is under way.
    pub(super) fn simulate_sleep(&mut self, length: Duration, reply: oneshot::Sender<Duration>) {
        if self.simulated.is_some() {
            return;
        }
        tracing::info!(?length, "a sleep is simulated");
        self.simulated = Some(SimulatedSleep {
            length,
            phase: Phase::Preparing(now().tick + PREPARATION),
            reply,
            meanwhile: Vec::new(),
        });
        self.waiting.push(Waiting::Simulation);
        self.feed(Input::SimulatedSleep);
    }

    /// Everything is safe: from now on nothing is read.
    pub(super) fn cut_off(&mut self) {
        if let Some(simulated) = &mut self.simulated
            && let Phase::Preparing(_) = simulated.phase
        {
            simulated.phase = Phase::Asleep(now().tick);
            self.mute.send_replace(true);
        }
    }

    pub(super) fn is_cut_off(&self) -> bool {
        let asleep = |it: &SimulatedSleep| matches!(it.phase, Phase::Asleep(_));
        self.simulated.as_ref().is_some_and(asleep)
    }

    /// Does what a simulated sleep has due. Whether it goes on, so that nothing else is.
    pub(super) fn simulated_sleep_goes_on(&mut self) -> bool {
        let Some(simulated) = &self.simulated else {
            return false;
        };
        if simulated.due() <= now().tick {
            match simulated.phase {
                Phase::Preparing(_) => self.cut_off(),
                Phase::Asleep(_) => self.wake_up(),
            }
        }
        self.simulated.is_some()
    }

    /// It is over: the core learns that the machine woke, then whatever happened meanwhile.
    pub(super) fn wake_up(&mut self) {
        let Some(simulated) = self.simulated.take() else {
            return;
        };
        let slept = match simulated.phase {
            Phase::Asleep(since) => now().tick.since(since),
            Phase::Preparing(_) => Duration::ZERO,
        };
        self.end_simulation();
        self.feed(Input::Resumed {
            slept: Some(slept),
            proven: true,
        });
        for happened in simulated.meanwhile {
            match happened {
                Meanwhile::Event(event) => self.woken(event),
                Meanwhile::Request(request) => self.requested(request),
            }
        }
        let _ = simulated.reply.send(slept);
    }

    /// The core that slept is no more.
    pub(super) fn forget_simulated_sleep(&mut self) {
        self.simulated = None;
        self.end_simulation();
    }

    fn end_simulation(&mut self) {
        self.waiting
            .retain(|waiting| !matches!(waiting, Waiting::Simulation));
        self.mute.send_replace(false);
    }

    /// A request while a sleep is simulated.
    pub(super) fn asked_asleep(&mut self, request: Request) {
        match request {
            Request::Subscribe { .. }
            | Request::Observe(_)
            | Request::Status { .. }
            | Request::Subject { .. } => {
                self.requested(request);
            }
            // Refused: whoever waits for it is told by its being dropped.
            Request::SimulateSleep { .. } => {}
            Request::Happened(_) => self.put_by(Meanwhile::Request(request)),
            wish => {
                self.wake_up();
                self.requested(wish);
            }
        }
    }

    /// What the system tells, unless it is to wait until a simulated sleep is over. A real one ends it.
    pub(super) fn unless_asleep(&mut self, event: WakeEvent) -> Option<WakeEvent> {
        if self.simulated.is_none() {
            return Some(event);
        }
        match event {
            WakeEvent::Suspending(_) | WakeEvent::Resumed { .. } => {
                self.wake_up();
                Some(event)
            }
            later => {
                self.put_by(Meanwhile::Event(later));
                None
            }
        }
    }

    fn put_by(&mut self, happened: Meanwhile) {
        if let Some(simulated) = &mut self.simulated {
            simulated.meanwhile.push(happened);
        }
    }
}

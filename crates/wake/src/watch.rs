//! The tasks around the decisions: one that joins signal and clock, one per system source.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::Instrument;

use crate::clock::{Clock, SystemClock};
use crate::event::{Event, Guard, Source, SourceState};
use crate::sleep::{Observation, SleepTracker, Transition};
use crate::system;
use crate::wall_clock::WallClock;

/// How much rarer the clock is looked at while the system's own signal works.
const TICKS_WITH_SIGNAL: u32 = 10;

/// What to watch, and how.
#[derive(Clone)]
pub struct Options {
    /// Who asks for the delay lock, as the system shows it to its user.
    pub who: String,
    /// Why, as the system shows it to its user.
    pub why: String,
    /// Listen to the system's sleep signal.
    pub sleep_signal: bool,
    /// Look at the clocks this often for a sleep that nobody signalled, and ten times more rarely while
    /// the signal works. On Linux the kernel also wakes us after each sleep, so this is a second line there. `None`: no
    /// periodic wake-ups.
    pub tick: Option<Duration>,
    /// Believe the clock that counts sleep; without it only the signal proves a sleep.
    pub clock_proof: bool,
    /// Watch the network.
    pub network: bool,
    /// The clocks to read.
    pub clock: Arc<dyn Clock>,
    /// Linux: the D-Bus address of the system bus; `None`: `DBUS_SYSTEM_BUS_ADDRESS`, else the well-known one.
    pub system_bus: Option<String>,
}

impl Options {
    /// Everything, by the system's clocks.
    #[must_use]
    pub fn new(who: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            who: who.into(),
            why: why.into(),
            sleep_signal: true,
            tick: Some(Duration::from_secs(2)),
            clock_proof: true,
            network: true,
            clock: Arc::new(SystemClock),
            system_bus: None,
        }
    }
}

/// The stream of events. Dropping it ends all watching and releases the delay lock.
#[derive(Debug)]
pub struct Watch {
    events: mpsc::Receiver<Event>,
    _tasks: JoinSet<()>,
}

impl Watch {
    /// The next event. `None` never comes while the tokio runtime lives and something is watched. Safe to cancel.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}

/// Starts watching. Must be called inside a tokio runtime with time and IO enabled. Whatever is missing is
/// reported as [`Event::Source`]; the rest works without it.
#[must_use]
pub fn watch(options: Options) -> Watch {
    let (events, receiver) = mpsc::channel(64);
    let mut tasks = JoinSet::new();
    if options.network {
        tasks.spawn(system::network(events.clone()).in_current_span());
    }
    let (signals, heard) = mpsc::channel(16);
    if options.sleep_signal {
        let ask = system::Ask {
            who: options.who.clone(),
            why: options.why.clone(),
            system_bus: options.system_bus.clone(),
        };
        tasks.spawn(system::sleep_signals(ask, signals).in_current_span());
    }
    let join = async move {
        // The listener being gone is the ordinary end.
        let _ = Sleeper::new(options, events).run(heard).await;
    };
    tasks.spawn(join.in_current_span());
    Watch {
        events: receiver,
        _tasks: tasks,
    }
}

/// What a system's sleep signal source says.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(crate) enum SleepSignal {
    Listening,
    Lost(String),
    Lock(SourceState),
    Preparing(Guard),
    Awake,
}

/// The listener is gone.
struct Gone;

impl<T> From<mpsc::error::SendError<T>> for Gone {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self
    }
}

/// Joins signal and clock.
struct Sleeper {
    options: Options,
    events: mpsc::Sender<Event>,
    tracker: SleepTracker,
    wall: WallClock,
    signalled: Option<SourceState>,
    lock: Option<SourceState>,
}

impl Sleeper {
    fn new(options: Options, events: mpsc::Sender<Event>) -> Self {
        let clock = &options.clock;
        Self {
            tracker: SleepTracker::new(Self::slept(&options)),
            wall: WallClock::new(clock.wall_ms(), clock.now()),
            options,
            events,
            signalled: None,
            lock: None,
        }
    }

    fn slept(options: &Options) -> Option<Duration> {
        if options.clock_proof {
            options.clock.slept()
        } else {
            None
        }
    }

    async fn run(mut self, mut signals: mpsc::Receiver<SleepSignal>) -> Result<(), Gone> {
        if self.options.clock_proof {
            let state = match self.options.clock.slept() {
                Some(_) => SourceState::Working,
                None => SourceState::Missing("no clock here counts sleep".into()),
            };
            self.events
                .send(Event::Source {
                    source: Source::Clock,
                    state,
                })
                .await?;
        }
        let mut clock_set = system::ClockSet::new();
        let mut hearing = self.options.sleep_signal;
        let mut ticker = self.ticker();
        loop {
            tokio::select! {
                () = self.events.closed() => return Err(Gone),
                signal = signals.recv(), if hearing => match signal {
                    Some(signal) => {
                        let worked = self.signal_works();
                        self.hear(signal).await?;
                        if self.signal_works() != worked {
                            ticker = self.ticker();
                        }
                    }
                    None => hearing = false,
                },
                () = tick(&mut ticker) => self.look().await?,
                () = clock_set.changed() => self.look().await?,
            }
        }
    }

    fn signal_works(&self) -> bool {
        self.signalled == Some(SourceState::Working)
    }

    fn ticker(&self) -> Option<tokio::time::Interval> {
        let tick = self.options.tick.filter(|tick| !tick.is_zero())?;
        let tick = if self.signal_works() {
            tick.saturating_mul(TICKS_WITH_SIGNAL)
        } else {
            tick
        };
        let mut ticker = interval_at(Instant::now() + tick, tick);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Some(ticker)
    }

    async fn hear(&mut self, signal: SleepSignal) -> Result<(), Gone> {
        match signal {
            SleepSignal::Listening => self.report_signal(SourceState::Working).await,
            SleepSignal::Lost(why) => {
                self.lock = None;
                self.observe(Observation::SignalsLost, None).await?;
                self.report_signal(SourceState::Missing(why)).await
            }
            SleepSignal::Lock(state) => {
                if !same_kind(self.lock.as_ref(), &state) {
                    self.lock = Some(state.clone());
                    self.events
                        .send(Event::Source {
                            source: Source::DelayLock,
                            state,
                        })
                        .await?;
                }
                Ok(())
            }
            SleepSignal::Preparing(guard) => self.observe(Observation::Preparing, Some(guard)).await,
            SleepSignal::Awake => self.observe(Observation::Awake, None).await,
        }
    }

    async fn report_signal(&mut self, state: SourceState) -> Result<(), Gone> {
        if !same_kind(self.signalled.as_ref(), &state) {
            self.signalled = Some(state.clone());
            self.events
                .send(Event::Source {
                    source: Source::SleepSignal,
                    state,
                })
                .await?;
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<(), Gone> {
        self.observe(Observation::Look, None).await?;
        let clock = &self.options.clock;
        if let Some(by_ms) = self.wall.look(clock.wall_ms(), clock.now()) {
            self.events.send(Event::WallClockJumped { by_ms }).await?;
        }
        Ok(())
    }

    /// A guard that belongs to no announced suspension is dropped: the system need not wait for us.
    async fn observe(&mut self, what: Observation, mut guard: Option<Guard>) -> Result<(), Gone> {
        let slept = Self::slept(&self.options);
        for transition in self.tracker.observe(what, slept) {
            tracing::debug!(?what, ?slept, ?transition, "sleep");
            let event = match transition {
                Transition::Suspending => Event::Suspending(guard.take().unwrap_or_else(Guard::empty)),
                Transition::Resumed { slept, proof } => Event::Resumed { slept, proof },
            };
            self.events.send(event).await?;
        }
        Ok(())
    }
}

/// Each state is said once, whatever the words for it: a bus that is away gives other reasons at other times.
fn same_kind(before: Option<&SourceState>, now: &SourceState) -> bool {
    before.is_some_and(|before| std::mem::discriminant(before) == std::mem::discriminant(now))
}

async fn tick(ticker: &mut Option<tokio::time::Interval>) {
    match ticker {
        Some(ticker) => drop(ticker.tick().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::event::Proof;

    fn by_clock(clock: &Arc<ManualClock>) -> Watch {
        watch(Options {
            sleep_signal: false,
            network: false,
            tick: Some(Duration::from_millis(10)),
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            ..Options::new("test", "test")
        })
    }

    async fn soon(watch: &mut Watch) -> Option<Event> {
        tokio::time::timeout(Duration::from_millis(300), watch.next())
            .await
            .ok()
            .flatten()
    }

    #[tokio::test]
    async fn without_signals_the_clock_tells_of_a_sleep_once() {
        let clock = Arc::new(ManualClock::default());
        let mut watch = by_clock(&clock);
        let Some(Event::Source {
            source: Source::Clock,
            state: SourceState::Working,
        }) = soon(&mut watch).await
        else {
            panic!("the clock works")
        };
        clock.sleep(Duration::from_secs(40));
        let Some(Event::Resumed {
            slept,
            proof: Proof::Clock,
        }) = soon(&mut watch).await
        else {
            panic!("the sleep is seen")
        };
        assert_eq!(slept, Some(Duration::from_secs(40)));
        assert!(soon(&mut watch).await.is_none());
    }

    #[tokio::test]
    async fn a_stopped_program_hears_nothing_and_a_set_clock_is_told() {
        let clock = Arc::new(ManualClock::default());
        let mut watch = by_clock(&clock);
        assert!(soon(&mut watch).await.is_some());
        clock.pass(Duration::from_secs(3_600));
        assert!(soon(&mut watch).await.is_none());
        clock.set_wall(-60_000);
        let Some(Event::WallClockJumped { by_ms: -60_000 }) = soon(&mut watch).await else {
            panic!("the jump is seen")
        };
    }
}

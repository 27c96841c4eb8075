//! The tasks around the decisions: one that joins signal and clock, one per system source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::Instrument;

use crate::clock::{Clock, SystemClock};
use crate::event::{Event, Guard, Screen, Source, SourceState};
use crate::sleep::{Observation, Reading, SleepTracker, Transition};
use crate::system;
use crate::wall_clock::WallClock;

/// How much rarer the clock is looked at while the system itself tells of each sleep.
const RARELY: u32 = 10;

/// What to watch, and how.
#[derive(Clone)]
pub struct Options {
    /// Who asks for the delay lock, as the system shows it to its user.
    pub who: String,
    /// Why, as the system shows it to its user.
    pub why: String,
    /// Listen to what the system says of sleep and of the screen's lock.
    pub sleep_signal: bool,
    /// Look at the clocks this often for a sleep that nobody tells of, and ten times more rarely while somebody would: the
    /// signal, or on Linux the kernel, which ends a wait of ours after each sleep. `None`: no periodic wake-ups.
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
        let ask = Ask {
            who: options.who.clone(),
            why: options.why.clone(),
            system_bus: options.system_bus.clone(),
        };
        tasks.spawn(system::signals(ask, signals).in_current_span());
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

/// Who asks the system for what.
#[derive(Clone, Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(crate) struct Ask {
    pub(crate) who: String,
    pub(crate) why: String,
    pub(crate) system_bus: Option<String>,
}

/// What a system says, in the words that all have in common.
#[derive(Debug)]
#[cfg_attr(not(any(target_os = "linux", target_os = "macos", windows)), allow(dead_code))]
pub(crate) enum Signal {
    /// Sleep is signalled from now on.
    Listening,
    /// It no longer is, for this reason.
    Lost(String),
    /// How another source is.
    Source(Source, SourceState),
    /// The machine is about to sleep.
    Preparing(Guard),
    /// The machine is awake.
    Awake,
    /// The time may have been changed.
    #[cfg_attr(not(windows), allow(dead_code))]
    TimeChanged,
    /// How the screen is.
    Screen(Screen),
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
    /// What was said of each source last.
    sources: BTreeMap<Source, SourceState>,
    screen: Screen,
}

impl Sleeper {
    fn new(options: Options, events: mpsc::Sender<Event>) -> Self {
        let clock = &options.clock;
        Self {
            tracker: SleepTracker::new(system::CLOCKS, Self::reading(&options)),
            wall: WallClock::new(clock.wall_ms(), clock.now()),
            options,
            events,
            sources: BTreeMap::new(),
            screen: Screen::Unlocked,
        }
    }

    fn reading(options: &Options) -> Reading {
        Reading {
            now: options.clock.now(),
            slept: options.clock_proof.then(|| options.clock.slept()).flatten(),
        }
    }

    async fn run(mut self, mut signals: mpsc::Receiver<Signal>) -> Result<(), Gone> {
        if self.options.clock_proof {
            let state = match self.options.clock.slept() {
                Some(_) => SourceState::Working,
                None => SourceState::Missing("no clock here counts sleep".into()),
            };
            self.report(Source::Clock, state).await?;
        }
        let mut clock_set = system::ClockSet::new();
        let mut hearing = self.options.sleep_signal;
        let mut told = self.signal_works() || clock_set.tells();
        let mut ticker = self.ticker(told);
        loop {
            let still_told = self.signal_works() || clock_set.tells();
            if told != still_told {
                told = still_told;
                ticker = self.ticker(told);
            }
            tokio::select! {
                () = self.events.closed() => return Err(Gone),
                signal = signals.recv(), if hearing => match signal {
                    Some(signal) => self.hear(signal).await?,
                    None => hearing = false,
                },
                () = tick(&mut ticker) => self.look(Observation::Look).await?,
                () = clock_set.changed() => self.look(Observation::Look).await?,
            }
        }
    }

    fn signal_works(&self) -> bool {
        self.sources.get(&Source::SleepSignal) == Some(&SourceState::Working)
    }

    fn ticker(&self, told: bool) -> Option<tokio::time::Interval> {
        let tick = self.options.tick.filter(|tick| !tick.is_zero())?;
        let tick = if told { tick.saturating_mul(RARELY) } else { tick };
        let mut ticker = interval_at(Instant::now() + tick, tick);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Some(ticker)
    }

    async fn hear(&mut self, signal: Signal) -> Result<(), Gone> {
        match signal {
            Signal::Listening => self.report(Source::SleepSignal, SourceState::Working).await,
            Signal::Lost(why) => {
                self.sources.remove(&Source::DelayLock);
                self.observe(Observation::SignalsLost, None).await?;
                self.report(Source::SleepSignal, SourceState::Missing(why)).await
            }
            Signal::Source(source, state) => self.report(source, state).await,
            Signal::Preparing(guard) => self.observe(Observation::Preparing, Some(guard)).await,
            Signal::Awake => self.observe(Observation::Awake, None).await,
            // Without ticks nobody knows whether this program stood still.
            Signal::TimeChanged if self.options.tick.is_none() => self.look(Observation::Look).await,
            Signal::TimeChanged => self.look(Observation::TimeChanged).await,
            Signal::Screen(screen) => {
                if screen != self.screen {
                    self.screen = screen;
                    self.events.send(Event::Screen(screen)).await?;
                }
                Ok(())
            }
        }
    }

    async fn report(&mut self, source: Source, state: SourceState) -> Result<(), Gone> {
        if !same_kind(self.sources.get(&source), &state) {
            self.sources.insert(source, state.clone());
            self.events.send(Event::Source { source, state }).await?;
        }
        Ok(())
    }

    /// Looks at all clocks. A time that changed because somebody set the wall clock says nothing of sleep.
    async fn look(&mut self, what: Observation) -> Result<(), Gone> {
        let clock = &self.options.clock;
        let jumped = self.wall.look(clock.wall_ms(), clock.now());
        let what = if jumped.is_some() { Observation::Look } else { what };
        self.observe(what, None).await?;
        if let Some(by_ms) = jumped {
            self.events.send(Event::WallClockJumped { by_ms }).await?;
        }
        Ok(())
    }

    /// A guard that belongs to no announced suspension is dropped: the system need not wait for us.
    async fn observe(&mut self, what: Observation, mut guard: Option<Guard>) -> Result<(), Gone> {
        let reading = Self::reading(&self.options);
        for transition in self.tracker.observe(what, reading) {
            tracing::debug!(?what, ?reading, ?transition, "sleep");
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
            tick: Some(Duration::from_millis(2)),
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            ..Options::new("test", "test")
        })
    }

    /// A clock that counts how often its sleep is asked for.
    #[derive(Debug, Default)]
    struct Counting(std::sync::atomic::AtomicU32);

    impl Clock for Counting {
        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn slept(&self) -> Option<Duration> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Some(Duration::ZERO)
        }

        fn wall_ms(&self) -> i64 {
            0
        }
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

    #[tokio::test(start_paused = true)]
    async fn where_the_system_tells_of_each_sleep_the_clocks_are_seldom_looked_at() {
        let clock = Arc::new(Counting::default());
        let mut watch = watch(Options {
            sleep_signal: false,
            network: false,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Options::new("test", "test")
        });
        let minutes = Duration::from_secs(600);
        while let Ok(Some(_)) = tokio::time::timeout(minutes, watch.next()).await {}
        let looks = clock.0.load(std::sync::atomic::Ordering::Relaxed);
        let in_a_minute = if cfg!(target_os = "linux") { 3 } else { 30 };
        // Some are of the beginning.
        assert!(
            (in_a_minute * 9..in_a_minute * 11).contains(&looks),
            "{looks} looks"
        );
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

//! Telling of the network: whether it can be watched, how it was at first, and each change.
//!
//! A system's module opens a [`Network`], which gives the whole state on request and word that it may have changed. What is
//! told is decided here, in the same way on every system. Reading again is spaced out: a machine that starts fifty containers must not
//! be read fifty times.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, sleep_until};

use crate::event::{Event, Source, SourceState};
use crate::network::{Effect, NetworkState};

/// Between two readings of the whole state. The first after a quiet time is done at once.
const LEAST_PAUSE: Duration = Duration::from_millis(50);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// What a system knows of its network.
pub(crate) trait Network: Send {
    /// Everything as it is now, and what notifications that came meanwhile mean for it.
    fn read(&mut self) -> impl Future<Output = io::Result<(NetworkState, Effect)>> + Send;

    /// Waits for a notification. Safe to cancel.
    fn notice(&mut self) -> impl Future<Output = io::Result<Effect>> + Send;
}

/// Tells of changes for ever, or until nobody listens; opens again what has failed.
pub(crate) async fn tell_of<N: Network>(
    events: Sender<Event>,
    mut open: impl FnMut() -> io::Result<N> + Send,
) {
    let mut teller = Teller {
        events,
        known: None,
        working: None,
    };
    let mut retry = FIRST_RETRY;
    loop {
        let followed = match open() {
            Ok(network) => teller.follow(network).await,
            Err(error) => Err(End::Failed(error)),
        };
        let error = match followed {
            Err(End::Unheard) => return,
            Err(End::Failed(error)) => error,
            Ok(never) => match never {},
        };
        tracing::debug!(%error, "no news of the network");
        if teller.working == Some(true) {
            retry = FIRST_RETRY;
        }
        if teller.source(Err(error)).await.is_err() {
            return;
        }
        sleep(retry).await;
        retry = (retry * 2).min(LAST_RETRY);
    }
}

enum End {
    Unheard,
    Failed(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl<T> From<tokio::sync::mpsc::error::SendError<T>> for End {
    fn from(_: tokio::sync::mpsc::error::SendError<T>) -> Self {
        Self::Unheard
    }
}

struct Teller {
    events: Sender<Event>,
    /// What was told last; survives a network that had to be opened again.
    known: Option<NetworkState>,
    working: Option<bool>,
}

impl Teller {
    async fn follow(&mut self, mut network: impl Network) -> Result<Infallible, End> {
        let mut effect = Effect::None;
        loop {
            let (state, meanwhile) = network.read().await?;
            let next_reading = Instant::now() + LEAST_PAUSE;
            self.source(Ok(())).await?;
            self.tell(state, effect == Effect::Interrupts).await?;
            effect = meanwhile;
            while effect == Effect::None {
                tokio::select! {
                    () = self.events.closed() => return Err(End::Unheard),
                    noticed = network.notice() => effect = noticed?,
                }
            }
            sleep_until(next_reading).await;
            // What came in meanwhile is covered by the reading that follows.
            while let Some(noticed) = network.notice().now_or_never() {
                effect = effect.max(noticed?);
            }
        }
    }

    async fn source(&mut self, state: io::Result<()>) -> Result<(), End> {
        let works = state.is_ok();
        if self.working.replace(works) == Some(works) {
            return Ok(());
        }
        let state = match state {
            Ok(()) => SourceState::Working,
            Err(error) => SourceState::Missing(format!("no news of links, addresses and routes: {error}")),
        };
        Ok(self
            .events
            .send(Event::Source {
                source: Source::Network,
                state,
            })
            .await?)
    }

    async fn tell(&mut self, state: NetworkState, interrupted: bool) -> Result<(), End> {
        match &self.known {
            None => self.events.send(Event::NetworkKnown(state.reach())).await?,
            Some(known) => {
                if let Some(change) = known.change_to(&state, interrupted) {
                    tracing::debug!(?change, "network");
                    self.events.send(Event::NetworkChanged(change)).await?;
                }
            }
        }
        self.known = Some(state);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Reach;
    use std::sync::{Arc, Mutex};
    use tokio::sync::mpsc;

    /// A network whose state a test sets, and whose notifications it sends.
    struct Played {
        state: Arc<Mutex<NetworkState>>,
        readings: Arc<Mutex<u32>>,
        notices: mpsc::UnboundedReceiver<io::Result<Effect>>,
    }

    impl Network for Played {
        async fn read(&mut self) -> io::Result<(NetworkState, Effect)> {
            *self.readings.lock().unwrap() += 1;
            Ok((self.state.lock().unwrap().clone(), Effect::None))
        }

        async fn notice(&mut self) -> io::Result<Effect> {
            match self.notices.recv().await {
                Some(notice) => notice,
                None => std::future::pending().await,
            }
        }
    }

    struct Stage {
        state: Arc<Mutex<NetworkState>>,
        readings: Arc<Mutex<u32>>,
        notices: mpsc::UnboundedSender<io::Result<Effect>>,
        events: mpsc::Receiver<Event>,
    }

    /// A network that can be opened once; after that there is none.
    fn stage() -> Stage {
        let state = Arc::new(Mutex::new(NetworkState::default()));
        let readings = Arc::default();
        let (notices, heard) = mpsc::unbounded_channel();
        let (out, events) = mpsc::channel(8);
        let mut played = Some(Played {
            state: Arc::clone(&state),
            readings: Arc::clone(&readings),
            notices: heard,
        });
        tokio::spawn(tell_of(out, move || {
            played.take().ok_or_else(|| io::Error::other("it is closed"))
        }));
        Stage {
            state,
            readings,
            notices,
            events,
        }
    }

    async fn begun() -> Stage {
        let mut stage = stage();
        assert!(matches!(
            stage.events.recv().await,
            Some(Event::Source {
                source: Source::Network,
                state: SourceState::Working
            })
        ));
        assert!(matches!(
            stage.events.recv().await,
            Some(Event::NetworkKnown(Reach::Host))
        ));
        stage
    }

    async fn soon(stage: &mut Stage) -> Option<Event> {
        tokio::time::timeout(Duration::from_millis(500), stage.events.recv())
            .await
            .ok()
            .flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn a_notification_without_a_difference_says_nothing_unless_something_was_gone() {
        let mut stage = begun().await;
        stage.notices.send(Ok(Effect::Stale)).unwrap();
        assert!(soon(&mut stage).await.is_none());
        stage.notices.send(Ok(Effect::Interrupts)).unwrap();
        let Some(Event::NetworkChanged(change)) = soon(&mut stage).await else {
            panic!("the interruption is told")
        };
        assert!(change.interrupted && change.lost.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_notifications_are_one_reading_and_one_change() {
        let mut stage = begun().await;
        let address = "192.0.2.7".parse().unwrap();
        let _ = stage.state.lock().unwrap().addresses.insert(address);
        for _ in 0..100 {
            stage.notices.send(Ok(Effect::Stale)).unwrap();
        }
        let Some(Event::NetworkChanged(change)) = soon(&mut stage).await else {
            panic!("the change is told")
        };
        assert_eq!((change.reach, change.gained), (Reach::Link, vec![address]));
        assert!(soon(&mut stage).await.is_none());
        assert_eq!(*stage.readings.lock().unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_fails_and_cannot_be_opened_again_is_said_to_be_missing_once() {
        let mut stage = begun().await;
        stage.notices.send(Err(io::Error::other("it broke"))).unwrap();
        let Some(Event::Source {
            source: Source::Network,
            state: SourceState::Missing(why),
        }) = soon(&mut stage).await
        else {
            panic!("it is said")
        };
        assert!(why.contains("it broke"), "{why}");
        assert!(
            tokio::time::timeout(Duration::from_secs(300), stage.events.recv())
                .await
                .is_err()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn between_two_readings_of_the_whole_state_50_ms_pass() {
        let stage = begun().await;
        stage.notices.send(Ok(Effect::Stale)).unwrap();
        sleep(Duration::from_millis(49)).await;
        assert_eq!(*stage.readings.lock().unwrap(), 1);
        sleep(Duration::from_millis(2)).await;
        assert_eq!(*stage.readings.lock().unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_opened_is_tried_ever_more_seldom_and_soon_again_once_it_has_worked() {
        let opened = Arc::new(Mutex::new(Vec::new()));
        let (out, _events) = mpsc::channel(64);
        let began = Instant::now();
        let seen = Arc::clone(&opened);
        tokio::spawn(tell_of(out, move || {
            let mut opened = seen.lock().unwrap();
            opened.push(began.elapsed().as_secs());
            if opened.len() != 5 {
                return Err(io::Error::other("it is closed"));
            }
            let (notices, heard) = mpsc::unbounded_channel();
            notices
                .send(Err(io::Error::other("it broke")))
                .map_err(io::Error::other)?;
            Ok(Played {
                state: Arc::default(),
                readings: Arc::default(),
                notices: heard,
            })
        }));
        sleep(Duration::from_secs(20)).await;
        assert_eq!(*opened.lock().unwrap(), [0, 1, 3, 7, 15, 16, 18]);
    }
}

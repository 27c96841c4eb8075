//! macOS: the root power domain for sleep, the session's notifications for the screen, a routing socket for the network.

mod power;
mod route_socket;

use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::SendError;

use crate::event::{Guard, Source, SourceState};
use crate::sleep::Clocks;
use crate::watch::{Ask, Signal};

/// Ticks look at the clocks.
pub(crate) use crate::unwatched::ClockSet;
pub(crate) use route_socket::network;

/// `mach_continuous_time` counts sleep and `mach_absolute_time` does not, dark wakes in between included.
pub(crate) const CLOCKS: Clocks = Clocks::SeeEverySleep;

/// What the root power domain and the session say, for ever or until nobody listens.
pub(crate) async fn signals(_: Ask, out: Sender<Signal>) {
    // Whoever drops `out` wants to hear nothing more: the ordinary end.
    let _ = tell(&out).await;
}

async fn tell(out: &Sender<Signal>) -> Result<(), SendError<Signal>> {
    let mut words = match power::listen() {
        Ok(words) => words,
        Err(error) => {
            let why = format!("no sleep signals from macOS: {error}");
            out.send(Signal::Lost(why)).await?;
            out.closed().await;
            return Ok(());
        }
    };
    out.send(Signal::Listening).await?;
    for source in [Source::DelayLock, Source::Screen] {
        out.send(Signal::Source(source, SourceState::Working)).await?;
    }
    loop {
        let word = tokio::select! {
            () = out.closed() => return Ok(()),
            word = words.recv() => word,
        };
        let Some(word) = word else {
            return Ok(());
        };
        out.send(match word {
            power::Word::Suspending(ready) => {
                Signal::Preparing(Guard::new(power::GRANTED, move || drop(ready)))
            }
            power::Word::Awake => Signal::Awake,
            power::Word::Screen(screen) => Signal::Screen(screen),
        })
        .await?;
    }
}

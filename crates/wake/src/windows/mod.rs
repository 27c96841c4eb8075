//! Windows: power notifications, a hidden window for what only windows are told, the IP helper for the network.

mod hidden_window;
mod iphlpapi;
mod power;

use tokio::sync::mpsc::Sender;

use crate::event::{Guard, Source, SourceState};
use crate::sleep::Clocks;
use crate::watch::{Ask, Signal};

/// The hidden window tells of clocks that are set, as a [`Signal`].
pub(crate) use crate::unwatched::ClockSet;
pub(crate) use iphlpapi::network;

/// In Modern Standby neither clock need stop.
pub(crate) const CLOCKS: Clocks = Clocks::MayMissStandby;

/// What power notifications and the hidden window say, for ever or until nobody listens.
pub(crate) async fn signals(_: Ask, out: Sender<Signal>) {
    // Whoever drops `out` wants to hear nothing more: the ordinary end.
    let _ = tell(&out).await;
}

async fn tell(out: &Sender<Signal>) -> Result<(), tokio::sync::mpsc::error::SendError<Signal>> {
    let power = power::listen();
    let window = hidden_window::listen();
    let state = |error: Option<String>| error.map_or(SourceState::Working, SourceState::Missing);
    match &power {
        Ok(_) => {
            out.send(Signal::Listening).await?;
            out.send(Signal::Source(Source::DelayLock, SourceState::Working))
                .await?;
        }
        Err(error) => {
            let why = format!("no sleep signals from Windows: {error}");
            out.send(Signal::Lost(why)).await?;
        }
    }
    let why = window
        .as_ref()
        .err()
        .map(|error| format!("Windows does not tell when the screen is locked: {error}"));
    out.send(Signal::Source(Source::Screen, state(why))).await?;
    let (mut power, mut window) = (power.ok(), window.ok());
    loop {
        let signal = tokio::select! {
            () = out.closed() => return Ok(()),
            word = next(&mut power) => match word {
                power::Word::Suspending(ready) => {
                    Signal::Preparing(Guard::new(power::GRANTED, move || drop(ready)))
                }
                power::Word::Awake => Signal::Awake,
            },
            word = next(&mut window) => match word {
                hidden_window::Word::TimeChanged => Signal::TimeChanged,
                hidden_window::Word::Screen(screen) => Signal::Screen(screen),
            },
        };
        out.send(signal).await?;
    }
}

/// The next word; never, where nobody speaks.
async fn next<T>(words: &mut Option<tokio::sync::mpsc::UnboundedReceiver<T>>) -> T {
    if let Some(words) = words
        && let Some(word) = words.recv().await
    {
        return word;
    }
    std::future::pending().await
}

//! TCP: the addresses race, each starting a little after the one before it (RFC 8305).
//!
//! The kernel repeats a lost first packet only after a whole second. A single address is therefore tried a
//! second time beside the first after the same quarter of a second. A proxy, when there are any, is dialled
//! from here.

use dormouse_model::DialFailure;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

/// The first connection that stands. The caller sets the deadline.
pub(crate) async fn race(addresses: &[SocketAddr], stagger: Duration) -> Result<TcpStream, DialFailure> {
    let mut waiting = addresses.iter().copied().rev().collect::<Vec<_>>();
    let mut again = (addresses.len() == 1)
        .then(|| addresses.first().copied())
        .flatten();
    let mut running = FuturesUnordered::new();
    let mut worst: Option<DialFailure> = None;
    let mut next_start = Instant::now();
    loop {
        let more = !waiting.is_empty() || again.is_some();
        tokio::select! {
            biased;
            Some(outcome) = running.next() => match outcome {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    // What has been refused will be refused again: the second try is for what got lost.
                    again = None;
                    let failure = failure(&error);
                    if worst.as_ref().is_none_or(|worst| weight(&failure) > weight(worst)) {
                        worst = Some(failure);
                    }
                    next_start = Instant::now();
                }
            },
            () = sleep_until(next_start), if more => {
                if let Some(address) = waiting.pop().or_else(|| again.take()) {
                    running.push(connect(address));
                }
                next_start = Instant::now() + stagger;
            }
            else => return Err(worst.unwrap_or(DialFailure::Unreachable)),
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Every frame of ours is a whole thought; held back it costs a round trip.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Of several failures the one that says most is told: that somebody is there and refuses.
fn weight(failure: &DialFailure) -> u8 {
    match failure {
        DialFailure::Refused => 3,
        DialFailure::TimedOut(_) => 2,
        DialFailure::Broken(_) => 1,
        _ => 0,
    }
}

fn failure(error: &io::Error) -> DialFailure {
    match error.kind() {
        ErrorKind::ConnectionRefused => DialFailure::Refused,
        ErrorKind::TimedOut => DialFailure::TimedOut(dormouse_model::DialStep::Tcp),
        ErrorKind::NetworkUnreachable
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        // A firewall's answer on Linux.
        | ErrorKind::PermissionDenied => DialFailure::Unreachable,
        _ => DialFailure::Broken(error.to_string()),
    }
}

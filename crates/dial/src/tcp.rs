//! TCP: the addresses race, each starting a little after the one before it (RFC 8305 section 5).
//!
//! The kernel repeats a lost first packet only after a whole second. An address that has neither answered nor
//! failed is therefore tried a second time beside the first, after all others have been tried once. Addresses may
//! still come while the race is on (section 3): those that are remembered start, those that are looked up beside
//! them join. A proxy is dialled from here as well.

use crate::quick_ack::QuickAck;
use dormouse_model::DialFailure;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

/// The first connection that stands, of these addresses and those that are still `to_come`. The caller sets the
/// deadline.
pub(crate) async fn race(
    addresses: &[SocketAddr],
    to_come: impl Future<Output = Vec<SocketAddr>>,
    stagger: Duration,
) -> Result<QuickAck, DialFailure> {
    let mut to_come = pin!(to_come);
    let mut looking = true;
    let mut known = addresses.to_vec();
    let mut first = VecDeque::from(known.clone());
    let mut second = VecDeque::new();
    let mut running = FuturesUnordered::new();
    let mut worst: Option<DialFailure> = None;
    let mut next_start = Instant::now();
    loop {
        let more = !first.is_empty() || !second.is_empty();
        tokio::select! {
            biased;
            Some((address, outcome)) = running.next() => match outcome {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    // What has been refused will be refused again: the second try is for what got lost.
                    second.retain(|waiting| *waiting != address);
                    let failure = failure(&error);
                    if worst.as_ref().is_none_or(|worst| weight(&failure) > weight(worst)) {
                        worst = Some(failure);
                    }
                    next_start = Instant::now();
                }
            },
            found = &mut to_come, if looking => {
                looking = false;
                for address in found {
                    if !known.contains(&address) {
                        known.push(address);
                        first.push_back(address);
                    }
                }
            }
            () = sleep_until(next_start), if more => {
                if let Some(address) = first.pop_front() {
                    second.push_back(address);
                    running.push(connect(address));
                } else if let Some(address) = second.pop_front() {
                    running.push(connect(address));
                }
                next_start = Instant::now() + stagger;
            }
            else => return Err(worst.unwrap_or(DialFailure::Unreachable)),
        }
    }
}

async fn connect(address: SocketAddr) -> (SocketAddr, io::Result<QuickAck>) {
    let stream = TcpStream::connect(address).await;
    (address, stream.and_then(QuickAck::new))
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

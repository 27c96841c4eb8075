//! One connection: a task that dials, then reads and writes frames until it is dropped.
//!
//! Frames that come in wait in a bounded queue: a core that can't keep up slows the server down by
//! TCP's own means. Frames that go out are written as many at a time as have gathered; a server that asks and
//! asks and reads none of the answers is given up before they fill the memory.

use crate::path::Path;
use crate::present::now;
use crate::wire::Wire;
use dormouse_diagnosis::wire::{Direction, Opcode};
use dormouse_dial::{Aborter, Connected, Dialler, Inbound, Target, Writer};
use dormouse_model::{Channel, Closing, ConnId, DialFailure, Way};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tracing::Instrument;

/// How long frames already handed over may still take to leave after the line was dropped.
const LINGER: Duration = Duration::from_secs(2);
/// How long a line has been open before the domain is asked whether its endpoint still is the right one: signing in
/// and catching up come first.
const SETTLED: Duration = Duration::from_secs(60);

/// Bytes that may wait to be written. All that a user ever typed is less; who takes none of so much is not reading.
const MOST_WAITING: usize = 64 * 1024 * 1024;

/// What a line tells.
#[derive(Debug)]
pub enum LineEvent {
    /// It is open.
    Dialled {
        /// What it offers to sign-in.
        channel: Channel,
        /// Where it leads and what protects it.
        path: Path,
        /// The same, as it is to be remembered.
        way: Way,
    },
    /// What was dialled works, and its domain names something else by now.
    Moved(Way),
    /// It could not be opened.
    Failed(DialFailure),
    /// A text frame.
    Frame(String),
    /// Bytes that are no text frame.
    Activity,
    /// It ended.
    Closed(Closing),
}

/// Nothing is ever sent: only the end of its sender says something.
enum Never {}

/// A line, dialling or open. Dropping it gives it up.
pub struct Line {
    conn: ConnId,
    wire: Wire,
    frames: UnboundedSender<String>,
    waiting: Arc<Waiting>,
    _dropped: oneshot::Sender<Never>,
    task: JoinHandle<()>,
    /// What ends an open line at once; empty while it is dialling.
    open: Arc<OnceLock<Open>>,
}

/// The bytes that wait to be written.
#[derive(Debug, Default)]
struct Waiting(AtomicUsize);

impl Waiting {
    /// So many more wait. False if that is too much.
    fn add(&self, bytes: usize) -> bool {
        self.0.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= MOST_WAITING
    }

    /// So many have been written.
    fn written(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The parts of an open line that outlive its dropping, unless they are told otherwise.
struct Open {
    aborter: Aborter,
    writer: AbortHandle,
}

impl Line {
    /// Starts dialling.
    pub fn dial(
        conn: ConnId,
        dialler: Dialler,
        target: Target,
        events: Sender<(ConnId, LineEvent)>,
        wire: Wire,
        mute: watch::Receiver<bool>,
        span: tracing::Span,
    ) -> Self {
        let (frames, outgoing) = unbounded_channel();
        let (alive, dropped) = oneshot::channel();
        let open = Arc::new(OnceLock::new());
        let waiting = Arc::new(Waiting::default());
        let outgoing = Outgoing {
            frames: outgoing,
            waiting: Arc::clone(&waiting),
        };
        let work = live(
            conn,
            dialler,
            target,
            outgoing,
            dropped,
            Told {
                events,
                wire: wire.clone(),
                mute,
            },
            Arc::clone(&open),
        );
        let task = tokio::spawn(work.instrument(span));
        Self {
            conn,
            wire,
            frames,
            waiting,
            _dropped: alive,
            task,
            open,
        }
    }

    /// Ends it now: what waits to be written must never arrive.
    pub fn abort(self) {
        self.reset();
    }

    fn reset(&self) {
        if let Some(open) = self.open.get() {
            open.aborter.abort();
            open.writer.abort();
        }
    }

    /// Hands a frame over to be written.
    pub fn send(&self, frame: String) {
        if !self.waiting.add(frame.len()) {
            tracing::warn!("the server reads nothing of what is said to it: the line is given up");
            // The reader tells that it has ended.
            return self.reset();
        }
        self.wire.text(self.conn, Direction::Out, &frame);
        // A line that has ended has said so, or is about to.
        let _ = self.frames.send(frame);
    }
}

/// Who is told of what comes.
struct Told {
    events: Sender<(ConnId, LineEvent)>,
    wire: Wire,
    /// Nothing is read while this is true.
    mute: watch::Receiver<bool>,
}

/// What waits to be written, on the writer's side.
struct Outgoing {
    frames: UnboundedReceiver<String>,
    waiting: Arc<Waiting>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn live(
    conn: ConnId,
    dialler: Dialler,
    target: Target,
    outgoing: Outgoing,
    dropped: oneshot::Receiver<Never>,
    Told {
        events,
        wire,
        mut mute,
    }: Told,
    open: Arc<OnceLock<Open>>,
) {
    let Connected {
        channel,
        local_addr,
        peer_addr,
        way,
        socket,
        aborter,
        tls,
    } = match dialler.dial(target.clone()).await {
        Ok(connected) => connected,
        Err(failure) => {
            tracing::info!(?failure, "dial failed");
            let _ = events.send((conn, LineEvent::Failed(failure))).await;
            return;
        }
    };
    tracing::info!(peer = %peer_addr, encrypted = channel.encrypted, "dialled");
    let (mut reader, writer) = socket.split();
    // The writer ends by itself when the line is dropped: what was handed over before still leaves.
    let writing = tokio::spawn(write(writer, outgoing, dropped).in_current_span());
    let _ = open.set(Open {
        aborter,
        writer: writing.abort_handle(),
    });
    let dialled = LineEvent::Dialled {
        channel,
        path: Path {
            endpoint: way.endpoint.clone(),
            local: local_addr,
            peer: peer_addr,
            tls,
            heard: now().stamp,
        },
        way: way.clone(),
    };
    if events.send((conn, dialled)).await.is_err() {
        return;
    }
    let mut beside = JoinSet::new();
    if target.endpoint.is_none() {
        let events = events.clone();
        let check = async move {
            tokio::time::sleep(SETTLED).await;
            if let Some(endpoint) = dialler.successor(&target.domain, &way.endpoint).await {
                let addresses = Vec::new();
                let moved = LineEvent::Moved(Way { endpoint, addresses });
                let _ = events.send((conn, moved)).await;
            }
        };
        beside.spawn(check.in_current_span());
    }
    loop {
        let inbound = tokio::select! {
            biased;
            // Dropping the read loses nothing.
            () = until(&mut mute, true) => {
                until(&mut mute, false).await;
                continue;
            }
            inbound = reader.next() => inbound,
        };
        let event = match inbound {
            Ok(Inbound::Text(text)) => {
                wire.text(conn, Direction::In, &text);
                LineEvent::Frame(text)
            }
            Ok(inbound @ (Inbound::Ping | Inbound::Pong)) => {
                let ping = inbound == Inbound::Ping;
                wire.control(conn, if ping { Opcode::Ping } else { Opcode::Pong });
                LineEvent::Activity
            }
            Err(closing) => {
                wire.closed(conn, &closing);
                tracing::info!(?closing, "closed");
                let _ = events.send((conn, LineEvent::Closed(closing))).await;
                return;
            }
        };
        if events.send((conn, event)).await.is_err() {
            return;
        }
    }
}

/// Waits until it is so. A driver that is gone never says so again.
async fn until(mute: &mut watch::Receiver<bool>, so: bool) {
    if mute.wait_for(|mute| *mute == so).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Writes until the line ends, or has been dropped and its time is up: a dead peer takes nothing.
async fn write(writer: Writer, outgoing: Outgoing, dropped: oneshot::Receiver<Never>) {
    let too_late = async {
        let _ = dropped.await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        () = write_all(writer, outgoing) => {}
        () = too_late => {}
    }
}

async fn write_all(mut writer: Writer, mut outgoing: Outgoing) {
    let mut gathered = Vec::new();
    while outgoing.frames.recv_many(&mut gathered, 64).await > 0 {
        let bytes = gathered.iter().map(String::len).sum();
        // The reader learns of a broken socket, with its reason, by itself.
        if writer.send_all(std::mem::take(&mut gathered)).await.is_err() {
            return;
        }
        outgoing.waiting.written(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_server_that_does_not_read_is_bounded() {
        let waiting = Waiting::default();
        assert!(waiting.add(MOST_WAITING));
        assert!(!waiting.add(1));
        waiting.written(MOST_WAITING + 1);
        assert!(waiting.add(1), "whoever reads again is given more");
    }
}

//! One connection: a task that dials, then reads and writes frames until it is dropped.
//!
//! Frames that come in wait in a bounded queue: a core that can't keep up slows the server down by
//! TCP's own means. Frames that go out are written as many at a time as have gathered.

use dormouse_dial::{Aborter, Connected, Dialler, Inbound, Target, Writer};
use dormouse_model::{Channel, Closing, ConnId, DialFailure, Way};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tracing::Instrument;

/// How long frames already handed over may still take to leave after the line was dropped.
const LINGER: Duration = Duration::from_secs(2);
/// How long a line has been open before the domain is asked whether its endpoint still is the right one: signing in
/// and catching up come first.
const SETTLED: Duration = Duration::from_secs(60);

/// What a line tells.
#[derive(Debug)]
pub enum LineEvent {
    /// It is open.
    Dialled {
        /// What it offers to sign-in.
        channel: Channel,
        /// The local address it leaves from.
        local: IpAddr,
        /// Where it leads, as given, remembered or found.
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
    frames: UnboundedSender<String>,
    _dropped: oneshot::Sender<Never>,
    task: JoinHandle<()>,
    /// What ends an open line at once; empty while it is dialling.
    open: Arc<OnceLock<Open>>,
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
        span: tracing::Span,
    ) -> Self {
        let (frames, outgoing) = unbounded_channel();
        let (alive, dropped) = oneshot::channel();
        let open = Arc::new(OnceLock::new());
        let work = live(
            conn,
            dialler,
            target,
            outgoing,
            dropped,
            events,
            Arc::clone(&open),
        );
        let task = tokio::spawn(work.instrument(span));
        Self {
            frames,
            _dropped: alive,
            task,
            open,
        }
    }

    /// Ends it now: what waits to be written must never arrive.
    pub fn abort(self) {
        if let Some(open) = self.open.get() {
            open.aborter.abort();
            open.writer.abort();
        }
    }

    /// Hands a frame over to be written.
    pub fn send(&self, frame: String) {
        // A line that has ended has said so, or is about to.
        let _ = self.frames.send(frame);
    }
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
    outgoing: UnboundedReceiver<String>,
    dropped: oneshot::Receiver<Never>,
    events: Sender<(ConnId, LineEvent)>,
    open: Arc<OnceLock<Open>>,
) {
    let Connected {
        channel,
        local_addr,
        peer_addr,
        way,
        socket,
        aborter,
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
        local: local_addr.ip(),
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
        let event = match reader.next().await {
            Ok(Inbound::Text(text)) => LineEvent::Frame(text),
            Ok(Inbound::Activity) => LineEvent::Activity,
            Err(closing) => {
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

/// Writes until the line ends, or has been dropped and its time is up: a dead peer takes nothing.
async fn write(writer: Writer, outgoing: UnboundedReceiver<String>, dropped: oneshot::Receiver<Never>) {
    let too_late = async {
        let _ = dropped.await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        () = write_all(writer, outgoing) => {}
        () = too_late => {}
    }
}

async fn write_all(mut writer: Writer, mut outgoing: UnboundedReceiver<String>) {
    let mut gathered = Vec::new();
    while outgoing.recv_many(&mut gathered, 64).await > 0 {
        // The reader learns of a broken socket, with its reason, by itself.
        if writer.send_all(std::mem::take(&mut gathered)).await.is_err() {
            return;
        }
    }
}

//! What an engine's holder may ask of it, and gets.

use crate::batches::Batches;
use crate::check::Subject;
use crate::path::Status;
use crate::secret::Secret;
use dormouse_account::Command;
use dormouse_model::{BareJid, Change, MessageId, Observer};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

/// What happens to the machine or the window, told by hand: by the shell (visibility) and by tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The machine is about to sleep.
    Suspending,
    /// It woke after this long.
    Resumed(Option<Duration>),
    /// The network came or went, perhaps with the route of the socket.
    Network {
        /// Whether there is any.
        up: bool,
        /// The route of the current socket is gone.
        route_lost: bool,
    },
    /// The window was shown or hidden.
    Visible(bool),
}

/// Everything a window shows: first what is, then what changes, in order.
pub struct Subscription {
    /// The present as changes from nothing.
    pub snapshot: Vec<Change>,
    /// What follows.
    pub changes: UnboundedReceiver<Change>,
}

impl Subscription {
    /// For somebody who draws them: the present, and what follows in batches whose rate is bounded.
    pub fn batches(self) -> (Vec<Change>, Batches) {
        (self.snapshot, Batches::new(self.changes))
    }
}

/// What the engine's holder wants.
pub enum Request {
    /// The user's wish.
    Command(Command),
    /// A text, with the id wanted back.
    Send {
        /// To whom.
        to: BareJid,
        /// What.
        body: String,
        /// Where the id goes.
        reply: oneshot::Sender<MessageId>,
    },
    /// A password, the first or another one.
    SignIn(Secret),
    /// User and password for the proxy.
    ProxyLogin(Secret),
    /// Something told by hand.
    Happened(Happening),
    /// Prepare for sleep and say when ready.
    Suspend {
        /// Told when ready.
        reply: oneshot::Sender<()>,
    },
    /// Snapshot and changes.
    Subscribe {
        /// Where they go.
        reply: oneshot::Sender<Subscription>,
    },
    /// Somebody counts from now on.
    Observe(Observer),
    /// What is known.
    Status {
        /// Where it goes.
        reply: oneshot::Sender<Status>,
    },
    /// What a check of this account needs.
    Subject {
        /// Where it goes.
        reply: oneshot::Sender<Subject>,
    },
    /// Be cut off as if the machine slept. Ended before its time by the reply's other side being dropped.
    SimulateSleep {
        /// For how long.
        length: Duration,
        /// Told afterwards for how long it was; dropped where it can't be done.
        reply: oneshot::Sender<Duration>,
    },
    /// End, and leave the stream open.
    Leave,
}

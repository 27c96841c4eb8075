//! What happens to an account, and what it wants done. The whole interface between the core and a
//! driver, be it the engine with real sockets or the simulator.

use dormouse_model::{
    BareJid, Batch, BatchId, Change, Channel, Closing, ConnId, DialFailure, Endpoint, JournalEntry,
    MessageId, Network, Transition, Way,
};
use dormouse_xmpp::{Credentials, Token};
use std::time::Duration;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The account shall be online from now on.
    Start,
    /// A dial succeeded: the WebSocket is open.
    Dialled {
        /// Which.
        conn: ConnId,
        /// What it offers to sign-in.
        channel: Channel,
        /// Where it leads.
        endpoint: Endpoint,
        /// Through which network.
        network: Network,
    },
    /// Which way a connection leads; again, if what was remembered of it turns out to be out of date.
    Reached {
        /// Which.
        conn: ConnId,
        /// To be dialled next time.
        way: Way,
    },
    /// A dial came to nothing.
    DialFailed {
        /// Which.
        conn: ConnId,
        /// Why.
        failure: DialFailure,
    },
    /// A text frame came.
    Frame {
        /// On which connection.
        conn: ConnId,
        /// The frame's text.
        text: String,
    },
    /// Bytes came that are no text frame (a WebSocket ping, part of a message).
    Activity(ConnId),
    /// A connection ended, or broke.
    Closed {
        /// Which.
        conn: ConnId,
        /// How.
        closing: Closing,
    },
    /// A batch, and all before it, have reached the disk.
    Durable(BatchId),
    /// The disk refuses writes. Look-ups go on; nothing gets durable.
    StoreFailed(String),
    /// The disk takes writes again, and has all that was issued.
    StoreRecovered,
    /// The machine is about to sleep: answer with [`Output::MaySleep`] as soon as everything is safe.
    Suspending,
    /// As [`Input::Suspending`], but the machine stays awake: the driver will be mute and deaf until it tells
    /// [`Input::Resumed`].
    SimulatedSleep,
    /// The machine woke.
    Resumed {
        /// For how long it slept, where that is known.
        slept: Option<Duration>,
        /// Whether the sleep is certain (a signal of the system, or a clock that counts sleep).
        proven: bool,
    },
    /// The network changed.
    Network {
        /// Whether there is any.
        up: bool,
        /// The address or route of the current socket is gone.
        route_lost: bool,
    },
    /// The window was shown or hidden.
    Visible(bool),
    /// The screen was unlocked: somebody is about to look.
    Unlocked,
    /// The user's wish.
    Command(Command),
    /// The user gave a password, the first or another one: sign in with it, at once.
    SignIn(Credentials),
    /// A token of an earlier process was found in the keyring.
    TokenFound(Token),
    /// The last [`Output::KeepToken`] has been done: this token may be used.
    TokenKept,
    /// The time of [`crate::Account::deadline`] has come.
    Tick,
}

/// A wish of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Send a text. Works the same offline.
    Send {
        /// To whom.
        to: BareJid,
        /// What.
        body: String,
        /// Comes back with the id it was given, in [`Output::Written`].
        tag: Option<u64>,
    },
    /// Replace the text of an own message.
    Edit {
        /// Which.
        id: MessageId,
        /// The new text.
        body: String,
    },
    /// Withdraw an own message.
    Retract(MessageId),
    /// Send a failed message again.
    Retry(MessageId),
    /// Give up a message that has not been sent.
    Discard(MessageId),
    /// Everything in this conversation has been seen.
    Read(BareJid),
    /// Keep what is typed; an empty text keeps nothing.
    Draft {
        /// In which conversation.
        to: BareJid,
        /// What.
        text: String,
    },
    /// The user types, or stopped.
    Typing {
        /// In which conversation.
        to: BareJid,
        /// Whether.
        typing: bool,
    },
    /// Read older history of this conversation from the archive.
    Older(BareJid),
    /// Put somebody on the roster and ask to see their presence; of somebody who is there already only the
    /// name changes.
    Add {
        /// Whom.
        address: BareJid,
        /// A name for them; none keeps the one they have, an empty one takes it away.
        name: Option<String>,
    },
    /// Let somebody see our presence, who asked.
    Accept(BareJid),
    /// Don't.
    Decline(BareJid),
    /// Take somebody off the roster.
    Remove(BareJid),
    /// Hear nothing of somebody any more (XEP-0191).
    Block(BareJid),
    /// Hear of them again.
    Unblock(BareJid),
    /// Don't wait for the next attempt.
    RetryNow,
    /// Ask the server whether it is there after so long a silence, on every network; none: as long as each network is known
    /// to allow. Kept; at least 5 s and at most the ordinary 25 s.
    Interval(Option<Duration>),
    /// Close the stream and stay offline; answered by [`Output::MayQuit`].
    Quit,
}

/// Something to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Apply this batch now, before the next input; tell when it is durable.
    Write(Batch),
    /// Dial; answer with `Dialled` or `DialFailed`.
    Dial {
        /// The number of the connection to be.
        conn: ConnId,
        /// Another host than the account's own endpoint, named by the server.
        endpoint: Option<Endpoint>,
        /// The way that worked last: where its endpoint is the one to be dialled, or none is given, neither
        /// endpoint nor addresses need to be found first.
        known: Option<Way>,
    },
    /// Send a text frame.
    Frame {
        /// On which connection.
        conn: ConnId,
        /// The frame's text.
        text: String,
    },
    /// The stream has ended: close this socket once what was sent before has left.
    Hangup(ConnId),
    /// Drop this socket at once, or stop dialling. What waits to be sent on it must not arrive later, behind the
    /// back of the connection that replaces it: the socket is reset, not closed.
    Abort(ConnId),
    /// Keep this token in the keyring, in place of the one there; answer with [`Input::TokenKept`], also where nothing
    /// can be kept beyond this process.
    KeepToken(Token),
    /// The token in the keyring is worth nothing any more.
    ForgetToken,
    /// Tell the window.
    Change(Change),
    /// The connection's state changed, as it stands in its history: for whoever counts. The window is told by the
    /// [`Change::Connection`] that follows.
    Transition(Box<Transition>),
    /// An own message, or what changes one, was handed to the session to be sent: for whoever counts.
    HandedOver(MessageId),
    /// Write into the log; the record is in a batch already.
    Journal(JournalEntry),
    /// The message of a [`Command::Send`] with a tag has got this id.
    Written {
        /// The tag.
        tag: u64,
        /// The id.
        id: MessageId,
    },
    /// Everything is on disk and acknowledged: the machine may sleep.
    MaySleep,
    /// Everything is on disk and the stream is closed: the program may end.
    MayQuit,
}

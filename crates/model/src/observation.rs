//! What a running account tells whoever counts: enough for figures over time, and nothing that anybody wrote.
//!
//! Observations begin with [`Observation::Begins`] and the present state. Whoever counts is called in the account's own
//! thread, so a count is exact and costs no queue; it must not wait for anything.

use crate::{Change, Closing, ConnId, DialFailure, MessageId, Now, Transition};

/// Something that happened to an account, told while it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation<'a> {
    /// From here on things are told. The newest message that was there before, if any was.
    Begins(Option<MessageId>),
    /// A window is told so; the connection's state among it.
    Change(&'a Change),
    /// The connection's state changed, as it is kept in its history. Told before the change.
    Transition(&'a Transition),
    /// A session goes on or a new one has begun.
    SignedIn {
        /// The SASL mechanism's registered name.
        mechanism: &'a str,
        /// Whether it is the earlier session (XEP-0198).
        resumed: bool,
    },
    /// A connection is being opened. It ends in exactly one of the four that follow.
    Dialling(ConnId),
    /// It could not be opened.
    DialFailed(ConnId, &'a DialFailure),
    /// It was open, and ended from the other side or by the network.
    Closed(ConnId, &'a Closing),
    /// It was given up here, open or not: no longer needed, or no longer believed.
    GivenUp(ConnId),
    /// An own message, or what changes one, was handed to the session to be sent, perhaps again.
    HandedOver(MessageId),
    /// What is not settled has changed.
    Unsettled {
        /// Messages, edits and retractions that wait or are in doubt.
        outbox: usize,
        /// Everything missed has been read back.
        caught_up: bool,
    },
}

/// Whoever counts. False: it wants to hear no more.
pub type Observer = Box<dyn FnMut(Now, Observation<'_>) -> bool + Send>;

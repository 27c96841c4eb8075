//! One stream, on one connection, and how far it has come.

use crate::Credentials;
use crate::sasl::SignIn;
use crate::stream::StreamFeatures;
use crate::stream_management::Unacked;
use dormouse_model::{Channel, ConnId};

/// The states of a stream, in the order in which it walks through them. (SASL2 with everything inline will
/// be a way from `Features` straight to `Ready`.)
pub(super) enum Phase {
    /// `<open/>` is sent.
    Opening,
    /// The server opened too; its features will follow.
    Features,
    /// Proving who we are.
    Authenticating(SignIn),
    /// Signed in; `<open/>` is sent again.
    Reopening,
    /// The server opened again; the features of a signed-in client will follow.
    FeaturesAgain,
    /// `<resume/>` is sent. Nothing is bound before this is refused.
    Resuming,
    /// A resource is asked for.
    Binding,
    /// `<enable/>` is sent, and behind it these stanzas: they count.
    Enabling(Vec<Unacked>),
    /// Stanzas flow.
    Ready,
    /// We closed the stream; the server's `<close/>` is awaited.
    Closing,
}

impl Phase {
    /// Whether a session lives on the stream, or may.
    pub(super) fn holds_session(&self) -> bool {
        matches!(
            self,
            Phase::Resuming | Phase::Binding | Phase::Enabling(_) | Phase::Ready | Phase::Closing
        )
    }

    /// For the journal.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Phase::Opening => "opening",
            Phase::Features => "awaiting features",
            Phase::Authenticating(_) => "signing in",
            Phase::Reopening => "reopening",
            Phase::FeaturesAgain => "awaiting features again",
            Phase::Resuming => "resuming",
            Phase::Binding => "binding",
            Phase::Enabling(_) => "enabling stream management",
            Phase::Ready => "ready",
            Phase::Closing => "closing",
        }
    }
}

/// One stream.
pub(super) struct Stream {
    pub conn: ConnId,
    pub channel: Channel,
    /// Wiped once signed in.
    pub credentials: Option<Credentials>,
    pub offer: StreamFeatures,
    pub phase: Phase,
    /// Channel binding was refused on this stream.
    pub without_binding: bool,
    /// A resource was refused on this stream because it is taken.
    pub rebound: bool,
    /// The full address bound on this stream.
    pub address: String,
}

impl Stream {
    pub(super) fn new(conn: ConnId, channel: Channel, credentials: Credentials) -> Self {
        Self {
            conn,
            channel,
            credentials: Some(credentials),
            offer: StreamFeatures::default(),
            phase: Phase::Opening,
            without_binding: false,
            rebound: false,
            address: String::new(),
        }
    }
}

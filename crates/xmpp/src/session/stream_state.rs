//! One stream, on one connection, and how far it has come.

use super::sign_in::Attempt;
use crate::Credentials;
use crate::fast::Token;
use crate::stream::StreamFeatures;
use crate::stream_management::Unacked;
use dormouse_model::{Channel, ConnId, Tick};

/// The states of a stream, in the order in which it walks through them. SASL2 with
/// everything inside goes from `Authenticating` straight to `Ready`.
pub(super) enum Phase {
    /// `<open/>` is sent.
    Opening,
    /// The server opened too; its features will follow.
    Features,
    /// Proving who we are.
    Authenticating,
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
    /// For the journal.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Phase::Opening => "opening",
            Phase::Features => "awaiting features",
            Phase::Authenticating => "signing in",
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
    /// When it was opened.
    pub since: Tick,
    pub channel: Channel,
    /// Wiped once signed in.
    pub credentials: Option<Credentials>,
    /// Until it is used, or refused.
    pub token: Option<Token>,
    /// The sign-in under way.
    pub attempt: Option<Attempt>,
    /// What the latest one is, or was, made with.
    pub mechanism: Option<&'static str>,
    /// Something was sent that the server had not asked for yet, and it has not answered.
    pub ahead: bool,
    /// Nothing is sent ahead on it: it was begun so.
    pub step_by_step: bool,
    /// `<resume/>` was sent and not answered: what becomes of the stream becomes of the session.
    pub resume_sent: bool,
    /// It was opened anew before the server had accepted the sign-in.
    pub reopened_with_proof: bool,
    /// The session on it is an earlier stream's.
    pub resumed: bool,
    /// It is, and nothing shows yet that the server hears us here: whatever it counts is kept back.
    pub unheard: bool,
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
    pub(super) fn new(
        (conn, since): (ConnId, Tick),
        channel: Channel,
        credentials: Credentials,
        token: Option<Token>,
    ) -> Self {
        Self {
            conn,
            since,
            channel,
            credentials: Some(credentials),
            token,
            attempt: None,
            mechanism: None,
            ahead: false,
            step_by_step: false,
            resume_sent: false,
            reopened_with_proof: false,
            resumed: false,
            unheard: false,
            offer: StreamFeatures::default(),
            phase: Phase::Opening,
            without_binding: false,
            rebound: false,
            address: String::new(),
        }
    }

    /// Whether a session lives on the stream, or may.
    pub(super) fn holds_session(&self) -> bool {
        self.resume_sent
            || matches!(
                self.phase,
                Phase::Resuming | Phase::Binding | Phase::Enabling(_) | Phase::Ready | Phase::Closing
            )
    }

    /// Whether nobody between us and the server can read it.
    pub(super) fn is_private(&self) -> bool {
        self.channel.encrypted || self.channel.loopback
    }
}

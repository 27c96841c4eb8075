//! The steps of a check, and which needs which.

use dormouse_model::DialStep;

/// A step, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The name of the server, or of the endpoint that was given, becomes addresses.
    Name,
    /// The domain names its endpoint (XEP-0156).
    Discovery,
    /// One of the addresses answers.
    Tcp,
    /// The proxy in between opens the way.
    Proxy,
    /// The connection is encrypted, and the certificate is trusted.
    Tls,
    /// The WebSocket opens (RFC 7395).
    WebSocket,
    /// The server takes the password.
    SignIn,
    /// A connection that broke is taken up again (XEP-0198).
    Resumption,
    /// The archive answers (XEP-0313).
    Archive,
    /// How long answers take.
    RoundTrip,
    /// The connection survives a silence.
    Idle,
    /// The app's own connection recovers from a sleep that it simulates.
    Sleep,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Step; 12] = [
        Step::Name,
        Step::Discovery,
        Step::Tcp,
        Step::Proxy,
        Step::Tls,
        Step::WebSocket,
        Step::SignIn,
        Step::Resumption,
        Step::Archive,
        Step::RoundTrip,
        Step::Idle,
        Step::Sleep,
    ];

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Step::Name => "name",
            Step::Discovery => "discovery",
            Step::Tcp => "tcp",
            Step::Proxy => "proxy",
            Step::Tls => "tls",
            Step::WebSocket => "websocket",
            Step::SignIn => "sign-in",
            Step::Resumption => "resumption",
            Step::Archive => "archive",
            Step::RoundTrip => "round-trip",
            Step::Idle => "idle",
            Step::Sleep => "sleep",
        }
    }

    /// Its name for people, in English.
    pub fn title(self) -> &'static str {
        match self {
            Step::Name => "Name",
            Step::Discovery => "Discovery",
            Step::Tcp => "TCP",
            Step::Proxy => "Proxy",
            Step::Tls => "TLS",
            Step::WebSocket => "WebSocket",
            Step::SignIn => "Sign-in",
            Step::Resumption => "Resumption",
            Step::Archive => "Archive",
            Step::RoundTrip => "Round trip",
            Step::Idle => "Silence",
            Step::Sleep => "Simulated sleep",
        }
    }

    /// Whether it can't be tried once `other` has failed: up to the sign-in each step stands on the one before it, and
    /// all that follows stands on the sign-in.
    pub fn needs(self, other: Step) -> bool {
        other < self && other <= Step::SignIn
    }

    /// The step of a check that this step of a dial belongs to.
    pub fn of_dial(step: DialStep) -> Step {
        match step {
            DialStep::Discovery => Step::Discovery,
            // Behind the look-up of the first step this one is the endpoint's own name's, or the proxy's.
            DialStep::Names | DialStep::Tcp => Step::Tcp,
            DialStep::Proxy => Step::Proxy,
            DialStep::Tls => Step::Tls,
            DialStep::WebSocket => Step::WebSocket,
        }
    }
}

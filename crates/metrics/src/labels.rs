//! The words that stand in labels. There are only so many of each: what servers choose is sorted into few kinds.

use dormouse_model::{Cause, Closing, DialFailure, DialStep};
use std::borrow::Cow;

/// A label's value.
pub type Word = Cow<'static, str>;

/// The mechanisms that are named; any other is `other`.
const MECHANISMS: [&str; 11] = [
    "PLAIN",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-512-PLUS",
    "HT-SHA-256-EXPR",
    "HT-SHA-256-NONE",
    "HT-SHA-512-EXPR",
    "HT-SHA-512-NONE",
];

/// HTTP statuses that say something to an operator; the rest is counted by hundreds.
const NAMED_STATUSES: [u16; 8] = [401, 403, 404, 429, 500, 502, 503, 504];

/// Why a state was entered.
pub fn cause(cause: &Cause) -> &'static str {
    use Cause::*;
    match cause {
        Started => "started",
        UserAsked => "user-asked",
        Dialled => "dialled",
        SignedIn => "signed-in",
        Resumed => "resumed",
        CaughtUp => "caught-up",
        Answered => "answered",
        Suspending => "suspending",
        Woke => "woke",
        SimulatedSleep => "simulated-sleep",
        SimulatedWake => "simulated-wake",
        Shown => "shown",
        Unlocked => "unlocked",
        NetworkChanged => "network-changed",
        NetworkDown => "network-down",
        NetworkUp => "network-up",
        SlowAnswer => "slow-answer",
        NoAnswer => "no-answer",
        Unacknowledged => "unacknowledged",
        SpareReady => "spare-ready",
        BackoffOver => "backoff-over",
        Lost => "lost",
        ClosedByServer { .. } => "closed-by-server",
        ServerRestarting => "server-restarting",
        Throttled => "throttled",
        ServerTrouble { .. } => "server-trouble",
        PolicyViolation { .. } => "policy-violation",
        Conflict => "conflict",
        SessionGone => "session-gone",
        SeeOther(_) => "see-other",
        ProtocolViolation(_) => "protocol-violation",
        TimedOut(_) => "timed-out",
        NameNotFound(_) => "name-not-found",
        NoWebSocket(_) => "no-websocket",
        BadEndpoint(_) => "bad-endpoint",
        Unreachable => "unreachable",
        Proxy { .. } => "proxy",
        BadCertificate(_) => "bad-certificate",
        Intercepted(_) => "intercepted",
        NoPassword => "no-password",
        WrongPassword => "wrong-password",
        AccountDisabled { .. } => "account-disabled",
        NoSafeMechanism => "no-safe-mechanism",
        ServerNotGenuine => "server-not-genuine",
        StoreFailed => "store-failed",
    }
}

/// How a connection that could not be opened ended: outcome and, where the server answered with one, HTTP status.
pub fn dial_failure(failure: &DialFailure) -> (&'static str, Word) {
    let outcome = match failure {
        DialFailure::NameNotFound => "name-not-found",
        DialFailure::NamesUnavailable => "names-unavailable",
        DialFailure::NoWebSocket => "no-websocket",
        DialFailure::BadEndpoint(_) => "bad-endpoint",
        DialFailure::Refused => "refused",
        DialFailure::Unreachable => "unreachable",
        DialFailure::TimedOut(step) => match step {
            DialStep::Discovery => "discovery-timed-out",
            DialStep::Names => "names-timed-out",
            DialStep::Tcp => "tcp-timed-out",
            DialStep::Proxy => "proxy-timed-out",
            DialStep::Tls => "tls-timed-out",
            DialStep::WebSocket => "websocket-timed-out",
        },
        DialFailure::Proxy { .. } => "proxy",
        DialFailure::Certificate(_) => "certificate",
        DialFailure::Tls(_) => "tls",
        DialFailure::Http { status, .. } => return ("http", http_status(*status)),
        DialFailure::NotWebSocket(_) => "not-websocket",
        DialFailure::Broken(_) => "broken",
    };
    (outcome, Word::Borrowed(""))
}

/// How an open connection ended, with the WebSocket close code (1006: there was none).
pub fn closing(closing: &Closing) -> (&'static str, Word) {
    match closing {
        Closing::Frame { code, .. } => ("closed", close_code(*code)),
        Closing::Eof | Closing::Broken(_) => ("lost", Word::Borrowed("1006")),
        Closing::TooLarge => ("too-large", Word::Borrowed("1009")),
        Closing::Malformed(_) => ("malformed", Word::Borrowed("1002")),
    }
}

/// A mechanism's registered name.
pub fn mechanism(name: &str) -> &'static str {
    MECHANISMS
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("other")
}

/// The registered codes one by one (RFC 6455 section 7.4), the server's own by thousands.
fn close_code(code: u16) -> Word {
    match code {
        1000..=1015 => Word::Owned(code.to_string()),
        3000..=3999 => Word::Borrowed("3xxx"),
        4000..=4999 => Word::Borrowed("4xxx"),
        _ => Word::Borrowed("other"),
    }
}

fn http_status(status: u16) -> Word {
    if NAMED_STATUSES.contains(&status) {
        return Word::Owned(status.to_string());
    }
    Word::Borrowed(match status {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => "other",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn whatever_codes_a_server_invents_they_make_few_series() {
        let codes: BTreeSet<Word> = (0..=u16::MAX).map(close_code).collect();
        let statuses: BTreeSet<Word> = (0..=u16::MAX).map(http_status).collect();
        assert_eq!((codes.len(), statuses.len()), (19, 13));
        assert_eq!(mechanism("SCRAM-SHA-1"), "SCRAM-SHA-1");
        assert_eq!(mechanism("X-INVENTED-TODAY"), "other");
    }

    #[test]
    fn what_a_server_says_is_in_no_label() {
        let reason = "call 555-0100".to_owned();
        let close = Closing::Frame {
            code: 4321,
            reason: reason.clone(),
        };
        assert_eq!(closing(&close), ("closed", Word::Borrowed("4xxx")));
        let said = cause(&Cause::ClosedByServer { code: 4321, reason });
        assert_eq!(said, "closed-by-server");
    }
}

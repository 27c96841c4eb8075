//! Why it closed decides: the one table from failures to what is done about them.
//!
//! Only what the user can mend stops the account: a refused password, a disabled account, and, before the
//! account has ever worked, what looks like a wrong address or endpoint. Once an account has worked,
//! the same signs mean trouble at the server or a network in between (a captive portal shows its own
//! certificate, its own 404), and Dormouse goes on trying.

use crate::stream::StreamError;
use dormouse_model::{Action, Cause, Closing, DialFailure, ProxyProblem, Verdict};
use std::time::Duration;

/// However long a server asks us to wait, we ask again after this.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What is known of the account for which a failure is judged.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The domain of its address.
    pub domain: &'a str,
    /// Whether it has signed in before.
    pub has_worked: bool,
}

impl Account<'_> {
    /// A failure that says that something was set up wrongly, unless it has worked before.
    fn stop_or(self, action: Action, cause: Cause, otherwise: Cause) -> Verdict {
        if self.has_worked {
            Verdict::new(action, otherwise)
        } else {
            Verdict::new(Action::Stop, cause)
        }
    }
}

fn trouble(what: impl Into<String>) -> Cause {
    Cause::ServerTrouble { what: what.into() }
}

/// A dial that came to nothing.
pub fn dial(failure: &DialFailure, account: Account<'_>) -> Verdict {
    let domain = account.domain.to_owned();
    match failure {
        DialFailure::NameNotFound => {
            account.stop_or(Action::Retry, Cause::NameNotFound(domain), Cause::Unreachable)
        }
        DialFailure::NoWebSocket => account.stop_or(
            Action::RetrySlowly,
            Cause::NoWebSocket(domain.clone()),
            Cause::NoWebSocket(domain),
        ),
        DialFailure::BadEndpoint(what) => account.stop_or(
            Action::RetrySlowly,
            Cause::BadEndpoint(what.clone()),
            Cause::BadEndpoint(what.clone()),
        ),
        DialFailure::NamesUnavailable | DialFailure::Refused | DialFailure::Unreachable => {
            Verdict::new(Action::Retry, Cause::Unreachable)
        }
        DialFailure::TimedOut(step) => Verdict::new(Action::Retry, Cause::TimedOut(*step)),
        DialFailure::Proxy { proxy, problem } => at_proxy(proxy, *problem, account),
        DialFailure::Certificate(problem) => account.stop_or(
            Action::Retry,
            Cause::BadCertificate(*problem),
            Cause::Intercepted(*problem),
        ),
        DialFailure::Tls(_) => Verdict::new(Action::Retry, trouble("TLS")),
        DialFailure::Http { status, retry_after } => http(*status, *retry_after, account),
        DialFailure::NotWebSocket(_) => account.stop_or(
            Action::RetrySlowly,
            Cause::BadEndpoint("what answers there does not speak XMPP over WebSocket".to_owned()),
            trouble("no WebSocket"),
        ),
        DialFailure::Broken(_) => Verdict::new(Action::Retry, Cause::Lost),
    }
}

/// A proxy let nobody through. One that does nothing at the moment is tried again as a server is; what is set up wrongly is
/// waited out only by an account that has worked: elsewhere there may be another proxy, or none.
fn at_proxy(proxy: &str, problem: ProxyProblem, account: Account<'_>) -> Verdict {
    let cause = Cause::Proxy {
        proxy: proxy.to_owned(),
        problem,
    };
    match problem {
        ProxyProblem::Unreachable | ProxyProblem::CannotReach(_) => Verdict::new(Action::Retry, cause),
        // So does one look that dies while it is asked.
        ProxyProblem::NotAProxy => account.stop_or(Action::Retry, cause.clone(), cause),
        ProxyProblem::WantsPassword
        | ProxyProblem::WrongPassword
        | ProxyProblem::Refused(_)
        | ProxyProblem::Unusable => account.stop_or(Action::RetrySlowly, cause.clone(), cause),
    }
}

/// The upgrade was answered with an HTTP status (RFC 6455 section 4.1).
fn http(status: u16, retry_after: Option<Duration>, account: Account<'_>) -> Verdict {
    let what = format!("HTTP {status}");
    let wait = retry_after.map(|wait| Action::RetryAfter(wait.min(LONGEST_WAIT)));
    match status {
        429 => Verdict::new(wait.unwrap_or(Action::RetrySlowly), Cause::Throttled),
        503 => Verdict::new(wait.unwrap_or(Action::Retry), trouble(what)),
        // Behind a proxy: the server itself is away for a moment.
        500 | 502 | 504 | 520..=530 => Verdict::new(Action::Retry, trouble(what)),
        400..=499 | 501 | 505 => account.stop_or(
            Action::RetrySlowly,
            Cause::BadEndpoint(format!("it answers {what}")),
            trouble(what),
        ),
        _ => Verdict::new(Action::RetrySlowly, trouble(what)),
    }
}

/// The socket closed.
pub fn closing(closing: &Closing) -> Verdict {
    match closing {
        Closing::Frame { code, reason } => close_code(*code, reason),
        Closing::Eof | Closing::Broken(_) => Verdict::new(Action::Retry, Cause::Lost),
        Closing::TooLarge => Verdict::new(
            Action::RetrySlowly,
            Cause::ProtocolViolation("a frame that is too large".to_owned()),
        ),
        Closing::Malformed(_) => Verdict::new(
            Action::RetrySlowly,
            Cause::ProtocolViolation("a frame that is none".to_owned()),
        ),
    }
}

/// WebSocket close codes (RFC 6455 section 7.4 and the IANA registry).
fn close_code(code: u16, reason: &str) -> Verdict {
    let closed = || Cause::ClosedByServer {
        code,
        reason: reason.chars().take(120).collect(),
    };
    let text = (!reason.is_empty()).then(|| reason.chars().take(120).collect());
    match code {
        // Normal: ejabberd ends idle sockets so.
        1000 => Verdict::new(Action::Retry, closed()),
        1001 | 1012 => Verdict::new(Action::RetryScattered, Cause::ServerRestarting),
        1005 | 1006 => Verdict::new(Action::Retry, Cause::Lost),
        1008 => Verdict::new(Action::RetrySlowly, Cause::PolicyViolation { text }),
        1011 | 1014 => Verdict::new(Action::Retry, trouble(format!("WebSocket {code}"))),
        1013 => Verdict::new(Action::RetrySlowly, Cause::Throttled),
        // 1002, 1003, 1007, 1009, 1010: we said something that the server does not take. 4xxx: known
        // to that server alone, and always a decision against us.
        1002..=1010 | 1015 | 4000..=4999 => Verdict::new(Action::RetrySlowly, closed()),
        _ => Verdict::new(Action::Retry, closed()),
    }
}

/// The server ended the stream with `<close/>` and no error.
pub fn stream_closed(see_other: Option<&str>) -> Verdict {
    match see_other {
        // Never to where the password or the messages could be read on the way.
        Some(uri) if uri.starts_with("wss://") => {
            Verdict::new(Action::Retry, Cause::SeeOther(uri.to_owned()))
        }
        Some(_) => Verdict::new(
            Action::RetrySlowly,
            Cause::ProtocolViolation("sent us to an unencrypted place".to_owned()),
        ),
        None => close_code(1000, ""),
    }
}

/// The server ended the stream with an error (RFC 6120 section 4.9.3).
pub(crate) fn stream_error(error: &StreamError, account: Account<'_>) -> Verdict {
    let condition = error.condition.as_str();
    match condition {
        "conflict" => Verdict::new(Action::NewResource, Cause::Conflict),
        "connection-timeout" => Verdict::new(Action::Retry, Cause::Lost),
        "host-gone" | "host-unknown" => account.stop_or(
            Action::RetrySlowly,
            Cause::NameNotFound(account.domain.to_owned()),
            trouble(condition),
        ),
        "system-shutdown" | "reset" => Verdict::new(Action::RetryScattered, Cause::ServerRestarting),
        "policy-violation" => Verdict::new(
            Action::RetrySlowly,
            Cause::PolicyViolation {
                text: error.text.clone(),
            },
        ),
        "resource-constraint" => Verdict::new(Action::RetrySlowly, trouble(condition)),
        // Names a host and not an endpoint: the endpoint is found anew, not there.
        "see-other-host" => Verdict::new(Action::Retry, Cause::SeeOther(error.detail.clone())),
        "internal-server-error" | "remote-connection-failed" | "undefined-condition" => {
            Verdict::new(Action::Retry, trouble(condition))
        }
        "not-authorized" => Verdict::new(Action::RetrySlowly, trouble(condition)),
        // What we sent, the server can't read. Sending it again won't help; a fresh session may.
        "bad-format"
        | "bad-namespace-prefix"
        | "improper-addressing"
        | "invalid-from"
        | "invalid-namespace"
        | "invalid-xml"
        | "not-well-formed"
        | "restricted-xml"
        | "unsupported-encoding"
        | "unsupported-feature"
        | "unsupported-stanza-type"
        | "unsupported-version" => Verdict::new(Action::RetrySlowly, trouble(condition)),
        // A condition of tomorrow. Its name is data.
        _ => Verdict::new(
            Action::Retry,
            trouble(condition.chars().take(60).collect::<String>()),
        ),
    }
}

/// Whether a stream error says that something we sent can't be read: sent again, it would end the next stream too.
pub(crate) fn blames_what_we_sent(condition: &str) -> bool {
    matches!(
        condition,
        "bad-format"
            | "bad-namespace-prefix"
            | "improper-addressing"
            | "invalid-from"
            | "invalid-namespace"
            | "invalid-xml"
            | "not-well-formed"
            | "policy-violation"
            | "restricted-xml"
            | "unsupported-encoding"
            | "unsupported-stanza-type"
    )
}

/// The server refused the sign-in (RFC 6120 section 6.5).
pub(crate) fn sasl(condition: &str, text: Option<String>, account: Account<'_>) -> Verdict {
    match condition {
        "not-authorized" => Verdict::new(Action::Stop, Cause::WrongPassword),
        "account-disabled" => Verdict::new(Action::Stop, Cause::AccountDisabled { text }),
        "credentials-expired" => Verdict::new(
            Action::Stop,
            Cause::AccountDisabled {
                text: text.or_else(|| Some("the password has expired".to_owned())),
            },
        ),
        "temporary-auth-failure" | "aborted" => Verdict::new(Action::Retry, trouble(condition)),
        "encryption-required" | "mechanism-too-weak" | "invalid-mechanism" => account.stop_or(
            Action::RetrySlowly,
            Cause::NoSafeMechanism,
            Cause::NoSafeMechanism,
        ),
        "incorrect-encoding" | "malformed-request" | "invalid-authzid" => {
            Verdict::new(Action::RetrySlowly, trouble(condition))
        }
        _ => Verdict::new(
            Action::RetrySlowly,
            trouble(condition.chars().take(60).collect::<String>()),
        ),
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;

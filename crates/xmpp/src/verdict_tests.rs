//! Every row of the table.

use super::*;
use dormouse_model::{CertificateProblem, DialStep, ProxyAnswer};

const NEW: Account<'_> = Account {
    domain: "home.example",
    has_worked: false,
};
const WORKED: Account<'_> = Account {
    domain: "home.example",
    has_worked: true,
};

fn http(status: u16, seconds: Option<u64>) -> DialFailure {
    DialFailure::Http {
        status,
        retry_after: seconds.map(Duration::from_secs),
    }
}

fn at_proxy(problem: ProxyProblem) -> DialFailure {
    DialFailure::Proxy {
        proxy: "socks5://proxy.example:1080".into(),
        problem,
    }
}

#[test]
fn each_failed_dial_has_its_verdict() {
    use Action::*;
    let other = CertificateProblem::WrongName;
    for (failure, first, later) in [
        (DialFailure::NameNotFound, Stop, Retry),
        (DialFailure::NamesUnavailable, Retry, Retry),
        (DialFailure::NoWebSocket, Stop, RetrySlowly),
        (DialFailure::BadEndpoint("ws".into()), Stop, RetrySlowly),
        (DialFailure::Refused, Retry, Retry),
        (DialFailure::Unreachable, Retry, Retry),
        (DialFailure::TimedOut(DialStep::Tls), Retry, Retry),
        (DialFailure::TimedOut(DialStep::Proxy), Retry, Retry),
        (at_proxy(ProxyProblem::Unreachable), Retry, Retry),
        (
            at_proxy(ProxyProblem::CannotReach(ProxyAnswer::Socks(5))),
            Retry,
            Retry,
        ),
        (at_proxy(ProxyProblem::NotAProxy), Stop, Retry),
        (at_proxy(ProxyProblem::WantsPassword), Stop, RetrySlowly),
        (at_proxy(ProxyProblem::WrongPassword), Stop, RetrySlowly),
        (
            at_proxy(ProxyProblem::Refused(ProxyAnswer::Http(403))),
            Stop,
            RetrySlowly,
        ),
        (at_proxy(ProxyProblem::Unusable), Stop, RetrySlowly),
        (DialFailure::Certificate(other), Stop, Retry),
        (DialFailure::Tls("alert".into()), Retry, Retry),
        (http(301, None), RetrySlowly, RetrySlowly),
        (http(401, None), Stop, RetrySlowly),
        (http(403, None), Stop, RetrySlowly),
        (http(404, None), Stop, RetrySlowly),
        (http(501, None), Stop, RetrySlowly),
        (http(429, None), RetrySlowly, RetrySlowly),
        (
            http(429, Some(90)),
            RetryAfter(Duration::from_secs(90)),
            RetryAfter(Duration::from_secs(90)),
        ),
        (
            http(429, Some(1 << 40)),
            RetryAfter(LONGEST_WAIT),
            RetryAfter(LONGEST_WAIT),
        ),
        (http(502, None), Retry, Retry),
        (http(503, None), Retry, Retry),
        (
            http(503, Some(7)),
            RetryAfter(Duration::from_secs(7)),
            RetryAfter(Duration::from_secs(7)),
        ),
        (DialFailure::NotWebSocket("html".into()), Stop, RetrySlowly),
        (DialFailure::Broken("reset".into()), Retry, Retry),
    ] {
        assert_eq!(dial(&failure, NEW).action, first, "{failure:?} at first");
        assert_eq!(dial(&failure, WORKED).action, later, "{failure:?} later");
    }
    let certificate = DialFailure::Certificate(other);
    assert_eq!(dial(&certificate, NEW).cause, Cause::BadCertificate(other));
    assert_eq!(dial(&certificate, WORKED).cause, Cause::Intercepted(other));
    assert_eq!(dial(&http(429, None), NEW).cause, Cause::Throttled);
}

#[test]
fn each_way_a_socket_closes_has_its_verdict() {
    use Action::*;
    let frame = |code, reason: &str| Closing::Frame {
        code,
        reason: reason.into(),
    };
    for (closed, action) in [
        (frame(1000, ""), Retry),
        (frame(1001, ""), RetryScattered),
        (frame(1002, ""), RetrySlowly),
        (frame(1003, ""), RetrySlowly),
        (frame(1005, ""), Retry),
        (frame(1006, ""), Retry),
        (frame(1007, ""), RetrySlowly),
        (frame(1008, "no"), RetrySlowly),
        (frame(1009, ""), RetrySlowly),
        (frame(1010, ""), RetrySlowly),
        (frame(1011, ""), Retry),
        (frame(1012, ""), RetryScattered),
        (frame(1013, ""), RetrySlowly),
        (frame(1014, ""), Retry),
        (frame(3000, ""), Retry),
        (frame(4000, ""), RetrySlowly),
        (frame(4999, ""), RetrySlowly),
        (Closing::Eof, Retry),
        (Closing::Broken("reset".into()), Retry),
        (Closing::TooLarge, RetrySlowly),
        (Closing::Malformed("binary".into()), RetrySlowly),
    ] {
        assert_eq!(closing(&closed).action, action, "{closed:?}");
    }
    let policy = closing(&frame(1008, "spam"));
    assert_eq!(
        policy.cause,
        Cause::PolicyViolation {
            text: Some("spam".into())
        }
    );
    assert_eq!(closing(&frame(1013, "")).cause, Cause::Throttled);
    assert_eq!(closing(&Closing::Eof).cause, Cause::Lost);
}

#[test]
fn each_stream_error_has_its_verdict() {
    use Action::*;
    for (condition, first, later) in [
        ("bad-format", RetrySlowly, RetrySlowly),
        ("bad-namespace-prefix", RetrySlowly, RetrySlowly),
        ("conflict", NewResource, NewResource),
        ("connection-timeout", Retry, Retry),
        ("host-gone", Stop, RetrySlowly),
        ("host-unknown", Stop, RetrySlowly),
        ("improper-addressing", RetrySlowly, RetrySlowly),
        ("internal-server-error", Retry, Retry),
        ("invalid-from", RetrySlowly, RetrySlowly),
        ("invalid-namespace", RetrySlowly, RetrySlowly),
        ("invalid-xml", RetrySlowly, RetrySlowly),
        ("not-authorized", RetrySlowly, RetrySlowly),
        ("not-well-formed", RetrySlowly, RetrySlowly),
        ("policy-violation", RetrySlowly, RetrySlowly),
        ("remote-connection-failed", Retry, Retry),
        ("reset", RetryScattered, RetryScattered),
        ("resource-constraint", RetrySlowly, RetrySlowly),
        ("restricted-xml", RetrySlowly, RetrySlowly),
        ("see-other-host", Retry, Retry),
        ("system-shutdown", RetryScattered, RetryScattered),
        ("undefined-condition", Retry, Retry),
        ("unsupported-encoding", RetrySlowly, RetrySlowly),
        ("unsupported-feature", RetrySlowly, RetrySlowly),
        ("unsupported-stanza-type", RetrySlowly, RetrySlowly),
        ("unsupported-version", RetrySlowly, RetrySlowly),
        ("of-tomorrow", Retry, Retry),
    ] {
        let error = StreamError {
            condition: condition.into(),
            detail: String::new(),
            text: None,
        };
        assert_eq!(stream_error(&error, NEW).action, first, "{condition} at first");
        assert_eq!(stream_error(&error, WORKED).action, later, "{condition} later");
    }
}

#[test]
fn each_refused_sign_in_has_its_verdict() {
    use Action::*;
    for (condition, first, later) in [
        ("aborted", Retry, Retry),
        ("account-disabled", Stop, Stop),
        ("credentials-expired", Stop, Stop),
        ("encryption-required", Stop, RetrySlowly),
        ("incorrect-encoding", RetrySlowly, RetrySlowly),
        ("invalid-authzid", RetrySlowly, RetrySlowly),
        ("invalid-mechanism", Stop, RetrySlowly),
        ("malformed-request", RetrySlowly, RetrySlowly),
        ("mechanism-too-weak", Stop, RetrySlowly),
        ("not-authorized", Stop, Stop),
        ("temporary-auth-failure", Retry, Retry),
        ("of-tomorrow", RetrySlowly, RetrySlowly),
    ] {
        assert_eq!(sasl(condition, None, NEW).action, first, "{condition} at first");
        assert_eq!(sasl(condition, None, WORKED).action, later, "{condition} later");
    }
    assert_eq!(sasl("not-authorized", None, NEW).cause, Cause::WrongPassword);
}

#[test]
fn elsewhere_is_followed_over_tls_only() {
    assert_eq!(
        stream_closed(Some("wss://b/ws")).cause,
        Cause::SeeOther("wss://b/ws".into())
    );
    assert!(matches!(
        stream_closed(Some("ws://b/ws")).cause,
        Cause::ProtocolViolation(_)
    ));
    assert_eq!(stream_closed(None).action, Action::Retry);
}

#[test]
fn the_reason_that_is_shown_is_the_one_that_was_given() {
    let closed = |code| {
        let reason = String::new();
        closing(&Closing::Frame { code, reason }).cause
    };
    assert_eq!(closed(1011), trouble("WebSocket 1011"));
    assert_eq!(closed(1014), trouble("WebSocket 1014"));
    let ended = |condition: &str| {
        let error = StreamError {
            condition: condition.into(),
            detail: "b.example".into(),
            text: None,
        };
        stream_error(&error, WORKED).cause
    };
    assert_eq!(ended("connection-timeout"), Cause::Lost);
    assert_eq!(ended("see-other-host"), Cause::SeeOther("b.example".into()));
}

//! Every code has its sentence in every language.

use super::*;
use dormouse_engine::model::ReadError;

fn words(tag: &str) -> Words {
    Words::new(Translations::of(tag).unwrap())
}

/// A cause of every kind. The match makes the compiler ask for new ones.
fn causes() -> Vec<Cause> {
    use Cause::*;
    let some = || "something".to_owned();
    let mut all = vec![
        Started,
        UserAsked,
        Dialled,
        SignedIn,
        Resumed,
        CaughtUp,
        Answered,
        Suspending,
        Woke,
        SimulatedSleep,
        SimulatedWake,
        Shown,
        Unlocked,
        NetworkChanged,
        NetworkDown,
        NetworkUp,
        SlowAnswer,
        NoAnswer,
        Unacknowledged,
        SpareReady,
        BackoffOver,
        Lost,
        ServerRestarting,
        Throttled,
        Conflict,
        SessionGone,
        Unreachable,
        NoPassword,
        WrongPassword,
        NoSafeMechanism,
        ServerNotGenuine,
        StoreFailed,
        ClosedByServer {
            code: 1011,
            reason: String::new(),
        },
        ClosedByServer {
            code: 1011,
            reason: some(),
        },
        ServerTrouble { what: some() },
        PolicyViolation { text: None },
        PolicyViolation { text: Some(some()) },
        SeeOther(some()),
        ProtocolViolation(some()),
        NameNotFound(some()),
        NoWebSocket(some()),
        BadEndpoint(some()),
        AccountDisabled { text: None },
        AccountDisabled { text: Some(some()) },
    ];
    all.extend(
        [
            DialStep::Discovery,
            DialStep::Names,
            DialStep::Tcp,
            DialStep::Proxy,
            DialStep::Tls,
            DialStep::WebSocket,
        ]
        .map(TimedOut),
    );
    all.extend(
        [
            ProxyProblem::Unreachable,
            ProxyProblem::WantsPassword,
            ProxyProblem::WrongPassword,
            ProxyProblem::Refused(ProxyAnswer::Http(403)),
            ProxyProblem::CannotReach(ProxyAnswer::Socks(5)),
            ProxyProblem::NotAProxy,
            ProxyProblem::Unusable,
        ]
        .map(|problem| Proxy {
            proxy: some(),
            problem,
        }),
    );
    for problem in [
        CertificateProblem::WrongName,
        CertificateProblem::Expired,
        CertificateProblem::UnknownIssuer,
        CertificateProblem::Revoked,
        CertificateProblem::Invalid,
    ] {
        all.extend([BadCertificate(problem), Intercepted(problem)]);
    }
    all
}

fn notices() -> Vec<Notice> {
    let cannot = [
        CannotDo::NothingSaid,
        CannotDo::NotConnected,
        CannotDo::NoBlocking,
        CannotDo::BlockingRefused,
        CannotDo::NotYours,
        CannotDo::Withdrawn,
        CannotDo::Nameless,
        CannotDo::AlreadySent,
        CannotDo::NotFailed,
    ];
    let mut all = vec![
        Notice::NoArchive,
        Notice::NoResumption,
        Notice::StoreFailed("the disk is full".into()),
        Notice::StoreRecovered,
        Notice::CacheSetAside { saved: 0 },
        Notice::CacheSetAside { saved: 2 },
        Notice::Unreadable(2),
    ];
    all.extend(cannot.map(Notice::CannotDo));
    all
}

fn failures() -> Vec<Failure> {
    let mut all = vec![Failure::ContactRemoved, Failure::TooLarge];
    for condition in [
        "service-unavailable",
        "item-not-found",
        "remote-server-timeout",
        "forbidden",
        "gone",
    ] {
        for text in [None, Some("their words".to_owned())] {
            all.push(Failure::Bounced {
                condition: condition.into(),
                text,
            });
        }
    }
    all
}

#[test]
fn english_says_of_every_cause_what_the_engine_says() {
    let english = words("en");
    for cause in causes() {
        assert_eq!(english.cause(&cause), cause.sentence(), "{cause:?}");
    }
}

#[test]
fn english_says_of_every_notice_what_the_engine_says() {
    let english = words("en");
    for notice in notices() {
        assert_eq!(english.notice(&notice), notice.sentence(), "{notice:?}");
    }
}

/// Everything that can be said in a language.
fn everything(tag: &str) -> Vec<String> {
    let words = words(tag);
    let mut said: Vec<String> = causes().iter().map(|cause| words.cause(cause)).collect();
    said.extend(notices().iter().map(|notice| words.notice(notice)));
    said.extend(failures().iter().map(|failure| words.failure(failure)));
    for content in [
        Content::Encrypted("OMEMO".into()),
        Content::Unreadable("a picture".into()),
        Content::Retracted,
    ] {
        said.extend(words.stand_in(&content));
    }
    for warning in [
        Warning::NameIsAnotherAddress("a@example.org".into()),
        Warning::Imitates("a@example.org".into()),
        Warning::Bidi,
        Warning::MixedScripts,
    ] {
        said.push(words.warning(&warning));
    }
    for error in [
        KeyringError::Missing,
        KeyringError::Locked,
        KeyringError::Failed("why".into()),
    ] {
        said.extend([
            words.not_kept(&error),
            words.wants_password(&error),
            words.forget_failed(&error),
        ]);
    }
    for error in [
        StartError::System("why".into()),
        StartError::Read(ReadError::Failed("why".into())),
        StartError::Store(dormouse_engine::OpenError::DiskFull),
        StartError::Store(dormouse_engine::OpenError::InUse("folder".into())),
        StartError::Store(dormouse_engine::OpenError::Newer {
            folder: "folder".into(),
            found: 2,
            known: 1,
        }),
        StartError::Store(dormouse_engine::OpenError::Io {
            folder: "folder".into(),
            why: "why".into(),
        }),
    ] {
        said.push(words.start_error(&error));
    }
    said.push(words.too_long(1024));
    said.push(words.notification_title("Juliet", 3));
    for key in KEYS {
        said.push(words.plain(key));
    }
    said
}

/// What is said by its key alone.
const KEYS: [&str; 13] = [
    "refusal-address",
    "refusal-address-without-name",
    "refusal-password-missing",
    "refusal-too-long",
    "refusal-took-too-long",
    "refusal-ended",
    "keyring-slow",
    "keyring-empty",
    "ask-empty",
    "ask-place",
    "ask-link",
    "ask-link-failed",
    "notification-open",
];

#[test]
fn everything_can_be_said_in_every_language_and_nothing_is_left_unfilled() {
    for tag in ["en", "de"] {
        for said in everything(tag) {
            assert!(said.contains(char::is_alphanumeric), "{tag}: {said:?}");
            assert!(!said.contains(['{', '}', '$']), "{tag}: {said}");
            assert!(
                ![
                    "cause-", "notice-", "failure-", "refusal-", "ask-", "start-", "keyring-"
                ]
                .iter()
                .any(|prefix| said.starts_with(prefix)),
                "{tag} lacks {said}"
            );
        }
    }
}

#[test]
fn german_is_not_english() {
    let (english, german) = (everything("en"), everything("de"));
    let same = english
        .iter()
        .zip(&german)
        .filter(|(one, other)| one == other)
        .count();
    // What the engine says in words of its own, and a name.
    assert!(same <= 2, "{same} sentences are not translated");
}

#[test]
fn what_a_server_says_of_a_failed_message_is_quoted() {
    let failure = Failure::Bounced {
        condition: "forbidden".into(),
        text: Some("go\u{202e} away".into()),
    };
    let said = words("en").failure(&failure);
    assert_eq!(
        said,
        "Their server does not let this message through. The server says: “go away”"
    );
}

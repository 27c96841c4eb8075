//! Everything the shell says to people, in their language: one function per kind of thing that is to be said.
//!
//! The engine speaks in codes ([`Cause`], [`Notice`], [`Failure`]...) with English beside them; here each
//! gets the sentence of [`crate::translations`]. Every match names every variant, so that a new one can't
//! be forgotten.

mod check;
mod history;

use crate::protocol::{LinkIntent, LinkRequest, Text};
use crate::translations::{Translations, data};
use crate::updates::Trouble;
use crate::xmpp_link::{LinkWish, XmppLink};
use crate::{catalogue, links};
use dormouse_engine::model::{
    CannotDo, Cause, CertificateProblem, Content, DialStep, Failure, Notice, ProxyAnswer, ProxyProblem,
};
use dormouse_engine::{KeyringError, StartError};
use dormouse_names::Warning;
use fluent_bundle::FluentValue;
use std::collections::BTreeMap;

/// What is said, in one language.
pub struct Words {
    translations: Translations,
}

impl Words {
    /// In this language.
    pub fn new(translations: Translations) -> Self {
        Self { translations }
    }

    /// The language's BCP 47 tag.
    pub fn language(&self) -> &'static str {
        self.translations.tag()
    }

    /// The window's own words.
    pub fn of_the_window(&self) -> BTreeMap<String, Text> {
        catalogue::compile(&self.translations)
    }

    /// A sentence without variables.
    pub fn plain(&self, key: &str) -> String {
        self.translations.say(key, &[])
    }

    /// A sentence with one variable, whose value came from elsewhere.
    pub fn about(&self, key: &str, name: &str, value: &str) -> String {
        self.translations.say(key, &[(name, data(value))])
    }

    fn number(&self, key: &str, name: &str, value: u64) -> String {
        self.translations.say(key, &[(name, value.into())])
    }

    /// Why the connection is in its state.
    pub fn cause(&self, cause: &Cause) -> String {
        let key = match cause {
            Cause::Started => "cause-started",
            Cause::UserAsked => "cause-user-asked",
            Cause::Dialled => "cause-dialled",
            Cause::SignedIn => "cause-signed-in",
            Cause::Resumed => "cause-resumed",
            Cause::CaughtUp => "cause-caught-up",
            Cause::Answered => "cause-answered",
            Cause::Suspending => "cause-suspending",
            Cause::Woke => "cause-woke",
            Cause::SimulatedSleep => "cause-simulated-sleep",
            Cause::SimulatedWake => "cause-simulated-wake",
            Cause::Shown => "cause-shown",
            Cause::Unlocked => "cause-unlocked",
            Cause::NetworkChanged => "cause-network-changed",
            Cause::NetworkDown => "cause-network-down",
            Cause::NetworkUp => "cause-network-up",
            Cause::SlowAnswer => "cause-slow-answer",
            Cause::NoAnswer => "cause-no-answer",
            Cause::Unacknowledged => "cause-unacknowledged",
            Cause::SpareReady => "cause-spare-ready",
            Cause::BackoffOver => "cause-backoff-over",
            Cause::Lost => "cause-lost",
            Cause::ClosedByServer { code, reason } => {
                let code = FluentValue::from(code.to_string());
                return if reason.is_empty() {
                    self.translations.say("cause-closed-by-server", &[("code", code)])
                } else {
                    let values = [("code", code), ("reason", data(reason))];
                    self.translations.say("cause-closed-by-server-saying", &values)
                };
            }
            Cause::ServerRestarting => "cause-server-restarting",
            Cause::Throttled => "cause-throttled",
            Cause::ServerTrouble { what } => return self.about("cause-server-trouble", "what", what),
            Cause::PolicyViolation { text: Some(text) } => {
                return self.about("cause-policy-violation-saying", "text", text);
            }
            Cause::PolicyViolation { text: None } => "cause-policy-violation",
            Cause::Conflict => "cause-conflict",
            Cause::SessionGone => "cause-session-gone",
            Cause::SeeOther(host) => return self.about("cause-see-other", "host", host),
            Cause::ProtocolViolation(what) => return self.about("cause-protocol-violation", "what", what),
            Cause::TimedOut(DialStep::Discovery) => "cause-timed-out-discovery",
            Cause::TimedOut(DialStep::Names) => "cause-timed-out-names",
            Cause::TimedOut(DialStep::Tcp) => "cause-timed-out-tcp",
            Cause::TimedOut(DialStep::Proxy) => "cause-timed-out-proxy",
            Cause::TimedOut(DialStep::Tls) => "cause-timed-out-tls",
            Cause::TimedOut(DialStep::WebSocket) => "cause-timed-out-websocket",
            Cause::NameNotFound(name) => return self.about("cause-name-not-found", "name", name),
            Cause::NoWebSocket(name) => return self.about("cause-no-websocket", "name", name),
            Cause::BadEndpoint(what) => return self.about("cause-bad-endpoint", "what", what),
            Cause::Unreachable => "cause-unreachable",
            Cause::Proxy { proxy, problem } => return self.proxy(proxy, *problem),
            Cause::BadCertificate(problem) => {
                return self.about("cause-bad-certificate", "problem", &self.certificate(*problem));
            }
            Cause::Intercepted(problem) => {
                return self.about("cause-intercepted", "problem", &self.certificate(*problem));
            }
            Cause::NoPassword => "cause-no-password",
            Cause::WrongPassword => "cause-wrong-password",
            Cause::AccountDisabled { text: Some(text) } => {
                return self.about("cause-account-disabled-saying", "text", text);
            }
            Cause::AccountDisabled { text: None } => "cause-account-disabled",
            Cause::NoSafeMechanism => "cause-no-safe-mechanism",
            Cause::ServerNotGenuine => "cause-server-not-genuine",
            Cause::StoreFailed => "cause-store-failed",
        };
        self.plain(key)
    }

    fn proxy(&self, proxy: &str, problem: ProxyProblem) -> String {
        let answered = |key: &str, answer: ProxyAnswer| {
            let values = [("proxy", data(proxy)), ("answer", data(&answer.to_string()))];
            self.translations.say(key, &values)
        };
        let key = match problem {
            ProxyProblem::Unreachable => "cause-proxy-unreachable",
            ProxyProblem::WantsPassword => "cause-proxy-wants-password",
            ProxyProblem::WrongPassword => "cause-proxy-wrong-password",
            ProxyProblem::Refused(answer) => return answered("cause-proxy-refused", answer),
            ProxyProblem::CannotReach(answer) => return answered("cause-proxy-cannot-reach", answer),
            ProxyProblem::NotAProxy => "cause-proxy-none",
            ProxyProblem::Unusable => "cause-proxy-unusable",
        };
        self.about(key, "proxy", proxy)
    }

    fn certificate(&self, problem: CertificateProblem) -> String {
        self.plain(match problem {
            CertificateProblem::WrongName => "certificate-wrong-name",
            CertificateProblem::Expired => "certificate-expired",
            CertificateProblem::UnknownIssuer => "certificate-unknown-issuer",
            CertificateProblem::Revoked => "certificate-revoked",
            CertificateProblem::Invalid => "certificate-invalid",
        })
    }

    /// What the user should know.
    pub fn notice(&self, notice: &Notice) -> String {
        match notice {
            Notice::NoArchive => self.plain("notice-no-archive"),
            Notice::NoResumption => self.plain("notice-no-resumption"),
            Notice::StoreFailed(why) => self.about("notice-store-failed", "why", why),
            Notice::StoreRecovered => self.plain("notice-store-recovered"),
            Notice::CacheSetAside { saved: 0 } => self.plain("notice-cache-set-aside"),
            Notice::CacheSetAside { saved } => self.number("notice-cache-set-aside-saved", "saved", *saved),
            Notice::Unreadable(count) => self.number("notice-unreadable", "count", *count),
            Notice::CannotDo(why) => self.plain(match why {
                CannotDo::NothingSaid => "cannot-nothing-said",
                CannotDo::NotConnected => "cannot-not-connected",
                CannotDo::NoBlocking => "cannot-no-blocking",
                CannotDo::BlockingRefused => "cannot-blocking-refused",
                CannotDo::NotYours => "cannot-not-yours",
                CannotDo::Withdrawn => "cannot-withdrawn",
                CannotDo::Nameless => "cannot-nameless",
                CannotDo::AlreadySent => "cannot-already-sent",
                CannotDo::NotFailed => "cannot-not-failed",
            }),
        }
    }

    /// Why an own message failed.
    pub fn failure(&self, failure: &Failure) -> String {
        match failure {
            Failure::Bounced { condition, text } => {
                let sentence = match condition.as_str() {
                    "service-unavailable" | "recipient-unavailable" => self.plain("failure-unavailable"),
                    "item-not-found" => self.plain("failure-nobody"),
                    "remote-server-not-found" | "remote-server-timeout" => {
                        self.plain("failure-server-unreachable")
                    }
                    "forbidden" | "not-allowed" | "not-authorized" | "policy-violation" => {
                        self.plain("failure-not-let-through")
                    }
                    other => self.about("failure-came-back", "condition", other),
                };
                match text {
                    Some(text) => {
                        let values = [("sentence", sentence.into()), ("text", data(text))];
                        self.translations.say("failure-saying", &values)
                    }
                    None => sentence,
                }
            }
            Failure::ContactRemoved => self.plain("failure-contact-removed"),
            Failure::TooLarge => self.plain("failure-too-large"),
        }
    }

    /// What stands for a content that can't be shown as text; none for text.
    pub fn stand_in(&self, content: &Content) -> Option<String> {
        match content {
            Content::Text(_) => None,
            Content::Encrypted(name) => Some(self.about("content-encrypted", "name", name)),
            Content::Unreadable(what) => Some(self.about("content-unreadable", "what", what)),
            Content::Retracted => Some(self.plain("content-retracted")),
        }
    }

    /// What is suspicious about a name or an address.
    pub fn warning(&self, warning: &Warning) -> String {
        match warning {
            Warning::NameIsAnotherAddress(address) => {
                self.about("warning-name-is-another-address", "address", address)
            }
            Warning::Imitates(address) => self.about("warning-imitates", "address", address),
            Warning::Bidi => self.plain("warning-bidi"),
            Warning::MixedScripts => self.plain("warning-mixed-scripts"),
        }
    }

    /// Why an account can't be started.
    pub fn start_error(&self, error: &StartError) -> String {
        use dormouse_engine::OpenError;
        match error {
            StartError::Endpoint(bad) => self.about("refusal-endpoint", "what", &bad.to_string()),
            StartError::Proxy(bad) => self.about("refusal-proxy", "what", &bad.to_string()),
            StartError::Store(OpenError::InUse(_)) => self.plain("start-in-use"),
            StartError::Store(OpenError::Newer { .. }) => self.plain("start-newer"),
            StartError::Store(OpenError::DiskFull) => self.plain("start-disk-full"),
            StartError::Store(OpenError::Io { why, .. }) => self.about("start-folder", "why", why),
            StartError::Read(error) => self.about("start-unreadable", "why", &error.to_string()),
            StartError::System(why) => self.about("start-system", "why", why),
        }
    }

    /// Why a password could not be kept.
    pub fn not_kept(&self, error: &KeyringError) -> String {
        match error {
            KeyringError::Missing => self.plain("keyring-missing"),
            KeyringError::Locked => self.plain("keyring-locked"),
            KeyringError::Failed(why) => self.about("keyring-failed", "why", why),
        }
    }

    /// Why a password has to be typed, where the keyring could not be asked for it.
    pub fn wants_password(&self, error: &KeyringError) -> String {
        match error {
            KeyringError::Missing => self.plain("wants-missing"),
            KeyringError::Locked => self.plain("wants-locked"),
            KeyringError::Failed(why) => self.about("wants-failed", "why", why),
        }
    }

    /// That the keyring keeps a secret although it was to forget it.
    pub fn forget_failed(&self, error: &KeyringError) -> String {
        self.about("forget-failed", "why", &error.to_string())
    }

    /// That an account's cache is still there although it was to go.
    pub fn cache_not_removed(&self, address: &str, error: &std::io::Error) -> String {
        let values = [("address", data(address)), ("why", data(&error.to_string()))];
        self.translations.say("cache-not-removed", &values)
    }

    /// Why a link is not opened.
    pub fn link(&self, error: &links::LinkError) -> String {
        self.plain(match error {
            links::LinkError::NotAllowed => "ask-link",
            links::LinkError::NotOpened(_) => "ask-link-failed",
        })
    }

    /// That a text is longer than may be sent.
    pub fn too_long(&self, limit_bytes: usize) -> String {
        self.number("ask-too-long", "limit", (limit_bytes / 1024) as u64)
    }

    /// The title of a notification of what came in several conversations.
    pub fn summary_title(&self, count: u64, conversations: usize) -> String {
        let conversations = u64::try_from(conversations).unwrap_or(u64::MAX);
        let values = [("count", count.into()), ("conversations", conversations.into())];
        self.translations.say("notification-summary", &values)
    }

    /// What a link from outside asks for; none: it could not be understood.
    pub fn link_request(&self, link: Option<XmppLink>) -> LinkRequest {
        let Some(link) = link else {
            return LinkRequest {
                sentence: self.plain("link-nonsense"),
                intent: LinkIntent::Nothing,
                address: String::new(),
                text: None,
            };
        };
        let address = link.address.to_string();
        let about = |key| self.about(key, "address", &address);
        let (sentence, intent, text) = match link.wish {
            LinkWish::Message { body: None } => (about("link-write"), LinkIntent::Write, None),
            LinkWish::Message { body } => (about("link-write-this"), LinkIntent::Write, body),
            LinkWish::Add { name } => (about("link-add"), LinkIntent::Add, name),
            LinkWish::Join => (about("link-join"), LinkIntent::Nothing, None),
            LinkWish::Other(what) => (self.about("link-other", "what", &what), LinkIntent::Nothing, None),
        };
        LinkRequest {
            sentence,
            intent,
            address,
            text,
        }
    }

    /// Why a new version was not installed.
    pub fn update_trouble(&self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::NotSigned => self.plain("update-not-signed"),
            Trouble::OtherVersion => self.plain("update-other-version"),
            Trouble::NotDownloaded(why) => self.about("update-not-downloaded", "why", why),
            Trouble::NotReplaced(why) => self.about("update-not-replaced", "why", why),
        }
    }

    /// What the tray is, and how much is unread.
    pub fn tray_title(&self, unread: u64) -> String {
        if unread == 0 {
            "Dormouse".to_owned()
        } else {
            self.number("tray-unread", "n", unread)
        }
    }

    /// The title of a notification: whom it is from, and how many messages there are.
    pub fn notification_title(&self, name: &str, count: u64) -> String {
        let values = [("name", data(name)), ("count", count.into())];
        self.translations.say("notification-title", &values)
    }
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;

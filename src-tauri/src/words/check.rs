//! What a check of a connection is told in. The report to be given away is in English, whatever the window speaks
//! ([`dormouse_diagnosis::check::report`]).

use super::Words;
use crate::protocol::{CheckMark, CheckStep, ConnectionCheck};
use crate::translations::data;
use dormouse_diagnosis::check::{Check, Entry, Mark, Progress, Said, Step};
use dormouse_engine::model::Continuation;
use fluent_bundle::FluentValue;
use std::net::IpAddr;
use std::time::Duration;

impl Words {
    /// A check as the window shows it.
    pub fn check(&self, check: &Check) -> ConnectionCheck {
        let cancelled = check
            .entries()
            .iter()
            .any(|it| it.progress == Progress::Cancelled);
        let verdict = match check.worst() {
            Mark::Failed => "check-verdict-failed",
            _ if cancelled => "check-verdict-cancelled",
            Mark::Lacking => "check-verdict-lacking",
            Mark::Fine | Mark::NotNeeded => "check-verdict-fine",
        };
        ConnectionCheck {
            running: !check.is_over(),
            steps: check
                .entries()
                .iter()
                .map(|entry| self.check_step(entry))
                .collect(),
            verdict: check.is_over().then(|| self.plain(verdict)),
        }
    }

    fn check_step(&self, entry: &Entry) -> CheckStep {
        let (mark, state, took, sentence) = match &entry.progress {
            Progress::ToCome => (CheckMark::ToCome, "check-state-to-come", None, None),
            Progress::UnderWay => (CheckMark::UnderWay, "check-state-under-way", None, None),
            Progress::NotTried => {
                let why = self.plain("check-not-tried");
                (CheckMark::NotTried, "check-state-not-tried", None, Some(why))
            }
            Progress::Cancelled => {
                let why = self.plain("check-cancelled");
                (CheckMark::NotTried, "check-state-not-tried", None, Some(why))
            }
            Progress::Over { took, said } => {
                let (mark, state) = match said.mark() {
                    Mark::NotNeeded => (CheckMark::NotNeeded, "check-state-not-needed"),
                    Mark::Fine => (CheckMark::Fine, "check-state-fine"),
                    Mark::Lacking => (CheckMark::Lacking, "check-state-lacking"),
                    Mark::Failed => (CheckMark::Failed, "check-state-failed"),
                };
                (
                    mark,
                    state,
                    took.map(|took| self.length(took)),
                    Some(self.said(said)),
                )
            }
        };
        CheckStep {
            name: entry.step.name().to_owned(),
            title: self.check_title(entry.step),
            mark,
            state: self.plain(state),
            took,
            sentence,
        }
    }

    fn check_title(&self, step: Step) -> String {
        self.plain(match step {
            Step::Name => "check-step-name",
            Step::Discovery => "check-step-discovery",
            Step::Tcp => "check-step-tcp",
            Step::Proxy => "check-step-proxy",
            Step::Tls => "check-step-tls",
            Step::WebSocket => "check-step-websocket",
            Step::SignIn => "check-step-sign-in",
            Step::Resumption => "check-step-resumption",
            Step::Archive => "check-step-archive",
            Step::RoundTrip => "check-step-round-trip",
            Step::Idle => "check-step-idle",
            Step::Sleep => "check-step-sleep",
        })
    }

    /// What a step found.
    fn said(&self, said: &Said) -> String {
        let say = |key: &str, values: &[(&str, FluentValue<'_>)]| self.translations.say(key, values);
        match said {
            Said::Addresses { host, addresses } => {
                let all: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                let values = [("host", data(host)), ("addresses", data(&all.join(", ")))];
                say("check-addresses", &values)
            }
            Said::IsAddress(address) => self.about("check-is-address", "address", &address.to_string()),
            Said::NoNames => self.plain("check-no-names"),
            Said::LeftToProxy => self.plain("check-left-to-proxy"),
            Said::Given(endpoint) => self.about("check-given", "endpoint", &endpoint.0),
            Said::Named {
                endpoint,
                before: None,
            } => self.about("check-named", "endpoint", &endpoint.0),
            Said::Named {
                endpoint,
                before: Some(before),
            } => {
                let values = [("endpoint", data(&endpoint.0)), ("before", data(&before.0))];
                say("check-named-another", &values)
            }
            Said::OnlyRemembered { endpoint, cause } => {
                let values = [
                    ("endpoint", data(&endpoint.0)),
                    ("cause", self.cause(cause).into()),
                ];
                say("check-only-remembered", &values)
            }
            Said::Reached(peer) => {
                let family = if peer.is_ipv6() { "IPv6" } else { "IPv4" };
                let values = [
                    ("address", data(&peer.ip().to_string())),
                    ("family", family.into()),
                    ("port", data(&peer.port().to_string())),
                ];
                say("check-reached", &values)
            }
            Said::Refused(endpoint) => self.about("check-refused", "endpoint", &endpoint.0),
            Said::EndpointNotFound { endpoint, given } => {
                let key = match given {
                    true => "check-given-not-found",
                    false => "check-endpoint-not-found",
                };
                self.about(key, "endpoint", &endpoint.0)
            }
            Said::NoProxy => self.plain("check-no-proxy"),
            Said::Through(proxy) => self.about("check-through", "proxy", proxy),
            Said::Secured {
                version,
                issuer: None,
            } => self.about("check-secured", "version", version),
            Said::Secured {
                version,
                issuer: Some(issuer),
            } => {
                let values = [("version", data(version)), ("issuer", data(issuer))];
                say("check-secured-by", &values)
            }
            Said::Plain => self.plain("check-plain"),
            Said::Upgraded => self.plain("check-upgraded"),
            Said::SignedIn {
                mechanism,
                round_trips,
            } => {
                let values = [
                    ("mechanism", data(mechanism)),
                    ("flights", self.flights(*round_trips).into()),
                ];
                say("check-signed-in", &values)
            }
            Said::Resumed { round_trips } => {
                say("check-resumed", &[("flights", self.flights(*round_trips).into())])
            }
            Said::NotResumable => self.plain("check-not-resumable"),
            Said::SessionGone => self.plain("check-session-gone"),
            Said::Archive { empty: false } => self.plain("check-archive"),
            Said::Archive { empty: true } => self.plain("check-archive-empty"),
            Said::NoArchive => self.plain("check-no-archive"),
            Said::ArchiveRefused(condition) => self.about("check-archive-refused", "condition", condition),
            Said::RoundTrips { count, median, worst } => {
                let values = [
                    ("median", self.length(*median).into()),
                    ("worst", self.length(*worst).into()),
                    ("count", (*count).into()),
                ];
                say("check-round-trips", &values)
            }
            Said::Held {
                seconds,
                broken: None,
            } => self.number("check-held", "seconds", *seconds),
            Said::Held {
                seconds,
                broken: Some(longest),
            } => {
                let values = [("seconds", (*seconds).into()), ("longest", (*longest).into())];
                say("check-held-broken", &values)
            }
            Said::IdleTimeout { seconds, code } => {
                let values = [("seconds", (*seconds).into()), ("code", data(&code.to_string()))];
                say("check-idle-timeout", &values)
            }
            Said::Forgotten { seconds } => self.number("check-forgotten", "seconds", *seconds),
            Said::Recovered {
                slept,
                took_ms,
                by,
                messages,
            } => {
                let key = match by {
                    Continuation::OldConnection => "check-recovered-old",
                    Continuation::Resumed => "check-recovered-resumed",
                    Continuation::FreshSession => "check-recovered-fresh",
                };
                let took = self.length(Duration::from_millis(*took_ms));
                let values = [
                    ("slept", (*slept).into()),
                    ("took", took.into()),
                    ("messages", (*messages).into()),
                ];
                say(key, &values)
            }
            Said::NotLive(cause) => say("check-not-live", &[("cause", self.cause(cause).into())]),
            Said::NotBack { seconds, cause } => {
                let values = [
                    ("seconds", (*seconds).into()),
                    ("cause", self.cause(cause).into()),
                ];
                say("check-not-back", &values)
            }
            Said::NotRun(why) => why.clone(),
            Said::Trouble(cause) => self.cause(cause),
        }
    }

    fn flights(&self, round_trips: u32) -> String {
        match round_trips {
            0 | 1 => self.plain("check-one-flight"),
            many => self.number("check-step-by-step", "count", many.into()),
        }
    }

    fn length(&self, length: Duration) -> String {
        match length.as_millis() {
            0 => self.plain("check-length-nothing"),
            millis @ 1..1000 => self.about("check-length-millis", "millis", &millis.to_string()),
            millis => {
                let tenths = u64::try_from(millis / 100).unwrap_or(u64::MAX);
                let values = [
                    ("seconds", data(&(tenths / 10).to_string())),
                    ("tenths", data(&(tenths % 10).to_string())),
                ];
                self.translations.say("check-length-seconds", &values)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translations::Translations;
    use dormouse_diagnosis::check::Plan;
    use dormouse_engine::model::{Cause, Endpoint};

    /// Everything a step can say. The match makes the compiler ask for what is new.
    fn everything() -> Vec<Said> {
        let endpoint = || Endpoint("wss://x.example/ws".into());
        let recovered = |by, messages| Said::Recovered {
            slept: 10,
            took_ms: 1_234,
            by,
            messages,
        };
        let all = vec![
            Said::Addresses {
                host: "x.example".into(),
                addresses: vec!["::1".parse().unwrap()],
            },
            Said::IsAddress("::1".parse().unwrap()),
            Said::NoNames,
            Said::LeftToProxy,
            Said::Given(endpoint()),
            Said::Named {
                endpoint: endpoint(),
                before: None,
            },
            Said::Named {
                endpoint: endpoint(),
                before: Some(endpoint()),
            },
            Said::OnlyRemembered {
                endpoint: endpoint(),
                cause: Cause::Unreachable,
            },
            Said::Reached("[::1]:443".parse().unwrap()),
            Said::Refused(endpoint()),
            Said::EndpointNotFound {
                endpoint: endpoint(),
                given: true,
            },
            Said::EndpointNotFound {
                endpoint: endpoint(),
                given: false,
            },
            Said::NoProxy,
            Said::Through("socks5://localhost:9050".into()),
            Said::Secured {
                version: "TLS 1.3",
                issuer: None,
            },
            Said::Secured {
                version: "TLS 1.3",
                issuer: Some("Acme".into()),
            },
            Said::Plain,
            Said::Upgraded,
            Said::SignedIn {
                mechanism: "SCRAM-SHA-256",
                round_trips: 4,
            },
            Said::Resumed { round_trips: 1 },
            Said::NotResumable,
            Said::SessionGone,
            Said::Archive { empty: false },
            Said::Archive { empty: true },
            Said::NoArchive,
            Said::ArchiveRefused("forbidden".into()),
            Said::RoundTrips {
                count: 10,
                median: Duration::from_millis(20),
                worst: Duration::from_millis(1_500),
            },
            Said::Held {
                seconds: 60,
                broken: None,
            },
            Said::Held {
                seconds: 60,
                broken: Some(30),
            },
            Said::IdleTimeout {
                seconds: 60,
                code: 1006,
            },
            Said::Forgotten { seconds: 60 },
            recovered(Continuation::OldConnection, 0),
            recovered(Continuation::Resumed, 1),
            recovered(Continuation::FreshSession, 5),
            Said::NotLive(Cause::Unreachable),
            Said::NotBack {
                seconds: 60,
                cause: Cause::Unreachable,
            },
            Said::NotRun("Another Dormouse runs.".into()),
            Said::Trouble(Cause::WrongPassword),
        ];
        for said in &all {
            match said {
                Said::Addresses { .. }
                | Said::IsAddress(_)
                | Said::NoNames
                | Said::LeftToProxy
                | Said::Given(_) => {}
                Said::Named { .. } | Said::OnlyRemembered { .. } | Said::Reached(_) => {}
                Said::Refused(_) | Said::EndpointNotFound { .. } | Said::NoProxy | Said::Through(_) => {}
                Said::Secured { .. } | Said::Plain | Said::Upgraded | Said::SignedIn { .. } => {}
                Said::Resumed { .. } | Said::NotResumable | Said::SessionGone => {}
                Said::Archive { .. } | Said::NoArchive | Said::ArchiveRefused(_) => {}
                Said::RoundTrips { .. } | Said::Held { .. } | Said::IdleTimeout { .. } => {}
                Said::Forgotten { .. } | Said::Recovered { .. } | Said::NotLive(_) => {}
                Said::NotBack { .. } | Said::NotRun(_) | Said::Trouble(_) => {}
            }
        }
        all
    }

    #[test]
    fn whatever_a_step_finds_is_said_in_each_language() {
        for tag in ["en", "de"] {
            let words = Words::new(Translations::of(tag).unwrap());
            for said in everything() {
                let sentence = words.said(&said);
                assert!(
                    sentence.ends_with(['.', ')']) && !sentence.contains("check-") && !sentence.contains('{'),
                    "{tag}: {sentence}"
                );
            }
        }
    }

    #[test]
    fn a_check_that_is_over_says_what_it_comes_to_and_one_under_way_does_not() {
        let words = Words::new(Translations::of("en").unwrap());
        let mut check = Check::new(Plan::default());
        check.begin(Step::Name);
        let shown = words.check(&check);
        assert!(shown.running && shown.verdict.is_none());
        assert_eq!(shown.steps[0].mark, CheckMark::UnderWay);
        check.end(Step::Name, Some(Duration::from_millis(1_234)), Said::NoNames);
        let shown = words.check(&check);
        assert!(!shown.running);
        assert_eq!(shown.verdict.as_deref(), Some("Something does not work."));
        assert_eq!(shown.steps[0].took.as_deref(), Some("1.2 s"));
        assert_eq!(shown.steps[1].mark, CheckMark::NotTried);
    }
}

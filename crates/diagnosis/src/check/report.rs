//! A check as text, to be given to somebody who may be able to help.

use super::sentence::length;
use super::{Check, Entry, Mark, Progress, Show};
use crate::exactly;
use dormouse_model::Stamp;
use std::fmt::Write;

/// What stands above the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The program's version.
    pub version: String,
    /// The system it runs on, such as `linux`.
    pub system: String,
    /// When the check was made.
    pub when: Stamp,
}

/// The report, in English.
pub fn text(check: &Check, about: &About, show: Show) -> String {
    let mut text = format!(
        "Dormouse {} on {}: check of a connection, {}\n",
        about.version,
        about.system,
        exactly(about.when)
    );
    for entry in check.entries() {
        // Writing into a string can't fail.
        let _ = writeln!(text, "{}", line(entry, show));
    }
    let worst = match check.worst() {
        _ if !check.is_over() => "It is not over.",
        Mark::Failed => "Something does not work.",
        Mark::Lacking => "It works; something is missing.",
        Mark::Fine | Mark::NotNeeded => "What was tried works.",
    };
    let _ = writeln!(text, "{worst}");
    text
}

/// A step as one line: mark, name, how long it took, what it found.
pub fn line(entry: &Entry, show: Show) -> String {
    let title = entry.step.title();
    let (sign, took, sentence) = match &entry.progress {
        Progress::ToCome => (" ", None, "Not tried yet.".to_owned()),
        Progress::UnderWay => ("…", None, "Under way.".to_owned()),
        Progress::NotTried => ("·", None, "Not tried: something it needs has failed.".to_owned()),
        Progress::Cancelled => ("·", None, "Not tried: the check was ended before.".to_owned()),
        Progress::Over { took, said } => (said.mark().sign(), *took, said.sentence(show)),
    };
    let took = took.map(length).unwrap_or_default();
    format!("{sign} {title:<16} {took:>9}  {sentence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Plan, Said, Step};
    use dormouse_model::{Cause, Endpoint, ProxyAnswer, ProxyProblem};
    use std::time::Duration;

    const POISON: [&str; 6] = [
        "romeo",
        "montague.example",
        "hunter2",
        "wherefore art thou",
        "203.0.113.7",
        "2001:db8::7",
    ];

    /// Everything a step can say, with what must not be given away in every place that takes text from elsewhere.
    fn everything() -> Vec<Said> {
        let poison = POISON.join(" ");
        let endpoint = Endpoint("wss://montague.example:5281/romeo?token=hunter2".into());
        let of = |text: &str| text.to_owned();
        let causes = [
            Cause::ClosedByServer {
                code: 1000,
                reason: poison.clone(),
            },
            Cause::PolicyViolation {
                text: Some(poison.clone()),
            },
            Cause::AccountDisabled {
                text: Some(poison.clone()),
            },
            Cause::SeeOther(poison.clone()),
            Cause::NameNotFound(of("montague.example")),
            Cause::NoWebSocket(of("montague.example")),
            Cause::BadEndpoint(poison.clone()),
            Cause::ServerTrouble { what: poison.clone() },
            Cause::ProtocolViolation(poison.clone()),
            Cause::Proxy {
                proxy: of("http://montague.example:3128"),
                problem: ProxyProblem::Refused(ProxyAnswer::Http(403)),
            },
        ];
        let mut all: Vec<Said> = causes.iter().cloned().map(Said::Trouble).collect();
        all.extend(causes.iter().cloned().map(Said::NotLive));
        all.extend(
            causes
                .into_iter()
                .map(|cause| Said::NotBack { seconds: 60, cause }),
        );
        all.extend([
            Said::Addresses {
                host: of("montague.example"),
                addresses: vec!["203.0.113.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
            },
            Said::IsAddress("203.0.113.7".parse().unwrap()),
            Said::Given(endpoint.clone()),
            Said::Named {
                endpoint: endpoint.clone(),
                before: Some(endpoint.clone()),
            },
            Said::OnlyRemembered {
                endpoint: endpoint.clone(),
                cause: Cause::NoWebSocket(of("montague.example")),
            },
            Said::Reached("203.0.113.7:443".parse().unwrap()),
            Said::Reached("[2001:db8::7]:443".parse().unwrap()),
            Said::Refused(endpoint.clone()),
            Said::EndpointNotFound {
                endpoint: endpoint.clone(),
                given: true,
            },
            Said::EndpointNotFound {
                endpoint,
                given: false,
            },
            Said::Through(of("socks5://montague.example:1080")),
            Said::Secured {
                version: "TLS 1.3",
                issuer: Some(poison.clone()),
            },
            Said::ArchiveRefused(poison.clone()),
            Said::NotRun(poison),
        ]);
        all
    }

    fn report(said: Said, show: Show) -> String {
        let mut check = Check::new(Plan::default());
        check.end(Step::SignIn, Some(Duration::from_millis(7)), said);
        let about = About {
            version: "1".into(),
            system: "linux".into(),
            when: Stamp(1_795_392_123_456),
        };
        text(&check, &about, show)
    }

    #[test]
    fn no_report_holds_address_password_token_or_body() {
        for said in everything() {
            let text = report(said.clone(), Show::Nobody);
            for poison in POISON {
                assert!(!text.contains(poison), "{poison} in {said:?}:\n{text}");
            }
        }
    }

    #[test]
    fn a_report_that_may_name_the_server_names_nobody_else() {
        let mut named = false;
        for said in everything() {
            // An account's name in the endpoint's path is the operator's doing; what stands behind it is a secret.
            let text = report(said.clone(), Show::Server);
            named |= text.contains("montague.example");
            for poison in ["hunter2", "wherefore art thou"] {
                assert!(!text.contains(poison), "{poison} in {said:?}:\n{text}");
            }
        }
        assert!(named);
    }

    #[test]
    fn the_user_is_shown_what_there_is_in_sentences() {
        for said in everything() {
            let sentence = said.sentence(Show::All);
            assert!(sentence.contains(' '), "{sentence}");
        }
        let said = Said::IdleTimeout {
            seconds: 60,
            code: 1006,
        };
        assert!(said.sentence(Show::All).contains("idle timeout of a proxy"));
    }

    #[test]
    fn a_report_says_of_each_step_what_became_of_it() {
        let text = report(Said::Trouble(Cause::WrongPassword), Show::Nobody);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2 + 10, "{text}");
        assert!(
            text.contains("✗ Sign-in               7 ms  The server refused the password."),
            "{text}"
        );
        assert!(text.contains("· Archive"), "{text}");
        assert!(
            text.contains("Not tried: something it needs has failed."),
            "{text}"
        );
    }
}

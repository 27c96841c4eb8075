//! What a connection's history is told in.

use super::Words;
use crate::translations::data;
use dormouse_diagnosis::{Finding, Manner};
use dormouse_engine::model::{Continuation, Recovery, Transition};
use fluent_bundle::FluentValue;

impl Words {
    /// What the history shows, what is probably behind it and what can be done.
    pub fn finding(&self, finding: &Finding) -> String {
        let say = |key: &str, values: &[(&str, FluentValue<'_>)]| self.translations.say(key, values);
        let number = |value: u32| FluentValue::from(value);
        match finding {
            Finding::IdleTimeout { seconds, times } => say(
                "finding-idle-timeout",
                &[("seconds", (*seconds).into()), ("times", number(*times))],
            ),
            Finding::Lifetime { seconds, times } => say(
                "finding-lifetime",
                &[("seconds", (*seconds).into()), ("times", number(*times))],
            ),
            Finding::Zombies { times } => say("finding-zombies", &[("times", number(*times))]),
            Finding::Cycles {
                times,
                minutes,
                cause,
            } => say(
                "finding-cycles",
                &[
                    ("times", number(*times)),
                    ("minutes", number(*minutes)),
                    ("cause", self.cause(cause).into()),
                ],
            ),
            Finding::LongConnecting { minutes, cause } => say(
                "finding-long-connecting",
                &[("minutes", number(*minutes)), ("cause", self.cause(cause).into())],
            ),
            Finding::SameTime { minute, days } => {
                let time = format!("{:02}:{:02}", minute / 60, minute % 60);
                say(
                    "finding-same-time",
                    &[("time", data(&time)), ("days", number(*days))],
                )
            }
        }
    }

    /// How a connection ended, in two or three words.
    pub fn manner(&self, manner: Manner) -> String {
        match manner {
            Manner::Code(code) => self.about("manner-code", "code", &code.to_string()),
            Manner::Silent => self.plain("manner-silent"),
            Manner::ByTheServer => self.plain("manner-by-the-server"),
            Manner::ByUs => self.plain("manner-by-us"),
        }
    }

    /// What was done at a change of the connection's state, and what came of it.
    pub fn came_of(&self, transition: &Transition) -> Vec<String> {
        let mut more = Vec::new();
        if let Some(code) = transition.code() {
            more.push(self.about("history-code", "code", &code.to_string()));
        }
        match (transition.wait_ms, transition.attempt) {
            (Some(wait), Some(attempt)) => {
                let values = [("wait", data(&seconds(wait))), ("attempt", attempt.into())];
                more.push(self.translations.say("history-wait", &values));
            }
            (None, Some(attempt)) if attempt > 1 => {
                more.push(self.number("history-attempt", "attempt", attempt.into()));
            }
            _ => {}
        }
        more.extend(transition.recovery.map(|recovery| self.recovery(recovery)));
        more
    }

    fn recovery(&self, recovery: Recovery) -> String {
        let key = match recovery.by {
            Continuation::OldConnection => "history-recovered-old",
            Continuation::Resumed => "history-recovered-resumed",
            Continuation::FreshSession => "history-recovered-fresh",
        };
        let values = [
            ("seconds", data(&seconds(recovery.took_ms))),
            ("messages", recovery.messages.into()),
        ];
        self.translations.say(key, &values)
    }
}

/// A length of time in seconds: tenths matter while there are few.
fn seconds(millis: u64) -> String {
    if millis < 10_000 {
        format!("{}.{}", millis / 1000, millis % 1000 / 100)
    } else {
        (millis / 1000).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translations::Translations;
    use dormouse_engine::model::{Cause, Condition, Stamp};

    fn words(tag: &str) -> Words {
        Words::new(Translations::of(tag).unwrap())
    }

    #[test]
    fn each_finding_and_manner_is_said_in_each_language() {
        for tag in ["en", "de"] {
            let words = words(tag);
            for finding in [
                Finding::IdleTimeout {
                    seconds: 20,
                    times: 2,
                },
                Finding::Lifetime {
                    seconds: 300,
                    times: 3,
                },
                Finding::Zombies { times: 2 },
                Finding::Cycles {
                    times: 5,
                    minutes: 15,
                    cause: Cause::Lost,
                },
                Finding::LongConnecting {
                    minutes: 8,
                    cause: Cause::Unreachable,
                },
                Finding::SameTime { minute: 185, days: 4 },
            ] {
                let sentence = words.finding(&finding);
                assert!(
                    sentence.ends_with('.') && !sentence.contains("finding-"),
                    "{sentence}"
                );
            }
            for manner in [
                Manner::Code(1006),
                Manner::Silent,
                Manner::ByTheServer,
                Manner::ByUs,
            ] {
                assert!(!words.manner(manner).contains("manner-"));
            }
        }
        assert!(
            words("en")
                .finding(&Finding::SameTime { minute: 185, days: 4 })
                .contains("03:05")
        );
    }

    #[test]
    fn a_recovery_says_how_long_it_took_by_what_and_what_it_brought() {
        let transition = Transition {
            recovery: Some(Recovery {
                took_ms: 1_234,
                by: Continuation::Resumed,
                messages: 3,
            }),
            ..Transition::new(Stamp(0), Condition::Live, Cause::CaughtUp)
        };
        let said = words("en").came_of(&transition);
        assert_eq!(
            said,
            ["Back after 1.2 s with the earlier session, with 3 messages."]
        );
    }
}

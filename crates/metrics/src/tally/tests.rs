use crate::{Format, Metrics};
use dormouse_model::{
    Cause, Change, Closing, Condition, ConnId, Connection, ConnectionState, Continuation, DialFailure, Now,
    Observation, Observer, Recovery, RoundTrip, Stamp, Tick, Transition,
};
use std::time::Duration;

struct Counted {
    metrics: Metrics,
    observer: Observer,
}

impl Counted {
    fn new() -> Self {
        let metrics = Metrics::new("1");
        let observer = metrics.account();
        Self { metrics, observer }
    }

    fn tell(&mut self, observation: Observation<'_>) {
        let now = Now {
            tick: Tick(0),
            stamp: Stamp(0),
        };
        assert!((self.observer)(now, observation));
    }

    fn enters(&mut self, state: ConnectionState, cause: Cause, recovery: Option<(u64, Continuation)>) {
        let transition = Transition {
            recovery: recovery.map(|(took_ms, by)| Recovery {
                took_ms,
                by,
                messages: 0,
            }),
            ..Transition::new(Stamp(0), state.condition(), cause.clone())
        };
        self.tell(Observation::Transition(&transition));
        self.tell(Observation::Change(&Change::Connection(Connection {
            state,
            since: Stamp(0),
            cause,
        })));
    }

    fn starts(&mut self) {
        self.enters(ConnectionState::Connecting { attempt: 1 }, Cause::Started, None);
        self.enters(
            ConnectionState::Live,
            Cause::CaughtUp,
            Some((700, Continuation::FreshSession)),
        );
    }

    /// The value of a sample, by what it begins with.
    fn value(&self, sample: &str) -> Option<f64> {
        let text = self.metrics.text(Format::OpenMetrics);
        text.lines()
            .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))
            .map(|value| value.parse().unwrap())
    }
}

fn waiting() -> ConnectionState {
    ConnectionState::Waiting {
        until: Tick(0),
        attempt: 1,
    }
}

#[test]
fn one_state_holds_at_a_time() {
    let mut counted = Counted::new();
    counted.starts();
    let state = |counted: &Counted, state: Condition| {
        let name = state.name();
        counted.value(&format!(
            "dormouse_connection_state{{account=\"0\",state=\"{name}\"}}"
        ))
    };
    for other in super::STATES {
        let holds = f64::from(u8::from(other == Condition::Live));
        assert_eq!(state(&counted, other), Some(holds), "{}", other.name());
    }
    counted.enters(waiting(), Cause::Lost, None);
    assert_eq!(state(&counted, Condition::Live), Some(0.0));
    assert_eq!(state(&counted, Condition::Waiting), Some(1.0));
}

#[test]
fn a_reconnection_is_counted_by_what_began_it_and_a_start_is_none() {
    let mut counted = Counted::new();
    counted.starts();
    let text = counted.metrics.text(Format::OpenMetrics);
    assert!(!text.contains("dormouse_reconnections_total{"), "{text}");
    assert!(!text.contains("dormouse_interruptions_total{"), "{text}");
    assert_eq!(
        counted.value("dormouse_recovery_seconds_sum{account=\"0\",by=\"start\"}"),
        Some(0.7)
    );
    counted.enters(waiting(), Cause::ServerRestarting, None);
    counted.enters(
        ConnectionState::Connecting { attempt: 1 },
        Cause::BackoffOver,
        None,
    );
    counted.enters(
        ConnectionState::Live,
        Cause::CaughtUp,
        Some((2_500, Continuation::Resumed)),
    );
    assert_eq!(
        counted.value("dormouse_interruptions_total{account=\"0\",cause=\"server-restarting\"}"),
        Some(1.0)
    );
    assert_eq!(
        counted
            .value("dormouse_reconnections_total{account=\"0\",cause=\"server-restarting\",by=\"resumed\"}"),
        Some(1.0)
    );
    assert_eq!(
        counted.value("dormouse_recovery_seconds_sum{account=\"0\",by=\"resumed\"}"),
        Some(2.5)
    );
}

#[test]
fn an_old_connection_that_answers_is_a_missed_heartbeat_and_no_reconnection() {
    let mut counted = Counted::new();
    counted.starts();
    counted.enters(ConnectionState::Suspect, Cause::SlowAnswer, None);
    counted.enters(
        ConnectionState::Live,
        Cause::Answered,
        Some((300, Continuation::OldConnection)),
    );
    let missed = |what| {
        counted.value(&format!(
            "dormouse_heartbeats_missed_total{{account=\"0\",what=\"{what}\"}}"
        ))
    };
    assert_eq!(missed("late"), Some(1.0));
    assert_eq!(missed("unanswered"), Some(0.0));
    let text = counted.metrics.text(Format::OpenMetrics);
    assert!(!text.contains("dormouse_reconnections_total{"), "{text}");
    assert!(text.contains("dormouse_interruptions_total{account=\"0\",cause=\"slow-answer\"} 1"));
}

#[test]
fn connections_are_counted_by_how_they_ended() {
    let mut counted = Counted::new();
    let http = DialFailure::Http {
        status: 429,
        retry_after: None,
    };
    let restart = Closing::Frame {
        code: 1012,
        reason: "see you".into(),
    };
    counted.tell(Observation::DialFailed(ConnId(1), &http));
    counted.tell(Observation::DialFailed(ConnId(2), &DialFailure::Refused));
    counted.tell(Observation::Closed(ConnId(3), &restart));
    counted.tell(Observation::Closed(ConnId(4), &Closing::Eof));
    counted.tell(Observation::Closed(ConnId(5), &Closing::Eof));
    counted.tell(Observation::GivenUp(ConnId(6)));
    for (outcome, code, times) in [
        ("http", "429", 1.0),
        ("refused", "", 1.0),
        ("closed", "1012", 1.0),
        ("lost", "1006", 2.0),
        ("given-up", "", 1.0),
    ] {
        let sample =
            format!("dormouse_connections_total{{account=\"0\",outcome=\"{outcome}\",code=\"{code}\"}}");
        assert_eq!(counted.value(&sample), Some(times), "{sample}");
    }
}

#[test]
fn answers_are_counted_one_by_one_and_what_is_unsettled_as_it_stands() {
    let mut counted = Counted::new();
    for ms in [20, 30] {
        let trip = RoundTrip {
            now: Duration::from_millis(ms),
            median: Duration::from_millis(20),
            worst: Duration::from_secs(9),
        };
        counted.tell(Observation::Change(&Change::RoundTrip(trip)));
    }
    assert_eq!(
        counted.value("dormouse_round_trip_seconds_count{account=\"0\"}"),
        Some(2.0)
    );
    assert_eq!(
        counted.value("dormouse_round_trip_seconds_bucket{le=\"0.025\",account=\"0\"}"),
        Some(1.0)
    );
    counted.tell(Observation::Unsettled {
        outbox: 3,
        caught_up: false,
    });
    counted.tell(Observation::Change(&Change::CatchUp {
        stored: 40,
        expected: Some(100),
        done: false,
    }));
    let gauges = |counted: &Counted| {
        ["outbox_messages", "archive_gap", "archive_gap_messages"].map(|name| {
            counted
                .value(&format!("dormouse_{name}{{account=\"0\"}}"))
                .unwrap()
        })
    };
    assert_eq!(gauges(&counted), [3.0, 1.0, 60.0]);
    counted.tell(Observation::Unsettled {
        outbox: 0,
        caught_up: true,
    });
    counted.tell(Observation::Change(&Change::CatchUp {
        stored: 100,
        expected: None,
        done: true,
    }));
    assert_eq!(gauges(&counted), [0.0, 0.0, 0.0]);
}

#[test]
fn an_account_that_ends_takes_its_state_along_and_leaves_its_counts() {
    let mut counted = Counted::new();
    counted.starts();
    let mut second = counted.metrics.account();
    let trip = Change::Stored;
    assert!(second(Now::default(), Observation::Change(&trip)));
    drop(counted.observer);
    let text = counted.metrics.text(Format::OpenMetrics);
    assert!(
        !text.contains("dormouse_connection_state{account=\"0\""),
        "{text}"
    );
    assert!(
        text.contains("dormouse_messages_total{account=\"0\"")
            && text.contains("dormouse_messages_total{account=\"1\""),
        "{text}"
    );
    drop(counted.metrics);
    assert!(
        !second(Now::default(), Observation::Change(&trip)),
        "it goes on counting for nobody"
    );
}

//! What `docs/operating/` asks of the metrics is there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use dormouse_metrics::{Format, Metrics};
use dormouse_model::{
    Cause, Change, Closing, Condition, ConnId, Continuation, Now, Observation, Recovery, Stamp, Transition,
};
use std::collections::BTreeSet;
use std::path::Path;

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn transition(to: Condition, cause: Cause, recovery: bool) -> Transition {
    Transition {
        recovery: recovery.then_some(Recovery {
            took_ms: 1,
            by: Continuation::Resumed,
            messages: 0,
        }),
        ..Transition::new(Stamp(0), to, cause)
    }
}

/// The names of all samples that there can be.
fn samples() -> BTreeSet<String> {
    let metrics = Metrics::new("1");
    let mut observer = metrics.account();
    let mut tell = |observation: Observation<'_>| {
        observer(Now::default(), observation);
    };
    tell(Observation::Transition(&transition(
        Condition::Live,
        Cause::CaughtUp,
        true,
    )));
    tell(Observation::Transition(&transition(
        Condition::Waiting,
        Cause::Lost,
        false,
    )));
    tell(Observation::Transition(&transition(
        Condition::Live,
        Cause::CaughtUp,
        true,
    )));
    tell(Observation::Closed(ConnId(1), &Closing::Eof));
    tell(Observation::SignedIn {
        mechanism: "PLAIN",
        resumed: false,
    });
    tell(Observation::Unsettled {
        outbox: 0,
        caught_up: true,
    });
    let connection = dormouse_model::Connection {
        state: dormouse_model::ConnectionState::Live,
        since: Stamp(0),
        cause: Cause::CaughtUp,
    };
    tell(Observation::Change(&Change::Connection(connection)));
    tell(Observation::Change(&Change::CatchUp {
        stored: 0,
        expected: None,
        done: true,
    }));
    let text = metrics.text(Format::OpenMetrics);
    let names = text.lines().filter(|line| !line.starts_with('#'));
    names
        .filter_map(|line| Some(line.split(['{', ' ']).next()?.to_owned()))
        .collect()
}

/// Everything in an expression that is called after Dormouse.
fn named(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| word.starts_with("dormouse"))
}

#[test]
fn every_expression_of_dashboard_and_rules_names_metrics_that_exist() {
    let mut known = samples();
    assert_eq!(
        known.len(),
        14 + 3 * 2,
        "a family is missing or new here: {known:?}"
    );
    let rules = read("rules.yml");
    let recorded = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- record: "));
    known.extend(recorded.map(str::to_owned));
    let dashboard: serde_json::Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    let mut expressions: Vec<String> = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(!panel["description"].as_str().unwrap().is_empty(), "{panel}");
        for target in panel["targets"].as_array().unwrap() {
            expressions.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        expressions.extend(variable["query"]["query"].as_str().map(str::to_owned));
    }
    assert!(expressions.len() > 12, "{expressions:?}");
    let rules = rules
        .lines()
        .filter(|line| !line.trim_start().starts_with('#') && !line.contains("description:"));
    expressions.extend(
        rules
            .filter(|line| line.contains("dormouse_") || line.contains("expr: dormouse:"))
            .map(str::to_owned),
    );
    let mut seen = BTreeSet::new();
    for expression in &expressions {
        for name in named(expression) {
            assert!(known.contains(name), "{name} is no metric: {expression}");
            seen.insert(name);
        }
    }
    let families: BTreeSet<&str> = seen.iter().map(|name| name.trim_end_matches("_bucket")).collect();
    for family in known.iter().filter(|name| !name.contains(':')) {
        let family = family
            .trim_end_matches("_bucket")
            .trim_end_matches("_sum")
            .trim_end_matches("_count");
        assert!(families.contains(family), "{family} is looked at nowhere");
    }
}

#[test]
fn the_page_about_metrics_names_every_family() {
    let page = read("metrics.md");
    for name in samples() {
        let family = name
            .trim_end_matches("_bucket")
            .trim_end_matches("_sum")
            .trim_end_matches("_count");
        assert!(
            page.contains(&format!("`{family}`")),
            "{family} is not on the page"
        );
    }
}

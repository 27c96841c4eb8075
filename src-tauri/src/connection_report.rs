//! What is known of a connection and its last week, as the window shows it.

use crate::protocol::{ConnectionReport, Dropped, HistoryStretch, Path, StretchKind, Transition};
use crate::view;
use crate::words::Words;
use dormouse_diagnosis::{Kind, drops, findings, stretches};
use dormouse_engine::Status;
use dormouse_engine::model::{self, Stamp};

/// How far back it is told, in milliseconds.
const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;
/// As many changes of state are told one by one.
const TOLD: usize = 200;

/// The report at the moment `now`, of what was kept in the order in which it happened.
pub fn report(words: &Words, status: &Status, history: &[model::Transition], now: Stamp) -> ConnectionReport {
    let since = now.shifted(-WEEK);
    let signed_in = status.account.signed_in;
    ConnectionReport {
        path: status.path.as_ref().map(|path| Path {
            endpoint: path.endpoint.0.clone(),
            peer: path.peer.to_string(),
            tls: path.tls.map(|version| version.name().to_owned()),
            mechanism: signed_in.map(|it| it.mechanism.to_owned()),
            resumed: signed_in.map(|it| it.resumed),
            heard: path.heard.0,
        }),
        interval: status.account.interval.as_secs(),
        interval_learnt: status.account.interval_learnt,
        interval_given: status.account.interval_given.map(|it| it.as_secs()),
        findings: findings(history, now)
            .iter()
            .map(|it| words.finding(it))
            .collect(),
        stretches: stretches(history, since, now)
            .into_iter()
            .map(|it| HistoryStretch {
                from: it.from.0,
                to: it.to.0,
                kind: kind(it.kind),
                cause: words.cause(&it.cause),
            })
            .collect(),
        drops: drops(history)
            .into_iter()
            .filter(|it| it.at >= since)
            .map(|it| Dropped {
                at: it.at.0,
                manner: words.manner(it.manner),
            })
            .collect(),
        transitions: history
            .iter()
            .rev()
            .take(TOLD)
            .map(|it| Transition {
                at: it.at.0,
                state: view::condition(it.to),
                cause: words.cause(&it.cause),
                more: words.came_of(it),
            })
            .collect(),
    }
}

fn kind(kind: Kind) -> StretchKind {
    match kind {
        Kind::Live => StretchKind::Live,
        Kind::Suspect => StretchKind::Suspect,
        Kind::Away => StretchKind::Away,
        Kind::Asleep => StretchKind::Asleep,
        Kind::Offline => StretchKind::Offline,
        Kind::Stopped => StretchKind::Stopped,
        Kind::NotRunning => StretchKind::NotRunning,
    }
}

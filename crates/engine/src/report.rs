//! A running account as a report for whoever mends the program, without names ([`bug_report`]).

use crate::crash::Crash;
use crate::path::Status;
use crate::{now, system};
use dormouse_diagnosis::{Facts, Veil, bug_report};
use dormouse_model::{BareJid, JournalEntry, Transition};

/// What the program around an engine tells of itself.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Its name and version.
    pub name: String,
    /// Its settings: what, and how. Secrets have no place here.
    pub settings: Vec<(&'static str, String)>,
    /// What earlier crashes left behind.
    pub crashes: Vec<Crash>,
}

pub(crate) fn report(
    address: &BareJid,
    program: &Program,
    status: &Status,
    transitions: &[Transition],
    journal: &[JournalEntry],
) -> String {
    let domain = address.domain().to_string();
    let names = address
        .node()
        .map(ToString::to_string)
        .into_iter()
        .chain([domain]);
    let names: Vec<String> = names.collect();
    let veil = Veil::over_names(names.iter().map(String::as_str));
    let particulars: Vec<(&str, String)> = program
        .settings
        .iter()
        .cloned()
        .chain(connection(status))
        .collect();
    let crashes: Vec<String> = program.crashes.iter().map(|crash| crash.text.clone()).collect();
    let facts = Facts {
        now: now().stamp,
        program: &program.name,
        system: &system(),
        particulars: &particulars,
        transitions,
        journal,
        crashes: &crashes,
    };
    bug_report(&facts, &veil)
}

/// How the connection is.
fn connection(status: &Status) -> Vec<(&'static str, String)> {
    let account = &status.account;
    let state = format!(
        "{}: {}",
        account.connection.state.name(),
        account.connection.cause.sentence()
    );
    let mut particulars = vec![
        ("connection", state),
        ("messages that wait", account.outbox.to_string()),
        (
            "asks after silence of",
            format!("{} s", account.interval.as_secs()),
        ),
    ];
    if account.interval_learnt {
        particulars.push(("the interval", "is learnt".to_owned()));
    }
    if let Some(path) = &status.path {
        let family = if path.peer.is_ipv6() { "IPv6" } else { "IPv4" };
        particulars.push(("reached by", family.to_owned()));
        let tls = path
            .tls
            .map_or("none, to this computer itself", |version| version.name());
        particulars.push(("encryption", tls.to_owned()));
    }
    if let Some(sign_in) = account.signed_in {
        let how = if sign_in.resumed {
            "resumed"
        } else {
            "a new session"
        };
        particulars.push(("signed in", format!("with {}, {how}", sign_in.mechanism)));
    }
    if let Some(trip) = account.round_trip {
        let [now, median, worst] = [trip.now, trip.median, trip.worst].map(|it| it.as_millis());
        particulars.push((
            "round trip",
            format!("{now} ms now, {median} median, {worst} worst"),
        ));
    }
    particulars
}

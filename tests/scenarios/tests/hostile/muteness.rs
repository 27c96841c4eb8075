//! Servers that take what we say and never confirm it.

use crate::case::{Behaviour, Case, LATE, SOON, each};
use anyhow::ensure;
use dormouse_scenarios::peer::CONTACT;
use std::time::Duration;

/// How soon a message that is not confirmed makes the link suspect: before the deadline of any answer.
const DOUBT: Duration = Duration::from_secs(12);

#[test]
fn a_server_that_never_confirms_is_suspected_whatever_else_it_sends_and_the_message_is_sent_once() {
    let table: [(&str, Behaviour); 3] = [
        ("answers all but <r/>", |c| c.acknowledges = false),
        ("answers nothing", |c| {
            c.acknowledges = false;
            c.answers = false;
        }),
        ("answers nothing and sends pings", |c| {
            c.acknowledges = false;
            c.answers = false;
            c.pings = Some(Duration::from_millis(300));
        }),
    ];
    each(
        &table,
        |row| row.0.to_owned(),
        |(_, change)| {
            let mut case = Case::live()?;
            case.peer.conduct(change);
            let mark = case.client.mark();
            let body = "typed to the mute".to_owned();
            case.client.send(CONTACT, &body)?;
            let doubt = case
                .client
                .wait_for_since(mark, "doubt", DOUBT, |event| event.state() == Some("suspect"))?;
            ensure!(
                doubt.text("reason").contains("did not confirm"),
                "{:?}",
                doubt.json
            );
            let sent = case
                .client
                .since(mark)
                .iter()
                .any(|event| event.text("tag") == body && event.text("state") == "sent");
            ensure!(!sent, "it is shown as sent before anybody confirmed it");
            // What else arrives is shown.
            case.peer.says("said by the mute");
            case.client
                .wait_until_received(&["said by the mute".into()], SOON)?;
            // Its session, resumed elsewhere, tells what became of the message.
            case.client.wait_until_sent(&[body], &["sent"], LATE)?;
            case.recovers()
        },
    );
}

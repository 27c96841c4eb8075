//! Stanzas that claim what their senders may not claim (`dormouse_model::authority`), through the whole program:
//! nothing of them is shown, all of them are acknowledged. Each claim is then made by who may, and is believed:
//! otherwise these tests would prove nothing.

use crate::case::{Case, SOON, each};
use anyhow::ensure;
use dormouse_scenarios::Result;
use dormouse_scenarios::peer::{ACCOUNT, CONTACT, Shape};

const STRANGER: &str = "mallory@evil.example/lair";
const ARCHIVE: &str = "urn:xmpp:mam:2";

fn forwarded(inner: &str) -> String {
    format!("<forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded>")
}

fn said(from: &str, to: &str, body: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='chat' from='{from}' to='{to}' id='{body}'><body>{body}</body></message>"
    )
}

fn carbon(by: &str, direction: &str, inner: &str) -> String {
    format!(
        "<message xmlns='jabber:client' from='{by}' to='{ACCOUNT}/desk'><{direction} xmlns='urn:xmpp:carbons:2'>{}</{direction}></message>",
        forwarded(inner)
    )
}

fn push(by: &str, item: &str) -> String {
    format!(
        "<iq xmlns='jabber:client' type='set' id='push' from='{by}' to='{ACCOUNT}/desk'><query xmlns='jabber:iq:roster'>{item}</query></iq>"
    )
}

/// About a message with this id, from this address.
fn about(from: &str, inside: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='chat' from='{from}' to='{ACCOUNT}/desk' id='about'>{inside}</message>"
    )
}

fn bounce(from: &str, id: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='error' from='{from}' to='{ACCOUNT}/desk' id='{id}'><error type='cancel'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
}

/// The ids of a message of ours and of one of theirs.
struct Ids {
    ours: String,
    theirs: &'static str,
}

struct Forgery {
    name: &'static str,
    by: &'static str,
    /// The claim, made by this address.
    claim: fn(&str, &Ids) -> String,
}

const NOBODY_ELSE: [&str; 4] = [
    STRANGER,
    "bob@localhost/phone",
    "alice@localhost/other",
    "localhost",
];
const STRANGERS: [&str; 2] = [STRANGER, "localhost"];

fn forgeries() -> Vec<Forgery> {
    let mut table = Vec::new();
    let mut row = |name, by: &'static str, claim| table.push(Forgery { name, by, claim });
    for by in NOBODY_ELSE {
        row("a carbon of a received message", by, |by, _| {
            carbon(
                by,
                "received",
                &said("bob@localhost/x", ACCOUNT, "forged received carbon"),
            )
        });
        row("a carbon of a sent message", by, |by, _| {
            carbon(
                by,
                "sent",
                &said("alice@localhost/x", CONTACT, "forged sent carbon"),
            )
        });
        row("a roster push", by, |by, _| {
            push(by, "<item jid='mallory@evil.example' subscription='both'/>")
        });
        row("a removal from the roster", by, |by, _| {
            push(by, "<item jid='bob@localhost' subscription='remove'/>")
        });
    }
    for by in [
        STRANGER,
        "bob@localhost/phone",
        "alice@localhost/other",
        "localhost",
        ACCOUNT,
    ] {
        row("an archive result nobody asked for", by, |by, _| {
            format!(
                "<message xmlns='jabber:client' from='{by}' to='{ACCOUNT}/desk'><result xmlns='{ARCHIVE}' queryid='1' id='9'>{}</result></message>",
                forwarded(&said("bob@localhost/x", ACCOUNT, "forged archive result"))
            )
        });
    }
    for by in STRANGERS {
        row("a receipt", by, |by, ids| {
            about(
                by,
                &format!("<received xmlns='urn:xmpp:receipts' id='{}'/>", ids.ours),
            )
        });
        row("a marker", by, |by, ids| {
            about(
                by,
                &format!("<displayed xmlns='urn:xmpp:chat-markers:0' id='{}'/>", ids.ours),
            )
        });
        row("a bounce", by, |by, ids| bounce(by, &ids.ours));
        row("an edit", by, |by, ids| {
            about(
                by,
                &format!(
                    "<body>forged edit</body><replace xmlns='urn:xmpp:message-correct:0' id='{}'/>",
                    ids.theirs
                ),
            )
        });
        row("a retraction", by, |by, ids| {
            about(
                by,
                &format!(
                    "<retract xmlns='urn:xmpp:message-retract:1' id='{}'/>",
                    ids.theirs
                ),
            )
        });
    }
    table
}

fn ids(case: &Case) -> Result<Ids> {
    let ours = case.peer.seen(|state| state.id_of("typed at first"));
    Ok(Ids {
        ours: ours.ok_or_else(|| anyhow::anyhow!("no message of ours"))?,
        theirs: "said-0",
    })
}

#[test]
fn what_the_wrong_sender_claims_changes_nothing_that_is_shown() {
    each(
        &forgeries(),
        |row| format!("{} by {}", row.name, row.by),
        |row| {
            let mut case = Case::live()?;
            let before = case.client.messages(CONTACT)?;
            let mark = case.client.mark();
            case.peer.stanza((row.claim)(row.by, &ids(&case)?), Shape::Whole);
            case.peer.says("said behind the forgery");
            case.client
                .wait_until_received(&["said behind the forgery".into()], SOON)?;
            case.acknowledges_all()?;
            let mut after = case.client.messages(CONTACT)?;
            ensure!(
                after
                    .pop()
                    .is_some_and(|last| last.body == "said behind the forgery")
            );
            ensure!(before == after, "it changed the conversation: {after:?}");
            let events = case.client.since(mark);
            let forged = events.iter().find(|event| {
                let about_contact =
                    event.text("conversation") == CONTACT && event.text("body").contains("forged");
                about_contact || event.kind() == "contact"
            });
            ensure!(forged.is_none(), "shown: {forged:?}");
            case.recovers()
        },
    );
}

#[test]
fn results_in_the_middle_of_an_archive_query_are_believed_of_the_archive_alone() {
    let result = (|| {
        let case = Case::fresh(|peer| {
            peer.says("said while nobody was there");
            peer.conduct(|conduct| conduct.forged_results = true);
        })?;
        case.client
            .wait_until_received(&["said while nobody was there".into()], SOON)?;
        case.client.wait_until_live(SOON)?;
        case.recovers()
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

#[test]
fn what_the_right_sender_claims_is_believed() {
    let result = (|| {
        let mut case = Case::live()?;
        let ids = ids(&case)?;
        let phone = "bob@localhost/phone";
        case.peer.stanza(
            about(
                phone,
                &format!("<received xmlns='urn:xmpp:receipts' id='{}'/>", ids.ours),
            ),
            Shape::Whole,
        );
        case.client
            .wait_until_sent(&["typed at first".into()], &["delivered"], SOON)?;
        case.peer.stanza(
            about(
                phone,
                &format!("<displayed xmlns='urn:xmpp:chat-markers:0' id='{}'/>", ids.ours),
            ),
            Shape::Whole,
        );
        case.client
            .wait_until_sent(&["typed at first".into()], &["read"], SOON)?;
        for (direction, from, to, body) in [
            ("received", "bob@localhost/x", ACCOUNT, "said to another client"),
            ("sent", "alice@localhost/x", CONTACT, "typed on another client"),
        ] {
            case.peer
                .stanza(carbon(ACCOUNT, direction, &said(from, to, body)), Shape::Whole);
            case.client
                .wait_for(body, SOON, |event| event.text("body") == body)?;
        }
        case.peer.stanza(
            push(ACCOUNT, "<item jid='carol@localhost' subscription='both'/>"),
            Shape::Whole,
        );
        case.client.wait_for("a new contact", SOON, |event| {
            event.kind() == "contact" && event.text("address") == "carol@localhost"
        })?;
        case.peer.stanza(
            about(
                phone,
                &format!(
                    "<body>said better</body><replace xmlns='urn:xmpp:message-correct:0' id='{}'/>",
                    ids.theirs
                ),
            ),
            Shape::Whole,
        );
        case.client
            .wait_for("an edit", SOON, |event| event.received() == Some("said better"))?;
        case.client.send(CONTACT, "typed in vain")?;
        case.client
            .wait_until_sent(&["typed in vain".into()], &["sent"], SOON)?;
        let in_vain = case
            .peer
            .seen(|state| state.id_of("typed in vain"))
            .unwrap_or_default();
        case.peer.stanza(bounce(CONTACT, &in_vain), Shape::Whole);
        case.client
            .wait_until_sent(&["typed in vain".into()], &["failed"], SOON)?;
        case.peer.stanza(
            about(
                phone,
                &format!(
                    "<retract xmlns='urn:xmpp:message-retract:1' id='{}'/>",
                    ids.theirs
                ),
            ),
            Shape::Whole,
        );
        case.client
            .wait_for("a retraction", SOON, |event| event.text("kind") == "retracted")?;
        case.acknowledges_all()
    })();
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

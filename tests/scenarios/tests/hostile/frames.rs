//! Stanzas that can't be read, and frames cut in odd ways: whatever anybody on the network may send through an
//! honest server must not cost more than itself.

use crate::case::{Case, SOON, each};
use anyhow::ensure;
use dormouse_scenarios::peer::{ACCOUNT, Act, CONTACT, Shape};

const CARBONS: &str = "urn:xmpp:carbons:2";

/// From the contact to us, with these attributes besides and this inside.
fn message(attributes: &str, inside: &str) -> String {
    format!(
        "<message xmlns='jabber:client' type='chat' from='{CONTACT}/phone' to='{ACCOUNT}' {attributes}>{inside}</message>"
    )
}

fn poison() -> Vec<(&'static str, String)> {
    let from = |from: &str| {
        format!(
            "<message xmlns='jabber:client' type='chat' from='{from}' to='{ACCOUNT}'><body>poison</body></message>"
        )
    };
    vec![
        (
            "nested too deeply",
            message(
                "",
                &format!("{}{}", "<a xmlns='x'>".repeat(200), "</a>".repeat(200)),
            ),
        ),
        ("nested far too deeply", message("", &"<a>".repeat(20_000))),
        ("from nobody", from("")),
        ("from no address", from("@@/")),
        ("from a domain that is none", from("bob@..")),
        (
            "an attribute of 100 KiB",
            message(
                &format!("id='{}'", "x".repeat(100_000)),
                "<body>said at length</body>",
            ),
        ),
        (
            "an element's name of 100 KiB",
            message("", &format!("<{} xmlns='x'/>", "x".repeat(100_000))),
        ),
        (
            "larger than a frame may be",
            message("", &format!("<body>{}</body>", "x".repeat(1_200_000))),
        ),
        (
            "an empty carbon",
            format!(
                "<message xmlns='jabber:client' from='{ACCOUNT}'><received xmlns='{CARBONS}'/></message>"
            ),
        ),
        (
            "a carbon in a carbon",
            format!(
                "<message xmlns='jabber:client' from='{ACCOUNT}'>{0}<message xmlns='jabber:client' from='{ACCOUNT}'>{0}\
                 <message xmlns='jabber:client' from='{CONTACT}/x' to='{ACCOUNT}'><body>poison</body></message>\
                 {1}</message>{1}</message>",
                format_args!("<received xmlns='{CARBONS}'><forwarded xmlns='urn:xmpp:forward:0'>"),
                "</forwarded></received>"
            ),
        ),
        (
            "a forwarded nothing",
            format!(
                "<message xmlns='jabber:client' from='{ACCOUNT}'><received xmlns='{CARBONS}'><forwarded xmlns='urn:xmpp:forward:0'/></received></message>"
            ),
        ),
        (
            "an iq without type",
            "<iq xmlns='jabber:client' id='x'><query xmlns='x'/></iq>".into(),
        ),
        (
            "an iq of an unknown type",
            "<iq xmlns='jabber:client' type='demand' id='x'/>".into(),
        ),
        (
            "a request without id",
            "<iq xmlns='jabber:client' type='get'><query xmlns='x'/></iq>".into(),
        ),
        (
            "an answer to nothing",
            "<iq xmlns='jabber:client' type='result' id='never-asked'/>".into(),
        ),
        (
            "a presence of nonsense",
            format!(
                "<presence xmlns='jabber:client' from='{CONTACT}/x' type='dancing'><show>?</show><priority>9999999999</priority></presence>"
            ),
        ),
        (
            "a roster push of nobody",
            format!(
                "<iq xmlns='jabber:client' type='set' id='push' from='{ACCOUNT}'><query xmlns='jabber:iq:roster'><item jid='@'/></query></iq>"
            ),
        ),
        (
            "an edit of nothing",
            message("id='e'", "<replace xmlns='urn:xmpp:message-correct:0'/>"),
        ),
        (
            "a receipt of nothing",
            message("id='r'", "<received xmlns='urn:xmpp:receipts'/>"),
        ),
        (
            "a time that is none",
            message(
                "",
                "<delay xmlns='urn:xmpp:delay' stamp='yesterday'/><composing xmlns='http://jabber.org/protocol/chatstates'/>",
            ),
        ),
    ]
}

#[test]
fn a_poison_stanza_is_acknowledged_and_costs_nothing_else() {
    each(
        &poison(),
        |row| row.0.to_owned(),
        |(_, xml)| {
            let case = Case::live()?;
            let dials = case.peer.seen(|state| state.dials.len());
            case.peer.stanza(xml.clone(), Shape::Whole);
            case.peer.says("said behind the poison");
            case.client
                .wait_until_received(&["said behind the poison".into()], SOON)?;
            case.acknowledges_all()?;
            let again = case.peer.seen(|state| state.dials.len());
            ensure!(again == dials, "it cost the connection\n{}", case.client.dump());
            // The next connection resumes, and nothing is left over.
            case.peer.act(Act::Eof);
            case.peer.wait("a resumption", SOON, |state| {
                (state.resumptions > 0).then_some(())
            })?;
            case.recovers()
        },
    );
}

/// What stands in the archive comes again with each catch-up: it must not stop it.
#[test]
fn poison_in_the_archive_stops_no_catch_up() {
    let table = poison();
    let in_archives = [
        "nested too deeply",
        "an attribute of 100 KiB",
        "an element's name of 100 KiB",
        "larger than a frame may be",
        "from no address",
    ];
    let rows: Vec<_> = table.iter().filter(|row| in_archives.contains(&row.0)).collect();
    // Between others, and alone: then its page is empty for whoever can't read it.
    let table: Vec<_> = rows
        .iter()
        .flat_map(|row| [(*row, true), (*row, false)])
        .collect();
    each(
        &table,
        |((name, _), between)| format!("{name}, between others: {between}"),
        |((_, xml), between)| {
            let case = Case::fresh(|peer| {
                if *between {
                    peer.says("said before the poison");
                }
                peer.archives(xml.clone());
                if *between {
                    peer.says("said behind the poison");
                }
            })?;
            case.client.wait_until_live(SOON)?;
            if *between {
                let said = [
                    "said before the poison".to_owned(),
                    "said behind the poison".to_owned(),
                ];
                case.client.wait_until_received(&said, SOON)?;
            }
            case.recovers()
        },
    );
}

#[test]
fn fragments_with_pings_between_them_are_one_stanza_wherever_they_are_cut() {
    let sizes = [1_usize, 2, 3, 7, 50, 126, 4096];
    each(
        &sizes,
        |size| format!("{size} bytes"),
        |size| {
            let case = Case::live()?;
            let body = "said in pieces: žluťoučký kůň 🐁, ".to_owned() + &"ä".repeat(400);
            case.peer.says_in(&body, Shape::Fragments(*size));
            case.client.wait_until_received(&[body], SOON)?;
            case.acknowledges_all()?;
            case.recovers()
        },
    );
}

#[test]
fn what_is_no_stanza_and_nothing_of_ours_is_passed_over() {
    let table = [
        "<message xmlns='jabber:server'><body>forged</body></message>",
        "<body xmlns='jabber:client'>forged</body>",
        "<hello xmlns='urn:example'/>",
        "<a xmlns='urn:xmpp:sm:3'/>",
        "<a xmlns='urn:xmpp:sm:3' h='-1'/>",
        "<enabled xmlns='urn:xmpp:sm:3' id='another' resume='true'/>",
        "<resumed xmlns='urn:xmpp:sm:3' previd='another' h='1'/>",
        "<failed xmlns='urn:xmpp:sm:3'/>",
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Zm9yZ2Vk</challenge>",
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>",
        "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>",
        "   \n",
    ];
    each(
        &table,
        |row| (*row).to_owned(),
        |row| {
            let case = Case::live()?;
            let dials = case.peer.seen(|state| state.dials.len());
            case.peer.act(Act::Text((*row).to_owned()));
            case.peer.says("said behind it");
            case.client
                .wait_until_received(&["said behind it".into()], SOON)?;
            case.acknowledges_all()?;
            ensure!(
                case.peer.seen(|state| state.dials.len()) == dials,
                "it cost the connection"
            );
            case.recovers()
        },
    );
}

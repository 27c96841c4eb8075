//! Messages as Prosody, ejabberd and hostile peers send them.

use super::*;
use dormouse_model::{ArchiveId, ChatState, Jid, OriginId, Stamp, StanzaId};
use proptest::prelude::*;

const TRUSTED: Trust = Trust {
    strips_forged_ids: true,
};

fn own() -> BareJid {
    BareJid::new("me@home.example").unwrap()
}

fn try_read(wire: &str) -> Result<Incoming, Unreadable> {
    read(&wire.parse().unwrap(), &own(), TRUSTED)
}

fn chat(children: &str) -> Incoming {
    try_read(&format!(
        "<message xmlns='jabber:client' type='chat' from='bob@b.example/home' to='me@home.example' id='m-1'>{children}</message>"
    ))
    .unwrap()
}

fn text(body: &str) -> Payload {
    Payload::Text(body.to_owned())
}

#[test]
fn a_message_of_prosody_is_read_whole() {
    let m = try_read(
        "<message xmlns='jabber:client' to='me@home.example' from='bob@b.example/home' type='chat' id='9f7c' xml:lang='en'>\
         <body>Good morning</body><origin-id xmlns='urn:xmpp:sid:0' id='9f7c'/>\
         <request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>\
         <active xmlns='http://jabber.org/protocol/chatstates'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' id='0193-a' by='me@home.example'/></message>",
    )
    .unwrap();
    assert_eq!(
        m,
        Incoming {
            from: Jid::new("bob@b.example/home").unwrap(),
            to: Jid::new("me@home.example").unwrap(),
            kind: Kind::Chat,
            id: Some(StanzaId::from("9f7c")),
            origin: Some(OriginId::from("9f7c")),
            archive: Some(ArchiveId::from("0193-a")),
            stamp: None,
            resent: false,
            receipt_wanted: true,
            payload: text("Good morning"),
            chat_state: Some(ChatState::Active),
        }
    );
}

#[test]
fn a_message_that_ejabberd_resends_after_a_resumption_keeps_its_ids_and_bears_the_servers_delay() {
    let m = try_read(
        "<message xml:lang='en' to='me@home.example/here' from='bob@b.example/home' type='chat' id='17' xmlns='jabber:client'>\
         <archived by='me@home.example' id='1732269600123456' xmlns='urn:xmpp:mam:tmp'/>\
         <stanza-id by='me@home.example' id='1732269600123456' xmlns='urn:xmpp:sid:0'/>\
         <delay stamp='2024-11-22T10:00:00.123456Z' from='home.example' xmlns='urn:xmpp:delay'>Resent</delay>\
         <body>still there?</body></message>",
    )
    .unwrap();
    assert_eq!(m.archive, Some(ArchiveId::from("1732269600123456")));
    assert_eq!(m.stamp, Some(Stamp(1_732_269_600_123)));
    assert!(!m.resent);
    assert_eq!(m.payload, text("still there?"));
}

#[test]
fn a_message_without_addresses_is_the_own_accounts() {
    let m = try_read("<message xmlns='jabber:client'><body>note</body></message>").unwrap();
    assert_eq!(m.from, Jid::from(own()));
    assert_eq!(m.to, Jid::from(own()));
    assert_eq!(m.kind, Kind::Normal);
}

#[test]
fn a_message_from_no_address_at_all_is_unreadable() {
    assert_eq!(
        try_read("<message xmlns='jabber:client' from='@@'><body>x</body></message>"),
        Err(Unreadable::Address("from"))
    );
    assert_eq!(
        try_read("<message xmlns='jabber:client' to='a@b@c/'><body>x</body></message>"),
        Err(Unreadable::Address("to"))
    );
}

#[test]
fn what_is_not_a_message_of_the_stream_is_not_read_as_one() {
    for wire in ["<message xmlns='jabber:server'/>", "<iq xmlns='jabber:client'/>"] {
        assert_eq!(try_read(wire), Err(Unreadable::NotA("message")));
    }
}

#[test]
fn an_unknown_type_is_an_ordinary_message() {
    for (kind, expected) in [
        ("", Kind::Normal),
        ("normal", Kind::Normal),
        ("CHAT", Kind::Normal),
        ("song", Kind::Normal),
        ("groupchat", Kind::Groupchat),
        ("headline", Kind::Headline),
    ] {
        let m = try_read(&format!(
            "<message xmlns='jabber:client' type='{kind}' from='bob@b.example'><body>x</body></message>"
        ))
        .unwrap();
        assert_eq!(m.kind, expected, "{kind}");
    }
}

#[test]
fn a_child_that_cannot_be_read_never_takes_the_body_with_it() {
    for child in [
        "<delay xmlns='urn:xmpp:delay' stamp='the day before'/>",
        "<stanza-id xmlns='urn:xmpp:sid:0' by='@@'/>",
        "<origin-id xmlns='urn:xmpp:sid:0'/>",
        "<replace xmlns='urn:xmpp:message-correct:0'/>",
        "<retract xmlns='urn:xmpp:message-retract:1'/>",
        "<received xmlns='urn:xmpp:receipts'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0'/>",
        "<x xmlns='jabber:x:data' type='nonsense'><field/></x>",
        "<x xmlns='http://jabber.org/protocol/muc#user'><status code='seven'/></x>",
        "<reactions xmlns='urn:xmpp:reactions:0'/>",
        "<received xmlns='urn:xmpp:carbons:2'/>",
        "<result xmlns='urn:xmpp:mam:2'/>",
        "<a xmlns='urn:1'><b><c/></b></a>",
    ] {
        assert_eq!(
            chat(&format!("{child}<body>hi</body>")).payload,
            text("hi"),
            "{child}"
        );
        assert_eq!(
            chat(&format!("<body>hi</body>{child}")).payload,
            text("hi"),
            "{child}"
        );
    }
}

#[test]
fn a_forged_archive_id_is_not_taken_for_the_own_archives() {
    let forged = "<message xmlns='jabber:client' type='chat' from='mallory@evil.example/x' to='me@home.example'>\
        <body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='mallory@evil.example' id='a-1'/></message>";
    assert_eq!(try_read(forged).unwrap().archive, None);
    let by_us = forged.replace("by='mallory@evil.example'", "by='me@home.example'");
    let naive = read(&by_us.parse().unwrap(), &own(), Trust::default()).unwrap();
    assert_eq!(naive.archive, None);
}

#[test]
fn a_delay_by_the_sender_marks_a_message_sent_again() {
    let m = chat("<body>hi</body><delay xmlns='urn:xmpp:delay' stamp='2024-11-22T10:00:00.500Z'/>");
    assert!(m.resent);
    assert_eq!(m.stamp, Some(Stamp(1_732_269_600_500)));
}

#[test]
fn receipts_markers_and_states_without_text_are_read() {
    assert_eq!(
        chat("<received xmlns='urn:xmpp:receipts' id='o-1'/><store xmlns='urn:xmpp:hints'/>").payload,
        Payload::Received(StanzaId::from("o-1"))
    );
    assert_eq!(
        chat("<displayed xmlns='urn:xmpp:chat-markers:0' id='o-1'/>").payload,
        Payload::Displayed(StanzaId::from("o-1"))
    );
    let typing = chat("<composing xmlns='http://jabber.org/protocol/chatstates'/>");
    assert_eq!(typing.payload, Payload::Nothing);
    assert_eq!(typing.chat_state, Some(ChatState::Composing));
}

#[test]
fn of_several_things_the_first_in_order_of_precedence_counts() {
    let received = "<received xmlns='urn:xmpp:receipts' id='a'/>";
    let displayed = "<displayed xmlns='urn:xmpp:chat-markers:0' id='b'/>";
    let replace = "<replace xmlns='urn:xmpp:message-correct:0' id='c'/>";
    let retract = "<retract xmlns='urn:xmpp:message-retract:1' id='d'/>";
    let body = "<body>x</body>";
    assert_eq!(
        chat(&format!("{displayed}{received}")).payload,
        Payload::Received("a".into())
    );
    assert_eq!(chat(&format!("{displayed}{received}{body}")).payload, text("x"));
    let edit = Payload::Edit {
        replaces: "c".into(),
        body: "x".to_owned(),
    };
    assert_eq!(chat(&format!("{displayed}{body}{replace}")).payload, edit);
    assert_eq!(
        chat(&format!("{body}{replace}{retract}")).payload,
        Payload::Retract("d".into())
    );
    assert_eq!(chat(replace).payload, Payload::Nothing);
}

#[test]
fn the_fallback_of_a_retraction_is_not_shown() {
    let m = chat(
        "<retract xmlns='urn:xmpp:message-retract:1' id='o-1'/>\
         <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>\
         <body>/me retracted a previous message, but it's unsupported by your client.</body><store xmlns='urn:xmpp:hints'/>",
    );
    assert_eq!(m.payload, Payload::Retract(StanzaId::from("o-1")));
}

#[test]
fn the_fallback_of_what_we_do_not_know_is_shown() {
    let m = chat(
        "<reactions xmlns='urn:xmpp:reactions:0' id='o-1'><reaction>👍</reaction></reactions>\
         <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'/><body>👍</body>",
    );
    assert_eq!(m.payload, text("👍"));
}

#[test]
fn an_encrypted_message_is_just_that_even_as_an_edit() {
    let omemo = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2'>AA==</key><iv>AA==</iv></header>\
        <payload>AA==</payload></encrypted><encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl' name='OMEMO'/>\
        <body>I sent you an OMEMO encrypted message but your client doesn't seem to support that.</body>";
    assert_eq!(chat(omemo).payload, Payload::Encrypted("OMEMO".to_owned()));
    let edit = format!("{omemo}<replace xmlns='urn:xmpp:message-correct:0' id='m-0'/>");
    assert_eq!(chat(&edit).payload, Payload::Encrypted("OMEMO".to_owned()));
}

#[test]
fn a_bounce_is_a_bounce_whatever_it_carries() {
    let m = try_read(
        "<message xmlns='jabber:client' type='error' id='o-1' from='bob@b.example' to='me@home.example/here'>\
         <body>hi</body><request xmlns='urn:xmpp:receipts'/><active xmlns='http://jabber.org/protocol/chatstates'/>\
         <retract xmlns='urn:xmpp:message-retract:1' id='d'/>\
         <error type='cancel' code='503'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xml:lang='en' xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>User session not found</text></error></message>",
    )
    .unwrap();
    assert_eq!(
        m.payload,
        Payload::Bounce {
            condition: "service-unavailable".to_owned(),
            text: Some("User session not found".to_owned())
        }
    );
    assert_eq!(m.id, Some(StanzaId::from("o-1")));
    assert!(!m.receipt_wanted);
    assert_eq!(m.chat_state, None);
}

#[test]
fn a_bounce_that_says_nothing_is_still_one_and_a_talkative_one_is_cut() {
    let bounce = |error: &str| {
        try_read(&format!(
            "<message xmlns='jabber:client' type='error' from='bob@b.example'>{error}</message>"
        ))
        .unwrap()
        .payload
    };
    let undefined = Payload::Bounce {
        condition: "undefined-condition".to_owned(),
        text: None,
    };
    assert_eq!(bounce(""), undefined);
    assert_eq!(bounce("<error/>"), undefined);
    let long = "x".repeat(100_000);
    let Payload::Bounce { text, .. } = bounce(&format!(
        "<error><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{long}</text></error>"
    )) else {
        panic!("no bounce")
    };
    assert_eq!(text.map(|text| text.len()), Some(LONGEST_QUOTATION));
}

#[test]
fn a_subject_alone_is_what_was_said_except_in_rooms() {
    assert_eq!(chat("<subject>Lunch?</subject>").payload, text("Lunch?"));
    assert_eq!(
        chat("<subject>Lunch?</subject><body>At noon.</body>").payload,
        text("At noon.")
    );
    let room = try_read(
        "<message xmlns='jabber:client' type='groupchat' from='r@muc.example'><subject>Topic</subject></message>",
    )
    .unwrap();
    assert_eq!(room.payload, Payload::Nothing);
}

#[test]
fn a_body_that_is_not_text_is_shown_as_unreadable() {
    assert!(matches!(
        chat("<body><b xmlns='urn:b'>x</b></body>").payload,
        Payload::Unreadable(_)
    ));
}

#[test]
fn a_huge_body_is_read_whole_and_an_endless_id_is_none() {
    let body = "ß".repeat(400_000);
    assert_eq!(chat(&format!("<body>{body}</body>")).payload, text(&body));
    let id = "i".repeat(4000);
    let m = try_read(&format!(
        "<message xmlns='jabber:client' from='bob@b.example' id='{id}'><body>x</body></message>"
    ))
    .unwrap();
    assert_eq!(m.id, None);
    assert_eq!(m.payload, text("x"));
}

#[test]
fn control_characters_that_xml_allows_are_kept_as_they_are() {
    let m = chat("<body>a\u{85}\u{9f}\u{202e}b&#x9;c</body>");
    assert_eq!(m.payload, text("a\u{85}\u{9f}\u{202e}b\tc"));
}

const NAMES: [&str; 24] = [
    "message",
    "body",
    "subject",
    "delay",
    "stanza-id",
    "origin-id",
    "request",
    "received",
    "sent",
    "displayed",
    "active",
    "replace",
    "retract",
    "retracted",
    "apply-to",
    "encrypted",
    "payload",
    "encryption",
    "error",
    "text",
    "result",
    "forwarded",
    "openpgp",
    "x",
];
const NAMESPACES: [&str; 18] = [
    "jabber:client",
    "urn:xmpp:delay",
    "urn:xmpp:sid:0",
    "urn:xmpp:receipts",
    "urn:xmpp:chat-markers:0",
    "http://jabber.org/protocol/chatstates",
    "urn:xmpp:message-correct:0",
    "urn:xmpp:message-retract:1",
    "urn:xmpp:message-retract:0",
    "urn:xmpp:fasten:0",
    "eu.siacs.conversations.axolotl",
    "urn:xmpp:eme:0",
    "urn:ietf:params:xml:ns:xmpp-stanzas",
    "urn:xmpp:mam:2",
    "urn:xmpp:forward:0",
    "urn:xmpp:carbons:2",
    "jabber:iq:roster",
    "urn:other",
];
const ATTRIBUTES: [&str; 12] = [
    "id",
    "by",
    "from",
    "to",
    "type",
    "stamp",
    "namespace",
    "name",
    "jid",
    "var",
    "queryid",
    "node",
];

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("me@home.example".to_owned()),
        Just("bob@b.example/home".to_owned()),
        Just("error".to_owned()),
        Just("chat".to_owned()),
        Just("2024-11-22T10:00:00Z".to_owned()),
        "(?s).{0,12}",
    ]
}

/// Any element, made of the names we look for in any combination, and of anything else.
fn element() -> impl Strategy<Value = Element> {
    let head = || {
        (
            prop::sample::select(&NAMES[..]),
            prop::sample::select(&NAMESPACES[..]),
            prop::collection::vec((prop::sample::select(&ATTRIBUTES[..]), value()), 0..4),
            value(),
        )
    };
    let build = |(name, namespace, attributes, text): (&str, &str, Vec<(&str, String)>, String),
                 children: Vec<Element>| {
        attributes
            .iter()
            .fold(crate::xml::draft(name, namespace), |draft, (name, value)| {
                draft.attr(name, value)
            })
            .text(&text)
            .children(children)
            .done()
    };
    let leaf = head().prop_map(move |head| build(head, Vec::new()));
    leaf.prop_recursive(4, 40, 6, move |inner| {
        (head(), prop::collection::vec(inner, 0..6)).prop_map(move |(head, children)| build(head, children))
    })
}

proptest! {
    #[test]
    fn reading_any_element_never_panics(
        children in prop::collection::vec(element(), 0..6),
        attributes in prop::collection::vec((prop::sample::select(&ATTRIBUTES[..]), value()), 0..5),
        name in prop::sample::select(&["message", "presence", "iq"][..]),
    ) {
        let stanza = attributes
            .iter()
            .fold(crate::xml::draft(name, CLIENT), |draft, (name, value)| draft.attr(name, value))
            .children(children)
            .done();
        let wire = String::from(&stanza);
        let stanza: Element = wire.parse().unwrap();
        if let Ok(incoming) = read(&stanza, &own(), TRUSTED) {
            // A body with text in it never vanishes, unless the message is one of those whose body is a fallback.
            let said = stanza.children().find(|c| c.is("body", CLIENT) && !c.text().is_empty());
            if said.is_some() {
                prop_assert!(!matches!(
                    incoming.payload,
                    Payload::Nothing | Payload::Received(_) | Payload::Displayed(_)
                ));
            }
        }
        let _ = crate::presence::read(&stanza, &own());
        let _ = crate::roster::result(&stanza);
        let _ = crate::roster::push(&stanza);
        let _ = crate::disco::read(&stanza);
        let _ = crate::disco::answer(&stanza);
        if let Some(Ok(carbon)) = crate::carbons::unwrap(&stanza, &own()) {
            let _ = carbon.read(&own(), TRUSTED);
        }
    }
}

use super::*;
use crate::server::stanza::CLIENT;
use crate::server::{Ahead, Quirks, Said};
use dormouse_model::{BareJid, Random};

/// A server with one account, and the frames that come back.
struct Desk {
    server: Server,
    now: Tick,
    line: LineId,
}

impl Desk {
    fn new(change: impl FnOnce(&mut Quirks)) -> Self {
        let mut random = Random::from_seed([9; 32]);
        let mut quirks = Quirks::draw(&mut random);
        quirks.scram = false;
        quirks.management = true;
        quirks.sasl2 = Offer::Fast;
        quirks.ahead = Ahead::Taken;
        quirks.exporter = false;
        quirks.features_after_resumption = false;
        change(&mut quirks);
        let people = [(BareJid::new("anna@home.example").unwrap(), "secret".to_owned())];
        let server = Server::new(quirks, "home.example", &people, random);
        let mut desk = Self {
            server,
            now: Tick(1_000),
            line: 0,
        };
        desk.dial();
        desk
    }

    fn dial(&mut self) {
        self.line += 1;
        self.server
            .opened(self.now, self.line, 0, Duration::from_millis(100));
    }

    /// After the client has had time to hear what was said.
    fn later(&mut self) {
        self.now = self.now + Duration::from_secs(1);
    }

    fn say(&mut self, frame: &str) -> Vec<Element> {
        let said = self.server.frame(self.now, self.line, frame);
        said.into_iter()
            .filter_map(|said| match said {
                Said::Frame(line, text) if line == self.line => text.parse().ok(),
                _ => None,
            })
            .collect()
    }

    fn open(&mut self) -> Vec<Element> {
        self.say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='home.example' version='1.0'/>")
    }

    fn authenticate(&mut self, mechanism: &str, response: &[u8], inline: &str) -> Vec<Element> {
        let response = BASE64_STANDARD.encode(response);
        self.say(&format!(
            "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'><initial-response>{response}</initial-response>\
             <user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>{inline}</authenticate>"
        ))
    }

    fn plain(&mut self, inline: &str) -> Vec<Element> {
        self.authenticate("PLAIN", b"\0anna\0secret", inline)
    }

    fn token(&mut self, token: &str, inline: &str) -> Vec<Element> {
        let mut response = b"anna\0".to_vec();
        response.extend(keyed(token, "Initiator", b""));
        self.authenticate("HT-SHA-256-NONE", &response, inline)
    }

    /// The connection is gone, and a new one is there.
    fn again(&mut self) {
        self.later();
        self.server.closed(self.now, self.line);
        self.dial();
        self.open();
        self.later();
    }
}

const REQUEST: &str = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>";
const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'><tag>Dormouse</tag><enable xmlns='urn:xmpp:carbons:2'/>\
                    <enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>";

fn resume(name: &str) -> String {
    format!("<resume xmlns='urn:xmpp:sm:3' h='0' previd='{name}'/>")
}

fn given_token(success: &Element) -> String {
    success
        .get_child("token", FAST)
        .unwrap()
        .attr("token")
        .unwrap()
        .to_owned()
}

fn session_name(success: &Element) -> String {
    let bound = success.get_child("bound", BIND2).unwrap();
    bound
        .get_child("enabled", SM)
        .unwrap()
        .attr("id")
        .unwrap()
        .to_owned()
}

fn failure(answer: &[Element]) -> &str {
    assert!(answer[0].is("failure", SASL2));
    answer[0].children().next().unwrap().name()
}

#[test]
fn what_is_offered_is_as_the_server_is() {
    for (offer, sasl2, inline, bind, fast) in [
        (Offer::None, false, false, false, false),
        (Offer::Plain, true, false, false, false),
        (Offer::Resuming, true, true, false, false),
        (Offer::Inline, true, true, true, false),
        (Offer::Fast, true, true, true, true),
    ] {
        let mut desk = Desk::new(|quirks| quirks.sasl2 = offer);
        let said = desk.open();
        let authentication = said[1].get_child("authentication", SASL2);
        let inlined = authentication.and_then(|it| it.get_child("inline", SASL2));
        assert_eq!(authentication.is_some(), sasl2);
        assert_eq!(inlined.is_some(), inline);
        assert_eq!(
            inlined.is_some_and(|inline| inline.has_child("bind", BIND2)),
            bind
        );
        assert_eq!(inlined.is_some_and(|inline| inline.has_child("fast", FAST)), fast);
    }
}

#[test]
fn a_session_is_bound_in_the_answer_and_features_follow_without_being_asked_for() {
    let mut desk = Desk::new(|_| {});
    desk.open();
    desk.later();
    let said = desk.plain(BIND);
    assert!(said[0].is("success", SASL2));
    let address = said[0]
        .get_child("authorization-identifier", SASL2)
        .unwrap()
        .text();
    assert!(address.starts_with("anna@home.example/Dormouse."), "{address}");
    assert!(!session_name(&said[0]).is_empty());
    assert!(said[1].is("features", STREAMS) && said[1].has_child("sm", SM));
}

#[test]
fn an_earlier_session_goes_on_and_nothing_is_bound() {
    let mut desk = Desk::new(|_| {});
    desk.open();
    desk.later();
    let name = session_name(&desk.plain(BIND)[0]);
    desk.again();
    let said = desk.plain(&format!("{}{BIND}", resume(&name)));
    assert!(said[0].has_child("resumed", SM) && !said[0].has_child("bound", BIND2));
    assert!(said.iter().all(|element| !element.is("features", STREAMS)));
}

#[test]
fn a_session_that_is_gone_and_a_new_one_stand_in_the_same_answer() {
    let mut desk = Desk::new(|_| {});
    desk.open();
    desk.later();
    let said = desk.plain(&format!("{}{BIND}", resume("unknown")));
    assert!(said[0].has_child("failed", SM) && said[0].has_child("bound", BIND2));
}

#[test]
fn what_waits_for_somebody_who_binds_in_the_same_answer_comes_from_prosody_and_is_left_to_the_archive_by_ejabberd()
 {
    for (kind, archive, comes) in [
        (Kind::Prosody, true, true),
        (Kind::Ejabberd, true, false),
        (Kind::Ejabberd, false, true),
    ] {
        let mut desk = Desk::new(|quirks| {
            quirks.kind = kind;
            quirks.archive = archive;
        });
        let waits = with("message", CLIENT, &[("id", "w-1")]);
        desk.server.accounts[0].offline.push(waits);
        desk.open();
        desk.later();
        desk.plain(BIND);
        let said = desk.say("<presence xmlns='jabber:client'/>");
        let came = said.iter().any(|element| element.attr("id") == Some("w-1"));
        assert_eq!(came, comes, "{kind:?}");
    }
}

#[test]
fn a_token_signs_in_until_its_successor_is_used_until_it_expires_and_until_it_is_withdrawn() {
    let mut desk = Desk::new(|_| {});
    desk.open();
    desk.later();
    let first = given_token(&desk.plain(REQUEST)[0]);
    desk.again();
    let said = desk.token(&first, REQUEST);
    let proof = said[0].get_child("additional-data", SASL2).unwrap().text();
    assert_eq!(
        BASE64_STANDARD.decode(proof).unwrap(),
        keyed(&first, "Responder", b"")
    );
    let second = given_token(&said[0]);
    // The old one is taken until the new one has been used.
    desk.again();
    assert!(desk.token(&first, "")[0].is("success", SASL2));
    desk.again();
    assert!(desk.token(&second, "")[0].is("success", SASL2));
    desk.again();
    assert_eq!(failure(&desk.token(&first, "")), "not-authorized");
    // On the same stream the password still does.
    desk.later();
    assert!(desk.plain("")[0].is("success", SASL2));
    desk.now = desk.now + TOKEN_LIVES;
    desk.again();
    assert_eq!(failure(&desk.token(&second, "")), "not-authorized");
    desk.again();
    let third = given_token(&desk.plain(REQUEST)[0]);
    desk.server.expire_tokens(0);
    desk.again();
    assert_eq!(failure(&desk.token(&third, "")), "not-authorized");
    assert_eq!(desk.server.violations, Vec::<String>::new());
}

#[test]
fn a_token_is_bound_to_its_connection_where_that_can_be() {
    let mut desk = Desk::new(|quirks| quirks.exporter = true);
    let said = desk.open();
    assert!(said[1].has_child("sasl-channel-binding", CHANNEL_BINDING));
    desk.later();
    let wanted = REQUEST.replace("NONE", "EXPR");
    let token = given_token(&desk.plain(&wanted)[0]);
    desk.again();
    let response = |binding: &[u8]| [b"anna\0".to_vec(), keyed(&token, "Initiator", binding)].concat();
    assert_eq!(
        failure(&desk.authenticate("HT-SHA-256-EXPR", &response(b""), "")),
        "not-authorized"
    );
    let binding = desk.server.exporter_of(desk.line).unwrap();
    assert!(desk.authenticate("HT-SHA-256-EXPR", &response(&binding), "")[0].is("success", SASL2));
}

#[test]
fn scram_is_proven_in_two_steps_with_either_hash() {
    for (mechanism, length) in [("SCRAM-SHA-256", 32), ("SCRAM-SHA-1", 20)] {
        let mut desk = Desk::new(|quirks| quirks.scram = true);
        desk.open();
        desk.later();
        let said = desk.authenticate(mechanism, b"n,,n=anna,r=abc", BIND);
        assert!(said[0].is("challenge", SASL2));
        desk.later();
        let wrong = BASE64_STANDARD.encode(format!(
            "c=biws,r=abc,p={}",
            BASE64_STANDARD.encode(vec![0; length])
        ));
        let said = desk.say(&format!("<response xmlns='{SASL2}'>{wrong}</response>"));
        assert_eq!(failure(&said), "not-authorized");
    }
}

#[test]
fn what_is_sent_ahead_is_taken_lost_or_refused() {
    for (ahead, answers, ends) in [
        (Ahead::Taken, 2, false),
        (Ahead::Lost, 0, false),
        (Ahead::Refused, 2, true),
    ] {
        let mut desk = Desk::new(|quirks| quirks.ahead = ahead);
        desk.open();
        let said = desk.plain(BIND);
        assert_eq!(said.len(), answers, "{ahead:?}");
        assert_eq!(
            said.first().is_some_and(|element| element.is("error", STREAMS)),
            ends,
            "{ahead:?}"
        );
    }
}

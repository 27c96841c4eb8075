//! Sign-in in one exchange (XEP-0388) with everything inside it.

use super::*;

const FAST: &str = "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism><mechanism>HT-SHA-256-EXPR</mechanism></fast>";
const SM: &str = "<sm xmlns='urn:xmpp:sm:3'/>";
const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:sm:3'/>\
    <feature var='urn:xmpp:csi:0'/></inline></bind>";
const AGAIN: &str =
    "<stream:features><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/></stream:features>";
const ENABLED_INSIDE: &str =
    "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='sm-2' resume='true'/></bound>";
const IDENTITY: &str = "<authorization-identifier>me@home.example/Dormouse~x</authorization-identifier>";

fn offer(inline: &[&str]) -> String {
    format!(
        "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism>\
         <inline>{}</inline></authentication>\
         <sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>\
         <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>",
        inline.concat()
    )
}

fn success(proof: &str, inline: &[&str]) -> String {
    format!(
        "<success xmlns='urn:xmpp:sasl:2'><additional-data>{proof}</additional-data>{}</success>",
        inline.concat()
    )
}

fn token(secret: &str) -> String {
    format!("<token xmlns='urn:xmpp:fast:0' token='{secret}' expiry='2100-01-01T00:00:00Z'/>")
}

fn refusal() -> &'static str {
    "<failure xmlns='urn:xmpp:sasl:2'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"
}

/// What the server answers to a token, in base64.
fn responder(secret: &str, binding: &[u8]) -> String {
    STANDARD.encode(hmac(secret.as_bytes(), &[b"Responder", binding].concat()))
}

impl Script {
    /// Answers a SCRAM exchange that `authenticate` began; the server's signature.
    fn scram2(&mut self, authenticate: &Element) -> String {
        let first = authenticate
            .get_child("initial-response", "urn:xmpp:sasl:2")
            .unwrap();
        let server = ScramServer::begun(&decoded(first), PASSWORD, 4096);
        self.give(&server.challenge_in("urn:xmpp:sasl:2"));
        let response = self.expect("response");
        assert!(response.has_ns("urn:xmpp:sasl:2"));
        server.signature(&response).unwrap()
    }

    /// Up to the sign-in, step by step.
    fn authenticate2(&mut self, inline: &[&str]) -> Element {
        self.expect("open");
        self.give(OPEN);
        self.give(&offer(inline));
        self.expect("authenticate")
    }

    /// A session that was bound inside the sign-in, with a token for the next, all requests answered.
    fn ready2(inline: &[&str]) -> Self {
        let mut script = Self::new();
        script.begin(&tls(Some([3; 32])), PASSWORD);
        let authenticate = script.authenticate2(inline);
        let proof = script.scram2(&authenticate);
        script.give(&success(&proof, &[IDENTITY, ENABLED_INSIDE, &token("first")]));
        script.give(AGAIN);
        script.frames.clear();
        script
    }

    fn token_exchange(&mut self) -> Element {
        self.frames.clear();
        self.begin(&tls(Some([3; 32])), PASSWORD);
        self.expect("open");
        let authenticate = self.expect("authenticate");
        self.expect_nothing();
        self.give(OPEN);
        self.give(&offer(&[FAST, SM, BIND]));
        self.expect_nothing();
        authenticate
    }
}

#[test]
fn everything_is_asked_for_inside_the_sign_in_and_answered_inside_its_success() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    let authenticate = script.authenticate2(&[FAST, SM, BIND]);
    assert_eq!(authenticate.attr("mechanism"), Some("SCRAM-SHA-256"));
    let agent = authenticate.get_child("user-agent", "urn:xmpp:sasl:2").unwrap();
    assert_eq!(agent.attr("id").map(str::len), Some(36));
    let bind = authenticate.get_child("bind", "urn:xmpp:bind:0").unwrap();
    assert!(bind.has_child("enable", "urn:xmpp:carbons:2") && bind.has_child("enable", "urn:xmpp:sm:3"));
    let wanted = authenticate
        .get_child("request-token", "urn:xmpp:fast:0")
        .unwrap();
    assert_eq!(wanted.attr("mechanism"), Some("HT-SHA-256-NONE"));
    assert!(!authenticate.has_child("resume", "urn:xmpp:sm:3"));

    let proof = script.scram2(&authenticate);
    script.give(&success(&proof, &[IDENTITY, ENABLED_INSIDE, &token("first")]));
    assert!(script.session.is_ready(), "in one exchange");
    assert!(matches!(
        script.events[..],
        [.., Event::Bound { resumable: true, .. }]
    ));
    assert!(script.token.is_some());
    assert_eq!(script.expect("iq").attr("to"), Some("me@home.example"));
    let roster = script.expect("iq");
    assert!(roster.has_child("query", "jabber:iq:roster"));
    script.expect("presence");
    assert_eq!(script.expect("iq").attr("to"), Some("home.example"));
    assert!(script.expect("iq").has_child("prefs", "urn:xmpp:mam:2"));
    script.expect("r");
    script.give(AGAIN);
    script.expect("active");
    script.expect_nothing();
}

#[test]
fn a_token_signs_in_and_resumes_in_one_flight() {
    let mut script = Script::ready2(&[FAST, SM, BIND]);
    script.text(1);
    script.closed(&Closing::Broken("gone".into()));
    let authenticate = script.token_exchange();
    assert_eq!(authenticate.attr("mechanism"), Some("HT-SHA-256-EXPR"));
    assert!(authenticate.has_child("fast", "urn:xmpp:fast:0"));
    let resume = authenticate.get_child("resume", "urn:xmpp:sm:3").unwrap();
    assert_eq!(resume.attr("previd"), Some("sm-2"));
    assert!(authenticate.has_child("bind", "urn:xmpp:bind:0"));
    let resumed = "<resumed xmlns='urn:xmpp:sm:3' previd='sm-2' h='6'/>";
    script.give(&success(&responder("first", &[3; 32]), &[IDENTITY, resumed]));
    assert!(script.session.is_ready());
    assert!(
        script
            .events
            .iter()
            .any(|event| matches!(event, Event::Resumed { .. }))
    );
}

#[test]
fn a_session_that_is_gone_is_bound_in_the_same_reply() {
    let mut script = Script::ready2(&[FAST, SM, BIND]);
    for number in 1..=2 {
        script.text(number);
    }
    script.closed(&Closing::Broken("gone".into()));
    script.token_exchange();
    let failed = "<failed xmlns='urn:xmpp:sm:3' h='6'/>";
    script.give(&success(
        &responder("first", &[3; 32]),
        &[IDENTITY, failed, ENABLED_INSIDE],
    ));
    assert!(script.session.is_ready());
    assert_eq!(
        script.reports().last(),
        Some(&&Event::Bound {
            conn: ConnId(2),
            acked: ids(&[1]),
            doubtful: ids(&[2]),
            resumable: true
        })
    );
}

#[test]
fn a_session_goes_on_with_its_token_in_another_process() {
    let mut script = Script::ready2(&[FAST, SM, BIND]).restart();
    let authenticate = script.token_exchange();
    assert_eq!(authenticate.attr("mechanism"), Some("HT-SHA-256-EXPR"));
    assert_eq!(
        authenticate
            .get_child("resume", "urn:xmpp:sm:3")
            .unwrap()
            .attr("previd"),
        Some("sm-2")
    );
}

#[test]
fn a_refused_token_is_followed_by_the_password_without_a_word_to_the_user() {
    let mut script = Script::ready2(&[FAST, SM, BIND]);
    script.closed(&Closing::Broken("gone".into()));
    script.token_exchange();
    script.give(refusal());
    assert!(script.events.contains(&Event::TokenRefused));
    assert_eq!(script.last_verdict(), None);
    let authenticate = script.expect("authenticate");
    assert_eq!(authenticate.attr("mechanism"), Some("SCRAM-SHA-256"));
    assert!(
        authenticate.has_child("resume", "urn:xmpp:sm:3"),
        "the session is still asked for"
    );
    let wanted = authenticate
        .get_child("request-token", "urn:xmpp:fast:0")
        .unwrap();
    assert_eq!(
        wanted.attr("mechanism"),
        Some("HT-SHA-256-NONE"),
        "where binding has failed it is not tried again"
    );
    let proof = script.scram2(&authenticate);
    let resumed = "<resumed xmlns='urn:xmpp:sm:3' previd='sm-2' h='5'/>";
    script.give(&success(&proof, &[IDENTITY, resumed, &token("second")]));
    assert!(script.session.is_ready() && script.token.is_some());
}

#[test]
fn a_wrong_password_behind_a_refused_token_is_a_wrong_password() {
    let mut script = Script::ready2(&[FAST, SM, BIND]);
    script.closed(&Closing::Broken("gone".into()));
    script.token_exchange();
    script.give(refusal());
    script.expect("authenticate");
    script.give(refusal());
    assert_eq!(refused(&script), Some(&Cause::WrongPassword));
}

#[test]
fn a_server_that_does_not_know_the_token_gets_no_session() {
    for proof in [
        String::new(),
        responder("another", &[3; 32]),
        responder("first", &[4; 32]),
    ] {
        let mut script = Script::ready2(&[FAST, SM, BIND]);
        script.closed(&Closing::Broken("gone".into()));
        script.token_exchange();
        let resumed = "<resumed xmlns='urn:xmpp:sm:3' previd='sm-2' h='5'/>";
        script.give(&success(&proof, &[IDENTITY, resumed]));
        assert_eq!(refused(&script), Some(&Cause::ServerNotGenuine));
        assert!(!script.session.is_ready());
        script
            .events
            .retain(|event| !matches!(event, Event::Ended { .. }));
        script.token_exchange();
        assert!(
            script.session.managed.is_none(),
            "what it may have taken over is not asked for again"
        );
    }
}

#[test]
fn a_token_given_while_one_is_used_takes_its_place() {
    let mut script = Script::ready2(&[FAST, SM, BIND]);
    script.closed(&Closing::Broken("gone".into()));
    script.token_exchange();
    let before = script.token.clone();
    let resumed = "<resumed xmlns='urn:xmpp:sm:3' previd='sm-2' h='5'/>";
    script.give(&success(
        &responder("first", &[3; 32]),
        &[IDENTITY, resumed, &token("second")],
    ));
    assert!(script.token.is_some() && script.token != before);
}

#[test]
fn nothing_is_bound_inside_where_the_session_can_only_be_resumed_afterwards() {
    let mut script = Script::ready2(&[SM, BIND]);
    script.closed(&Closing::Broken("gone".into()));
    script.begin(&tls(Some([3; 32])), PASSWORD);
    script.expect("open");
    // The one sent ahead is refused; the real offer has no resumption inside.
    script.expect("authenticate");
    script.give(OPEN);
    script.give(&offer(&[BIND]));
    script.give(refusal());
    let authenticate = script.expect("authenticate");
    assert!(
        !authenticate.has_child("bind", "urn:xmpp:bind:0")
            && !authenticate.has_child("resume", "urn:xmpp:sm:3")
    );
    let proof = script.scram2(&authenticate);
    script.give(&success(
        &proof,
        &["<authorization-identifier>me@home.example</authorization-identifier>"],
    ));
    script.give(AGAIN);
    assert_eq!(script.expect("resume").attr("previd"), Some("sm-2"));
}

#[test]
fn a_server_with_the_exchange_alone_is_bound_to_step_by_step_behind_it() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    let authenticate = script.authenticate2(&[]);
    assert!(!authenticate.has_child("bind", "urn:xmpp:bind:0"));
    let proof = script.scram2(&authenticate);
    script.give(&success(
        &proof,
        &["<authorization-identifier>me@home.example</authorization-identifier>"],
    ));
    script.expect_nothing();
    script.give(OFFER);
    script.bind();
    script.expect("enable");
}

#[test]
fn stream_management_that_is_not_enabled_inside_is_enabled_behind_it() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    let authenticate = script.authenticate2(&["<bind xmlns='urn:xmpp:bind:0'/>"]);
    let proof = script.scram2(&authenticate);
    script.give(&success(&proof, &[IDENTITY, "<bound xmlns='urn:xmpp:bind:0'/>"]));
    assert!(!script.session.is_ready());
    script.give(AGAIN);
    script.expect("enable");
    let carbons = script.expect("iq");
    assert!(carbons.has_child("enable", "urn:xmpp:carbons:2"));
    script.give(ENABLED);
    assert!(script.session.is_ready());
}

#[test]
fn an_address_that_is_not_ours_is_not_taken() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    let authenticate = script.authenticate2(&[BIND]);
    let proof = script.scram2(&authenticate);
    let other = "<authorization-identifier>you@home.example/x</authorization-identifier>";
    script.give(&success(&proof, &[other, ENABLED_INSIDE]));
    assert!(matches!(refused(&script), Some(Cause::ProtocolViolation(_))));
    assert!(!script.session.is_ready());
}

#[test]
fn an_unanswered_resumption_inside_the_sign_in_is_one_that_broke() {
    let mut script = Script::ready2(&[FAST, SM, BIND]);
    script.closed(&Closing::Broken("gone".into()));
    script.token_exchange();
    script.closed(&Closing::Broken("reset".into()));
    assert!(script.session.managed.is_some(), "it may never have been heard");
    // Step by step, after a flight without an answer.
    script.begin(&tls(Some([3; 32])), PASSWORD);
    let authenticate = script.authenticate2(&[FAST, SM, BIND]);
    assert!(authenticate.has_child("resume", "urn:xmpp:sm:3"));
    script.closed(&Closing::Broken("reset".into()));
    assert!(script.session.managed.is_none(), "given up after the second time");
    assert!(script.token.is_some(), "the token is not to blame");
}

#[test]
fn the_password_itself_is_not_said_where_the_older_exchange_has_something_better() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    let plain = "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism></authentication>";
    script.give(&SASL_OFFER.replace("<mechanisms", &format!("{plain}<mechanisms")));
    assert_eq!(script.expect("auth").attr("mechanism"), Some("SCRAM-SHA-256"));
}

#[test]
fn neither_password_nor_token_shows_anywhere() {
    let script = Script::ready2(&[FAST, SM, BIND]);
    for event in &script.events {
        let shown = format!("{event:?}");
        assert!(!shown.contains(PASSWORD) && !shown.contains("first"), "{shown}");
    }
    for value in script.disk.values() {
        let text = String::from_utf8_lossy(value);
        assert!(!text.contains(PASSWORD) && !text.contains("first"));
    }
}

#[test]
fn a_session_that_does_not_appear_binds_without_carbons_and_asks_for_no_token() {
    let mut script = Script::new();
    script.session.settings.appears = false;
    script.begin(&tls(Some([3; 32])), PASSWORD);
    let authenticate = script.authenticate2(&[FAST, SM, BIND]);
    assert!(
        authenticate
            .get_child("request-token", "urn:xmpp:fast:0")
            .is_none()
    );
    let bind = authenticate.get_child("bind", "urn:xmpp:bind:0").unwrap();
    assert!(bind.get_child("enable", "urn:xmpp:carbons:2").is_none());
    assert!(bind.get_child("enable", "urn:xmpp:sm:3").is_some());
}

#[test]
fn a_token_that_is_bound_to_nothing_is_used_where_it_is_taken_until_the_account_has_bound_once() {
    let all: &[&str] = &[FAST, SM, BIND];
    for (bound_once, inline, used) in [(false, all, true), (true, all, false), (false, &all[1..], false)] {
        let mut script = Script::new();
        script.begin(&tls(None), PASSWORD);
        let authenticate = script.authenticate2(all);
        let proof = script.scram2(&authenticate);
        script.give(&success(&proof, &[IDENTITY, ENABLED_INSIDE, &token("first")]));
        script.closed(&Closing::Broken("gone".into()));
        script.session.pins.channel_binding = bound_once;
        script.session.one_flight = OneFlight::default();
        script.frames.clear();
        script.begin(&tls(None), PASSWORD);
        script.give(OPEN);
        script.give(&offer(inline));
        let signs_in = |frame: &String| {
            let element: Element = frame.parse().unwrap();
            element.is("authenticate", "urn:xmpp:sasl:2")
                && element.attr("mechanism") == Some("HT-SHA-256-NONE")
        };
        assert_eq!(
            script.frames.iter().any(signs_in),
            used,
            "{bound_once}, {inline:?}"
        );
    }
}

#[test]
fn a_token_that_lasts_is_not_asked_for_again() {
    let mut script = Script::ready2(&[FAST, SM, BIND]);
    script.closed(&Closing::Broken("gone".into()));
    let authenticate = script.token_exchange();
    assert!(!authenticate.has_child("request-token", "urn:xmpp:fast:0"));
}

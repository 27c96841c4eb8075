//! Classic sign-in (RFC 6120) without waiting to be asked.

use super::*;
use dormouse_model::Stamp;

/// A session that has signed in once and lost its connection.
fn met() -> Script {
    let mut script = Script::ready();
    script.closed(&Closing::Broken("gone".into()));
    script.frames.clear();
    script
}

fn names(script: &mut Script) -> Vec<String> {
    let frames = std::mem::take(&mut script.frames);
    let name = |text: String| text.parse::<Element>().unwrap().name().to_owned();
    frames.into_iter().map(name).collect()
}

impl Script {
    fn sent(&mut self) -> Vec<String> {
        names(self)
    }

    /// The proof is right: the stream is opened anew.
    fn accepted(&mut self, server: &ScramServer, response: &Element) {
        self.give(&server.success(response));
        self.give(OPEN);
        self.give(OFFER);
    }

    /// Opens, offers, and answers the sign-in that was sent ahead.
    fn challenged(&mut self) -> (ScramServer, Element) {
        self.expect("open");
        let auth = self.expect("auth");
        let server = ScramServer::new(&auth, PASSWORD, 4096, &[]);
        self.expect_nothing();
        self.give(OPEN);
        self.give(SASL_OFFER);
        self.expect_nothing();
        self.give(&server.challenge());
        let response = self.expect("response");
        (server, response)
    }
}

#[test]
fn a_server_that_was_never_met_is_asked_step_by_step() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    assert_eq!(script.sent(), ["open"]);
}

#[test]
fn a_resumption_takes_two_flights() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    let (server, response) = script.challenged();
    assert_eq!(script.sent(), ["open", "resume"]);
    script.accepted(&server, &response);
    script.expect_nothing();
    script.give("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='6'/>");
    assert!(script.session.is_ready());
}

#[test]
fn a_session_that_is_gone_is_bound_behind_the_refused_resumption() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    let (server, response) = script.challenged();
    script.accepted(&server, &response);
    assert_eq!(script.sent(), ["open", "resume"]);
    script.give("<failed xmlns='urn:xmpp:sm:3' h='6'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
    script.bind();
    script.expect("enable");
}

#[test]
fn behind_a_refused_resumption_that_came_with_the_proof_a_broken_stream_is_replaced_at_once() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    let (server, response) = script.challenged();
    script.accepted(&server, &response);
    script.give("<failed xmlns='urn:xmpp:sm:3'/>");
    script
        .give("<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    let action = script.last_verdict().map(|verdict| verdict.action);
    assert_eq!(action, Some(Action::RetryPlainly));
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    script.bind();
    script.expect("enable");
}

#[test]
fn a_session_that_is_probably_gone_is_asked_for_behind_the_accepted_proof() {
    let mut script = met();
    script.now.stamp = Stamp(301_000);
    script.begin(&tls(None), PASSWORD);
    let (server, response) = script.challenged();
    script.expect_nothing();
    script.give(&server.success(&response));
    assert_eq!(script.sent(), ["open", "resume"]);
    script.give(OPEN);
    script.give(OFFER);
    script.give("<failed xmlns='urn:xmpp:sm:3'/>");
    script.bind();
    script.expect("enable");
}

#[test]
fn a_refused_quick_sign_in_is_no_wrong_password_and_is_repeated_step_by_step() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    script.challenged();
    script.give(&failure("not-authorized"));
    let verdict = script.last_verdict().unwrap();
    assert_eq!(verdict.action, Action::RetryPlainly);
    assert!(script.hung_up);

    let mut script = script.restart();
    script.begin(&tls(None), PASSWORD);
    assert_eq!(script.sent(), ["open"], "step by step, also in the next process");
    script.give(OPEN);
    script.give(SASL_OFFER);
    let auth = script.expect("auth");
    let server = ScramServer::new(&auth, "another password", 4096, &[]);
    script.give(&server.challenge());
    let response = script.expect("response");
    script.expect_nothing();
    script.give(&server.success(&response));
    assert_eq!(refused(&script), Some(&Cause::WrongPassword));
}

#[test]
fn the_session_outlives_a_refused_quick_sign_in() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    script.challenged();
    script.give(&failure("temporary-auth-failure"));
    script.frames.clear();
    script.sign_in();
    script.give(OFFER);
    assert_eq!(script.expect("resume").attr("previd"), Some("sm-1"));
}

#[test]
fn a_mechanism_that_is_no_longer_offered_is_replaced_by_one_that_is() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    script.expect("open");
    script.expect("auth");
    script.give(OPEN);
    script.give(&SASL_OFFER.replace("SHA-256", "SHA-1"));
    script.expect_nothing();
    script.give(&failure("invalid-mechanism"));
    assert_eq!(script.expect("auth").attr("mechanism"), Some("SCRAM-SHA-1"));
    assert_eq!(script.last_verdict(), None);
}

#[test]
fn a_flight_that_is_never_answered_is_followed_by_a_sign_in_step_by_step_and_then_by_another_flight() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    assert_eq!(script.sent(), ["open", "auth"]);
    script.closed(&Closing::Eof);
    // The network may still be what it was: that is no reason to send anything ahead.
    script.begin(&tls(None), PASSWORD);
    assert_eq!(script.sent(), ["open"]);
    script.closed(&Closing::Eof);
    script.sign_in();
    script.closed(&Closing::Eof);
    script.frames.clear();
    script.begin(&tls(None), PASSWORD);
    assert_eq!(script.sent(), ["open", "auth"]);
}

#[test]
fn a_server_that_twice_says_nothing_to_a_flight_is_asked_step_by_step_for_a_while() {
    let mut script = met();
    for _ in 0..2 {
        script.begin(&tls(None), PASSWORD);
        assert_eq!(script.sent(), ["open", "auth"]);
        script.closed(&Closing::Eof);
        script.sign_in();
        script.closed(&Closing::Eof);
        script.frames.clear();
    }
    script.begin(&tls(None), PASSWORD);
    assert_eq!(script.sent(), ["open"]);
}

#[test]
fn a_flight_that_is_given_up_before_it_could_be_answered_blames_nobody() {
    let mut script = met();
    for (given_up_after, next) in [(4_999, ["open", "auth"].as_slice()), (5_000, &["open"])] {
        script.begin(&tls(None), PASSWORD);
        assert_eq!(script.sent(), ["open", "auth"]);
        script.now.tick = script.now.tick + Duration::from_millis(given_up_after);
        script.session.give_up(script.now, script.conn);
        script.begin(&tls(None), PASSWORD);
        assert_eq!(script.sent(), next);
        script.session.give_up(script.now, script.conn);
    }
}

#[test]
fn a_server_that_calls_a_flight_an_offence_is_asked_step_by_step_at_once() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    assert_eq!(script.sent(), ["open", "auth"]);
    script
        .give("<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    let action = script.last_verdict().map(|verdict| verdict.action);
    assert_eq!(action, Some(Action::RetryPlainly));
    script.frames.clear();
    script.begin(&tls(None), PASSWORD);
    assert_eq!(script.sent(), ["open"]);
    script
        .give("<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    let action = script.last_verdict().map(|verdict| verdict.action);
    assert_eq!(action, Some(Action::RetrySlowly), "that was not it");
}

#[test]
fn a_resumption_in_the_flight_that_is_never_answered_is_one_that_broke() {
    let mut script = met();
    script.begin(&tls(None), PASSWORD);
    script.challenged();
    assert_eq!(script.sent(), ["open", "resume"]);
    script.closed(&Closing::Broken("reset".into()));
    assert!(script.session.managed.is_some(), "it may never have been heard");
    script.sign_in();
    script.expect_nothing();
    script.give(OFFER);
    assert_eq!(script.sent(), ["resume"], "step by step");
    script.closed(&Closing::Broken("reset".into()));
    assert!(script.session.managed.is_none(), "given up after the second time");
}

#[test]
fn after_scram_a_remembered_offer_of_less_is_not_taken_either() {
    let mut script = met();
    let less = crate::stream::StreamFeatures {
        mechanisms: vec!["PLAIN".to_owned()],
        ..Default::default()
    };
    script.session.one_flight.worked(&less);
    script.begin(&tls(None), PASSWORD);
    assert_eq!(
        script.sent(),
        ["open"],
        "what the memory holds is no reason to refuse, either"
    );
}

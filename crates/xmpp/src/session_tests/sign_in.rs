use super::*;

#[test]
fn a_sign_in_ends_in_a_session() {
    let mut script = Script::new();
    script.sign_in();
    script.give(OFFER);
    script.bind();
    let enable = script.expect("enable");
    assert_eq!(enable.attr("resume"), Some("true"));
    let carbons = script.expect("iq");
    assert!(carbons.has_child("enable", "urn:xmpp:carbons:2"));
    assert!(carbons.has_ns("jabber:client"));
    for _ in 0..2 {
        script.expect("iq");
    }
    script.expect("presence");
    script.expect("active");
    for _ in 0..2 {
        script.expect("iq");
    }
    assert!(
        !script.session.is_ready(),
        "not before the server has enabled stream management"
    );
    script.give(ENABLED);
    assert!(script.session.is_ready());
    assert!(script.events.contains(&Event::Bound {
        conn: ConnId(1),
        acked: vec![],
        doubtful: vec![],
        resumable: true
    }));
    assert!(script.session.has_worked());
    assert!(script.restart().session.has_worked());
}

#[test]
fn a_wrong_password_stops_the_account() {
    let mut script = Script::new();
    script.begin(&tls(None), "pencils");
    script.expect("open");
    script.give(OPEN);
    script.give(SASL_OFFER);
    let auth = script.expect("auth");
    let server = ScramServer::new(&auth, PASSWORD, 4096, &[]);
    script.give(&server.challenge());
    let response = script.expect("response");
    script.give(&server.success(&response));
    assert_eq!(
        script.last_verdict(),
        Some(&Verdict::new(Action::Stop, Cause::WrongPassword))
    );
    assert!(script.hung_up);
    assert!(!script.session.has_worked());
}

#[test]
fn a_socket_that_closes_during_sign_in_says_nothing_about_the_password() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    script.give(OPEN);
    script.give(SASL_OFFER);
    assert_eq!(
        script.closed(&Closing::Eof),
        Some(Verdict::new(Action::Retry, Cause::Lost))
    );
    assert_eq!(script.closed(&Closing::Eof), None);
}

/// Up to the point where the server answers our proof.
fn proved() -> (Script, ScramServer, Element) {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    script.give(SASL_OFFER);
    let auth = script.expect("auth");
    let server = ScramServer::new(&auth, PASSWORD, 4096, &[]);
    script.give(&server.challenge());
    let response = script.expect("response");
    (script, server, response)
}

#[test]
fn a_server_that_does_not_know_the_password_gets_no_session() {
    for forged in ["", "dj1BQUFB", "="] {
        let (mut script, _, _) = proved();
        script.give(&format!(
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{forged}</success>"
        ));
        assert_eq!(refused(&script), Some(&Cause::ServerNotGenuine), "{forged}");
        assert_ne!(script.last_verdict().unwrap().action, Action::Stop);
        assert!(!script.session.has_worked());
    }
}

#[test]
fn a_signature_in_a_challenge_of_its_own_is_a_signature() {
    let (mut script, server, response) = proved();
    let as_challenge = server.success(&response).replace("success", "challenge");
    script.give(&as_challenge);
    assert_eq!(script.expect("response").text(), "");
    script.give("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    script.expect("open");
}

#[test]
fn too_many_iterations_are_not_computed() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    script.give(SASL_OFFER);
    let auth = script.expect("auth");
    let mut server = ScramServer::new(&auth, PASSWORD, 4096, &[]);
    server.server_first = server.server_first.replace("i=4096", "i=4000000000");
    script.give(&server.challenge());
    assert_eq!(refused(&script), Some(&Cause::ServerNotGenuine));
}

#[test]
fn after_scram_the_password_is_never_said() {
    let mut script = Script::ready().restart();
    script.begin(&tls(None), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    script.give(&SASL_OFFER.replace("SCRAM-SHA-256", "PLAIN"));
    script.expect("auth");
    script.give(&failure("invalid-mechanism"));
    assert_eq!(refused(&script), Some(&Cause::ServerNotGenuine));
    script.expect("close");
    script.expect_nothing();
}

#[test]
fn a_refused_channel_binding_is_done_without_unless_it_has_worked() {
    let plus = SASL_OFFER.replace(
        "<mechanism>",
        "<mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>",
    );
    let mut script = Script::new();
    script.begin(&tls(Some([7; 32])), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    script.give(&plus);
    let auth = script.expect("auth");
    assert_eq!(auth.attr("mechanism"), Some("SCRAM-SHA-256-PLUS"));
    assert!(decoded(&auth).starts_with("p=tls-exporter,,"));
    script.give(&failure("not-authorized"));
    let auth = script.expect("auth");
    assert_eq!(auth.attr("mechanism"), Some("SCRAM-SHA-256"));
    assert!(decoded(&auth).starts_with("n,,"));
    script.give(&failure("not-authorized"));
    assert_eq!(refused(&script), Some(&Cause::WrongPassword));

    let mut script = Script::new();
    script.session.pins.channel_binding = true;
    script.begin(&tls(Some([7; 32])), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    script.give(&plus);
    script.expect("auth");
    script.give(&failure("not-authorized"));
    assert_eq!(refused(&script), Some(&Cause::WrongPassword));
}

#[test]
fn a_bound_sign_in_is_pinned() {
    let mut script = Script::new();
    script.begin(&tls(Some([7; 32])), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    script.give(&SASL_OFFER.replace("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"));
    let auth = script.expect("auth");
    let server = ScramServer::new(&auth, PASSWORD, 4096, &[7; 32]);
    script.give(&server.challenge());
    let response = script.expect("response");
    script.give(&server.success(&response));
    script.expect("open");
    let mut script = script.restart();
    script.begin(&tls(Some([8; 32])), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    script.give(SASL_OFFER);
    script.give(&failure("not-authorized"));
    assert_eq!(refused(&script), Some(&Cause::ServerNotGenuine));
}

#[test]
fn what_is_no_stream_of_ours_is_left() {
    for opening in [
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='2.0'/>",
        "<html/>",
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'>",
        "not xml",
        "<stream:features/>",
    ] {
        let mut script = Script::new();
        script.begin(&tls(None), PASSWORD);
        script.expect("open");
        script.give(opening);
        script.expect("close");
        assert!(
            matches!(refused(&script), Some(Cause::ProtocolViolation(_))),
            "{opening}"
        );
        assert!(script.hung_up);
    }
}

#[test]
fn the_secret_shows_nowhere() {
    let script = Script::ready();
    for event in &script.events {
        assert!(!format!("{event:?}").contains(PASSWORD));
    }
    for value in script.disk.values() {
        assert!(!String::from_utf8_lossy(value).contains(PASSWORD));
    }
}

#[test]
fn a_server_may_send_us_elsewhere() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    script.give("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='wss://b.example/ws'/>");
    assert_eq!(
        refused(&script),
        Some(&Cause::SeeOther("wss://b.example/ws".into()))
    );
}

#[test]
fn a_taken_resource_is_changed_once() {
    let mut script = Script::new();
    script.sign_in();
    script.give(OFFER);
    let conflict = |iq: &Element| {
        format!(
            "<iq xmlns='jabber:client' type='error' id='{}'><error type='modify'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
            iq.attr("id").unwrap()
        )
    };
    let first = script.expect("iq");
    script.give(&conflict(&first));
    let second = script.expect("iq");
    let resource = |iq: &Element| iq.children().next().unwrap().children().next().unwrap().text();
    assert_ne!(resource(&first), resource(&second));
    script.give(&conflict(&second));
    assert_eq!(script.last_verdict().unwrap().action, Action::RetrySlowly);
}

#[test]
fn it_is_the_account_that_signs_in() {
    let mut script = Script::new();
    script.begin(&tls(None), PASSWORD);
    script.expect("open");
    script.give(OPEN);
    script.give(SASL_OFFER);
    let first = decoded(&script.expect("auth"));
    assert!(first.starts_with("n,,n=me,r="), "{first}");
}

#[test]
fn a_server_without_a_safe_way_to_sign_in_stops_an_account_that_is_new_there_only() {
    for (worked, action) in [(false, Action::Stop), (true, Action::RetrySlowly)] {
        let mut script = Script::new();
        script.session.pins.worked = worked;
        script.begin(&tls(None), PASSWORD);
        script.give(OPEN);
        script.give(&SASL_OFFER.replace("SCRAM-SHA-256", "X-UNSAFE"));
        assert_eq!(script.last_verdict().map(|verdict| verdict.action), Some(action));
    }
}

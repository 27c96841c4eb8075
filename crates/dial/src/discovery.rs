//! Finding a domain's WebSocket endpoint (XEP-0156): `/.well-known/host-meta.json` and `/.well-known/host-meta`.
//!
//! Both documents are asked for at once, so that a server that has only the older one costs no extra round
//! trips. Only `wss` links count: what comes over the network never leads to plain text. A discovery that
//! broke is told apart from a domain that has answered and offers nothing.

use crate::endpoint::{Host, Parts, split};
use crate::host_meta;
use crate::https_get::{Answer, get};
use crate::proxy::chooser::Chooser;
use crate::settings::Settings;
use crate::tls::Tls;
use dormouse_model::{DialFailure, Endpoint};
use futures_util::future::{Either, select};
use std::pin::pin;

/// The domain's endpoint. The caller sets the deadline.
pub(crate) async fn discover(
    settings: &Settings,
    proxies: &Chooser,
    tls: &Tls,
    host: &Host,
) -> Result<Endpoint, DialFailure> {
    let place = |path: &str| Parts {
        encrypted: true,
        host: host.clone(),
        port: settings.discovery_port,
        path: path.to_owned(),
    };
    let json = async {
        let answer = get(
            settings,
            proxies,
            tls,
            place("/.well-known/host-meta.json"),
            "application/jrd+json, application/json",
        );
        judge(answer.await?, host_meta::json)
    };
    let xml = async {
        let answer = get(
            settings,
            proxies,
            tls,
            place("/.well-known/host-meta"),
            "application/xrd+xml, application/xml",
        );
        judge(answer.await?, host_meta::xml)
    };
    let (first, second) = match select(pin!(json), pin!(xml)).await {
        Either::Left((Ok(found), _)) | Either::Right((Ok(found), _)) => return Ok(found),
        Either::Left((Err(first), rest)) => (first, rest.await),
        Either::Right((Err(first), rest)) => (first, rest.await),
    };
    let second = match second {
        Ok(found) => return Ok(found),
        Err(second) => second,
    };
    // "It has none" holds only if both say so; a link that can't be used says more than its absence.
    let order = |failure: &DialFailure| match failure {
        DialFailure::NoWebSocket => 0,
        DialFailure::BadEndpoint(_) => 1,
        _ => 2,
    };
    Err(if order(&first) >= order(&second) {
        first
    } else {
        second
    })
}

fn judge(answer: Answer, links: fn(&[u8]) -> Option<Vec<String>>) -> Result<Endpoint, DialFailure> {
    match answer {
        Answer::Status(status @ (408 | 425 | 429 | 500..), retry_after) => {
            Err(DialFailure::Http { status, retry_after })
        }
        Answer::Status(..) => Err(DialFailure::NoWebSocket),
        Answer::Unusable(why) => Err(DialFailure::BadEndpoint(format!(
            "the domain's own description: {why}"
        ))),
        Answer::Body(body) => {
            // A sign-in page of a café is a document too: what can't be read offers nothing.
            let links = links(&body).ok_or(DialFailure::NoWebSocket)?;
            let mut refused = DialFailure::NoWebSocket;
            for link in links {
                match split(&link, &[("wss", 443, true)]) {
                    Ok(parts) => return Ok(parts.endpoint()),
                    Err(why) => refused = why.into(),
                }
            }
            Err(refused)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &'static str) -> Answer {
        Answer::Body(text.as_bytes().into())
    }

    #[test]
    fn both_documents_are_understood() {
        let xml = "<?xml version='1.0' encoding='utf-8'?>
            <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
              <Link rel='urn:xmpp:alt-connections:xbosh' href='https://a.example/bosh'/>
              <Link rel='urn:xmpp:alt-connections:websocket' href='wss://a.example/ws'/>
            </XRD>";
        assert_eq!(
            judge(body(xml), host_meta::xml),
            Ok(Endpoint("wss://a.example/ws".into()))
        );
        let json = r#"{"links": [{"rel": "urn:xmpp:alt-connections:xbosh", "href": "https://a.example/bosh"},
            {"rel": "urn:xmpp:alt-connections:websocket", "href": "wss://a.example:5281/ws"}]}"#;
        assert_eq!(
            judge(body(json), host_meta::json),
            Ok(Endpoint("wss://a.example:5281/ws".into()))
        );
    }

    #[test]
    fn links_to_plain_text_are_refused_even_to_this_machine() {
        for link in ["ws://a.example/ws", "ws://localhost/ws", "http://a.example/"] {
            let json = format!(
                r#"{{"links": [{{"rel": "urn:xmpp:alt-connections:websocket", "href": "{link}"}}]}}"#
            );
            let answer = Answer::Body(json.into());
            assert!(
                matches!(judge(answer, host_meta::json), Err(DialFailure::BadEndpoint(_))),
                "{link}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_offers_nothing() {
        for page in [
            "<html><body>Welcome to our café</body></html>",
            "",
            "{\"links\": 5}",
            "[]",
        ] {
            assert_eq!(judge(body(page), host_meta::json), Err(DialFailure::NoWebSocket));
            assert_eq!(judge(body(page), host_meta::xml), Err(DialFailure::NoWebSocket));
        }
    }

    #[test]
    fn entities_that_multiply_are_not_expanded() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;'>]>
            <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>&b;</XRD>";
        assert_eq!(judge(body(bomb), host_meta::xml), Err(DialFailure::NoWebSocket));
    }
}

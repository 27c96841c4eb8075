//! Choosing how to sign in (RFC 6120 section 6), and remembering it.
//!
//! What an account has once used is the least it will use from then on: channel binding once used is
//! demanded, and after SCRAM the password is never sent in the clear again, not even inside TLS. Otherwise
//! whoever stands in between could simply leave the better mechanisms out of the offer.

use crate::credentials::Credentials;
use crate::fast::TokenExchange;
use crate::scram::{Binding, Exchange, Hash};
use crate::xml::{draft, excerpt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dormouse_model::{Cause, Channel};
use minidom::Element;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The namespace.
pub(crate) const NS: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// What was learnt about signing in. Kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pins {
    /// The account has signed in before.
    pub worked: bool,
    /// It has done so with SCRAM.
    pub scram: bool,
    /// It has done so with channel binding.
    pub channel_binding: bool,
    /// The resource of this installation.
    pub resource: String,
    /// The id of this installation, a UUID (XEP-0388 section 2.4).
    pub user_agent: String,
    /// A token bound to the connection was refused where the one before had been taken: something in between ends TLS.
    pub token_binding_failed: bool,
}

/// A mechanism that will be tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// SCRAM, with what is said about channel binding.
    Scram(Hash, Binding),
    /// The password itself (RFC 4616).
    Plain,
}

impl Mechanism {
    /// Its registered name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mechanism::Scram(Hash::Sha256, Binding::Exporter(_)) => "SCRAM-SHA-256-PLUS",
            Mechanism::Scram(Hash::Sha1, Binding::Exporter(_)) => "SCRAM-SHA-1-PLUS",
            Mechanism::Scram(Hash::Sha256, _) => "SCRAM-SHA-256",
            Mechanism::Scram(Hash::Sha1, _) => "SCRAM-SHA-1",
            Mechanism::Plain => "PLAIN",
        }
    }

    /// Whether it binds to the TLS connection.
    pub(crate) fn binds(self) -> bool {
        matches!(self, Mechanism::Scram(_, Binding::Exporter(_)))
    }
}

/// Chooses. `without_binding` is set after a server refused a bound attempt of an account that never used one:
/// where a proxy terminates TLS, server and client see different connections.
pub(crate) fn choose(
    mechanisms: &[String],
    channel_bindings: Option<&[String]>,
    channel: &Channel,
    pins: &Pins,
    without_binding: bool,
) -> Result<Mechanism, Cause> {
    let offered = |name: &str| mechanisms.iter().any(|mechanism| mechanism == name);
    let offers_plus = mechanisms.iter().any(|mechanism| mechanism.ends_with("-PLUS"));
    // Without a list (XEP-0440) TLS 1.3 leaves only this type (RFC 9266 section 3).
    let takes_exporter = channel_bindings.is_none_or(|types| types.iter().any(|kind| kind == "tls-exporter"));
    if let Some(data) = channel.exporter.filter(|_| takes_exporter && !without_binding) {
        let binding = Binding::Exporter(data);
        for hash in [Hash::Sha256, Hash::Sha1] {
            let mechanism = Mechanism::Scram(hash, binding);
            if offered(mechanism.name()) {
                return Ok(mechanism);
            }
        }
    }
    // On this machine there is nobody in between, and no TLS to bind to.
    let local = channel.loopback && !channel.encrypted;
    if pins.channel_binding && !local {
        return Err(Cause::ServerNotGenuine);
    }
    let binding = if channel.exporter.is_some() && !offers_plus {
        Binding::NotOffered
    } else {
        Binding::Unable
    };
    for hash in [Hash::Sha256, Hash::Sha1] {
        let mechanism = Mechanism::Scram(hash, binding);
        if offered(mechanism.name()) {
            return Ok(mechanism);
        }
    }
    if pins.scram {
        return Err(Cause::ServerNotGenuine);
    }
    if offered("PLAIN") && (channel.encrypted || channel.loopback) {
        return Ok(Mechanism::Plain);
    }
    Err(Cause::NoSafeMechanism)
}

/// The frame that begins, with the initial response in base64.
pub(crate) fn auth(mechanism: &str, initial: &str) -> Element {
    // An initial response that is empty would be `=`; ours never are.
    draft("auth", NS)
        .attr("mechanism", mechanism)
        .text(initial)
        .done()
}

/// The initial response of PLAIN.
pub(crate) fn plain(user: &str, credentials: &Credentials) -> Zeroizing<String> {
    Zeroizing::new(format!("\0{user}\0{}", credentials.secret()))
}

/// The frame that answers a challenge, in the profile's namespace.
pub(crate) fn response(profile: &str, data: &str) -> Element {
    draft("response", profile).text(&STANDARD.encode(data)).done()
}

/// What the server says during sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Challenge(Vec<u8>),
    Success(Vec<u8>),
    Failure { condition: String, text: Option<String> },
}

/// The data of a step.
pub(crate) fn data(text: &str) -> Result<Vec<u8>, &'static str> {
    let text = text.trim();
    // `=` stands for data that is there and empty (RFC 6120 section 6.4.2).
    if text == "=" {
        return Ok(Vec::new());
    }
    STANDARD
        .decode(text)
        .map_err(|_| "sign-in data that is not base64")
}

/// A `<failure/>`: its condition is of this namespace, its text of that of the profile.
pub(crate) fn failure(element: &Element, profile: &str) -> Answer {
    Answer::Failure {
        condition: element
            .children()
            .find(|child| child.has_ns(NS) && child.name() != "text")
            .map_or("not-authorized", Element::name)
            .to_owned(),
        text: element
            .get_child("text", profile)
            .map(|text| excerpt(&text.text(), 300))
            .filter(|text| !text.is_empty()),
    }
}

/// Reads it; an error in words if it is of this namespace and can't be read.
pub(crate) fn read(element: &Element) -> Option<Result<Answer, &'static str>> {
    if !element.has_ns(NS) {
        return None;
    }
    Some(match element.name() {
        "challenge" => data(&element.text()).map(Answer::Challenge),
        "success" => data(&element.text()).map(Answer::Success),
        "failure" => Ok(failure(element, NS)),
        _ => Err("an unknown step of sign-in"),
    })
}

/// A sign-in under way.
pub(crate) enum SignIn {
    Scram(Box<Exchange>, Mechanism),
    Plain,
    /// With a token (XEP-0484).
    Token(TokenExchange),
}

impl SignIn {
    /// The mechanism's registered name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            SignIn::Scram(_, mechanism) => mechanism.name(),
            SignIn::Plain => Mechanism::Plain.name(),
            SignIn::Token(exchange) => exchange.mechanism(),
        }
    }

    /// Whether it binds to the TLS connection.
    pub(crate) fn binds(&self) -> bool {
        match self {
            SignIn::Scram(_, mechanism) => mechanism.binds(),
            SignIn::Plain => false,
            SignIn::Token(exchange) => exchange.is_bound(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::stream::StreamFeatures;

    fn offer(mechanisms: &[&str]) -> StreamFeatures {
        StreamFeatures {
            mechanisms: mechanisms.iter().map(|name| (*name).to_owned()).collect(),
            ..StreamFeatures::default()
        }
    }

    fn choose(
        offer: &StreamFeatures,
        channel: &Channel,
        pins: &Pins,
        without_binding: bool,
    ) -> Result<Mechanism, Cause> {
        super::choose(
            &offer.mechanisms,
            offer.channel_bindings.as_deref(),
            channel,
            pins,
            without_binding,
        )
    }

    fn tls(exporter: bool) -> Channel {
        Channel {
            encrypted: true,
            loopback: false,
            exporter: exporter.then_some([1; 32]),
        }
    }

    fn name(offer: &StreamFeatures, channel: &Channel, pins: &Pins) -> Result<&'static str, Cause> {
        choose(offer, channel, pins, false).map(Mechanism::name)
    }

    const ALL: [&str; 6] = [
        "PLAIN",
        "SCRAM-SHA-1",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
        "EXTERNAL",
    ];

    #[test]
    fn the_strongest_mechanism_on_offer_is_taken() {
        let none = Pins::default();
        assert_eq!(name(&offer(&ALL), &tls(true), &none), Ok("SCRAM-SHA-256-PLUS"));
        assert_eq!(name(&offer(&ALL), &tls(false), &none), Ok("SCRAM-SHA-256"));
        assert_eq!(name(&offer(&ALL[..4]), &tls(true), &none), Ok("SCRAM-SHA-1-PLUS"));
        assert_eq!(name(&offer(&ALL[..2]), &tls(true), &none), Ok("SCRAM-SHA-1"));
        assert_eq!(name(&offer(&ALL[..1]), &tls(true), &none), Ok("PLAIN"));
        assert_eq!(
            name(&offer(&["EXTERNAL"]), &tls(true), &none),
            Err(Cause::NoSafeMechanism)
        );
        let mut unknown_type = offer(&ALL);
        unknown_type.channel_bindings = Some(vec!["tls-unique".into()]);
        assert_eq!(name(&unknown_type, &tls(true), &none), Ok("SCRAM-SHA-256"));
    }

    #[test]
    fn a_removed_offer_of_channel_binding_is_told_to_the_server() {
        let said =
            |offer: &StreamFeatures, channel: &Channel| match choose(offer, channel, &Pins::default(), false)
            {
                Ok(Mechanism::Scram(_, Binding::NotOffered)) => 'y',
                Ok(Mechanism::Scram(_, Binding::Unable)) => 'n',
                Ok(Mechanism::Scram(_, Binding::Exporter(_))) => 'p',
                _ => '?',
            };
        assert_eq!(said(&offer(&ALL), &tls(true)), 'p');
        assert_eq!(said(&offer(&ALL[..2]), &tls(true)), 'y');
        assert_eq!(said(&offer(&ALL), &tls(false)), 'n');
        assert_eq!(said(&offer(&ALL[..2]), &tls(false)), 'n');
    }

    #[test]
    fn what_was_used_once_is_demanded_from_then_on() {
        let bound = Pins {
            scram: true,
            channel_binding: true,
            ..Pins::default()
        };
        assert_eq!(name(&offer(&ALL), &tls(true), &bound), Ok("SCRAM-SHA-256-PLUS"));
        assert_eq!(
            name(&offer(&ALL[..2]), &tls(true), &bound),
            Err(Cause::ServerNotGenuine)
        );
        assert_eq!(
            name(&offer(&ALL), &tls(false), &bound),
            Err(Cause::ServerNotGenuine)
        );
        let scram = Pins {
            scram: true,
            ..Pins::default()
        };
        assert_eq!(
            name(&offer(&ALL[..1]), &tls(true), &scram),
            Err(Cause::ServerNotGenuine)
        );
        let local = Channel {
            encrypted: false,
            loopback: true,
            exporter: None,
        };
        assert_eq!(name(&offer(&ALL), &local, &bound), Ok("SCRAM-SHA-256"));
        // Neither in the open nor with somebody who ends TLS on this machine.
        let ended_here = Channel {
            encrypted: true,
            ..local
        };
        for channel in [Channel::default(), ended_here] {
            assert_eq!(name(&offer(&ALL), &channel, &bound), Err(Cause::ServerNotGenuine));
        }
    }

    #[test]
    fn the_password_itself_is_said_with_the_name_as_rfc_4616_has_it() {
        let said = plain("me", &Credentials::password("pencil"));
        assert_eq!(said.as_str(), "\0me\0pencil");
    }

    #[test]
    fn the_password_itself_is_sent_only_where_nobody_can_read_it() {
        let open = Channel::default();
        assert_eq!(
            name(&offer(&["PLAIN"]), &open, &Pins::default()),
            Err(Cause::NoSafeMechanism)
        );
        let local = Channel {
            loopback: true,
            ..Channel::default()
        };
        assert_eq!(name(&offer(&["PLAIN"]), &local, &Pins::default()), Ok("PLAIN"));
    }

    #[test]
    fn the_servers_steps_are_read_or_named_as_broken() {
        let of = |text: &str| {
            read(
                &format!("<{text}")
                    .replace("/>", &format!(" xmlns='{NS}'/>"))
                    .parse()
                    .unwrap(),
            )
        };
        assert_eq!(of("success/>"), Some(Ok(Answer::Success(Vec::new()))));
        let challenge: Element = format!("<challenge xmlns='{NS}'>cj0x</challenge>")
            .parse()
            .unwrap();
        assert_eq!(read(&challenge), Some(Ok(Answer::Challenge(b"r=1".to_vec()))));
        let challenge: Element = format!("<challenge xmlns='{NS}'>!</challenge>").parse().unwrap();
        assert!(matches!(read(&challenge), Some(Err(_))));
        let failure: Element = format!("<failure xmlns='{NS}'><text>no</text><account-disabled/></failure>")
            .parse()
            .unwrap();
        assert_eq!(
            read(&failure),
            Some(Ok(Answer::Failure {
                condition: "account-disabled".into(),
                text: Some("no".into())
            }))
        );
    }
}

//! The extensible SASL profile (XEP-0388): sign-in, resumption, binding and a token in one exchange.
//!
//! What RFC 6120 does in four steps, each with an answer to wait for, is asked for inside the first and answered
//! inside the last. No stream is opened anew; the features of a signed-in client follow by themselves.

use crate::xml::draft;
use crate::{bind2, fast, sasl, stream_management};
use minidom::Element;
use serde::{Deserialize, Serialize};

/// The namespace.
pub(crate) const NS: &str = "urn:xmpp:sasl:2";

/// What a server offers (section 2.3), and what of it inside the sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Offer {
    /// Mechanisms by name.
    pub mechanisms: Vec<String>,
    /// Mechanisms that take tokens (XEP-0484).
    pub token_mechanisms: Vec<String>,
    /// A session can be resumed (XEP-0198 section 9).
    pub resumption: bool,
    /// A resource can be bound (XEP-0386), with these features enabled at once.
    pub bind: Option<Vec<String>>,
}

impl Offer {
    /// Reads `<authentication/>`, if it is that.
    pub(crate) fn read(element: &Element) -> Option<Self> {
        if !element.is("authentication", NS) {
            return None;
        }
        let mut offer = Self::default();
        for child in element.children() {
            match (child.name(), child.ns().as_str()) {
                ("mechanism", NS) => offer.mechanisms.push(child.text().trim().to_owned()),
                ("inline", NS) => {
                    for child in child.children() {
                        match (child.name(), child.ns().as_str()) {
                            ("fast", fast::NS) => offer.token_mechanisms = fast::mechanisms(child),
                            ("sm", stream_management::NS) => offer.resumption = true,
                            ("bind", bind2::NS) => offer.bind = Some(bind2::features(child)),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Some(offer)
    }
}

/// The request to sign in (section 2.4), with what is wanted of the same exchange. `initial` is in base64;
/// `user_agent` a v4 UUID that stays the same for this installation.
pub(crate) fn authenticate(
    mechanism: &str,
    initial: &str,
    user_agent: &str,
    inline: impl IntoIterator<Item = Element>,
) -> Element {
    let software = draft("software", NS).text("Dormouse");
    draft("authenticate", NS)
        .attr("mechanism", mechanism)
        .child(draft("initial-response", NS).text(initial))
        .child(draft("user-agent", NS).attr("id", user_agent).child(software))
        .children(inline)
        .done()
}

/// What the server says to it, or an error in words.
pub(crate) fn read(element: &Element) -> Option<Result<sasl::Answer, &'static str>> {
    if !element.has_ns(NS) {
        return None;
    }
    Some(match element.name() {
        "challenge" => sasl::data(&element.text()).map(sasl::Answer::Challenge),
        "success" => {
            let proof = element.get_child("additional-data", NS);
            let proof = proof.map(Element::text).unwrap_or_default();
            sasl::data(&proof).map(sasl::Answer::Success)
        }
        "failure" => Ok(sasl::failure(element, NS)),
        // Section 2.6.3: more is asked of us than a password can give.
        "continue" => Ok(sasl::Answer::Failure {
            condition: "mechanism-too-weak".to_owned(),
            text: None,
        }),
        _ => Err("an unknown step of sign-in"),
    })
}

/// The address that the server gave us (section 2.6.1): full if a resource was bound with it.
pub(crate) fn identity(success: &Element) -> Option<String> {
    let identity = success.get_child("authorization-identifier", NS)?;
    Some(identity.text().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_read_with_what_can_be_had_inside() {
        let element: Element = format!(
            "<authentication xmlns='{NS}'><mechanism>SCRAM-SHA-1</mechanism><mechanism> HT-SHA-256-NONE </mechanism><odd/>\
             <inline><sm xmlns='urn:xmpp:sm:3'/><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast>\
             <bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/><feature/></inline></bind><odd xmlns='urn:odd'/></inline></authentication>"
        )
        .parse()
        .unwrap();
        let offer = Offer::read(&element).unwrap();
        assert_eq!(offer.mechanisms, ["SCRAM-SHA-1", "HT-SHA-256-NONE"]);
        assert_eq!(offer.token_mechanisms, ["HT-SHA-256-NONE"]);
        assert!(offer.resumption);
        assert_eq!(offer.bind, Some(vec!["urn:xmpp:sm:3".to_owned()]));
        let bare: Element = format!("<authentication xmlns='{NS}'/>").parse().unwrap();
        assert_eq!(Offer::read(&bare), Some(Offer::default()));
        assert_eq!(
            Offer::read(&"<authentication xmlns='urn:odd'/>".parse().unwrap()),
            None
        );
    }

    #[test]
    fn what_the_server_says_is_read_or_named_as_broken() {
        let read = |inner: &str| {
            read(
                &inner
                    .replacen('>', &format!(" xmlns='{NS}'>"), 1)
                    .parse()
                    .unwrap(),
            )
        };
        assert_eq!(
            read("<success><additional-data>dj0x</additional-data></success>"),
            Some(Ok(sasl::Answer::Success(b"v=1".to_vec())))
        );
        assert_eq!(
            read("<success></success>"),
            Some(Ok(sasl::Answer::Success(Vec::new())))
        );
        assert!(matches!(read("<challenge>!</challenge>"), Some(Err(_))));
        assert!(matches!(read("<odd></odd>"), Some(Err(_))));
        let refused = read(
            "<failure><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text>no</text></failure>",
        );
        assert_eq!(
            refused,
            Some(Ok(sasl::Answer::Failure {
                condition: "not-authorized".into(),
                text: Some("no".into())
            }))
        );
        assert!(matches!(
            read("<continue></continue>"),
            Some(Ok(sasl::Answer::Failure { .. }))
        ));
        assert_eq!(super::read(&"<success xmlns='urn:odd'/>".parse().unwrap()), None);
    }
}

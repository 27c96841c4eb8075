//! Explicit message encryption (XEP-0380), and the encrypted elements themselves.
//!
//! What is encrypted in a way we can't read is shown as just that. Its body is then a text for clients that
//! don't know better ("You received an encrypted message…") and is not shown as something that was said.

use crate::xml::excerpt;
use minidom::Element;

/// The namespace of XEP-0380.
pub const NS: &str = "urn:xmpp:eme:0";

const OMEMO_LEGACY: &str = "eu.siacs.conversations.axolotl";
const OMEMO_1: &str = "urn:xmpp:omemo:1";
const OMEMO_2: &str = "urn:xmpp:omemo:2";
const OPENPGP: &str = "urn:xmpp:openpgp:0";
const OPENPGP_LEGACY: &str = "jabber:x:encrypted";
const OTR: &str = "urn:xmpp:otr:0";

/// Known ways by namespace (XEP-0380 section 4).
const WAYS: [(&str, &str); 6] = [
    (OMEMO_LEGACY, "OMEMO"),
    (OMEMO_1, "OMEMO"),
    (OMEMO_2, "OMEMO"),
    (OPENPGP, "OpenPGP"),
    (OPENPGP_LEGACY, "OpenPGP (legacy)"),
    (OTR, "OTR"),
];

/// A name that a sender gives to a way we don't know is quoted up to here.
const LONGEST_NAME: usize = 64;

/// The name of the way in which a message is encrypted, if it is; `body` is its selected plain body.
pub fn read(message: &Element, body: Option<&str>) -> Option<String> {
    let mut announced = None;
    let mut keys_only = false;
    for child in message.children() {
        let namespace = child.ns();
        match (child.name(), namespace.as_str()) {
            ("encrypted", OMEMO_LEGACY | OMEMO_1 | OMEMO_2) => {
                // Without payload it only carries keys to the other side's clients (XEP-0384 section 4.6).
                if child.has_child("payload", namespace.as_str()) {
                    return Some("OMEMO".to_owned());
                }
                keys_only = true;
            }
            ("openpgp", OPENPGP) | ("x", OPENPGP_LEGACY) => {
                return name(&namespace).map(str::to_owned);
            }
            ("encryption", NS) => announced = announced.or(Some(child)),
            _ => {}
        }
    }
    if let Some(announced) = announced {
        let namespace = announced.attr("namespace").unwrap_or_default();
        match name(namespace) {
            Some("OMEMO") if keys_only => {}
            Some(known) => return Some(known.to_owned()),
            None => {
                let stated = announced.attr("name").unwrap_or(namespace);
                let stated = excerpt(stated, LONGEST_NAME);
                return Some(if stated.is_empty() {
                    "unknown".to_owned()
                } else {
                    stated
                });
            }
        }
    }
    body.is_some_and(is_otr).then(|| "OTR".to_owned())
}

fn name(namespace: &str) -> Option<&'static str> {
    WAYS.iter()
        .find(|(known, _)| *known == namespace)
        .map(|(_, name)| *name)
}

/// Whether a body is an OTR message (XEP-0364): encoded, a fragment, or an offer to begin.
fn is_otr(body: &str) -> bool {
    body.strip_prefix("?OTR")
        .is_some_and(|rest| rest.starts_with([':', ',', '|', '?', 'v']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(children: &str, body: Option<&str>) -> Option<String> {
        let message: Element = format!("<message xmlns='jabber:client'>{children}</message>")
            .parse()
            .unwrap();
        read(&message, body)
    }

    #[test]
    fn each_known_way_is_recognised_by_its_element_alone() {
        for (child, way) in [
            (
                "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>AA==</payload></encrypted>",
                "OMEMO",
            ),
            (
                "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'/><payload>AA==</payload></encrypted>",
                "OMEMO",
            ),
            ("<openpgp xmlns='urn:xmpp:openpgp:0'>AA==</openpgp>", "OpenPGP"),
            ("<x xmlns='jabber:x:encrypted'>AA==</x>", "OpenPGP (legacy)"),
        ] {
            assert_eq!(of(child, Some("fallback")).as_deref(), Some(way));
        }
        assert_eq!(of("", Some("?OTR:AAMC")).as_deref(), Some("OTR"));
        assert_eq!(of("", Some("?OTRv23?")).as_deref(), Some("OTR"));
    }

    #[test]
    fn a_way_known_only_by_its_announcement_bears_the_senders_name_for_it() {
        assert_eq!(
            of(
                "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:new' name='Quantum'/>",
                None
            )
            .as_deref(),
            Some("Quantum")
        );
        assert_eq!(
            of("<encryption xmlns='urn:xmpp:eme:0' namespace='urn:new'/>", None).as_deref(),
            Some("urn:new")
        );
        assert_eq!(
            of("<encryption xmlns='urn:xmpp:eme:0'/>", None).as_deref(),
            Some("unknown")
        );
        let long = "x".repeat(5_000);
        let named = of(
            &format!("<encryption xmlns='urn:xmpp:eme:0' namespace='n' name='{long}'/>"),
            None,
        );
        assert_eq!(named.unwrap().len(), LONGEST_NAME);
    }

    #[test]
    fn keys_alone_are_no_message() {
        let keys = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>";
        assert_eq!(of(keys, None), None);
        assert_eq!(
            of(
                &format!(
                    "{keys}<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/>"
                ),
                None
            ),
            None
        );
    }

    #[test]
    fn plain_talk_about_encryption_is_plain() {
        assert_eq!(of("", Some("?OTR was fun")), None);
        assert_eq!(of("", Some("I like OMEMO")), None);
        assert_eq!(of("<x xmlns='jabber:x:signed'>AA==</x>", Some("signed")), None);
        assert_eq!(
            of("<encrypted xmlns='urn:other'><payload/></encrypted>", Some("b")),
            None
        );
    }
}

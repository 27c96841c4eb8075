//! What a stream offers (RFC 6120 section 4.3.2).
//!
//! Read leniently, child by child: an offer that can't be read is as if it were not made.

use crate::sasl2;
use crate::xml::excerpt;
use minidom::Element;
use serde::{Deserialize, Serialize};

const STREAMS: &str = "http://etherx.jabber.org/streams";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
const LIMITS: &str = "urn:xmpp:stream-limits:0";

/// The features of one stream, before or after sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StreamFeatures {
    /// SASL mechanisms by name.
    pub mechanisms: Vec<String>,
    /// Types of channel binding (XEP-0440); none if the server does not say.
    pub channel_bindings: Option<Vec<String>>,
    /// The newer way to sign in (XEP-0388).
    pub sasl2: Option<sasl2::Offer>,
    /// A resource can be bound.
    pub bind: bool,
    /// The server insists on a session (RFC 3921 section 3).
    pub session: bool,
    /// Stream management (XEP-0198).
    pub stream_management: bool,
    /// Client state indication (XEP-0352).
    pub client_state: bool,
    /// The largest stanza that the server takes, in bytes (XEP-0478).
    pub max_stanza: Option<u32>,
}

impl StreamFeatures {
    /// Whether this is `<stream:features/>`.
    pub(crate) fn is(element: &Element) -> bool {
        element.is("features", STREAMS)
    }

    /// Reads `<stream:features/>`, if it is that.
    pub(crate) fn read(element: &Element) -> Option<Self> {
        if !Self::is(element) {
            return None;
        }
        let mut features = Self::default();
        for child in element.children() {
            match (child.name(), child.ns().as_str()) {
                ("authentication", sasl2::NS) => features.sasl2 = sasl2::Offer::read(child),
                ("mechanisms", SASL) => features.mechanisms = texts(child, "mechanism", SASL),
                ("sasl-channel-binding", CHANNEL_BINDING) => {
                    let types = child
                        .children()
                        .filter(|c| c.is("channel-binding", CHANNEL_BINDING));
                    features.channel_bindings =
                        Some(types.filter_map(|c| c.attr("type")).map(str::to_owned).collect());
                }
                ("bind", BIND) => features.bind = true,
                ("session", SESSION) => features.session = !child.has_child("optional", SESSION),
                ("sm", crate::stream_management::NS) => features.stream_management = true,
                ("csi", crate::csi::NS) => features.client_state = true,
                ("limits", LIMITS) => {
                    features.max_stanza = child
                        .get_child("max-bytes", LIMITS)
                        .and_then(|bytes| bytes.text().trim().parse().ok());
                }
                _ => {}
            }
        }
        Some(features)
    }
}

fn texts(parent: &Element, name: &str, namespace: &str) -> Vec<String> {
    parent
        .children()
        .filter(|child| child.is(name, namespace))
        .map(|child| child.text().trim().to_owned())
        .collect()
}

/// A stream error (RFC 6120 section 4.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamError {
    /// The condition's element name.
    pub condition: String,
    /// What the condition itself says (`see-other-host`).
    pub detail: String,
    /// The server's words: data, cut.
    pub text: Option<String>,
}

impl StreamError {
    /// Reads `<stream:error/>`, if it is that.
    pub(crate) fn read(element: &Element) -> Option<Self> {
        const CONDITIONS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
        if !element.is("error", STREAMS) {
            return None;
        }
        let condition = element
            .children()
            .find(|c| c.has_ns(CONDITIONS) && c.name() != "text");
        let text = element
            .get_child("text", CONDITIONS)
            .map(|text| excerpt(&text.text(), 300));
        Some(Self {
            condition: condition.map_or("undefined-condition", Element::name).to_owned(),
            detail: condition.map(|c| excerpt(&c.text(), 300)).unwrap_or_default(),
            text: text.filter(|text| !text.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_one_by_one() {
        let element: Element = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
            <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism><mechanism> PLAIN </mechanism></mechanisms>\
            <sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/><channel-binding/></sasl-channel-binding>\
            <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/>\
            <session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>\
            <limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>262144</max-bytes></limits><odd xmlns='urn:odd'/></stream:features>"
            .parse().unwrap();
        let features = StreamFeatures::read(&element).unwrap();
        assert_eq!(features.mechanisms, ["SCRAM-SHA-1", "PLAIN"]);
        assert_eq!(features.channel_bindings, Some(vec!["tls-exporter".to_owned()]));
        assert!(features.bind && features.stream_management && features.client_state && !features.session);
        assert_eq!(features.max_stanza, Some(262_144));
    }

    #[test]
    fn a_stream_error_has_a_condition_whatever_else_it_holds() {
        let read = |inner: &str| {
            let text = format!("<error xmlns='http://etherx.jabber.org/streams'>{inner}</error>");
            StreamError::read(&text.parse().unwrap()).unwrap()
        };
        let error = read(
            "<odd xmlns='urn:odd'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>bye</text>\
             <system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>",
        );
        assert_eq!(error.condition, "system-shutdown");
        assert_eq!(error.text.as_deref(), Some("bye"));
        assert_eq!(read("").condition, "undefined-condition");
    }
}

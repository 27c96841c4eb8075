//! Elements as the model server reads and writes them.

use minidom::Element;
use minidom::rxml::{Namespace, NcName};

/// Stanzas of a client's stream (RFC 6120).
pub const CLIENT: &str = "jabber:client";
/// RFC 7395.
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// RFC 6120 section 6.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// RFC 6120 section 7.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// XEP-0198.
pub const SM: &str = "urn:xmpp:sm:3";
/// XEP-0313.
pub const MAM: &str = "urn:xmpp:mam:2";
/// XEP-0059.
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0280.
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// XEP-0297.
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// XEP-0203.
pub const DELAY: &str = "urn:xmpp:delay";
/// XEP-0359.
pub const SID: &str = "urn:xmpp:sid:0";
/// XEP-0352.
pub const CSI: &str = "urn:xmpp:csi:0";
/// RFC 6120 section 8.3.3.
pub const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// RFC 6120 section 4.9.
pub const STREAMS: &str = "http://etherx.jabber.org/streams";

/// An element from nothing.
pub fn element(name: &str, namespace: &str) -> Element {
    Element::bare(name, namespace)
}

/// Sets an attribute, or takes it away.
pub fn set(element: &mut Element, name: &str, value: Option<&str>) {
    if let Ok(name) = NcName::try_from(name) {
        element.set_attr(Namespace::NONE, name, value.map(str::to_owned));
    }
}

/// An element with attributes.
pub fn with(name: &str, namespace: &str, attributes: &[(&str, &str)]) -> Element {
    let mut made = element(name, namespace);
    for (name, value) in attributes {
        set(&mut made, name, Some(value));
    }
    made
}

/// An element with a text.
pub fn text(name: &str, namespace: &str, text: &str) -> Element {
    let mut made = element(name, namespace);
    made.append_text(text);
    made
}

/// An element with one child.
pub fn around(mut outer: Element, inner: Element) -> Element {
    outer.append_child(inner);
    outer
}

/// The frame that carries an element.
pub fn frame(element: &Element) -> String {
    String::from(element)
}

/// A `<delay/>` by this entity.
pub fn delay(from: &str, stamp: &str) -> Element {
    with("delay", DELAY, &[("from", from), ("stamp", stamp)])
}

//! Client state indication (XEP-0352): whether somebody is looking. Not a stanza, not counted, and not
//! kept by a resumption: said again after each.

use crate::xml::draft;
use minidom::Element;

/// The namespace, and the stream feature.
pub(crate) const NS: &str = "urn:xmpp:csi:0";

/// The indication.
pub(crate) fn state(active: bool) -> Element {
    draft(if active { "active" } else { "inactive" }, NS).done()
}

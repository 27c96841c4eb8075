//! Pings (XEP-0199).
//!
//! As a probe of the link any answer to *this* ping counts, an error as well as a result: both have made the
//! round trip. So each has an id of its own that is never used again.

use crate::xml::draft;
use minidom::Element;

/// The namespace.
pub(crate) const NS: &str = "urn:xmpp:ping";

/// The payload of a ping (type `get`).
pub(crate) fn ping() -> Element {
    draft("ping", NS).done()
}

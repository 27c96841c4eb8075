//! Message processing hints (XEP-0334): what a server should keep.

use crate::xml::draft;
use minidom::Element;

/// The namespace.
pub const NS: &str = "urn:xmpp:hints";

/// Keep this, though it has no body: receipts and markers must reach clients that are asleep.
pub(crate) fn store() -> Element {
    draft("store", NS).done()
}

/// Don't keep this anywhere: by the time it is read it means nothing.
pub(crate) fn no_store() -> Element {
    draft("no-store", NS).done()
}

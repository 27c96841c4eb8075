//! Binding a resource inside the sign-in (XEP-0386), with carbons, stream management and client state in the same
//! step: what would be four requests is none.

use crate::xml::draft;
use crate::{carbons, csi, stream_management};
use dormouse_model::{BareJid, FullJid};
use minidom::Element;

/// The namespace.
pub(crate) const NS: &str = "urn:xmpp:bind:0";

/// What can be enabled at once, from the server's inline feature.
pub(crate) fn features(bind: &Element) -> Vec<String> {
    bind.get_child("inline", NS)
        .into_iter()
        .flat_map(Element::children)
        .filter(|child| child.is("feature", NS))
        .filter_map(|feature| feature.attr("var"))
        .map(str::to_owned)
        .collect()
}

/// The request. What `offered` does not name is asked for later. The server makes the resource out of the tag and of
/// the installation's id.
pub(crate) fn bind(tag: &str, offered: &[String], active: bool) -> Element {
    let offers = |feature: &str| offered.iter().any(|offered| offered == feature);
    let mut bind = draft("bind", NS).child(draft("tag", NS).text(tag));
    if offers(carbons::NS) {
        bind = bind.child(draft("enable", carbons::NS));
    }
    if offers(stream_management::NS) {
        bind = bind.child(stream_management::enable());
    }
    if offers(csi::NS) {
        bind = bind.child(csi::state(active));
    }
    bind.done()
}

/// The answer, in a `<success/>`.
pub(crate) fn bound(success: &Element) -> Option<&Element> {
    success.get_child("bound", NS)
}

/// The address that was bound, if it is one of this account's.
pub(crate) fn address(identity: &str, account: &BareJid) -> Option<FullJid> {
    FullJid::new(identity)
        .ok()
        .filter(|jid| jid.to_bare() == *account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_offered_is_enabled() {
        let all: Vec<String> = [carbons::NS, stream_management::NS, csi::NS]
            .map(str::to_owned)
            .to_vec();
        let full = bind("Dormouse", &all, false);
        assert!(full.has_child("enable", carbons::NS) && full.has_child("inactive", csi::NS));
        let enable = full.get_child("enable", stream_management::NS).unwrap();
        assert_eq!(enable.attr("resume"), Some("true"));
        assert_eq!(bind("Dormouse", &[], true).children().count(), 1);
    }

    #[test]
    fn only_an_address_of_this_account_is_taken() {
        let account = BareJid::new("me@home.example").unwrap();
        let address = |text: &str| address(text, &account).map(|jid| jid.as_str().to_owned());
        assert_eq!(address("me@home.example/a").as_deref(), Some("me@home.example/a"));
        for other in ["me@home.example", "you@home.example/a", "", "@@"] {
            assert_eq!(address(other), None, "{other}");
        }
    }
}

//! Service discovery (XEP-0030): what the server can do, and what we say about ourselves.
//!
//! Two questions tell what there is: the account's bare address announces what it does for the account (archive,
//! stripping of forged ids), the server's domain what it does for everybody (carbons). Servers differ in where
//! they put the latter, so carbons count wherever they are announced; archive and trust in ids are the
//! account's alone to announce ([`Info::of_account`], [`Info::of_server`]).

use crate::event::Features;
use crate::xml::draft;
use crate::{
    blocking, caps, carbons, chat_markers, chat_states, correction, delay, eme, mam, receipts, retraction,
    stanza_id,
};
use minidom::Element;
use std::collections::BTreeSet;

/// The namespace of questions about an entity itself.
pub const INFO: &str = "http://jabber.org/protocol/disco#info";

/// The namespace of questions about what belongs to an entity.
pub const ITEMS: &str = "http://jabber.org/protocol/disco#items";

const PING: &str = "urn:xmpp:ping";

/// What this client is (XEP-0030 section 3.1; the registry's words): category, type, name.
pub(crate) const IDENTITY: (&str, &str, &str) = ("client", "pc", "Dormouse");

/// What this client can do, sorted as XEP-0115 wants it.
pub(crate) fn own_features() -> BTreeSet<&'static str> {
    BTreeSet::from([
        INFO,
        PING,
        caps::NS,
        chat_markers::NS,
        chat_states::NS,
        correction::NS,
        delay::NS,
        eme::NS,
        receipts::NS,
        retraction::NS,
        stanza_id::NS,
    ])
}

/// What an entity says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Info {
    /// The features it announces.
    pub features: BTreeSet<String>,
}

/// The payload of a request (type `get`) about an entity.
pub fn query() -> Element {
    draft("query", INFO).done()
}

/// Reads the answer to [`query`]: the whole `<iq/>`. An error announces nothing.
pub fn read(iq: &Element) -> Info {
    let features = iq
        .get_child("query", INFO)
        .into_iter()
        .flat_map(Element::children)
        .filter(|child| child.is("feature", INFO))
        .filter_map(|feature| feature.attr("var"))
        .map(str::to_owned)
        .collect();
    Info { features }
}

impl Info {
    /// Whether a feature is announced.
    pub fn has(&self, feature: &str) -> bool {
        self.features.contains(feature)
    }

    /// Takes over what the account's bare address announces.
    pub fn of_account(&self, features: &mut Features) {
        features.archive = self.has(mam::NS);
        features.archive_extended = self.has(mam::EXTENDED);
        features.stanza_ids = self.has(stanza_id::NS);
        features.carbons |= self.has(carbons::NS);
    }

    /// Takes over what the server's domain announces.
    pub fn of_server(&self, features: &mut Features) {
        features.carbons |= self.has(carbons::NS);
        features.blocking = self.has(blocking::NS);
    }
}

/// Answers a question (type `get`) about us: the payload of the result. None if it asks about a node we don't
/// have, to which the answer is `item-not-found` (section 3.2), or is no such question.
pub fn answer(iq: &Element) -> Option<Element> {
    if let Some(query) = iq.get_child("query", INFO) {
        let node = query.attr("node");
        if node.is_some_and(|node| node != caps::node()) {
            return None;
        }
        let (category, kind, name) = IDENTITY;
        let identity = draft("identity", INFO)
            .attr("category", category)
            .attr("type", kind)
            .attr("name", name);
        let features = own_features()
            .into_iter()
            .map(|feature| draft("feature", INFO).attr("var", feature).done());
        return Some(
            draft("query", INFO)
                .attr_opt("node", node)
                .child(identity)
                .children(features)
                .done(),
        );
    }
    let query = iq.get_child("query", ITEMS)?;
    match query.attr("node") {
        None => Some(draft("query", ITEMS).done()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(text: &str) -> Element {
        text.parse().unwrap()
    }

    fn announced(features: &[&str]) -> Info {
        let features: String = features
            .iter()
            .map(|var| format!("<feature var='{var}'/>"))
            .collect();
        read(&element(&format!(
            "<iq xmlns='jabber:client' type='result'><query xmlns='http://jabber.org/protocol/disco#info'>\
             <identity category='account' type='registered'/>{features}<feature/></query></iq>"
        )))
    }

    #[test]
    fn what_account_and_server_announce_is_put_together() {
        let mut features = Features::default();
        // Prosody 0.12: all on the account. ejabberd 23.01: carbons on the domain, no #extended.
        announced(&[
            "urn:xmpp:mam:2",
            "urn:xmpp:mam:2#extended",
            "urn:xmpp:sid:0",
            "urn:xmpp:carbons:2",
        ])
        .of_account(&mut features);
        announced(&["urn:xmpp:blocking"]).of_server(&mut features);
        assert!(features.archive && features.archive_extended && features.stanza_ids);
        assert!(features.carbons && features.blocking);

        let mut features = Features::default();
        announced(&["urn:xmpp:mam:2"]).of_account(&mut features);
        announced(&["urn:xmpp:carbons:2"]).of_server(&mut features);
        assert!(features.archive && !features.archive_extended && features.carbons);
    }

    #[test]
    fn only_the_account_itself_can_say_that_it_strips_forged_ids_or_has_an_archive() {
        let mut features = Features::default();
        announced(&["urn:xmpp:sid:0", "urn:xmpp:mam:2"]).of_server(&mut features);
        assert!(!features.stanza_ids && !features.archive);
    }

    #[test]
    fn an_error_announces_nothing() {
        let iq = element("<iq xmlns='jabber:client' type='error'><error type='cancel'/></iq>");
        assert_eq!(read(&iq), Info::default());
    }

    #[test]
    fn we_answer_about_ourselves_and_the_node_of_our_caps() {
        let ask = |attributes: &str| {
            answer(&element(&format!(
                "<iq xmlns='jabber:client' type='get'><query xmlns='http://jabber.org/protocol/disco#info' {attributes}/></iq>"
            )))
        };
        let plain = ask("").unwrap();
        assert!(
            plain
                .children()
                .any(|child| child.attr("var") == Some(receipts::NS))
        );
        assert!(plain.has_child("identity", INFO));
        assert_eq!(plain.attr("node"), None);
        let node = caps::node();
        let by_caps = ask(&format!("node='{node}'")).unwrap();
        assert_eq!(by_caps.attr("node"), Some(node.as_str()));
        assert_eq!(ask("node='http://else.example#x'"), None);
        let items = answer(&element(
            "<iq xmlns='jabber:client' type='get'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
        ));
        assert_eq!(items.map(|items| items.children().count()), Some(0));
        assert_eq!(
            answer(&element(
                "<iq xmlns='jabber:client' type='get'><query xmlns='urn:x'/></iq>"
            )),
            None
        );
    }
}

//! The roster (RFC 6121 section 2): who is on it, and changing it.
//!
//! The whole roster comes once per session, as the result of a request; changes come as pushes, one item each, and
//! only from the own account (section 2.1.6, [`dormouse_model::Claim::RosterPush`]). With a version (section 2.6) a
//! server that has nothing new answers with nothing.

use crate::event::RosterItem;
use crate::xml::draft;
use dormouse_model::{BareJid, Jid, Subscription};
use minidom::Element;

/// The namespace.
pub const NS: &str = "jabber:iq:roster";

/// The whole roster, as the server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// Everybody on it.
    pub items: Vec<RosterItem>,
    /// Its version, to be told in the next session's request.
    pub version: Option<String>,
    /// Items that could not be read.
    pub unreadable: usize,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// A contact that is new or different.
    Changed(RosterItem),
    /// A contact that is gone.
    Removed(BareJid),
}

/// The payload of the request (type `get`) for the roster; with the `version` known, if there is one.
pub fn get(version: Option<&str>) -> Element {
    draft("query", NS).attr_opt("ver", version).done()
}

/// Reads the answer to [`get`]: the whole `<iq type='result'/>`. None if nothing has changed since the version told.
pub fn result(iq: &Element) -> Option<Roster> {
    let query = iq.get_child("query", NS)?;
    let mut roster = Roster {
        items: Vec::new(),
        version: query.attr("ver").map(str::to_owned),
        unreadable: 0,
    };
    for child in query.children().filter(|child| child.is("item", NS)) {
        match item(child) {
            Some(Push::Changed(item)) => roster.items.push(item),
            // In a result this has no meaning (section 2.1.2.5) and can't be a contact.
            Some(Push::Removed(_)) => {}
            None => roster.unreadable += 1,
        }
    }
    Some(roster)
}

/// Reads a push: the whole `<iq type='set'/>`. None if it does not have exactly one readable item, to which
/// the answer is `bad-request` (section 2.1.6). The second part is the new version.
pub fn push(iq: &Element) -> Option<(Push, Option<String>)> {
    let query = iq.get_child("query", NS)?;
    let mut items = query.children().filter(|child| child.is("item", NS));
    let (Some(only), None) = (items.next(), items.next()) else {
        return None;
    };
    Some((item(only)?, query.attr("ver").map(str::to_owned)))
}

/// The payload of the request (type `set`) that adds a contact or changes its name and groups (section 2.3, 2.4).
pub fn set(address: &BareJid, name: Option<&str>, groups: &[String]) -> Element {
    let groups = groups.iter().map(|group| draft("group", NS).text(group).done());
    draft("query", NS)
        .child(
            draft("item", NS)
                .attr("jid", address.as_str())
                .attr_opt("name", name)
                .children(groups),
        )
        .done()
}

/// The payload of the request (type `set`) that removes a contact and both subscriptions (section 2.5).
pub fn remove(address: &BareJid) -> Element {
    draft("query", NS)
        .child(
            draft("item", NS)
                .attr("jid", address.as_str())
                .attr("subscription", "remove"),
        )
        .done()
}

fn item(item: &Element) -> Option<Push> {
    let address = Jid::new(item.attr("jid")?).ok()?.into_bare();
    let subscription = match item.attr("subscription") {
        Some("remove") => return Some(Push::Removed(address)),
        Some("both") => Subscription::Both,
        Some("to") => Subscription::To,
        Some("from") => Subscription::From,
        // What is not known grants nothing (section 2.1.2.5).
        _ => Subscription::None,
    };
    let mut groups: Vec<String> = item
        .children()
        .filter(|child| child.is("group", NS))
        .map(Element::text)
        .filter(|group| !group.is_empty())
        .collect();
    groups.sort();
    groups.dedup();
    Some(Push::Changed(RosterItem {
        address,
        name: item
            .attr("name")
            .filter(|name| !name.trim().is_empty())
            .map(str::to_owned),
        subscription,
        asked: item.attr("ask") == Some("subscribe"),
        groups,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(text: &str) -> Element {
        text.parse().unwrap()
    }

    fn bob() -> BareJid {
        BareJid::new("bob@b.example").unwrap()
    }

    #[test]
    fn a_whole_roster_is_read_item_by_item() {
        let iq = element(
            "<iq xmlns='jabber:client' type='result' id='r' to='me@home.example/here'>\
             <query xmlns='jabber:iq:roster' ver='7'>\
             <item jid='bob@b.example' name='Bob' subscription='both'><group>Work</group><group>Friends</group><group>Work</group></item>\
             <item jid='eve@e.example' subscription='none' ask='subscribe' name=''/>\
             <item jid='@@' subscription='both'/><item subscription='both'/>\
             <item jid='odd@e.example' subscription='everything'/></query></iq>",
        );
        let roster = result(&iq).unwrap();
        assert_eq!(roster.version.as_deref(), Some("7"));
        assert_eq!(roster.unreadable, 2);
        assert_eq!(
            roster.items[0],
            RosterItem {
                address: bob(),
                name: Some("Bob".to_owned()),
                subscription: Subscription::Both,
                asked: false,
                groups: vec!["Friends".to_owned(), "Work".to_owned()],
            }
        );
        assert!(roster.items[1].asked);
        assert_eq!(roster.items[1].name, None);
        assert_eq!(roster.items[2].subscription, Subscription::None);
        assert_eq!(roster.items.len(), 3);
    }

    #[test]
    fn an_unchanged_roster_is_answered_with_nothing() {
        assert_eq!(
            result(&element("<iq xmlns='jabber:client' type='result' id='r'/>")),
            None
        );
        assert!(String::from(&get(Some("7"))).contains("ver"));
        assert!(!String::from(&get(None)).contains("ver"));
    }

    #[test]
    fn a_push_has_exactly_one_item() {
        let of = |items: &str| {
            push(&element(&format!(
                "<iq xmlns='jabber:client' type='set' id='p'><query xmlns='jabber:iq:roster' ver='8'>{items}</query></iq>"
            )))
        };
        let one = "<item jid='bob@b.example' subscription='to'/>";
        assert!(matches!(of(one), Some((Push::Changed(_), Some(_)))));
        assert_eq!(
            of("<item jid='bob@b.example' subscription='remove'/>"),
            Some((Push::Removed(bob()), Some("8".to_owned())))
        );
        assert_eq!(of(""), None);
        assert_eq!(of(&format!("{one}{one}")), None);
        assert_eq!(of("<item jid='@@' subscription='to'/>"), None);
        assert_eq!(of("<item xmlns='urn:other' jid='bob@b.example'/>"), None);
    }

    #[test]
    fn a_change_is_written_as_it_would_be_read() {
        let groups = ["A\u{0} & <b>".to_owned()];
        let query = set(&bob(), Some("Bob \u{1}'"), &groups);
        let iq = element(&format!(
            "<iq xmlns='jabber:client' type='set' id='s'>{}</iq>",
            String::from(&query)
        ));
        let Some((Push::Changed(item), _)) = push(&iq) else {
            panic!("not one item")
        };
        assert_eq!(item.address, bob());
        assert_eq!(item.name.as_deref(), Some("Bob '"));
        assert_eq!(item.groups, ["A & <b>"]);
        let removal = String::from(&remove(&bob()));
        let iq = element(&format!(
            "<iq xmlns='jabber:client' type='set' id='s'>{removal}</iq>"
        ));
        assert_eq!(push(&iq), Some((Push::Removed(bob()), None)));
    }
}

//! Blocking (XEP-0191): whom the server keeps from us, and us from them.
//!
//! The list is the server's: it is fetched once per session, which also subscribes to its changes (section 3.3), and
//! those come as pushes, our own among them. Only whole people are taken from it: an entry for one client or for a
//! whole server is left to those who made it.

use crate::xml::draft;
use dormouse_model::{BareJid, Jid};
use minidom::Element;

/// The namespace, and the feature of a server that can block.
pub const NS: &str = "urn:xmpp:blocking";

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// These are blocked.
    Blocked(Vec<BareJid>),
    /// These are no longer; none: nobody is.
    Unblocked(Option<Vec<BareJid>>),
}

/// The payload of the request (type `get`) for the list (section 3.2).
pub fn list() -> Element {
    draft("blocklist", NS).done()
}

/// Reads the answer to [`list`]: the whole `<iq type='result'/>`. None if it is an error.
pub fn read(iq: &Element) -> Option<Vec<BareJid>> {
    if iq.attr("type") != Some("result") {
        return None;
    }
    Some(people(iq.get_child("blocklist", NS)?))
}

/// The payload of the request (type `set`) that blocks somebody (section 3.3).
pub fn block(address: &BareJid) -> Element {
    draft("block", NS).child(item(address)).done()
}

/// The payload of the request (type `set`) that unblocks somebody (section 3.4).
pub fn unblock(address: &BareJid) -> Element {
    draft("unblock", NS).child(item(address)).done()
}

/// Whether a request to us (type `set`) is a push.
pub fn is_push(iq: &Element) -> bool {
    iq.has_child("block", NS) || iq.has_child("unblock", NS)
}

/// Reads a push. None if there is nothing in it that could be done: to block nobody has no meaning (section 3.3).
pub fn push(iq: &Element) -> Option<Push> {
    if let Some(block) = iq.get_child("block", NS) {
        let has_items = block.children().any(|child| child.is("item", NS));
        return has_items.then(|| Push::Blocked(people(block)));
    }
    let unblock = iq.get_child("unblock", NS)?;
    // Only an empty one means everybody (section 3.5): one whose items are not people does not.
    let all = unblock.children().next().is_none();
    Some(Push::Unblocked((!all).then(|| people(unblock))))
}

fn item(address: &BareJid) -> crate::xml::Draft {
    draft("item", NS).attr("jid", address.as_str())
}

fn people(list: &Element) -> Vec<BareJid> {
    list.children()
        .filter(|child| child.is("item", NS))
        .filter_map(|item| Jid::new(item.attr("jid")?).ok())
        .filter(|jid| jid.resource().is_none() && jid.node().is_some())
        .map(Jid::into_bare)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iq(kind: &str, payload: &str) -> Element {
        format!("<iq xmlns='jabber:client' type='{kind}' id='1'>{payload}</iq>")
            .parse()
            .unwrap()
    }

    fn bare(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn the_list_names_people_and_leaves_clients_and_servers_aside() {
        let answer = iq(
            "result",
            "<blocklist xmlns='urn:xmpp:blocking'><item jid='romeo@m.example'/><item jid='iago@s.example/x'/>\
             <item jid='spam.example'/><item jid='@@'/><item/><other jid='x@y'/></blocklist>",
        );
        assert_eq!(read(&answer), Some(vec![bare("romeo@m.example")]));
        assert_eq!(
            read(&iq("result", "<blocklist xmlns='urn:xmpp:blocking'/>")),
            Some(Vec::new())
        );
        let refused = "<blocklist xmlns='urn:xmpp:blocking'/><error type='cancel'/>";
        assert_eq!(read(&iq("error", refused)), None);
        assert_eq!(read(&iq("result", "")), None);
    }

    #[test]
    fn a_request_is_written_as_it_would_be_read() {
        let romeo = bare("romeo@m.example");
        let of = |payload: &Element| push(&iq("set", &String::from(payload)));
        assert_eq!(of(&block(&romeo)), Some(Push::Blocked(vec![romeo.clone()])));
        assert_eq!(of(&unblock(&romeo)), Some(Push::Unblocked(Some(vec![romeo]))));
    }

    #[test]
    fn only_an_empty_unblock_means_everybody() {
        let of = |payload: &str| push(&iq("set", payload));
        assert_eq!(
            of("<unblock xmlns='urn:xmpp:blocking'/>"),
            Some(Push::Unblocked(None))
        );
        assert_eq!(
            of("<unblock xmlns='urn:xmpp:blocking'><item jid='@@'/></unblock>"),
            Some(Push::Unblocked(Some(Vec::new())))
        );
        assert_eq!(of("<block xmlns='urn:xmpp:blocking'/>"), None);
        assert_eq!(of("<block xmlns='urn:other'><item jid='a@b'/></block>"), None);
    }
}

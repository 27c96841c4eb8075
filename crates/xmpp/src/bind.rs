//! Resource binding (RFC 6120 section 7).

use crate::xml::draft;
use dormouse_model::{BareJid, FullJid, Random};
use minidom::Element;

const NS: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// A resource for this installation: kept, so that a new session replaces our own old one and not another's.
pub(crate) fn resource(random: &mut Random) -> String {
    format!("dormouse-{:08x}", random.below(1 << 32))
}

/// The payload of the request (type `set`).
pub(crate) fn bind(resource: &str) -> Element {
    draft("bind", NS)
        .child(draft("resource", NS).text(resource))
        .done()
}

/// The address that the server gave us, from the whole `<iq type='result'/>`. None unless it is one of this account's.
pub(crate) fn bound(iq: &Element, account: &BareJid) -> Option<FullJid> {
    let address = iq.get_child("bind", NS)?.get_child("jid", NS)?.text();
    FullJid::new(address.trim())
        .ok()
        .filter(|jid| jid.to_bare() == *account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_of_this_account_is_taken() {
        let account = BareJid::new("me@home.example").unwrap();
        let of = |jid: &str| {
            let iq = format!(
                "<iq xmlns='jabber:client' type='result'><bind xmlns='{NS}'><jid>{jid}</jid></bind></iq>"
            );
            bound(&iq.parse().unwrap(), &account)
        };
        assert_eq!(of("me@home.example/x").unwrap().resource().as_str(), "x");
        for other in ["me@home.example", "you@home.example/x", "", "@@"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}

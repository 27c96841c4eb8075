//! Entity capabilities (XEP-0115): what this client can do, as a hash in its presence, so that others need
//! not ask each time.

use crate::disco;
use crate::xml::draft;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use sha1::{Digest, Sha1};

/// The namespace.
pub const NS: &str = "http://jabber.org/protocol/caps";

/// Names the program, not a place to look at (section 4).
const NODE: &str = "urn:dormouse";

/// The `<c/>` of our presence.
pub(crate) fn ours() -> Element {
    draft("c", NS)
        .attr("hash", "sha-1")
        .attr("node", NODE)
        .attr("ver", &version())
        .done()
}

/// The disco node under which others ask what the hash stands for (section 6.2).
pub(crate) fn node() -> String {
    format!("{NODE}#{}", version())
}

/// The verification string (section 5.1) of our own answer to disco.
fn version() -> String {
    let (category, kind, name) = disco::IDENTITY;
    hash(
        &[format!("{category}/{kind}//{name}")],
        disco::own_features().iter().copied(),
    )
}

/// Identities and features must be sorted by their bytes.
fn hash<'a>(identities: &'a [String], features: impl Iterator<Item = &'a str>) -> String {
    let mut sha1 = Sha1::new();
    for part in identities.iter().map(String::as_str).chain(features) {
        sha1.update(part);
        sha1.update("<");
    }
    STANDARD.encode(sha1.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_specifications_example() {
        // XEP-0115 section 5.2.
        let features = [
            "http://jabber.org/protocol/caps",
            "http://jabber.org/protocol/disco#info",
            "http://jabber.org/protocol/disco#items",
            "http://jabber.org/protocol/muc",
        ];
        assert_eq!(
            hash(&["client/pc//Exodus 0.9.1".to_owned()], features.into_iter()),
            "QgayPKawpkPSDYmwT/WM94uAlu0="
        );
    }

    #[test]
    fn our_hash_is_that_of_our_own_answer() {
        let iq: Element = "<iq xmlns='jabber:client' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
            .parse()
            .unwrap();
        let answer = disco::answer(&iq).unwrap();
        let iq: Element = format!(
            "<iq xmlns='jabber:client' type='result'>{}</iq>",
            String::from(&answer)
        )
        .parse()
        .unwrap();
        let identity = answer.get_child("identity", disco::INFO).unwrap();
        let identity = format!(
            "{}/{}//{}",
            identity.attr("category").unwrap(),
            identity.attr("type").unwrap(),
            identity.attr("name").unwrap()
        );
        let info = disco::read(&iq);
        assert_eq!(
            Some(hash(&[identity], info.features.iter().map(String::as_str)).as_str()),
            ours().attr("ver")
        );
    }
}

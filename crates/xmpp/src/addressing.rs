//! Who a stanza is from and for, with the defaults of RFC 6120 section 8.1.2.1.

use dormouse_model::{BareJid, Jid};
use minidom::Element;
use std::fmt;

/// Why a stanza can't be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not the kind of stanza that was to be read.
    NotA(&'static str),
    /// An address that is none (RFC 7622).
    Address(&'static str),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NotA(stanza) => write!(f, "not a {stanza} of this stream"),
            Unreadable::Address(which) => write!(f, "the {which} address is not an address"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// The namespace of stanzas on a client's stream (RFC 6120 section 4.8.2).
pub const CLIENT: &str = "jabber:client";

/// The sender: without `from` the own account itself (what a server sends on the account's behalf).
pub fn from(stanza: &Element, own: &BareJid) -> Result<Jid, Unreadable> {
    address(stanza, "from", own)
}

/// The addressee: without `to` the own account itself.
pub fn to(stanza: &Element, own: &BareJid) -> Result<Jid, Unreadable> {
    address(stanza, "to", own)
}

fn address(stanza: &Element, attribute: &'static str, own: &BareJid) -> Result<Jid, Unreadable> {
    match stanza.attr(attribute) {
        None => Ok(Jid::from(own.clone())),
        Some(text) => Jid::new(text).map_err(|_| Unreadable::Address(attribute)),
    }
}

/// The sender as it was written, for [`dormouse_model::Claim::by`]: none if there is no attribute.
pub fn stated_from(stanza: &Element) -> Result<Option<Jid>, Unreadable> {
    stanza
        .attr("from")
        .map(|text| Jid::new(text).map_err(|_| Unreadable::Address("from")))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_without_addresses_is_from_and_for_the_own_account() {
        let own = BareJid::new("me@home.example").unwrap();
        let stanza: Element = "<message xmlns='jabber:client'/>".parse().unwrap();
        assert_eq!(from(&stanza, &own).unwrap(), Jid::from(own.clone()));
        assert_eq!(to(&stanza, &own).unwrap(), Jid::from(own.clone()));
        assert_eq!(stated_from(&stanza), Ok(None));
    }

    #[test]
    fn an_address_that_is_none_is_never_taken_for_the_own_account() {
        let own = BareJid::new("me@home.example").unwrap();
        let stanza: Element = "<message xmlns='jabber:client' from='' to='@@'/>"
            .parse()
            .unwrap();
        assert_eq!(from(&stanza, &own), Err(Unreadable::Address("from")));
        assert_eq!(to(&stanza, &own), Err(Unreadable::Address("to")));
        assert_eq!(stated_from(&stanza), Err(Unreadable::Address("from")));
    }
}

//! What the server itself has lost, told apart from what we have: a killed one has forgotten what it had archived and not
//! written. Who was given it keeps it; nobody else can have it, unless it is archived again.

use super::Checker;
use super::typed::{Says, Typed};
use crate::server::Server;
use crate::server::stanza::CLIENT;
use minidom::Element;

/// The body of a message, if it has one.
pub(super) fn body(message: &Element) -> Option<String> {
    message.get_child("body", CLIENT).map(Element::text)
}

/// What the archive of an account has lost: ids and messages.
pub(super) fn lost_by(server: &Server, account: usize) -> impl Iterator<Item = (&str, &Element)> {
    let own = server.lost.iter().filter(move |(of, ..)| *of == account);
    own.map(|(_, id, message)| (id.as_str(), message))
}

impl Checker {
    /// Whether the archive of an account has lost something of this: the message itself, an edit, or that it was withdrawn.
    pub(super) fn was_lost_by(server: &Server, account: usize, typed: &Typed) -> bool {
        let author = server
            .accounts
            .get(typed.from)
            .map(|author| author.address.as_str());
        lost_by(server, account).any(|(_, message)| match body(message) {
            Some(body) if typed.said(&body) => true,
            _ => {
                // Which one is withdrawn only its author's client could tell.
                let by_author = message.attr("from").and_then(|from| from.split('/').next()) == author;
                let withdraws = message.children().any(|child| child.name() == "retract");
                by_author && withdraws && typed.was(&Says::Withdrawn)
            }
        })
    }
}

//! Who may say what: the one table.
//!
//! XMPP routes anything from anyone to us; what a stanza claims is believed only if its sender has
//! the authority for that claim. Session and timeline both ask here, so the rules can't drift apart.
//! What is refused is dropped and journalled, never acted on.

use crate::{BareJid, Jid};
use std::fmt;

/// Something a stanza claims that only some senders may claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim<'a> {
    /// "This is a copy of what another of your clients sent or received" (XEP-0280 section 11).
    Carbon,
    /// "This is from your archive" (XEP-0313): from the archive asked, with the id of a query in flight.
    ArchiveResult {
        /// The archive that was asked.
        asked: &'a BareJid,
        /// Whether the query id is one in flight.
        pending: bool,
    },
    /// "This is the answer to your request" (RFC 6120 section 8.2.3).
    RequestResult {
        /// Whom we asked; none for the own account or server.
        asked: Option<&'a Jid>,
        /// Whether a request with this id is in flight.
        pending: bool,
    },
    /// "Your roster has changed" (RFC 6121 section 2.1.6).
    RosterPush,
    /// "Your list of blocked people has changed" (XEP-0191 section 3.3).
    BlockPush,
    /// "Your own published state has changed" (XEP-0163).
    OwnPep,
    /// "Your message reached me" (XEP-0184).
    Receipt {
        /// The conversation that holds the message.
        conversation: &'a BareJid,
    },
    /// "I have displayed your messages" (XEP-0333).
    Marker {
        /// The conversation that holds the message.
        conversation: &'a BareJid,
    },
    /// "I replace what I said" (XEP-0308).
    Edit {
        /// Who wrote the message to be replaced.
        author: &'a BareJid,
    },
    /// "I withdraw what I said" (XEP-0424).
    Retraction {
        /// Who wrote the message to be withdrawn.
        author: &'a BareJid,
    },
    /// "Your message can't be delivered" (RFC 6120 section 8.3): only who was addressed, or their server.
    Bounce {
        /// To whom the message went.
        addressee: &'a BareJid,
    },
}

/// A claim that its sender may not make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was claimed, in the field's word.
    pub claim: &'static str,
    /// By whom.
    pub from: Option<Jid>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(from) => write!(f, "refused a {} from {from}, who may not say that", self.claim),
            None => write!(f, "refused a {} that nobody asked for", self.claim),
        }
    }
}

impl Claim<'_> {
    /// The claim in the field's word.
    pub fn word(&self) -> &'static str {
        match self {
            Claim::Carbon => "carbon",
            Claim::ArchiveResult { .. } => "archive result",
            Claim::RequestResult { .. } => "request result",
            Claim::RosterPush => "roster push",
            Claim::BlockPush => "block push",
            Claim::OwnPep => "own state",
            Claim::Receipt { .. } => "receipt",
            Claim::Marker { .. } => "marker",
            Claim::Edit { .. } => "edit",
            Claim::Retraction { .. } => "retraction",
            Claim::Bounce { .. } => "bounce",
        }
    }

    /// Whether a stanza with this `from` (none if it has no such attribute, which means the own account,
    /// RFC 6120 section 8.1.2.1) may claim it to the account `own`.
    pub fn by(self, from: Option<&Jid>, own: &BareJid) -> Result<(), Refusal> {
        let is_own_bare = from.is_none_or(|from| from.resource().is_none() && from.to_bare() == *own);
        let is_own_server = from.is_some_and(|from| {
            from.node().is_none() && from.resource().is_none() && from.domain() == own.domain()
        });
        let allowed = match self {
            Claim::Carbon | Claim::RosterPush | Claim::OwnPep => is_own_bare,
            // Servers push it in either name.
            Claim::BlockPush => is_own_bare || is_own_server,
            Claim::ArchiveResult { asked, pending } => {
                let from_archive = match from {
                    None => asked == own,
                    Some(from) => from.resource().is_none() && from.to_bare() == *asked,
                };
                pending && from_archive
            }
            Claim::RequestResult { asked, pending } => {
                let from_asked = match asked {
                    Some(asked) => from == Some(asked),
                    None => match from {
                        None => true,
                        // A request to our own account may be answered by its bare address, its server,
                        // or the full address it was sent from (RFC 6120 section 10.3.3).
                        Some(from) => from.to_bare() == *own || is_own_server,
                    },
                };
                pending && from_asked
            }
            Claim::Receipt { conversation } | Claim::Marker { conversation } => {
                from.is_some_and(|from| from.to_bare() == *conversation)
            }
            Claim::Edit { author } | Claim::Retraction { author } => {
                from.map_or_else(|| author == own, |from| from.to_bare() == *author)
            }
            // A bounce bears the addressee as its `from` (RFC 6120 section 8.3.1), whoever made it.
            Claim::Bounce { addressee } => from.is_some_and(|from| from.to_bare() == *addressee),
        };
        if allowed {
            Ok(())
        } else {
            Err(Refusal {
                claim: self.word(),
                from: from.cloned(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> BareJid {
        BareJid::new("me@home.example").unwrap()
    }
    fn jid(text: &str) -> Jid {
        Jid::new(text).unwrap()
    }
    fn bare(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn carbons_pushes_and_own_state_come_from_the_own_bare_address_only() {
        for claim in [Claim::Carbon, Claim::RosterPush, Claim::OwnPep] {
            assert!(claim.by(Some(&jid("me@home.example")), &own()).is_ok());
            assert!(claim.by(None, &own()).is_ok());
            for forger in [
                "me@home.example/phone",
                "home.example",
                "mallory@evil.example",
                "me@evil.example",
            ] {
                assert!(
                    claim.by(Some(&jid(forger)), &own()).is_err(),
                    "{} by {forger}",
                    claim.word()
                );
            }
        }
    }

    #[test]
    fn the_block_list_is_changed_by_the_own_account_or_its_server_only() {
        for fine in ["me@home.example", "home.example"] {
            assert!(Claim::BlockPush.by(Some(&jid(fine)), &own()).is_ok(), "{fine}");
        }
        assert!(Claim::BlockPush.by(None, &own()).is_ok());
        for forger in [
            "me@home.example/phone",
            "home.example/x",
            "mallory@home.example",
            "mallory@evil.example",
            "evil.example",
        ] {
            assert!(
                Claim::BlockPush.by(Some(&jid(forger)), &own()).is_err(),
                "{forger}"
            );
        }
    }

    #[test]
    fn archive_results_come_from_the_archive_asked_with_a_pending_query() {
        let me = own();
        let claim = |pending| Claim::ArchiveResult { asked: &me, pending };
        assert!(claim(true).by(None, &me).is_ok());
        assert!(claim(true).by(Some(&jid("me@home.example")), &me).is_ok());
        assert!(claim(false).by(Some(&jid("me@home.example")), &me).is_err());
        assert!(claim(true).by(Some(&jid("mallory@evil.example")), &me).is_err());
        let room = bare("room@muc.example");
        let of_room = Claim::ArchiveResult {
            asked: &room,
            pending: true,
        };
        assert!(of_room.by(None, &me).is_err());
        assert!(of_room.by(Some(&jid("room@muc.example/nick")), &me).is_err());
    }

    #[test]
    fn results_are_believed_by_id_and_sender() {
        let bob = jid("bob@b.example/home");
        let asked_bob = |pending| Claim::RequestResult {
            asked: Some(&bob),
            pending,
        };
        assert!(asked_bob(true).by(Some(&bob), &own()).is_ok());
        assert!(asked_bob(false).by(Some(&bob), &own()).is_err());
        assert!(asked_bob(true).by(Some(&jid("bob@b.example")), &own()).is_err());
        assert!(asked_bob(true).by(None, &own()).is_err());
        let asked_home = Claim::RequestResult {
            asked: None,
            pending: true,
        };
        for fine in ["me@home.example", "home.example", "me@home.example/here"] {
            assert!(asked_home.by(Some(&jid(fine)), &own()).is_ok(), "{fine}");
        }
        assert!(asked_home.by(Some(&jid("mallory@home.example")), &own()).is_err());
    }

    #[test]
    fn receipts_markers_edits_and_retractions_come_from_the_counterpart_only() {
        let bob = bare("bob@b.example");
        for claim in [
            Claim::Receipt { conversation: &bob },
            Claim::Marker { conversation: &bob },
            Claim::Edit { author: &bob },
            Claim::Retraction { author: &bob },
        ] {
            assert!(claim.by(Some(&jid("bob@b.example/any")), &own()).is_ok());
            assert!(
                claim.by(Some(&jid("mallory@evil.example/any")), &own()).is_err(),
                "{}",
                claim.word()
            );
            assert!(claim.by(None, &own()).is_err(), "{}", claim.word());
        }
    }

    #[test]
    fn a_bounce_comes_from_whom_we_wrote_to_only() {
        let bob = bare("bob@b.example");
        let claim = Claim::Bounce { addressee: &bob };
        assert!(claim.by(Some(&jid("bob@b.example")), &own()).is_ok());
        assert!(claim.by(Some(&jid("b.example")), &own()).is_err());
        assert!(claim.by(Some(&jid("mallory@evil.example")), &own()).is_err());
    }
}

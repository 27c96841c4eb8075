//! People on the roster and what is known of their presence.

use crate::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Someone on the roster (RFC 6121 section 2), or someone met outside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Their bare address.
    pub address: BareJid,
    /// The name the user gave them.
    pub name: Option<String>,
    /// Who sees whose presence.
    pub subscription: Subscription,
    /// We asked to see their presence and have no answer yet.
    pub asked: bool,
    /// Groups the user sorted them into.
    pub groups: Vec<String>,
    /// Presence by resource, as last told on the session that holds it.
    pub presence: BTreeMap<String, Availability>,
    /// False after a sign-in that has not told their presence yet: shown as unknown.
    pub presence_known: bool,
}

/// Who sees whose presence (RFC 6121 section 2.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub enum Subscription {
    /// Nobody.
    #[default]
    None,
    /// We see theirs.
    To,
    /// They see ours.
    From,
    /// Both.
    Both,
}

impl Subscription {
    /// Whether they may see our presence: only then do they get receipts and typing from us.
    pub fn they_see_us(self) -> bool {
        matches!(self, Subscription::From | Subscription::Both)
    }
}

/// How available somebody is (RFC 6121 section 4.7.2.1), the most available first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Availability {
    /// Wants to chat, or says nothing special.
    Online,
    /// Away for a moment.
    Away,
    /// Does not want to be disturbed.
    DoNotDisturb,
    /// Away for longer.
    ExtendedAway,
    /// Not connected.
    Offline,
    /// Not known: the server has not told it on this session.
    Unknown,
}

impl Contact {
    /// Somebody of whom nothing is known.
    pub fn unknown(address: BareJid) -> Self {
        Self {
            address,
            name: None,
            subscription: Subscription::None,
            asked: false,
            groups: Vec::new(),
            presence: BTreeMap::new(),
            presence_known: false,
        }
    }

    /// Whether we see their presence, or have asked to.
    pub fn we_see_them(&self) -> bool {
        self.asked || matches!(self.subscription, Subscription::To | Subscription::Both)
    }

    /// The most available of their resources.
    pub fn availability(&self) -> Availability {
        if !self.presence_known {
            return Availability::Unknown;
        }
        self.presence
            .values()
            .copied()
            .min()
            .unwrap_or(Availability::Offline)
    }
}

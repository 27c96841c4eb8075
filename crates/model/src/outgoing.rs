//! A message on its way out.

use crate::{BareJid, ChatState, OriginId, Stamp, StanzaId};

/// What the session is asked to send as a `<message type='chat'/>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A text of the user's: acknowledged, archived, kept until its fate is known.
    Text {
        /// To whom.
        to: BareJid,
        /// `id` and origin-id alike: own messages have one name (XEP-0359).
        id: OriginId,
        /// What it says.
        body: String,
        /// Set when an earlier attempt may have arrived: when it was first written (XEP-0203).
        first_sent: Option<Stamp>,
        /// Replaces an earlier message of ours (XEP-0308).
        replaces: Option<StanzaId>,
        /// Ask for a receipt (XEP-0184).
        receipt: bool,
    },
    /// Withdraws an earlier message of ours (XEP-0424).
    Retract {
        /// To whom.
        to: BareJid,
        /// Its own name.
        id: OriginId,
        /// What is withdrawn.
        target: StanzaId,
        /// As in `Text`.
        first_sent: Option<Stamp>,
    },
    /// Tells that a message has arrived here (XEP-0184).
    Receipt {
        /// To whom.
        to: BareJid,
        /// What arrived.
        of: StanzaId,
    },
    /// Tells that everything up to a message has been displayed (XEP-0333).
    Displayed {
        /// To whom.
        to: BareJid,
        /// The last one displayed.
        of: StanzaId,
    },
    /// Tells what the user does (XEP-0085). Never kept, never sent again.
    ChatState {
        /// To whom.
        to: BareJid,
        /// What.
        state: ChatState,
    },
}

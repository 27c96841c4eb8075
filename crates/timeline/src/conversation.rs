//! What is kept of a conversation beside its messages: what is unread, and how far either side has read.
//! What the list of conversations shows is worked out from it in [`crate::summary`].

use crate::ledger::Ledger;
use dormouse_model::{BareJid, Key, MessageId, Place, ReadError, Side, StanzaId};
use serde::{Deserialize, Serialize};

/// So many things may wait in one conversation for messages that are not known.
pub(crate) const ORPHANS: u32 = 500;

/// What is kept of a conversation (under [`Key::Conversation`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Conversation {
    /// Messages of the other side that the user has not read, here or elsewhere.
    pub unread: u64,
    /// The last message of the other side that was there when the user read here.
    pub read: Option<MessageId>,
    /// The last message that another of the user's clients has displayed.
    pub read_elsewhere: Option<MessageId>,
    /// The last own message that the other side has displayed.
    pub displayed: Option<MessageId>,
    /// The last message that the other side was told we have displayed.
    pub marked: Option<StanzaId>,
    /// The archive holds nothing older than what is kept.
    pub beginning: bool,
    /// How many names things wait for.
    pub orphans: u32,
}

impl Ledger<'_, '_> {
    pub(crate) fn conversation(&self, with: &BareJid) -> Result<Conversation, ReadError> {
        Ok(self
            .draft
            .read(&Key::Conversation(with.clone()))?
            .unwrap_or_default())
    }

    pub(crate) fn put_conversation(&mut self, with: &BareJid, conversation: &Conversation) {
        self.draft.put(&Key::Conversation(with.clone()), conversation);
    }

    pub(crate) fn place_of(&self, id: Option<MessageId>) -> Result<Place, ReadError> {
        Ok(match id {
            Some(id) => self.item(id)?.map_or(Place(0), |item| item.place()),
            None => Place(0),
        })
    }

    /// Counts a message that was not known before. `hole`: what lies there was never shown, even where later
    /// messages were read.
    pub(crate) fn count_unread(
        &mut self,
        id: MessageId,
        hole: Option<(Place, Place)>,
    ) -> Result<(), ReadError> {
        let Some(message) = self.message(id)?.filter(|message| message.side == Side::Theirs) else {
            return Ok(());
        };
        let mut conversation = self.conversation(&message.conversation)?;
        let here = self.place_of(conversation.read)?;
        let elsewhere = self.place_of(conversation.read_elsewhere)?;
        // What was said just before the session's first live message may stand at the very floor.
        let missed = hole.is_some_and(|(low, high)| low < message.place && message.place <= high);
        if message.place > elsewhere && (message.place > here || missed) {
            conversation.unread += 1;
            self.put_conversation(&message.conversation, &conversation);
        }
        Ok(())
    }
}

//! Whoever counts what happens to an account. Where nobody does, nothing is gathered.

use crate::present::now;
use dormouse_account::{Account, SignedIn};
use dormouse_model::{Change, Key, Memory, Message, Observation, Observer, Walk, record};

/// The observers of one account, and what they were told last of what is told only when it changes.
#[derive(Default)]
pub struct Observers {
    all: Vec<Observer>,
    unsettled: Option<(usize, bool)>,
    signed_in: Option<SignedIn>,
}

impl Observers {
    /// One more, who is told first what is.
    pub fn begin(&mut self, mut observer: Observer, account: &Account, memory: &dyn Memory) {
        let connection = Change::Connection(account.status().connection);
        let (outbox, caught_up) = account.unsettled();
        let now = now();
        let stays = observer(now, Observation::Begins(newest(memory)))
            && observer(now, Observation::Change(&connection))
            && observer(now, Observation::Unsettled { outbox, caught_up });
        if stays {
            self.all.push(observer);
        }
    }

    /// Tells something that happened.
    pub fn tell(&mut self, observation: Observation<'_>) {
        if !self.all.is_empty() {
            let now = now();
            self.all.retain_mut(|observer| observer(now, observation));
        }
    }

    /// The core has taken an input: tells what that has changed.
    pub fn look(&mut self, account: &Account) {
        if self.all.is_empty() {
            return;
        }
        let unsettled = account.unsettled();
        if self.unsettled.replace(unsettled) != Some(unsettled) {
            let (outbox, caught_up) = unsettled;
            self.tell(Observation::Unsettled { outbox, caught_up });
        }
        let signed_in = account.signed_in();
        if self.signed_in != signed_in {
            self.signed_in.clone_from(&signed_in);
            if let Some(SignedIn { mechanism, resumed }) = signed_in {
                self.tell(Observation::SignedIn { mechanism, resumed });
            }
        }
    }
}

/// The message that was the last to become known.
fn newest(memory: &dyn Memory) -> Option<dormouse_model::MessageId> {
    let (from, to) = Key::Message(dormouse_model::MessageId(0)).kind_range();
    let found = memory.range(&from, &to, Walk::Backwards, 1).ok()?;
    let message: Message = record::decode(&found.first()?.1)?;
    Some(message.id)
}

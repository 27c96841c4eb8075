//! What windows are told: everything at first, then each change; and what whoever opens one later must still hear of.

use super::Driver;
use dormouse_model::{Change, Notice, Observation};

impl Driver {
    /// Everything a window shows, as changes from nothing.
    pub(super) fn snapshot(&self) -> Vec<Change> {
        let mut snapshot = self.account.snapshot(&*self.store).unwrap_or_else(|error| {
            // The next input meets it too and has the core made anew, which tells everything again.
            tracing::error!(%error, "the conversations can't be listed");
            vec![Change::Connection(self.account.status().connection)]
        });
        // Standing ones are the core's to tell, except while there is none that could.
        let stalled = self.stalled.is_some();
        let notices = self.notices.iter().filter(|it| stalled || !it.is_standing());
        snapshot.extend(notices.cloned().map(Change::Notice));
        snapshot
    }

    /// Keeps what a window that opens later must be told: the latest notice of each kind, while it holds.
    pub(super) fn remember(&mut self, notice: &Notice) {
        self.notices.retain(|kept| kept.name() != notice.name());
        match notice {
            Notice::StoreRecovered | Notice::CannotDo(_) => {}
            lasting => self.notices.push(lasting.clone()),
        }
    }

    /// What the old core said of how things are holds no longer: the new one says it again if it does.
    pub(super) fn take_back_standing(&mut self) {
        let (standing, lasting) = std::mem::take(&mut self.notices)
            .into_iter()
            .partition(Notice::is_standing);
        self.notices = lasting;
        let standing: Vec<Notice> = standing;
        for notice in standing {
            self.publish(&Change::NoticeGone(notice.name()));
        }
    }

    pub(super) fn publish(&mut self, change: &Change) {
        self.observers.tell(Observation::Change(change));
        self.subscribers
            .retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }
}

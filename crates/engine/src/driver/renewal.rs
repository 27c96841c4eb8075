//! A new core in place of one that can't be trusted any more, and what holds while there is none.

use super::{Driver, WAITING_FRAMES, restore};
use crate::present::now;
use crate::rebuild::{Rebuild, notice};
use crate::request::Request;
use crate::tokens::Tokens;
use dormouse_account::{Command, Input};
use dormouse_model::{BatchId, Change, Notice, Observation, ReadError};
use tokio::sync::mpsc::channel;

impl Driver {
    /// The core can't be trusted any more: every socket is dropped (unacknowledged stanzas come again)
    /// and a new core is made from what is on disk.
    pub(super) fn rebuild(&mut self, why: Rebuild) {
        tracing::error!(%why, "the core is rebuilt");
        self.drop_all();
        self.sends.clear();
        let pause = self.rebuilds.note(now().tick);
        let next_batch = self.account.next_batch();
        match self.rebuilds.mend(&why, next_batch, &self.store) {
            Ok(notice) => {
                self.durable = next_batch;
                if let Some(notice) = notice {
                    self.remember(&notice);
                    self.publish(&Change::Notice(notice));
                }
            }
            Err(error) => tracing::error!(%error, "the store can't be mended yet"),
        }
        // Rare, and nothing else is worth doing meanwhile.
        std::thread::sleep(pause);
        self.begin_anew(next_batch.next());
    }

    /// The disk can't be read at the moment: every socket is dropped, and a new core is made once it can.
    pub(super) fn stall(&mut self, error: &ReadError) {
        tracing::error!(%error, "the core stands still");
        self.drop_all();
        self.stalled = Some(self.account.next_batch().next());
        self.say_stalled(error);
    }

    fn drop_all(&mut self) {
        self.forget_simulated_sleep();
        for conn in std::mem::take(&mut self.lines).into_keys() {
            self.observers.tell(Observation::GivenUp(conn));
        }
        self.paths.clear();
        self.line_events = channel(WAITING_FRAMES);
    }

    fn say_stalled(&mut self, error: &impl ToString) {
        let notice = Notice::StoreFailed(error.to_string());
        self.remember(&notice);
        self.publish(&Change::Notice(notice));
    }

    /// Makes a core from what is on disk. While that can't be read (on a full disk only what is in memory can),
    /// there is none: it is said, and tried again.
    fn begin_anew(&mut self, first_batch: BatchId) {
        let token = self.tokens.as_ref().and_then(Tokens::current).cloned();
        match restore(&self.settings, token, &self.store, first_batch, self.durable) {
            Ok(account) => {
                self.account = account;
                self.take_back_standing();
                if self.stalled.take().is_some() {
                    self.publish(&Change::Notice(Notice::StoreRecovered));
                }
                for change in self.snapshot() {
                    self.publish(&change);
                }
                self.feed(Input::Start);
                for request in std::mem::take(&mut self.backlog) {
                    self.requested(request);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the core can't be rebuilt yet");
                if self.stalled.replace(first_batch).is_none() {
                    self.say_stalled(&error);
                }
            }
        }
    }

    pub(super) fn go_on(&mut self) {
        let Some(first_batch) = self.stalled else { return };
        match self.store.reopen() {
            Ok(reopened) => {
                self.durable = BatchId(first_batch.0.saturating_sub(1));
                if let Some(aside) = &reopened.set_aside {
                    let notice = notice(aside);
                    self.remember(&notice);
                    self.publish(&Change::Notice(notice));
                }
                self.begin_anew(first_batch);
            }
            Err(error) => tracing::warn!(%error, "the store can't be reopened yet"),
        }
    }

    /// While there is no core: wishes wait for it, but nobody has to wait in order to end or to sleep.
    pub(super) fn put_off(&mut self, request: Request) {
        match request {
            Request::Leave | Request::Command(Command::Quit) => self.ended = true,
            Request::Suspend { reply } => {
                let _ = reply.send(());
            }
            Request::Subscribe { .. }
            | Request::Status { .. }
            | Request::Subject { .. }
            | Request::ProxyLogin(_) => {
                self.requested(request);
            }
            // Whoever waits for it is told by its being dropped.
            Request::SimulateSleep { .. } => {}
            // The next core begins with it.
            Request::SignIn(password) => self.settings.password = Some(password),
            later => self.backlog.push(later),
        }
    }
}

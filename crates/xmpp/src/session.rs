//! The session of one account (see the crate's docs).

use crate::{Credentials, Output};
use dormouse_model::{
    ArchiveQuery, BareJid, BatchId, Channel, Closing, ConnId, DialFailure, Draft, Memory, MessageId, Now,
    Outgoing, ProbeId, Random, ReadError, Verdict,
};

/// Limits, as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The largest frame that is read, in bytes.
    pub max_frame: usize,
    /// How deep elements may be nested in a frame.
    pub max_depth: usize,
    /// The most PBKDF2 iterations that a server may ask for in SCRAM.
    pub max_iterations: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_frame: 1024 * 1024,
            max_depth: 64,
            max_iterations: 1_300_000,
        }
    }
}

/// One account's XMPP session: outlives connections and processes.
pub struct Session {
    account: BareJid,
}

#[allow(unused_variables, missing_docs)]
impl Session {
    pub fn restore(
        account: BareJid,
        settings: Settings,
        random: Random,
        memory: &dyn Memory,
    ) -> Result<Self, ReadError> {
        Ok(Self { account })
    }
    pub fn has_worked(&self) -> bool {
        false
    }
    pub fn dial_failed(&self, failure: &DialFailure) -> Verdict {
        Verdict::new(dormouse_model::Action::Retry, dormouse_model::Cause::Lost)
    }
    pub fn begin(&mut self, now: Now, conn: ConnId, channel: &Channel, credentials: &Credentials) -> Vec<Output> {
        Vec::new()
    }
    pub fn frame(
        &mut self,
        now: Now,
        conn: ConnId,
        text: &str,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Output>, ReadError> {
        Ok(Vec::new())
    }
    pub fn closed(&mut self, now: Now, conn: ConnId, closing: &Closing) -> Option<Verdict> {
        None
    }
    pub fn issued(&mut self, batch: BatchId) {}
    pub fn durable(&mut self, batch: BatchId) -> Vec<Output> {
        Vec::new()
    }
    pub fn save(&mut self, draft: &mut Draft<'_>) {}
    pub fn is_ready(&self) -> bool {
        false
    }
    pub fn send(
        &mut self,
        now: Now,
        message: &Outgoing,
        token: Option<MessageId>,
        draft: &mut Draft<'_>,
    ) -> Vec<Output> {
        Vec::new()
    }
    pub fn request_ack(&mut self) -> Vec<Output> {
        Vec::new()
    }
    pub fn ping(&mut self, probe: ProbeId) -> Vec<Output> {
        Vec::new()
    }
    pub fn acknowledge(&mut self) -> Vec<Output> {
        Vec::new()
    }
    pub fn ask(&mut self, query: &ArchiveQuery, draft: &mut Draft<'_>) -> Vec<Output> {
        Vec::new()
    }
    pub fn active(&mut self, active: bool) -> Vec<Output> {
        Vec::new()
    }
    /// Sets a contact's name and groups, adding them to the roster if needed.
    pub fn roster_set(&mut self, address: &BareJid, name: Option<&str>, groups: &[String]) -> Vec<Output> {
        Vec::new()
    }
    pub fn roster_remove(&mut self, address: &BareJid) -> Vec<Output> {
        Vec::new()
    }
    pub fn subscribe(&mut self, address: &BareJid) -> Vec<Output> {
        Vec::new()
    }
    pub fn approve(&mut self, address: &BareJid) -> Vec<Output> {
        Vec::new()
    }
    pub fn deny(&mut self, address: &BareJid) -> Vec<Output> {
        Vec::new()
    }
    pub fn unsubscribe(&mut self, address: &BareJid) -> Vec<Output> {
        Vec::new()
    }
    pub fn close(&mut self) -> Vec<Output> {
        Vec::new()
    }
}

//! The account's memory as one thing: what the core calls.

use dormouse_model::{
    ArchiveFailure, ArchivePage, ArchiveQuery, Arrival, BareJid, BatchId, Change, Draft, Memory, Message,
    MessageId, Now, Outgoing, Place, QueryId, Random, ReadError, Tick,
};

/// What follows from an input, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// What a window shows is different now.
    Change(Change),
    /// To be sent once, and never again on another session: receipts and markers.
    Send(Outgoing),
    /// A line for the journal. Never a body.
    Journal(String),
    /// Everything missed has been read back, as far as the server keeps it.
    CaughtUp,
}

/// A piece of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretch {
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
    /// A part of the archive that is not read yet may hold more, within this stretch or after it (before
    /// the place asked for).
    pub gap: bool,
    /// Older ones are kept here.
    pub more: bool,
    /// The archive is known to hold nothing older than what is kept here.
    pub beginning: bool,
}

/// The rules of memory of one account.
#[derive(Debug)]
pub struct Timeline {
    account: BareJid,
    random: Random,
}

impl Timeline {
    /// The memory as it was left.
    pub fn restore(account: BareJid, random: Random, memory: &dyn Memory) -> Result<Self, ReadError> {
        let _ = memory;
        Ok(Self { account, random })
    }

    /// The user writes a message. It is shown at once and sent when it is durable.
    pub fn write(
        &mut self,
        now: Now,
        to: &BareJid,
        body: String,
        draft: &mut Draft<'_>,
    ) -> Result<(MessageId, Vec<Effect>), ReadError> {
        let _ = (now, to, body, draft, &self.account, &mut self.random);
        Ok((MessageId(0), Vec::new()))
    }

    /// The user replaces an own message (XEP-0308).
    pub fn edit(
        &mut self,
        now: Now,
        id: MessageId,
        body: String,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, id, body, draft);
        Ok(Vec::new())
    }

    /// The user withdraws an own message (XEP-0424).
    pub fn retract(
        &mut self,
        now: Now,
        id: MessageId,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, id, draft);
        Ok(Vec::new())
    }

    /// The user wants a failed message tried again.
    pub fn retry(
        &mut self,
        now: Now,
        id: MessageId,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, id, draft);
        Ok(Vec::new())
    }

    /// The user throws away an own message that was not sent.
    pub fn discard(
        &mut self,
        now: Now,
        id: MessageId,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, id, draft);
        Ok(Vec::new())
    }

    /// The user has read a conversation. A marker is sent only where the other side may see us.
    pub fn read(
        &mut self,
        now: Now,
        with: &BareJid,
        may_see_us: bool,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, with, may_see_us, draft);
        Ok(Vec::new())
    }

    /// A contact was removed from the roster, here or by another client.
    pub fn contact_removed(
        &mut self,
        with: &BareJid,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (with, draft);
        Ok(Vec::new())
    }

    /// What was written since the last call goes to disk as this batch.
    pub fn issued(&mut self, batch: BatchId) {
        let _ = batch;
    }

    /// This batch, and all before it, are on disk.
    pub fn durable(&mut self, batch: BatchId) {
        let _ = batch;
    }

    /// What may be handed to the session now, in order. Call it while the session is ready; what it
    /// returns counts as handed over.
    pub fn due(
        &mut self,
        now: Now,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<(MessageId, Outgoing)>, ReadError> {
        let _ = (now, draft);
        Ok(Vec::new())
    }

    /// The server has these (XEP-0198).
    pub fn acknowledged(
        &mut self,
        now: Now,
        ids: &[MessageId],
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, ids, draft);
        Ok(Vec::new())
    }

    /// The session that held these has ended; whether the server has them is not known.
    pub fn doubtful(&mut self, ids: &[MessageId], draft: &mut Draft<'_>) -> Result<Vec<Effect>, ReadError> {
        let _ = (ids, draft);
        Ok(Vec::new())
    }

    /// The restored session still holds these as sent and not acknowledged: it will send them again
    /// itself if it can be resumed. Call it after `restore`, before anything else.
    pub fn held(&mut self, ids: &[MessageId]) {
        let _ = ids;
    }

    /// The server does not take stanzas as large as this one.
    pub fn too_large(&mut self, id: MessageId, draft: &mut Draft<'_>) -> Result<Vec<Effect>, ReadError> {
        let _ = (id, draft);
        Ok(Vec::new())
    }

    /// A message stanza came, live or as a carbon. `may_see_us`: the other side may see our presence, so
    /// a receipt gives nothing away (XEP-0184 section 8).
    pub fn arrival(
        &mut self,
        now: Now,
        arrival: Arrival,
        may_see_us: bool,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, arrival, may_see_us, draft);
        Ok(Vec::new())
    }

    /// A session is there: fresh (what came since the last one is not known) or resumed (nothing was
    /// missed). `archive`: the server keeps one for us. Call it before the session's first message is
    /// handled, after `acknowledged` and `doubtful`; again if the archive's presence is learnt later.
    pub fn session(
        &mut self,
        now: Now,
        fresh: bool,
        archive: bool,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, fresh, archive, draft);
        Ok(vec![Effect::CaughtUp])
    }

    /// The next page to ask for, if any. Ask until it says none; it counts as asked.
    pub fn next_query(&mut self, now: Now) -> Option<ArchiveQuery> {
        let _ = now;
        None
    }

    /// When `next_query` may have something that it has not now.
    pub fn deadline(&self) -> Option<Tick> {
        None
    }

    /// A page came.
    pub fn page(
        &mut self,
        now: Now,
        page: ArchivePage,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, page, draft);
        Ok(Vec::new())
    }

    /// A page did not come.
    pub fn archive_failed(
        &mut self,
        now: Now,
        query: QueryId,
        failure: ArchiveFailure,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, ReadError> {
        let _ = (now, query, failure, draft);
        Ok(Vec::new())
    }

    /// The user scrolled back past what is kept of a conversation.
    pub fn older(&mut self, now: Now, with: &BareJid) {
        let _ = (now, with);
    }

    /// Whether everything missed has been read back, as far as the server keeps it.
    pub fn caught_up(&self) -> bool {
        true
    }

    /// It is quiet: ask the archive whether something is there that was never delivered.
    pub fn quiet_check(&mut self, now: Now) {
        let _ = now;
    }
}

/// A piece of a conversation: at most `limit` messages, the newest ones before a place (or at all).
pub fn history(
    memory: &dyn Memory,
    account: &BareJid,
    conversation: &BareJid,
    before: Option<Place>,
    limit: usize,
) -> Result<Stretch, ReadError> {
    let _ = (memory, account, conversation, before, limit);
    Ok(Stretch::default())
}

//! One input being handled: the present, the writes so far, what to say so far.

use crate::Output;
use dormouse_model::{BatchId, Change, Draft, Memory, Now};

/// What one input leads to.
pub(crate) struct Turn<'m> {
    pub now: Now,
    pub draft: Draft<'m>,
    pub out: Vec<Output>,
}

impl<'m> Turn<'m> {
    pub fn begin(now: Now, memory: &'m dyn Memory) -> Self {
        Self {
            now,
            draft: Draft::over(memory),
            out: Vec::new(),
        }
    }

    pub fn change(&mut self, change: Change) {
        self.out.push(Output::Change(change));
    }

    pub fn changes(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.out.extend(changes.into_iter().map(Output::Change));
    }

    /// Everything said, the writes first: whoever hears of something finds it in the memory.
    pub fn end(self, batch: BatchId) -> Vec<Output> {
        let mut out = self.out;
        if !self.draft.is_empty() {
            out.insert(0, Output::Write(self.draft.into_batch(batch)));
        }
        out
    }
}

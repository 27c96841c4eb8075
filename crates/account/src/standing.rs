//! What stands between the user and a working account, as long as it does: said once, told to every window that
//! opens meanwhile, and taken back when it no longer holds.

use crate::turn::Turn;
use dormouse_model::{Change, Notice};
use std::collections::BTreeMap;

/// The standing notices that hold.
#[derive(Debug, Default)]
pub(crate) struct Standing(BTreeMap<&'static str, Notice>);

impl Standing {
    /// This is how things are from now on.
    pub fn begin(&mut self, turn: &mut Turn, notice: Notice) {
        if self.0.get(notice.name()) != Some(&notice) {
            self.0.insert(notice.name(), notice.clone());
            turn.change(Change::Notice(notice));
        }
    }

    /// It is no longer so.
    pub fn end(&mut self, turn: &mut Turn, name: &'static str) {
        if self.0.remove(name).is_some() {
            turn.change(Change::NoticeGone(name));
        }
    }

    /// What holds now.
    pub fn all(&self) -> impl Iterator<Item = &Notice> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Output;
    use dormouse_model::Now;
    use std::collections::BTreeMap;

    #[test]
    fn how_things_are_is_said_once_and_taken_back_once() {
        let memory: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut turn = Turn::begin(Now::default(), &memory);
        let mut standing = Standing::default();
        standing.end(&mut turn, Notice::NoArchive.name());
        standing.begin(&mut turn, Notice::NoArchive);
        standing.begin(&mut turn, Notice::NoArchive);
        assert_eq!(standing.all().collect::<Vec<_>>(), [&Notice::NoArchive]);
        standing.end(&mut turn, Notice::NoArchive.name());
        standing.end(&mut turn, Notice::NoArchive.name());
        let said = [
            Change::Notice(Notice::NoArchive),
            Change::NoticeGone(Notice::NoArchive.name()),
        ];
        assert_eq!(turn.out, said.map(Output::Change));
    }
}

//! When it is quiet enough to ask the archive for what was never delivered.
//!
//! Live messages and carbons never move the archive's cursor, since either may have left something out.
//! A cheap query after the cursor closes the difference, once a conversation pauses.

use dormouse_model::Tick;
use std::mem;
use std::time::Duration;

/// A pause this long is quiet.
const PAUSE: Duration = Duration::from_secs(15);
/// A conversation without a pause is asked about after this long all the same.
const LONGEST: Duration = Duration::from_secs(120);
/// A resumed session is asked about soon: what carbons left out meanwhile is in the archive.
const AFTER_RESUMPTION: Duration = Duration::from_secs(2);
/// Where nothing passes, something may have been left out wholly, its receipt included: asked now and then.
const SILENCE: Duration = Duration::from_secs(600);

/// The end of what a fresh session has read is read again after this: by then the nodes of a cluster have told each
/// other what they archived.
const SETTLED: Duration = Duration::from_secs(30);

/// What a quiet moment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Ask what stands behind the cursor.
    Check,
    /// Read what was read a moment ago again.
    ReadAgain,
}

/// Waits for quiet moments.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    first: Option<Tick>,
    due: Option<Tick>,
    read_again: bool,
}

impl Quiet {
    /// A message passed, in or out.
    pub fn stirred(&mut self, now: Tick) {
        let first = *self.first.get_or_insert(now);
        self.due = Some((now + PAUSE).min(first + LONGEST));
    }

    /// A fresh session began, which reads everything first.
    pub fn fresh(&mut self, now: Tick) {
        self.rest(now);
        self.due = Some(now + SETTLED);
        self.read_again = true;
    }

    /// Nothing stirs any more.
    fn rest(&mut self, now: Tick) {
        self.first = None;
        self.due = Some(now + SILENCE);
    }

    /// A session was resumed.
    pub fn resumed(&mut self, now: Tick) {
        self.first.get_or_insert(now);
        self.due = Some(now + AFTER_RESUMPTION);
    }

    /// The session is gone: what follows asks anyway.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    pub fn deadline(&self) -> Option<Tick> {
        self.due
    }

    /// Whether now is the moment, and what for; says so once.
    pub fn is_due(&mut self, now: Tick) -> Option<Moment> {
        self.due.filter(|due| *due <= now)?;
        self.rest(now);
        Some(if mem::take(&mut self.read_again) {
            Moment::ReadAgain
        } else {
            Moment::Check
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_asked_once_a_conversation_pauses() {
        let mut quiet = Quiet::default();
        quiet.stirred(Tick(0));
        quiet.stirred(Tick(10_000));
        assert_eq!(quiet.is_due(Tick(24_999)), None);
        assert_eq!(quiet.is_due(Tick(25_000)), Some(Moment::Check));
        assert_eq!(quiet.is_due(Tick(99_000)), None, "once");
    }

    #[test]
    fn a_silent_session_asks_now_and_then_for_what_was_left_out_without_a_trace() {
        let mut quiet = Quiet::default();
        assert_eq!(quiet.deadline(), None, "without a session there is nobody to ask");
        quiet.fresh(Tick(0));
        assert_eq!(quiet.is_due(Tick(30_000)), Some(Moment::ReadAgain));
        assert_eq!(quiet.is_due(Tick(629_999)), None);
        assert_eq!(quiet.is_due(Tick(630_000)), Some(Moment::Check));
        assert_eq!(quiet.deadline(), Some(Tick(1_230_000)), "and again");
        quiet.forget();
        assert_eq!(quiet.deadline(), None);
    }

    #[test]
    fn what_a_fresh_session_has_read_is_read_again_once_it_is_quiet_whatever_stirs_meanwhile() {
        let mut quiet = Quiet::default();
        quiet.fresh(Tick(0));
        quiet.stirred(Tick(20_000));
        assert_eq!(quiet.is_due(Tick(34_999)), None);
        assert_eq!(quiet.is_due(Tick(35_000)), Some(Moment::ReadAgain));
        quiet.stirred(Tick(40_000));
        assert_eq!(quiet.is_due(Tick(55_000)), Some(Moment::Check));
    }

    #[test]
    fn a_conversation_without_a_pause_does_not_put_it_off_for_ever() {
        let mut quiet = Quiet::default();
        for second in 0..121 {
            quiet.stirred(Tick(second * 1_000));
        }
        assert_eq!(quiet.is_due(Tick(120_000)), Some(Moment::Check));
    }

    #[test]
    fn a_resumed_session_is_asked_about_soon_and_a_long_talk_is_counted_from_then() {
        let mut quiet = Quiet::default();
        quiet.resumed(Tick(1_000));
        assert_eq!(quiet.deadline(), Some(Tick(3_000)));
        assert_eq!(quiet.is_due(Tick(2_999)), None);
        assert_eq!(quiet.is_due(Tick(3_000)), Some(Moment::Check));
    }
}

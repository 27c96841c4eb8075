//! "Test my connection": which steps a check has, what each of them found, and what that means.
//!
//! A check walks the way that every connection walks ([`Step`]), on a connection of its own, and says at each step what it
//! found ([`Said`]). A step that fails ends what needs it: the rest is not tried, and what failed says why and what to do.
//! Nothing here dials or waits: whoever does tells a [`Check`] when a step begins and what came of it, and asks it
//! what may still be tried.
//!
//! The [`report`] of a check is made to be given away: it holds no secret and nothing that anybody wrote, and neither account
//! nor server unless the user wants the server in it ([`Show`]).

pub mod report;
mod said;
mod sentence;
mod show;
mod step;

pub use said::{Mark, Said};
pub use show::Show;
pub use step::Step;

use std::time::Duration;

/// What the user wants to know beyond the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plan {
    /// So long nothing is sent, to see whether the connection survives it.
    pub idle: Option<Duration>,
    /// So long the app cuts itself off, to see how it recovers.
    pub sleep: Option<Duration>,
}

/// A check under way, or over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    entries: Vec<Entry>,
}

/// A step of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub step: Step,
    /// How far it is.
    pub progress: Progress,
}

/// How far a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Its turn has not come.
    ToCome,
    /// It is being tried.
    UnderWay,
    /// It was tried.
    Over {
        /// How long it took; none where nothing had to be done.
        took: Option<Duration>,
        /// What it found.
        said: Said,
    },
    /// Something that it needs has failed.
    NotTried,
    /// The user ended the check before.
    Cancelled,
}

impl Check {
    /// A check of which nothing has been done.
    pub fn new(plan: Plan) -> Self {
        let wanted = |step: &Step| match step {
            Step::Idle => plan.idle.is_some(),
            Step::Sleep => plan.sleep.is_some(),
            _ => true,
        };
        let entry = |step| Entry {
            step,
            progress: Progress::ToCome,
        };
        Self {
            entries: Step::ALL.into_iter().filter(wanted).map(entry).collect(),
        }
    }

    /// Its steps, in the order in which they are tried.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether this step belongs to the check and its turn may come.
    pub fn may_try(&self, step: Step) -> bool {
        self.progress(step) == Some(&Progress::ToCome)
    }

    /// This step begins.
    pub fn begin(&mut self, step: Step) {
        self.set(step, Progress::UnderWay);
    }

    /// This is what came of a step. If it failed, what needs it is not tried.
    pub fn end(&mut self, step: Step, took: Option<Duration>, said: Said) {
        let failed = said.mark() == Mark::Failed;
        self.set(step, Progress::Over { took, said });
        if failed {
            for entry in &mut self.entries {
                if entry.step.needs(step) && !entry.is_over() {
                    entry.progress = Progress::NotTried;
                }
            }
        }
    }

    /// The user has had enough.
    pub fn cancel(&mut self) {
        for entry in self.entries.iter_mut().filter(|entry| !entry.is_over()) {
            entry.progress = Progress::Cancelled;
        }
    }

    /// Nothing is left to be tried.
    pub fn is_over(&self) -> bool {
        self.entries.iter().all(Entry::is_over)
    }

    /// The worst that was found.
    pub fn worst(&self) -> Mark {
        self.entries
            .iter()
            .map(Entry::mark)
            .max()
            .unwrap_or(Mark::NotNeeded)
    }

    fn progress(&self, step: Step) -> Option<&Progress> {
        let entry = self.entries.iter().find(|entry| entry.step == step);
        entry.map(|entry| &entry.progress)
    }

    fn set(&mut self, step: Step, progress: Progress) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.step == step) {
            entry.progress = progress;
        }
    }
}

impl Entry {
    /// Nothing more comes of it.
    pub fn is_over(&self) -> bool {
        !matches!(self.progress, Progress::ToCome | Progress::UnderWay)
    }

    /// How it went, as far as it has gone.
    pub fn mark(&self) -> Mark {
        match &self.progress {
            Progress::Over { said, .. } => said.mark(),
            _ => Mark::NotNeeded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_model::Cause;

    #[test]
    fn a_step_that_fails_ends_what_needs_it_and_nothing_else() {
        let mut check = Check::new(Plan {
            idle: Some(Duration::from_secs(1)),
            sleep: None,
        });
        for step in Step::ALL.into_iter().take_while(|step| *step != Step::Resumption) {
            check.begin(step);
            check.end(step, None, Said::Upgraded);
        }
        check.end(Step::Resumption, None, Said::SessionGone);
        assert!(check.may_try(Step::Archive) && check.may_try(Step::Idle));
        assert!(!check.may_try(Step::Sleep), "it is not asked for");
        assert!(!check.is_over());

        let mut check = Check::new(Plan::default());
        check.end(Step::Name, None, Said::Trouble(Cause::Unreachable));
        assert!(check.is_over());
        assert_eq!(check.worst(), Mark::Failed);
        let rest = check.entries().iter().skip(1);
        assert!(rest.into_iter().all(|entry| entry.progress == Progress::NotTried));
    }

    #[test]
    fn what_is_over_when_a_check_is_cancelled_stays_as_it_is() {
        let mut check = Check::new(Plan::default());
        check.end(Step::Name, None, Said::LeftToProxy);
        check.begin(Step::Discovery);
        check.cancel();
        assert!(check.is_over());
        assert_eq!(check.worst(), Mark::NotNeeded);
        let cancelled = |entry: &&Entry| entry.progress == Progress::Cancelled;
        assert_eq!(
            check.entries().iter().filter(cancelled).count(),
            check.entries().len() - 1
        );
    }
}

//! A dial, told as steps of a check.

use super::Course;
use dormouse_diagnosis::check::{Check, Said, Step};
use dormouse_dial::{Report, Secured};
use std::time::Instant;

/// A dial under way.
pub(super) struct Dialling<'c, T> {
    course: &'c mut Course<T>,
    /// The step that is being tried.
    at: Step,
    began: Instant,
}

impl<'c, T: FnMut(&Check) + Send> Dialling<'c, T> {
    pub(super) fn begin(course: &'c mut Course<T>) -> Self {
        course.begin(Step::Tcp);
        Self {
            course,
            at: Step::Tcp,
            began: Instant::now(),
        }
    }

    /// The step that is being tried, or was when it failed.
    pub(super) fn at(&self) -> Step {
        self.at
    }

    /// The dial has gone further.
    pub(super) fn told(&mut self, report: Report) {
        match report {
            Report::Begins(step) => {
                let step = Step::of_dial(step);
                if step == self.at {
                    return;
                }
                // What was skipped on the way there was not needed.
                for (skipped, said) in [(Step::Proxy, Said::NoProxy), (Step::Tls, Said::Plain)] {
                    if skipped < step && self.course.check.may_try(skipped) {
                        self.course.end(skipped, None, said);
                    }
                }
                self.at = step;
                self.began = Instant::now();
                self.course.begin(step);
            }
            Report::Reached(peer) => self.over(Said::Reached(peer)),
            Report::Through(proxy) => self.over(Said::Through(proxy)),
            Report::Secured(Secured { version, issuer }) => self.over(Said::Secured {
                version: version.name(),
                issuer,
            }),
        }
    }

    /// It has come through.
    pub(super) fn opened(mut self) {
        self.over(Said::Upgraded);
    }

    /// It came to nothing.
    pub(super) fn failed(mut self, said: Said) {
        self.over(said);
    }

    fn over(&mut self, said: Said) {
        self.course.end(self.at, Some(self.began.elapsed()), said);
    }
}

//! The one ordered channel to the window there is at the moment.
//!
//! A window that is opened or reloaded gets a new channel, under a new number. Whatever was on its way to
//! an earlier one is dropped: each account tells its snapshot first, and changes only to the window that
//! has had it.

use crate::protocol::Event;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where events go: false once nobody takes them any more.
pub type Sink = Box<dyn Fn(Event) -> bool + Send>;

/// Which of the windows there have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Generation(u64);

/// The channel, or none while there is no window.
#[derive(Default)]
pub struct Outlet {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    generation: Generation,
    sink: Option<Sink>,
    /// What the user asked to see before there was a window that knew the account.
    wanted: Option<Event>,
}

impl Outlet {
    /// A new window: `first` is the first it hears.
    pub fn open(&self, sink: Sink, first: Event) -> Generation {
        let mut inner = self.lock();
        inner.generation = Generation(inner.generation.0 + 1);
        inner.sink = Some(sink);
        inner.tell(first);
        // Nothing has to be known of an account to ask the user what a link is to do.
        if let Some(link) = inner
            .wanted
            .take_if(|wanted| matches!(wanted, Event::Link { .. }))
        {
            inner.tell(link);
        }
        inner.generation
    }

    /// There is no window any more.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.generation = Generation(inner.generation.0 + 1);
        inner.sink = None;
    }

    /// Tells the window, if there is one.
    pub fn tell(&self, event: Event) {
        self.lock().tell(event);
    }

    /// Tells the window if it still is this one.
    pub fn tell_only(&self, generation: Generation, event: Event) {
        let mut inner = self.lock();
        if inner.generation == generation {
            inner.tell(event);
        }
    }

    /// An account's snapshot, and what the user asked of this account before.
    pub fn snapshot(&self, generation: Generation, address: &str, snapshot: Event) {
        let mut inner = self.lock();
        if inner.generation != generation {
            return;
        }
        inner.tell(snapshot);
        let waited = inner
            .wanted
            .take_if(|wanted| matches!(wanted, Event::Show { account, .. } if account == address));
        if let Some(event) = waited {
            inner.tell(event);
        }
    }

    /// Shows a conversation or what a link asks for: now, or as soon as a window can.
    pub fn show(&self, event: Event) {
        let mut inner = self.lock();
        if inner.sink.is_some() {
            inner.tell(event);
        } else {
            inner.wanted = Some(event);
        }
    }

    /// The window there is.
    pub fn generation(&self) -> Generation {
        self.lock().generation
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell(&mut self, event: Event) {
        if let Some(sink) = &self.sink
            && !sink(event)
        {
            self.sink = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn sink(heard: &Arc<Mutex<Vec<String>>>) -> Sink {
        let heard = Arc::clone(heard);
        Box::new(move |event| {
            let name = match event {
                Event::AccountRemoved { account } => account,
                Event::Show { with, .. } => format!("show {with}"),
                other => format!("{other:?}"),
            };
            heard.lock().unwrap().push(name);
            true
        })
    }

    fn event(name: &str) -> Event {
        Event::AccountRemoved { account: name.into() }
    }

    #[test]
    fn what_was_meant_for_an_earlier_window_does_not_reach_a_later_one() {
        let (one, two) = (Arc::default(), Arc::default());
        let outlet = Outlet::default();
        outlet.tell(event("nobody hears"));
        let first = outlet.open(sink(&one), event("opened"));
        outlet.tell_only(first, event("a"));
        let second = outlet.open(sink(&two), event("opened again"));
        outlet.tell_only(first, event("late"));
        outlet.tell_only(second, event("b"));
        outlet.tell(event("c"));
        assert_eq!(*one.lock().unwrap(), ["opened", "a"]);
        assert_eq!(*two.lock().unwrap(), ["opened again", "b", "c"]);
        assert_eq!(outlet.generation(), second);
    }

    #[test]
    fn a_conversation_asked_for_before_there_was_a_window_is_shown_behind_its_snapshot() {
        let heard = Arc::default();
        let outlet = Outlet::default();
        outlet.show(Event::Show {
            account: "romeo".into(),
            with: "juliet".into(),
        });
        let window = outlet.open(sink(&heard), event("opened"));
        outlet.snapshot(window, "other", event("snapshot of other"));
        outlet.snapshot(window, "romeo", event("snapshot"));
        outlet.snapshot(window, "romeo", event("snapshot again"));
        assert_eq!(
            *heard.lock().unwrap(),
            [
                "opened",
                "snapshot of other",
                "snapshot",
                "show juliet",
                "snapshot again"
            ]
        );
    }

    #[test]
    fn a_window_that_is_gone_is_told_nothing_more() {
        let outlet = Outlet::default();
        outlet.open(Box::new(|_| false), event("opened"));
        let heard = Arc::default();
        outlet.show(Event::Show {
            account: "romeo".into(),
            with: "juliet".into(),
        });
        let window = outlet.open(sink(&heard), event("opened"));
        outlet.snapshot(window, "romeo", event("snapshot"));
        assert_eq!(*heard.lock().unwrap(), ["opened", "snapshot", "show juliet"]);
    }
}

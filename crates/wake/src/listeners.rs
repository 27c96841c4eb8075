//! Words of the system that reach this program once, for everybody in it who listens.
//!
//! Windows and macOS speak by calling a function of ours, on a thread of theirs, and do not say when the last such call has returned
//! after one has unregistered. So there is one registration for the life of the process, and listeners come and go here.

use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Everybody who listens to words of this kind.
#[derive(Debug)]
pub(crate) struct Listeners<T>(Mutex<Vec<UnboundedSender<T>>>);

impl<T> Listeners<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// From now on each word is heard there, until that is dropped.
    pub(crate) fn listen(&self) -> UnboundedReceiver<T> {
        let (listener, heard) = unbounded_channel();
        self.with(|listeners| listeners.push(listener));
        heard
    }

    /// Says it to everybody who still listens; each gets a word of its own.
    pub(crate) fn tell(&self, mut word: impl FnMut() -> T) {
        self.with(|listeners| listeners.retain(|listener| listener.send(word()).is_ok()));
    }

    fn with(&self, what: impl FnOnce(&mut Vec<UnboundedSender<T>>)) {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_hears_each_word_once_and_whoever_left_is_forgotten() {
        let listeners = Listeners::new();
        let (mut one, two) = (listeners.listen(), listeners.listen());
        drop(two);
        listeners.tell(|| 7);
        assert_eq!(one.recv().await, Some(7));
        assert!(one.try_recv().is_err());
        assert_eq!(listeners.0.lock().unwrap().len(), 1);
    }
}

//! What will happen, in the order of time, and at the same moment in the order in which it was put in.

use dormouse_model::Tick;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A queue of events in virtual time.
#[derive(Debug)]
pub struct Queue<T> {
    /// When, in which order, and where it lies: events are large, and a heap moves what it holds.
    heap: BinaryHeap<Reverse<(Tick, u64, usize)>>,
    events: Vec<Option<T>>,
    free: Vec<usize>,
    order: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            events: Vec::new(),
            free: Vec::new(),
            order: 0,
        }
    }
}

impl<T> Queue<T> {
    /// Something will happen.
    pub fn put(&mut self, at: Tick, event: T) {
        self.order += 1;
        let place = self.free.pop().unwrap_or(self.events.len());
        match self.events.get_mut(place) {
            Some(empty) => *empty = Some(event),
            None => self.events.push(Some(event)),
        }
        self.heap.push(Reverse((at, self.order, place)));
    }

    /// What happens next, and when.
    pub fn take(&mut self) -> Option<(Tick, T)> {
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        self.events.get_mut(place)?.take().map(|event| (at, event))
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Tick> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// How many were put in so far: a number that no two moments share.
    pub fn order(&self) -> u64 {
        self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_first_comes_first_and_at_the_same_moment_what_was_put_in_first() {
        let mut queue = Queue::default();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (3, 'b')] {
            queue.put(Tick(at), event);
        }
        assert_eq!(queue.take(), Some((Tick(1), 'a')));
        queue.put(Tick(5), 'e');
        let rest: String = std::iter::from_fn(|| queue.take())
            .map(|(_, event)| event)
            .collect();
        assert_eq!(rest, "bcde");
    }
}

//! Group commits: a batch is applied at once and durable later, and a disk may refuse for a while.

use super::{Event, Sabotage, World};
use dormouse_account::Input;
use dormouse_model::{Batch, BatchId, Change};
use std::time::Duration;

impl World {
    pub(super) fn write(&mut self, number: usize, batch: Batch) {
        let (life, id) = (self.clients[number].life, batch.id);
        let forgotten = self.sabotage == Some(Sabotage::ForgottenBatch) && self.random.below(40) == 0;
        let batch = if forgotten {
            Batch {
                id,
                writes: Vec::new(),
            }
        } else {
            batch
        };
        self.clients[number].disk.apply(batch);
        if self.sabotage == Some(Sabotage::DurableTooEarly) {
            self.after(
                Duration::ZERO,
                Event::Told {
                    client: number,
                    life,
                    input: Input::Durable(id),
                },
            );
        }
        self.flush(number);
    }

    /// Starts a group commit, unless one is under way.
    fn flush(&mut self, number: usize) {
        let length = match self.random.below(20) {
            _ if self.sabotage == Some(Sabotage::DurableTooEarly) => Duration::from_secs(20),
            0 => self.some(100, 1500),
            _ => self.some(1, 30),
        };
        let client = &mut self.clients[number];
        let life = client.life;
        if let Some(to) = client.disk.waiting()
            && !std::mem::replace(&mut client.flushing, true)
        {
            self.after(
                length,
                Event::Flushed {
                    client: number,
                    life,
                    to,
                },
            );
        }
    }

    pub(super) fn flushed(&mut self, number: usize, to: BatchId) {
        let client = &mut self.clients[number];
        let life = client.life;
        if client.disk.refuses {
            client.disk.fill(&mut self.random);
            let news = !std::mem::replace(&mut client.disk.refusal_told, true);
            self.after(
                Duration::from_secs(1),
                Event::Flushed {
                    client: number,
                    life,
                    to,
                },
            );
            if news {
                self.feed(number, Input::StoreFailed("disk full".into()));
            }
            return;
        }
        client.flushing = false;
        if std::mem::take(&mut client.disk.refusal_told) {
            // A store that is reopened takes everything at once.
            let all = client.disk.waiting().unwrap_or(to);
            client.disk.flush(all);
            self.feed(number, Input::StoreRecovered);
            self.feed(number, Input::Durable(all));
        } else {
            client.disk.flush(to);
            if self.sabotage != Some(Sabotage::DurableTooEarly) {
                self.feed(number, Input::Durable(to));
            }
            if self.clients[number].disk.waiting().is_none() {
                self.changed(number, Change::Stored);
            }
        }
        self.flush(number);
    }
}

//! What many lives held together.

use crate::{Coverage, Outcome};
use std::time::Duration;

/// The sum of some lives.
#[derive(Debug, Default)]
pub struct Sum {
    /// How many lives.
    pub lives: u64,
    /// Faults by phase.
    pub coverage: Coverage,
    /// Virtual time lived by all clients together.
    pub client_time: Duration,
    /// Clients.
    pub clients: usize,
    /// Messages typed.
    pub messages: usize,
    /// Things that happened.
    pub steps: u64,
}

/// What one life held on average.
#[derive(Debug, Clone, Copy)]
pub struct Average {
    /// Clients.
    pub clients: f64,
    /// Messages typed.
    pub messages: f64,
    /// Faults that struck.
    pub faults: f64,
    /// Hours of virtual time.
    pub hours: f64,
    /// Things that happened.
    pub steps: f64,
}

impl Sum {
    /// Adds a life.
    pub fn add(&mut self, outcome: &Outcome) {
        self.lives += 1;
        self.coverage.add(&outcome.coverage);
        self.client_time += outcome.client_time;
        self.clients += outcome.clients;
        self.messages += outcome.messages;
        self.steps += outcome.steps;
    }

    /// Adds other lives.
    pub fn join(&mut self, other: &Sum) {
        self.lives += other.lives;
        self.coverage.add(&other.coverage);
        self.client_time += other.client_time;
        self.clients += other.clients;
        self.messages += other.messages;
        self.steps += other.steps;
    }

    /// Virtual time lived by all clients together, in hours.
    pub fn client_hours(&self) -> f64 {
        self.client_time.as_secs_f64() / 3600.0
    }

    /// What one life held.
    pub fn average(&self) -> Average {
        let lives = self.lives.max(1) as f64;
        Average {
            clients: self.clients as f64 / lives,
            messages: self.messages as f64 / lives,
            faults: self.coverage.total() as f64 / lives,
            hours: self.client_hours() / self.clients.max(1) as f64,
            steps: self.steps as f64 / lives,
        }
    }
}

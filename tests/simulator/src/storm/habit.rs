//! How a client comes back: as Dormouse does, or as others do.

use dormouse_link::{Input, Link, Output, Settings};
use dormouse_model::{ConnId, Now, Random, Tick};
use std::time::Duration;

/// A way to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// The policy that ships.
    Dormouse,
    /// The same wait each time.
    Fixed(Duration),
    /// Doubling from one second to thirty, without chance.
    Doubling,
}

impl Habit {
    /// In a few words.
    pub fn name(self) -> String {
        match self {
            Habit::Dormouse => "Dormouse".into(),
            Habit::Fixed(wait) => format!("fixed {} s", wait.as_secs()),
            Habit::Doubling => "backoff without chance".into(),
        }
    }

    pub(super) fn machine(self, random: Random) -> Machine {
        match self {
            Habit::Dormouse => Machine::Dormouse(Box::new(Link::new(Settings::default(), random))),
            Habit::Fixed(_) | Habit::Doubling => Machine::Simple(Simple {
                habit: self,
                due: None,
                failures: 0,
                conn: ConnId::default(),
            }),
        }
    }
}

/// One client's way to come back.
pub(super) enum Machine {
    Dormouse(Box<Link>),
    Simple(Simple),
}

impl Machine {
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        match self {
            Machine::Dormouse(link) => link.handle(now, input),
            Machine::Simple(simple) => simple.handle(now.tick, &input),
        }
    }

    pub fn deadline(&self) -> Option<Tick> {
        match self {
            Machine::Dormouse(link) => link.deadline(),
            Machine::Simple(simple) => simple.due,
        }
    }
}

/// A client that waits and dials, and knows nothing else: it never doubts a connection that stands.
pub(super) struct Simple {
    habit: Habit,
    due: Option<Tick>,
    failures: u32,
    conn: ConnId,
}

impl Simple {
    fn handle(&mut self, now: Tick, input: &Input) -> Vec<Output> {
        match input {
            Input::Start => self.dial(),
            Input::Tick if self.due.is_some_and(|due| due <= now) => self.dial(),
            Input::Dialled(conn) if *conn == self.conn => vec![Output::Use(*conn)],
            Input::SignedIn { conn, .. } if *conn == self.conn => {
                self.failures = 0;
                Vec::new()
            }
            Input::DialFailed(conn, _) | Input::Closed(conn, _) if *conn == self.conn => {
                let wait = match self.habit {
                    Habit::Fixed(wait) => wait,
                    _ => Duration::from_secs((1 << self.failures.min(5)).min(30)),
                };
                self.failures += 1;
                self.due = Some(now + wait);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn dial(&mut self) -> Vec<Output> {
        self.due = None;
        self.conn = self.conn.next();
        vec![Output::Dial {
            conn: self.conn,
            spare: false,
        }]
    }
}

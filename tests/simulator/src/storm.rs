//! The storm: thousands of clients lose their server at the same moment, and come back.
//!
//! Each client is the shipping connection policy, `dormouse_link::Link`, with the shipping table of verdicts; what
//! would be its session answers after a round trip. Beside it two habits of the field, to compare: fixed waits, and
//! a backoff without chance. The server is what a front door is: it is there or not, it stalls, and it lets in so
//! many a second.

mod habit;
pub mod picture;

pub use habit::Habit;

use crate::queue::Queue;
use dormouse_link::{Input, Output, Probe};
use dormouse_model::{Closing, ConnId, DialFailure, Now, Random, Stamp, Tick};
use dormouse_xmpp::verdict;
use habit::Machine;
use std::ops::Range;
use std::time::Duration;

/// Calm before anything goes wrong: links have been proven and are at different places of their heartbeat.
const CALM: Duration = Duration::from_secs(120);
/// A user writes about that often.
const WRITES: Duration = Duration::from_secs(60);

/// What happens to the server.
#[derive(Debug, Clone)]
pub struct Weather {
    /// How many clients.
    pub clients: usize,
    /// It is gone for so long; all connections break at its beginning.
    pub gone: Duration,
    /// It says that it restarts (WebSocket 1012), else the connections just break.
    pub orderly: bool,
    /// It answers nothing for so long.
    pub stalls: Duration,
    /// So many are let in each second, the others are answered 429; none: all.
    pub admits: Option<u32>,
    /// How long it is watched afterwards.
    pub watched: Duration,
}

/// One second of a storm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Second {
    /// Dials begun.
    pub attempts: u32,
    /// Spares among them: dialled beside a link in doubt.
    pub spares: u32,
    /// Clients signed in at its end.
    pub signed_in: u32,
}

/// What came of it. Seconds are counted from the moment at which something went wrong.
#[derive(Debug, Clone)]
pub struct Storm {
    /// Second by second.
    pub seconds: Vec<Second>,
    /// When the server was there again.
    pub back: Duration,
    /// How many clients there are.
    pub clients: usize,
}

impl Storm {
    /// Lives through it.
    pub fn of(habit: Habit, weather: &Weather) -> Self {
        let mut sky = Sky::new(habit, weather);
        sky.run();
        Self {
            seconds: sky.seconds,
            back: weather.gone.max(weather.stalls),
            clients: weather.clients,
        }
    }

    /// How long after the server's return this share of the clients was signed in again; none if it never was.
    pub fn time_until(&self, share: f64) -> Option<Duration> {
        let wanted = (self.clients as f64 * share).ceil() as u32;
        let back = self.back.as_secs() as usize;
        let second = self
            .seconds
            .iter()
            .skip(back)
            .position(|second| second.signed_in >= wanted)?;
        Some(Duration::from_secs(second as u64 + 1))
    }

    /// The most attempts in one second, from this second on.
    pub fn peak(&self, from: usize) -> u32 {
        self.seconds
            .iter()
            .skip(from)
            .map(|second| second.attempts)
            .max()
            .unwrap_or(0)
    }

    /// Attempts per second on average, from this second on until all are back.
    pub fn mean(&self, from: usize) -> f64 {
        let all = self.clients as u32;
        let end = self
            .seconds
            .iter()
            .rposition(|second| second.signed_in < all)
            .map_or(0, |last| last + 1);
        let stretch = self.seconds.get(from..end.max(from + 1)).unwrap_or_default();
        let sum: u32 = stretch.iter().map(|second| second.attempts).sum();
        f64::from(sum) / stretch.len().max(1) as f64
    }

    /// Spares dialled.
    pub fn spares(&self) -> u32 {
        self.seconds.iter().map(|second| second.spares).sum()
    }
}

/// What comes to a client.
#[derive(Debug)]
enum Event {
    Say(Input),
    /// A dial reaches the server's door.
    Knock(ConnId),
    /// The user writes.
    Write,
    Tick,
}

struct Client {
    machine: Machine,
    round_trip: Duration,
    /// The connection in use, and whether it is signed in.
    conn: Option<ConnId>,
    signed_in: bool,
    /// The next tick in the queue.
    tick: Option<Tick>,
}

struct Sky {
    clients: Vec<Client>,
    random: Random,
    queue: Queue<(usize, Event)>,
    now: Tick,
    gone: Range<Tick>,
    stalls: Range<Tick>,
    orderly: bool,
    admits: Option<u32>,
    /// Let in during which second, and how many.
    let_in: (u64, u32),
    signed_in: u32,
    seconds: Vec<Second>,
    end: Tick,
}

impl Sky {
    fn new(habit: Habit, weather: &Weather) -> Self {
        let mut random = Random::from_seed([7; 32]);
        let trouble = Tick(0) + CALM;
        let clients: Vec<Client> = (0..weather.clients)
            .map(|_| Client {
                machine: habit.machine(random.fork()),
                round_trip: Duration::from_millis(20 + random.below(180)),
                conn: None,
                signed_in: false,
                tick: None,
            })
            .collect();
        let length = (weather.gone.max(weather.stalls) + weather.watched).as_secs();
        Self {
            clients,
            random,
            queue: Queue::default(),
            now: Tick(0),
            gone: trouble..trouble + weather.gone,
            stalls: trouble..trouble + weather.stalls,
            orderly: weather.orderly,
            admits: weather.admits,
            let_in: (0, 0),
            signed_in: 0,
            seconds: vec![Second::default(); usize::try_from(length).unwrap_or(0)],
            end: trouble + Duration::from_secs(length),
        }
    }

    fn run(&mut self) {
        for client in 0..self.clients.len() {
            // They begin at any time of the first minute, or all hearts would beat at once.
            let at = Tick(self.random.below(60_000));
            self.put(at, client, Event::Say(Input::Start));
            let at = at + self.random.up_to(WRITES);
            self.put(at, client, Event::Write);
        }
        let mut broken = self.gone.is_empty();
        while let Some((at, (client, event))) = self.queue.take() {
            if !broken && at >= self.gone.start {
                broken = true;
                self.close_all();
            }
            self.seconds_until(at);
            if at >= self.end {
                break;
            }
            self.now = at;
            self.happen(client, event);
        }
    }

    /// The number of the second of a moment, from the beginning of the trouble on.
    fn second(&self, at: Tick) -> Option<usize> {
        let trouble = Tick(0) + CALM;
        (at >= trouble).then(|| usize::try_from(at.since(trouble).as_secs()).unwrap_or(usize::MAX))
    }

    /// Notes how many are signed in at the end of each second that has passed.
    fn seconds_until(&mut self, at: Tick) {
        let Some(now) = self.second(at) else { return };
        let from = self.second(self.now).unwrap_or(0);
        for second in from..now.min(self.seconds.len()) {
            self.seconds[second].signed_in = self.signed_in;
        }
    }

    fn put(&mut self, at: Tick, client: usize, event: Event) {
        self.queue.put(at, (client, event));
    }

    /// When the server answers what reaches it now.
    fn answered(&self, length: Duration) -> Tick {
        let at = self.now + length;
        if self.stalls.contains(&at) {
            self.stalls.end + length / 2
        } else {
            at
        }
    }

    fn close_all(&mut self) {
        let closing = if self.orderly {
            Closing::Frame {
                code: 1012,
                reason: String::new(),
            }
        } else {
            Closing::Eof
        };
        self.now = self.gone.start;
        for client in 0..self.clients.len() {
            let Some(conn) = self.clients[client].conn.take() else {
                continue;
            };
            let at = self.now + self.clients[client].round_trip / 2;
            self.put(
                at,
                client,
                Event::Say(Input::Closed(conn, verdict::closing(&closing))),
            );
            self.signs_out(client);
        }
    }

    fn signs_out(&mut self, client: usize) {
        if std::mem::take(&mut self.clients[client].signed_in) {
            self.signed_in -= 1;
        }
    }

    fn happen(&mut self, client: usize, event: Event) {
        match event {
            Event::Say(input) => {
                if matches!(input, Input::SignedIn { conn, .. } if self.clients[client].conn == Some(conn)) {
                    self.clients[client].signed_in = true;
                    self.signed_in += 1;
                }
                self.feed(client, input);
            }
            Event::Knock(conn) => self.knock(client, conn),
            Event::Write => {
                let next = self.now + WRITES / 2 + self.random.up_to(WRITES);
                self.put(next, client, Event::Write);
                if let Some(conn) = self.clients[client]
                    .conn
                    .filter(|_| self.clients[client].signed_in)
                {
                    self.feed(client, Input::AckAwaited { conn, bytes: 200 });
                    self.answer(client, Input::Acked { conn, all: true });
                }
            }
            Event::Tick => {
                self.clients[client].tick = None;
                if self.clients[client]
                    .machine
                    .deadline()
                    .is_some_and(|due| due <= self.now)
                {
                    self.feed(client, Input::Tick);
                } else {
                    self.set_tick(client);
                }
            }
        }
    }

    /// A dial has reached the server: it is let in, turned away, or finds nobody.
    fn knock(&mut self, client: usize, conn: ConnId) {
        let round_trip = self.clients[client].round_trip;
        let failure = if self.gone.contains(&self.now) {
            Some(DialFailure::Refused)
        } else {
            let second = self.now.0 / 1000;
            if self.let_in.0 != second {
                self.let_in = (second, 0);
            }
            self.let_in.1 += 1;
            let full = self.admits.is_some_and(|most| self.let_in.1 > most);
            full.then_some(DialFailure::Http {
                status: 429,
                retry_after: None,
            })
        };
        let account = verdict::Account {
            domain: "home.example",
            has_worked: true,
        };
        let (input, after) = match failure {
            Some(failure @ DialFailure::Refused) => (
                Input::DialFailed(conn, verdict::dial(&failure, account)),
                round_trip / 2,
            ),
            // TCP, TLS and the upgrade come before the answer.
            Some(failure) => (
                Input::DialFailed(conn, verdict::dial(&failure, account)),
                round_trip * 4,
            ),
            None => (Input::Dialled(conn), round_trip * 4),
        };
        let at = self.answered(after);
        self.put(at, client, Event::Say(input));
    }

    fn answer(&mut self, client: usize, input: Input) {
        if self.gone.contains(&self.now) {
            return;
        }
        let at = self.answered(self.clients[client].round_trip);
        self.put(at, client, Event::Say(input));
    }

    fn feed(&mut self, client: usize, input: Input) {
        let now = Now {
            tick: self.now,
            stamp: Stamp(i64::try_from(self.now.0).unwrap_or(0)),
        };
        for output in self.clients[client].machine.handle(now, input) {
            self.perform(client, output);
        }
        self.set_tick(client);
    }

    fn set_tick(&mut self, client: usize) {
        let Some(due) = self.clients[client].machine.deadline() else {
            return;
        };
        let due = due.max(self.now);
        if self.clients[client].tick.is_none_or(|tick| tick > due) {
            self.clients[client].tick = Some(due);
            self.put(due, client, Event::Tick);
        }
    }

    fn perform(&mut self, client: usize, output: Output) {
        let round_trip = self.clients[client].round_trip;
        match output {
            Output::Dial { conn, spare } => {
                if let Some(second) = self.second(self.now)
                    && let Some(second) = self.seconds.get_mut(second)
                {
                    second.attempts += 1;
                    second.spares += u32::from(spare);
                }
                self.put(self.now + round_trip / 2, client, Event::Knock(conn));
            }
            Output::Use(conn) => {
                self.signs_out(client);
                self.clients[client].conn = Some(conn);
                // Sign-in with resumption in four round trips, then one question.
                for (trips, input) in [
                    (4, Input::SignedIn { conn, resumed: true }),
                    (5, Input::CaughtUp(conn)),
                ] {
                    let at = self.answered(round_trip * trips);
                    // Who was turned out meanwhile is told so, and hears nothing else.
                    if !self.gone.contains(&at) {
                        self.put(at, client, Event::Say(input));
                    }
                }
            }
            Output::Hangup(conn) => {
                if self.clients[client].conn == Some(conn) {
                    self.clients[client].conn = None;
                    self.signs_out(client);
                }
            }
            Output::Probe(conn, Probe::Quiet) => self.answer(client, Input::QuietAnswer(conn)),
            Output::Probe(conn, Probe::Numbered(number)) => self.answer(client, Input::Answer(conn, number)),
            Output::State(_) | Output::Journal(_) | Output::RoundTrip(_) => {}
        }
    }
}

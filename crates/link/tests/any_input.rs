//! What holds for any sequence of inputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test may fail loudly.

mod driver;

use dormouse_link::{Input, Output, Probe};
use dormouse_model::{Action, Cause, ConnId, ConnectionState, ProbeId, Tick, Verdict};
use driver::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;

/// What a test may do next. Connections and probes are named by how recently they were made.
#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Freeze(u64),
    Tell(Input),
    Dialled(u64),
    DialFailed(u64, Action),
    Closed(u64, Action),
    Inbound(u64),
    Answer(u64, u64),
    QuietAnswer(u64),
    AckAwaited(u64),
    Acked(u64, bool),
    SignedIn(u64),
    CaughtUp(u64),
    /// The driver's happy path for whatever is open.
    Succeed,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        5 => Just(Action::Retry),
        1 => Just(Action::RetryScattered),
        1 => (0..200u64).prop_map(|s| Action::RetryAfter(Duration::from_secs(s))),
        1 => Just(Action::RetrySlowly),
        2 => Just(Action::RetryPlainly),
        1 => Just(Action::NewResource),
        1 => Just(Action::Stop),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let tell = prop_oneof![
        Just(Input::Start),
        Just(Input::RetryNow),
        Just(Input::Suspending),
        Just(Input::SimulatedSleep),
        any::<bool>().prop_map(|proven| Input::Resumed { slept: None, proven }),
        (prop::bool::weighted(0.7), any::<bool>())
            .prop_map(|(up, route_lost)| Input::Network { up, route_lost }),
        any::<bool>().prop_map(Input::Visible),
        Just(Input::Unlocked),
        prop::option::of((0..60u64).prop_map(secs)).prop_map(Input::Interval),
        Just(Input::Tick),
    ];
    prop_oneof![
        4 => (0..3_000u64).prop_map(Step::Pass),
        2 => (0..60_000u64).prop_map(Step::Pass),
        1 => (0..100_000u64).prop_map(Step::Freeze),
        5 => tell.prop_map(Step::Tell),
        1 => Just(Step::Tell(Input::SignOut)),
        2 => (0..3u64).prop_map(Step::Dialled),
        2 => (0..3u64, action()).prop_map(|(c, a)| Step::DialFailed(c, a)),
        1 => (0..3u64, action()).prop_map(|(c, a)| Step::Closed(c, a)),
        2 => (0..3u64).prop_map(Step::Inbound),
        3 => (0..3u64, 0..3u64).prop_map(|(c, p)| Step::Answer(c, p)),
        2 => (0..3u64).prop_map(Step::QuietAnswer),
        2 => (0..3u64).prop_map(Step::AckAwaited),
        1 => (0..3u64, any::<bool>()).prop_map(|(c, all)| Step::Acked(c, all)),
        2 => (0..3u64).prop_map(Step::SignedIn),
        2 => (0..3u64).prop_map(Step::CaughtUp),
        5 => Just(Step::Succeed),
    ]
}

/// Follows what the link says and checks it after each input.
#[derive(Default)]
struct Checker {
    seen: usize,
    conn: u64,
    probe: u64,
    spares: BTreeSet<ConnId>,
    dialling: Option<ConnId>,
    used: Option<ConnId>,
    /// When something that can be evidence last came in.
    evidence: Tick,
    last_state: Option<ConnectionState>,
}

impl Checker {
    fn check(&mut self, d: &Driver) {
        for (at, output) in &d.said[self.seen..] {
            match output {
                Output::Dial { conn, spare } => {
                    assert!(conn.0 > self.conn, "connection ids grow");
                    self.conn = conn.0;
                    if *spare {
                        self.spares.insert(*conn);
                        assert_eq!(self.spares.len(), 1, "never two spares at once");
                    } else {
                        self.dialling = Some(*conn);
                    }
                }
                Output::Use(conn) => {
                    self.spares.remove(conn);
                    self.used = Some(*conn);
                }
                Output::Hangup(conn) => {
                    self.spares.remove(conn);
                    if self.used == Some(*conn) {
                        self.used = None;
                    }
                }
                Output::Probe(conn, probe) => {
                    assert_eq!(Some(*conn), self.used, "only the connection in use is probed");
                    if let Probe::Numbered(probe) = probe {
                        assert!(probe.0 > self.probe, "probe ids grow");
                        self.probe = probe.0;
                    }
                }
                Output::State(connection) => {
                    assert_ne!(
                        Some(connection.state),
                        self.last_state,
                        "every state said is a change"
                    );
                    self.last_state = Some(connection.state);
                }
                Output::Journal(text) => assert!(!text.is_empty()),
                Output::RoundTrip(took) => assert!(*took <= secs(3600), "{took:?} is no round trip"),
            }
            let minute = d
                .dials()
                .iter()
                .filter(|t| **t <= *at && at.since(**t) < secs(60))
                .count();
            assert!(minute <= 20 + 60 / 3, "{minute} dials within a minute");
        }
        self.seen = d.said.len();

        match d.state() {
            ConnectionState::Stopped | ConnectionState::Offline => {}
            state => {
                let due = d
                    .link
                    .deadline()
                    .unwrap_or_else(|| panic!("{state:?} waits for ever"));
                // Nothing but a server's or the backoff's wait is longer than two minutes.
                let most = match state {
                    ConnectionState::Waiting { .. } => secs(300),
                    _ => secs(120),
                };
                assert!(due <= d.now + most, "{state:?} waits {:?}", due.since(d.now));
                assert!(due > d.now, "{state:?}: what is due has been done");
            }
        }
        if d.state() == ConnectionState::Live {
            let age = d.now.since(self.evidence);
            assert!(age <= secs(35), "live on evidence {age:?} old");
        }
    }

    /// A spare promoted to the connection, failed or closed is no spare any more.
    fn gone(&mut self, conn: ConnId) {
        self.spares.remove(&conn);
    }

    fn tell(&mut self, d: &mut Driver, input: Input) {
        let evidence = match &input {
            Input::Answer(conn, _) | Input::QuietAnswer(conn) | Input::Acked { conn, .. } => Some(*conn),
            Input::SignedIn { conn, .. } => Some(*conn),
            _ => None,
        };
        if evidence.is_some() && evidence == self.used {
            self.evidence = d.now;
        }
        d.tell(input);
        if !matches!(d.state(), ConnectionState::Suspect) {
            self.spares.clear();
        }
        self.check(d);
    }

    fn pass(&mut self, d: &mut Driver, length: Duration) {
        let end = d.now + length;
        while let Some(due) = d.link.deadline().filter(|due| *due <= end) {
            d.now = d.now.max(due);
            self.tell(d, Input::Tick);
        }
        d.now = end;
    }

    fn run(&mut self, d: &mut Driver, step: Step) {
        let conn = |n: u64| ConnId(d.last_dial().map_or(0, |conn| conn.0).saturating_sub(n));
        let input = match step {
            Step::Pass(length) => return self.pass(d, ms(length)),
            Step::Freeze(length) => return d.freeze(ms(length)),
            Step::Tell(input) => input,
            Step::Dialled(c) => Input::Dialled(conn(c)),
            Step::DialFailed(c, action) => {
                self.gone(conn(c));
                Input::DialFailed(conn(c), Verdict::new(action, Cause::Unreachable))
            }
            Step::Closed(c, action) => {
                self.gone(conn(c));
                Input::Closed(conn(c), Verdict::new(action, Cause::Lost))
            }
            Step::Inbound(c) => Input::Inbound(conn(c)),
            Step::Answer(c, p) => Input::Answer(conn(c), ProbeId(self.probe.saturating_sub(p))),
            Step::QuietAnswer(c) => Input::QuietAnswer(conn(c)),
            Step::AckAwaited(c) => Input::AckAwaited {
                conn: conn(c),
                bytes: c as usize % 5 * 20_000,
            },
            Step::Acked(c, all) => Input::Acked { conn: conn(c), all },
            Step::SignedIn(c) => Input::SignedIn {
                conn: conn(c),
                resumed: false,
            },
            Step::CaughtUp(c) => Input::CaughtUp(conn(c)),
            Step::Succeed => {
                let (probe, Some(last)) = (ProbeId(self.probe), d.last_dial()) else {
                    return;
                };
                match d.state() {
                    ConnectionState::Connecting { .. } => Input::Dialled(last),
                    ConnectionState::SigningIn => Input::SignedIn {
                        conn: last,
                        resumed: true,
                    },
                    ConnectionState::CatchingUp => Input::CaughtUp(self.used.unwrap_or(last)),
                    _ => Input::Answer(self.used.unwrap_or(last), probe),
                }
            }
        };
        self.tell(d, input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_link_keeps_its_promises(seed: u8, steps in prop::collection::vec(step(), 1..120)) {
        let mut d = Driver::new(seed);
        let mut checker = Checker::default();
        checker.tell(&mut d, Input::Start);
        for step in steps {
            checker.run(&mut d, step);
        }
    }

    #[test]
    fn whatever_happened_a_good_network_brings_the_link_back(seed: u8, steps in prop::collection::vec(step(), 1..80)) {
        let mut d = Driver::new(seed);
        let mut checker = Checker::default();
        checker.tell(&mut d, Input::Start);
        for step in steps {
            checker.run(&mut d, step);
        }
        checker.tell(&mut d, Input::Network { up: true, route_lost: false });
        if d.state() == ConnectionState::Stopped {
            checker.tell(&mut d, Input::Start);
        }
        // From here on every dial and sign-in succeeds; no old socket answers.
        let end = d.now + secs(600);
        while d.now < end && d.state() != ConnectionState::Live {
            let said = d.said.len();
            checker.pass(&mut d, ms(500));
            let dialled = d.said[said..].iter().rev().find_map(|(_, o)| match o {
                Output::Dial { conn, .. } => Some(*conn),
                _ => None,
            });
            if let Some(conn) = dialled.or_else(|| match d.state() {
                ConnectionState::Connecting { .. } => d.last_dial(),
                _ => None,
            }) {
                checker.tell(&mut d, Input::Dialled(conn));
            }
            if let Some(conn) = checker.used {
                checker.tell(&mut d, Input::SignedIn { conn, resumed: false });
                checker.tell(&mut d, Input::CaughtUp(conn));
            }
        }
        prop_assert_eq!(d.state(), ConnectionState::Live);
    }
}

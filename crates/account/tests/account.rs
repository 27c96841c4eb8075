//! The account as a whole, over a memory without a disk. What needs a server is told in the simulator's
//! lives; here stands what concerns the core and its driver.
#![allow(clippy::unwrap_used)]

use dormouse_account::{Account, Command, Credentials, Input, Output, Settings};
use dormouse_model::{
    BareJid, Batch, BatchId, Change, Channel, ConnId, ConnectionState, DialFailure, Endpoint, Network,
    Notice, Now, Random, Stamp, Tick,
};
use std::collections::BTreeMap;

type Disk = BTreeMap<Vec<u8>, Vec<u8>>;

struct Bench {
    account: Account,
    disk: Disk,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        Self::over(Disk::new())
    }

    fn over(disk: Disk) -> Self {
        let settings = Settings {
            address: BareJid::new("me@home.example").unwrap(),
            credentials: Some(Credentials::password("secret")),
            token: None,
            first_batch: BatchId(1),
            durable: BatchId(0),
        };
        let account = Account::restore(settings, Random::from_seed([3; 32]), &disk).unwrap();
        Self {
            account,
            disk,
            now: 1_000,
        }
    }

    fn take(&mut self, input: Input) -> Vec<Output> {
        let now = Now {
            tick: Tick(self.now),
            stamp: Stamp(1_700_000_000_000 + self.now as i64),
        };
        let outputs = self.account.handle(now, input, &self.disk).unwrap();
        for output in &outputs {
            if let Output::Write(batch) = output {
                batch.apply_to(&mut self.disk);
            }
        }
        outputs
    }

    fn type_text(&mut self, body: &str) -> Vec<Output> {
        let to = BareJid::new("bob@b.example").unwrap();
        self.take(Input::Command(Command::Send {
            to,
            body: body.into(),
            tag: Some(7),
        }))
    }
}

fn last_batch(outputs: &[Output]) -> BatchId {
    outputs
        .iter()
        .find_map(|output| match output {
            Output::Write(Batch { id, .. }) => Some(*id),
            _ => None,
        })
        .unwrap()
}

fn dialled(outputs: &[Output]) -> Option<ConnId> {
    outputs.iter().find_map(|output| match output {
        Output::Dial { conn, .. } => Some(*conn),
        _ => None,
    })
}

#[test]
fn a_started_account_dials_and_says_so() {
    let mut bench = Bench::new();
    let outputs = bench.take(Input::Start);
    assert!(dialled(&outputs).is_some());
    assert!(outputs.iter().any(|output| matches!(
        output,
        Output::Change(Change::Connection(c)) if matches!(c.state, ConnectionState::Connecting { attempt: 1 })
    )));
}

#[test]
fn whatever_is_said_is_written_first() {
    let mut bench = Bench::new();
    let outputs = bench.type_text("hello");
    assert!(matches!(outputs.first(), Some(Output::Write(_))));
    let written = outputs
        .iter()
        .position(|o| matches!(o, Output::Written { tag: 7, .. }))
        .unwrap();
    let shown = outputs
        .iter()
        .position(|o| matches!(o, Output::Change(Change::Message(_))))
        .unwrap();
    assert!(written < shown, "the id is known before the message is shown");
}

#[test]
fn the_machine_may_sleep_once_everything_written_before_is_on_disk() {
    let mut bench = Bench::new();
    bench.take(Input::Start);
    let typed = bench.type_text("hello");
    let outputs = bench.take(Input::Suspending);
    assert!(!outputs.contains(&Output::MaySleep));
    let outputs = bench.take(Input::Durable(last_batch(&typed)));
    assert!(
        !outputs.contains(&Output::MaySleep),
        "the journal of the suspend is not on disk yet"
    );
    let after = BatchId(bench.account.next_batch().0 - 1);
    let outputs = bench.take(Input::Durable(after));
    assert!(outputs.contains(&Output::MaySleep));
}

#[test]
fn a_disk_that_refuses_does_not_keep_the_machine_awake() {
    let mut bench = Bench::new();
    bench.take(Input::StoreFailed("full".into()));
    bench.type_text("hello");
    assert!(bench.take(Input::Suspending).contains(&Output::MaySleep));
}

#[test]
fn a_simulated_sleep_is_prepared_as_a_real_one_is() {
    let mut bench = Bench::new();
    bench.take(Input::Start);
    bench.type_text("hello");
    assert!(!bench.take(Input::SimulatedSleep).contains(&Output::MaySleep));
    let after = BatchId(bench.account.next_batch().0 - 1);
    let outputs = bench.take(Input::Durable(after));
    assert!(outputs.contains(&Output::MaySleep));
}

#[test]
fn waking_calls_off_the_wait_for_sleep() {
    let mut bench = Bench::new();
    bench.type_text("hello");
    bench.take(Input::Suspending);
    bench.take(Input::Resumed {
        slept: None,
        proven: true,
    });
    let all = BatchId(bench.account.next_batch().0 - 1);
    assert!(!bench.take(Input::Durable(all)).contains(&Output::MaySleep));
}

#[test]
fn a_disk_that_refuses_is_said_once_and_so_is_its_recovery() {
    let mut bench = Bench::new();
    let said = |outputs: &[Output]| {
        outputs
            .iter()
            .filter(|o| matches!(o, Output::Change(Change::Notice(_))))
            .count()
    };
    assert_eq!(said(&bench.take(Input::StoreFailed("full".into()))), 1);
    assert_eq!(said(&bench.take(Input::StoreFailed("full".into()))), 0);
    assert_eq!(said(&bench.take(Input::StoreRecovered)), 1);
    assert_eq!(said(&bench.take(Input::StoreRecovered)), 0);
}

#[test]
fn an_empty_message_is_refused_with_words_and_nothing_is_written() {
    let mut bench = Bench::new();
    bench.take(Input::Start);
    let outputs = bench.type_text(" \u{0} \n");
    assert!(matches!(
        &outputs[..],
        [Output::Change(Change::Notice(Notice::CannotDo(_)))]
    ));
}

#[test]
fn what_was_typed_is_still_there_after_a_restart() {
    let mut bench = Bench::new();
    bench.type_text("hello");
    let mut again = Bench::over(bench.disk);
    assert_eq!(again.account.status().outbox, 1);
    assert!(dialled(&again.take(Input::Start)).is_some());
}

#[test]
fn people_can_not_be_added_without_a_session_and_the_user_is_told() {
    let mut bench = Bench::new();
    let address = BareJid::new("bob@b.example").unwrap();
    let outputs = bench.take(Input::Command(Command::Add { address, name: None }));
    assert!(
        outputs
            .iter()
            .any(|o| matches!(o, Output::Change(Change::Notice(Notice::CannotDo(_)))))
    );
}

#[test]
fn a_frame_of_a_connection_that_is_not_in_use_is_not_read() {
    let mut bench = Bench::new();
    let conn = dialled(&bench.take(Input::Start)).unwrap();
    let stray = Input::Frame {
        conn: ConnId(conn.0 + 40),
        text: "<message xmlns='jabber:client'/>".into(),
    };
    assert!(bench.take(stray).is_empty());
}

#[test]
fn a_failed_dial_waits_and_the_deadline_says_until_when() {
    let mut bench = Bench::new();
    let conn = dialled(&bench.take(Input::Start)).unwrap();
    bench.take(Input::DialFailed {
        conn,
        failure: DialFailure::Unreachable,
    });
    assert!(matches!(
        bench.account.status().connection.state,
        ConnectionState::Waiting { .. }
    ));
    let deadline = bench.account.deadline().unwrap();
    bench.now = deadline.0;
    assert!(dialled(&bench.take(Input::Tick)).is_some());
}

#[test]
fn an_open_connection_begins_the_session_on_it() {
    let mut bench = Bench::new();
    let conn = dialled(&bench.take(Input::Start)).unwrap();
    let channel = Channel {
        encrypted: true,
        ..Channel::default()
    };
    let endpoint = Endpoint("wss://home.example/ws".into());
    let outputs = bench.take(Input::Dialled {
        conn,
        channel,
        endpoint,
        network: Network::default(),
    });
    assert!(
        outputs
            .iter()
            .any(|o| matches!(o, Output::Frame { conn: on, text } if *on == conn && text.contains("<open")))
    );
}

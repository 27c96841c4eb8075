//! What all cases share: a client and the peer, well acquainted; and that all is well again in the end.

use anyhow::{Context, ensure};
use dormouse_scenarios::Result;
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::Event;
use dormouse_scenarios::peer::{ACCOUNT, CONTACT, Conduct, PASSWORD, Peer};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A few round trips on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);
/// The longest deadline of a step (10 s), and a few round trips.
pub const LATE: Duration = Duration::from_secs(45);
/// Cases that run at a time: they mostly wait.
const TOGETHER: usize = 6;

/// How a peer is told to behave.
pub type Behaviour = fn(&mut Conduct);

/// A client of the peer's.
pub struct Case {
    pub peer: Peer,
    pub client: Client,
}

impl Case {
    /// A client that has not signed in yet, of a peer that may be hostile from the start.
    pub fn fresh(prepare: impl FnOnce(&Peer)) -> Result<Self> {
        let peer = Peer::start()?;
        prepare(&peer);
        let endpoint = peer.endpoint();
        Self::at(peer, endpoint)
    }

    /// A client of the peer's that dials this endpoint.
    pub fn at(peer: Peer, endpoint: String) -> Result<Self> {
        let client = Client::builder(ACCOUNT, PASSWORD)
            .endpoint(endpoint)
            .no_wake()
            .start()?;
        Ok(Self { peer, client })
    }

    /// A client that is live, after a message in each direction.
    pub fn live() -> Result<Self> {
        let mut case = Self::fresh(|_| {})?;
        case.client.wait_until_live(LATE)?;
        case.exchange("at first")?;
        Ok(case)
    }

    /// A message in each direction arrives, once.
    pub fn exchange(&mut self, name: &str) -> Result<()> {
        let (said, typed) = (format!("said {name}"), format!("typed {name}"));
        self.peer.says(&said);
        self.client.wait_until_received(&[said], SOON)?;
        self.client.send(CONTACT, &typed)?;
        self.client
            .wait_until_sent(std::slice::from_ref(&typed), &["sent"], SOON)?;
        let copies = self.peer.seen(|state| state.copies(&typed));
        ensure!(copies == 1, "“{typed}” was sent {copies} times");
        Ok(())
    }

    /// The harm has ended: all is well again, and the program ends in good order.
    pub fn recovers(mut self) -> Result<()> {
        self.peer.mend();
        if matches!(self.client.state().as_str(), "waiting" | "stopped") {
            self.client.send_command(&json!({"command": "retry-now"}))?;
        }
        self.client.wait_until_live(LATE).context("after the harm")?;
        self.exchange("after the harm").context("after the harm")?;
        self.check()?;
        self.client.quit()
    }

    /// The window shows what was said and typed, and nothing else; what was typed was sent once.
    pub fn check(&mut self) -> Result<()> {
        let shown = self.client.messages(CONTACT)?;
        let mut bodies: Vec<&str> = shown.iter().map(|message| message.body.as_str()).collect();
        bodies.sort_unstable();
        let all = bodies.len();
        bodies.dedup();
        ensure!(all == bodies.len(), "something is shown twice: {bodies:?}");
        let alien = bodies
            .iter()
            .find(|body| !body.starts_with("said ") && !body.starts_with("typed "));
        ensure!(alien.is_none(), "{alien:?} is shown\n{}", self.client.dump());
        for message in shown.iter().filter(|message| message.own) {
            let copies = self.peer.seen(|state| state.copies(&message.body));
            ensure!(copies == 1, "“{}” was sent {copies} times", message.body);
        }
        Ok(())
    }

    /// The first event that shows this state for this reason.
    pub fn shows(&self, state: &str, reason: &str) -> Result<Event> {
        let what = format!("`{state}` because “{reason}”");
        self.client.wait_for(&what, LATE, |event| {
            event.state() == Some(state) && event.text("reason").contains(reason)
        })
    }

    /// Everything that the peer sent in this session has been acknowledged.
    pub fn acknowledges_all(&self) -> Result<()> {
        self.peer.wait("everything acknowledged", SOON, |state| {
            (state.told == state.sent() && state.sent() > 0).then_some(())
        })
    }
}

/// Runs every case of a table, some at a time, and names all that failed.
pub fn each<T: Sync>(table: &[T], name: impl Fn(&T) -> String + Sync, run: impl Fn(&T) -> Result<()> + Sync) {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some(case) = table.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = run(case) {
                        let failure = format!("=== {} ===\n{error:#}", name(case));
                        failures
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        table.len(),
        failures.join("\n")
    );
}

//! A running account, as the shell holds it: a handle on the [task](task) that stands between its engine
//! and the window.

mod password;
mod task;

use crate::alerts::Alerts;
use crate::outlet::{Generation, Outlet};
use crate::protocol::{Account, Event, Refusal};
use crate::wishes::Wish;
use crate::words::Words;
use dormouse_engine::{Engine, Secret, Settings};
use dormouse_metrics::Metrics;
pub use password::Password;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use task::Task;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

/// What every account needs of the shell.
#[derive(Clone)]
pub struct Context {
    /// What is said to people.
    pub words: Arc<Words>,
    /// The window.
    pub outlet: Arc<Outlet>,
    /// Notifications.
    pub alerts: Arc<Alerts>,
    /// Where it is counted.
    pub metrics: Metrics,
}

/// How an account ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The stream stays open: the next start resumes the session.
    Leave,
    /// The stream is closed: the server ends the session.
    Quit,
}

enum Ask {
    Open(Generation),
    Wish(Wish),
    Visible(bool),
    Unlock(Secret, oneshot::Sender<Result<(), Refusal>>),
    End(End, oneshot::Sender<()>),
}

/// What the task tells the handle.
struct Shared {
    account: Arc<Mutex<Account>>,
    keeping: Arc<AtomicBool>,
    engine: watch::Sender<Option<Arc<Engine>>>,
}

/// A running account, as the shell holds it.
pub struct Running {
    asks: UnboundedSender<Ask>,
    account: Arc<Mutex<Account>>,
    keeping: Arc<AtomicBool>,
    engine: watch::Receiver<Option<Arc<Engine>>>,
    outlet: Arc<Outlet>,
}

impl Running {
    /// Starts an account; `engine` if it is running already. Its snapshot goes to the window there is.
    pub fn start(
        settings: Settings,
        engine: Option<Engine>,
        password: Password,
        visible: bool,
        context: Context,
    ) -> Self {
        let account = Arc::new(Mutex::new(Account {
            address: settings.address.to_string(),
            endpoint: settings.endpoint.clone(),
            proxy: settings.proxy.clone(),
            wants_password: None,
            not_kept: None,
            muted: Vec::new(),
        }));
        let outlet = Arc::clone(&context.outlet);
        let keeps = matches!(password, Password::Typed(_));
        let keeping = Arc::new(AtomicBool::new(keeps));
        let (slot, shared) = watch::channel(None);
        let (asks, inbox) = unbounded_channel();
        let task = Task::new(
            settings,
            password,
            visible,
            context,
            Shared {
                account: Arc::clone(&account),
                keeping: Arc::clone(&keeping),
                engine: slot,
            },
        );
        tokio::spawn(task.run(engine, inbox));
        Self {
            asks,
            account,
            keeping,
            engine: shared,
            outlet,
        }
    }

    /// Which conversations the user has muted.
    pub fn muted(&self, muted: Vec<String>) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        if account.muted != muted {
            account.muted = muted;
            let account = account.clone();
            self.outlet.tell(Event::Account { account });
        }
    }

    /// The account, as the window knows it.
    pub fn account(&self) -> Account {
        self.account
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the keyring has not yet said if it keeps the password typed at the sign-in.
    pub fn is_keeping(&self) -> bool {
        self.keeping.load(Ordering::Relaxed)
    }

    /// The engine, while there is one: for reading from the cache.
    pub fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.borrow().clone()
    }

    /// A new window wants its snapshot.
    pub fn open(&self, window: Generation) {
        self.ask(Ask::Open(window));
    }

    /// What the user wants.
    pub fn wish(&self, wish: Wish) {
        self.ask(Ask::Wish(wish));
    }

    /// The window was shown or hidden.
    pub fn visible(&self, visible: bool) {
        self.ask(Ask::Visible(visible));
    }

    /// A password that the user typed. Resolves when the server has taken or refused it, or can't be asked now.
    pub fn unlock(&self, password: Secret) -> oneshot::Receiver<Result<(), Refusal>> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Unlock(password, reply));
        answer
    }

    /// Ends the account; resolves when its engine has ended.
    pub fn end(&self, how: End) -> oneshot::Receiver<()> {
        let (reply, done) = oneshot::channel();
        self.ask(Ask::End(how, reply));
        done
    }

    fn ask(&self, ask: Ask) {
        // A task that has ended has nothing to do any more; whoever waits for its reply is told by its
        // being dropped.
        let _ = self.asks.send(ask);
    }
}

#[cfg(test)]
mod tests;

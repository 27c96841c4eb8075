//! Notifications, put together: the policy ([`crate::notifications`]) decides, the desktop
//! ([`crate::notify`]) does.

use crate::notifications::{Facts, Key, Notifications, Order};
use crate::notify::{Desktop, Outcome, Shown};
use crate::view::excerpt;
use crate::words::Words;
use dormouse_engine::model::{BareJid, ConnectionState};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The longest text of a notification, in characters.
const EXCERPT: usize = 150;

/// The policy and the desktop.
pub struct Alerts {
    policy: Mutex<Notifications>,
    desktop: OnceLock<Desktop>,
    words: Arc<Words>,
}

impl Alerts {
    /// Alerts that nobody sees yet.
    pub fn new(words: Arc<Words>) -> Self {
        Self {
            policy: Mutex::default(),
            desktop: OnceLock::new(),
            words,
        }
    }

    /// From now on they are shown; `clicked` is told, on another thread, which one the user clicked.
    pub fn start(self: &Arc<Self>, clicked: impl Fn(Key) + Send + Sync + 'static) {
        let alerts = Arc::clone(self);
        let desktop = Desktop::start(move |outcome| match outcome {
            Outcome::Clicked(key) => clicked(key),
            Outcome::Gone(key) => alerts.with(|policy| {
                policy.dismissed(&key);
                Vec::new()
            }),
        });
        match desktop {
            Ok(desktop) => {
                let _ = self.desktop.set(desktop);
            }
            Err(error) => tracing::warn!(%error, "no notifications: the system refused a thread"),
        }
    }

    /// The user attends to the window, or no longer.
    pub fn attended(&self, attended: bool) {
        self.with(|policy| policy.attended(attended));
    }

    /// The window shows this conversation, or none.
    pub fn look(&self, key: Option<Key>) {
        self.with(|policy| policy.look(key));
    }

    /// What is unread at an account's start.
    pub fn started(&self, account: &BareJid, conversations: Vec<(BareJid, Facts)>) {
        self.with(|policy| {
            policy.started(account, conversations);
            Vec::new()
        });
    }

    /// An account's connection has another state.
    pub fn connection(&self, account: &BareJid, state: ConnectionState) {
        self.with(|policy| policy.connection(account, state));
    }

    /// A conversation looks different now.
    pub fn conversation(&self, key: Key, facts: Facts) {
        self.with(|policy| policy.conversation(key, facts));
    }

    /// An account is gone.
    pub fn ended(&self, account: &BareJid) {
        self.with(|policy| policy.ended(account));
    }

    fn with(&self, ask: impl FnOnce(&mut Notifications) -> Vec<Order>) {
        let mut policy = self.policy.lock().unwrap_or_else(PoisonError::into_inner);
        // Handed over under the lock, so that they reach the desktop in the order decided.
        for order in ask(&mut policy) {
            let Some(desktop) = self.desktop.get() else {
                continue;
            };
            match order {
                Order::Withdraw(key) => desktop.withdraw(key),
                Order::Show {
                    key,
                    name,
                    text,
                    count,
                } => desktop.show(Shown {
                    key,
                    title: self.words.notification_title(&name, count),
                    body: excerpt(&text, EXCERPT),
                    open: self.words.plain("notification-open"),
                }),
            }
        }
    }
}

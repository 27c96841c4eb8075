//! Notifications, put together: the policy ([`crate::notifications`]) decides, the desktop
//! ([`crate::notify`]) does.

use crate::notifications::{Facts, Key, Notifications, Order, Subject};
use crate::notify::{Actions, Desktop, Outcome, Response, Shown};
use crate::quiet::{Quiet, minute_now};
use crate::tray::Standing;
use crate::view::excerpt;
use crate::words::Words;
use dormouse_engine::model::{BareJid, ConnectionState};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::watch;

/// The longest text of a notification, in characters.
const EXCERPT: usize = 150;

/// The policy and the desktop.
pub struct Alerts {
    policy: Mutex<Notifications>,
    desktop: OnceLock<Desktop>,
    words: Arc<Words>,
    standing: watch::Sender<Standing>,
    sound: AtomicBool,
    quiet: Mutex<Option<Quiet>>,
}

impl Alerts {
    /// Alerts that nobody sees yet.
    pub fn new(words: Arc<Words>) -> Self {
        Self {
            policy: Mutex::default(),
            desktop: OnceLock::new(),
            words,
            standing: watch::Sender::default(),
            sound: AtomicBool::new(true),
            quiet: Mutex::default(),
        }
    }

    /// How all accounts stand, as it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// From now on they are shown; `answered` is told, on another thread, what the user does with them.
    pub fn start(self: &Arc<Self>, answered: impl Fn(Subject, Response) + Send + Sync + 'static) {
        let alerts = Arc::clone(self);
        let desktop = Desktop::start(move |outcome| match outcome {
            Outcome::Answered(subject, response) => answered(subject, response),
            Outcome::Gone(subject) => alerts.with(|policy| {
                policy.dismissed(&subject);
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

    /// What the user prefers: whether there is a sound, when nothing is told, and of which conversations.
    pub fn prefer(&self, sound: bool, quiet: Option<Quiet>, muted: BTreeSet<Key>) {
        self.sound.store(sound, Ordering::Relaxed);
        *self.quiet.lock().unwrap_or_else(PoisonError::into_inner) = quiet;
        self.with(|policy| policy.mute(muted));
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
        let quiet = *self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        policy.quiet(quiet.is_some_and(|quiet| quiet.holds(minute_now())));
        let orders = ask(&mut policy);
        let standing = policy.standing();
        self.standing.send_if_modified(|known| {
            let changed = *known != standing;
            *known = standing;
            changed
        });
        for order in orders {
            let Some(desktop) = self.desktop.get() else {
                continue;
            };
            let sound = self.sound.load(Ordering::Relaxed);
            let open = || self.words.plain("notification-open");
            match order {
                Order::Withdraw(subject) => desktop.withdraw(subject),
                Order::Show {
                    key,
                    name,
                    text,
                    count,
                } => desktop.show(Shown {
                    subject: Subject::Conversation(key),
                    title: self.words.notification_title(&name, count),
                    body: excerpt(&text, EXCERPT),
                    open: open(),
                    actions: Some(Actions {
                        read: self.words.plain("notification-read"),
                        reply: self.words.plain("notification-reply"),
                    }),
                    sound,
                }),
                Order::Summary {
                    account,
                    names,
                    count,
                } => desktop.show(Shown {
                    subject: Subject::Summary(account),
                    title: self.words.summary_title(count, names.len()),
                    body: excerpt(&names.join(", "), EXCERPT),
                    open: open(),
                    actions: None,
                    sound,
                }),
            }
        }
    }
}

//! A running account: one task that stands between its engine and the window.
//!
//! It takes what is asked and what changes in one loop, so that their order is settled in one place: a snapshot is told to a
//! window before any change; a text that is sent gets its number, and thereby its tag, before its first change is passed on. An
//! engine that can't be started, or has ended by itself, is told as a connection that stopped, with the reason; "retry now" starts it
//! again.
//!
//! Passwords: an account of the list starts without one, so that its cache is on screen before the keyring has answered; the
//! keyring's password follows when it comes. One that the user types is kept in the keyring as soon as the server has taken it.

use crate::alerts::Alerts;
use crate::notifications::{Facts, Key};
use crate::outlet::{Generation, Outlet};
use crate::protocol::{self, Account, Event, Field, Refusal};
use crate::sign_in::{refusal, start};
use crate::tags::Tags;
use crate::view::{View, wants_password};
use crate::wishes::Wish;
use crate::words::Words;
use dormouse_engine::model::{Cause, Change, Connection, ConnectionState, Side};
use dormouse_engine::{
    Command, Engine, Happening, Keyring, KeyringError, Secret, Settings, Subscription, now,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

/// The most changes that go to the window in one event.
const TOGETHER: usize = 500;
/// How long the keyring may think before the user is offered to type the password.
const KEYRING_PATIENCE: Duration = Duration::from_secs(3);
/// How long a text may take to get its number: longer only where the disk can't be read.
const NUMBERING: Duration = Duration::from_secs(5);

/// What every account needs of the shell.
#[derive(Clone)]
pub struct Context {
    /// What is said to people.
    pub words: Arc<Words>,
    /// The window.
    pub outlet: Arc<Outlet>,
    /// Notifications.
    pub alerts: Arc<Alerts>,
}

/// How an account gets its password and keeps it.
#[derive(Debug, Clone)]
pub enum Password {
    /// The keyring is asked.
    FromKeyring,
    /// The user has just typed it, and the server has taken it: to be kept.
    Typed(Secret),
    /// Given for this run and never kept.
    Given(Secret),
    /// The keyring is empty, and not asked. Tests.
    #[cfg(test)]
    None,
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

/// A running account, as the shell holds it.
pub struct Running {
    asks: UnboundedSender<Ask>,
    account: Arc<Mutex<Account>>,
    keeping: Arc<AtomicBool>,
    engine: watch::Receiver<Option<Arc<Engine>>>,
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
            wants_password: None,
            not_kept: None,
        }));
        let keeps = matches!(password, Password::Typed(_));
        let keeping = Arc::new(AtomicBool::new(keeps));
        let (slot, shared) = watch::channel(None);
        let (asks, inbox) = unbounded_channel();
        let task = Task {
            view: View::new(Arc::clone(&context.words)),
            window: context.outlet.generation(),
            account: Arc::clone(&account),
            settings,
            context,
            tags: Tags::default(),
            slot,
            subscription: None,
            stopped: None,
            visible,
            known: false,
            keeps: !matches!(password, Password::Given(_)),
            given: None,
            keyring: None,
            lacking: None,
            slow: None,
            keeping: None,
            still_keeping: Arc::clone(&keeping),
            unproven: None,
        };
        tokio::spawn(task.run(engine, password, inbox));
        Self {
            asks,
            account,
            keeping,
            engine: shared,
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
        // A task that has ended has nothing to do any more; whoever waits for its reply is told by its being dropped.
        let _ = self.asks.send(ask);
    }
}

/// A password that the server has not taken yet.
struct Unproven {
    password: Secret,
    reply: Option<oneshot::Sender<Result<(), Refusal>>>,
    /// The engine has begun to try it: a stop from now on is its refusal.
    tried: bool,
}

struct Task {
    settings: Settings,
    context: Context,
    view: View,
    tags: Tags,
    account: Arc<Mutex<Account>>,
    slot: watch::Sender<Option<Arc<Engine>>>,
    subscription: Option<Subscription>,
    /// Why there is no engine.
    stopped: Option<protocol::Connection>,
    /// The window that has had a snapshot.
    window: Generation,
    visible: bool,
    /// What was unread at the start has been told to the notifications.
    known: bool,
    /// Passwords of this account are kept in the keyring.
    keeps: bool,
    /// The password in use, for an engine that has to be started again.
    given: Option<Secret>,
    /// The keyring, while it thinks.
    keyring: Option<JoinHandle<Result<Option<Secret>, KeyringError>>>,
    /// Why there is no password, until there is one.
    lacking: Option<String>,
    slow: Option<tokio::time::Instant>,
    keeping: Option<JoinHandle<Result<(), KeyringError>>>,
    still_keeping: Arc<AtomicBool>,
    unproven: Option<Unproven>,
}

impl Task {
    async fn run(mut self, engine: Option<Engine>, password: Password, mut inbox: UnboundedReceiver<Ask>) {
        let address = self.settings.address.clone();
        match password {
            Password::FromKeyring => {
                self.keyring = Some(tokio::task::spawn_blocking(move || Keyring.password(&address)));
                self.slow = Some(tokio::time::Instant::now() + KEYRING_PATIENCE);
            }
            Password::Typed(secret) => {
                self.given = Some(secret.clone());
                self.keep(secret);
            }
            Password::Given(secret) => self.given = Some(secret),
            #[cfg(test)]
            Password::None => self.keyring_answered(Ok(Ok(None))),
        }
        match engine {
            Some(engine) => self.up(engine).await,
            None => self.start().await,
        }
        let (how, done) = loop {
            let slow = self.slow;
            tokio::select! {
                biased;
                ask = inbox.recv() => match ask {
                    Some(Ask::End(how, done)) => break (how, Some(done)),
                    Some(ask) => self.asked(ask).await,
                    // The shell is gone without a word, as in a crash: the stream stays open.
                    None => break (End::Leave, None),
                },
                answer = joined(&mut self.keyring) => {
                    self.keyring = None;
                    self.keyring_answered(answer);
                }
                kept = joined(&mut self.keeping) => {
                    self.keeping = None;
                    self.kept(kept);
                }
                () = tokio::time::sleep_until(slow.unwrap_or_else(tokio::time::Instant::now)), if slow.is_some() => {
                    self.slow = None;
                    self.lacks(self.context.words.plain("keyring-slow"));
                }
                change = next(&mut self.subscription) => match change {
                    Some(change) => self.changed(change),
                    None => self.down("refusal-ended"),
                },
            }
        };
        self.subscription = None;
        if let Some(engine) = self.slot.send_replace(None) {
            end(engine, how).await;
        }
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    /// Starts the engine; if it can't be, that is what the window is told.
    async fn start(&mut self) {
        let settings = Settings {
            password: self.given.clone(),
            ..self.settings.clone()
        };
        match start(settings).await {
            Ok(engine) => self.up(engine).await,
            Err(error) => {
                warn!(account = %self.settings.address, %error, "the account can't be started");
                self.stop(self.context.words.start_error(&error));
            }
        }
    }

    async fn up(&mut self, engine: Engine) {
        engine.happened(Happening::Visible(self.visible));
        self.stopped = None;
        if let Some(why) = self.lacking.take() {
            self.lacks(why);
        }
        self.slot.send_replace(Some(Arc::new(engine)));
        self.snapshot().await;
    }

    fn down(&mut self, why: &str) {
        warn!(account = %self.settings.address, "the engine has ended by itself");
        self.subscription = None;
        self.slot.send_replace(None);
        self.stop(self.context.words.plain(why));
    }

    fn stop(&mut self, cause: String) {
        self.stopped = Some(protocol::Connection {
            state: protocol::ConnectionState::Stopped,
            since: now().stamp.0,
            cause: cause.clone(),
            retry_at: None,
            password_refused: false,
        });
        if let Some(reply) = self.unproven.take().and_then(|unproven| unproven.reply) {
            let _ = reply.send(Err(refusal(None, cause)));
        }
        self.describe(|account| account.wants_password = None);
        self.tell_stopped();
    }

    fn tell_stopped(&self) {
        let changes = self.stopped.clone().map(protocol::Change::Connection);
        let snapshot = Event::Snapshot {
            account: self.settings.address.to_string(),
            changes: changes.into_iter().collect(),
        };
        let address = self.settings.address.as_str();
        self.context.outlet.snapshot(self.window, address, snapshot);
    }

    /// Tells the window everything, from nothing; what changes from now on follows.
    async fn snapshot(&mut self) {
        let account = self
            .account
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        self.context
            .outlet
            .tell_only(self.window, Event::Account { account });
        let engine = self.slot.borrow().clone();
        let subscription = match engine {
            Some(engine) => engine.subscribe().await,
            None => return self.tell_stopped(),
        };
        let Some(mut subscription) = subscription else {
            return self.down("refusal-ended");
        };
        let snapshot = std::mem::take(&mut subscription.snapshot);
        self.subscription = Some(subscription);
        let shown = self.view.snapshot(snapshot.clone(), &self.tags, now());
        let event = Event::Snapshot {
            account: self.settings.address.to_string(),
            changes: shown,
        };
        let address = self.settings.address.as_str();
        self.context.outlet.snapshot(self.window, address, event);
        if !std::mem::replace(&mut self.known, true) {
            let unread = snapshot.iter().filter_map(|change| self.facts(change));
            let unread = unread.map(|(key, facts)| (key.with, facts)).collect();
            self.context.alerts.started(&self.settings.address, unread);
        }
        for change in &snapshot {
            self.heed(change);
        }
    }

    async fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::Open(window) => {
                self.window = window;
                self.snapshot().await;
            }
            Ask::Wish(wish) => self.wish(wish).await,
            Ask::Visible(visible) => {
                self.visible = visible;
                self.with_engine(|engine| engine.happened(Happening::Visible(visible)));
            }
            Ask::Unlock(password, reply) => {
                if let Some(stopped) = &self.stopped {
                    let _ = reply.send(Err(refusal(None, stopped.cause.clone())));
                    return;
                }
                // What the keyring may still answer comes too late.
                self.keyring = None;
                self.slow = None;
                self.lacking = None;
                self.given = Some(password.clone());
                self.unproven = Some(Unproven {
                    password: password.clone(),
                    reply: Some(reply),
                    tried: false,
                });
                self.with_engine(|engine| engine.sign_in(password));
            }
            // Taken by the loop.
            Ask::End(..) => {}
        }
    }

    async fn wish(&mut self, wish: Wish) {
        let engine = self.slot.borrow().clone();
        match (wish, engine) {
            (Wish::Command(Command::RetryNow), None) => self.start().await,
            // There is nobody who could do it; why is on screen.
            (_, None) => {}
            (Wish::Command(command), Some(engine)) => engine.command(command),
            (Wish::Send { to, body, tag }, Some(engine)) => {
                // Nothing that changes is passed on before this is known: the tag is on the message's first change.
                match tokio::time::timeout(NUMBERING, engine.send(to, body)).await {
                    Ok(Some(id)) => self.tags.insert(id, tag),
                    Ok(None) => {}
                    Err(_) => warn!("a text that was sent has no number yet"),
                }
            }
        }
    }

    fn with_engine(&self, ask: impl FnOnce(&Engine)) {
        if let Some(engine) = &*self.slot.borrow() {
            ask(engine);
        }
    }

    /// Passes on a change, together with those that wait behind it.
    fn changed(&mut self, first: Change) {
        let mut shown = Vec::new();
        let mut change = Some(first);
        let mut taken = 0;
        while let Some(this) = change {
            taken += 1;
            let facts = self.facts(&this);
            self.heed(&this);
            self.view.change(this, &self.tags, now(), &mut shown);
            if let Some((key, facts)) = facts {
                self.context.alerts.conversation(key, facts);
            }
            let waiting = self.subscription.as_mut().filter(|_| taken < TOGETHER);
            change = waiting.and_then(|subscription| subscription.changes.try_recv().ok());
        }
        let event = Event::Changes {
            account: self.settings.address.to_string(),
            changes: shown,
        };
        self.context.outlet.tell_only(self.window, event);
    }

    /// What notifications need to know of a change.
    fn facts(&self, change: &Change) -> Option<(Key, Facts)> {
        let Change::Conversation(conversation) = change else {
            return None;
        };
        let last = conversation.last.as_ref();
        let key = Key {
            account: self.settings.address.clone(),
            with: conversation.with.clone(),
        };
        let facts = Facts {
            unread: conversation.unread,
            theirs: last.is_some_and(|message| message.side == Side::Theirs),
            name: self.view.person(&conversation.with).name,
            text: last
                .map(|message| match &message.content {
                    dormouse_engine::model::Content::Text(text) => text.chars().take(1000).collect(),
                    other => self.context.words.stand_in(other).unwrap_or_default(),
                })
                .unwrap_or_default(),
        };
        Some((key, facts))
    }

    /// What a change means for notifications and for the password.
    fn heed(&mut self, change: &Change) {
        if let Change::Connection(connection) = change {
            self.context
                .alerts
                .connection(&self.settings.address, connection.state);
            self.password_heeds(connection);
        }
    }

    fn password_heeds(&mut self, connection: &Connection) {
        let refused = wants_password(connection);
        if !refused {
            self.describe_if(
                |account| account.wants_password.is_some(),
                |account| account.wants_password = None,
            );
        } else if connection.cause == Cause::WrongPassword {
            let why = self.context.words.cause(&connection.cause);
            self.describe(|account| account.wants_password = Some(why));
        }
        let Some(mut unproven) = self.unproven.take() else {
            return;
        };
        let answer = match connection.state {
            ConnectionState::CatchingUp | ConnectionState::Live => Ok(()),
            ConnectionState::Stopped if !unproven.tried => {
                self.unproven = Some(unproven);
                return;
            }
            ConnectionState::Stopped => Err(refusal(
                refused.then_some(Field::Password),
                self.context.words.cause(&connection.cause),
            )),
            ConnectionState::Waiting { .. } | ConnectionState::Offline => {
                // The server can't be asked now. It is tried when it can, and kept when it has been taken.
                if let Some(reply) = unproven.reply.take() {
                    let _ = reply.send(Ok(()));
                }
                unproven.tried = true;
                self.unproven = Some(unproven);
                return;
            }
            _ => {
                unproven.tried = true;
                self.unproven = Some(unproven);
                return;
            }
        };
        if answer.is_ok() {
            self.keep(unproven.password);
        }
        if let Some(reply) = unproven.reply {
            let _ = reply.send(answer);
        }
    }

    fn keyring_answered(&mut self, answer: Result<Result<Option<Secret>, KeyringError>, ()>) {
        self.slow = None;
        let words = Arc::clone(&self.context.words);
        let failed = || Err(KeyringError::Failed("it broke off".into()));
        match answer.unwrap_or_else(|()| failed()) {
            Ok(Some(password)) => {
                self.lacking = None;
                self.given = Some(password.clone());
                self.with_engine(|engine| engine.sign_in(password));
            }
            Ok(None) => self.lacks(words.plain("keyring-empty")),
            Err(error) => {
                info!(account = %self.settings.address, %error, "no password from the keyring");
                self.lacks(words.wants_password(&error));
            }
        }
    }

    /// There is no password: why, for the user who is to type it. An account that can't be started has no use for one.
    fn lacks(&mut self, why: String) {
        if self.stopped.is_none() {
            self.describe(|account| account.wants_password = Some(why.clone()));
        }
        self.lacking = Some(why);
    }

    fn keep(&mut self, password: Secret) {
        if !self.keeps {
            return;
        }
        let address = self.settings.address.clone();
        self.keeping = Some(tokio::task::spawn_blocking(move || {
            Keyring.keep(&address, &password)
        }));
    }

    fn kept(&mut self, kept: Result<Result<(), KeyringError>, ()>) {
        let failed = || Err(KeyringError::Failed("it broke off".into()));
        let not_kept = match kept.unwrap_or_else(|()| failed()) {
            Ok(()) => None,
            Err(error) => {
                info!(account = %self.settings.address, %error, "the password is not kept");
                Some(self.context.words.not_kept(&error))
            }
        };
        self.describe(|account| account.not_kept = not_kept);
        self.still_keeping.store(false, Ordering::Relaxed);
    }

    /// Changes how the account looks, and tells the window if it does.
    fn describe(&self, change: impl FnOnce(&mut Account)) {
        self.describe_if(|_| true, change);
    }

    fn describe_if(&self, wanted: impl FnOnce(&Account) -> bool, change: impl FnOnce(&mut Account)) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted(&account) {
            return;
        }
        let before = account.clone();
        change(&mut account);
        if *account != before {
            let account = account.clone();
            self.context.outlet.tell(Event::Account { account });
        }
    }
}

/// What a task that may be there came to; never if there is none.
async fn joined<T>(handle: &mut Option<JoinHandle<T>>) -> Result<T, ()> {
    match handle {
        Some(handle) => handle.await.map_err(|_| ()),
        None => std::future::pending().await,
    }
}

/// The next change; never while nothing is subscribed.
async fn next(subscription: &mut Option<Subscription>) -> Option<Change> {
    match subscription {
        Some(subscription) => subscription.changes.recv().await,
        None => std::future::pending().await,
    }
}

/// Ends an engine. Whoever still reads from its cache has a moment to finish.
async fn end(mut engine: Arc<Engine>, how: End) {
    for _ in 0..50 {
        match Arc::try_unwrap(engine) {
            Ok(engine) => {
                return match how {
                    End::Leave => engine.leave().await,
                    End::Quit => engine.quit().await,
                };
            }
            Err(shared) => engine = shared,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    warn!("an engine is still being read from: it ends when that does");
    if how == End::Quit {
        engine.command(Command::Quit);
    }
}

#[cfg(test)]
#[path = "running_tests.rs"]
mod tests;

//! The task of a running account.
//!
//! It takes what is asked and what changes in one loop, so that their order is settled in one place: a
//! snapshot is told to a window before any change; a text that is sent gets its number, and thereby its
//! tag, before its first change is passed on. An engine that can't be started, or has ended by itself, is
//! told as a connection that stopped, with the reason; "retry now" starts it again.

use super::password::{Password, Passwords};
use super::{Ask, Context, End, Shared};
use crate::notifications::{Facts, Key};
use crate::outlet::Generation;
use crate::protocol::{self, Account, Event};
use crate::sign_in::start;
use crate::tags::Tags;
use crate::view::View;
use crate::wishes::Wish;
use dormouse_engine::model::{Change, Notice, Side};
use dormouse_engine::{Batches, Command, Engine, Happening, Settings, now};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tracing::warn;

/// How long a text may take to get its number: longer only where the disk can't be read.
const NUMBERING: Duration = Duration::from_secs(5);

/// The task's own things.
pub(super) struct Task {
    pub(super) settings: Settings,
    pub(super) context: Context,
    pub(super) passwords: Passwords,
    /// Why there is no engine.
    pub(super) stopped: Option<protocol::Connection>,
    view: View,
    tags: Tags,
    account: Arc<Mutex<Account>>,
    slot: watch::Sender<Option<Arc<Engine>>>,
    changes: Option<Batches>,
    /// The window that has had a snapshot.
    window: Generation,
    visible: bool,
    /// What was unread at the start has been told to the notifications.
    known: bool,
}

impl Task {
    /// A task that does nothing yet.
    pub(super) fn new(
        settings: Settings,
        password: Password,
        visible: bool,
        context: Context,
        shared: Shared,
    ) -> Self {
        Self {
            passwords: Passwords::new(&settings, password, shared.keeping),
            view: View::new(Arc::clone(&context.words)),
            window: context.outlet.generation(),
            settings,
            context,
            stopped: None,
            tags: Tags::default(),
            account: shared.account,
            slot: shared.engine,
            changes: None,
            visible,
            known: false,
        }
    }

    /// Runs until the account is ended.
    pub(super) async fn run(mut self, engine: Option<Engine>, mut inbox: UnboundedReceiver<Ask>) {
        match engine {
            Some(engine) => self.up(engine).await,
            None => self.start().await,
        }
        let (how, done) = loop {
            tokio::select! {
                biased;
                ask = inbox.recv() => match ask {
                    Some(Ask::End(how, done)) => break (how, Some(done)),
                    Some(ask) => self.asked(ask).await,
                    // The shell is gone without a word, as in a crash: the stream stays open.
                    None => break (End::Leave, None),
                },
                heard = self.passwords.heard() => self.keyring(heard),
                changes = next(&mut self.changes) => match changes {
                    Some(changes) => self.changed(changes).await,
                    None => self.down("refusal-ended"),
                },
            }
        };
        self.changes = None;
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
            password: self.passwords.given.clone(),
            keyring: self.passwords.in_keyring(),
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
        engine.observe(self.context.metrics.account());
        engine.happened(Happening::Visible(self.visible));
        self.stopped = None;
        self.ask_for_what_is_lacking();
        self.slot.send_replace(Some(Arc::new(engine)));
        self.snapshot().await;
    }

    fn down(&mut self, why: &str) {
        warn!(account = %self.settings.address, "the engine has ended by itself");
        self.changes = None;
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
        self.passwords.give_up(&cause);
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
        let Some(subscription) = subscription else {
            return self.down("refusal-ended");
        };
        let (snapshot, changes) = subscription.batches();
        self.changes = Some(changes);
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
            Ask::Unlock(password, reply) => self.unlock(password, reply),
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
                // Nothing that changes is passed on before this is known: the tag is on the message's first
                // change.
                match tokio::time::timeout(NUMBERING, engine.send(to, body)).await {
                    Ok(Some(id)) => self.tags.insert(id, tag),
                    Ok(None) => {}
                    Err(_) => warn!("a text that was sent has no number yet"),
                }
            }
        }
    }

    pub(super) fn with_engine(&self, ask: impl FnOnce(&Engine)) {
        if let Some(engine) = &*self.slot.borrow() {
            ask(engine);
        }
    }

    /// Passes on changes that have gathered.
    async fn changed(&mut self, changes: Vec<Change>) {
        let mut shown = Vec::new();
        let mut anew = false;
        for change in changes {
            let facts = self.facts(&change);
            self.heed(&change);
            anew |= matches!(change, Change::Notice(Notice::CacheSetAside { .. }));
            self.view.change(change, &self.tags, now(), &mut shown);
            if let Some((key, facts)) = facts {
                self.context.alerts.conversation(key, facts);
            }
        }
        if anew {
            // What the window shows came from a cache that is no more: it begins anew, and is told why.
            shown.retain(|change| matches!(change, protocol::Change::Notice { .. }));
            self.snapshot().await;
        }
        // Not all of them are for the window.
        if !shown.is_empty() {
            let event = Event::Changes {
                account: self.settings.address.to_string(),
                changes: shown,
            };
            self.context.outlet.tell_only(self.window, event);
        }
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

    /// Changes how the account looks, and tells the window if it does.
    pub(super) fn describe(&self, change: impl FnOnce(&mut Account)) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let before = account.clone();
        change(&mut account);
        if *account != before {
            let account = account.clone();
            self.context.outlet.tell(Event::Account { account });
        }
    }
}

/// The next changes; never while nothing is subscribed.
async fn next(changes: &mut Option<Batches>) -> Option<Vec<Change>> {
    match changes {
        Some(changes) => changes.next().await,
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

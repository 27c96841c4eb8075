//! The engine of one account, as the app, the terminal client and the tests hold it.

use crate::check::Subject;
use crate::driver::Driver;
use crate::path::Status;
use crate::report::{Program, report};
use crate::request::{Happening, Request, Subscription};
use crate::secret::Secret;
use crate::settings::{Settings, StartError};
use crate::wire::Wire;
use dormouse_account::{Command, Part, Stretch, history};
use dormouse_dial::ProxySetting;
use dormouse_model::{
    BareJid, Endpoint, JournalEntry, Key, Memory, Message, MessageId, Observer, ReadError, Transition,
};
use dormouse_store::Store;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tracing::Instrument;

/// A running account. Runs on threads of its own: no call here waits for the network.
pub struct Engine {
    address: BareJid,
    requests: UnboundedSender<Request>,
    store: Arc<Store>,
    wire: Wire,
    thread: Option<thread::JoinHandle<()>>,
}

impl Engine {
    /// Opens the store and goes online.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        Self::begin(settings, None)
    }

    /// The same, counted from the first connection on.
    pub fn start_observed(settings: Settings, observer: Observer) -> Result<Self, StartError> {
        Self::begin(settings, Some(observer))
    }

    fn begin(settings: Settings, observer: Option<Observer>) -> Result<Self, StartError> {
        let endpoint: Option<Endpoint> = settings
            .endpoint
            .as_deref()
            .map(dormouse_dial::endpoint::parse)
            .transpose()?;
        let proxy: ProxySetting = settings
            .proxy
            .as_deref()
            .map_or(Ok(ProxySetting::System), str::parse)?;
        let address = settings.address.clone();
        let opened = Store::open(&settings.folder.store())?;
        let store = Arc::new(opened.store);
        let (requests, inbox) = unbounded_channel();
        let wire = Wire::default();
        let mut driver = Driver::new(
            settings,
            (endpoint, proxy),
            Arc::clone(&store),
            opened.set_aside,
            inbox,
            wire.clone(),
        )?;
        if let Some(observer) = observer {
            driver.observe(observer);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StartError::System(error.to_string()))?;
        // What is logged outside any input still says whose it is, and that it is of no connection.
        let span = tracing::info_span!("account", account = %address, conn = 0);
        let thread = thread::Builder::new()
            .name("dormouse-engine".into())
            .spawn(move || {
                runtime.block_on(driver.run().instrument(span));
                // Sockets and look-ups that hang must not keep the program from ending.
                runtime.shutdown_timeout(Duration::from_millis(200));
            })
            .map_err(|error| StartError::System(error.to_string()))?;
        Ok(Self {
            address,
            requests,
            store,
            wire,
            thread: Some(thread),
        })
    }

    /// Does what the user wishes.
    pub fn command(&self, command: Command) {
        self.ask(Request::Command(command));
    }

    /// Sends a text and tells the id it was given, which is on its way to the disk then.
    pub async fn send(&self, to: BareJid, body: String) -> Option<MessageId> {
        let (reply, id) = oneshot::channel();
        self.ask(Request::Send { to, body, reply });
        id.await.ok()
    }

    /// Signs in with this password: the first one, or another than the server refused. Whether it is taken is
    /// told as the connection's state.
    pub fn sign_in(&self, password: Secret) {
        self.ask(Request::SignIn(password));
    }

    /// Who we are to the proxy that the settings name (`user:password`), from the next attempt on.
    pub fn sign_in_at_proxy(&self, login: Secret) {
        self.ask(Request::ProxyLogin(login));
    }

    /// Tells what happened to the machine or the window.
    pub fn happened(&self, happening: Happening) {
        self.ask(Request::Happened(happening));
    }

    /// Flushes and acknowledges everything as before a sleep; returns when that is done.
    pub async fn suspend(&self) {
        let (reply, done) = oneshot::channel();
        self.ask(Request::Suspend { reply });
        let _ = done.await;
    }

    /// What a [check](crate::check) of this account needs. None if the engine has ended.
    pub async fn subject(&self) -> Option<Subject> {
        let (reply, subject) = oneshot::channel();
        self.ask(Request::Subject { reply });
        subject.await.ok()
    }

    /// Cuts the account off for so long, as if the machine slept: nothing is read, written or due, until it is told that
    /// the machine woke. For how long it was; none if it can't be done, or something went wrong meanwhile.
    /// Dropping the future wakes it at once, and so do a wish of the user's and a real sleep.
    pub async fn simulate_sleep(&self, length: Duration) -> Option<Duration> {
        let (reply, slept) = oneshot::channel();
        self.ask(Request::SimulateSleep { length, reply });
        slept.await.ok()
    }

    /// Everything a window shows, from now on. None if the engine has ended.
    pub async fn subscribe(&self) -> Option<Subscription> {
        let (reply, subscription) = oneshot::channel();
        self.ask(Request::Subscribe { reply });
        subscription.await.ok()
    }

    /// Tells what happens to somebody who counts, from now on.
    pub fn observe(&self, observer: Observer) {
        self.ask(Request::Observe(observer));
    }

    /// What is known of connection, session, outbox and archive. None if the engine has ended.
    pub async fn status(&self) -> Option<Status> {
        let (reply, status) = oneshot::channel();
        self.ask(Request::Status { reply });
        status.await.ok()
    }

    /// A part of a conversation from the cache: at most `limit` messages.
    pub fn history(&self, with: &BareJid, part: Part, limit: usize) -> Result<Stretch, ReadError> {
        history(&*self.store, &self.address, with, part, limit)
    }

    /// A message from the cache.
    pub fn message(&self, id: MessageId) -> Result<Option<Message>, ReadError> {
        let memory: &dyn Memory = &*self.store;
        memory.read(&Key::Message(id))
    }

    /// The last lines of the connection's journal, oldest first.
    pub fn journal(&self, limit: usize) -> Result<Vec<JournalEntry>, ReadError> {
        dormouse_account::journal::last(&*self.store, limit)
    }

    /// The connection's last transitions, oldest first.
    pub fn transitions(&self, limit: usize) -> Result<Vec<Transition>, ReadError> {
        dormouse_account::chronicle::last(&*self.store, limit)
    }

    /// A report for whoever mends the program: versions, settings, connection, history and journal, without names, messages or
    /// secrets. None if the engine has ended.
    pub async fn bug_report(&self, program: &Program) -> Result<Option<String>, ReadError> {
        let Some(status) = self.status().await else {
            return Ok(None);
        };
        let (transitions, journal) = (self.transitions(usize::MAX)?, self.journal(usize::MAX)?);
        let address = &self.address;
        Ok(Some(report(address, program, &status, &transitions, &journal)))
    }

    /// The frame log: off until it is [set](Wire::set).
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Flushes, closes the stream, ends. The server ends the session.
    pub async fn quit(mut self) {
        self.ask(Request::Command(Command::Quit));
        self.ended().await;
    }

    /// Flushes, acknowledges and ends, and leaves the stream open: the next start resumes the session.
    pub async fn leave(mut self) {
        self.ask(Request::Leave);
        self.ended().await;
    }

    async fn ended(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    fn ask(&self, request: Request) {
        // An engine that has ended has nothing to do any more.
        let _ = self.requests.send(request);
    }
}

//! The shell: the accounts that run, the list of those that are signed in, and the window there is.

mod explanation;
mod update;

use crate::accounts::{Entry, Preferences, Registry};
use crate::alerts::Alerts;
use crate::autostart;
use crate::connection_check::Checks;
use crate::given_out::GivenOut;
use crate::home::Home;
use crate::notifications::{Key, Subject};
use crate::notify::Response;
use crate::outlet::{Outlet, Sink};
use crate::protocol::{self, Account, Action, DesktopWish, Event, Proxy, Refusal, Stretch, WhenClosed};
use crate::resident::Wanted;
use crate::running::{Context, End, Password, Running};
use crate::sign_in::{Form, check, check_password, refusal, try_account};
use crate::stretch::stretch;
use crate::updates::Updates;
use crate::visibility::{Visibility, WindowEvent};
use crate::wishes;
use crate::words::Words;
use crate::xmpp_link;
use dormouse_engine::model::BareJid;
use dormouse_engine::{Keyring, KeyringError, Secret, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{info, warn};

/// What the program calls itself in reports.
pub const PROGRAM: &str = concat!("Dormouse ", env!("CARGO_PKG_VERSION"));
/// How long all accounts together may take to end: a server that is not there must not keep a program alive.
const FAREWELL: Duration = Duration::from_secs(4);
/// How long a sign-in waits to be able to say whether the password is kept.
const KEEPING: Duration = Duration::from_secs(2);

/// Everything there is while the program runs.
pub struct Shell {
    context: Context,
    given_out: Arc<GivenOut>,
    home: Home,
    registry: Arc<Mutex<Registry>>,
    accounts: Mutex<BTreeMap<BareJid, Running>>,
    /// Being signed in to at the moment.
    signing_in: Mutex<BTreeSet<BareJid>>,
    visibility: Mutex<Visibility>,
    checks: Checks,
    updates: Mutex<Updates>,
    /// What the last window there was draws with.
    web_view: Mutex<String>,
    wanted: UnboundedSender<Wanted>,
    watch_system: bool,
}

/// An account that was given at the start (`DORMOUSE_ACCOUNT` and its companions).
#[derive(Debug)]
pub struct GivenAccount {
    /// Its address.
    pub address: BareJid,
    /// Where it connects.
    pub endpoint: String,
    /// Its password.
    pub password: Secret,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shell {
    /// A shell in which nothing runs yet.
    ///
    /// What is wanted of the whole program, by its page or by a click on a notification, goes to `wanted`.
    pub fn new(
        home: Home,
        registry: Registry,
        words: Arc<Words>,
        wanted: UnboundedSender<Wanted>,
        watch_system: bool,
    ) -> Self {
        let given_out = Arc::new(GivenOut::new(Arc::clone(&words)));
        Self {
            context: Context {
                alerts: Arc::new(Alerts::new(Arc::clone(&words))),
                outlet: Arc::new(Outlet::default()),
                metrics: given_out.metrics().clone(),
                words,
            },
            given_out,
            home,
            registry: Arc::new(Mutex::new(registry)),
            accounts: Mutex::default(),
            signing_in: Mutex::default(),
            visibility: Mutex::default(),
            checks: Checks::default(),
            updates: Mutex::default(),
            web_view: Mutex::new("unknown".to_owned()),
            wanted,
            watch_system,
        }
    }

    /// What is said to people.
    pub fn words(&self) -> &Arc<Words> {
        &self.context.words
    }

    /// Notifications.
    pub fn alerts(&self) -> &Arc<Alerts> {
        &self.context.alerts
    }

    /// Starts every account of the list, and the one that was given. On a runtime.
    pub fn start(&self, given: Option<GivenAccount>) {
        self.heed_preferences();
        let (entries, port) = {
            let registry = lock(&self.registry);
            (registry.entries().to_vec(), registry.metrics())
        };
        if let Some(port) = port {
            let given_out = Arc::clone(&self.given_out);
            tokio::spawn(async move { given_out.start(port).await });
        }
        let mut accounts = lock(&self.accounts);
        if let Some(given) = given {
            let settings = self.settings(&given.address, Some(given.endpoint), None);
            let running = self.run(settings, None, Password::Given(given.password));
            accounts.insert(given.address, running);
        }
        for entry in entries {
            if accounts.contains_key(&entry.address) {
                continue;
            }
            let settings = self.settings(&entry.address, entry.endpoint, entry.proxy);
            let running = self.run(settings, None, Password::FromKeyring);
            accounts.insert(entry.address, running);
        }
    }

    fn settings(&self, address: &BareJid, endpoint: Option<String>, proxy: Option<String>) -> Settings {
        Settings {
            address: address.clone(),
            password: None,
            keyring: false,
            folder: self.home.account(address),
            endpoint,
            proxy,
            proxy_login: None,
            watch_system: self.watch_system,
        }
    }

    fn run(
        &self,
        settings: Settings,
        engine: Option<dormouse_engine::Engine>,
        password: Password,
    ) -> Running {
        let visible = lock(&self.visibility).is_visible();
        let muted = self.muted(settings.address.as_str());
        let running = Running::start(settings, engine, password, visible, self.context.clone());
        running.muted(muted);
        running
    }

    /// A window is there, which draws with this web view: it hears what there is, and then every change.
    pub fn open(&self, sink: Sink, web_view: String) {
        *lock(&self.web_view) = web_view;
        // Held throughout, so that no account is started in between and forgotten.
        let accounts = lock(&self.accounts);
        let opened = Event::Opened {
            language: self.context.words.language().to_owned(),
            texts: self.context.words.of_the_window(),
            accounts: accounts.values().map(Running::account).collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let window = self.context.outlet.open(sink, opened);
        self.tell_known_update(window);
        for running in accounts.values() {
            running.open(window);
        }
    }

    /// Signs in to a new account.
    pub async fn sign_in(
        &self,
        address: &str,
        password: &str,
        endpoint: Option<&str>,
        proxy: &Proxy,
    ) -> Result<Account, Refusal> {
        let words = &self.context.words;
        let form = check(address, password, endpoint, proxy, words)?;
        let taken = || {
            let why = words.about("refusal-signed-in-already", "address", form.address.as_str());
            refusal(Some(protocol::Field::Address), why)
        };
        if lock(&self.accounts).contains_key(&form.address) {
            return Err(taken());
        }
        if !lock(&self.signing_in).insert(form.address.clone()) {
            return Err(taken());
        }
        let outcome = self.signed_in(&form).await;
        lock(&self.signing_in).remove(&form.address);
        outcome
    }

    async fn signed_in(&self, form: &Form) -> Result<Account, Refusal> {
        let words = &self.context.words;
        let folder = self.home.account(&form.address);
        let engine = try_account(form, &folder, self.watch_system, words).await?;
        let entry = Entry {
            address: form.address.clone(),
            endpoint: form.endpoint.clone(),
            proxy: form.proxy.clone(),
        };
        if let Err(why) = self.change_registry(move |registry| registry.enter(entry)).await {
            engine.quit().await;
            return Err(refusal(None, why));
        }
        let settings = Settings {
            proxy_login: form.proxy_login.clone(),
            ..self.settings(&form.address, form.endpoint.clone(), form.proxy.clone())
        };
        {
            let mut accounts = lock(&self.accounts);
            let running = self.run(settings, Some(engine), Password::Typed(form.password.clone()));
            accounts.insert(form.address.clone(), running);
        }
        info!(account = %form.address, "signed in");
        // A keyring usually answers within milliseconds; one that asks the user something is not waited for.
        let until = tokio::time::Instant::now() + KEEPING;
        loop {
            let account = lock(&self.accounts)
                .get(&form.address)
                .map(|running| (running.account(), running.is_keeping()));
            match account {
                Some((account, keeping)) if !keeping || tokio::time::Instant::now() >= until => {
                    return Ok(account);
                }
                Some(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                None => return Err(refusal(None, words.plain("refusal-ended"))),
            }
        }
    }

    /// The password for an account that wants one.
    pub async fn unlock(&self, account: &str, password: &str) -> Result<(), Refusal> {
        let words = &self.context.words;
        let secret = check_password(password, words)?;
        let answer = self
            .with(account, |running| running.unlock(secret))
            .map_err(|why| refusal(None, why))?;
        answer
            .await
            .unwrap_or_else(|_| Err(refusal(None, words.plain("refusal-ended"))))
    }

    /// Signs out: the secrets go, the session ends, the account leaves the list; with `forget` its cache
    /// goes too.
    pub async fn sign_out(&self, account: &str, forget: bool) -> Result<(), String> {
        let words = &self.context.words;
        let address = wishes::address(account, words)?;
        let not_kept = self.with(account, |running| running.account().not_kept.is_some())?;
        let whose = address.clone();
        let forgotten = tokio::task::spawn_blocking(move || Keyring.forget(&whose)).await;
        match forgotten {
            // Where there is no keyring, or it never took the secret, there is nothing to forget.
            Ok(Ok(()) | Err(KeyringError::Missing)) => {}
            Ok(Err(error)) if !not_kept => return Err(words.forget_failed(&error)),
            Ok(Err(error)) => info!(%error, "the keyring has nothing to forget"),
            Err(error) => return Err(words.about("forget-failed", "why", &error.to_string())),
        }
        let whose = address.clone();
        self.change_registry(move |registry| registry.remove(&whose))
            .await?;
        let Some(running) = lock(&self.accounts).remove(&address) else {
            return Ok(());
        };
        self.checks.forget(&address);
        self.context.alerts.ended(&address);
        self.context.outlet.tell(Event::AccountRemoved {
            account: address.to_string(),
        });
        let _ = running.end(End::Quit).await;
        info!(account = %address, forget, "signed out");
        if forget {
            let folder = self.home.account(&address);
            let removed = tokio::task::spawn_blocking(move || folder.forget()).await;
            let removed = removed.map_err(std::io::Error::other).and_then(|done| done);
            removed.map_err(|error| {
                warn!(account = %address, %error, "the cache could not be removed");
                words.cache_not_removed(address.as_str(), &error)
            })?;
        }
        Ok(())
    }

    /// A part of a conversation, from the cache.
    pub async fn stretch(
        &self,
        account: &str,
        with: &str,
        part: &protocol::Part,
        limit: usize,
    ) -> Result<Stretch, String> {
        let words = Arc::clone(&self.context.words);
        let with = wishes::address(with, &words)?;
        let wanted = wishes::part(part, &words)?;
        let part = part.clone();
        let limit = wishes::limit(limit);
        let engine = self.engine(account)?;
        let read = tokio::task::spawn_blocking(move || {
            let found = engine
                .history(&with, wanted, limit)
                .map_err(|error| words.about("ask-history", "why", &error.to_string()))?;
            Ok(stretch(&found, &part, &words))
        });
        let ended = |_| self.context.words.plain("refusal-ended");
        read.await.map_err(ended)?
    }

    /// Whether metrics are given out.
    pub async fn metrics(&self) -> protocol::Metrics {
        self.given_out.told().await
    }

    /// Gives out metrics at this port of this computer, or no longer; at the next start, too.
    pub async fn give_out_metrics(&self, port: Option<u32>) -> Result<protocol::Metrics, String> {
        let port = wishes::port(port, &self.context.words)?;
        let told = self.given_out.change(port).await?;
        self.change_registry(move |registry| registry.set_metrics(port))
            .await?;
        Ok(told)
    }

    /// What the user wants, in one account.
    pub fn act(&self, account: &str, action: Action) -> Result<(), String> {
        let wish = wishes::wish(action, &self.context.words)?;
        self.with(account, |running| running.wish(wish))
    }

    /// Which conversation the window shows.
    pub fn look(&self, account: Option<&str>, with: Option<&str>) {
        let parsed = |text: Option<&str>| text.and_then(|text| BareJid::new(text).ok());
        let key = match (parsed(account), parsed(with)) {
            (Some(account), Some(with)) => Some(Key { account, with }),
            _ => None,
        };
        self.context.alerts.look(key);
    }

    /// Shows a conversation in the window.
    pub fn show(&self, key: &Key) {
        self.context.outlet.show(Event::Show {
            account: key.account.to_string(),
            with: key.with.to_string(),
        });
    }

    /// What the user did with a notification.
    pub fn notification(&self, subject: Subject, response: Response) {
        match (subject, response) {
            (Subject::Conversation(key), Response::Clicked) => self.want(Wanted::Conversation(key)),
            (Subject::Summary(_), _) => self.want(Wanted::Window),
            (Subject::Conversation(key), Response::Read) => self.read(&key),
            (Subject::Conversation(key), Response::Replied(text)) => {
                let wish = Action::Send {
                    to: key.with.to_string(),
                    body: text.clone(),
                    tag: String::new(),
                };
                match self.act(key.account.as_str(), wish) {
                    Ok(()) => self.read(&key),
                    // The account has gone meanwhile, perhaps. What was typed is put before its user, who may want it elsewhere.
                    Err(_) => self.want(Wanted::Link(xmpp_link::message(&key.with, &text))),
                }
            }
        }
    }

    fn read(&self, key: &Key) {
        let with = key.with.to_string();
        if let Err(why) = self.act(key.account.as_str(), Action::Read { with }) {
            info!(why, "a conversation could not be taken for read");
        }
    }

    /// How Dormouse sits on the desktop.
    pub async fn desktop(&self) -> protocol::Desktop {
        let (sound, quiet, closing) = {
            let registry = lock(&self.registry);
            let preferences = registry.preferences();
            (!preferences.silent, preferences.quiet, preferences.closing)
        };
        let on = tokio::task::spawn_blocking(autostart::is_on).await;
        let on = on.map_err(std::io::Error::other).and_then(|on| on);
        protocol::Desktop {
            problem: on.as_ref().err().map(|error| self.autostart_failed(error)),
            autostart: on.unwrap_or(false),
            sound,
            quiet,
            closing,
        }
    }

    /// Changes how Dormouse sits on the desktop.
    pub async fn set_desktop(&self, wish: DesktopWish) -> Result<protocol::Desktop, String> {
        match wish {
            DesktopWish::Autostart { on } => {
                let switched = tokio::task::spawn_blocking(move || autostart::switch(on)).await;
                let switched = switched.map_err(std::io::Error::other).and_then(|done| done);
                switched.map_err(|error| self.autostart_failed(&error))?;
            }
            DesktopWish::Sound { on } => self.prefer(move |preferences| preferences.silent = !on).await?,
            DesktopWish::Quiet { hours } => {
                if hours.is_some_and(|hours| !hours.is_sound()) {
                    return Err(self.context.words.plain("quiet-hours"));
                }
                self.prefer(move |preferences| preferences.quiet = hours).await?;
            }
            DesktopWish::Closing { means } => {
                self.prefer(move |preferences| preferences.closing = means)
                    .await?;
            }
        }
        Ok(self.desktop().await)
    }

    fn autostart_failed(&self, error: &std::io::Error) -> String {
        warn!(%error, "starting with the session can't be seen to");
        self.context
            .words
            .about("autostart-failed", "why", &error.to_string())
    }

    /// Notifies of what comes in a conversation, or no longer.
    pub async fn mute(&self, account: &str, with: &str, muted: bool) -> Result<(), String> {
        let words = &self.context.words;
        let key = Key {
            account: wishes::address(account, words)?,
            with: wishes::address(with, words)?,
        };
        self.with(account, |_| ())?;
        self.prefer(move |preferences| {
            if muted {
                preferences.muted.insert(key);
            } else {
                preferences.muted.remove(&key);
            }
        })
        .await?;
        let muted = self.muted(account);
        self.with(account, |running| running.muted(muted))
    }

    fn muted(&self, account: &str) -> Vec<String> {
        let registry = lock(&self.registry);
        let muted = registry.preferences().muted.iter();
        muted
            .filter(|key| key.account.as_str() == account)
            .map(|key| key.with.to_string())
            .collect()
    }

    fn heed_preferences(&self) {
        let preferences = lock(&self.registry).preferences().clone();
        self.context
            .alerts
            .prefer(!preferences.silent, preferences.quiet, preferences.muted);
    }

    /// Puts before the user what an `xmpp:` link from outside asks for.
    pub fn link(&self, link: &str) {
        let request = xmpp_link::parse(link)
            .inspect_err(|error| info!(%error, "a link was not understood"))
            .ok();
        let request = self.context.words.link_request(request);
        self.context.outlet.show(Event::Link { request });
    }

    /// Something happened to the window.
    pub fn window(&self, event: WindowEvent) {
        let (told, attended) = {
            let mut visibility = lock(&self.visibility);
            (visibility.happened(event), visibility.is_attended())
        };
        self.context.alerts.attended(attended);
        if let Some(visible) = told {
            for running in lock(&self.accounts).values() {
                running.visible(visible);
            }
        }
    }

    /// There is no window any more.
    pub fn closed(&self) {
        self.context.outlet.close();
        self.context.alerts.look(None);
        self.no_update();
    }

    /// What the user wants closing the window to mean where there is no tray, if they have been asked.
    pub fn closing(&self) -> Option<WhenClosed> {
        lock(&self.registry).preferences().closing
    }

    /// Has the window ask what closing it means.
    pub fn ask_closing(&self) {
        self.context.outlet.tell(Event::AskClosing);
    }

    /// The user has chosen what closing the window means where there is no tray, or nothing.
    pub async fn closing_means(&self, means: Option<WhenClosed>) -> Result<(), String> {
        if means.is_some() {
            self.prefer(move |preferences| preferences.closing = means)
                .await?;
        }
        self.want(Wanted::Closing(means));
        Ok(())
    }

    /// The user wants the program to end.
    pub fn quit(&self) {
        self.want(Wanted::Quit);
    }

    /// Something is wanted of the program.
    pub fn want(&self, wanted: Wanted) {
        // Once nobody listens the program is ending.
        let _ = self.wanted.send(wanted);
    }

    async fn prefer(&self, change: impl FnOnce(&mut Preferences) + Send + 'static) -> Result<(), String> {
        self.change_registry(move |registry| registry.prefer(change))
            .await?;
        self.heed_preferences();
        Ok(())
    }

    /// Ends every account and leaves the streams open; returns when all have ended or their time is over.
    pub async fn leave(&self) {
        self.checks.forget_all();
        let ending: Vec<_> = lock(&self.accounts)
            .values()
            .map(|running| running.end(End::Leave))
            .collect();
        let all = async {
            for done in ending {
                let _ = done.await;
            }
        };
        if tokio::time::timeout(FAREWELL, all).await.is_err() {
            warn!("not every account has ended in time");
        }
    }

    fn engine(&self, account: &str) -> Result<Arc<dormouse_engine::Engine>, String> {
        let running = self.with(account, Running::engine)?;
        running.ok_or_else(|| self.context.words.plain("refusal-ended"))
    }

    fn with<T>(&self, account: &str, ask: impl FnOnce(&Running) -> T) -> Result<T, String> {
        let words = &self.context.words;
        let address = wishes::address(account, words)?;
        let accounts = lock(&self.accounts);
        let running = accounts.get(&address);
        running
            .map(ask)
            .ok_or_else(|| words.about("refusal-not-signed-in", "address", address.as_str()))
    }

    async fn change_registry(
        &self,
        change: impl FnOnce(&mut Registry) -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), String> {
        let registry = Arc::clone(&self.registry);
        let changed = tokio::task::spawn_blocking(move || change(&mut lock(&registry))).await;
        let changed = changed.map_err(std::io::Error::other).and_then(|done| done);
        changed.map_err(|error| {
            warn!(%error, "the list of accounts can't be written");
            self.context
                .words
                .about("registry-failed", "why", &error.to_string())
        })
    }
}

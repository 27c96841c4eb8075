//! The driver: one thread that feeds the pure core with what happens and does what it says.
//!
//! Each batch is applied before the next input is handled, so that every look-up sees it; its
//! durability comes back later, as an input. The core is rebuilt from the disk whenever it can't be
//! trusted any more: after a read error, and after a crash. A frame that crashed it twice is
//! quarantined.

mod happenings;
mod renewal;
mod simulated_sleep;
mod told;

use crate::flush::{Flushed, Flusher, Gathered};
use crate::line::{Line, LineEvent};
use crate::observers::Observers;
use crate::path::Path;
use crate::present::now;
use crate::rebuild::{Rebuild, Rebuilds, notice};
use crate::request::Request;
use crate::secret::Secret;
use crate::settings::{Settings, StartError};
use crate::tokens::{TokenNews, Tokens};
use crate::wire::Wire;
use dormouse_account::{Account, Credentials, Input, Output, Token};
use dormouse_dial::{Dialler, Login, ProxySetting, Target};
use dormouse_model::{
    BatchId, Change, ConnId, Endpoint, MessageId, Notice, Observation, Observer, Random, ReadError,
};
use dormouse_store::{SetAside, Store};
use dormouse_wake::{Event as WakeEvent, Guard, Options, Wakeful, Watch, watch};
use simulated_sleep::{SimulatedSleep, given_up};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tracing::{info_span, warn};

/// Frames that may wait for the core before the server is slowed down.
const WAITING_FRAMES: usize = 64;
/// The longest the driver sleeps at a time: deadlines are kept on a clock that counts sleep, tokio's does not.
const LONGEST_NAP: Duration = Duration::from_secs(60);
/// How long to wait before a disk that can't be read is tried again.
const STALLED: Duration = Duration::from_secs(1);

/// What a line told, and which.
type Told = (ConnId, LineEvent);

/// Waits for "may sleep" or "may quit".
enum Waiting {
    Sleep(Guard),
    Simulation,
    Reply(oneshot::Sender<()>),
    Leave,
}

/// How long the start waits for the keyring. One that is locked asks its user, who may be away.
const KEYRING: Duration = Duration::from_millis(200);
/// How long the server may take to close its side of a closed stream.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a last acknowledgement may take to leave where the stream stays open.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Everything of one running account.
pub struct Driver {
    settings: Settings,
    endpoint: Option<Endpoint>,
    store: Arc<Store>,
    dialler: Dialler,
    tokens: Option<Tokens>,
    account: Account,
    requests: UnboundedReceiver<Request>,
    flusher: Option<Flusher>,
    unflushed: Gathered,
    flushed: UnboundedReceiver<Flushed>,
    lines: BTreeMap<ConnId, Line>,
    line_events: (Sender<Told>, Receiver<Told>),
    wire: Wire,
    /// Where each open line leads.
    paths: BTreeMap<ConnId, Path>,
    current: ConnId,
    subscribers: Vec<UnboundedSender<Change>>,
    observers: Observers,
    sends: BTreeMap<u64, oneshot::Sender<MessageId>>,
    next_tag: u64,
    waiting: Vec<Waiting>,
    rebuilds: Rebuilds,
    /// The last batch that is known to be on disk.
    durable: BatchId,
    /// Set while no core can be made because the disk can't be read: the number of the next core's first batch.
    stalled: Option<BatchId>,
    /// What was wanted meanwhile.
    backlog: Vec<Request>,
    notices: Vec<Notice>,
    ended: bool,
    /// The stream was closed: the server is about to close its side.
    closing: bool,
    /// The sleep that the user wants to see.
    simulated: Option<SimulatedSleep>,
    /// Whether the lines read nothing.
    mute: watch::Sender<bool>,
    /// Held while there is a connection to keep, or one to be made soon.
    wakeful: Option<Wakeful>,
}

impl Driver {
    /// A driver over an open store, and where it dials.
    pub fn new(
        settings: Settings,
        (endpoint, proxy): (Option<Endpoint>, ProxySetting),
        store: Arc<Store>,
        set_aside: Option<SetAside>,
        requests: UnboundedReceiver<Request>,
        wire: Wire,
    ) -> Result<Self, StartError> {
        let account = restore(&settings, None, &store, BatchId(1), BatchId(0))?;
        let (tell, flushed) = unbounded_channel();
        let flusher = Flusher::start(Arc::clone(&store), tell)
            .map_err(|error| StartError::System(error.to_string()))?;
        let mut notices = Vec::new();
        if let Some(aside) = set_aside {
            warn!(folder = %aside.path.display(), saved = aside.saved, lost = aside.lost, why = aside.why, "the cache was set aside");
            notices.push(notice(&aside));
        }
        let dialler = Dialler::new(dormouse_dial::Settings {
            proxy,
            ..dormouse_dial::Settings::default()
        });
        dialler.sign_in_at_proxy(settings.proxy_login.as_ref().map(login));
        Ok(Self {
            dialler,
            settings,
            endpoint,
            store,
            tokens: None,
            account,
            requests,
            flusher: Some(flusher),
            unflushed: Gathered::default(),
            flushed,
            lines: BTreeMap::new(),
            line_events: channel(WAITING_FRAMES),
            wire,
            paths: BTreeMap::new(),
            current: ConnId::default(),
            subscribers: Vec::new(),
            observers: Observers::default(),
            sends: BTreeMap::new(),
            next_tag: 0,
            waiting: Vec::new(),
            rebuilds: Rebuilds::default(),
            durable: BatchId(0),
            stalled: None,
            backlog: Vec::new(),
            notices,
            ended: false,
            closing: false,
            simulated: None,
            mute: watch::Sender::new(false),
            wakeful: None,
        })
    }

    /// Somebody counts from now on.
    pub fn observe(&mut self, observer: Observer) {
        self.observers.begin(observer, &self.account, &*self.store);
    }

    /// Runs until the user quits or the engine's holder is gone.
    pub async fn run(mut self) {
        let mut tokens = Tokens::begin(self.settings.address.clone(), self.settings.keyring);
        // The connection is opened meanwhile; what is heard of it waits. A keyring that is open answers in milliseconds, and
        // the first sign-in is then as short as any later one.
        self.feed(Input::Start);
        self.flush();
        let found = tokio::time::timeout(KEYRING, tokens.news()).await;
        self.tokens = Some(tokens);
        let mut wake = self.settings.watch_system.then(|| watch(self.wake_options()));
        if let Ok(news) = found {
            self.token_news(news);
        }
        while !self.ended {
            self.flush_what_gathered();
            let nap = self.nap();
            self.hold_off_app_nap(nap);
            tokio::select! {
                biased;
                flushed = self.flushed.recv() => match flushed {
                    Some(Flushed::Durable(batch)) => {
                        self.durable = self.durable.max(batch);
                        if batch.next() == self.account.next_batch() {
                            self.publish(&Change::Stored);
                        }
                        self.feed(Input::Durable(batch));
                    }
                    Some(Flushed::Failed(why)) => self.feed(Input::StoreFailed(why)),
                    Some(Flushed::Recovered) => self.feed(Input::StoreRecovered),
                    Some(Flushed::SetAside(aside)) => self.rebuild(Rebuild::SetAside(aside)),
                    None => break,
                },
                request = self.requests.recv() => match request {
                    Some(request) if self.stalled.is_some() => self.put_off(request),
                    Some(request) if self.simulated.is_some() => self.asked_asleep(request),
                    Some(request) => self.requested(request),
                    // The holder was dropped without a word, as in a crash: the stream stays open.
                    None => break,
                },
                event = next(&mut wake) => self.woken(event),
                () = given_up(&mut self.simulated) => self.wake_up(),
                event = self.line_events.1.recv(), if !self.is_cut_off() => {
                    if let Some((conn, event)) = event {
                        self.line_told(conn, event);
                        // A server that never stops talking must not keep it from being done.
                        self.do_what_is_due();
                    }
                }
                news = token_news(&mut self.tokens) => self.token_news(news),
                () = tokio::time::sleep(nap) => {
                    if self.stalled.is_some() {
                        self.go_on();
                    } else {
                        self.do_what_is_due();
                    }
                }
            }
        }
        self.flush();
        self.farewell().await;
        self.lines.clear();
        self.flusher = None;
    }

    /// Frames handed over leave before the sockets go. After the stream's end the server closes its side: a
    /// socket dropped with something unread is reset, and the reset may overtake what we said last.
    async fn farewell(&mut self) {
        let patience = if self.closing { FAREWELL } else { LAST_WORDS };
        let closed = async {
            while let Some((conn, event)) = self.line_events.1.recv().await {
                if conn == self.current && matches!(event, LineEvent::Closed(_)) {
                    return;
                }
            }
        };
        let open = self.lines.contains_key(&self.current);
        if open && tokio::time::timeout(patience, closed).await.is_err() && self.closing {
            tracing::debug!("the server has not closed its side");
        }
    }

    /// With nothing to keep and nothing due, macOS may slow us down as it likes.
    fn hold_off_app_nap(&mut self, nap: Duration) {
        let needed = !self.lines.is_empty() || nap < LONGEST_NAP;
        if needed != self.wakeful.is_some() {
            self.wakeful = needed.then(|| Wakeful::new("Keeps the connection to the chat server alive"));
        }
    }

    /// What came together reaches the disk together.
    fn flush_what_gathered(&mut self) {
        let more = !self.is_cut_off() && !self.line_events.1.is_empty();
        if self.unflushed.is_due(more) {
            self.flush();
        }
    }

    fn flush(&self) {
        if let Some(flusher) = &self.flusher {
            flusher.flush_soon();
        }
    }

    fn wake_options(&self) -> Options {
        Options::new("Dormouse", "Saving and acknowledging what has arrived")
    }

    fn do_what_is_due(&mut self) {
        if self.simulated_sleep_goes_on() {
            return;
        }
        if self
            .account
            .deadline()
            .is_some_and(|deadline| deadline <= now().tick)
        {
            self.feed(Input::Tick);
        }
    }

    fn nap(&self) -> Duration {
        if self.stalled.is_some() {
            return STALLED;
        }
        let deadline = match &self.simulated {
            Some(simulated) => Some(simulated.due()),
            None => self.account.deadline(),
        };
        match deadline {
            Some(deadline) => deadline.since(now().tick).min(LONGEST_NAP),
            None => LONGEST_NAP,
        }
    }

    /// Hands one input to the core and does what it says.
    fn feed(&mut self, input: Input) {
        // The old core is not to be trusted and there is no new one yet.
        if self.stalled.is_some() {
            return;
        }
        let span =
            info_span!(parent: None, "account", account = %self.settings.address, conn = self.current.0);
        let _entered = span.enter();
        let frame = match &input {
            Input::Frame { text, .. } => Some(dormouse_account::quarantine::hash(text)),
            _ => None,
        };
        let command = match &input {
            Input::Command(command) => Some(command.clone()),
            _ => None,
        };
        let handled = catch_unwind(AssertUnwindSafe(|| {
            self.account.handle(now(), input, &*self.store)
        }));
        match handled {
            Ok(Ok(outputs)) => {
                for output in outputs {
                    self.perform(output);
                }
                self.observers.look(&self.account);
            }
            Ok(Err(error @ ReadError::Damaged(_))) => self.rebuild(Rebuild::Unreadable(error)),
            // Nothing of it has happened. A frame comes again from the server, a wish only from here.
            Ok(Err(error)) => {
                self.backlog.extend(command.map(Request::Command));
                self.stall(&error);
            }
            Err(_) => self.rebuild(Rebuild::Crashed(frame)),
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Write(batch) => {
                self.store.apply(batch);
                self.unflushed.gather();
            }
            Output::Dial {
                conn,
                endpoint,
                known,
            } => {
                let target = Target {
                    domain: self.settings.address.domain().to_string(),
                    endpoint: endpoint.or_else(|| self.endpoint.clone()),
                    known,
                };
                let span = info_span!(parent: None, "line", account = %self.settings.address, conn = conn.0);
                let events = self.line_events.0.clone();
                self.observers.tell(Observation::Dialling(conn));
                self.lines.insert(
                    conn,
                    Line::dial(
                        conn,
                        self.dialler.clone(),
                        target,
                        events,
                        self.wire.clone(),
                        self.mute.subscribe(),
                        span,
                    ),
                );
            }
            Output::Frame { conn, text } => {
                self.current = conn;
                if let Some(line) = self.lines.get(&conn) {
                    line.send(text);
                }
            }
            Output::Hangup(conn) => {
                self.given_up(conn);
                self.hang_up(conn);
            }
            Output::Abort(conn) => {
                self.given_up(conn);
                if let Some(line) = self.lines.remove(&conn) {
                    line.abort();
                }
                self.paths.remove(&conn);
            }
            Output::KeepToken(token) => {
                if let Some(tokens) = &mut self.tokens {
                    tokens.keep(token);
                }
            }
            Output::ForgetToken => {
                if let Some(tokens) = &mut self.tokens {
                    tokens.forget();
                }
            }
            Output::Change(change) => {
                match &change {
                    Change::Notice(notice) => self.remember(notice),
                    Change::NoticeGone(name) => self.notices.retain(|kept| kept.name() != *name),
                    _ => {}
                }
                self.publish(&change);
            }
            Output::Transition(transition) => self.observers.tell(Observation::Transition(&transition)),
            Output::HandedOver(id) => self.observers.tell(Observation::HandedOver(id)),
            Output::Journal(entry) => tracing::info!(target: "dormouse", "{}", entry.text),
            Output::Written { tag, id } => {
                if let Some(reply) = self.sends.remove(&tag) {
                    let _ = reply.send(id);
                }
            }
            Output::MaySleep => {
                self.flush();
                for waiting in std::mem::take(&mut self.waiting) {
                    match waiting {
                        Waiting::Sleep(guard) => drop(guard),
                        Waiting::Simulation => self.cut_off(),
                        Waiting::Reply(reply) => {
                            let _ = reply.send(());
                        }
                        Waiting::Leave => self.ended = true,
                    }
                }
            }
            Output::MayQuit => {
                self.closing = true;
                self.ended = true;
            }
        }
    }
}

fn login(secret: &Secret) -> Login {
    Login::from_line(secret.reveal())
}

fn restore(
    settings: &Settings,
    token: Option<Token>,
    store: &Store,
    first_batch: BatchId,
    durable: BatchId,
) -> Result<Account, StartError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| StartError::System(error.to_string()))?;
    let settings = dormouse_account::Settings {
        address: settings.address.clone(),
        credentials: settings
            .password
            .as_ref()
            .map(|password| Credentials::password(password.reveal())),
        token,
        first_batch,
        durable,
    };
    Ok(Account::restore(settings, Random::from_seed(seed), store)?)
}

async fn token_news(tokens: &mut Option<Tokens>) -> TokenNews {
    match tokens {
        Some(tokens) => tokens.news().await,
        None => std::future::pending().await,
    }
}

/// The next wake event; never, where nobody watches.
async fn next(wake: &mut Option<Watch>) -> WakeEvent {
    if let Some(watch) = wake
        && let Some(event) = watch.next().await
    {
        return event;
    }
    *wake = None;
    std::future::pending().await
}

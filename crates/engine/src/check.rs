//! "Test my connection": carries a [check](dormouse_diagnosis::check) out.
//!
//! The steps are walked on a connection of the check's own, with a resource of its own and without presence ([`own`]): the
//! running account keeps its session, and no message meant for it goes astray. Only the simulated sleep is the running
//! account's, because its recovery is what the user wants to see.
//!
//! [`own`]: self::own

mod dialling;
mod own;
mod sleep;

use crate::engine::Engine;
use crate::folder::Folder;
use crate::secret::Secret;
use crate::settings::{Settings, StartError};
use dialling::Dialling;
use dormouse_account::Credentials;
use dormouse_diagnosis::check::{Check, Plan, Said, Step};
use dormouse_dial::{Dialler, Login, ProxySetting, Target};
use dormouse_model::{
    ArchiveFailure, ArchiveQuery, BareJid, Cause, DialFailure, Endpoint, PageWanted, QueryId, Way,
};
use dormouse_store::Store;
use dormouse_xmpp::{Event, verdict};
use own::Own;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a request may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a sign-in may take, from the open WebSocket on.
const SIGN_IN: Duration = Duration::from_secs(30);
/// How long the server may take to close its side of the check's stream.
const FAREWELL: Duration = Duration::from_secs(1);
/// Round trips that are measured.
const ROUND_TRIPS: u32 = 10;

/// Whose connection is checked.
pub struct Subject {
    /// The account.
    pub(crate) address: BareJid,
    /// Its password, if there is one.
    pub(crate) password: Option<Secret>,
    /// The endpoint that the user gave.
    pub(crate) endpoint: Option<Endpoint>,
    /// What worked last.
    pub(crate) known: Option<Way>,
    pub(crate) dialler: Dialler,
}

impl Subject {
    /// An account that does not run here. Of its folder only the way that worked last is read, if nobody else uses it.
    ///
    /// # Errors
    ///
    /// Endpoint or proxy can't be used.
    pub fn of(settings: &Settings) -> Result<Self, StartError> {
        let endpoint = settings
            .endpoint
            .as_deref()
            .map(dormouse_dial::endpoint::parse)
            .transpose()?;
        let proxy = settings
            .proxy
            .as_deref()
            .map_or(Ok(ProxySetting::System), str::parse)?;
        let dialler = Dialler::new(dormouse_dial::Settings {
            proxy,
            ..dormouse_dial::Settings::default()
        });
        let login = settings.proxy_login.as_ref();
        dialler.sign_in_at_proxy(login.map(|login| Login::from_line(login.reveal())));
        Ok(Self {
            address: settings.address.clone(),
            password: settings.password.clone(),
            endpoint,
            known: remembered(&settings.folder),
            dialler,
        })
    }
}

/// The way that worked last; none where there is no cache, or somebody uses it.
fn remembered(folder: &Folder) -> Option<Way> {
    let place = folder.store();
    if !place.exists() {
        return None;
    }
    let opened = Store::open(&place).ok()?;
    dormouse_account::known_way(&opened.store).ok().flatten()
}

/// Whose sleep is simulated.
pub enum App {
    /// This account's. Held until the check's steps are over.
    Running(Arc<Engine>),
    /// Nobody's: why, in a sentence.
    NotRunning(String),
}

/// Carries a check out and tells it each time it has gone further. Once `cancelled` is ready, what is under way ends, and so does
/// the check's connection, in good order. Dropping the future drops the connection.
pub async fn run(
    subject: Subject,
    plan: Plan,
    app: App,
    cancelled: impl Future<Output = ()>,
    tell: impl FnMut(&Check) + Send,
) -> Check {
    let mut course = Course {
        check: Check::new(plan),
        tell,
    };
    let mut own = None;
    course.tell();
    let was_cancelled = tokio::select! {
        biased;
        () = cancelled => true,
        () = walk(&mut course, &mut own, &subject, plan, &app) => false,
    };
    drop(app);
    if was_cancelled {
        course.check.cancel();
        course.tell();
    }
    if let Some(own) = own {
        let _ = timeout(FAREWELL, own.close()).await;
    }
    course.check
}

/// A check under way, and who is told of it.
struct Course<T> {
    check: Check,
    tell: T,
}

impl<T: FnMut(&Check) + Send> Course<T> {
    fn tell(&mut self) {
        (self.tell)(&self.check);
    }

    fn begin(&mut self, step: Step) {
        self.check.begin(step);
        self.tell();
    }

    fn end(&mut self, step: Step, took: Option<Duration>, said: Said) {
        self.check.end(step, took, said);
        self.tell();
    }

    /// Tries a step, if it may be tried.
    async fn step(&mut self, step: Step, work: impl Future<Output = Said>) {
        if !self.check.may_try(step) {
            return;
        }
        self.begin(step);
        let began = Instant::now();
        let said = work.await;
        self.end(step, Some(began.elapsed()), said);
    }
}

async fn walk<T: FnMut(&Check) + Send>(
    course: &mut Course<T>,
    own: &mut Option<Own>,
    subject: &Subject,
    plan: Plan,
    app: &App,
) {
    course.step(Step::Name, name(subject)).await;
    if !course.check.may_try(Step::Discovery) {
        return;
    }
    let Some(endpoint) = find(course, subject).await else {
        return;
    };
    let target = Target {
        domain: subject.address.domain().to_string(),
        endpoint: Some(endpoint.clone()),
        known: None,
    };
    let mut dialling = Dialling::begin(course);
    let dialled = subject
        .dialler
        .dial_reporting(target, |report| dialling.told(report))
        .await;
    let connected = match dialled {
        Ok(connected) => {
            dialling.opened();
            connected
        }
        Err(failure) => {
            let at = dialling.at();
            return dialling.failed(dial_failed(subject, at, &endpoint, failure));
        }
    };
    let Some(password) = &subject.password else {
        return course.end(Step::SignIn, None, Said::Trouble(Cause::NoPassword));
    };
    let credentials = Credentials::password(password.reveal());
    let own = match Own::new(
        &subject.address,
        credentials,
        subject.dialler.clone(),
        connected.way.clone(),
    ) {
        Ok(made) => own.insert(made),
        Err(cause) => return course.end(Step::SignIn, None, Said::Trouble(cause)),
    };
    course.step(Step::SignIn, sign_in(own, connected)).await;
    course.step(Step::Resumption, resume(own)).await;
    course.step(Step::Archive, archive(own)).await;
    course.step(Step::RoundTrip, round_trips(own)).await;
    if let Some(length) = plan.idle {
        course.step(Step::Idle, idle(own, length)).await;
    }
    if let Some(length) = plan.sleep {
        course.step(Step::Sleep, sleep::sleep(app, length)).await;
    }
}

async fn name(subject: &Subject) -> Said {
    let domain = subject.address.domain().as_str();
    match subject.dialler.look_up(domain, subject.endpoint.as_ref()).await {
        Ok(Some((host, addresses))) => match host.trim_matches(['[', ']']).parse() {
            Ok(address) => Said::IsAddress(address),
            Err(_) => Said::Addresses { host, addresses },
        },
        Ok(None) => Said::LeftToProxy,
        Err(DialFailure::NamesUnavailable) => Said::NoNames,
        Err(failure) => match (failure, &subject.endpoint) {
            (DialFailure::NameNotFound, Some(endpoint)) => Said::EndpointNotFound {
                endpoint: endpoint.clone(),
                given: true,
            },
            (failure, _) => Said::Trouble(cause(subject, &failure)),
        },
    }
}

/// The endpoint: given, found, or remembered.
async fn find<T: FnMut(&Check) + Send>(course: &mut Course<T>, subject: &Subject) -> Option<Endpoint> {
    if let Some(given) = &subject.endpoint {
        course.end(Step::Discovery, None, Said::Given(given.clone()));
        return Some(given.clone());
    }
    let known = subject.known.as_ref().map(|way| &way.endpoint);
    let mut found = None;
    let discovery = async {
        let domain = subject.address.domain().as_str();
        match (subject.dialler.discover_anew(domain).await, known) {
            (Ok(endpoint), known) => {
                found = Some(endpoint.clone());
                let before = known.filter(|known| **known != endpoint).cloned();
                Said::Named { endpoint, before }
            }
            (Err(failure), Some(known)) => {
                found = Some(known.clone());
                Said::OnlyRemembered {
                    endpoint: known.clone(),
                    cause: cause(subject, &failure),
                }
            }
            (Err(failure), None) => Said::Trouble(cause(subject, &failure)),
        }
    };
    course.step(Step::Discovery, discovery).await;
    found
}

fn cause(subject: &Subject, failure: &DialFailure) -> Cause {
    let account = verdict::Account {
        domain: subject.address.domain().as_str(),
        // Whether it has worked before changes what Dormouse does, not what is wrong.
        has_worked: false,
    };
    verdict::dial(failure, account).cause
}

/// What a dial that failed at this step says.
fn dial_failed(subject: &Subject, at: Step, endpoint: &Endpoint, failure: DialFailure) -> Said {
    match failure {
        DialFailure::Refused => Said::Refused(endpoint.clone()),
        DialFailure::NameNotFound if at == Step::Tcp => Said::EndpointNotFound {
            endpoint: endpoint.clone(),
            given: subject.endpoint.is_some(),
        },
        DialFailure::NamesUnavailable => Said::NoNames,
        failure => Said::Trouble(cause(subject, &failure)),
    }
}

async fn sign_in(own: &mut Own, connected: dormouse_dial::Connected) -> Said {
    own.begin(connected);
    match timeout(SIGN_IN, own.session()).await {
        Ok(Ok(stands)) => Said::SignedIn {
            mechanism: stands.mechanism,
            round_trips: stands.round_trips,
        },
        Ok(Err(ended)) => Said::Trouble(ended.verdict.cause),
        Err(_) => Said::Trouble(Cause::NoAnswer),
    }
}

async fn resume(own: &mut Own) -> Said {
    if !own.is_resumable() {
        return Said::NotResumable;
    }
    own.break_off();
    match timeout(SIGN_IN, own.again()).await {
        Ok(Ok(stands)) if stands.resumed => Said::Resumed {
            round_trips: stands.round_trips,
        },
        Ok(Ok(_)) => Said::SessionGone,
        Ok(Err(cause)) => Said::Trouble(cause),
        Err(_) => Said::Trouble(Cause::NoAnswer),
    }
}

/// Waits so long for what a step finds.
async fn within(limit: Duration, work: impl Future<Output = Result<Said, Cause>>) -> Said {
    timeout(limit, work)
        .await
        .unwrap_or(Err(Cause::NoAnswer))
        .unwrap_or_else(Said::Trouble)
}

/// Makes the connection anew if an earlier step has cost it.
async fn stand(own: &mut Own) -> Result<(), Cause> {
    if own.is_ready() {
        return Ok(());
    }
    own.again().await.map(|_| ())
}

async fn archive(own: &mut Own) -> Said {
    const QUERY: QueryId = QueryId(1);
    let work = async {
        stand(own).await?;
        if !own.features().await?.archive {
            return Ok(Said::NoArchive);
        }
        own.ask(&ArchiveQuery {
            id: QUERY,
            with: None,
            page: PageWanted::Newest,
            since: None,
            max: 1,
        });
        loop {
            match own.next().await.map_err(|ended| ended.verdict.cause)? {
                Event::Page(page) if page.query == QUERY => {
                    return Ok(Said::Archive {
                        empty: page.items.is_empty(),
                    });
                }
                Event::ArchiveFailed { query, failure } if query == QUERY => {
                    return Ok(match failure {
                        ArchiveFailure::NoArchive => Said::NoArchive,
                        ArchiveFailure::ItemNotFound => Said::Archive { empty: true },
                        ArchiveFailure::Refused(condition) => Said::ArchiveRefused(condition),
                        ArchiveFailure::SessionLost => Said::Trouble(Cause::Lost),
                    });
                }
                _ => {}
            }
        }
    };
    within(SIGN_IN, work).await
}

async fn round_trips(own: &mut Own) -> Said {
    let work = async {
        stand(own).await?;
        let mut took = Vec::new();
        for _ in 0..ROUND_TRIPS {
            let began = Instant::now();
            own.ping(ANSWER).await?;
            took.push(began.elapsed());
        }
        took.sort_unstable();
        Ok(Said::RoundTrips {
            count: ROUND_TRIPS,
            median: took.get(took.len() / 2).copied().unwrap_or_default(),
            worst: took.last().copied().unwrap_or_default(),
        })
    };
    within(SIGN_IN, work).await
}

async fn idle(own: &mut Own, length: Duration) -> Said {
    let seconds = length.as_secs();
    let work = async {
        stand(own).await?;
        let silence = match own.keep_silent(length).await {
            Ok(silence) => silence,
            Err((after, ended)) => return Ok(ended_in_silence(after, ended)),
        };
        Ok(match own.ping(ANSWER).await {
            Ok(()) => Said::Held {
                seconds,
                broken: (silence + Duration::from_secs(1) < length).then_some(silence.as_secs()),
            },
            // Nobody had said that it was over, and it was.
            Err(_) => Said::Forgotten { seconds },
        })
    };
    within(SIGN_IN + length, work).await
}

/// What the end of a connection says on which nothing had passed for so long.
fn ended_in_silence(after: Duration, ended: own::Ended) -> Said {
    /// A shorter silence is part of any conversation.
    const SHORTEST: Duration = Duration::from_secs(1);
    match ended.code {
        // 1000: ejabberd ends idle sockets so. 1005 and 1006: nobody said anything, as proxies don't.
        Some(code @ (1000 | 1005 | 1006)) if after >= SHORTEST => Said::IdleTimeout {
            seconds: after.as_secs_f64().round() as u64,
            code,
        },
        _ => Said::Trouble(ended.verdict.cause),
    }
}

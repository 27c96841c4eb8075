//! logind's word before and after a sleep, the lock that delays it, and the screen's.
//!
//! <https://www.freedesktop.org/wiki/Software/systemd/inhibit/>: `PrepareForSleep(true)` is sent before, `(false)`
//! after. A "delay" inhibitor is a file descriptor: while it is open logind waits with the sleep, for
//! `InhibitDelayMaxUSec` at most (5 s unless configured). Each lock serves one sleep; a new one is taken after each
//! resume, or the second sleep would come unawaited.
//!
//! Whether the screen is locked is a property of the session, `LockedHint` (org.freedesktop.login1(5)), which the desktop's own lock
//! sets: those of GNOME and KDE do, many a small one does not.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc::Sender;
use zbus::proxy::{CacheProperties, SignalStream};
use zbus::{Connection, ObjectPath, OwnedObjectPath, Proxy};

use crate::event::{Guard, Screen, Source, SourceState};
use crate::watch::{Ask, Signal};

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);
/// logind refuses a lock while it is still busy with the last sleep: asked again soon, then more rarely.
const FIRST_LOCK_RETRY: Duration = Duration::from_millis(200);
const LAST_LOCK_RETRY: Duration = Duration::from_secs(60);
/// What logind grants where it does not say otherwise.
const USUAL_DELAY: Duration = Duration::from_secs(5);

/// Why listening ended.
enum End {
    /// Nobody wants to hear it any more.
    Unheard,
    Failed(String),
}

impl From<zbus::Error> for End {
    fn from(error: zbus::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl<T> From<tokio::sync::mpsc::error::SendError<T>> for End {
    fn from(_: tokio::sync::mpsc::error::SendError<T>) -> Self {
        Self::Unheard
    }
}

/// Listens for ever, connecting again when the bus or logind goes away.
pub(crate) async fn signals(ask: Ask, out: Sender<Signal>) {
    let mut retry = FIRST_RETRY;
    loop {
        let mut listened = false;
        let Err(End::Failed(why)) = listen(&ask, &out, &mut listened).await else {
            return;
        };
        tracing::debug!(%why, "no sleep signals from logind");
        if out
            .send(Signal::Lost(format!("no sleep signals from logind: {why}")))
            .await
            .is_err()
        {
            return;
        }
        if listened {
            retry = FIRST_RETRY;
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(LAST_RETRY);
    }
}

async fn listen(ask: &Ask, out: &Sender<Signal>, listened: &mut bool) -> Result<(), End> {
    let builder = match &ask.system_bus {
        Some(address) => zbus::connection::Builder::address(address.as_str()),
        None => zbus::connection::Builder::system(),
    };
    let connection = builder.build().await?;
    let manager = manager(&connection).await?;
    // First subscribe, then ask: a sleep between the two would else be missed.
    let mut sleeps = manager.receive_signal("PrepareForSleep").await?;
    let mut owners = manager.receive_owner_changed().await?;
    let mut preparing: bool = manager.get_property("PreparingForSleep").await?;
    out.send(Signal::Listening).await?;
    *listened = true;

    let session = Session::find(&manager).await;
    let known = match &session {
        Ok(_) => SourceState::Working,
        Err(error) => SourceState::Missing(format!("logind knows no session of this program: {error}")),
    };
    out.send(Signal::Source(Source::Screen, known)).await?;
    let mut session = session.ok();
    if let Some(session) = &session {
        out.send(Signal::Screen(session.screen)).await?;
    }

    let mut lock = DelayLock::new(ask, &manager).await;
    if preparing {
        out.send(Signal::Preparing(Guard::empty())).await?;
    } else {
        out.send(Signal::Awake).await?;
        out.send(Signal::Source(Source::DelayLock, lock.acquire().await))
            .await?;
    }
    loop {
        tokio::select! {
            () = out.closed() => return Err(End::Unheard),
            signal = sleeps.next() => {
                let Some(signal) = signal else {
                    return Err(End::Failed("the bus has closed the connection".into()));
                };
                preparing = signal.body().deserialize::<bool>()?;
                if preparing {
                    out.send(Signal::Preparing(lock.take_guard())).await?;
                } else {
                    out.send(Signal::Awake).await?;
                    out.send(Signal::Source(Source::DelayLock, lock.acquire().await)).await?;
                }
            }
            screen = changed(&mut session) => out.send(Signal::Screen(screen)).await?,
            owner = owners.next() => match owner {
                // logind knows its locks across a restart; taking a new one costs nothing and is sure.
                Some(Some(_)) => return Err(End::Failed("logind was restarted".into())),
                Some(None) | None => return Err(End::Failed("logind is gone".into())),
            },
            () = connection.closed() => return Err(End::Failed("the bus has closed the connection".into())),
            () = tokio::time::sleep(lock.retry), if lock.is_missing() && !preparing => {
                out.send(Signal::Source(Source::DelayLock, lock.acquire().await)).await?;
            }
        }
    }
}

async fn manager(connection: &Connection) -> zbus::Result<Proxy<'static>> {
    let path = ObjectPath::from_static_str_unchecked("/org/freedesktop/login1").into();
    proxy(connection, path, "org.freedesktop.login1.Manager").await
}

async fn proxy(
    connection: &Connection,
    path: OwnedObjectPath,
    interface: &'static str,
) -> zbus::Result<Proxy<'static>> {
    zbus::proxy::Builder::new(connection)
        .destination("org.freedesktop.login1")
        .path(path)
        .interface(interface)
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

/// The session that this program belongs to, or the one with a display where it belongs to none (a service of the user).
struct Session {
    session: Proxy<'static>,
    changes: SignalStream<'static>,
    /// Something has changed since the screen was asked for.
    stale: bool,
    screen: Screen,
}

impl Session {
    async fn find(manager: &Proxy<'static>) -> zbus::Result<Self> {
        let path: OwnedObjectPath = manager.call("GetSession", &"auto").await?;
        let connection = manager.connection();
        let properties = proxy(connection, path.clone(), "org.freedesktop.DBus.Properties").await?;
        // First subscribe, then ask, as above.
        let changes = properties.receive_signal("PropertiesChanged").await?;
        let session = proxy(connection, path, "org.freedesktop.login1.Session").await?;
        let screen = screen(&session).await?;
        Ok(Self {
            session,
            changes,
            stale: false,
            screen,
        })
    }
}

async fn screen(session: &Proxy<'static>) -> zbus::Result<Screen> {
    let locked: bool = session.get_property("LockedHint").await?;
    Ok(if locked { Screen::Locked } else { Screen::Unlocked })
}

/// Waits until the screen is locked or unlocked; for ever, where no session is known or it has ended. Safe to cancel.
async fn changed(session: &mut Option<Session>) -> Screen {
    let Some(session) = session else {
        return std::future::pending().await;
    };
    loop {
        if !session.stale && session.changes.next().await.is_none() {
            return std::future::pending().await;
        }
        session.stale = true;
        // Any property may have changed.
        let now = screen(&session.session).await;
        session.stale = false;
        match now {
            Ok(now) if now != session.screen => {
                session.screen = now;
                return now;
            }
            _ => {}
        }
    }
}

struct DelayLock<'a> {
    ask: &'a Ask,
    manager: &'a Proxy<'static>,
    held: Option<zbus::OwnedFd>,
    granted: Duration,
    retry: Duration,
}

impl<'a> DelayLock<'a> {
    async fn new(ask: &'a Ask, manager: &'a Proxy<'static>) -> Self {
        let most = manager.get_property::<u64>("InhibitDelayMaxUSec").await;
        let most = most.map_or(USUAL_DELAY, Duration::from_micros);
        Self {
            ask,
            manager,
            held: None,
            granted: within(most),
            retry: FIRST_LOCK_RETRY,
        }
    }

    fn is_missing(&self) -> bool {
        self.held.is_none()
    }

    async fn acquire(&mut self) -> SourceState {
        let request = ("sleep", self.ask.who.as_str(), self.ask.why.as_str(), "delay");
        match self
            .manager
            .call::<_, _, zbus::OwnedFd>("Inhibit", &request)
            .await
        {
            Ok(held) => {
                self.held = Some(held);
                self.retry = FIRST_LOCK_RETRY;
                SourceState::Working
            }
            Err(error) => {
                self.retry = (self.retry * 2).min(LAST_LOCK_RETRY);
                SourceState::Missing(format!("logind grants no delay lock: {error}"))
            }
        }
    }

    fn take_guard(&mut self) -> Guard {
        match self.held.take() {
            Some(held) => Guard::new(self.granted, move || drop(held)),
            None => Guard::empty(),
        }
    }
}

/// A tenth less than logind grants: it counts from before we hear of it.
fn within(most: Duration) -> Duration {
    most.mul_f32(0.9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_ends_before_logind_loses_patience() {
        assert_eq!(within(USUAL_DELAY).as_millis(), 4_500);
    }
}

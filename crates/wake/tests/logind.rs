//! The real D-Bus conversation with a logind, played by dbusmock on a private bus.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dormouse_wake::clock::{Clock, ManualClock};
use dormouse_wake::{Event, Guard, Options, Proof, Screen, Source, SourceState, Watch, watch};
use tempfile::TempDir;
use zbus::Variant;

type Inhibitor = (String, String, String, String, u32, u32);

/// A process of ours, ended with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Bus {
    folder: TempDir,
    processes: Vec<Process>,
}

impl Bus {
    fn prepare() -> Self {
        let folder = TempDir::new().unwrap();
        let bus = Self {
            folder,
            processes: Vec::new(),
        };
        let config = format!(
            "<!DOCTYPE busconfig PUBLIC '-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN' \
             'http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd'>\
             <busconfig><listen>{}</listen><auth>EXTERNAL</auth>\
             <policy context='default'><allow send_destination='*' eavesdrop='true'/>\
             <allow eavesdrop='true'/><allow own='*'/></policy></busconfig>",
            bus.address()
        );
        std::fs::write(bus.folder.path().join("bus.conf"), config).unwrap();
        bus
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    fn spawn(&mut self, command: &mut Command) {
        let child = command
            .env("DBUS_SYSTEM_BUS_ADDRESS", self.address())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} is needed for this test: {error}"));
        self.processes.push(Process(child));
    }

    async fn start_bus(&mut self) {
        let _ = std::fs::remove_file(self.socket());
        let config = self.folder.path().join("bus.conf");
        self.spawn(
            Command::new("dbus-daemon")
                .arg("--nofork")
                .arg("--config-file")
                .arg(config),
        );
        appears(&self.socket()).await;
    }

    /// Debian's python3, for which dbusmock is packaged; another may come first in PATH.
    async fn start_logind(&mut self) {
        self.spawn(Command::new("/usr/bin/python3").args(["-m", "dbusmock", "--template", "logind"]));
        let mock = self.connect().await;
        for _ in 0..200 {
            let asked = mock
                .call_method(
                    Some("org.freedesktop.DBus"),
                    "/org/freedesktop/DBus",
                    Some("org.freedesktop.DBus"),
                    "NameHasOwner",
                    &"org.freedesktop.login1",
                )
                .await;
            let owned = asked
                .ok()
                .and_then(|reply| reply.body().deserialize::<bool>().ok());
            if owned == Some(true) && self.try_inhibitors(&mock).await.is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("dbusmock did not start (apt: python3-dbusmock)");
    }

    async fn start() -> Self {
        let mut bus = Self::prepare();
        bus.start_bus().await;
        bus.start_logind().await;
        bus
    }

    async fn connect(&self) -> zbus::Connection {
        let address = self.address();
        zbus::connection::Builder::address(address.as_str())
            .build()
            .await
            .unwrap()
    }

    async fn prepare_for_sleep(&self, going: bool) {
        let arguments = vec![Variant::new(going)];
        let signal = (
            "org.freedesktop.login1.Manager",
            "PrepareForSleep",
            "b",
            arguments,
        );
        self.mock(
            "/org/freedesktop/login1",
            "org.freedesktop.DBus.Mock",
            "EmitSignal",
            &signal,
        )
        .await;
    }

    /// A session of this name, which `GetSession` finds by its name.
    async fn add_session(&self, name: &str) {
        self.mock(
            "/org/freedesktop/login1",
            "org.freedesktop.DBus.Mock",
            "AddSession",
            &(name, "seat0", 1000u32, "somebody", true),
        )
        .await;
    }

    /// What a desktop's lock tells logind.
    async fn lock_screen(&self, session: &str, locked: bool) {
        let path = format!("/org/freedesktop/login1/session/{session}");
        self.mock(&path, "org.freedesktop.login1.Session", "SetLockedHint", &locked)
            .await;
    }

    async fn mock<B: serde::Serialize + zbus::DynamicType>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) {
        self.connect()
            .await
            .call_method(
                Some("org.freedesktop.login1"),
                path,
                Some(interface),
                method,
                body,
            )
            .await
            .unwrap();
    }

    async fn try_inhibitors(&self, connection: &zbus::Connection) -> Option<Vec<Inhibitor>> {
        let reply = connection
            .call_method(
                Some("org.freedesktop.login1"),
                "/org/freedesktop/login1",
                Some("org.freedesktop.login1.Manager"),
                "ListInhibitors",
                &(),
            )
            .await
            .ok()?;
        // An empty Python list has no type; the mock then answers with whatever signature.
        Some(reply.body().deserialize().unwrap_or_default())
    }

    async fn locks_become(&self, count: usize) {
        let connection = self.connect().await;
        let mut seen = None;
        for _ in 0..100 {
            seen = self.try_inhibitors(&connection).await;
            if seen.as_ref().is_some_and(|locks| locks.len() == count) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{count} delay locks expected, there are {seen:?}");
    }

    fn options(&self, clock: &Arc<ManualClock>) -> Options {
        Options {
            network: false,
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            system_bus: Some(self.address()),
            tick: None,
            ..Options::new("Dormouse", "to save messages")
        }
    }
}

async fn appears(path: &Path) {
    for _ in 0..200 {
        if path.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{} did not appear", path.display());
}

async fn within(watch: &mut Watch, time: Duration) -> Option<Event> {
    tokio::time::timeout(time, watch.next()).await.ok().flatten()
}

async fn next(watch: &mut Watch) -> Event {
    within(watch, Duration::from_secs(20)).await.expect("an event")
}

async fn nothing(watch: &mut Watch) {
    let event = within(watch, Duration::from_millis(400)).await;
    assert!(event.is_none(), "{event:?}");
}

/// Reads until this source has said how it is.
async fn source(watch: &mut Watch, wanted: Source) -> SourceState {
    loop {
        match next(watch).await {
            Event::Source { source, state } if source == wanted => return state,
            Event::Source { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The next word of the screen, whatever is said of sources before.
async fn screen(watch: &mut Watch) -> Screen {
    loop {
        match next(watch).await {
            Event::Screen(screen) => return screen,
            Event::Source { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn suspending(watch: &mut Watch) -> Guard {
    match next(watch).await {
        Event::Suspending(guard) => guard,
        other => panic!("{other:?}"),
    }
}

async fn resumed(watch: &mut Watch) -> (Option<Duration>, Proof) {
    match next(watch).await {
        Event::Resumed { slept, proof } => (slept, proof),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_is_held_released_with_the_guard_and_taken_again_after_each_resume() {
    let bus = Bus::start().await;
    let clock = Arc::new(ManualClock::default());
    let mut watch = watch(bus.options(&clock));
    assert_eq!(source(&mut watch, Source::DelayLock).await, SourceState::Working);
    let connection = bus.connect().await;
    for sleep in [40, 7] {
        bus.locks_become(1).await;
        let lock = bus.try_inhibitors(&connection).await.unwrap().remove(0);
        assert_eq!(
            (lock.0.as_str(), lock.1.as_str(), lock.3.as_str()),
            ("sleep", "Dormouse", "delay")
        );

        bus.prepare_for_sleep(true).await;
        let guard = suspending(&mut watch).await;
        assert!(guard.holds());
        assert_eq!(guard.granted(), Duration::from_millis(4_500));
        tokio::time::sleep(Duration::from_millis(200)).await;
        bus.locks_become(1).await;
        drop(guard);
        bus.locks_become(0).await;

        clock.sleep(Duration::from_secs(sleep));
        bus.prepare_for_sleep(false).await;
        assert_eq!(
            resumed(&mut watch).await,
            (Some(Duration::from_secs(sleep)), Proof::Signal)
        );
        nothing(&mut watch).await;
    }
    bus.locks_become(1).await;
    drop(watch);
    bus.locks_become(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_screen_is_told_at_the_start_and_each_change_once() {
    let bus = Bus::start().await;
    bus.add_session("auto").await;
    bus.lock_screen("auto", true).await;
    let mut watch = watch(bus.options(&Arc::default()));
    assert_eq!(source(&mut watch, Source::Screen).await, SourceState::Working);
    assert_eq!(screen(&mut watch).await, Screen::Locked);
    for (locked, told) in [(false, Screen::Unlocked), (true, Screen::Locked)] {
        bus.lock_screen("auto", locked).await;
        assert_eq!(screen(&mut watch).await, told);
        bus.lock_screen("auto", locked).await;
        nothing(&mut watch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_a_session_is_told_so_and_hears_of_sleep_all_the_same() {
    let bus = Bus::start().await;
    let mut watch = watch(bus.options(&Arc::default()));
    assert!(matches!(
        source(&mut watch, Source::Screen).await,
        SourceState::Missing(_)
    ));
    assert_eq!(source(&mut watch, Source::DelayLock).await, SourceState::Working);
    bus.prepare_for_sleep(true).await;
    assert!(suspending(&mut watch).await.holds());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_keeps_the_machine_awake_less_than_five_seconds() {
    let bus = Bus::start().await;
    let mut watch = watch(bus.options(&Arc::default()));
    assert_eq!(source(&mut watch, Source::DelayLock).await, SourceState::Working);
    bus.prepare_for_sleep(true).await;
    let guard = suspending(&mut watch).await;
    tokio::time::sleep(Duration::from_millis(4_600)).await;
    assert!(!guard.holds());
    bus.locks_become(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleep_that_clock_and_signal_both_tell_of_is_told_once() {
    let bus = Bus::start().await;
    let clock = Arc::new(ManualClock::default());
    let tick = Some(Duration::from_millis(2));
    let mut watch = watch(Options {
        tick,
        ..bus.options(&clock)
    });
    assert_eq!(source(&mut watch, Source::DelayLock).await, SourceState::Working);
    bus.prepare_for_sleep(true).await;
    drop(suspending(&mut watch).await);
    clock.sleep(Duration::from_secs(40));
    assert_eq!(
        resumed(&mut watch).await,
        (Some(Duration::from_secs(40)), Proof::Clock)
    );
    bus.prepare_for_sleep(false).await;
    nothing(&mut watch).await;
    bus.locks_become(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleep_that_is_called_off_lasts_zero_seconds() {
    let bus = Bus::start().await;
    let mut watch = watch(bus.options(&Arc::default()));
    assert_eq!(source(&mut watch, Source::DelayLock).await, SourceState::Working);
    bus.prepare_for_sleep(true).await;
    drop(suspending(&mut watch).await);
    bus.prepare_for_sleep(false).await;
    assert_eq!(resumed(&mut watch).await, (Some(Duration::ZERO), Proof::Signal));
    bus.locks_become(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_without_logind_is_reported_once_and_logind_is_found_when_it_comes() {
    let mut bus = Bus::prepare();
    bus.start_bus().await;
    let mut watch = watch(bus.options(&Arc::default()));
    let SourceState::Missing(why) = source(&mut watch, Source::SleepSignal).await else {
        panic!("nobody is there")
    };
    assert!(why.contains("logind"), "{why}");
    assert!(
        within(&mut watch, Duration::from_millis(2_500)).await.is_none(),
        "said once, though tried again"
    );
    bus.start_logind().await;
    assert_eq!(
        source(&mut watch, Source::SleepSignal).await,
        SourceState::Working
    );
    bus.locks_become(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_goes_away_is_reported_and_found_again() {
    let mut bus = Bus::start().await;
    let mut watch = watch(bus.options(&Arc::default()));
    assert_eq!(source(&mut watch, Source::DelayLock).await, SourceState::Working);
    bus.processes.clear();
    assert!(matches!(
        source(&mut watch, Source::SleepSignal).await,
        SourceState::Missing(_)
    ));
    nothing(&mut watch).await;
    bus.start_bus().await;
    bus.start_logind().await;
    assert_eq!(
        source(&mut watch, Source::SleepSignal).await,
        SourceState::Working
    );
    assert_eq!(source(&mut watch, Source::DelayLock).await, SourceState::Working);
    bus.locks_become(1).await;
    bus.prepare_for_sleep(true).await;
    assert!(suspending(&mut watch).await.holds());
}

#[tokio::test]
async fn a_missing_bus_is_reported_once_and_the_clock_goes_on() {
    let clock = Arc::new(ManualClock::default());
    let mut watch = watch(Options {
        network: false,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        system_bus: Some("unix:path=/nonexistent/bus".into()),
        tick: Some(Duration::from_millis(2)),
        ..Options::new("test", "test")
    });
    assert!(matches!(
        source(&mut watch, Source::SleepSignal).await,
        SourceState::Missing(_)
    ));
    assert!(
        within(&mut watch, Duration::from_millis(1_500)).await.is_none(),
        "said once, though tried again"
    );
    clock.sleep(Duration::from_secs(3));
    assert_eq!(
        resumed(&mut watch).await,
        (Some(Duration::from_secs(3)), Proof::Clock)
    );
}

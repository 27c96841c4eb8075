//! Windows' word before and after a sleep, by `PowerRegisterSuspendResumeNotification` with a callback: no window is needed.
//!
//! `PBT_APMSUSPEND` comes before a sleep, a hibernation and, since Windows 8, before Modern Standby has programs frozen. The system waits for
//! the callback to return, two seconds at most. `PBT_APMRESUMEAUTOMATIC` comes after every sleep, `PBT_APMRESUMESUSPEND` after it if somebody
//! is there. A Modern Standby that only dims the screen, before programs are frozen, is not reported and is no sleep.

use std::ffi::c_void;
use std::io;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use windows_sys::Win32::Foundation::{ERROR_SUCCESS, WIN32_ERROR};
use windows_sys::Win32::System::Power::{
    DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS, PowerRegisterSuspendResumeNotification,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    DEVICE_NOTIFY_CALLBACK, PBT_APMRESUMEAUTOMATIC, PBT_APMRESUMECRITICAL, PBT_APMRESUMESUSPEND,
    PBT_APMSUSPEND,
};

use crate::listeners::Listeners;

/// A tenth less than Windows waits.
pub(super) const GRANTED: Duration = Duration::from_millis(1_800);

/// What Windows says of its power.
#[derive(Debug)]
pub(super) enum Word {
    /// About to sleep; dropping what is in there says "ready".
    Suspending(#[allow(dead_code)] SyncSender<()>),
    /// Awake again.
    Awake,
}

static LISTENERS: Listeners<Word> = Listeners::new();

/// Hears every word from now on.
///
/// # Errors
///
/// If Windows refuses the registration, which is tried once in the life of the process.
pub(super) fn listen() -> io::Result<UnboundedReceiver<Word>> {
    static REGISTERED: OnceLock<WIN32_ERROR> = OnceLock::new();
    let heard = LISTENERS.listen();
    match *REGISTERED.get_or_init(register) {
        ERROR_SUCCESS => Ok(heard),
        error => Err(io::Error::from_raw_os_error(error.cast_signed())),
    }
}

#[allow(unsafe_code)]
fn register() -> WIN32_ERROR {
    let mut recipient = DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS {
        Callback: Some(told),
        Context: null_mut(),
    };
    let mut registration = null_mut();
    // SAFETY: both pointers are valid during the call, which copies what they point at; the callback is a function of this program, uses
    // no context, and is registered until the process ends.
    unsafe {
        PowerRegisterSuspendResumeNotification(
            DEVICE_NOTIFY_CALLBACK,
            (&raw mut recipient).cast(),
            &raw mut registration,
        )
    }
}

/// Called by Windows, on a thread of its own.
#[allow(unsafe_code)]
unsafe extern "system" fn told(_: *const c_void, kind: u32, _: *const c_void) -> u32 {
    match kind {
        PBT_APMSUSPEND => {
            let (ready, all_ready) = sync_channel::<()>(0);
            LISTENERS.tell(|| Word::Suspending(ready.clone()));
            drop(ready);
            // Ends at once when the last listener has dropped its own.
            let _ = all_ready.recv_timeout(GRANTED);
        }
        PBT_APMRESUMEAUTOMATIC | PBT_APMRESUMESUSPEND | PBT_APMRESUMECRITICAL => {
            LISTENERS.tell(|| Word::Awake);
        }
        _ => {}
    }
    ERROR_SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Options, Proof, watch};
    use std::time::Instant;

    /// As Windows says it.
    #[allow(unsafe_code)]
    fn say(kind: u32) {
        // SAFETY: the callback uses neither pointer.
        unsafe { told(null_mut(), kind, null_mut()) };
    }

    /// The next event but those of the screen, of which the hidden window's test speaks at the same time.
    async fn next(watch: &mut crate::Watch) -> Option<Event> {
        loop {
            match watch.next().await {
                Some(Event::Screen(_)) => {}
                event => return event,
            }
        }
    }

    /// One test, for the words reach everybody in the process.
    #[tokio::test(flavor = "multi_thread")]
    async fn windows_waits_for_the_guard_but_not_for_ever_and_one_sleep_is_one_resume() {
        let mut watch = watch(Options {
            network: false,
            ..Options::new("test", "test")
        });
        let mut heard = listen().expect("Windows registers the callback");
        // Until it listens nothing is said.
        while !matches!(
            next(&mut watch).await,
            Some(Event::Source {
                source: crate::Source::Screen,
                ..
            })
        ) {}

        let speaker = std::thread::spawn(|| {
            let begun = Instant::now();
            say(PBT_APMSUSPEND);
            begun.elapsed()
        });
        let Some(Event::Suspending(guard)) = next(&mut watch).await else {
            panic!("the sleep is announced")
        };
        assert_eq!(guard.granted(), GRANTED);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(guard.holds() && !speaker.is_finished());
        drop(guard);
        assert!(!speaker.is_finished(), "the second listener has its own guard");
        drop(heard.recv().await);
        let waited = speaker.join().unwrap();
        assert!(
            waited >= Duration::from_millis(300) && waited < GRANTED,
            "{waited:?}"
        );

        say(PBT_APMRESUMEAUTOMATIC);
        say(PBT_APMRESUMESUSPEND);
        let Some(Event::Resumed {
            slept: Some(slept),
            proof: Proof::Signal,
        }) = next(&mut watch).await
        else {
            panic!("the resume is told")
        };
        assert!(
            slept >= Duration::from_millis(250) && slept < Duration::from_secs(60),
            "from word to word: {slept:?}"
        );
        let more = tokio::time::timeout(Duration::from_millis(300), next(&mut watch)).await;
        assert!(more.is_err(), "{more:?}");

        drop(heard);
        let begun = Instant::now();
        let speaker = std::thread::spawn(|| say(PBT_APMSUSPEND));
        let Some(Event::Suspending(forgotten)) = next(&mut watch).await else {
            panic!("the next sleep is announced")
        };
        speaker.join().unwrap();
        assert!(begun.elapsed() < GRANTED + Duration::from_secs(1));
        drop(forgotten);
    }
}

//! macOS' word before and after a sleep (`IORegisterForSystemPower`), and of the screen (distributed notifications), on one thread
//! with a run loop.
//!
//! `kIOMessageSystemWillSleep` comes before a sleep that nobody can refuse any more; the system waits for each listener's
//! `IOAllowPowerChange`, 30 s at most. `kIOMessageCanSystemSleep`, which asks whether it may fall asleep for want of use, is allowed at once.
//! `kIOMessageSystemHasPoweredOn` comes when it is awake for somebody. Of a dark wake (mail is fetched with the screen off) nothing is
//! said; the clocks tell.
//!
//! The screen's notifications (`com.apple.screenIsLocked`, `…IsUnlocked`) are not documented but old and widely used. They are handed out by the main
//! thread's run loop: a program without one (a terminal's) does not hear them.

use std::ffi::c_void;
use std::io;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use objc2_core_foundation::{
    CFDictionary, CFNotificationCenter, CFNotificationName, CFNotificationSuspensionBehavior, CFRunLoop,
    CFString, kCFRunLoopDefaultMode,
};
use objc2_io_kit::{
    IOAllowPowerChange, IONotificationPort, IONotificationPortRef, IORegisterForSystemPower, io_service_t,
};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::event::Screen;
use crate::listeners::Listeners;

/// Far less than macOS waits: a lid that was closed should be followed by sleep.
pub(super) const GRANTED: Duration = Duration::from_secs(5);

/// `iokit_common_msg` of `<IOKit/IOMessage.h>`, which are macros there.
const CAN_SYSTEM_SLEEP: u32 = 0xe000_0270;
const SYSTEM_WILL_SLEEP: u32 = 0xe000_0280;
const SYSTEM_HAS_POWERED_ON: u32 = 0xe000_0300;

/// What macOS says.
#[derive(Debug)]
pub(super) enum Word {
    /// About to sleep; dropping what is in there says "ready".
    Suspending(Arc<Ready>),
    /// Awake again.
    Awake,
    /// How the screen is.
    Screen(Screen),
}

static LISTENERS: Listeners<Word> = Listeners::new();
/// Our connection to the root power domain: to whom the answers go.
static ROOT: AtomicU32 = AtomicU32::new(0);

/// The answer that macOS waits for, given when it is dropped.
#[derive(Debug)]
pub(super) struct Ready {
    notification: isize,
}

impl Drop for Ready {
    fn drop(&mut self) {
        // Nothing can be done about a refusal: the system then sleeps after its 30 s.
        let _ = IOAllowPowerChange(ROOT.load(Ordering::SeqCst), self.notification);
    }
}

/// Hears every word from now on.
///
/// # Errors
///
/// If macOS refuses the registration, which is tried once in the life of the process.
pub(super) fn listen() -> io::Result<UnboundedReceiver<Word>> {
    static REGISTERED: OnceLock<Option<String>> = OnceLock::new();
    let heard = LISTENERS.listen();
    match REGISTERED.get_or_init(|| register().err().map(|error| error.to_string())) {
        None => Ok(heard),
        Some(error) => Err(io::Error::other(error.clone())),
    }
}

/// Starts the thread and waits until it is registered.
fn register() -> io::Result<()> {
    let (registered, outcome) = channel();
    thread::Builder::new()
        .name("wake-power".into())
        .spawn(move || attend(&registered))?;
    outcome.recv().map_err(io::Error::other)?
}

#[allow(unsafe_code)]
fn attend(registered: &Sender<io::Result<()>>) {
    let mut port: IONotificationPortRef = null_mut();
    let mut notifier = 0;
    // SAFETY: both places are valid during the call; the callback is a function of this program, uses no context, and is
    // registered until the process ends.
    let root =
        unsafe { IORegisterForSystemPower(null_mut(), &raw mut port, Some(power_told), &raw mut notifier) };
    // SAFETY: after success the port is one, and it is never destroyed.
    let source = (root != 0)
        .then(|| unsafe { IONotificationPort::run_loop_source(port) })
        .flatten();
    let (Some(source), Some(run_loop)) = (source, CFRunLoop::current()) else {
        let refused = io::Error::other("the root power domain does not answer");
        let _ = registered.send(Err(refused));
        return;
    };
    ROOT.store(root, Ordering::SeqCst);
    // SAFETY: the name of the mode is a constant of Core Foundation.
    run_loop.add_source(Some(&source), unsafe { kCFRunLoopDefaultMode });
    watch_the_screen();
    if registered.send(Ok(())).is_ok() {
        CFRunLoop::run();
    }
}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn power_told(_: *mut c_void, _: io_service_t, kind: u32, argument: *mut c_void) {
    // Not a pointer but the notification's number.
    let notification = argument.addr().cast_signed();
    match kind {
        CAN_SYSTEM_SLEEP => drop(Ready { notification }),
        SYSTEM_WILL_SLEEP => {
            // Given by whoever is ready last; at once if nobody listens.
            let ready = Arc::new(Ready { notification });
            LISTENERS.tell(|| Word::Suspending(Arc::clone(&ready)));
        }
        SYSTEM_HAS_POWERED_ON => LISTENERS.tell(|| Word::Awake),
        _ => {}
    }
}

const LOCKED: &str = "com.apple.screenIsLocked";
const UNLOCKED: &str = "com.apple.screenIsUnlocked";

#[allow(unsafe_code)]
fn watch_the_screen() {
    let Some(center) = CFNotificationCenter::distributed_center() else {
        return;
    };
    for name in [LOCKED, UNLOCKED] {
        // SAFETY: the callback is a function of this program and uses neither observer nor object.
        unsafe {
            center.add_observer(
                null(),
                Some(screen_told),
                Some(&CFString::from_str(name)),
                null(),
                CFNotificationSuspensionBehavior::DeliverImmediately,
            );
        }
    }
}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn screen_told(
    _: *mut CFNotificationCenter,
    _: *mut c_void,
    name: *const CFNotificationName,
    _: *const c_void,
    _: *const CFDictionary,
) {
    // SAFETY: the name is valid during the call, or null.
    let Some(name) = (unsafe { name.as_ref() }) else {
        return;
    };
    match name.to_string().as_str() {
        LOCKED => LISTENERS.tell(|| Word::Screen(Screen::Locked)),
        UNLOCKED => LISTENERS.tell(|| Word::Screen(Screen::Unlocked)),
        _ => {}
    }
}

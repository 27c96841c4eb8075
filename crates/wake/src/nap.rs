//! App Nap held off.
//!
//! macOS slows down a program of which nothing can be seen: its timers come minutes late and its sockets are served when it suits. A program that
//! keeps a connection alive says so with an activity (`NSProcessInfo`'s `beginActivityWithOptions:reason:`). The machine may still sleep.

/// While one of these lives, macOS does not slow this program down for being out of sight. Nothing on other systems: none of them does so to
/// programs of the desktop without being told to.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Wakeful {
    #[cfg(target_os = "macos")]
    _activity: activity::Activity,
}

impl Wakeful {
    /// Begins. `reason`: why, as the system's tools show it.
    pub fn new(reason: &str) -> Self {
        #[cfg(not(target_os = "macos"))]
        let _ = reason;
        Self {
            #[cfg(target_os = "macos")]
            _activity: activity::Activity::begin(reason),
        }
    }
}

#[cfg(target_os = "macos")]
mod activity {
    use objc2::rc::Retained;
    use objc2::runtime::{NSObjectProtocol, ProtocolObject};
    use objc2_foundation::{NSActivityOptions, NSProcessInfo, NSString};

    #[derive(Debug)]
    pub(super) struct Activity(Retained<ProtocolObject<dyn NSObjectProtocol>>);

    // SAFETY: an activity is an opaque token that is only kept and given back, and NSProcessInfo may be used from any thread.
    #[allow(unsafe_code)]
    unsafe impl Send for Activity {}
    // SAFETY: as above; nothing can be done with a reference.
    #[allow(unsafe_code)]
    unsafe impl Sync for Activity {}

    impl Activity {
        pub(super) fn begin(reason: &str) -> Self {
            Self(NSProcessInfo::processInfo().beginActivityWithOptions_reason(
                NSActivityOptions::UserInitiatedAllowingIdleSystemSleep,
                &NSString::from_str(reason),
            ))
        }
    }

    impl Drop for Activity {
        #[allow(unsafe_code)]
        fn drop(&mut self) {
            // SAFETY: it is the token that `begin` was given, and it is given back once.
            unsafe { NSProcessInfo::processInfo().endActivity(&self.0) };
        }
    }
}

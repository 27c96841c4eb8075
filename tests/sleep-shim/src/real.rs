//! The functions of libc that stand behind ours, found by the dynamic linker.

use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use core::mem::transmute_copy;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

use libc::{clockid_t, epoll_event, itimerspec, nfds_t, pollfd, sigset_t, timespec};

/// The next definition of a C function after ours. `F` is its type, always an `extern "C"` pointer.
pub(crate) struct Real<F> {
    name: &'static CStr,
    /// glibc keeps old and new condition variables under one name; `dlsym` may answer with the old.
    version: Option<&'static CStr>,
    found: AtomicPtr<c_void>,
    kind: core::marker::PhantomData<F>,
}

impl<F: Copy> Real<F> {
    const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            version: None,
            found: AtomicPtr::new(null_mut()),
            kind: core::marker::PhantomData,
        }
    }

    const fn versioned(name: &'static CStr, version: &'static CStr) -> Self {
        Self {
            name,
            version: Some(version),
            found: AtomicPtr::new(null_mut()),
            kind: core::marker::PhantomData,
        }
    }

    /// The function, or `None` (with errno ENOSYS) where this libc has none.
    pub(crate) fn get(&self) -> Option<F> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let mut found = self.found.load(Ordering::Acquire);
        if found.is_null() {
            found = self.look_up();
            self.found.store(found, Ordering::Release);
        }
        if found.is_null() {
            set_errno(libc::ENOSYS);
            return None;
        }
        // SAFETY: `F` is a function pointer (same size, checked above) of the type that the C function of
        // this name has; `found` is not null and code is never unmapped from under libc.
        Some(unsafe { transmute_copy::<*mut c_void, F>(&found) })
    }

    fn look_up(&self) -> *mut c_void {
        if let Some(version) = self.version {
            // SAFETY: both names are C strings; RTLD_NEXT is valid in a shared library.
            let found = unsafe { dlvsym(libc::RTLD_NEXT, self.name.as_ptr(), version.as_ptr()) };
            if !found.is_null() {
                return found;
            }
        }
        // SAFETY: as above.
        unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) }
    }
}

#[link(name = "dl")]
unsafe extern "C" {
    fn dlvsym(handle: *mut c_void, symbol: *const c_char, version: *const c_char) -> *mut c_void;
}

pub(crate) fn errno() -> c_int {
    // SAFETY: libc's errno of this thread, always there.
    unsafe { *libc::__errno_location() }
}

pub(crate) fn set_errno(value: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value }
}

#[cfg(target_arch = "x86_64")]
const CONDITION_VERSION: &CStr = c"GLIBC_2.3.2";
#[cfg(not(target_arch = "x86_64"))]
const CONDITION_VERSION: &CStr = c"GLIBC_2.17";

type Condition = *mut libc::pthread_cond_t;
type Mutex = *mut libc::pthread_mutex_t;

pub(crate) type ClockGettime = unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int;
pub(crate) type ClockNanosleep =
    unsafe extern "C" fn(clockid_t, c_int, *const timespec, *mut timespec) -> c_int;
pub(crate) type EpollWait = unsafe extern "C" fn(c_int, *mut epoll_event, c_int, c_int) -> c_int;
pub(crate) type EpollPwait =
    unsafe extern "C" fn(c_int, *mut epoll_event, c_int, c_int, *const sigset_t) -> c_int;
pub(crate) type EpollPwait2 =
    unsafe extern "C" fn(c_int, *mut epoll_event, c_int, *const timespec, *const sigset_t) -> c_int;
pub(crate) type Poll = unsafe extern "C" fn(*mut pollfd, nfds_t, c_int) -> c_int;
pub(crate) type Ppoll = unsafe extern "C" fn(*mut pollfd, nfds_t, *const timespec, *const sigset_t) -> c_int;
pub(crate) type TimerfdCreate = unsafe extern "C" fn(clockid_t, c_int) -> c_int;
pub(crate) type TimerfdSettime =
    unsafe extern "C" fn(c_int, c_int, *const itimerspec, *mut itimerspec) -> c_int;
pub(crate) type CondTimedwait = unsafe extern "C" fn(Condition, Mutex, *const timespec) -> c_int;
pub(crate) type CondClockwait = unsafe extern "C" fn(Condition, Mutex, clockid_t, *const timespec) -> c_int;
pub(crate) type Syscall = unsafe extern "C" fn(c_long, ...) -> c_long;

pub(crate) static CLOCK_GETTIME: Real<ClockGettime> = Real::new(c"clock_gettime");
pub(crate) static CLOCK_NANOSLEEP: Real<ClockNanosleep> = Real::new(c"clock_nanosleep");
pub(crate) static EPOLL_WAIT: Real<EpollWait> = Real::new(c"epoll_wait");
pub(crate) static EPOLL_PWAIT: Real<EpollPwait> = Real::new(c"epoll_pwait");
pub(crate) static EPOLL_PWAIT2: Real<EpollPwait2> = Real::new(c"epoll_pwait2");
pub(crate) static POLL: Real<Poll> = Real::new(c"poll");
pub(crate) static PPOLL: Real<Ppoll> = Real::new(c"ppoll");
pub(crate) static TIMERFD_CREATE: Real<TimerfdCreate> = Real::new(c"timerfd_create");
pub(crate) static TIMERFD_SETTIME: Real<TimerfdSettime> = Real::new(c"timerfd_settime");
pub(crate) static COND_TIMEDWAIT: Real<CondTimedwait> =
    Real::versioned(c"pthread_cond_timedwait", CONDITION_VERSION);
pub(crate) static COND_CLOCKWAIT: Real<CondClockwait> = Real::new(c"pthread_cond_clockwait");
pub(crate) static SYSCALL: Real<Syscall> = Real::new(c"syscall");

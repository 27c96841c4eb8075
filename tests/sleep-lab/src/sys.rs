//! The system calls that std has no words for. All of this crate's unsafe code is here.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// Moves the calling thread into a network namespace.
#[allow(unsafe_code)]
pub(crate) fn enter(namespace: &File) -> io::Result<()> {
    // SAFETY: takes a descriptor that is open for the length of the call.
    check(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }).map(drop)
}

/// Lets a program start inside a network namespace. It is the program itself that is started, not a
/// wrapper, so its process id is the one to stop.
#[allow(unsafe_code)]
pub(crate) fn start_inside(command: &mut Command, namespace: File) {
    // SAFETY: between fork and exec only setns(2) is called, which is async-signal-safe.
    unsafe { command.pre_exec(move || enter(&namespace)) };
}

/// A TUN device of this name in the calling thread's namespace: IPv4 packets without any header, one
/// per read and write, never blocking.
#[allow(unsafe_code)]
pub(crate) fn open_tun(name: &str) -> io::Result<File> {
    let name = CString::new(name)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/net/tun")?;
    // SAFETY: an ifreq of zeroes is a valid one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays 0.
    for (to, from) in request.ifr_name[..libc::IFNAMSIZ - 1]
        .iter_mut()
        .zip(name.as_bytes())
    {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF takes a pointer to an ifreq, which lives through the call.
    check(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) })?;
    Ok(file)
}

/// Waits until one of the files can be read or the time is over (`None`: for ever).
#[allow(unsafe_code)]
pub(crate) fn wait_readable<const N: usize>(
    files: [BorrowedFd<'_>; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled = files.map(|file| libc::pollfd {
        fd: file.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    });
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: N entries, and a timeout that is null or lives through the call; no signal mask.
    let answer = unsafe { libc::ppoll(polled.as_mut_ptr(), N as libc::nfds_t, timeout, std::ptr::null()) };
    match check(answer) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok([false; N]),
        Err(error) => Err(error),
        Ok(_) => Ok(polled.map(|file| file.revents != 0)),
    }
}

/// Sends a signal to a process.
#[allow(unsafe_code)]
pub(crate) fn signal(pid: u32, signal: libc::c_int) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 1);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: takes two numbers; the process id is a single process, not a group.
    check(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Whether this process is root, which namespaces and devices need.
#[allow(unsafe_code)]
pub(crate) fn is_root() -> bool {
    // SAFETY: always succeeds.
    unsafe { libc::geteuid() == 0 }
}

/// Sets the wall clock, by one nanosecond. It is what tells timers with TFD_TIMER_CANCEL_ON_SET, which a
/// suspend cancels on resume, and the only such event that a machine which stays awake can give.
#[allow(unsafe_code)]
pub(crate) fn set_wall_clock() -> io::Result<()> {
    // SAFETY: a timex of zeroes is a valid one.
    let mut change: libc::timex = unsafe { std::mem::zeroed() };
    change.modes = libc::ADJ_SETOFFSET | libc::ADJ_NANO;
    change.time.tv_usec = 1;
    // SAFETY: the structure lives through the call.
    check(unsafe { libc::adjtimex(&raw mut change) }).map(drop)
}

fn check(answer: libc::c_int) -> io::Result<libc::c_int> {
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::FromRawFd;

    use super::*;

    #[test]
    #[allow(unsafe_code)]
    fn setting_the_wall_clock_cancels_the_timers_that_a_suspend_cancels() {
        if crate::skipped() {
            return;
        }
        // SAFETY: a fresh descriptor that nothing else owns.
        let mut timer = unsafe {
            File::from_raw_fd(check(libc::timerfd_create(libc::CLOCK_REALTIME, libc::TFD_NONBLOCK)).unwrap())
        };
        // SAFETY: a setting of zeroes is a valid one.
        let mut never: libc::itimerspec = unsafe { std::mem::zeroed() };
        never.it_value.tv_sec = 1 << 33;
        let flags = libc::TFD_TIMER_ABSTIME | libc::TFD_TIMER_CANCEL_ON_SET;
        // SAFETY: the setting lives through the call; the old one is not asked for.
        check(unsafe {
            libc::timerfd_settime(timer.as_raw_fd(), flags, &raw const never, std::ptr::null_mut())
        })
        .unwrap();
        set_wall_clock().unwrap();
        let error = timer.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
    }
}

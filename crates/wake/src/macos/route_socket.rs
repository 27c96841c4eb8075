//! Addresses and routes from macOS' kernel.
//!
//! A routing socket (route(4)) only says that something changed; what is true is then read as a whole: addresses of the
//! interfaces that run (getifaddrs(3)) and the routes (sysctl(3), `NET_RT_DUMP`).

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::io;
use std::mem::{offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::null_mut;

use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::Sender;

use crate::event::Event;
use crate::network::{Effect, NetworkState, counts};
use crate::network_news::{Network, tell_of};
use crate::route_message::{ROUTE_HEADER, default_routes, effect_of};

/// More than one notification ever is.
const DATAGRAM: usize = 4 * 1024;
/// The routes can grow between two calls, though not for ever.
const TRIES: usize = 5;

// Where `route_message` looks.
const _: () = assert!(
    size_of::<libc::rt_msghdr>() == ROUTE_HEADER
        && offset_of!(libc::rt_msghdr, rtm_index) == 4
        && offset_of!(libc::rt_msghdr, rtm_flags) == 8
        && offset_of!(libc::rt_msghdr, rtm_addrs) == 12
        && size_of::<libc::ifa_msghdr>() == 20
        && offset_of!(libc::ifa_msghdr, ifam_addrs) == 4
);

/// Tells of changes for ever, or until nobody listens.
pub(crate) async fn network(events: Sender<Event>) {
    tell_of(events, RouteSocket::open).await;
}

struct RouteSocket(AsyncFd<OwnedFd>);

impl RouteSocket {
    /// `AsyncFd::new` is deprecated because any `AsRawFd` may pass for a descriptor; an `OwnedFd` is one and stays one.
    #[allow(unsafe_code, deprecated)]
    fn open() -> io::Result<Self> {
        // SAFETY: plain system calls; the new descriptor belongs to nobody else.
        let socket = unsafe {
            let socket = checked(libc::socket(libc::PF_ROUTE, libc::SOCK_RAW, 0))?;
            OwnedFd::from_raw_fd(socket)
        };
        // SAFETY: the descriptor is open, and these commands take numbers.
        unsafe {
            let flags = checked(libc::fcntl(socket.as_raw_fd(), libc::F_GETFL))?;
            checked(libc::fcntl(
                socket.as_raw_fd(),
                libc::F_SETFL,
                flags | libc::O_NONBLOCK,
            ))?;
            checked(libc::fcntl(socket.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC))?;
        }
        Ok(Self(AsyncFd::new(socket)?))
    }
}

fn checked(outcome: libc::c_int) -> io::Result<libc::c_int> {
    if outcome < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(outcome)
    }
}

impl Network for RouteSocket {
    async fn read(&mut self) -> io::Result<(NetworkState, Effect)> {
        let Interfaces { addresses, running } = interfaces()?;
        let default_routes = default_routes(&routes()?)
            .into_iter()
            .filter(|route| running.contains(&route.interface))
            .collect();
        let state = NetworkState {
            addresses,
            default_routes,
        };
        Ok((state, Effect::None))
    }

    async fn notice(&mut self) -> io::Result<Effect> {
        loop {
            let mut ready = self.0.readable().await?;
            let mut datagram = [0u8; DATAGRAM];
            match ready.try_io(|socket| receive(socket.get_ref(), &mut datagram)) {
                Ok(Ok(length)) => return Ok(effect_of(&datagram[..length])),
                // Some did not fit into the socket's buffer and are lost.
                Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => return Ok(Effect::Stale),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
    }
}

#[allow(unsafe_code)]
fn receive(socket: &OwnedFd, datagram: &mut [u8]) -> io::Result<usize> {
    // SAFETY: so many writable bytes are there.
    let length = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            datagram.as_mut_ptr().cast(),
            datagram.len(),
            0,
        )
    };
    usize::try_from(length).map_err(|_| io::Error::last_os_error())
}

#[derive(Debug, Default)]
struct Interfaces {
    /// Usable ones, of interfaces that run.
    addresses: BTreeSet<IpAddr>,
    /// The indices of interfaces that run. Without the loopback.
    running: BTreeSet<u32>,
}

#[allow(unsafe_code)]
fn interfaces() -> io::Result<Interfaces> {
    const RUNS: u32 = (libc::IFF_UP | libc::IFF_RUNNING).cast_unsigned();
    const LOOPBACK: u32 = libc::IFF_LOOPBACK.cast_unsigned();
    let mut found = Interfaces::default();
    let mut first = null_mut();
    // SAFETY: after success the list's pointers are null or valid until it is freed, names end with a zero, and an address is as long
    // as its family says.
    unsafe {
        checked(libc::getifaddrs(&raw mut first))?;
        let mut next = first.cast_const();
        while let Some(entry) = next.as_ref() {
            next = entry.ifa_next;
            if entry.ifa_flags & RUNS != RUNS || entry.ifa_flags & LOOPBACK != 0 {
                continue;
            }
            let name = CStr::from_ptr(entry.ifa_name);
            found.running.insert(libc::if_nametoindex(name.as_ptr()));
            let address = ip(entry.ifa_addr);
            found.addresses.extend(address.filter(|address| counts(*address)));
        }
        libc::freeifaddrs(first);
    }
    Ok(found)
}

/// # Safety
///
/// The pointer is null or points at an address that is as long as its family says.
#[allow(unsafe_code)]
unsafe fn ip(address: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: as promised; copies are read without regard to alignment.
    unsafe {
        match i32::from(address.as_ref()?.sa_family) {
            libc::AF_INET => {
                let address = address.cast::<libc::sockaddr_in>().read_unaligned();
                Some(Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes()).into())
            }
            libc::AF_INET6 => {
                let address = address.cast::<libc::sockaddr_in6>().read_unaligned();
                Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
            }
            _ => None,
        }
    }
}

/// All routes, as the kernel dumps them.
#[allow(unsafe_code)]
fn routes() -> io::Result<Vec<u8>> {
    let mut what = [libc::CTL_NET, libc::PF_ROUTE, 0, 0, libc::NET_RT_DUMP, 0];
    let mut ask = |into: *mut u8, length: &mut usize| {
        // SAFETY: `what` has as many words as are said; `into` is null (only the length is asked for) or has `length` writable bytes.
        checked(unsafe { libc::sysctl(what.as_mut_ptr(), 6, into.cast(), &raw mut *length, null_mut(), 0) })
    };
    for _ in 0..TRIES {
        let mut length = 0;
        ask(null_mut(), &mut length)?;
        // Some room for routes that come in between.
        length += length / 4 + 1024;
        let mut dump = vec![0; length];
        match ask(dump.as_mut_ptr(), &mut length) {
            Ok(_) => {
                dump.truncate(length);
                return Ok(dump);
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("the routes change faster than they can be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_answers_with_a_state_that_hangs_together() {
        let mut socket = RouteSocket::open().expect("a routing socket");
        let (state, _) = socket.read().await.expect("addresses and routes");
        assert!(state.addresses.iter().all(|address| counts(*address)));
    }
}

//! The lab itself: two namespaces, the relay between them, and the clock of the machine that sleeps.

use std::ffi::OsStr;
use std::io;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::namespace::{self, Namespace};
use crate::relay::{Relay, RelayThread};
use crate::sleeper::{SleepClock, Sleeper};
use crate::sys;

/// Path of the preloaded library that holds the clocks of a stopped program.
pub const SHIM: &str = env!("DORMOUSE_SLEEP_SHIM");

const DEVICE: &str = "lab0";
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// `ip netns add` races with itself when the folder of the names does not exist yet.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Why there is no lab, in a sentence.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The machine lacks something that the lab is made of.
    #[error(
        "the sleep lab needs {0}, which is missing here (leave its tests out with DORMOUSE_SKIP=namespaces)"
    )]
    Missing(String),
    /// `ip` refused.
    #[error("`ip {arguments}` failed: {said}")]
    Ip {
        /// What it was called with.
        arguments: String,
        /// What it printed.
        said: String,
    },
    /// A system call failed.
    #[error("{what}: {source}")]
    System {
        /// What could not be done.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
}

impl LabError {
    pub(crate) fn system(what: impl Into<String>, source: io::Error) -> Self {
        Self::System {
            what: what.into(),
            source,
        }
    }
}

/// Whether the tests that need namespaces are to be left out: DORMOUSE_SKIP, a list separated by commas
/// or spaces, contains `namespaces`.
pub fn skipped() -> bool {
    std::env::var("DORMOUSE_SKIP").is_ok_and(|list| names_namespaces(&list))
}

fn names_namespaces(list: &str) -> bool {
    list.split([',', ' ']).any(|name| name == "namespaces")
}

/// A client's machine and a server's machine with a network between them. All of it ends with this value,
/// programs that still run inside included.
pub struct Lab {
    // Dropped in this order: the devices leave before their namespaces.
    relay: RelayThread,
    clock: SleepClock,
    client: Namespace,
    server: Namespace,
}

impl Lab {
    /// Builds the lab, after taking away what killed labs have left behind.
    ///
    /// # Errors
    /// [`LabError::Missing`] where the machine can't have one, else what failed.
    pub fn new() -> Result<Self, LabError> {
        if !sys::is_root() {
            return Err(LabError::Missing("root".into()));
        }
        if let Err(error) = std::fs::metadata("/dev/net/tun") {
            return Err(LabError::Missing(format!("the device /dev/net/tun ({error})")));
        }
        let clock =
            SleepClock::new().map_err(|error| LabError::system("no file for the sleep clock", error))?;
        let (client, server) = {
            let _turn = ONE_AT_A_TIME
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            namespace::sweep();
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let new = |side| match Namespace::new(number, side) {
                Err(LabError::Ip { said, .. }) => {
                    Err(LabError::Missing(format!("network namespaces (ip: {said})")))
                }
                other => other,
            };
            (new("client")?, new("server")?)
        };
        let client_device = device(&client, CLIENT)?;
        let server_device = device(&server, SERVER)?;
        let relay = RelayThread::start(client_device, server_device)
            .map_err(|error| LabError::system("the relay does not start", error))?;
        Ok(Self {
            relay,
            clock,
            client,
            server,
        })
    }

    /// The lab, or `None` where DORMOUSE_SKIP leaves its tests out. A test that gets `None` returns at once.
    ///
    /// # Errors
    /// As [`Lab::new`].
    pub fn unless_skipped() -> Result<Option<Self>, LabError> {
        if skipped() {
            Ok(None)
        } else {
            Self::new().map(Some)
        }
    }

    /// Name of the client's namespace, for `ip netns exec` and `ip -n`.
    pub fn client_ns(&self) -> &str {
        self.client.name()
    }

    /// Name of the server's namespace.
    pub fn server_ns(&self) -> &str {
        self.server.name()
    }

    /// The client's address on the network between the two.
    pub fn client_address(&self) -> Ipv4Addr {
        CLIENT
    }

    /// The server's address on the network between the two.
    pub fn server_address(&self) -> Ipv4Addr {
        SERVER
    }

    /// The network between the two. Cloned, it may be commanded from any thread.
    pub fn relay(&self) -> &Relay {
        self.relay.handle()
    }

    /// The clock of the client's machine: all programs of [`Lab::client_command`] sleep by it.
    pub fn clock(&self) -> &SleepClock {
        &self.clock
    }

    /// A program for the client's namespace, under the shim. The child's process id is the program's own.
    ///
    /// # Errors
    /// When no descriptor is left.
    pub fn client_command(&self, program: impl AsRef<OsStr>) -> Result<Command, LabError> {
        let mut command = Command::new(program);
        self.clock.hold(&mut command);
        sys::start_inside(&mut command, self.client.file()?);
        Ok(command)
    }

    /// A program for the server's namespace, with its clocks as they are.
    ///
    /// # Errors
    /// When no descriptor is left.
    pub fn server_command(&self, program: impl AsRef<OsStr>) -> Result<Command, LabError> {
        let mut command = Command::new(program);
        sys::start_inside(&mut command, self.server.file()?);
        Ok(command)
    }

    /// Runs a closure in the client's namespace. Sockets made in it stay there and may be handed out.
    ///
    /// # Errors
    /// When the namespace can't be entered.
    pub fn in_client<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T, LabError> {
        self.client.inside(act)
    }

    /// Runs a closure in the server's namespace. Sockets made in it stay there and may be handed out.
    ///
    /// # Errors
    /// When the namespace can't be entered.
    pub fn in_server<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T, LabError> {
        self.server.inside(act)
    }

    /// Puts a program of [`Lab::client_command`] to sleep and wakes it, by its process id.
    pub fn sleeper(&self, pid: u32) -> Sleeper {
        Sleeper::new(pid, self.clock.clone(), self.relay().clone())
    }

    /// Takes the client's interface down: routes vanish and netlink says so, as when Wi-Fi goes.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn link_down(&self) -> Result<(), LabError> {
        self.client.ip(&["link", "set", DEVICE, "down"])
    }

    /// Brings the client's interface and its default route back.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn link_up(&self) -> Result<(), LabError> {
        up(&self.client)
    }
}

/// Gives a namespace its address and its end of the relay.
fn device(namespace: &Namespace, address: Ipv4Addr) -> Result<std::fs::File, LabError> {
    let file = namespace.inside(|| sys::open_tun(DEVICE))?;
    let file = file.map_err(|error| LabError::Missing(format!("a TUN device ({error})")))?;
    namespace.ip(&["link", "set", "lo", "up"])?;
    namespace.ip(&["address", "add", &format!("{address}/24"), "dev", DEVICE])?;
    // Else the kernel would send IPv6 discovery of its own into the counters.
    namespace.ip(&["link", "set", DEVICE, "addrgenmode", "none"])?;
    up(namespace)?;
    Ok(file)
}

fn up(namespace: &Namespace) -> Result<(), LabError> {
    namespace.ip(&["link", "set", DEVICE, "up"])?;
    namespace.ip(&["route", "replace", "default", "dev", DEVICE])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skip_list_names_namespaces_among_others() {
        assert!(names_namespaces("namespaces"));
        assert!(names_namespaces("servers,namespaces"));
        assert!(names_namespaces("servers namespaces"));
        assert!(!names_namespaces("servers"));
        assert!(!names_namespaces("nonamespaces"));
    }
}

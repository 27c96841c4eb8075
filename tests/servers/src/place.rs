//! Where a server runs: in our own network namespace on loopback, or in a named one on a given address.
//!
//! The sleep matrix keeps the server in one namespace and the client in another with a relay between them.

use crate::error::{Result, ServerError};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The network namespace and address that a server listens in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    namespace: Option<String>,
    address: IpAddr,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            namespace: None,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }
}

impl Place {
    /// A namespace made before by `ip netns add`, and the address to listen on there.
    pub fn namespace(name: impl Into<String>, address: IpAddr) -> Self {
        Self {
            namespace: Some(name.into()),
            address,
        }
    }

    /// The address that clients connect to.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The address as it stands in a URL.
    pub(crate) fn host(&self) -> String {
        match self.address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }
    }

    /// `program` as a command that runs in this place.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        match &self.namespace {
            None => Command::new(program),
            Some(name) => {
                // `ip netns exec` replaces itself by the program: signals reach it.
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name]).arg(program);
                command
            }
        }
    }

    /// Brings the namespace's loopback up: a fresh one has it down, and servers talk to themselves over it.
    pub(crate) fn prepare(&self) -> Result<()> {
        let Some(name) = &self.namespace else {
            return Ok(());
        };
        let output = Command::new("ip")
            .args(["-n", name, "link", "set", "lo", "up"])
            .output()
            .map_err(ServerError::io("`ip` cannot be run (package iproute2)"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(ServerError::new(format!(
            "The network namespace {name} cannot be used: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )))
    }

    /// Sends `request` to a port of this place and returns what comes back: `at_most` bytes, or all until the
    /// other side closes. `None` when nobody answers within a few seconds.
    pub(crate) fn exchange(&self, port: u16, request: &str, at_most: usize) -> Option<Vec<u8>> {
        match &self.namespace {
            None => exchange_here(SocketAddr::new(self.address, port), request, at_most),
            Some(name) => exchange_there(name, self.address, port, request, at_most),
        }
    }
}

fn exchange_here(to: SocketAddr, request: &str, at_most: usize) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.take(at_most as u64).read_to_end(&mut answer).ok()?;
    Some(answer)
}

/// A thread of ours could enter the namespace only by `unsafe` calls; bash can connect from there.
fn exchange_there(
    namespace: &str,
    address: IpAddr,
    port: u16,
    request: &str,
    at_most: usize,
) -> Option<Vec<u8>> {
    let script = format!("exec 3<>/dev/tcp/{address}/{port} && cat >&3 && head -c {at_most} <&3");
    let mut child = Command::new("ip")
        .args(["netns", "exec", namespace, "timeout", "7", "bash", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // A refused connection ends the script before it has read anything: that is no error of ours.
    let written = child
        .stdin
        .take()
        .map(|mut input| input.write_all(request.as_bytes()));
    let output = child.wait_with_output().ok()?;
    (matches!(written, Some(Ok(()))) && output.status.success()).then_some(output.stdout)
}

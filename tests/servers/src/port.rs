//! Loopback ports that stay ours.
//!
//! A port from the kernel (`bind` to 0) lies in the range from which outgoing connections take theirs: after a
//! server's stop any client on the machine may get it, and the restart fails. So ports are taken from below that
//! range, and a lock file per port keeps other test processes off it for as long as the [`Port`] lives.

use crate::error::{Result, ServerError};
use std::fs::{DirBuilder, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A TCP port reserved among all programs that take theirs from here.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Reserves a port that is free on 127.0.0.1 now.
    pub fn reserve() -> Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("dormouse-ports-{}", rustix::process::getuid().as_raw()));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(ServerError::io("The folder of port locks cannot be made"))?;
        // Different processes begin in different places; the lock decides, this only saves tries.
        let start = (std::process::id().wrapping_mul(131) % u32::from(COUNT)) as u16;
        for step in 0..COUNT {
            let number = FIRST + (start + step) % COUNT;
            let Ok(lock) = File::options()
                .create(true)
                .append(true)
                .open(folder.join(number.to_string()))
            else {
                continue;
            };
            if lock.try_lock().is_err() || TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_err() {
                continue;
            }
            return Ok(Self { number, _lock: lock });
        }
        Err(ServerError::new(
            "No free port between 20000 and 32000 on 127.0.0.1",
        ))
    }

    /// The port's number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_given_to_nobody_else_even_while_nothing_listens_on_it() {
        let ports: Vec<Port> = (0..20).map(|_| Port::reserve().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 20);
    }
}

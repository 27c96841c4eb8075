//! The laboratory in which real programs live through real sleep.
//!
//! ```text
//!   client namespace                 this process                  server namespace
//!   10.77.0.2, tun "lab0"  <----->  relay (a thread)  <----->  10.77.0.1, tun "lab0"
//!   programs under the shim         delay, silence,            servers
//!                                   dead and mute flows
//! ```
//!
//! - [`Lab`] owns the two namespaces, starts programs in them, and takes all of it away when dropped.
//! - [`Relay`] carries every packet between them and does to them what networks do: it delays, loses,
//!   falls silent, forgets a flow. What it drops, it drops silently: no FIN, no RST, no ICMP.
//! - [`Sleeper`] puts a program of the client's machine to sleep and wakes it: SIGSTOP, silence, SIGCONT,
//!   with the clocks held by the preloaded shim (`tests/sleep-shim`) as a suspend holds them. Announcing the
//!   sleep (logind's PrepareForSleep) is the caller's, before [`Sleeper::suspend`] and after
//!   [`Asleep::resume`].
//!
//! Needs root, `ip` of iproute2 and `/dev/net/tun`. Where one is missing [`Lab::new`] says which; tests
//! that should be left out there call [`Lab::unless_skipped`].

#![cfg(target_os = "linux")]

mod fate;
mod lab;
mod namespace;
mod packet;
mod relay;
mod round_trips;
mod sleeper;
mod sys;

pub use fate::{Counters, Direction, Traffic};
pub use lab::{Lab, LabError, SHIM, skipped};
pub use packet::Flow;
pub use relay::Relay;
pub use sleeper::{Asleep, Counted, NetworkReturn, SleepClock, SleepError, Sleeper, freeze, thaw};

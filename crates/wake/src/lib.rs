//! Suspend, resume, network change and clock jump, as one stream of events.
//!
//! A program that keeps connections open must know four things that no socket tells it in time:
//! that the machine is about to sleep (to save and acknowledge), that it has slept (to distrust every
//! connection at once instead of after a timeout), that its address or route is gone, and that the wall
//! clock was set. [`watch`] gathers them from whatever the system offers:
//!
//! | what | Linux | without it |
//! |---|---|---|
//! | about to sleep, resumed | logind's `PrepareForSleep` and a delay lock | [`Event::Source`] says so, once |
//! | resumed | a clock that counts sleep against one that does not | |
//! | network | rtnetlink: links, addresses, default routes | [`Event::Source`] says so, once |
//! | wall clock set | a timer that the kernel cancels when the clock is set, and the clocks | |
//!
//! One sleep gives one [`Event::Resumed`], whichever proof came first. A program that was only
//! stopped or throttled has not slept and hears nothing: wall-clock gaps are never taken for sleep.
//!
//! The decisions are pure and take readings as inputs ([`clock`] can be replaced by a
//! [`clock::ManualClock`]); each system has a module of its own with the same few functions. macOS and Windows
//! have the clocks today, so a sleep is noticed there within one [`Options::tick`]; their signals report themselves
//! as missing.

pub mod clock;
mod event;
mod network;
mod sleep;
mod wall_clock;
mod watch;

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
#[path = "elsewhere.rs"]
mod system;

pub use event::{Event, Guard, Proof, Source, SourceState};
pub use network::{NetworkChange, Reach};
pub use watch::{Options, Watch, watch};

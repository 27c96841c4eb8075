//! Suspend, resume, network change and clock jump, as one stream of events.
//!
//! A program that keeps connections open must know four things that no socket tells it in time:
//! that the machine is about to sleep (to save and acknowledge), that it has slept (to distrust every
//! connection at once instead of after a timeout), that its address or route is gone, and that the wall
//! clock was set. [`watch`] gathers them from whatever the system offers:
//!
//! | what | Linux | macOS | Windows |
//! |---|---|---|---|
//! | about to sleep, and a delay | logind's `PrepareForSleep` and a delay lock | `IORegisterForSystemPower` | `PowerRegisterSuspendResumeNotification` |
//! | resumed | the same, and the clocks | the same, and the clocks | the same, the clocks, and `WM_TIMECHANGE` after a standstill |
//! | network | rtnetlink | a routing socket, `getifaddrs` | the IP helper |
//! | screen locked, unlocked | logind's `LockedHint` | distributed notifications | `WM_WTSSESSION_CHANGE` |
//! | wall clock set | a timer that the kernel cancels, and the clocks | the clocks | `WM_TIMECHANGE`, and the clocks |
//!
//! What a system does not offer is said once ([`Event::Source`]) and tried again where that can help; the rest goes on.
//!
//! One sleep gives one [`Event::Resumed`], whichever proof came first. A program that was only
//! stopped or throttled has not slept and hears nothing: wall-clock gaps are never taken for sleep.
//!
//! The decisions are pure, shared by all systems, and take readings as inputs ([`clock`] can be replaced by a
//! [`clock::ManualClock`]); a system's module only translates. [`Wakeful`] holds off macOS' App Nap.

pub mod clock;
mod event;
#[cfg(any(target_os = "macos", windows, test))]
mod listeners;
mod nap;
mod network;
mod network_news;
#[cfg(any(target_os = "macos", test))]
#[path = "macos/route_message.rs"]
mod route_message;
mod sleep;
#[cfg(any(target_os = "macos", windows))]
mod unwatched;
mod wall_clock;
mod watch;

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos/mod.rs"]
mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
#[path = "unwatched.rs"]
mod system;

pub use event::{Event, Guard, Proof, Screen, Source, SourceState};
pub use nap::Wakeful;
pub use network::{NetworkChange, Reach};
pub use watch::{Options, Watch, watch};

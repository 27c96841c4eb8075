//! macOS. The clocks work, so a sleep is noticed within a tick. Not here yet, and said to be missing:
//! `IORegisterForSystemPower` for the signal before a sleep, a `PF_ROUTE` socket for the network.

#[path = "no_events.rs"]
mod no_events;

pub(crate) use no_events::{Ask, ClockSet, network, sleep_signals};

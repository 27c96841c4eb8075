//! Linux: logind for sleep, rtnetlink for the network, a cancelled timer for clocks that are set.

mod clock_set;
mod logind;
mod route_table;
mod rtnetlink;

pub(crate) use clock_set::ClockSet;
pub(crate) use logind::signals;
pub(crate) use rtnetlink::network;

/// `CLOCK_BOOTTIME` counts every suspend.
pub(crate) const CLOCKS: crate::sleep::Clocks = crate::sleep::Clocks::SeeEverySleep;

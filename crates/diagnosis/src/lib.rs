//! What a connection's history shows to somebody who asks why it just stopped.
//!
//! The core keeps each change of the connection's state ([`Transition`]). From these follow, in this order:
//!
//! - **stretches** ([`stretches`]): what the connection was, from when to when, and why: the picture of an hour, a day or a week;
//! - **drops** ([`drops`]): each time a connection that worked ended although nobody slept, left or pulled the plug, by
//!   hour and by kind, so that what happens every night shows;
//! - **findings** ([`findings`]): the patterns behind several of them that have a usual cause, in words.
//! - **reports** ([`bug_report`], under a [`Veil`]): what may be given away of all this, without names;
//! - **the wire** ([`wire`]): the frames that passed, where somebody has asked for them to be noted;
//! - **a check** ([`check`]): step by step what works between here and a session, when somebody wants to know.
//!
//! Nothing here changes anything: it is read, and may be wrong about causes, so a finding says "probably".

mod bug_report;
pub mod check;
mod drops;
mod findings;
mod moment;
mod stretches;
mod veil;
pub mod wire;

pub use bug_report::{Facts, bug_report};
pub use drops::{Drop, Manner, by_hour, drops};
pub use findings::{Finding, findings};
pub use moment::exactly;
pub use stretches::{Kind, Stretch, stretches};
pub use veil::Veil;

#[cfg(doc)]
use dormouse_model::Transition;

//! Chaos on the real thing: the shipped terminal client of several people, on several machines each, against real
//! servers, while the network fails, programs are killed and servers go down. Then calm; then it is looked at what
//! each window shows.
//!
//! | module | what it is |
//! |---|---|
//! | [`plan`] | what happens when: follows from the seed alone, and knows no server |
//! | [`proxy`] | between a client and its server: holds, delays, cuts, resets, forgets |
//! | [`site`] | the servers: one Prosody, or a cluster of ejabberd behind nginx |
//! | [`device`] | a client on its machine, over all the lives of its process |
//! | [`archive`] | asks the servers' archives |
//! | [`run`] | a whole run |
//! | [`play`] | the scripts of `tests/scripts` on real servers |
//!
//! What was typed and what must be shown of it is `dormouse_scripts`' to say.
//!
//! The plan follows from the seed; the moments at which threads and machines do their part don't. So a
//! seed does not replay exactly. A run that fails leaves everything behind that is needed to understand it: what was done
//! when, each device's events, journal and log, and the servers' logs.
#![cfg(target_os = "linux")]

pub mod archive;
pub mod device;
pub mod plan;
pub mod play;

pub mod proxy;
pub mod run;
pub mod site;

/// Why a run could not be brought to its end, in sentences.
pub type Result<T> = anyhow::Result<T>;

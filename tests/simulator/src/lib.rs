//! Thousands of lives of Dormouse's core, each against a model server and network under a virtual clock.
//!
//! The core is the shipping one, `dormouse_account::Account`, and not a copy: this is its second driver.
//! A seed is a life: who is there, what they type, what goes wrong (machines sleep, links die on one way or
//! both, servers restart, disks refuse, processes are killed between any two steps) and in which phase of the
//! connection. Then everything is calm for a while, and the [`checker`] looks: nothing lost, nothing twice, in
//! order, nothing shown that isn't true. The same seed lives the same life again, step by step.
//!
//! ```text
//!   plan ──> world ──────────────────────────────┐
//!             │ events in virtual time           │
//!     ┌───────┴──────┬──────────────┐            ▼
//!   client        network         server      checker
//!   core + disk   two ways each   XMPP        what was typed, what is shown
//! ```

/// Made for programs that do hardly anything but ask for memory.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod checker;
pub mod client;
pub mod disk;
pub mod fault;
pub mod network;
mod queue;
pub mod server;
pub mod storm;
mod sum;
pub mod trace;
pub mod world;

pub use fault::Coverage;
pub use sum::{Average, Sum};
pub use world::{Outcome, Sabotage, World};

//! The core of one account: one state machine that joins the link's policy, the XMPP session and the
//! rules of memory.
//!
//! [`Account::handle`] is given what happened and says what to do; it is all a driver ever calls, be it
//! the engine (real sockets, a real disk, real clocks) or the simulator (none of them real). One input
//! is one *turn*: whatever it writes goes out as one atomic batch, before anything else it says.
//!
//! ```text
//!              ┌───────────── Account ─────────────┐
//!  Input  ──>  │  link     is it alive, what next   │  ──>  Output
//!              │  session  frames <-> events        │
//!              │  timeline identity, order, outbox  │
//!              │  contacts, journal, quarantine     │
//!              └────────────────────────────────────┘
//! ```
//!
//! The parts don't know each other; what one says that concerns another passes through here.

mod account;
pub mod chronicle;
mod commands;
mod connection;
mod contacts;
mod events;
mod flood;
mod input;
pub mod journal;
mod numbered;
mod password;
pub mod quarantine;
mod quiet;
mod round_trips;
mod standing;
mod store_failure;
mod tokens;
mod turn;
mod way;

pub use account::{Account, Settings, Status};
pub use input::{Command, Input, Output};
pub use way::known as known_way;
// What a driver and a window need of the parts, so that they know this crate alone.
pub use dormouse_timeline::{Part, Stretch, history};
pub use dormouse_xmpp::{Credentials, SignedIn, Token};

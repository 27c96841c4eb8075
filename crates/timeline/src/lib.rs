//! The rules of memory of one account: nothing lost, nothing twice, in order.
//!
//! Pure: every rule reads and writes records through a [`dormouse_model::Draft`]; time and chance are
//! inputs. What reaches us (live, as a carbon, from the archive) and what the user writes becomes
//! records; what must be said to the window or to the network becomes [`Effect`]s.
//!
//! ```text
//! arrival ──> identity ──> order ──> history        who is it, where does it stand, what is shown
//!                │            ▲
//!                ▼            │
//!            conflicts    coverage <── catch_up     how much of the archive is known, what to ask next
//!                │
//! outbox ─────> delivery                            what waits, what is doubtful, what has been proven
//! ```

mod amendment;
mod arrival;
mod catch_up;
mod conflicts;
mod conversation;
mod coverage;
mod delivery;
mod history;
mod identity;
mod ledger;
mod order;
mod outbox;
mod reading;
mod seating;
mod summary;
mod timeline;

pub use history::{Part, Stretch, history};
pub use summary::{changed, conversation, conversations};
pub use timeline::{Effect, Timeline};

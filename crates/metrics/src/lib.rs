//! What accounts do, as figures over time: OpenMetrics, for whoever runs Prometheus.
//!
//! An account is counted by what its engine tells ([`Observation`](dormouse_model::Observation)), one by one and while it
//! happens. A reader gets the counts as they stand and asks the accounts nothing: however often, however slowly it
//! reads, no account waits for it.
//!
//! | family | labels | what |
//! |---|---|---|
//! | `dormouse_build_info` | `version` | 1 |
//! | `dormouse_connection_state` | `state` | 1 for the state that holds, 0 for the others |
//! | `dormouse_connections_total` | `outcome`, `code` | connections that were begun and are over |
//! | `dormouse_sign_ins_total` | `mechanism`, `resumed` | sign-ins that the server accepted |
//! | `dormouse_interruptions_total` | `cause` | how often a connection that was live no longer was |
//! | `dormouse_reconnections_total` | `cause`, `by` | interruptions that ended on another connection |
//! | `dormouse_recovery_seconds` | `by` | from the interruption until all that was missed had been read |
//! | `dormouse_round_trip_seconds` | | how long the server took to answer |
//! | `dormouse_messages_total` | `direction`, `state` | messages that became known since, by what became known of them |
//! | `dormouse_delivery_seconds` | | from handing a message over until the server had it for certain |
//! | `dormouse_heartbeats_missed_total` | `what` | questions to the server that were not answered in time |
//! | `dormouse_outbox_messages` | | messages that wait or are in doubt |
//! | `dormouse_archive_gap` | | 1 while something missed may not have been read |
//! | `dormouse_archive_gap_messages` | | how many are left to read at most, where the server says so |
//!
//! All but the first bear `account`: a number, from 0, in the order in which they were started. No label holds an address,
//! a text or anything else that others choose freely: the number of series is bounded ([`labels`]).

mod exposition;
mod families;
pub mod labels;
mod listen;
mod messages;
mod tally;

pub use exposition::Format;
pub use listen::{CannotListen, Listener, Loopback, NotLoopback};

use crate::families::Families;
use crate::tally::Tally;
use dormouse_model::Observer;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The counts of all accounts of this program. Clones are the same counts.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    registry: Registry,
    families: Families,
    accounts: AtomicU32,
}

impl Metrics {
    /// Nothing has been counted yet. The version is the program's.
    pub fn new(version: &str) -> Self {
        let mut registry = Registry::with_prefix("dormouse");
        let families = Families::register(&mut registry, version);
        Self(Arc::new(Counts {
            registry,
            families,
            accounts: AtomicU32::new(0),
        }))
    }

    /// Counts one more account, by whatever is told to this observer. It goes with the account, or hears no more once these
    /// counts are gone.
    pub fn account(&self) -> Observer {
        let number = self.0.accounts.fetch_add(1, Ordering::Relaxed);
        let mut tally = Tally::begin(self.0.families.clone(), number);
        let counts = Arc::downgrade(&self.0);
        Box::new(move |now, observation| {
            let wanted = counts.strong_count() > 0;
            if wanted {
                tally.take(now, observation);
            }
            wanted
        })
    }

    /// The counts as they stand.
    pub fn text(&self, format: Format) -> String {
        exposition::text(&self.0.registry, format)
    }
}

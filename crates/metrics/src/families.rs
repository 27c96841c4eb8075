//! The families: their names, labels and buckets.

use crate::labels::Word;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// From loopback to a connection by satellite; 10 s is when an answer counts as missing.
const ROUND_TRIPS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// From an old connection that answers to a server that was away for an hour.
const RECOVERIES: [f64; 12] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0,
];
/// From loopback to a message that had to wait for the archive after a night.
const DELIVERIES: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0,
];

/// Whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfAccount {
    pub(crate) account: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfState {
    pub(crate) account: u32,
    pub(crate) state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfConnection {
    pub(crate) account: u32,
    pub(crate) outcome: &'static str,
    pub(crate) code: Word,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfSignIn {
    pub(crate) account: u32,
    pub(crate) mechanism: &'static str,
    pub(crate) resumed: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfInterruption {
    pub(crate) account: u32,
    pub(crate) cause: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfReconnection {
    pub(crate) account: u32,
    pub(crate) cause: &'static str,
    pub(crate) by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfRecovery {
    pub(crate) account: u32,
    pub(crate) by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfMessage {
    pub(crate) account: u32,
    pub(crate) direction: &'static str,
    pub(crate) state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfHeartbeat {
    pub(crate) account: u32,
    pub(crate) what: &'static str,
}

/// All of them. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Families {
    pub(crate) state: Family<OfState, Gauge>,
    pub(crate) connections: Family<OfConnection, Counter>,
    pub(crate) sign_ins: Family<OfSignIn, Counter>,
    pub(crate) interruptions: Family<OfInterruption, Counter>,
    pub(crate) reconnections: Family<OfReconnection, Counter>,
    pub(crate) recovery: Family<OfRecovery, Histogram>,
    pub(crate) round_trip: Family<OfAccount, Histogram>,
    pub(crate) messages: Family<OfMessage, Counter>,
    pub(crate) delivery: Family<OfAccount, Histogram>,
    pub(crate) heartbeats_missed: Family<OfHeartbeat, Counter>,
    pub(crate) outbox: Family<OfAccount, Gauge>,
    pub(crate) gap: Family<OfAccount, Gauge>,
    pub(crate) gap_messages: Family<OfAccount, Gauge>,
}

impl Families {
    pub(crate) fn register(registry: &mut Registry, version: &str) -> Self {
        let families = Self {
            state: Family::default(),
            connections: Family::default(),
            sign_ins: Family::default(),
            interruptions: Family::default(),
            reconnections: Family::default(),
            recovery: Family::new_with_constructor(|| Histogram::new(RECOVERIES)),
            round_trip: Family::new_with_constructor(|| Histogram::new(ROUND_TRIPS)),
            messages: Family::default(),
            delivery: Family::new_with_constructor(|| Histogram::new(DELIVERIES)),
            heartbeats_missed: Family::default(),
            outbox: Family::default(),
            gap: Family::default(),
            gap_messages: Family::default(),
        };
        let build = Info::new(vec![("version", version.to_owned())]);
        registry.register("build", "The program", build);
        registry.register(
            "connection_state",
            "1 for the state that the connection is in, 0 for the others",
            families.state.clone(),
        );
        registry.register(
            "connections",
            "Connections that were begun and are over, by how they ended and WebSocket close code or HTTP status",
            families.connections.clone(),
        );
        registry.register(
            "sign_ins",
            "Sign-ins that the server accepted, by mechanism and whether the earlier session went on",
            families.sign_ins.clone(),
        );
        registry.register(
            "interruptions",
            "How often a connection that was live no longer was, by why",
            families.interruptions.clone(),
        );
        registry.register(
            "reconnections",
            "Interruptions that ended on another connection, by why they began and what went on",
            families.reconnections.clone(),
        );
        registry.register_with_unit(
            "recovery",
            "From an interruption, or the start, until everything missed had been read",
            Unit::Seconds,
            families.recovery.clone(),
        );
        registry.register_with_unit(
            "round_trip",
            "How long the server took to answer",
            Unit::Seconds,
            families.round_trip.clone(),
        );
        registry.register(
            "messages",
            "Messages that became known since the start, by what became known of them",
            families.messages.clone(),
        );
        registry.register_with_unit(
            "delivery",
            "From handing a message over until the server had it for certain",
            Unit::Seconds,
            families.delivery.clone(),
        );
        registry.register(
            "heartbeats_missed",
            "Questions to the server that were not answered in time",
            families.heartbeats_missed.clone(),
        );
        registry.register(
            "outbox_messages",
            "Messages, edits and retractions that wait or are in doubt",
            families.outbox.clone(),
        );
        registry.register(
            "archive_gap",
            "1 while something missed may not have been read",
            families.gap.clone(),
        );
        registry.register(
            "archive_gap_messages",
            "How many messages are left to read at most, as far as the server says so",
            families.gap_messages.clone(),
        );
        families
    }
}

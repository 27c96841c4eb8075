//! The words every other crate of Dormouse speaks: ids, messages, states, verdicts, records.
//!
//! Nothing here decides anything but the smallest rules that belong to a word itself (how a key is
//! ordered, who may say what, how a draft of writes is read back). No clock, no randomness of its
//! own, no IO: time is a [`Now`], chance a [`Random`] with a given seed, the disk a [`Memory`].

pub mod archive;
pub mod authority;
pub mod change;
pub mod clock;
pub mod connection;
pub mod contact;
pub mod conversation;
pub mod dial;
pub mod ids;
pub mod incoming;
pub mod memory;
pub mod message;
pub mod observation;
pub mod outgoing;
pub mod proxy;
pub mod random;
pub mod record;
pub mod transition;
pub mod verdict;

pub use archive::{ArchiveFailure, ArchiveItem, ArchivePage, ArchiveQuery, PageWanted};
pub use authority::{Claim, Refusal};
pub use change::{CannotDo, Change, JournalEntry, Notice};
pub use clock::{Now, Stamp, Tick};
pub use connection::{Cause, Condition, Connection, ConnectionState, RoundTrip};
pub use contact::{Availability, Contact, Subscription};
pub use conversation::Conversation;
pub use dial::{CertificateProblem, Channel, Closing, DialFailure, DialStep, Endpoint, Network, Way};
pub use ids::{ArchiveId, BatchId, ConnId, MessageId, OriginId, Place, ProbeId, QueryId, StanzaId};
pub use incoming::{Arrival, ChatState, Incoming, Kind, Payload, Via};
pub use jid::{BareJid, FullJid, Jid};
pub use memory::{Draft, Memory, ReadError, Walk};
pub use message::{Content, Delivery, Failure, Message, Names, Side};
pub use observation::{Observation, Observer};
pub use outgoing::Outgoing;
pub use proxy::{ProxyAnswer, ProxyProblem};
pub use random::Random;
pub use record::{Batch, Key};
pub use transition::{Continuation, Recovery, Transition};
pub use verdict::{Action, Verdict};

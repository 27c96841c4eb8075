//! The XMPP session of one account: sign-in, resumption, requests, archive. Frames in, frames and
//! events out; no sockets, no clock, no randomness of its own.
//!
//! A [`Session`] outlives connections and processes. [`Session::begin`] starts it on a WebSocket that is
//! open; [`Session::frame`] is given what arrives there; what is to be sent comes back as
//! [`Output::Frame`]. Whatever a resumption needs is written through the draft it is handed, and no
//! count of what was received is ever told to the server before it is on disk (XEP-0198).
//!
//! Layers, from the wire up: `frame` (one text frame, one element), `open` and `stream` (RFC 7395),
//! `sasl` and `scram` (or, in one exchange, `sasl2`, `bind2` and `fast`), `stream_management`, `bind`, `requests`, then one file per extension. What the
//! end of a connection means is decided in one table, [`verdict`]; who may say what, in
//! [`dormouse_model::authority`].

mod bind;
mod bind2;
mod credentials;
mod csi;
mod event;
mod fast;
pub mod frame;
mod one_flight;
mod open;
mod ping;
mod requests;
mod sasl;
mod sasl2;
mod scram;
mod session;
mod stream;
mod stream_management;
pub mod verdict;

mod addressing;
mod blocking;
mod body;
mod caps;
mod carbons;
mod chat_markers;
mod chat_states;
mod correction;
mod delay;
mod disco;
mod eme;
mod forwarding;
mod hints;
mod mam;
mod mam_prefs;
mod message;
mod message_out;
mod presence;
mod receipts;
mod retraction;
mod roster;
mod rsm;
mod stanza_id;
mod xml;

pub use credentials::Credentials;
pub use event::{ArchiveDefault, Event, Features, Output, RosterItem};
pub use fast::Token;
pub use session::{Session, Settings, SignedIn};
pub use xml::clean;

//! From a domain to an open XMPP WebSocket, one step after the other, each with its own deadline.
//!
//! ```text
//! Discovery   the domain's host-meta names the endpoint (XEP-0156), unless it is given or remembered
//! Names       the endpoint's host becomes addresses, unless they are remembered
//! Tcp         the addresses are tried in turn, overlapping (RFC 8305)
//! Proxy       where there is one it takes the server's name, and Names and Tcp are its own
//! Tls         for wss: the operating system's trust store decides
//! WebSocket   the upgrade, with the subprotocol xmpp (RFC 7395)
//! ```
//!
//! A [`Dialler`] is made once and shared: it keeps the TLS sessions that later dials may resume. A dial is a
//! future; dropping it gives everything up at once. What is remembered is dialled at once and never believed:
//! names are looked up beside it, and an endpoint that fails, or takes long, is discovered anew beside it. Nothing is retried here but the address race: what a
//! failure means and when to try again is decided in the core, from the [`DialFailure`]. Deadlines run on
//! tokio's clock, which may stand still while the machine sleeps: whoever drives dials drops them when it wakes.
//!
//! [`DialFailure`]: dormouse_model::DialFailure

mod abort;
mod dialler;
mod discovery;
pub mod endpoint;
pub mod host_meta;
mod https_get;
mod issuer;
mod names;
pub mod proxy;
mod quick_ack;
mod remembered;
mod report;
mod settings;
mod tcp;
mod tls;
mod web_socket;

pub use abort::Aborter;
pub use dialler::{Connected, Dialler, Target};
pub use endpoint::BadEndpoint;
pub use proxy::Login;
pub use proxy::setting::{BadProxy, Setting as ProxySetting};
pub use report::{Report, Secured};
pub use settings::{Deadlines, Settings};
pub use tls::TlsVersion;
pub use web_socket::{Inbound, Reader, Socket, Writer};

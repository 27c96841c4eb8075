//! Real servers for tests and for `cargo xtask start`.
//!
//! Each server is a child process in the foreground: its own folder (temporary unless told otherwise), its own
//! configuration, free ports, no system service, and nothing that outlives us. A server is stopped when its
//! value is dropped; a guard process ends it when the program that started it dies without dropping anything
//! (`kill -9`, a panic that aborts).
//!
//! | value | what runs |
//! |---|---|
//! | [`Prosody`] | Prosody 0.12 or 13 with a WebSocket listener, optionally wss |
//! | [`Ejabberd`] | ejabberd 23.01 or 24.12 with a WebSocket listener, optionally wss |
//! | [`Cluster`] | two ejabberd 24.12 that are one, behind nginx |
//! | [`Nginx`] | nginx in front of WebSocket servers |
//! | [`Tinyproxy`] | an HTTP proxy for tunnels |
//! | [`Microsocks`] | a SOCKS5 proxy |
//! | [`Mitmproxy`] | mitmdump, which shows what passes |
//! | [`MockLogind`] | a private system bus with a logind that sleeps on command |
//! | [`SessionBus`] | a private session bus with nothing on it |
//! | [`SecretService`] | a private session bus with an unlocked keyring |
//! | [`Foreground`] | any other program, as guarded as these |
//! | [`Authority`] | not a server: a certificate authority and the certificates it signs |
//!
//! All calls block (a second or so for Prosody, three for ejabberd): from asynchronous code call them in a
//! blocking task, or before the runtime has work to do. A missing program is an error with a sentence that
//! names the package.
#![cfg(unix)]

mod bus;
mod certificate;
mod cluster;
mod ejabberd;
mod error;
mod foreground;
mod http;
mod memory_folder;
mod microsocks;
mod mitmproxy;
mod mock_logind;
mod nginx;
mod place;
mod port;
mod prosody;
mod release;
mod secret_service;
mod session_bus;
mod tinyproxy;
mod trixie;

pub use certificate::{Authority, Certificate};
pub use cluster::{Cluster, ClusterBuilder};
pub use ejabberd::{Ejabberd, EjabberdBuilder, EjabberdSettings};
pub use error::{Result, ServerError};
pub use foreground::Foreground;
pub use http::host_meta_files;
pub use microsocks::Microsocks;
pub use mitmproxy::{Mitmproxy, MitmproxyBuilder};
pub use mock_logind::{Inhibitor, MockLogind};
pub use nginx::{Nginx, NginxBuilder};
pub use place::Place;
pub use port::Port;
pub use prosody::{Prosody, ProsodyBuilder, ProsodySettings, ScramHash, Storage};
pub use release::Release;
pub use secret_service::SecretService;
pub use session_bus::SessionBus;
pub use tinyproxy::{Tinyproxy, TinyproxyBuilder};
pub use trixie::{install_trixie, is_trixie_installed};

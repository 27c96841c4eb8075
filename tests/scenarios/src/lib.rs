//! What the scenarios in `tests/` are made of: the shipped program, real servers, and the lab.
//!
//! | module | what it gives |
//! |---|---|
//! | [`program`] | `dormouse-cli`, built once per test process |
//! | [`client`] | a running `dormouse-cli run`: commands in, events out with the moment they came |
//! | [`event`] | those events, and waiting for them |
//! | [`dice`] | chance from a seed |
//! | [`network`] | a network with a domain's own port 443, for who discovers its endpoint |
//! | [`peer`] | a server on loopback that misbehaves as it is told |
//! | [`server`] | Prosody or ejabberd, for scenarios that hold for both, and their people |
//! | [`slixmpp`] | a client that is not ours, as the other side |
//! | [`swarm`] | a running `dormouse-cli swarm` |
//! | [`terminal`] | somebody who logs in at a terminal |
//! | [`scene`] | a laptop behind the lab's relay, a friend and Prosody on the far side |
//!
//! A scenario sees what a user sees and nothing else: what was typed, and what each window shows. The checker of
//! that is `dormouse_scripts::checker`.

#![cfg(target_os = "linux")]

pub mod client;
pub mod dice;
pub mod event;
pub mod network;
pub mod peer;
pub mod program;
pub mod scene;
pub mod server;
pub mod slixmpp;
pub mod swarm;
pub mod terminal;

/// Why a scenario could not go on, in sentences.
pub type Result<T> = anyhow::Result<T>;

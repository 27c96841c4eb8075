//! Servers and people that mean harm, or are merely broken: each has its answer.
//!
//! The shipped program talks to [`dormouse_scenarios::peer`], which is honest until a case says otherwise. Whatever
//! happens, the program goes on running, says what it should, keeps what it has, and recovers when the harm ends.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod case;
mod claims;
mod endings;
mod frames;
mod muteness;

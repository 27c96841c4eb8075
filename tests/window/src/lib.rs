//! What the window's tests in `tests/` are made of: a desktop of their own, and the real window on it.
//!
//! | module | what it gives |
//! |---|---|
//!
//! A test sees what a user sees and nothing else: what is on the screen, what the desktop was asked for, and what
//! the person at the other end received.

#![cfg(target_os = "linux")]

/// Why a test could not go on, in sentences.
pub type Result<T> = anyhow::Result<T>;

//! Hostile input: what each fuzz target does with its bytes, and what must hold whatever they are.
//!
//! The targets in `fuzz/` (a workspace of its own, for it needs a nightly compiler) call these functions and nothing
//! else. So the corpus, and everything fuzzing ever found, runs through them on stable as a test, too.
//!
//! What must hold: no panic; an answer that is bounded by the question; what is written reads back; each stanza is
//! counted once; what is kept on disk can be read again, and grows no faster than what was said.
// To panic is how a target says what does not hold.
#![allow(clippy::panic)]

pub mod archive;
pub mod core;
pub mod frames;
pub mod host_meta;
pub mod records;
pub mod stanzas;

/// Does something with any bytes, and panics if what must hold does not.
pub type Target = fn(&[u8]);

/// The targets by the names of their folders in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 5] = [
    ("frames", frames::run),
    ("stanzas", stanzas::run),
    ("archive", archive::run),
    ("host_meta", host_meta::run),
    ("records", records::run),
];

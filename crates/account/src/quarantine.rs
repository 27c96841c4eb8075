//! Frames that crashed the core.
//!
//! A stanza is acknowledged only after it was handled, so one that crashes the core comes back with every
//! resumption. The driver counts crashes by the frame's hash; after the second the core no longer reads it,
//! keeps its place in the count, and says so.

use dormouse_model::{Key, Memory, ReadError, Walk, record};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// How many crashes a frame is granted.
pub const CRASHES: u32 = 2;

/// What a frame is known by; its text is not kept.
pub fn hash(frame: &str) -> [u8; 16] {
    let digest = Sha256::digest(frame);
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

/// How often a frame has crashed the core.
pub fn count(memory: &dyn Memory, frame: &[u8; 16]) -> Result<u32, ReadError> {
    Ok(memory.read(&Key::Quarantine(*frame))?.unwrap_or(0))
}

/// The frames that are no longer read.
#[derive(Debug, Default)]
pub struct Quarantine(BTreeSet<[u8; 16]>);

impl Quarantine {
    /// As stored.
    pub fn restore(memory: &dyn Memory) -> Result<Self, ReadError> {
        let (from, to) = Key::Quarantine([0; 16]).kind_range();
        let mut frames = BTreeSet::new();
        for (key, value) in memory.range(&from, &to, Walk::Forwards, usize::MAX)? {
            let crashes: u32 = record::decode(&value).ok_or(ReadError::Damaged('x'))?;
            if crashes >= CRASHES
                && let Some(frame) = key.get(1..17).and_then(|hash| hash.try_into().ok())
            {
                frames.insert(frame);
            }
        }
        Ok(Self(frames))
    }

    /// Whether this frame must not be read.
    pub fn holds(&self, frame: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&hash(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_frame_is_quarantined_after_its_second_crash() {
        let mut kept = BTreeMap::new();
        for crashes in 1..=2u32 {
            kept.insert(Key::Quarantine(hash("<bad/>")).bytes(), record::encode(&crashes));
            assert_eq!(count(&kept, &hash("<bad/>")), Ok(crashes));
            assert_eq!(count(&kept, &hash("<good/>")), Ok(0));
            assert_eq!(Quarantine::restore(&kept).unwrap().holds("<bad/>"), crashes == 2);
        }
        assert!(!Quarantine::restore(&kept).unwrap().holds("<good/>"));
    }
}

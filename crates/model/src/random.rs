//! Chance as an input: the same seed gives the same ids, nonces and jitter.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::time::Duration;

/// A cryptographic generator (ChaCha20) with a seed from outside: the operating system's randomness
/// in the app, a number in the simulator.
#[derive(Debug, Clone)]
pub struct Random(ChaCha20Rng);

impl Random {
    /// A generator that will always say the same for the same seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// An independent generator, for a part that must not disturb the others' sequence.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        Self::from_seed(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound` (zero if `bound` is zero).
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias of a plain remainder is below 2^-32 for every bound used here.
        if bound == 0 { 0 } else { self.bits() % bound }
    }

    /// A length of time between zero and `most`.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(self.below(most + 1))
    }

    /// Random bytes, for nonces.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// An unguessable id in the form of a version 4 UUID (RFC 9562 section 5.4), as stanza and origin ids want.
    pub fn uuid(&mut self) -> String {
        let mut b: [u8; 16] = self.bytes();
        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        let digit = |half: u8| char::from_digit(u32::from(half), 16);
        let mut text = String::with_capacity(36);
        for (place, byte) in b.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.extend([byte >> 4, byte & 0x0f].into_iter().filter_map(digit));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_says_the_same() {
        let mut a = Random::from_seed([7; 32]);
        let mut b = Random::from_seed([7; 32]);
        assert_eq!(a.uuid(), b.uuid());
        assert_eq!(a.fork().bits(), b.fork().bits());
    }

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        let id = Random::from_seed([1; 32]).uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}

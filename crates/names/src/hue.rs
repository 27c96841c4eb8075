//! Everybody's colour: XEP-0392, section 5.1.

use sha1::{Digest, Sha1};

/// The hue of a text in whole degrees, below 360.
pub fn hue(text: &str) -> u16 {
    let digest = Sha1::digest(text.as_bytes());
    let low = u32::from(digest[0]);
    let high = u32::from(digest[1]);
    // 16 bits of the circle; the quotient is below 360.
    u16::try_from(((high << 8 | low) * 360) >> 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hues_are_those_of_the_extensions_own_examples() {
        // XEP-0392, section 13.2 gives 327.255249, 209.410400, 331.199341 and 359.994507 degrees.
        assert_eq!(hue("Romeo"), 327);
        assert_eq!(hue("juliet@capulet.lit"), 209);
        assert_eq!(hue("😺"), 331);
        assert_eq!(hue("council"), 359);
    }
}

//! How long what was written may take to be read.
//!
//! Servers bound what a client may write: ejabberd comes with 3,000 bytes a second and Prosody, in Debian, with 10,000. While they wait
//! they read nothing, so they answer nothing either. A link that is given up for that begins the same message anew on
//! the next, which is no faster: a message that is long enough would never arrive.
//!
//! Messages are acknowledged one by one, so what counts is the longest, not all of them. It belongs to one
//! connection; what a resumption writes again is told again.

use std::time::Duration;

/// What every path takes within a round trip's patience; most messages are far shorter.
const FREE: usize = 2_000;
/// Who reads more slowly than this is taken for dead.
const BYTES_PER_SECOND: usize = 2_000;

/// Nor is anybody believed to read for longer than this.
const MOST: Duration = Duration::from_secs(120);

/// What has been written and not been acknowledged.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct UnderWay {
    /// The longest message of it, in bytes.
    longest: usize,
}

impl UnderWay {
    /// A message of this length went out.
    pub(crate) fn written(&mut self, bytes: usize) {
        self.longest = self.longest.max(bytes);
    }

    /// Everything was acknowledged.
    pub(crate) fn all_arrived(&mut self) {
        self.longest = 0;
    }

    /// How much longer than usual an answer may take because of it.
    pub(crate) fn takes(&self) -> Duration {
        let seconds = self.longest.saturating_sub(FREE) as f64 / BYTES_PER_SECOND as f64;
        Duration::try_from_secs_f64(seconds).map_or(MOST, |takes| takes.min(MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_messages_buy_no_time_and_of_long_ones_the_longest_counts() {
        let mut under_way = UnderWay::default();
        under_way.written(2_000);
        assert_eq!(under_way.takes(), Duration::ZERO);
        under_way.written(102_000);
        under_way.written(52_000);
        assert_eq!(under_way.takes(), Duration::from_secs(50));
        under_way.written(10_000_000);
        assert_eq!(under_way.takes(), MOST);
        under_way.all_arrived();
        assert_eq!(under_way.takes(), Duration::ZERO);
    }
}

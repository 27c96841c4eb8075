//! Moments as they stand in logs.

use dormouse_model::Stamp;
use jiff::Timestamp;

/// A moment to the millisecond, in UTC (ISO 8601): for whoever compares it with a server's log.
pub fn exactly(stamp: Stamp) -> String {
    match Timestamp::from_millisecond(stamp.0) {
        Ok(moment) => format!("{moment:.3}"),
        Err(_) => stamp.0.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_the_millisecond_in_utc() {
        assert_eq!(exactly(Stamp(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(exactly(Stamp(1_795_392_123_456)), "2026-11-23T00:02:03.456Z");
        assert_eq!(exactly(Stamp(i64::MAX)), i64::MAX.to_string());
    }
}

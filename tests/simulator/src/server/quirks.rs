//! What two servers do differently, as seen on the wire (`recipes.md`, "Servers, in detail").

use super::sasl2::{Ahead, Offer};
use super::scram::Hash;
use dormouse_model::{Random, Stamp};
use std::time::Duration;

/// What Mnesia has confirmed it writes within this; ejabberd keeps its archive there.
pub const MNESIA: Duration = Duration::from_secs(5);

/// Which server the model plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Prosody 0.12, and where there is SASL2 13.
    Prosody,
    /// ejabberd 23.01, and where there is SASL2 24.12.
    Ejabberd,
}

/// How this server behaves. Where the protocol leaves a choice, a life draws it.
#[derive(Debug, Clone)]
pub struct Quirks {
    /// The model.
    pub kind: Kind,
    /// The mechanisms offered are SCRAM; else PLAIN, which costs no time.
    pub scram: bool,
    /// It keeps an archive.
    pub archive: bool,
    /// It manages streams (XEP-0198).
    pub management: bool,
    /// What it offers to sign in by SASL2.
    pub sasl2: Offer,
    /// What it does with what is sent ahead.
    pub ahead: Ahead,
    /// TLS gives something to bind a sign-in to.
    pub exporter: bool,
    /// After an inline resumption the features are sent all the same.
    pub features_after_resumption: bool,
    /// How long a session without connection is held.
    pub hold: Duration,
    /// The most items on an archive page.
    pub page: usize,
    /// One carbon in so many is sent twice; none if zero.
    pub doubled_carbons: u64,
    /// One carbon in so many is left out; none if zero.
    pub missing_carbons: u64,
    /// A message to a bare address goes live to one resource only, the others get carbons.
    pub one_resource: bool,
    /// Receipts and markers are archived even without a hint.
    pub archives_receipts: bool,
    /// A second `<resume/>` of a live session ends the first connection with `conflict`, else without a word.
    pub conflict_on_resume: bool,
    /// Killed, it has lost what it archived within so long before, and for as long after its start keeps nothing for those
    /// who are away but in the archive: Mnesia writes late, and its tables are read when the server answers already.
    pub unwritten: Duration,
}

impl Quirks {
    /// A server drawn by chance.
    pub fn draw(random: &mut Random) -> Self {
        let kind = if random.below(2) == 0 {
            Kind::Prosody
        } else {
            Kind::Ejabberd
        };
        Self::draw_of(kind, random)
    }

    /// One of this kind.
    pub fn draw_of(kind: Kind, random: &mut Random) -> Self {
        let prosody = kind == Kind::Prosody;
        Self {
            kind,
            scram: random.below(12) == 0,
            archive: random.below(10) != 0,
            management: random.below(12) != 0,
            sasl2: [
                Offer::None,
                Offer::Plain,
                Offer::Resuming,
                Offer::Inline,
                Offer::Fast,
                Offer::Fast,
            ][random.below(6) as usize],
            ahead: [
                Ahead::Taken,
                Ahead::Taken,
                Ahead::Taken,
                Ahead::Lost,
                Ahead::Refused,
            ][random.below(5) as usize],
            exporter: random.below(2) == 0,
            features_after_resumption: random.below(2) == 0,
            hold: Duration::from_secs(if prosody { 600 } else { 300 }),
            page: [3, 10, 50, 250][random.below(4) as usize],
            doubled_carbons: [0, 3][random.below(2) as usize],
            missing_carbons: [0, 0, 4][random.below(3) as usize],
            one_resource: random.below(3) == 0,
            archives_receipts: prosody,
            conflict_on_resume: !prosody,
            unwritten: Duration::ZERO,
        }
    }

    /// The mechanisms offered, the best first.
    pub fn mechanisms(&self) -> &'static [&'static str] {
        if self.scram {
            &["SCRAM-SHA-256", "SCRAM-SHA-1"]
        } else {
            &["PLAIN"]
        }
    }

    /// The SCRAM mechanisms with their hashes.
    pub(super) fn scrams(&self) -> impl Iterator<Item = (&'static str, Hash)> {
        let all = [("SCRAM-SHA-256", Hash::Sha256), ("SCRAM-SHA-1", Hash::Sha1)];
        all.into_iter().filter(|_| self.scram)
    }

    /// A time as this server writes it: Prosody in whole seconds, ejabberd in microseconds.
    pub fn stamp(&self, at: Stamp) -> String {
        let (seconds, milliseconds) = (at.0.div_euclid(1000), at.0.rem_euclid(1000));
        let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, date) = civil(day);
        let fraction = match self.kind {
            Kind::Prosody => String::new(),
            Kind::Ejabberd => format!(".{milliseconds:03}000"),
        };
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
    }

    /// The smallest step of this server's clock, in milliseconds.
    pub fn grain(&self) -> i64 {
        match self.kind {
            Kind::Prosody => 1000,
            Kind::Ejabberd => 1,
        }
    }
}

/// The date of a day since 1970, in the Gregorian calendar: counted in years that begin in March, so that a leap
/// day is the last of its year, and in the cycle of 400 years after which the calendar repeats itself.
fn civil(day: i64) -> (i64, i64, i64) {
    const CYCLE: i64 = 146_097;
    // From the first of March of the year 0.
    let day = day + 719_468;
    let (cycle, of_cycle) = (day.div_euclid(CYCLE), day.rem_euclid(CYCLE));
    let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / (CYCLE - 1)) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    // Five months have 153 days, from March as from August.
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (cycle * 400 + year + next, month, date)
}

/// A time as a client writes it in a query, in milliseconds.
pub fn read_stamp(text: &str) -> Option<Stamp> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, date) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let fraction = match text.get(19..20) {
        Some(".") => number(20, 23).unwrap_or(0),
        _ => 0,
    };
    // Days until a date, counted by trying: the archive of one life spans days, not centuries.
    let guess = (year - 1970) * 365 + (month - 1) * 28 + date - 1;
    let day = (guess..guess + 60).find(|day| civil(*day) == (year, month, date))?;
    Some(Stamp(
        (day * 86_400 + hour * 3600 + minute * 60 + second) * 1000 + fraction,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(59), (1970, 3, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(11_017), (2000, 3, 1));
        assert_eq!(civil(20_513), (2026, 3, 1));
        assert_eq!(civil(20_779), (2026, 11, 22));
        // Every day is the one after the day before.
        for day in 0..50_000 {
            let ((year, month, date), next) = (civil(day), civil(day + 1));
            let follows = [(year, month, date + 1), (year, month + 1, 1), (year + 1, 1, 1)];
            assert!(
                follows.contains(&next),
                "{next:?} after {:?}",
                (year, month, date)
            );
        }
    }

    #[test]
    fn a_time_written_is_read_back_as_exactly_as_the_server_keeps_it() {
        let mut random = Random::from_seed([3; 32]);
        for kind in [Kind::Prosody, Kind::Ejabberd] {
            let quirks = Quirks {
                kind,
                ..Quirks::draw(&mut random)
            };
            for at in [0, 951_782_400_123, 1_732_269_600_999, 1_795_305_600_001] {
                let kept = at - at % quirks.grain();
                assert_eq!(read_stamp(&quirks.stamp(Stamp(at))), Some(Stamp(kept)));
            }
        }
    }
}

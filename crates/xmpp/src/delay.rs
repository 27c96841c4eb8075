//! Delayed delivery (XEP-0203) and the dates it is written in (XEP-0082).
//!
//! A `<delay/>` says "this was not sent just now". Who says it decides what it means: the own server kept the
//! message (offline, or while a session slept) and is believed; the sender's client says that it sends the
//! message again, which only a message that may already be known does; anybody else only claims a time.
//! Stamps are shown to people and never order anything.

use crate::xml::draft;
use dormouse_model::{BareJid, Jid, Stamp};
use jiff::Timestamp;
use minidom::Element;

/// The namespace of XEP-0203.
pub const NS: &str = "urn:xmpp:delay";

/// What the delays of a message say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delays {
    /// When it was first sent: the earliest time that anybody claims.
    pub stamp: Option<Stamp>,
    /// The sender itself says that it sends it late, so perhaps again.
    pub by_sender: bool,
}

/// Reads all delays of a message from `sender` to the account `own`.
pub fn read(message: &Element, sender: &Jid, own: &BareJid) -> Delays {
    let mut delays = Delays::default();
    for child in message.children().filter(|child| child.is("delay", NS)) {
        let Some(stamp) = stamp(child) else { continue };
        let by = match child.attr("from").map(Jid::new) {
            // XEP-0203 only recommends `from`; servers always set it, so this is a client's.
            None => None,
            Some(Ok(by)) => Some(by),
            Some(Err(_)) => continue,
        };
        let is_own_server = by
            .as_ref()
            .is_some_and(|by| by.node().is_none() && by.domain() == own.domain());
        let is_own_account = by.as_ref().is_some_and(|by| by.is_bare() && by.to_bare() == *own);
        let is_sender = by.as_ref().is_none_or(|by| by.to_bare() == sender.to_bare());
        // A message to oneself has sender and server in one address: a client's delay there has a resource
        // or no `from` at all.
        if is_sender && !is_own_server && !is_own_account {
            delays.by_sender = true;
        }
        delays.stamp = Some(delays.stamp.map_or(stamp, |earlier| earlier.min(stamp)));
    }
    delays
}

/// The time in one `<delay/>`, if it is one.
pub fn stamp(delay: &Element) -> Option<Stamp> {
    delay.attr("stamp").and_then(parse)
}

/// A `<delay/>` of our own, for a message that is sent again: without `from`, as we speak for ourselves.
pub fn write(stamp: Stamp) -> Element {
    draft("delay", NS).attr("stamp", &format(stamp)).done()
}

/// Reads a date and time of XEP-0082: with or without fractions of a second, in any time zone.
pub fn parse(text: &str) -> Option<Stamp> {
    let moment: Timestamp = text.trim().parse().ok()?;
    Some(Stamp(
        moment.as_nanosecond().div_euclid(1_000_000).try_into().ok()?,
    ))
}

/// Writes a time as XEP-0082 wants it, in UTC with milliseconds. Years outside 0000 to 9999, which no clock
/// means, are written as the nearest that can be.
pub fn format(stamp: Stamp) -> String {
    const FIRST: i64 = -62_167_219_200_000;
    let moment = Stamp(stamp.0.clamp(FIRST, Timestamp::MAX.as_second() * 1000));
    let moment = Timestamp::from_millisecond(moment.0).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{moment:.3}")
}

/// Like [`format`], cut to whole seconds: for questions to servers that keep whole seconds only.
pub fn format_seconds(stamp: Stamp) -> String {
    let text = format(stamp);
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own() -> BareJid {
        BareJid::new("me@home.example").unwrap()
    }

    fn delays(children: &str) -> Delays {
        let message: Element = format!("<message xmlns='jabber:client'>{children}</message>")
            .parse()
            .unwrap();
        read(&message, &Jid::new("bob@b.example/home").unwrap(), &own())
    }

    #[test]
    fn the_own_server_tells_when_it_got_a_message_and_does_not_make_it_a_resent_one() {
        // Prosody (whole seconds) after a resumption, ejabberd (microseconds) from offline storage.
        let seconds = delays(
            "<delay xmlns='urn:xmpp:delay' from='home.example' stamp='2024-11-22T10:00:00Z'>Offline</delay>",
        );
        assert_eq!(seconds.stamp, Some(Stamp(1_732_269_600_000)));
        assert!(!seconds.by_sender);
        let micros =
            delays("<delay xmlns='urn:xmpp:delay' from='home.example' stamp='2024-11-22T10:00:00.123456Z'/>");
        assert_eq!(micros.stamp, Some(Stamp(1_732_269_600_123)));
        assert!(!micros.by_sender);
    }

    #[test]
    fn a_delay_of_the_sender_means_that_it_may_have_been_sent_before() {
        for from in ["", "from='bob@b.example'", "from='bob@b.example/home'"] {
            let d = delays(&format!(
                "<delay xmlns='urn:xmpp:delay' {from} stamp='2024-11-22T11:00:00+01:00'/>"
            ));
            assert!(d.by_sender, "{from}");
            assert_eq!(d.stamp, Some(Stamp(1_732_269_600_000)));
        }
    }

    #[test]
    fn a_delay_of_a_gateway_or_a_stranger_claims_a_time_only() {
        let d = delays("<delay xmlns='urn:xmpp:delay' from='irc.b.example' stamp='2024-11-22T10:00:00Z'/>");
        assert!(!d.by_sender);
        assert!(d.stamp.is_some());
    }

    #[test]
    fn in_a_note_to_oneself_the_bare_address_is_the_server_and_a_full_one_the_client() {
        let delays = |from: &str| {
            let message: Element = format!(
                "<message xmlns='jabber:client'>\
                 <delay xmlns='urn:xmpp:delay' from='{from}' stamp='2024-11-22T10:00:00Z'/></message>"
            )
            .parse()
            .unwrap();
            read(&message, &Jid::new("me@home.example/phone").unwrap(), &own())
        };
        assert!(!delays("me@home.example").by_sender);
        assert!(delays("me@home.example/phone").by_sender);
    }

    #[test]
    fn of_two_delays_the_earlier_time_counts() {
        let d = delays(
            "<delay xmlns='urn:xmpp:delay' from='home.example' stamp='2024-11-22T10:00:09Z'/>\
             <delay xmlns='urn:xmpp:delay' stamp='2024-11-22T10:00:00Z'/>",
        );
        assert!(d.by_sender);
        assert_eq!(d.stamp, Some(Stamp(1_732_269_600_000)));
    }

    #[test]
    fn a_date_that_is_none_says_nothing() {
        for stamp in [
            "",
            "yesterday",
            "2024-13-01T00:00:00Z",
            "2024-11-22",
            "2024-11-22T10:00:00",
        ] {
            let d = delays(&format!("<delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>"));
            assert_eq!(d, Delays::default(), "{stamp}");
        }
        assert_eq!(
            delays("<delay xmlns='urn:other' stamp='2024-11-22T10:00:00Z'/>"),
            Delays::default()
        );
        assert_eq!(
            delays("<delay xmlns='urn:xmpp:delay' from='@@' stamp='2024-11-22T10:00:00Z'/>"),
            Delays::default()
        );
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        assert_eq!(format(Stamp(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(format(Stamp(-1)), "1969-12-31T23:59:59.999Z");
        assert_eq!(format(Stamp(951_782_400_000)), "2000-02-29T00:00:00.000Z");
        assert_eq!(format(Stamp(i64::MAX)), "9999-12-30T22:00:00.000Z");
        assert_eq!(format(Stamp(i64::MIN)), "0000-01-01T00:00:00.000Z");
        assert_eq!(format_seconds(Stamp(1_732_269_600_999)), "2024-11-22T10:00:00Z");
    }

    proptest! {
        #[test]
        fn a_written_time_is_read_back_to_the_millisecond(at in -62_167_219_200_000_i64..=253_402_207_200_000) {
            prop_assert_eq!(parse(&format(Stamp(at))), Some(Stamp(at)));
        }
    }
}

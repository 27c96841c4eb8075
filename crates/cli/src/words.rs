//! What is said to people: on standard output what was asked for, on standard error what went wrong.
//! Everything that came from somebody else is stripped of control characters first: a message must not
//! be able to move the cursor, ring the bell or repaint the terminal.

use dormouse_engine::model::{Content, Delivery, Failure, Message, Side, Stamp};
use std::io::Write;

/// Says a line.
pub fn say(line: &str) {
    // A closed pipe ends the program by its own way (end of input); there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Says what went wrong.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Text from elsewhere as it may be shown in a terminal.
pub fn tame(text: &str) -> String {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            '\t' => ' ',
            c if invisible(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// What a message says, for people.
pub fn content(content: &Content) -> String {
    match content {
        Content::Text(text) => tame(text).replace('\n', "\n      "),
        Content::Encrypted(name) => {
            format!("[encrypted with {}; Dormouse can't read that yet]", tame(name))
        }
        Content::Unreadable(what) => format!("[a message that could not be read: {}]", tame(what)),
        Content::Retracted => "[withdrawn]".into(),
    }
}

/// What is known of an own message, as a mark and, if it failed, why.
pub fn delivery(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Queued => "…".into(),
        Delivery::Sent => "✓".into(),
        Delivery::Delivered => "✓✓".into(),
        Delivery::Read => "✓✓ read".into(),
        Delivery::Failed(failure) => format!("! {} /retry or /discard it.", why(failure)),
    }
}

/// Why a message failed, in a sentence.
pub fn why(failure: &Failure) -> String {
    match failure {
        Failure::Bounced { condition, text } => {
            let known = match condition.as_str() {
                "service-unavailable" | "recipient-unavailable" => {
                    "They can't receive messages at the moment"
                }
                "item-not-found" => "There is nobody with this address",
                "remote-server-not-found" | "remote-server-timeout" => "Their server can't be reached",
                "forbidden" | "not-allowed" | "not-authorized" | "policy-violation" => {
                    "Their server does not let this message through"
                }
                _ => "It came back",
            };
            match text {
                Some(text) => format!("{known} ({}: “{}”).", tame(condition), tame(text)),
                None => format!("{known} ({}).", tame(condition)),
            }
        }
        Failure::ContactRemoved => "The contact was removed before it was sent.".into(),
        Failure::TooLarge => "It is larger than your server takes.".into(),
    }
}

/// A message on a line.
pub fn message(message: &Message) -> String {
    let number = message.id;
    let text = content(&message.content);
    let edited = if message.edited.is_some() { " (edited)" } else { "" };
    let time = clock(message.stamp);
    match &message.side {
        Side::Own(state) => format!("{time} #{number} you: {text}{edited}  {}", delivery(state)),
        Side::Theirs => {
            let who = tame(
                message
                    .sender
                    .node()
                    .map_or(message.sender.domain().as_str(), |node| node.as_str()),
            );
            format!("{time} #{number} {who}: {text}{edited}")
        }
    }
}

/// Hours and minutes where the person is, with the day in front if it was not today.
fn clock(stamp: Stamp) -> String {
    let zone = jiff::tz::TimeZone::system();
    let Ok(moment) = jiff::Timestamp::from_millisecond(stamp.0) else {
        return "--:--".into();
    };
    let moment = moment.to_zoned(zone.clone());
    let today = jiff::Timestamp::now().to_zoned(zone).date();
    let format = if moment.date() == today {
        "%H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    moment.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_can_not_command_the_terminal() {
        let tamed = tame("a\u{1b}[2Jb\u{7}c\u{202e}d\r\ne");
        assert_eq!(tamed, "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}\ne");
    }

    #[test]
    fn a_time_of_another_day_bears_its_date() {
        assert!(clock(Stamp(0)).len() > 5);
        assert_eq!(clock(Stamp(i64::MAX)), "--:--");
    }
}

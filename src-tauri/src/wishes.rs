//! What the window asks for, checked before the engine hears of it: the window shows what strangers wrote,
//! so nothing that comes from it is taken on trust.

use crate::protocol::{Action, Part};
use crate::view;
use crate::words::Words;
use dormouse_diagnosis::check::Plan;
use dormouse_engine::model::{BareJid, MessageId};
use dormouse_engine::{Command, Part as WantedPart};
use std::time::Duration;

/// The longest text that is sent or kept as a draft, in bytes. Servers take stanzas up to a quarter of a
/// megabyte, and escaping lets a text grow.
pub const LONGEST_BODY: usize = 64 * 1024;
/// The longest name of a contact, in bytes.
const LONGEST_NAME: usize = 1024;
/// The longest name that the window may give to a message it sends, in bytes.
const LONGEST_TAG: usize = 128;
/// The most messages that are read at once.
const MOST_MESSAGES: usize = 500;
/// The longest silence, and the longest sleep, that a check of the connection tries.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A wish that may be fulfilled.
#[derive(Debug)]
pub enum Wish {
    /// Send a text; what it is called comes back with it.
    Send {
        /// To whom.
        to: BareJid,
        /// What.
        body: String,
        /// What the window calls it.
        tag: String,
    },
    /// Anything else.
    Command(Command),
}

/// An address that somebody typed or clicked. A sentence if it is none.
pub fn address(text: &str, words: &Words) -> Result<BareJid, String> {
    BareJid::new(text.trim()).map_err(|_| words.plain("refusal-address"))
}

/// What an action means; a sentence if it can't be done.
pub fn wish(action: Action, words: &Words) -> Result<Wish, String> {
    let whom = |text: &str| address(text, words);
    let body = |text: String| {
        if text.len() > LONGEST_BODY {
            Err(words.too_long(LONGEST_BODY))
        } else if text.trim().is_empty() {
            Err(words.plain("ask-empty"))
        } else {
            Ok(text)
        }
    };
    Ok(Wish::Command(match action {
        Action::Send { to, body: text, tag } => {
            if tag.len() > LONGEST_TAG {
                return Err(words.plain("refusal-too-long"));
            }
            return Ok(Wish::Send {
                to: whom(&to)?,
                body: body(text)?,
                tag,
            });
        }
        Action::Draft { to, text } if text.len() <= LONGEST_BODY => Command::Draft { to: whom(&to)?, text },
        Action::Draft { .. } => return Err(words.too_long(LONGEST_BODY)),
        Action::Typing { to, typing } => Command::Typing {
            to: whom(&to)?,
            typing,
        },
        Action::Read { with } => Command::Read(whom(&with)?),
        Action::Older { with } => Command::Older(whom(&with)?),
        Action::Retry { id } => Command::Retry(MessageId(id)),
        Action::Discard { id } => Command::Discard(MessageId(id)),
        Action::Edit { id, body: text } => Command::Edit {
            id: MessageId(id),
            body: body(text)?,
        },
        Action::Retract { id } => Command::Retract(MessageId(id)),
        Action::Add { address, name } => {
            let name = name.map(|name| name.trim().to_owned());
            if name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
                return Err(words.plain("refusal-too-long"));
            }
            Command::Add {
                address: whom(&address)?,
                name,
            }
        }
        Action::Accept { address } => Command::Accept(whom(&address)?),
        Action::Decline { address } => Command::Decline(whom(&address)?),
        Action::Remove { address } => Command::Remove(whom(&address)?),
        Action::Block { address } => Command::Block(whom(&address)?),
        Action::Unblock { address } => Command::Unblock(whom(&address)?),
        Action::RetryNow => Command::RetryNow,
    }))
}

/// Which part of a conversation is meant.
pub fn part(part: &Part, words: &Words) -> Result<WantedPart, String> {
    let place = |text: &str| view::place(text).ok_or_else(|| words.plain("ask-place"));
    Ok(match part {
        Part::Latest => WantedPart::Latest,
        Part::Before { place: before } => WantedPart::Before(place(before)?),
        Part::After { place: after } => WantedPart::After(place(after)?),
    })
}

/// What a check of the connection is to try, whatever was asked for: nobody watches for more than an hour.
pub fn check_plan(idle: u32, sleep: u32) -> Plan {
    let length = |seconds: u32| (seconds > 0).then(|| Duration::from_secs(seconds.into()).min(LONGEST_WAIT));
    Plan {
        idle: length(idle),
        sleep: length(sleep),
    }
}

/// A port for metrics. Those below 1024 are not a program's to take.
pub fn port(port: Option<u32>, words: &Words) -> Result<Option<u16>, String> {
    let Some(port) = port else { return Ok(None) };
    match u16::try_from(port) {
        Ok(port) if port >= 1024 => Ok(Some(port)),
        _ => Err(words.plain("metrics-port")),
    }
}

/// How many messages are read at once, whatever was asked for.
pub fn limit(asked: usize) -> usize {
    asked.clamp(1, MOST_MESSAGES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translations::Translations;

    fn words() -> Words {
        Words::new(Translations::of("en").unwrap())
    }

    #[test]
    fn a_port_for_metrics_is_one_that_a_program_may_take() {
        assert_eq!(port(None, &words()), Ok(None));
        assert_eq!(port(Some(9464), &words()), Ok(Some(9464)));
        for bad in [0, 80, 1023, 65_536, u32::MAX] {
            assert!(port(Some(bad), &words()).unwrap_err().contains("1024"), "{bad}");
        }
    }

    fn send(to: &str, body: &str, tag: &str) -> Result<Wish, String> {
        let (to, body, tag) = (to.into(), body.into(), tag.into());
        wish(Action::Send { to, body, tag }, &words())
    }

    #[test]
    fn a_text_to_an_address_is_sent_as_it_was_typed() {
        let Ok(Wish::Send { to, body, tag }) = send("Juliet@Example.org", " two\n lines ", "1") else {
            panic!("not sent");
        };
        assert_eq!(to.as_str(), "juliet@example.org");
        assert_eq!((body.as_str(), tag.as_str()), (" two\n lines ", "1"));
    }

    #[test]
    fn what_can_not_be_sent_is_refused_in_a_sentence() {
        for (to, body, tag) in [
            ("no address at all", "x", "1"),
            ("juliet@example.org/balcony", "x", "1"),
            ("", "x", "1"),
            ("juliet@example.org", " \n ", "1"),
            ("juliet@example.org", &"x".repeat(LONGEST_BODY + 1), "1"),
            ("juliet@example.org", "x", &"t".repeat(LONGEST_TAG + 1)),
        ] {
            let refused = send(to, body, tag).unwrap_err();
            assert!(refused.ends_with('.') && refused.contains(' '), "{refused}");
        }
        assert!(send("juliet@example.org", &"x".repeat(LONGEST_BODY), "1").is_ok());
    }

    #[test]
    fn an_empty_draft_is_a_wish_and_a_huge_one_is_not() {
        let draft = |text: String| {
            let to = "juliet@example.org".into();
            wish(Action::Draft { to, text }, &words())
        };
        assert!(matches!(
            draft(String::new()),
            Ok(Wish::Command(Command::Draft { .. }))
        ));
        assert!(draft("x".repeat(LONGEST_BODY + 1)).is_err());
    }

    #[test]
    fn a_name_is_bounded_and_its_edges_are_no_part_of_it() {
        let add = |name: &str| {
            let action = Action::Add {
                address: "juliet@example.org".into(),
                name: Some(name.into()),
            };
            wish(action, &words())
        };
        let Ok(Wish::Command(Command::Add { name: Some(name), .. })) = add(" Juliet ") else {
            panic!("not added");
        };
        assert_eq!(name, "Juliet");
        assert!(add(&"x".repeat(LONGEST_NAME + 1)).is_err());
    }

    #[test]
    fn a_part_names_a_place_or_is_refused() {
        let before = |place: &str| part(&Part::Before { place: place.into() }, &words());
        assert!(before("00000000000000000000000000000001").is_ok());
        assert!(before("1").is_err());
    }

    #[test]
    fn nobody_reads_a_whole_life_at_once() {
        assert_eq!((limit(0), limit(50), limit(usize::MAX)), (1, 50, MOST_MESSAGES));
    }
}

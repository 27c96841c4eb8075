//! What a conversation must hold: each text exactly once, in order, and no own message that isn't through.
//!
//! The checker knows what was typed on either side and sees what a window shows. It knows nothing of
//! archives, sessions or ids, so it can't be fooled by what the program believes about them.

use crate::message::Message;
use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with a conversation, a sentence each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    sentences: Vec<String>,
    shown: Vec<String>,
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.sentences.join("\n"))?;
        write!(f, "The conversation as shown:\n{}", self.shown.join("\n"))
    }
}

impl std::error::Error for Differences {}

/// What somebody's window must show of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// What the other side typed, in its order.
    pub received: &'a [String],
    /// What this side typed, in its order.
    pub sent: &'a [String],
    /// The states in which own messages may be.
    pub states: &'a [&'a str],
}

impl Expected<'_> {
    /// Compares what is shown (oldest first) with what was typed, each direction by itself.
    ///
    /// # Errors
    /// Everything that differs.
    pub fn check(&self, shown: &[Message]) -> Result<(), Differences> {
        let bodies = |own: bool| -> Vec<&str> {
            let ours = shown.iter().filter(|message| message.own == own);
            ours.map(|message| message.body.as_str()).collect()
        };
        let mut sentences = compare("received", self.received, &bodies(false));
        sentences.extend(compare("sent", self.sent, &bodies(true)));
        for message in shown.iter().filter(|message| message.own) {
            let state = message.state.as_deref().unwrap_or("in no state");
            if !self.states.contains(&state) {
                let why = message.why.as_deref().map(|why| format!(" ({why})"));
                sentences.push(format!(
                    "Sent: “{}” is {state}{}, not {}.",
                    message.body,
                    why.unwrap_or_default(),
                    self.states.join(" or ")
                ));
            }
        }
        sentences.extend(
            shown
                .iter()
                .filter(|message| message.kind != "text")
                .map(|message| format!("“{}” is {}, not text.", message.body, message.kind)),
        );
        finish(sentences, shown)
    }
}

/// Checks the order of the whole conversation, both directions together.
///
/// # Errors
/// Where it differs.
pub fn check_order(shown: &[Message], order: &[String]) -> Result<(), Differences> {
    let bodies: Vec<&str> = shown.iter().map(|message| message.body.as_str()).collect();
    finish(compare("both directions", order, &bodies), shown)
}

fn finish(sentences: Vec<String>, shown: &[Message]) -> Result<(), Differences> {
    if sentences.is_empty() {
        return Ok(());
    }
    let shown = shown.iter().map(|message| {
        let arrow = if message.own { "→" } else { "←" };
        let state = message.state.as_deref().unwrap_or_default();
        format!("  {:>5} {arrow} {} {state}", message.id, message.body)
    });
    Err(Differences {
        sentences,
        shown: shown.collect(),
    })
}

fn compare(direction: &str, typed: &[String], shown: &[&str]) -> Vec<String> {
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for body in typed {
        *wanted.entry(body).or_default() += 1;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for body in shown {
        *counts.entry(body).or_default() += 1;
    }
    let mut sentences = Vec::new();
    for (body, wanted) in &wanted {
        match counts.get(body).copied().unwrap_or_default() {
            0 => sentences.push(format!("Lost ({direction}): “{body}”.")),
            count if count > *wanted => {
                sentences.push(format!("Shown {count} times ({direction}): “{body}”."));
            }
            count if count < *wanted => {
                sentences.push(format!(
                    "Shown {count} of {wanted} times ({direction}): “{body}”."
                ));
            }
            _ => {}
        }
    }
    for body in counts.keys().filter(|body| !wanted.contains_key(*body)) {
        sentences.push(format!("Never typed ({direction}): “{body}”."));
    }
    if sentences.is_empty()
        && let Some((at, (typed, shown))) = typed
            .iter()
            .zip(shown)
            .enumerate()
            .find(|(_, (typed, shown))| typed != shown)
    {
        sentences.push(format!(
            "Out of order ({direction}): number {} is “{shown}”, not “{typed}”.",
            at + 1
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(own: bool, body: &str, state: Option<&str>) -> Message {
        Message {
            id: 1,
            own,
            body: body.to_owned(),
            kind: "text".to_owned(),
            state: state.map(str::to_owned),
            why: None,
            archive_ids: Vec::new(),
        }
    }

    fn texts(bodies: &[&str]) -> Vec<String> {
        bodies.iter().map(|body| (*body).to_owned()).collect()
    }

    fn said(received: &[&str], sent: &[&str], shown: &[Message]) -> String {
        let expected = Expected {
            received: &texts(received),
            sent: &texts(sent),
            states: &["sent", "delivered"],
        };
        match expected.check(shown) {
            Ok(()) => String::new(),
            Err(differences) => differences.sentences.join("\n"),
        }
    }

    #[test]
    fn a_conversation_as_it_was_typed_has_no_differences() {
        let shown = [
            message(false, "a", None),
            message(true, "x", Some("sent")),
            message(false, "b", None),
        ];
        assert_eq!(said(&["a", "b"], &["x"], &shown), "");
        assert!(check_order(&shown, &texts(&["a", "x", "b"])).is_ok());
    }

    #[test]
    fn what_is_lost_shown_twice_or_never_typed_is_named() {
        let shown = [
            message(false, "a", None),
            message(false, "a", None),
            message(false, "c", None),
        ];
        let said = said(&["a", "b"], &[], &shown);
        assert_eq!(
            said,
            "Shown 2 times (received): “a”.\nLost (received): “b”.\nNever typed (received): “c”."
        );
    }

    #[test]
    fn a_text_typed_twice_must_be_shown_twice() {
        let shown = [message(false, "a", None), message(false, "a", None)];
        assert_eq!(said(&["a", "a"], &[], &shown), "");
        assert_eq!(
            said(&["a", "a"], &[], &shown[..1]),
            "Shown 1 of 2 times (received): “a”."
        );
    }

    #[test]
    fn a_wrong_order_is_named_where_it_begins() {
        let shown = [
            message(false, "a", None),
            message(false, "c", None),
            message(false, "b", None),
        ];
        assert_eq!(
            said(&["a", "b", "c"], &[], &shown),
            "Out of order (received): number 2 is “c”, not “b”."
        );
        let mixed = [message(true, "x", Some("sent")), message(false, "a", None)];
        assert_eq!(said(&["a"], &["x"], &mixed), "");
        assert!(check_order(&mixed, &texts(&["a", "x"])).is_err());
    }

    #[test]
    fn an_own_message_that_is_not_through_is_a_difference() {
        let shown = [message(true, "x", Some("queued"))];
        assert_eq!(
            said(&[], &["x"], &shown),
            "Sent: “x” is queued, not sent or delivered."
        );
    }
}

//! A part of a conversation on its way to the window: bounded in bytes, however long its messages are.
//!
//! Nobody limits what strangers send but their servers: five hundred messages may be five hundred megabytes.
//! What is over the bound is left out at the far end of what was asked for, and told as being there, so that
//! the window asks for it when it gets there. One message is always told.

use crate::protocol::{Content, Message, Part, Stretch};
use crate::tags::Tags;
use crate::view;
use crate::words::Words;

/// The most text that is told at once, in bytes.
const MOST_TEXT: usize = 4 * 1024 * 1024;

/// What the window gets of what the engine found for this part.
pub fn stretch(found: &dormouse_engine::Stretch, part: &Part, words: &Words) -> Stretch {
    // Only what was sent a moment ago has a tag, and that is told as a change.
    let tags = Tags::default();
    let messages = found.messages.iter();
    bounded(
        Stretch {
            messages: messages
                .map(|message| view::message_in(words, message, &tags))
                .collect(),
            older: found.more,
            newer: found.newer,
            beginning: found.beginning,
            gap: found.hole.map(|(from, to)| (from.to_string(), to.to_string())),
        },
        part,
        MOST_TEXT,
    )
}

fn bounded(mut stretch: Stretch, part: &Part, most: usize) -> Stretch {
    let forwards = matches!(part, Part::After { .. });
    let mut text = 0;
    let mut fits = |message: &Message| {
        text += size(message);
        text <= most
    };
    let messages = &mut stretch.messages;
    let kept = if forwards {
        messages.iter().take_while(|message| fits(message)).count()
    } else {
        messages.iter().rev().take_while(|message| fits(message)).count()
    };
    let kept = kept.max(1);
    if kept >= messages.len() {
        return stretch;
    }
    if forwards {
        messages.truncate(kept);
        stretch.newer = true;
    } else {
        messages.drain(..messages.len() - kept);
        stretch.older = true;
    }
    // A gap beyond what is left is told when the window gets there.
    if let (Some((from, to)), Some(first), Some(last)) = (&stretch.gap, messages.first(), messages.last()) {
        let beyond = if forwards {
            *from >= last.place
        } else {
            *to <= first.place
        };
        if beyond {
            stretch.gap = None;
        }
    }
    stretch
}

fn size(message: &Message) -> usize {
    match &message.content {
        Content::Text { body } => body.len(),
        Content::Unshowable { .. } | Content::Retracted => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u64) -> String {
        format!("{number:032x}")
    }

    /// Messages of ten bytes each at the places 10, 20, 30...
    fn of(count: u64, gap: Option<(u64, u64)>) -> Stretch {
        let messages = (1..=count).map(|number| Message {
            id: number,
            with: "juliet@example.org".into(),
            place: place(number * 10),
            own: false,
            at: 0,
            content: Content::Text {
                body: "0123456789".into(),
            },
            edited: false,
            delivery: None,
            tag: None,
        });
        Stretch {
            messages: messages.collect(),
            older: false,
            newer: false,
            beginning: true,
            gap: gap.map(|(from, to)| (place(from), place(to))),
        }
    }

    fn ids(stretch: &Stretch) -> Vec<u64> {
        stretch.messages.iter().map(|message| message.id).collect()
    }

    fn after() -> Part {
        Part::After { place: place(0) }
    }

    #[test]
    fn what_fits_is_told_as_it_is() {
        let whole = of(3, Some((10, 20)));
        assert_eq!(bounded(whole.clone(), &Part::Latest, 30), whole);
        assert_eq!(bounded(whole.clone(), &after(), 30), whole);
    }

    #[test]
    fn of_too_much_the_nearest_is_told_and_that_there_is_more() {
        let latest = bounded(of(5, None), &Part::Latest, 25);
        assert_eq!(
            (ids(&latest), latest.older, latest.newer),
            (vec![4, 5], true, false)
        );
        let next = bounded(of(5, None), &after(), 25);
        assert_eq!((ids(&next), next.older, next.newer), (vec![1, 2], false, true));
    }

    #[test]
    fn one_message_is_told_however_long_it_is() {
        let latest = bounded(of(3, None), &Part::Latest, 1);
        assert_eq!((ids(&latest), latest.older), (vec![3], true));
        assert_eq!(ids(&bounded(of(1, None), &Part::Latest, 1)), [1]);
        assert!(bounded(of(0, None), &Part::Latest, 1).messages.is_empty());
    }

    #[test]
    fn a_gap_is_told_while_any_of_it_is_beside_what_is_told() {
        let seen = bounded(of(5, Some((30, 40))), &Part::Latest, 25);
        assert_eq!(seen.gap, None);
        let seen = bounded(of(5, Some((30, 50))), &Part::Latest, 25);
        assert!(seen.gap.is_some());
        let seen = bounded(of(5, Some((20, 30))), &after(), 25);
        assert_eq!(seen.gap, None);
        let seen = bounded(of(5, Some((10, 20))), &after(), 25);
        assert!(seen.gap.is_some());
    }
}

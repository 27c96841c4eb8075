//! One or two characters that stand for somebody.

use crate::{harmless, scripts};
use unicode_segmentation::UnicodeSegmentation;

/// The initials of a name that has been made harmless: of its first and its last word. Where letters join (Arabic
/// and its relatives), where a character is a word of its own (Han, kana, Hangul) and for emoji one is enough.
pub fn of_name(shown: &str) -> String {
    of_words(shown.split(' '))
}

/// The initials of an address: those of its local part, whose words are set apart by dots and the like.
pub fn of_address(shown: &str) -> String {
    let local = shown.split('@').next().unwrap_or_default();
    of_words(local.split(['.', '_', '-', '+']))
}

fn of_words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut letters = words.filter_map(|word| {
        word.graphemes(true)
            .find(|grapheme| begins_with(grapheme, can_stand))
    });
    let Some(first) = letters.next() else {
        return "?".to_owned();
    };
    let mut initials = upper(first);
    if let Some(last) = letters.last()
        && !begins_with(first, is_enough)
        && !begins_with(last, is_enough)
    {
        initials.push_str(&upper(last));
    }
    initials
}

fn begins_with(grapheme: &str, test: fn(char) -> bool) -> bool {
    grapheme.chars().next().is_some_and(test)
}

fn can_stand(c: char) -> bool {
    c.is_alphanumeric() || harmless::is_emoji(c)
}

fn is_enough(c: char) -> bool {
    harmless::is_emoji(c) || scripts::is_square(c) || scripts::is_joined_up(c)
}

/// In capitals, unless those are more than one (ß, ﬁ).
fn upper(grapheme: &str) -> String {
    let capitals = grapheme.to_uppercase();
    if capitals.graphemes(true).count() == 1 {
        capitals
    } else {
        grapheme.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harmless;
    use proptest::prelude::*;

    #[test]
    fn the_first_and_the_last_word_give_the_initials() {
        assert_eq!(of_name("alice"), "A");
        assert_eq!(of_name("Alice Smith"), "AS");
        assert_eq!(of_name("Ana María de la Cruz"), "AC");
        assert_eq!(of_name("«Élodie» (Bern)"), "ÉB");
        assert_eq!(of_name("Alice -"), "A");
    }

    #[test]
    fn a_letter_and_its_accents_are_one_character() {
        assert_eq!(of_name("e\u{301}lodie"), "E\u{301}");
        assert_eq!(of_name("ßüß"), "ß");
    }

    #[test]
    fn an_emoji_stands_whole_and_alone() {
        assert_eq!(of_name("👩‍🚀 Sally Ride"), "👩‍🚀");
        assert_eq!(of_name("🇨🇭"), "🇨🇭");
    }

    #[test]
    fn right_to_left_names_keep_the_order_of_writing_and_joining_letters_stand_alone() {
        assert_eq!(of_name("דנה לוי"), "דל");
        assert_eq!(of_name("علي حسن"), "ع");
    }

    #[test]
    fn names_in_squares_give_their_first() {
        assert_eq!(of_name("山田 太郎"), "山");
        assert_eq!(of_name("김 철수"), "김");
    }

    #[test]
    fn an_address_gives_those_of_its_local_part() {
        assert_eq!(of_address("alice@example.org"), "A");
        assert_eq!(of_address("alice.smith@example.org"), "AS");
        assert_eq!(of_address("chat.example.org"), "CO");
    }

    #[test]
    fn where_there_is_no_letter_a_question_mark_stands() {
        assert_eq!(of_name(""), "?");
        assert_eq!(of_name("… !"), "?");
        assert_eq!(of_address("@example.org"), "?");
    }

    proptest! {
        #[test]
        fn there_is_always_something_and_never_more_than_two_characters(raw in "\\PC{0,40}") {
            let shown = harmless::line(&raw);
            for initials in [of_name(&shown), of_address(&shown)] {
                prop_assert!(!initials.is_empty());
                prop_assert!(initials.graphemes(true).count() <= 2, "{:?}", initials);
            }
        }
    }
}

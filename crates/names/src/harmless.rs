//! Text from elsewhere made fit for one line among other people's.

use crate::scripts;
use unicode_properties::{
    GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory, emoji,
};
use unicode_segmentation::UnicodeSegmentation;

/// How many characters of a name are shown, as a person counts characters.
pub const LONGEST_NAME: usize = 60;

/// How many marks may stand on one letter (UTS 39, section 5.4 gives four).
const MOST_MARKS: usize = 4;

/// How long one emoji may be in code points: a family of four, each with a skin tone, has eleven.
const LONGEST_EMOJI: usize = 16;

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
const BLACK_FLAG: char = '\u{1F3F4}';

/// A name of bounded length in which nothing is hidden; none if there is nothing to see in it.
pub fn name(raw: &str) -> Option<String> {
    let whole = line(raw);
    let mut graphemes = whole.graphemes(true);
    let mut shown: String = graphemes.by_ref().take(LONGEST_NAME).collect();
    if graphemes.next().is_some() {
        shown.truncate(shown.trim_end().len());
        shown.push('…');
    }
    shown.chars().any(is_seen).then_some(shown)
}

/// The same without a bound: for addresses, whose end says most about them.
pub fn line(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.graphemes(true).peekable();
    while let Some(grapheme) = rest.next() {
        if grapheme.chars().all(is_blank) {
            if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
        } else {
            keep(grapheme, rest.peek().copied().unwrap_or_default(), &mut text);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Whether a text has signs that turn the direction of what follows. Marks of direction, which turn nothing, are
/// part of honest names in right-to-left scripts.
pub fn turns_direction(raw: &str) -> bool {
    raw.chars()
        .any(|c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
}

/// Adds what may be shown of one grapheme.
fn keep(grapheme: &str, next: &str, text: &mut String) {
    let mut chars = grapheme.chars().filter(|c| !is_blank(*c)).peekable();
    let first = chars.peek().copied().unwrap_or_default();
    if is_emoji(first) {
        let sequence = chars.filter(|c| {
            is_emoji(*c) || emoji::is_zwj(*c) || is_variation(*c) || first == BLACK_FLAG && is_tag(*c)
        });
        text.extend(sequence.take(LONGEST_EMOJI));
        // A joiner with nothing behind it joins nothing.
        text.truncate(text.trim_end_matches(ZERO_WIDTH_JOINER).len());
        return;
    }
    while let Some(c) = chars.next() {
        if is_hidden(c) {
            if is_joiner(c) && joins(text, chars.peek().copied().or(next.chars().next())) {
                text.push(c);
            }
        } else if !is_mark(c) || can_bear_a_mark(text) {
            text.push(c);
        }
    }
}

/// Looks at what is kept: something hidden between the marks does not make two towers of one.
fn can_bear_a_mark(text: &str) -> bool {
    !text.is_empty() && text.chars().rev().take_while(|c| is_mark(*c)).count() < MOST_MARKS
}

fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

/// Whether a joiner here changes how the word is written: between letters of scripts that join (UAX 31, A1 and A2).
fn joins(before: &str, next: Option<char>) -> bool {
    let joining = |c: Option<char>| {
        c.is_some_and(|c| {
            !c.is_ascii()
                && matches!(
                    c.general_category(),
                    GeneralCategory::OtherLetter
                        | GeneralCategory::NonspacingMark
                        | GeneralCategory::SpacingMark
                )
                && !scripts::is_square(c)
        })
    };
    joining(before.chars().next_back()) && joining(next)
}

fn is_joiner(c: char) -> bool {
    matches!(c, ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER)
}

pub fn is_emoji(c: char) -> bool {
    !c.is_ascii() && (c.is_emoji_char() || emoji::is_regional_indicator(c))
}

fn is_variation(c: char) -> bool {
    emoji::is_emoji_presentation_selector(c) || emoji::is_text_presentation_selector(c)
}

fn is_tag(c: char) -> bool {
    emoji::is_tag_character(c)
}

/// Takes room and shows nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}'
        )
}

/// Takes no room, or means nothing to others.
pub fn is_hidden(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    ) || matches!(
        c,
        '\u{034F}' | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFF0}'..='\u{FFFC}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

fn is_seen(c: char) -> bool {
    !is_blank(c) && !is_hidden(c) && !is_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_and_zero_width_signs_are_taken_out() {
        assert_eq!(
            name("Al\u{0}i\u{200B}c\u{FEFF}e\u{7}\u{AD}").as_deref(),
            Some("Alice")
        );
    }

    #[test]
    fn signs_that_turn_the_text_are_taken_out() {
        assert_eq!(
            name("\u{202E}ecilA\u{202C} \u{2067}x\u{2069}").as_deref(),
            Some("ecilA x")
        );
    }

    #[test]
    fn lines_and_tabs_become_single_spaces() {
        assert_eq!(
            name("  Alice\r\n\r\n\tof\u{2028}Bern\u{3000} ").as_deref(),
            Some("Alice of Bern")
        );
    }

    #[test]
    fn signs_that_look_like_nothing_are_spaces_or_nothing() {
        assert_eq!(name("\u{3164}"), None);
        assert_eq!(name("\u{2800}\u{115F}\u{A0}"), None);
        assert_eq!(name("\u{301}\u{301}"), None);
        assert_eq!(name(""), None);
        assert_eq!(name("Alice\u{3164}Smith").as_deref(), Some("Alice Smith"));
    }

    #[test]
    fn a_tower_of_accents_is_cut_down_and_honest_accents_stay() {
        let tower = format!("Z{}o", "\u{301}".repeat(500));
        assert_eq!(
            name(&tower).map(|name| name.chars().count()),
            Some(2 + MOST_MARKS)
        );
        let in_storeys = format!("Z{}o", "\u{200B}\u{301}".repeat(500));
        assert_eq!(name(&in_storeys), name(&tower));
        assert_eq!(
            name(&format!("😀{}", "\u{301}".repeat(500))).as_deref(),
            Some("😀")
        );
        let honest = "Nguyễn Thị Thập";
        assert_eq!(name(honest).as_deref(), Some(honest));
    }

    #[test]
    fn a_long_name_is_cut_between_characters_as_a_person_counts_them() {
        let family = "👩🏽‍👩🏽‍👧🏽‍👦🏽";
        let shown = name(&family.repeat(10_000)).unwrap();
        assert_eq!(shown, format!("{}…", family.repeat(LONGEST_NAME)));
    }

    #[test]
    fn emoji_sequences_survive_whole() {
        for whole in [
            "👩‍🚀",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "❤\u{FE0F}",
            "🇨🇭",
            "👍🏽",
        ] {
            assert_eq!(name(whole).as_deref(), Some(whole));
        }
    }

    #[test]
    fn joiners_stay_where_a_script_needs_them_and_nowhere_else() {
        assert_eq!(name("می\u{200C}خواهم").as_deref(), Some("می\u{200C}خواهم"));
        assert_eq!(name("क्\u{200D}ष").as_deref(), Some("क्\u{200D}ष"));
        assert_eq!(name("Al\u{200C}i\u{200D}ce").as_deref(), Some("Alice"));
        assert_eq!(name("東\u{200D}京").as_deref(), Some("東京"));
    }

    #[test]
    fn an_address_is_never_cut() {
        let address = format!("{}@evil.example", "a".repeat(900));
        assert_eq!(line(&address), address);
    }

    fn hostile() -> impl Strategy<Value = String> {
        let sign = prop_oneof![
            any::<char>(),
            proptest::char::range('\u{2000}', '\u{206F}'),
            proptest::char::range('\u{FE00}', '\u{FE0F}'),
            proptest::char::range('\u{E0000}', '\u{E007F}'),
            proptest::sample::select(vec!['a', ' ', '👩', '\u{301}', 'ا', '\u{200D}', '🏴', '\u{3164}']),
        ];
        proptest::collection::vec(sign, 0..200).prop_map(|signs| signs.into_iter().collect())
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_hides_turns_or_breaks_the_line(raw in hostile()) {
            if let Some(shown) = name(&raw) {
                prop_assert!(!turns_direction(&shown));
                let broken = shown.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
                prop_assert!(!broken);
                prop_assert!(!shown.contains("  ") && shown.trim() == shown);
                prop_assert!(shown.chars().any(is_seen));
                prop_assert!(shown.graphemes(true).count() <= LONGEST_NAME + 1);
                prop_assert!(shown.len() <= (LONGEST_NAME + 1) * LONGEST_EMOJI * 4);
            }
        }

        #[test]
        fn plain_names_are_left_as_they_are(words in proptest::collection::vec("[A-Za-zäöüßéñ]{1,9}", 1..5)) {
            let plain = words.join(" ");
            prop_assert_eq!(name(&plain), Some(plain));
        }
    }
}

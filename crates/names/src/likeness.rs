//! Which texts a person may take for one another (UTS 39, section 4).

use crate::harmless::is_hidden;
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

/// What a text looks like. Two texts are alike if they have one of these in common: there are two because case
/// can be folded before a look is taken (`ALICE` is `alice`) or after it (`aIice`, with a capital i, is `alice`).
pub fn looks(text: &str) -> BTreeSet<String> {
    let plain: String = text
        .nfkc()
        .filter(|c| !c.is_whitespace() && !is_hidden(*c))
        .collect();
    let folded: String = plain
        .chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect();
    [&plain, &folded]
        .into_iter()
        .map(|text| skeleton(text).collect::<String>().to_lowercase())
        .filter(|look| !look.is_empty())
        .collect()
}

/// How far a text is from what everybody types: of two that are alike, the odder is the imitation.
pub fn oddness(text: &str) -> usize {
    text.chars().filter(|c| !c.is_ascii()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alike(one: &str, other: &str) -> bool {
        !looks(one).is_disjoint(&looks(other))
    }

    #[test]
    fn letters_of_other_scripts_that_look_the_same_are_alike() {
        assert!(alike("аlісе", "alice"));
        assert!(alike("Αlice", "Alice"));
    }

    #[test]
    fn a_capital_i_a_small_l_and_a_one_are_alike() {
        assert!(alike("aIice", "alice"));
        assert!(alike("a1ice@example.org", "alice@example.org"));
        assert!(alike("alice@examp1e.org", "alice@example.org"));
    }

    #[test]
    fn rn_and_m_are_alike() {
        assert!(alike("tirn", "tim"));
    }

    #[test]
    fn full_width_and_mathematical_letters_are_alike_to_plain_ones() {
        assert!(alike("Ａｌｉｃｅ", "Alice"));
        assert!(alike("𝐀𝐥𝐢𝐜𝐞", "Alice"));
    }

    #[test]
    fn case_spaces_and_what_cannot_be_seen_make_no_difference() {
        assert!(alike("ALICE SMITH", "Alice  Smith"));
        assert!(alike("Al\u{200B}ice", "Alice"));
        assert!(alike("AliceSmith", "Alice Smith"));
    }

    #[test]
    fn different_names_are_not_alike() {
        for (one, other) in [
            ("Alice", "Alina"),
            ("Müller", "Muller"),
            ("Ali", "All"),
            ("anna@example.org", "anne@example.org"),
            ("Иван", "Igor"),
            ("🐭", "🐱"),
        ] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_has_no_look_is_like_nothing() {
        assert!(!alike("", "\u{200B} "));
    }

    proptest! {
        #[test]
        fn every_text_that_can_be_seen_is_like_itself_in_another_case(text in "[a-zа-яα-ω0-9 ]{0,20}[a-z]") {
            prop_assert!(alike(&text, &text.to_uppercase()));
        }
    }
}

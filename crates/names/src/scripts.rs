//! Which scripts stand together in one word (UTS 39, section 5.2).

use unicode_normalization::char::is_combining_mark;
use unicode_security::mixed_script::AugmentedScriptSet;

/// Whether a word of this text mixes scripts that nobody mixes. Words are judged one by one: a Russian first name
/// beside an English surname is no trick.
pub fn are_mixed(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c))
        .any(is_word_mixed)
}

/// The level "highly restrictive": one script, or Latin with Japanese, with Korean, or with Chinese and Bopomofo.
fn is_word_mixed(word: &str) -> bool {
    let mut all = AugmentedScriptSet::default();
    let mut all_but_latin = AugmentedScriptSet::default();
    for c in word.chars() {
        let scripts = AugmentedScriptSet::for_char(c);
        all.intersect_with(scripts);
        if !shares_script(c, 'a') {
            all_but_latin.intersect_with(scripts);
        }
    }
    all.is_empty() && !(all_but_latin.jpan || all_but_latin.kore || all_but_latin.hanb)
}

/// Whether each character of this script is a square of its own: Han, kana, Hangul, Bopomofo.
pub fn is_square(c: char) -> bool {
    let scripts = AugmentedScriptSet::for_char(c);
    !scripts.is_all() && (scripts.jpan || scripts.kore || scripts.hanb)
}

/// Whether the letters of this script change their shape beside one another.
pub fn is_joined_up(c: char) -> bool {
    c.is_alphabetic()
        && ['ع', 'ܥ', 'ߊ', 'ᠠ', 'ࡀ']
            .iter()
            .any(|joined| shares_script(c, *joined))
}

/// Characters used with all scripts share every one.
fn shares_script(one: char, other: char) -> bool {
    let mut scripts = AugmentedScriptSet::for_char(one);
    scripts.intersect_with(AugmentedScriptSet::for_char(other));
    !scripts.base.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cyrillic_letter_in_a_latin_word_is_a_mix() {
        assert!(are_mixed("Pаypal"));
        assert!(are_mixed("Bank of Αmerica"));
        assert!(are_mixed("alice@examplе.org"));
    }

    #[test]
    fn scripts_side_by_side_in_words_of_their_own_are_no_mix() {
        assert!(!are_mixed("Иван Smith"));
        assert!(!are_mixed("иван@example.org"));
        assert!(!are_mixed("שלום (Shalom) 42"));
    }

    #[test]
    fn japanese_korean_and_chinese_mixes_are_ordinary() {
        for ordinary in [
            "山田たろう",
            "トヨタJP東京",
            "김철수LG",
            "漢字ㄅㄆ",
            "Xビデオ",
            "李小龍3",
        ] {
            assert!(!are_mixed(ordinary), "{ordinary}");
        }
    }

    #[test]
    fn kana_and_hangul_in_one_word_is_a_mix() {
        assert!(are_mixed("たろう철수"));
    }

    #[test]
    fn accents_digits_and_emoji_belong_to_every_script() {
        for ordinary in ["Zoë7", "Nguyễn", "Иван2", "Ме\u{301}д", "Anna🐭", "٣علي"] {
            assert!(!are_mixed(ordinary), "{ordinary}");
        }
    }

    #[test]
    fn one_script_however_foreign_is_no_mix() {
        for ordinary in ["Ωμέγα", "नमस्ते", "ภาษาไทย", "ქართული", "አማርኛ", "العربية"]
        {
            assert!(!are_mixed(ordinary), "{ordinary}");
        }
    }
}

//! Everyone the user knows of, and how each is to be shown among them.

use crate::{Guise, Warning, foreign_address, harmless, hue::hue, initials, likeness, scripts};
use std::collections::{BTreeMap, BTreeSet};

/// Everyone whom somebody could imitate: the roster, and the user's own address. Strangers need not be in it to get
/// a guise.
///
/// Looks are kept ready: a guise costs the same in a book of ten and of ten thousand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    names: BTreeMap<String, Option<String>>,
    /// Who looks like this, and how odd what looks so is.
    looks: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Book {
    /// A book with nobody in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters somebody by their bare address, with the name the user knows them by, as it came. Replaces what was
    /// there.
    pub fn set(&mut self, address: &str, name: Option<&str>) {
        self.remove(address);
        for (look, oddness) in looks(address, name) {
            self.looks
                .entry(look)
                .or_default()
                .insert(address.to_owned(), oddness);
        }
        self.names.insert(address.to_owned(), name.map(str::to_owned));
    }

    /// Takes somebody out.
    pub fn remove(&mut self, address: &str) {
        let Some(name) = self.names.remove(address) else {
            return;
        };
        for look in looks(address, name.as_deref()).into_keys() {
            if let Some(who) = self.looks.get_mut(&look) {
                who.remove(address);
                if who.is_empty() {
                    self.looks.remove(&look);
                }
            }
        }
    }

    /// How somebody is to be shown; whoever is not in the book, by their address.
    pub fn guise(&self, address: &str) -> Guise {
        let name = self.names.get(address).and_then(Option::as_deref);
        let called = name.and_then(harmless::name);
        let (shown, initials) = match called {
            Some(called) => {
                let initials = initials::of_name(&called);
                (called, initials)
            }
            None => {
                let shown = harmless::line(address);
                let initials = initials::of_address(&shown);
                (shown, initials)
            }
        };
        Guise {
            shown,
            initials,
            hue: hue(address),
            warning: self.warning(address, name),
        }
    }

    fn warning(&self, address: &str, name: Option<&str>) -> Option<Warning> {
        let claim = name
            .and_then(harmless::name)
            .and_then(|called| foreign_address::find(&called, address))
            .map(Warning::NameIsAnotherAddress);
        claim
            .or_else(|| self.imitated(address, name).map(Warning::Imitates))
            .or_else(|| {
                texts(address, name)
                    .any(harmless::turns_direction)
                    .then_some(Warning::Bidi)
            })
            .or_else(|| {
                texts(address, name)
                    .any(scripts::are_mixed)
                    .then_some(Warning::MixedScripts)
            })
    }

    /// Whom one can take this person for, unless that other one is the odder.
    fn imitated(&self, address: &str, name: Option<&str>) -> Option<String> {
        let others: BTreeSet<&String> = looks(address, name)
            .iter()
            .flat_map(|(look, own)| {
                let who = self.looks.get(look).into_iter().flatten();
                who.filter(move |(other, oddness)| *other != address && *oddness <= own)
            })
            .map(|(other, _)| other)
            .collect();
        others.first().map(|other| harmless::line(other))
    }
}

fn texts<'a>(address: &'a str, name: Option<&'a str>) -> impl Iterator<Item = &'a str> {
    [Some(address), name].into_iter().flatten()
}

/// What somebody looks like by address and by name, with the oddness of the plainest that looks so.
fn looks(address: &str, name: Option<&str>) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    let called = name.and_then(harmless::name);
    for text in texts(address, called.as_deref()) {
        for look in likeness::looks(text) {
            let oddness = all.entry(look).or_insert(usize::MAX);
            *oddness = likeness::oddness(text).min(*oddness);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn book(people: &[(&str, Option<&str>)]) -> Book {
        let mut book = Book::new();
        for (address, name) in people {
            book.set(address, *name);
        }
        book
    }

    fn imitates(address: &str) -> Option<Warning> {
        Some(Warning::Imitates(address.to_owned()))
    }

    #[test]
    fn a_person_is_called_by_name_and_coloured_by_address() {
        let book = book(&[("juliet@capulet.lit", Some(" Juliet\nCapulet "))]);
        assert_eq!(
            book.guise("juliet@capulet.lit"),
            Guise {
                shown: "Juliet Capulet".to_owned(),
                initials: "JC".to_owned(),
                hue: 209,
                warning: None,
            }
        );
    }

    #[test]
    fn a_person_without_a_name_that_can_be_seen_is_called_by_address() {
        let book = book(&[
            ("a@example.org", None),
            ("b@example.org", Some("\u{3164}")),
            ("c@example.org", Some("")),
        ]);
        for address in [
            "a@example.org",
            "b@example.org",
            "c@example.org",
            "stranger@example.org",
        ] {
            assert_eq!(book.guise(address).shown, address);
        }
    }

    #[test]
    fn a_stranger_whose_address_looks_like_a_contacts_is_marked() {
        let book = book(&[("alice@example.org", Some("Alice"))]);
        for trick in [
            "аlice@example.org",
            "a1ice@example.org",
            "alice@examp1e.org",
            "аlісе@ехаmрlе.оrg",
        ] {
            assert_eq!(
                book.guise(trick).warning,
                imitates("alice@example.org"),
                "{trick}"
            );
        }
        assert_eq!(book.guise("bob@example.org").warning, None);
    }

    #[test]
    fn a_name_that_looks_like_another_contacts_name_is_marked() {
        let book = book(&[
            ("alice@example.org", Some("Alice")),
            ("mallory@evil.example", Some("AIісе")),
        ]);
        assert_eq!(
            book.guise("mallory@evil.example").warning,
            imitates("alice@example.org")
        );
    }

    #[test]
    fn the_plainer_of_two_that_are_alike_is_not_blamed() {
        let book = book(&[
            ("alice@example.org", Some("Alice")),
            ("mallory@evil.example", Some("Аlice")),
        ]);
        assert_eq!(book.guise("alice@example.org").warning, None);
    }

    #[test]
    fn two_with_the_same_name_are_both_marked() {
        let book = book(&[
            ("a@example.org", Some("Alice")),
            ("b@evil.example", Some("ALICE")),
        ]);
        assert_eq!(book.guise("a@example.org").warning, imitates("b@evil.example"));
        assert_eq!(book.guise("b@evil.example").warning, imitates("a@example.org"));
    }

    #[test]
    fn a_name_that_is_another_address_is_marked_known_or_not() {
        let book = book(&[
            ("alice@example.org", None),
            ("m@evil.example", Some("alice@example.org")),
            ("n@evil.example", Some("Support (help@bank.example)")),
            ("o@example.org", Some("o@example.org")),
        ]);
        let claims = |address: &str| Some(Warning::NameIsAnotherAddress(address.to_owned()));
        assert_eq!(book.guise("m@evil.example").warning, claims("alice@example.org"));
        assert_eq!(book.guise("n@evil.example").warning, claims("help@bank.example"));
        assert_eq!(book.guise("o@example.org").warning, None);
    }

    #[test]
    fn an_address_hidden_behind_an_invisible_sign_is_found() {
        let book = book(&[("m@evil.example", Some("alice@exam\u{200B}ple.org"))]);
        assert_eq!(
            book.guise("m@evil.example").warning,
            Some(Warning::NameIsAnotherAddress("alice@example.org".to_owned()))
        );
    }

    #[test]
    fn a_name_that_turned_the_text_is_marked_and_turns_it_no_more() {
        let book = book(&[("m@evil.example", Some("\u{202E}gro.elpmaxe ecila"))]);
        let guise = book.guise("m@evil.example");
        assert_eq!(guise.warning, Some(Warning::Bidi));
        assert_eq!(guise.shown, "gro.elpmaxe ecila");
    }

    #[test]
    fn a_word_of_two_scripts_is_marked() {
        let book = book(&[
            ("m@evil.example", Some("Pаypal")),
            ("y@example.jp", Some("山田たろうJP")),
        ]);
        assert_eq!(book.guise("m@evil.example").warning, Some(Warning::MixedScripts));
        assert_eq!(
            book.guise("аdmin@evil.example").warning,
            Some(Warning::MixedScripts)
        );
        assert_eq!(book.guise("y@example.jp").warning, None);
    }

    #[test]
    fn whom_one_is_taken_for_comes_before_how_it_was_done() {
        let book = book(&[
            ("alice@example.org", Some("Alice")),
            ("m@evil.example", Some("\u{202A}Alicе")),
        ]);
        assert_eq!(
            book.guise("m@evil.example").warning,
            imitates("alice@example.org")
        );
    }

    #[test]
    fn nobody_imitates_who_has_left_the_book() {
        let mut book = book(&[("alice@example.org", Some("Alice"))]);
        book.set("alice@example.org", Some("Alicia"));
        book.set("b@example.org", Some("Alice"));
        assert_eq!(book.guise("b@example.org").warning, None);
        book.set("c@example.org", Some("Alicia"));
        book.remove("alice@example.org");
        assert_eq!(book.guise("c@example.org").warning, None);
        assert_eq!(book.guise("a1ice@example.org").warning, None);
    }

    fn people() -> impl Strategy<Value = Vec<(String, Option<String>)>> {
        let address = "[abіl1]{1,3}@[el1]{1,2}\\.org";
        let name = proptest::option::of("[AaаIl1b@. \u{202E}\u{200B}]{0,6}");
        proptest::collection::vec((address, name), 0..12)
    }

    proptest! {
        #[test]
        fn a_book_remembers_nothing_of_those_taken_out(first in people(), second in people()) {
            let mut lived = Book::new();
            for (address, name) in first.iter().chain(&second) {
                lived.set(address, name.as_deref());
            }
            for (address, _) in &first {
                if !second.iter().any(|(kept, _)| kept == address) {
                    lived.remove(address);
                }
            }
            let mut fresh = Book::new();
            for (address, name) in &second {
                fresh.set(address, name.as_deref());
            }
            prop_assert_eq!(lived, fresh);
        }

        #[test]
        fn nobody_is_said_to_imitate_themselves_or_somebody_unknown(all in people()) {
            let mut book = Book::new();
            for (address, name) in &all {
                book.set(address, name.as_deref());
            }
            for (address, _) in &all {
                if let Some(Warning::Imitates(other)) = book.guise(address).warning {
                    prop_assert!(other != *address);
                    prop_assert!(all.iter().any(|(known, _)| *known == other));
                }
            }
        }

        #[test]
        fn of_two_that_are_alike_at_least_one_is_marked(name in "[a-z]{2,8}", odd in any::<bool>()) {
            let other = if odd { name.replace('a', "а") } else { name.to_uppercase() };
            let book = book(&[("x@one.example", Some(&name)), ("y@two.example", Some(&other))]);
            prop_assert!(book.guise("y@two.example").warning.is_some());
        }

        #[test]
        fn every_guise_can_be_shown(address in "\\PC{1,30}", name in proptest::option::of(any::<String>())) {
            let mut book = Book::new();
            book.set(&address, name.as_deref());
            let guise = book.guise(&address);
            prop_assert!(guise.hue < 360);
            prop_assert!(!guise.initials.is_empty());
            prop_assert!(!harmless::turns_direction(&guise.shown));
        }
    }
}

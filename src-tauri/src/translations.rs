//! The languages Dormouse speaks, as Project Fluent keeps them.
//!
//! Per language three resources, compiled into the program: `locales/xx.ftl` with the shell's sentences,
//! `locales/ui-xx.ftl` with the window's own words (keys that begin with `ui-`), and `locales/check-xx.ftl` with both for a
//! check of the connection, which the window gets as a
//! compiled catalogue ([`crate::catalogue`]). Fluent's isolation marks are off: what is interpolated has
//! been made harmless before ([`data`]), and the window isolates what it shows by its own means.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::ffi::OsString;
use std::sync::Arc;
use tracing::error;
use unic_langid::LanguageIdentifier;

/// A language with its sources: the shell's, the window's, and a check's.
struct Source {
    tag: &'static str,
    texts: [&'static str; 3],
}

/// The first is the one of last resort.
const LANGUAGES: [Source; 2] = [
    Source {
        tag: "en",
        texts: [
            include_str!("../locales/en.ftl"),
            include_str!("../locales/ui-en.ftl"),
            include_str!("../locales/check-en.ftl"),
        ],
    },
    Source {
        tag: "de",
        texts: [
            include_str!("../locales/de.ftl"),
            include_str!("../locales/ui-de.ftl"),
            include_str!("../locales/check-de.ftl"),
        ],
    },
];

/// The longest value that is put into a sentence, in characters.
const LONGEST_VALUE: usize = 300;

/// A language that is spoken: its texts, ready to be filled in.
pub struct Translations {
    tag: &'static str,
    bundle: FluentBundle<Arc<FluentResource>>,
    resources: Vec<Arc<FluentResource>>,
}

impl Translations {
    /// The language with this tag; none if Dormouse does not speak it.
    pub fn of(tag: &str) -> Option<Self> {
        LANGUAGES.iter().find(|source| source.tag == tag).map(Self::load)
    }

    /// The first of the wanted languages that Dormouse speaks, else English.
    pub fn choose(wanted: impl IntoIterator<Item = String>) -> Self {
        let [last_resort, ..] = &LANGUAGES;
        let found = wanted.into_iter().find_map(|wanted| {
            let wanted = language_of(&wanted)?;
            LANGUAGES.iter().find(|source| source.tag == wanted)
        });
        Self::load(found.unwrap_or(last_resort))
    }

    fn load(source: &Source) -> Self {
        let language: LanguageIdentifier = source.tag.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        bundle.set_use_isolating(false);
        let mut resources = Vec::new();
        for text in source.texts {
            // What is wrong in a source is known to the tests; at run time the rest of it still speaks.
            let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(rest, _)| rest);
            let resource = Arc::new(resource);
            if bundle.add_resource(Arc::clone(&resource)).is_err() {
                error!(language = source.tag, "a key stands twice in the translations");
            }
            resources.push(resource);
        }
        Self {
            tag: source.tag,
            bundle,
            resources,
        }
    }

    /// The language's BCP 47 tag.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// What both sources hold.
    pub(crate) fn resources(&self) -> &[Arc<FluentResource>] {
        &self.resources
    }

    /// The text of a key with its variables filled in.
    pub fn say(&self, key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            arguments.set((*name).to_owned(), value.clone());
        }
        let pattern = self.bundle.get_message(key).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            error!(key, language = self.tag, "a text is missing");
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = self
            .bundle
            .format_pattern(pattern, Some(&arguments), &mut errors)
            .into_owned();
        if !errors.is_empty() {
            error!(key, language = self.tag, ?errors, "a text can't be filled in");
        }
        text
    }
}

/// The languages wanted, best first: what `DORMOUSE_LANGUAGE` says, else the system's.
pub fn wanted(overridden: Option<OsString>) -> Vec<String> {
    match overridden.and_then(|tag| tag.into_string().ok()) {
        Some(tag) if !tag.is_empty() => vec![tag],
        _ => sys_locale::get_locales().collect(),
    }
}

/// The language of a locale's name, such as `de` of `de-AT` or of `de_AT.UTF-8`.
fn language_of(locale: &str) -> Option<String> {
    let name = locale.split(['.', '@']).next()?;
    let identifier: LanguageIdentifier = name.parse().ok()?;
    Some(identifier.language.as_str().to_owned())
}

/// A text from elsewhere as the value of a variable: on one line, of bounded length, and without what could
/// turn the direction of the sentence it stands in.
pub fn data(text: &str) -> FluentValue<'static> {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut kept: String = text
        .chars()
        .filter(|c| !turns(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_VALUE + 1)
        .collect();
    if kept.chars().count() > LONGEST_VALUE {
        kept.pop();
        kept.push('…');
    }
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
    use std::collections::{BTreeMap, BTreeSet};

    fn variables(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
        for element in &pattern.elements {
            let PatternElement::Placeable { expression } = element else {
                continue;
            };
            match expression {
                Expression::Inline(inline) => in_inline(inline, found),
                Expression::Select { selector, variants } => {
                    in_inline(selector, found);
                    for variant in variants {
                        variables(&variant.value, found);
                    }
                }
            }
        }
    }

    fn in_inline(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                found.insert(id.name.to_owned());
            }
            InlineExpression::FunctionReference { arguments, .. } => {
                for argument in &arguments.positional {
                    in_inline(argument, found);
                }
            }
            _ => {}
        }
    }

    /// Every key with its variables; fails on whatever can't be read.
    fn keys(source: &Source) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys = BTreeMap::new();
        for text in source.texts {
            let resource = FluentResource::try_new(text.to_owned())
                .unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", source.tag));
            for entry in resource.entries() {
                if let Entry::Message(message) = entry {
                    let mut found = BTreeSet::new();
                    let pattern = message.value.as_ref();
                    variables(pattern.expect("every message says something"), &mut found);
                    let twice = keys.insert(message.id.name.to_owned(), found);
                    assert!(twice.is_none(), "{} has {} twice", source.tag, message.id.name);
                }
            }
        }
        keys
    }

    #[test]
    fn every_language_has_the_same_keys_with_the_same_variables() {
        let [first, others @ ..] = &LANGUAGES;
        let wanted = keys(first);
        assert!(wanted.len() > 50);
        for other in others {
            let found = keys(other);
            for (key, variables) in &wanted {
                assert_eq!(found.get(key), Some(variables), "{} in {}", key, other.tag);
            }
            for key in found.keys() {
                assert!(wanted.contains_key(key), "{key} is only in {}", other.tag);
            }
        }
    }

    #[test]
    fn a_wish_for_a_country_is_a_wish_for_its_language() {
        for (wanted, spoken) in [
            ("de-AT", "de"),
            ("de_DE.UTF-8", "de"),
            ("de", "de"),
            ("en-GB", "en"),
            ("C", "en"),
            ("", "en"),
            ("../../etc", "en"),
        ] {
            assert_eq!(
                Translations::choose([wanted.to_owned()]).tag(),
                spoken,
                "{wanted}"
            );
        }
    }

    #[test]
    fn the_first_language_wanted_that_is_spoken_is_taken() {
        let wanted = ["fr-FR", "de-DE", "en-US"].map(str::to_owned);
        assert_eq!(Translations::choose(wanted).tag(), "de");
    }

    #[test]
    fn a_value_can_neither_turn_a_sentence_round_nor_break_its_line() {
        let spoken = Translations::of("en").unwrap();
        let said = spoken.say("cause-server-trouble", &[("what", data("a\u{202e}b\nc\u{7}"))]);
        assert_eq!(said, "The server is in trouble (ab c ).");
        let long = spoken.say("cause-server-trouble", &[("what", data(&"x".repeat(5000)))]);
        assert!(long.chars().count() < 400);
    }

    #[test]
    fn a_number_chooses_its_plural() {
        let spoken = Translations::of("de").unwrap();
        let of = |count: u64| spoken.say("notice-unreadable", &[("count", count.into())]);
        assert!(of(1).starts_with("1 Nachricht war"));
        assert!(of(2).starts_with("2 Nachrichten waren"));
    }
}

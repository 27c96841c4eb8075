//! The window's own words, compiled from Fluent into what a few lines of JavaScript can fill in.
//!
//! Every message whose key begins with `ui-` becomes a [`Text`]: one string per plural category, `other`
//! always among them, variables as `{name}`. The window chooses by `Intl.PluralRules` on the argument `n`,
//! so a selector must be `$n` (or `NUMBER($n)`) and its variants CLDR categories; terms and other messages
//! are put in where they are named. What can't be compiled so is a mistake in the translation: a test finds
//! it, and at run time the key is left out.

use crate::protocol::Text;
use crate::translations::Translations;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey};
use std::collections::{BTreeMap, BTreeSet};
use tracing::error;

/// The keys of the window.
const PREFIX: &str = "ui-";
/// The variable whose plural category chooses.
const CHOOSER: &str = "n";
/// The categories of CLDR.
const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];
/// The category that every text has.
const OTHER: &str = "other";
/// How deep messages may name one another.
const DEEPEST: usize = 8;

/// Why a message can't be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Uncompilable {
    #[error("it chooses by something else than ${CHOOSER}")]
    OtherSelector,
    #[error("{0} is no plural category")]
    NoCategory(String),
    #[error("it names {0}, which is not there")]
    Unknown(String),
    #[error("it names itself")]
    Circular,
    #[error("it calls a function")]
    Function,
    #[error("it has a brace in its text, which would look like a variable")]
    Brace,
}

/// All messages and terms of a language by their names; terms begin with `-`.
type Sources<'a> = BTreeMap<String, &'a Pattern<&'a str>>;

/// The window's words in this language.
pub fn compile(translations: &Translations) -> BTreeMap<String, Text> {
    let mut catalogue = BTreeMap::new();
    for (key, compiled) in all(translations) {
        match compiled {
            Ok(text) => {
                catalogue.insert(key, text);
            }
            Err(why) => error!(key, language = translations.tag(), %why, "a text of the window is left out"),
        }
    }
    catalogue
}

fn all(translations: &Translations) -> Vec<(String, Result<Text, Uncompilable>)> {
    let mut sources = Sources::new();
    for resource in translations.resources() {
        for entry in resource.entries() {
            match entry {
                Entry::Message(message) => {
                    if let Some(pattern) = &message.value {
                        sources.insert(message.id.name.to_owned(), pattern);
                    }
                }
                Entry::Term(term) => {
                    sources.insert(format!("-{}", term.id.name), &term.value);
                }
                _ => {}
            }
        }
    }
    sources
        .iter()
        .filter(|(key, _)| key.starts_with(PREFIX))
        .map(|(key, pattern)| (key.clone(), text(pattern, &sources)))
        .collect()
}

fn text(pattern: &Pattern<&str>, sources: &Sources<'_>) -> Result<Text, Uncompilable> {
    let mut categories = BTreeSet::from([OTHER]);
    chosen_between(pattern, sources, DEEPEST, &mut categories)?;
    let mut text = Text::new();
    for category in categories {
        let mut filled = String::new();
        fill(pattern, sources, category, DEEPEST, &mut filled)?;
        text.insert(category.to_owned(), filled);
    }
    Ok(text)
}

/// Which categories a pattern tells apart, wherever in it.
fn chosen_between(
    pattern: &Pattern<&str>,
    sources: &Sources<'_>,
    depth: usize,
    found: &mut BTreeSet<&'static str>,
) -> Result<(), Uncompilable> {
    let depth = depth.checked_sub(1).ok_or(Uncompilable::Circular)?;
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else {
            continue;
        };
        match expression {
            Expression::Select { selector, variants } => {
                chooser(selector)?;
                for variant in variants {
                    found.insert(category(&variant.key)?);
                    chosen_between(&variant.value, sources, depth, found)?;
                }
            }
            Expression::Inline(inline) => {
                if let Some(name) = named(inline) {
                    chosen_between(look_up(&name, sources)?, sources, depth, found)?;
                }
            }
        }
    }
    Ok(())
}

/// Writes what a pattern says in one category.
fn fill(
    pattern: &Pattern<&str>,
    sources: &Sources<'_>,
    wanted: &str,
    depth: usize,
    out: &mut String,
) -> Result<(), Uncompilable> {
    let depth = depth.checked_sub(1).ok_or(Uncompilable::Circular)?;
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => literal(value, out)?,
            PatternElement::Placeable {
                expression: Expression::Inline(inline),
            } => match inline {
                InlineExpression::StringLiteral { value } => literal(value, out)?,
                InlineExpression::NumberLiteral { value } => out.push_str(value),
                InlineExpression::Placeable { .. } => return Err(Uncompilable::Function),
                other => match (variable(other), named(other)) {
                    (Some(name), _) => {
                        out.push('{');
                        out.push_str(name);
                        out.push('}');
                    }
                    (None, Some(name)) => fill(look_up(&name, sources)?, sources, wanted, depth, out)?,
                    (None, None) => return Err(Uncompilable::Function),
                },
            },
            PatternElement::Placeable {
                expression: Expression::Select { variants, .. },
            } => {
                let mut chosen = None;
                for variant in variants {
                    if category(&variant.key)? == wanted {
                        chosen = Some(variant);
                    }
                }
                let chosen = chosen.or_else(|| variants.iter().find(|variant| variant.default));
                if let Some(variant) = chosen {
                    fill(&variant.value, sources, wanted, depth, out)?;
                }
            }
        }
    }
    Ok(())
}

fn literal(value: &str, out: &mut String) -> Result<(), Uncompilable> {
    if value.contains(['{', '}']) {
        return Err(Uncompilable::Brace);
    }
    out.push_str(value);
    Ok(())
}

fn chooser(selector: &InlineExpression<&str>) -> Result<(), Uncompilable> {
    match variable(selector) {
        Some(CHOOSER) => Ok(()),
        _ => Err(Uncompilable::OtherSelector),
    }
}

/// The variable that stands here, plain or as `NUMBER($it)`.
fn variable<'a>(inline: &InlineExpression<&'a str>) -> Option<&'a str> {
    match inline {
        InlineExpression::VariableReference { id } => Some(id.name),
        InlineExpression::FunctionReference { id, arguments } if id.name == "NUMBER" => {
            arguments.positional.first().and_then(variable)
        }
        _ => None,
    }
}

/// The message or term that is named here.
fn named(inline: &InlineExpression<&str>) -> Option<String> {
    match inline {
        InlineExpression::MessageReference { id, attribute: None } => Some(id.name.to_owned()),
        InlineExpression::TermReference {
            id, attribute: None, ..
        } => Some(format!("-{}", id.name)),
        _ => None,
    }
}

fn look_up<'a>(name: &str, sources: &Sources<'a>) -> Result<&'a Pattern<&'a str>, Uncompilable> {
    let found = sources.get(name).copied();
    found.ok_or_else(|| Uncompilable::Unknown(name.to_owned()))
}

fn category(key: &VariantKey<&str>) -> Result<&'static str, Uncompilable> {
    let (VariantKey::Identifier { name } | VariantKey::NumberLiteral { value: name }) = key;
    CATEGORIES
        .into_iter()
        .find(|category| category == name)
        .ok_or_else(|| Uncompilable::NoCategory((*name).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fluent_syntax::parser::parse;

    fn compiled(source: &str, key: &str) -> Result<Text, Uncompilable> {
        let resource = parse(source).expect("the test's source is Fluent");
        let mut sources = Sources::new();
        for entry in &resource.body {
            match entry {
                Entry::Message(message) => {
                    sources.insert(message.id.name.to_owned(), message.value.as_ref().unwrap());
                }
                Entry::Term(term) => {
                    sources.insert(format!("-{}", term.id.name), &term.value);
                }
                _ => {}
            }
        }
        text(sources[key], &sources)
    }

    fn pairs(text: &Text) -> Vec<(&str, &str)> {
        text.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
    }

    #[test]
    fn a_text_without_plurals_is_other_alone() {
        let text = compiled("ui-a = Write to { $name }", "ui-a").unwrap();
        assert_eq!(pairs(&text), [("other", "Write to {name}")]);
    }

    #[test]
    fn each_plural_category_is_a_text_of_its_own() {
        let source = "ui-a = You have { $n ->\n [one] { $n } message\n *[other] { NUMBER($n) } messages\n } from { $who }.";
        assert_eq!(
            pairs(&compiled(source, "ui-a").unwrap()),
            [
                ("one", "You have {n} message from {who}."),
                ("other", "You have {n} messages from {who}."),
            ]
        );
    }

    #[test]
    fn two_choices_in_one_text_fall_back_to_their_defaults() {
        let source = "ui-a = { $n ->\n [one] a\n *[other] b\n }-{ $n ->\n [few] c\n *[other] d\n }";
        assert_eq!(
            pairs(&compiled(source, "ui-a").unwrap()),
            [("few", "b-c"), ("one", "a-d"), ("other", "b-d")]
        );
    }

    #[test]
    fn terms_and_messages_are_put_in_where_they_are_named() {
        let source = "-app = Dormouse\nui-b = { -app } rests\nui-a = { ui-b }, { \"quietly\" }.";
        assert_eq!(
            pairs(&compiled(source, "ui-a").unwrap()),
            [("other", "Dormouse rests, quietly.")]
        );
    }

    #[test]
    fn what_the_window_could_not_fill_in_is_refused() {
        for (source, why) in [
            ("ui-a = { $name ->\n *[other] x\n }", Uncompilable::OtherSelector),
            (
                "ui-a = { $n ->\n [0] none\n *[other] x\n }",
                Uncompilable::NoCategory("0".into()),
            ),
            ("ui-a = { ui-a }", Uncompilable::Circular),
            ("ui-a = { -gone }", Uncompilable::Unknown("-gone".into())),
            ("ui-a = { \"{\" }", Uncompilable::Brace),
            ("ui-a = { DATETIME($n) }", Uncompilable::Function),
        ] {
            assert_eq!(compiled(source, "ui-a"), Err(why), "{source}");
        }
    }

    #[test]
    fn every_word_of_the_window_can_be_compiled_in_every_language() {
        for tag in ["en", "de"] {
            let words = all(&Translations::of(tag).unwrap());
            assert!(!words.is_empty());
            for (key, compiled) in words {
                let text = compiled.unwrap_or_else(|why| panic!("{key} in {tag}: {why}"));
                assert!(text.contains_key(OTHER), "{key} in {tag}");
            }
        }
    }
}

//! Elements written so that no text can break the stream.
//!
//! XML 1.0 has characters it can't carry at all, not even escaped (section 2.2: most control characters,
//! two non-characters). One of them in a body, pasted from anywhere, would make a server close the stream,
//! and the resent stanza would close the next one. So everything that is written goes through [`clean`].

use minidom::Element;
use minidom::rxml::{Namespace, NcName};
use std::borrow::Cow;

/// Whether XML 1.0 can carry this character (section 2.2, production `Char`).
pub fn is_carried(character: char) -> bool {
    !matches!(character, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// The text as it will be read on the other side: without what XML can't carry, and with line ends as XML
/// reads them (section 2.11: `\r\n` and `\r` become `\n`).
///
/// A body must be cleaned before it is kept: the copy that comes back from the archive is clean, and has to
/// be recognised as the same.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| is_carried(c) && c != '\r') {
        return Cow::Borrowed(text);
    }
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(unix.chars().filter(|c| is_carried(*c)).collect())
}

/// An element in the making.
#[derive(Debug, Clone)]
pub(crate) struct Draft(Element);

/// Starts an element.
pub(crate) fn draft(name: &str, namespace: &str) -> Draft {
    Draft(Element::bare(name, namespace))
}

impl Draft {
    /// Sets an attribute. The name is one of ours, so it is a valid one.
    pub(crate) fn attr(mut self, name: &str, value: &str) -> Self {
        if let Ok(name) = NcName::try_from(name) {
            self.0.set_attr(Namespace::NONE, name, clean(value).into_owned());
        }
        self
    }

    /// Sets an attribute, if there is something to set.
    pub(crate) fn attr_opt(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Appends text.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.append_text(clean(text));
        self
    }

    /// Appends a child.
    pub(crate) fn child(mut self, child: impl Into<Element>) -> Self {
        self.0.append_child(child.into());
        self
    }

    /// Appends children.
    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        for child in children {
            self.0.append_child(child);
        }
        self
    }

    /// The element.
    pub(crate) fn done(self) -> Element {
        self.0
    }
}

impl From<Draft> for Element {
    fn from(draft: Draft) -> Element {
        draft.0
    }
}

/// The `xml:lang` of this very element (XML 1.0 section 2.12).
pub(crate) fn language(element: &Element) -> Option<&str> {
    element
        .attrs()
        .iter()
        .find(|((namespace, name), _)| **namespace == Namespace::XML && name.as_str() == "lang")
        .map(|(_, value)| value.as_str())
}

/// The beginning of a text from outside, at most `most` characters: for what is quoted or journalled.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    text.trim().chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_carry_is_left_out_and_line_ends_are_made_one() {
        assert_eq!(clean("a\u{0}b\u{1b}[1m\u{ffff}c\td\n"), "ab[1mc\td\n");
        assert_eq!(clean("a\r\nb\rc"), "a\nb\nc");
        assert!(matches!(clean("plain\nünïcode 🐭"), Cow::Borrowed(_)));
    }

    #[test]
    fn any_text_can_be_written_and_read_back_clean() {
        let hostile = "\u{0}<&>'\"]]>\r\n\u{7}x\u{fffe}";
        let element = draft("a", "urn:a").attr("b", hostile).text(hostile).done();
        let again: Element = String::from(&element).parse().unwrap();
        assert_eq!(again.text(), clean(hostile));
        assert_eq!(again.attr("b"), Some(&*clean(hostile)));
    }

    #[test]
    fn the_language_is_the_namespaced_attribute_only() {
        let element: Element = "<a xmlns='urn:a' lang='de' xml:lang='en'/>".parse().unwrap();
        assert_eq!(language(&element), Some("en"));
        let element: Element = "<a xmlns='urn:a' lang='de'/>".parse().unwrap();
        assert_eq!(language(&element), None);
    }
}

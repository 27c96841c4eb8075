//! The body of a message (RFC 6121 section 5.2.3): what was said, perhaps in several languages.

use crate::xml::language;
use minidom::Element;

/// What a message's bodies amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// There is none, or only empty ones.
    None,
    /// What was said.
    Text(String),
    /// There is one, but its content is not text.
    NotText,
}

/// The body in the message's own language: the one without `xml:lang`, else the one in the stanza's, else the
/// first that says something. Two bodies in one language are against the rules (RFC 6121 section 5.2.3); the first counts.
pub fn select(message: &Element) -> Body {
    let bodies = || {
        message
            .children()
            .filter(|child| child.is("body", message.ns().as_str()))
    };
    let own_language = language(message);
    let rank = |body: &Element| match language(body) {
        None => 0,
        Some(lang) if own_language.is_some_and(|own| own.eq_ignore_ascii_case(lang)) => 1,
        Some(_) => 2,
    };
    let best = bodies()
        .filter(|body| !body.text().is_empty())
        .min_by_key(|body| rank(body));
    match best {
        Some(body) => Body::Text(body.text()),
        None if bodies().any(|body| body.children().next().is_some()) => Body::NotText,
        None => Body::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(attributes: &str, children: &str) -> Body {
        let message: Element = format!("<message xmlns='jabber:client' {attributes}>{children}</message>")
            .parse()
            .unwrap();
        select(&message)
    }

    fn text(text: &str) -> Body {
        Body::Text(text.to_owned())
    }

    #[test]
    fn the_body_in_the_messages_own_language_is_chosen() {
        let two = "<body xml:lang='cs'>ahoj</body><body>hi</body>";
        assert_eq!(of("", two), text("hi"));
        let tagged = "<body xml:lang='cs'>ahoj</body><body xml:lang='EN'>hi</body>";
        assert_eq!(of("xml:lang='en'", tagged), text("hi"));
        assert_eq!(of("", tagged), text("ahoj"));
    }

    #[test]
    fn of_two_bodies_in_one_language_the_first_counts() {
        assert_eq!(of("", "<body>one</body><body>two</body>"), text("one"));
        assert_eq!(of("", "<body/><body>two</body>"), text("two"));
    }

    #[test]
    fn a_body_keeps_its_white_space_and_loses_nothing_to_markup_inside() {
        assert_eq!(of("", "<body> a\n b </body>"), text(" a\n b "));
        assert_eq!(of("", "<body> </body>"), text(" "));
        assert_eq!(of("", "<body>a<b xmlns='urn:b'>x</b>c</body>"), text("ac"));
        assert_eq!(of("", "<body><b xmlns='urn:b'>x</b></body>"), Body::NotText);
    }

    #[test]
    fn a_body_of_another_namespace_is_no_body() {
        assert_eq!(
            of("", "<body xmlns='http://www.w3.org/1999/xhtml'>x</body>"),
            Body::None
        );
        assert_eq!(
            of(
                "",
                "<html xmlns='http://jabber.org/protocol/xhtml-im'><body>x</body></html>"
            ),
            Body::None
        );
        assert_eq!(of("", "<body/>"), Body::None);
    }
}

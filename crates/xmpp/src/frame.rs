//! A text frame and the one element in it (RFC 7395 section 3.3).
//!
//! What comes from the network is read in one pass that counts depth as it goes, before any tree of that
//! depth exists: a tree is freed recursively, and a frame of a hundred thousand nested elements would
//! overflow the stack. Entities beyond XML's own five, comments and processing instructions are refused
//! by the parser (RFC 6120 section 11.1).

use minidom::Element;
use minidom::rxml::parser::{Options, WithOptions};
use minidom::rxml::{Parse, RawEvent, RawParser};
use minidom::tree_builder::TreeBuilder;
use std::collections::{BTreeMap, BTreeSet};

const CLIENT: &str = "jabber:client";
const STREAMS: &str = "http://etherx.jabber.org/streams";

/// Why a frame could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Larger than we take, and not read.
    TooLarge {
        /// Whether it begins as a stanza: it counts as handled (XEP-0198), or it would be sent for ever.
        stanza: bool,
    },
    /// Not exactly one element of well-formed, namespaced XML. In words that hold nothing of the content.
    Malformed(&'static str),
    /// Well-formed as far as it was read, and nested deeper than we follow.
    TooDeep {
        /// Whether it begins as a stanza; as above.
        stanza: bool,
    },
}

/// Reads a frame. None if it holds nothing but white space, which some send to keep a connection open.
pub(crate) fn read(text: &str, max_bytes: usize, max_depth: usize) -> Result<Option<Element>, Broken> {
    if text.len() > max_bytes {
        return Err(Broken::TooLarge {
            stanza: begins_as_stanza(text),
        });
    }
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Ok(None);
    }
    let mut parser = RawParser::with_options(Options {
        // The frame is the limit: a name or value that is longer than usual is not a broken one.
        max_token_length: text.len() + 1,
        ..Options::default()
    });
    // Prosody 13 writes `<stream:error>` without declaring the prefix, and some servers write stanzas
    // without `xmlns`: both are bound as they would be on a TCP stream.
    let bound = BTreeMap::from([
        (None, CLIENT.to_owned()),
        (Some("stream".to_owned()), STREAMS.to_owned()),
    ]);
    let mut tree = TreeBuilder::new().with_prefixes_stack(vec![bound.into()]);
    let mut depth = 0_usize;
    // Neither the parser nor the builder minds an attribute that is given twice.
    let mut attributes = BTreeSet::new();
    let mut rest = text.as_bytes();
    loop {
        let event = match parser.parse(&mut rest, true) {
            Ok(Some(event)) => event,
            Ok(None) => break,
            Err(_) => return Err(Broken::Malformed("not well-formed")),
        };
        match &event {
            RawEvent::ElementHeadOpen(..) => {
                if tree.root.is_some() {
                    return Err(Broken::Malformed("more than one element"));
                }
                depth += 1;
                attributes.clear();
                if depth > max_depth {
                    return Err(Broken::TooDeep {
                        stanza: begins_as_stanza(text),
                    });
                }
            }
            RawEvent::Attribute(_, name, _) if !attributes.insert(name.clone()) => {
                return Err(Broken::Malformed("an attribute given twice"));
            }
            RawEvent::ElementFoot(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if tree.process_event(event).is_err() {
            return Err(Broken::Malformed("a namespace that is not declared"));
        }
    }
    match tree.root.take() {
        Some(root) => Ok(Some(root)),
        None => Err(Broken::Malformed("no element")),
    }
}

/// Whether the first name in a frame that will not be read is a stanza's: no tree says so.
fn begins_as_stanza(text: &str) -> bool {
    let text = text.trim_start_matches([' ', '\t', '\r', '\n', '<']);
    let end = text.find([' ', '\t', '\r', '\n', '/', '>']).unwrap_or(text.len());
    matches!(text.get(..end), Some("message" | "presence" | "iq"))
}

/// Whether an element is a stanza, the only thing that XEP-0198 counts.
pub(crate) fn is_stanza(element: &Element) -> bool {
    element.has_ns(CLIENT) && matches!(element.name(), "message" | "presence" | "iq")
}

/// An element as a frame. None if it holds what XML can't carry, which everything of ours was cleaned of.
pub(crate) fn write(element: &Element) -> Option<String> {
    let mut bytes = Vec::new();
    element.write_to(&mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Result<Option<Element>, Broken> {
        read(text, 10_000, 64)
    }

    #[test]
    fn a_frame_holds_exactly_one_element() {
        let element = of(" <message xmlns='jabber:client'><body>hi</body></message>\n")
            .unwrap()
            .unwrap();
        assert!(is_stanza(&element));
        assert_eq!(of(" \n"), Ok(None));
        for broken in [
            "<a xmlns='x'/><b xmlns='x'/>",
            "<a xmlns='x'/>text",
            "text",
            "<a xmlns='x'>",
            "</a>",
            "<a xmlns='x'><b></a></b>",
            "<x:a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a xmlns='x'>&b;</a>",
            "<a xmlns='x'>&b;</a>",
            "<a xmlns='x'><!-- c --></a>",
            "<?xml version='1.0'?>",
            "<a xmlns='x' b='1' b='2'/>",
        ] {
            assert!(matches!(of(broken), Err(Broken::Malformed(_))), "{broken}");
        }
    }

    #[test]
    fn a_stream_error_without_its_prefix_declared_is_read() {
        let error =
            of("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
                .unwrap()
                .unwrap();
        assert!(error.is("error", STREAMS));
        assert!(
            of("<stream:error xmlns:stream='urn:other'/>")
                .unwrap()
                .unwrap()
                .has_ns("urn:other")
        );
    }

    #[test]
    fn depth_and_size_have_limits_and_deep_stanzas_are_known_as_such() {
        let nested = |root: &str, depth: usize| {
            format!(
                "<{root} xmlns='jabber:client'>{}{}</{root}>",
                "<a>".repeat(depth),
                "</a>".repeat(depth)
            )
        };
        assert!(of(&nested("message", 63)).is_ok());
        assert_eq!(of(&nested("message", 64)), Err(Broken::TooDeep { stanza: true }));
        assert_eq!(of(&nested("other", 64)), Err(Broken::TooDeep { stanza: false }));
        let bottomless = "<a xmlns='x'>".repeat(70_000);
        assert_eq!(
            read(&bottomless, usize::MAX, 64),
            Err(Broken::TooDeep { stanza: false })
        );
    }

    #[test]
    fn a_frame_that_is_too_large_is_known_for_a_stanza_by_its_beginning() {
        for (text, stanza) in [
            ("<message>", true),
            (" \n<presence to='x'", true),
            ("<iq/>", true),
            ("<message", true),
            ("<messages>", false),
            ("<stream:error>", false),
            ("", false),
        ] {
            let frame = text.to_owned() + &" ".repeat(10_001);
            assert_eq!(of(&frame), Err(Broken::TooLarge { stanza }), "{text}");
        }
    }

    #[test]
    fn names_and_values_may_be_as_long_as_a_frame() {
        let long = "x".repeat(9_000);
        let frame = format!("<message id='{long}'><{long} xmlns='y'/></message>");
        let element = read(&frame, frame.len(), 64).unwrap().unwrap();
        assert_eq!(element.attr("id"), Some(long.as_str()));
        let value = "x".repeat(900_000);
        assert!(
            read(&format!("<message id='{value}'/>"), 1 << 20, 64)
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn text_longer_than_a_token_is_one_text() {
        let body = "x".repeat(200_000);
        let element = read(&format!("<message><body>{body}</body></message>"), 1 << 20, 64)
            .unwrap()
            .unwrap();
        assert_eq!(element.get_child("body", CLIENT).unwrap().text(), body);
    }

    proptest! {
        #[test]
        fn no_frame_makes_the_reader_panic(text in "(<[a-z:]{0,4}( [a-z:]{0,6}='[a-z&<;]{0,4}')?/?>|</[a-z:]{0,4}>|[&;a-z\u{0}<>]|&amp;){0,40}") {
            let _ = of(&text);
        }

        #[test]
        fn a_mutated_stanza_is_read_or_refused(at in 0_usize..150, with in any::<char>()) {
            let stanza = "<message xmlns='jabber:client' from='a@b/c' id='1'><body xml:lang='en'>h&amp;i</body><x xmlns='y' z:q='1' xmlns:z='w'/></message>";
            let mut chars: Vec<char> = stanza.chars().collect();
            let at = at % chars.len();
            chars[at] = with;
            if let Ok(Some(element)) = of(&chars.into_iter().collect::<String>()) {
                prop_assert!(write(&element).is_some());
            }
        }
    }
}

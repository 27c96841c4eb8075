//! A text frame and the one element in it (RFC 7395 section 3.3).
//!
//! What comes from the network is read in one pass that weighs it as it goes, before any tree exists. A tree is
//! freed recursively, so a frame of a hundred thousand nested elements would overflow the stack. And a tree is larger
//! than its text: an element of four bytes takes two hundred, and each one holds a copy of its namespace's name, so
//! that a stanza of 256 KiB, which any server relays, could be made to need gigabytes. Entities beyond XML's own five,
//! comments and processing instructions are refused by the parser (RFC 6120 section 11.1).

use crate::stream_management;
use minidom::Element;
use minidom::rxml::parser::{Options, WithOptions};
use minidom::rxml::{Parse, RawEvent, RawParser};
use minidom::tree_builder::TreeBuilder;
use std::collections::{BTreeMap, BTreeSet};

const CLIENT: &str = "jabber:client";
const STREAMS: &str = "http://etherx.jabber.org/streams";

/// What a frame may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The frame's size, in bytes. Servers take stanzas up to a quarter of the default.
    pub size: usize,
    /// How deep elements may be nested in it. Real stanzas stay below 20.
    pub depth: usize,
    /// The memory that its tree may need, in bytes, reckoned upwards. A frame of the largest size that is full of
    /// contacts, each in a group, needs a third of the default.
    pub tree: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            size: 1024 * 1024,
            depth: 64,
            tree: 32 * 1024 * 1024,
        }
    }
}

/// A limit that a frame goes beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::size`].
    Size,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::tree`].
    Tree,
}

impl Limit {
    /// What is wrong with something beyond it, to be said behind its name.
    pub fn words(self) -> &'static str {
        match self {
            Limit::Size => "that is too large",
            Limit::Depth => "nested too deeply",
            Limit::Tree => "of too many parts",
        }
    }
}

/// Why a frame could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// Not exactly one element of well-formed, namespaced XML. In words that hold nothing of the content.
    Malformed(&'static str),
    /// More than we take; well-formed as far as it was read.
    Beyond {
        /// Which limit.
        limit: Limit,
        /// Whether it begins as a stanza: it counts as handled (XEP-0198), or it would be sent for ever.
        stanza: bool,
    },
}

/// Reads a frame. None if it holds nothing but white space, which some send to keep a connection open.
///
/// # Errors
/// It is not a frame, or more than the limits allow.
pub fn read(text: &str, limits: &Limits) -> Result<Option<Element>, Broken> {
    let beyond = |limit| Broken::Beyond {
        limit,
        stanza: begins_as_stanza(text),
    };
    if text.len() > limits.size {
        return Err(beyond(Limit::Size));
    }
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(element) = stream_management::read_plainly(text).filter(|_| limits.depth > 0) {
        return Ok(Some(element));
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
    let mut weight = Weight::default();
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
                if depth > limits.depth {
                    return Err(beyond(Limit::Depth));
                }
            }
            RawEvent::Attribute(_, name, _) if !attributes.insert(name.clone()) => {
                return Err(Broken::Malformed("an attribute given twice"));
            }
            RawEvent::Attribute(_, (prefix, name), value)
                if misuses_reserved(prefix.as_ref().map(|it| it.as_str()), name, value) =>
            {
                return Err(Broken::Malformed("a reserved namespace declared"));
            }
            RawEvent::ElementFoot(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        weight.add(&event);
        if weight.total > limits.tree {
            return Err(beyond(Limit::Tree));
        }
        if tree.process_event(event).is_err() {
            return Err(Broken::Malformed("a namespace that is not declared"));
        }
    }
    match tree.root.take() {
        Some(mut root) => {
            forget_prefixes(&mut root);
            Ok(Some(root))
        }
        None => Err(Broken::Malformed("no element")),
    }
}

/// Whether an attribute declares one of the two namespaces that are bound already, or their prefixes (Namespaces in XML 1.0 section 3):
/// the builder takes it, and what it makes of that can't be written.
fn misuses_reserved(prefix: Option<&str>, name: &str, value: &str) -> bool {
    const XML: &str = "http://www.w3.org/XML/1998/namespace";
    const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
    match (prefix, name) {
        (Some("xmlns"), "xmlns") => true,
        (Some("xmlns"), "xml") => value != XML,
        (Some("xmlns"), _) | (None, "xmlns") => matches!(value, XML | XMLNS),
        _ => false,
    }
}

/// Which prefixes somebody declared says nothing, and the writer panics at one that is declared again, or at `xml`. As deep as a frame may
/// be.
fn forget_prefixes(element: &mut Element) {
    element.prefixes = Default::default();
    element.children_mut().for_each(forget_prefixes);
}

/// The memory that a tree will need, in bytes: what its parts were measured to take (64-bit systems, a little
/// upwards), and a copy of the longest namespace that was declared for each part that may bear one.
struct Weight {
    total: usize,
    longest: usize,
    prefixed: usize,
}

impl Default for Weight {
    fn default() -> Self {
        Self {
            total: 0,
            longest: STREAMS.len(),
            prefixed: 0,
        }
    }
}

impl Weight {
    const ELEMENT: usize = 256;
    const ATTRIBUTE: usize = 128;
    const TEXT: usize = 64;

    fn add(&mut self, event: &RawEvent) {
        let more = match event {
            RawEvent::ElementHeadOpen(..) => Self::ELEMENT,
            RawEvent::Attribute(_, (prefix, name), value) => {
                let prefix = prefix.as_ref().map(|prefix| prefix.as_str());
                if prefix == Some("xmlns") || (prefix.is_none() && name.as_str() == "xmlns") {
                    self.longest = self.longest.max(value.len());
                }
                self.prefixed += usize::from(prefix.is_some());
                Self::ATTRIBUTE
            }
            RawEvent::ElementHeadClose(_) => (1 + std::mem::take(&mut self.prefixed)) * self.longest,
            RawEvent::Text(..) => Self::TEXT,
            RawEvent::XmlDeclaration(..) | RawEvent::ElementFoot(_) => 0,
        };
        self.total = self.total.saturating_add(more);
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

/// An element as a frame. None if it holds what XML can't carry, which everything of ours was cleaned of, or if it is
/// in no namespace: without one it would be read as a stanza.
pub fn write(element: &Element) -> Option<String> {
    if element.has_ns("") {
        return None;
    }
    let mut bytes = Vec::new();
    element.write_to(&mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Result<Option<Element>, Broken> {
        read(text, &limits(10_000))
    }

    fn limits(size: usize) -> Limits {
        Limits {
            size,
            ..Limits::default()
        }
    }

    fn beyond(limit: Limit, stanza: bool) -> Result<Option<Element>, Broken> {
        Err(Broken::Beyond { limit, stanza })
    }

    #[test]
    fn what_was_read_is_written_whatever_prefixes_it_declared() {
        for text in [
            "<message xmlns='jabber:client' xmlns:p='a'><p:x xmlns:p='b' p:y='z'/></message>",
            "<message xmlns='jabber:client'><x xmlns='a' xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='de'/></message>",
            "<message xmlns='jabber:client' xmlns:tns0='a'><x xmlns='b' xmlns:c='c' c:y='z' tns0:y='z'/></message>",
        ] {
            let element = of(text).unwrap().unwrap();
            assert_eq!(of(&write(&element).unwrap()), Ok(Some(element)), "{text}");
        }
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
            "<a xmlns='x'><b xmlns='http://www.w3.org/2000/xmlns/'/></a>",
            "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
            "<a xmlns='x' xmlns:b='http://www.w3.org/2000/xmlns/'/>",
            "<a xmlns='x' xmlns:b='http://www.w3.org/XML/1998/namespace'/>",
            "<a xmlns='x' xmlns:xml='y'/>",
            "<a xmlns='x' xmlns:xmlns='y'/>",
        ] {
            assert!(matches!(of(broken), Err(Broken::Malformed(_))), "{broken}");
        }
    }

    #[test]
    fn what_is_in_no_namespace_is_not_written_as_if_it_were_a_stanza() {
        let nowhere = of("<message xmlns=''><a/></message>").unwrap().unwrap();
        assert!(!is_stanza(&nowhere));
        assert_eq!(write(&nowhere), None);
        let within = of("<message><a xmlns=''/></message>").unwrap().unwrap();
        assert_eq!(of(&write(&within).unwrap()), Ok(Some(within)));
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
        assert_eq!(of(&nested("message", 64)), beyond(Limit::Depth, true));
        assert_eq!(of(&nested("other", 64)), beyond(Limit::Depth, false));
        let bottomless = "<a xmlns='x'>".repeat(70_000);
        assert_eq!(
            read(&bottomless, &limits(usize::MAX)),
            beyond(Limit::Depth, false)
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
            assert_eq!(of(&frame), beyond(Limit::Size, stanza), "{text}");
        }
    }

    #[test]
    fn a_frame_whose_tree_would_need_gigabytes_is_refused_before_there_is_one() {
        let long = "x".repeat(100_000);
        let prefixed: String = (0..20_000).map(|n| format!(" p:a{n}=''")).collect();
        for bomb in [
            format!("<message xmlns:p='{long}'>{}</message>", "<p:a/>".repeat(20_000)),
            format!(
                "<message><x xmlns='{long}'>{}</x></message>",
                "<a/>".repeat(20_000)
            ),
            format!("<message xmlns:p='{long}' {prefixed}/>"),
            format!("<message>{}</message>", "<a/>".repeat(250_000)),
        ] {
            assert_eq!(read(&bomb, &Limits::default()), beyond(Limit::Tree, true));
        }
    }

    #[test]
    fn the_largest_roster_that_fits_into_a_frame_is_read() {
        let contact = "<item jid='a@b.c' subscription='both'><group>Friends</group></item>";
        let roster = format!(
            "<iq type='result' id='1'><query xmlns='jabber:iq:roster'>{}</query></iq>",
            contact.repeat((1 << 20) / contact.len() - 2)
        );
        assert!(read(&roster, &Limits::default()).unwrap().is_some());
    }

    #[test]
    fn names_and_values_may_be_as_long_as_a_frame() {
        let long = "x".repeat(9_000);
        let frame = format!("<message id='{long}'><{long} xmlns='y'/></message>");
        let element = read(&frame, &limits(frame.len())).unwrap().unwrap();
        assert_eq!(element.attr("id"), Some(long.as_str()));
        let value = "x".repeat(900_000);
        assert!(
            read(&format!("<message id='{value}'/>"), &Limits::default())
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn text_longer_than_a_token_is_one_text() {
        let body = "x".repeat(200_000);
        let element = read(
            &format!("<message><body>{body}</body></message>"),
            &Limits::default(),
        )
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

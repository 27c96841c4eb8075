//! Blacking out: what a frame is may be shown, what anybody wrote or keeps secret may not.
//!
//! Nothing is known to be harmless that is not listed: the texts of a few elements that hold numbers and names of
//! mechanisms, the values of attributes that make a frame what it is. Every other text and value becomes as many black
//! signs as it had characters (at most [`LONGEST`]), so that its length can still be seen.
//!
//! A frame is read here before anything has weighed it, so no tree is made of it: a tree is freed recursively, and may take thousands of
//! times what its text takes.

use minidom::rxml::parser::{Options, WithOptions};
use minidom::rxml::{Parse, RawEvent, RawParser};

/// A longer text is shown no longer.
const LONGEST: usize = 40;
/// A longer frame is not read.
const LARGEST: usize = 64 * 1024;
/// Elements nested deeper than this are left out.
const DEEPEST: usize = 32;

/// Elements whose text makes a frame what it is: mechanisms on offer, and the numbers of XEP-0059. What a page ends at
/// is an archive's id and names nothing.
const OPEN_TEXTS: [&str; 8] = [
    "mechanism",
    "count",
    "max",
    "first",
    "last",
    "before",
    "after",
    "index",
];
/// Attributes whose value makes a frame what it is.
const OPEN_VALUES: [&str; 21] = [
    "xmlns",
    "type",
    "from",
    "to",
    "stamp",
    "h",
    "max",
    "resume",
    "mechanism",
    "version",
    "complete",
    "stable",
    "var",
    "category",
    "ver",
    "hash",
    "by",
    "seconds",
    "code",
    "subscription",
    "ask",
];
/// Ids are shown, for answers are found by them, but not the one by which a session could be taken over (XEP-0198).
const OPEN_IDS: [&str; 2] = ["id", "queryid"];
const NAMES_SESSION: &str = "enabled";

/// A frame as it may be shown.
pub struct Frame {
    /// What it is, in a word or two; from the names of the protocol alone.
    pub kind: String,
    /// The frame, blacked out.
    pub content: String,
}

/// Reads a frame; one that is too large or no XML is shown as just that.
pub fn read(text: &str) -> Frame {
    let read = (text.len() <= LARGEST).then(|| black_out(text)).flatten();
    read.unwrap_or_else(|| Frame {
        kind: "unread".to_owned(),
        content: "<!-- not read: too large, or no XML -->".to_owned(),
    })
}

/// A name as it is, if it looks like one of the protocol's.
fn known(name: &str) -> String {
    let plain = name.len() <= LONGEST && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if plain { name.to_owned() } else { black(name) }
}

fn black(text: &str) -> String {
    "█".repeat(text.chars().take(LONGEST).count())
}

/// The frame as it is written, with what nobody may see in black; none if it is no XML.
fn black_out(text: &str) -> Option<Frame> {
    let mut parser = RawParser::with_options(Options {
        max_token_length: text.len() + 1,
        ..Options::default()
    });
    let mut rest = text.as_bytes();
    let mut frame = Frame {
        kind: String::new(),
        content: String::new(),
    };
    // The open elements: their names as written, and without prefix.
    let mut open: Vec<(String, String)> = Vec::new();
    // Whether the last thing written is a head that its element's foot may close.
    let mut is_head = false;
    while let Some(event) = parser.parse(&mut rest, true).ok()? {
        let begins = matches!(event, RawEvent::ElementHeadOpen(..));
        let depth = open.len() + usize::from(begins);
        if depth > DEEPEST && !begins && !matches!(event, RawEvent::ElementFoot(_)) {
            continue;
        }
        match event {
            RawEvent::XmlDeclaration(..) => {}
            RawEvent::ElementHeadOpen(_, (prefix, name)) => {
                let local = name.to_string();
                let written = prefix.map_or_else(|| local.clone(), |prefix| format!("{prefix}:{local}"));
                if open.is_empty() {
                    frame.kind = known(&local);
                }
                if depth <= DEEPEST {
                    frame.content.push('<');
                    frame.content.push_str(&written);
                }
                open.push((written, local));
            }
            RawEvent::Attribute(_, (prefix, name), value) => {
                let (_, element) = open.last()?;
                let declares = prefix.as_ref().is_some_and(|prefix| *prefix == "xmlns");
                let names_session = element == NAMES_SESSION && name == "id";
                let is_open =
                    declares || OPEN_VALUES.contains(&name.as_str()) || OPEN_IDS.contains(&name.as_str());
                if depth == 1 && prefix.is_none() && name == "type" {
                    frame.kind.push(' ');
                    frame.kind.push_str(&known(&value));
                }
                frame.content.push(' ');
                if let Some(prefix) = prefix {
                    frame.content.push_str(&prefix);
                    frame.content.push(':');
                }
                frame.content.push_str(&name);
                frame.content.push_str("=\"");
                if is_open && !names_session {
                    escape(&value, &mut frame.content);
                } else {
                    frame.content.push_str(&black(&value));
                }
                frame.content.push('"');
            }
            RawEvent::ElementHeadClose(_) => {
                frame.content.push('>');
                is_head = true;
                continue;
            }
            RawEvent::Text(_, text) => match open.last() {
                Some((_, element)) if OPEN_TEXTS.contains(&element.as_str()) => {
                    escape(&text, &mut frame.content)
                }
                Some(_) => frame.content.push_str(&black(&text)),
                None => {}
            },
            RawEvent::ElementFoot(_) => {
                let (element, _) = open.pop()?;
                if depth > DEEPEST {
                    continue;
                }
                if is_head {
                    frame.content.pop();
                    frame.content.push_str("/>");
                } else {
                    frame.content.push_str("</");
                    frame.content.push_str(&element);
                    frame.content.push('>');
                }
            }
        }
        is_head = false;
    }
    (open.is_empty() && !frame.kind.is_empty()).then_some(frame)
}

fn escape(text: &str, to: &mut String) {
    for sign in text.chars() {
        match sign {
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '&' => to.push_str("&amp;"),
            '"' => to.push_str("&quot;"),
            sign => to.push(sign),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        read(text).content
    }

    #[test]
    fn what_anybody_wrote_is_black_and_what_a_frame_is_is_not() {
        let frame = "<message xmlns='jabber:client' type='chat' id='7' to='bob@example.org'><body>meet me at nine</body>\
             <subject>dinner</subject><nick xmlns='n'>Al</nick><origin-id xmlns='urn:xmpp:sid:0' id='7'/></message>";
        let shown = shown(frame);
        for word in ["meet", "nine", "dinner", "Al<"] {
            assert!(!shown.contains(word), "{shown}");
        }
        for word in ["type=\"chat\"", "id=\"7\"", "<body>", "urn:xmpp:sid:0"] {
            assert!(
                shown.contains(word) || shown.contains(&word.replace('"', "'")),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_frame_is_shown_as_it_is_written_whatever_prefixes_it_declares() {
        for (frame, wanted) in [
            (
                "<message xmlns='jabber:client' xmlns:p='a'><p:x xmlns:p='b' p:y='z'/></message>",
                "<message xmlns=\"jabber:client\" xmlns:p=\"a\"><p:x xmlns:p=\"b\" p:y=\"█\"/></message>",
            ),
            (
                "<x xmlns='a&amp;b' xmlns:xml='http://www.w3.org/XML/1998/namespace'><max>&lt;7</max>a<b></b></x>",
                "<x xmlns=\"a&amp;b\" xmlns:xml=\"http://www.w3.org/XML/1998/namespace\"><max>&lt;7</max>█<b/></x>",
            ),
            (
                "<stream:features><bind xmlns='b'/></stream:features>",
                "<stream:features><bind xmlns=\"b\"/></stream:features>",
            ),
        ] {
            assert_eq!(shown(frame), wanted);
        }
    }

    #[test]
    fn a_frame_nested_as_deeply_as_its_size_allows_is_read_on_a_small_stack() {
        let small = std::thread::Builder::new().stack_size(64 * 1024);
        let reading = small.spawn(|| {
            let deep = 8_000;
            let shown = shown(&format!("{}words{}", "<a>".repeat(deep), "</a>".repeat(deep)));
            assert_eq!(shown.matches("<a").count(), DEEPEST);
            assert!(!shown.contains("words"), "{shown}");
        });
        reading.unwrap().join().unwrap();
    }

    #[test]
    fn what_is_not_one_whole_element_is_not_shown() {
        for broken in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b",
            "<a/><b/>",
            "<a b='1'",
            "<!-- words -->",
            "<a>&words;</a>",
        ] {
            assert_eq!(read(broken).kind, "unread", "{broken}");
            assert!(!shown(broken).contains("words"));
        }
    }

    #[test]
    fn no_secret_of_a_sign_in_or_a_session_is_shown() {
        let secrets = [
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>",
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='X'><initial-response>AGFsaWNlAHNlY3JldA==</initial-response></authenticate>",
            "<success xmlns='urn:xmpp:sasl:2'><token xmlns='urn:xmpp:fast:0' token='AGFsaWNlAHNlY3JldA==' expiry='AGFsaWNlAHNlY3JldA=='/></success>",
            "<resume xmlns='urn:xmpp:sm:3' h='3' previd='AGFsaWNlAHNlY3JldA=='/>",
            "<enabled xmlns='urn:xmpp:sm:3' id='AGFsaWNlAHNlY3JldA==' resume='true'/>",
            "<iq xmlns='jabber:client' type='set'><query xmlns='jabber:iq:register'><password>AGFsaWNlAHNlY3JldA==</password></query></iq>",
        ];
        for frame in secrets {
            let shown = shown(frame);
            assert!(!shown.contains("AGFs") && shown.contains('█'), "{shown}");
        }
    }

    #[test]
    fn the_kind_of_a_frame_names_only_what_the_protocol_names() {
        assert_eq!(
            read("<iq xmlns='jabber:client' type='result'/>").kind,
            "iq result"
        );
        assert_eq!(read("<r xmlns='urn:xmpp:sm:3'/>").kind, "r");
        let odd = read("<message xmlns='jabber:client' type='my dear Bob'/>").kind;
        assert!(!odd.contains("Bob"), "{odd}");
        assert_eq!(read("no XML at all").kind, "unread");
    }

    #[test]
    fn what_can_t_be_read_is_not_shown() {
        for frame in [
            "my secret",
            "<a>my secret</a>",
            "<a xmlns='x'>my secret",
            &format!("<a xmlns='x'>{}</a>", "secret".repeat(20_000)),
        ] {
            assert!(!shown(frame).contains("secret"));
        }
        let deep = format!("{}secret{}", "<a xmlns='x'>".repeat(100), "</a>".repeat(100));
        assert!(!shown(&deep).contains("secret"));
    }
}

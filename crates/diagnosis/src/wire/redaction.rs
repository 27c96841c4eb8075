//! Blacking out: what a frame is may be shown, what anybody wrote or keeps secret may not.
//!
//! Nothing is known to be harmless that is not listed: the texts of a few elements that hold numbers and names of
//! mechanisms, the values of attributes that make a frame what it is. Every other text and value becomes as many black
//! signs as it had characters (at most [`LONGEST`]), so that its length can still be seen.

use minidom::{Element, Node};

/// A longer text is shown no longer.
const LONGEST: usize = 40;
/// A longer frame is not read: building a tree of it could take many times its size.
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
/// Ids are shown, for answers are found by them, but not those by which a session could be taken over (XEP-0198).
const STREAM_MANAGEMENT: &str = "urn:xmpp:sm:3";

/// A frame that was read, or not.
pub struct Read(Option<Element>);

/// Reads a frame.
pub fn read(text: &str) -> Read {
    let element = (text.len() <= LARGEST).then(|| text.parse().ok()).flatten();
    Read(element)
}

impl Read {
    /// What it is, in a word or two; from the names of the protocol alone.
    pub fn kind(&self) -> String {
        let Some(element) = &self.0 else {
            return "unread".to_owned();
        };
        let mut kind = known(element.name());
        if let Some(of) = element.attr("type") {
            kind.push(' ');
            kind.push_str(&known(of));
        }
        kind
    }

    /// The frame, blacked out.
    pub fn content(&self) -> String {
        match &self.0 {
            Some(element) => {
                let mut element = element.clone();
                black_out(&mut element, 0);
                String::from(&element)
            }
            None => "<!-- not read: too large, or no XML -->".to_owned(),
        }
    }
}

/// A name as it is, if it looks like one of the protocol's.
fn known(name: &str) -> String {
    let plain = name.len() <= LONGEST && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if plain { name.to_owned() } else { black(name) }
}

fn black(text: &str) -> String {
    "█".repeat(text.chars().take(LONGEST).count())
}

fn black_out(element: &mut Element, depth: usize) {
    let manages = element.ns() == STREAM_MANAGEMENT;
    for ((_, name), value) in element.attrs_mut() {
        let name = name.as_str();
        let names_session = manages && (name == "id" || name == "previd");
        let open = OPEN_VALUES.contains(&name) || matches!(name, "id" | "queryid");
        if !open || names_session {
            *value = black(value);
        }
    }
    let open = OPEN_TEXTS.contains(&element.name());
    let too_deep = depth >= DEEPEST;
    let nodes = element.take_nodes();
    for node in nodes {
        match node {
            Node::Element(_) if too_deep => {}
            Node::Element(mut child) => {
                black_out(&mut child, depth + 1);
                element.append_child(child);
            }
            Node::Text(text) if open => element.append_text_node(text),
            Node::Text(text) => element.append_text_node(black(&text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        read(text).content()
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
            read("<iq xmlns='jabber:client' type='result'/>").kind(),
            "iq result"
        );
        assert_eq!(read("<r xmlns='urn:xmpp:sm:3'/>").kind(), "r");
        let odd = read("<message xmlns='jabber:client' type='my dear Bob'/>").kind();
        assert!(!odd.contains("Bob"), "{odd}");
        assert_eq!(read("no XML at all").kind(), "unread");
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

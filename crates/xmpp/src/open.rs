//! Opening and closing a stream over WebSocket (RFC 7395 sections 3.3 and 3.6).

use crate::xml::draft;
use dormouse_model::BareJid;
use minidom::Element;

const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

/// The frame that opens a stream to this account's domain, or opens it anew after SASL. Who we are is said where
/// nobody else can read it (RFC 6120 section 4.7.1): servers need it to look for a token.
pub(crate) fn open(account: &BareJid, private: bool) -> Element {
    draft("open", FRAMING)
        .attr_opt("from", private.then_some(account.as_str()))
        .attr("to", account.domain().as_str())
        .attr("version", "1.0")
        .done()
}

/// The frame that ends a stream.
pub(crate) fn close() -> Element {
    draft("close", FRAMING).done()
}

/// Whether this is the server's `<open/>`.
pub(crate) fn is_open(element: &Element) -> bool {
    element.is("open", FRAMING)
}

/// Whether the server speaks XMPP 1.0 or a later 1.x (RFC 6120 section 4.7.5): without features there is no sign-in.
pub(crate) fn speaks_our_version(open: &Element) -> bool {
    open.attr("version")
        .and_then(|version| version.split_once('.'))
        .is_some_and(|(major, _)| major == "1")
}

/// The server's `<close/>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Close {
    /// Where it sends us (section 3.6.1). Data: not yet checked.
    pub see_other: Option<String>,
}

/// Reads a `<close/>`, if it is one.
pub(crate) fn read_close(element: &Element) -> Option<Close> {
    element.is("close", FRAMING).then(|| Close {
        see_other: element.attr("see-other-uri").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_another_version_is_not_ours() {
        let open =
            |version: &str| -> Element { format!("<open xmlns='{FRAMING}' {version}/>").parse().unwrap() };
        assert!(speaks_our_version(&open("version='1.0'")));
        assert!(speaks_our_version(&open("version='1.1'")));
        assert!(!speaks_our_version(&open("version='2.0'")));
        assert!(!speaks_our_version(&open("version='10.0'")));
        assert!(!speaks_our_version(&open("")));
    }

    #[test]
    fn a_close_may_send_us_elsewhere() {
        let close: Element = format!("<close xmlns='{FRAMING}' see-other-uri='wss://b/ws'/>")
            .parse()
            .unwrap();
        assert_eq!(
            read_close(&close).unwrap().see_other.as_deref(),
            Some("wss://b/ws")
        );
        assert_eq!(read_close(&super::close()), Some(Close { see_other: None }));
        let account = BareJid::new("me@home.example").unwrap();
        assert_eq!(read_close(&open(&account, true)), None);
    }

    #[test]
    fn who_we_are_is_not_said_in_the_open() {
        let account = BareJid::new("me@home.example").unwrap();
        assert_eq!(open(&account, true).attr("from"), Some("me@home.example"));
        assert_eq!(open(&account, false).attr("from"), None);
        assert_eq!(open(&account, false).attr("to"), Some("home.example"));
    }
}

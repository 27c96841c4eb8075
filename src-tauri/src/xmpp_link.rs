//! `xmpp:` links: what somebody outside Dormouse would like it to do.
//!
//! The form is RFC 5122's (section 2): `xmpp:` and an address, whose parts are percent-encoded; an account that is to be used may stand before it
//! between slashes. What is wanted is a query of XEP-0147: `?message;body=...`, `?roster;name=...`, `?join`. A link comes from
//! strangers: it never does anything, it only says what to ask the user, and what it does not understand it says.

use crate::links::LONGEST;
use dormouse_engine::model::BareJid;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The longest text that a link may put before the user, in characters: nobody could judge a longer one.
const LONGEST_BODY: usize = 4000;
/// The longest name.
const LONGEST_NAME: usize = 200;

/// All but what needs no encoding wherever it stands (RFC 3986 section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a link wants, of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmppLink {
    /// Of whom.
    pub address: BareJid,
    /// What.
    pub wish: LinkWish,
}

/// What a link wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkWish {
    /// To be written to, perhaps this.
    Message {
        /// What is to stand in the composer.
        body: Option<String>,
    },
    /// To be put on the roster.
    Add {
        /// Under this name.
        name: Option<String>,
    },
    /// To be joined: a room.
    Join,
    /// Something that Dormouse doesn't do, by its name.
    Other(String),
}

/// It can't be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no xmpp: link with an address in it")]
pub struct NotALink;

/// The link that asks for somebody to be written this.
pub fn message(to: &BareJid, body: &str) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    format!("xmpp:{}?message;body={}", encoded(to.as_str()), encoded(body))
}

/// What a link says.
///
/// # Errors
/// When it is none, or names nobody.
pub fn parse(link: &str) -> Result<XmppLink, NotALink> {
    if link.len() > LONGEST {
        return Err(NotALink);
    }
    let (scheme, rest) = link.trim().split_once(':').ok_or(NotALink)?;
    if !scheme.eq_ignore_ascii_case("xmpp") {
        return Err(NotALink);
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // Whose account is to be used is the user's business, not the link's.
    let path = match path.strip_prefix("//") {
        Some(with_account) => with_account.split_once('/').ok_or(NotALink)?.1,
        None => path,
    };
    let path = decoded(path)?;
    let bare = path.split('/').next().unwrap_or_default();
    let address = BareJid::new(bare).map_err(|_| NotALink)?;
    // A server is an address, too, but nobody to talk to.
    if !bare.contains('@') {
        return Err(NotALink);
    }
    Ok(XmppLink {
        address,
        wish: wish(query)?,
    })
}

fn wish(query: &str) -> Result<LinkWish, NotALink> {
    let mut parts = query.split(';');
    let kind = decoded(parts.next().unwrap_or_default())?.to_ascii_lowercase();
    let value = |wanted: &str, longest: usize| -> Result<Option<String>, NotALink> {
        let found = parts
            .clone()
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| *key == wanted);
        let text = found.map(|(_, value)| decoded(value)).transpose()?;
        let text = text.map(|text| harmless(&text, longest));
        Ok(text.filter(|text| !text.trim().is_empty()))
    };
    Ok(match kind.as_str() {
        "" => LinkWish::Message { body: None },
        "message" => LinkWish::Message {
            body: value("body", LONGEST_BODY)?,
        },
        "roster" | "subscribe" => LinkWish::Add {
            name: value("name", LONGEST_NAME)?,
        },
        "join" => LinkWish::Join,
        other => LinkWish::Other(harmless(other, 40)),
    })
}

fn decoded(text: &str) -> Result<String, NotALink> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| NotALink)?;
    Ok(decoded.into_owned())
}

/// Without what does not show and turns what does; cut to a length.
fn harmless(text: &str, longest: usize) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text = text.replace("\r\n", "\n");
    text.chars().filter(|c| !hidden(*c)).take(longest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(link: &str) -> LinkWish {
        let link = parse(link).unwrap();
        assert_eq!(link.address.as_str(), "juliet@example.org");
        link.wish
    }

    fn message(body: Option<&str>) -> LinkWish {
        LinkWish::Message {
            body: body.map(str::to_owned),
        }
    }

    #[test]
    fn a_link_names_somebody_and_what_is_wanted_of_them() {
        for plain in [
            "xmpp:juliet@example.org",
            "XMPP:juliet@example.org",
            " xmpp:juliet@example.org\n",
            "xmpp:juliet@example.org?",
            "xmpp:juliet@example.org?message",
            "xmpp:juliet@example.org?message;subject=Hi",
            "xmpp:juliet@example.org/balcony?message",
            "xmpp://romeo@example.net/juliet@example.org?message",
            "xmpp:juliet%40example.org",
            "xmpp:juliet@example.org#part",
        ] {
            assert_eq!(wishes(plain), message(None), "{plain}");
        }
        assert_eq!(
            wishes("xmpp:juliet@example.org?message;subject=x;body=Art%20thou%3B%20not%0ARomeo%3F"),
            message(Some("Art thou; not\nRomeo?"))
        );
        assert_eq!(
            wishes("xmpp:juliet@example.org?roster;name=Juliet%20C."),
            LinkWish::Add {
                name: Some("Juliet C.".into())
            }
        );
        assert_eq!(
            wishes("xmpp:juliet@example.org?subscribe"),
            LinkWish::Add { name: None }
        );
        assert_eq!(wishes("xmpp:juliet@example.org?join;password=x"), LinkWish::Join);
        assert_eq!(
            wishes("xmpp:juliet@example.org?remove"),
            LinkWish::Other("remove".into())
        );
    }

    #[test]
    fn the_link_that_is_written_says_whom_and_what() {
        for address in [
            "juliet@example.org",
            "jiři@čechy.example",
            "a?b;c=d#e%f@example.org",
        ] {
            for body in ["Art thou; not\nRomeo?", "100 % = #1 & 🐭", "a=b;c"] {
                let to = BareJid::new(address).unwrap();
                let link = parse(&super::message(&to, body)).unwrap();
                assert_eq!((link.address, link.wish), (to, message(Some(body))));
            }
        }
    }

    #[test]
    fn characters_that_need_no_ascii_are_decoded() {
        let link = parse(
            "xmpp:nasty%21%23%24%25%28%29%2A%2B%2C-.%3B%3D%3F%5B%5C%5D%5E_%60%7B%7C%7D~node@example.com",
        );
        assert_eq!(
            link.unwrap().address.as_str(),
            "nasty!#$%()*+,-.;=?[\\]^_`{|}~node@example.com"
        );
        let czech = parse("xmpp:ji%C5%99i@%C4%8Dechy.example").unwrap();
        assert!(czech.address.as_str().starts_with("jiři@"), "{}", czech.address);
    }

    #[test]
    fn what_names_nobody_is_no_link() {
        for nobody in [
            "",
            "xmpp:",
            "xmpp:?message",
            "xmpp://",
            "xmpp://romeo@example.net",
            "xmpp:example.org",
            "xmpp:@example.org",
            "xmpp:a@b@c",
            "xmpp:%ff@example.org",
            "xmpp:juliet@example.org?message;body=%ff",
            "xmpp:a b@example.org",
            "mailto:juliet@example.org",
            "https://example.org/xmpp:juliet@example.org",
            "juliet@example.org",
            "--hidden",
        ] {
            assert_eq!(parse(nobody), Err(NotALink), "{nobody}");
        }
        let long = format!("xmpp:juliet@example.org?message;body={}", "a".repeat(LONGEST));
        assert_eq!(parse(&long), Err(NotALink));
    }

    #[test]
    fn what_a_link_wants_written_is_bounded_and_shows_what_it_is() {
        let long = format!("xmpp:juliet@example.org?message;body={}", "a".repeat(6000));
        assert_eq!(wishes(&long), message(Some(&"a".repeat(LONGEST_BODY))));
        assert_eq!(
            wishes("xmpp:juliet@example.org?message;body=a%00b%E2%80%AEc%1B%5B31m%0D%0Ad"),
            message(Some("abc[31m\nd"))
        );
        assert_eq!(
            wishes("xmpp:juliet@example.org?message;body=%20%0A"),
            message(None)
        );
    }

    #[test]
    fn no_input_panics() {
        let pieces = [
            "xmpp:", "//", "/", "?", ";", "=", "%", "%0", "%C3", "a@b", "body", "message", "é", "\u{202e}",
        ];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        let _ = parse(&format!("{a}{b}{c}{d}"));
                        let _ = parse(&format!("xmpp:a@b?message;{a}{b}{c}{d}"));
                    }
                }
            }
        }
    }
}

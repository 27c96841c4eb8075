//! Tokens for signing in again (XEP-0484): one message instead of a conversation, and no password on the way.
//!
//! The server gives a token when it is asked for one during a sign-in with the password. From then on the token's hash
//! is enough (SASL HT mechanisms): with channel binding (`-EXPR`) it is worth nothing on another TLS connection, without
//! (`-NONE`) TLS alone protects it. The server proves itself by a hash of its own. A token ends when the server
//! says so, or when another one takes its place: the new one must be kept safely before it is used,
//! because its first use ends the old one.

use crate::xml::draft;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dormouse_model::{Channel, Stamp};
use hmac::{Hmac, KeyInit, Mac};
use minidom::Element;
use sha2::Sha256;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// The namespace.
pub(crate) const NS: &str = "urn:xmpp:fast:0";

const UNBOUND: &str = "HT-SHA-256-NONE";
const BOUND: &str = "HT-SHA-256-EXPR";

/// A token that ends sooner than this is replaced while it still works.
const RENEWED_BEFORE: Duration = Duration::from_secs(3 * 24 * 3600);

/// No server's token is longer, and no keyring is asked to keep a longer one.
const LONGEST: usize = 1024;

/// A token as the server gave it. Wiped from memory when dropped, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: Zeroizing<String>,
    bound: bool,
    /// When it ends, if the server said so.
    expires: Option<Stamp>,
    /// The installation it was given to; it works for no other.
    user_agent: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

impl Token {
    /// One line of text, for the keyring.
    pub fn to_line(&self) -> Zeroizing<String> {
        let kind = if self.bound { BOUND } else { UNBOUND };
        let expires = self.expires.map_or("-".to_owned(), |stamp| stamp.0.to_string());
        Zeroizing::new(format!("{kind} {expires} {} {}", self.user_agent, *self.secret))
    }

    /// Reads what [`Token::to_line`] wrote; none if it is anything else.
    pub fn from_line(line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        let bound = match words.next()? {
            BOUND => true,
            UNBOUND => false,
            _ => return None,
        };
        let expires = match words.next()? {
            "-" => None,
            number => Some(Stamp(number.parse().ok()?)),
        };
        let user_agent = words.next()?.to_owned();
        let secret = words.next().filter(|secret| !secret.is_empty())?;
        Some(Self {
            secret: Zeroizing::new(secret.to_owned()),
            bound,
            expires,
            user_agent,
        })
    }

    /// Whether it can be used now, on this channel, by this installation, with what the server takes.
    pub(crate) fn fits(&self, now: Stamp, channel: &Channel, user_agent: &str, taken: &[String]) -> bool {
        let mechanism = mechanism(self.bound);
        self.user_agent == user_agent
            && self.expires.is_none_or(|end| end > now)
            && taken.iter().any(|name| name == mechanism)
            && (if self.bound {
                channel.exporter.is_some()
            } else {
                channel.encrypted || channel.loopback
            })
    }

    /// Whether it is bound to the TLS connection that it is used on.
    pub(crate) fn is_bound(&self) -> bool {
        self.bound
    }

    /// Whether it is time to ask for another.
    pub(crate) fn ends_soon(&self, now: Stamp) -> bool {
        let soon = i64::try_from(RENEWED_BEFORE.as_millis()).unwrap_or(i64::MAX);
        self.expires.is_some_and(|end| end < now.shifted(soon))
    }

    fn hash(&self, role: &str, channel: &Channel) -> Vec<u8> {
        // HMAC takes keys of any length.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(self.secret.as_bytes()) else {
            return Vec::new();
        };
        mac.update(role.as_bytes());
        if let Some(data) = channel.exporter.filter(|_| self.bound) {
            mac.update(&data);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

/// A sign-in with a token under way.
pub(crate) struct TokenExchange {
    token: Token,
    expected: Vec<u8>,
}

impl TokenExchange {
    /// Begins: what the server must prove in the end depends on the channel.
    pub(crate) fn new(token: Token, channel: &Channel) -> Self {
        Self {
            expected: token.hash("Responder", channel),
            token,
        }
    }

    /// The mechanism's registered name.
    pub(crate) fn mechanism(&self) -> &'static str {
        mechanism(self.token.bound)
    }

    /// Whether the token is bound to the TLS connection.
    pub(crate) fn is_bound(&self) -> bool {
        self.token.is_bound()
    }

    /// The one message that signs in (XEP-0484 section 3.3), in base64.
    pub(crate) fn initial(&self, user: &str, channel: &Channel) -> Zeroizing<String> {
        let mut message = Zeroizing::new(format!("{user}\0").into_bytes());
        message.extend(self.token.hash("Initiator", channel));
        Zeroizing::new(STANDARD.encode(&*message))
    }

    /// Whether the server knows the token, too.
    pub(crate) fn is_genuine(&self, answer: &[u8]) -> bool {
        crate::scram::same(&self.expected, answer)
    }
}

fn mechanism(bound: bool) -> &'static str {
    if bound { BOUND } else { UNBOUND }
}

/// Which kind of token to ask for (XEP-0440 says whether the server can bind to what we can): bound if that works, and
/// `must_bind` where nothing less is acceptable any more.
pub(crate) fn wanted(
    taken: &[String],
    channel_bindings: Option<&[String]>,
    channel: &Channel,
    must_bind: bool,
    binding_failed: bool,
) -> Option<&'static str> {
    let takes = |name: &str| taken.iter().any(|mechanism| mechanism == name);
    let binds = channel.exporter.is_some()
        && channel_bindings.is_some_and(|kinds| kinds.iter().any(|kind| kind == "tls-exporter"));
    if binds && !binding_failed && takes(BOUND) {
        return Some(BOUND);
    }
    let local = channel.loopback && !channel.encrypted;
    (takes(UNBOUND) && (local || channel.encrypted && !must_bind)).then_some(UNBOUND)
}

/// Asks for a token (section 3.2).
pub(crate) fn request(mechanism: &str) -> Element {
    draft("request-token", NS).attr("mechanism", mechanism).done()
}

/// Says that a token is used (section 3.3).
pub(crate) fn used() -> Element {
    draft("fast", NS).done()
}

/// The mechanisms that take tokens, from the server's inline features (section 3.1).
pub(crate) fn mechanisms(fast: &Element) -> Vec<String> {
    fast.children()
        .filter(|child| child.is("mechanism", NS))
        .map(|child| child.text().trim().to_owned())
        .collect()
}

/// The token in a `<success/>` (section 3.2), given for this mechanism. None if there is none that can be kept.
pub(crate) fn given(success: &Element, mechanism: &str, user_agent: &str) -> Option<Token> {
    let token = success.get_child("token", NS)?;
    let secret = token.attr("token").filter(|secret| {
        !secret.is_empty() && secret.len() <= LONGEST && !secret.contains(char::is_control)
    })?;
    Some(Token {
        secret: Zeroizing::new(secret.to_owned()),
        bound: mechanism == BOUND,
        expires: token.attr("expiry").and_then(crate::delay::parse),
        user_agent: user_agent.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(bound: bool, expires: Option<i64>) -> Token {
        Token {
            secret: Zeroizing::new("s3 cret".into()),
            bound,
            expires: expires.map(Stamp),
            user_agent: "ua".into(),
        }
    }

    fn tls(exporter: Option<[u8; 32]>) -> Channel {
        Channel {
            encrypted: true,
            loopback: false,
            exporter,
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_token_survives_the_keyring_and_anything_else_is_none() {
        for token in [token(true, None), token(false, Some(-5))] {
            assert_eq!(Token::from_line(&token.to_line()), Some(token));
        }
        for line in [
            "",
            "HT-SHA-256-NONE",
            "HT-SHA-256-NONE - ua",
            "HT-SHA-256-NONE - ua ",
            "X - ua t",
            "HT-SHA-256-NONE x ua t",
        ] {
            assert_eq!(Token::from_line(line), None, "{line}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        assert!(!format!("{:?}", token(true, None)).contains("cret"));
    }

    #[test]
    fn a_token_is_used_where_it_works_and_nowhere_else() {
        let (none, bound) = (token(false, None), token(true, None));
        let all = names(&[UNBOUND, BOUND]);
        let now = Stamp(1000);
        assert!(none.fits(now, &tls(None), "ua", &all));
        assert!(!none.fits(now, &tls(None), "another", &all));
        assert!(!none.fits(now, &tls(None), "ua", &names(&[BOUND])));
        assert!(
            !none.fits(now, &Channel::default(), "ua", &all),
            "not in the open"
        );
        assert!(!bound.fits(now, &tls(None), "ua", &all));
        assert!(bound.fits(now, &tls(Some([1; 32])), "ua", &all));
        assert!(!token(false, Some(1000)).fits(now, &tls(None), "ua", &all));
        assert!(token(false, Some(1001)).fits(now, &tls(None), "ua", &all));
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let day = 24 * 3600 * 1000;
        assert!(!token(false, None).ends_soon(Stamp(0)));
        assert!(!token(false, Some(4 * day)).ends_soon(Stamp(0)));
        assert!(token(false, Some(2 * day)).ends_soon(Stamp(0)));
        assert!(!token(false, Some(3 * day)).ends_soon(Stamp(0)));
        assert!(token(false, Some(3 * day - 1)).ends_soon(Stamp(0)));
    }

    #[test]
    fn a_bound_token_is_wanted_where_both_sides_can_bind() {
        let all = names(&[UNBOUND, BOUND]);
        let exporter = names(&["tls-exporter"]);
        let channel = tls(Some([1; 32]));
        let wanted = |kinds: Option<&[String]>, channel: &Channel, must, failed| {
            wanted(&all, kinds, channel, must, failed)
        };
        assert_eq!(wanted(Some(&exporter), &channel, false, false), Some(BOUND));
        assert_eq!(wanted(Some(&exporter), &channel, false, true), Some(UNBOUND));
        assert_eq!(wanted(Some(&exporter), &tls(None), false, false), Some(UNBOUND));
        assert_eq!(
            wanted(None, &channel, false, false),
            Some(UNBOUND),
            "a server that does not say what it can bind to can't"
        );
        assert_eq!(wanted(None, &channel, true, false), None);
        assert_eq!(wanted(None, &Channel::default(), false, false), None);
        let another_way = names(&["tls-unique"]);
        assert_eq!(wanted(Some(&another_way), &channel, false, false), Some(UNBOUND));
        let of = |taken: &[&str]| super::wanted(&names(taken), Some(&exporter), &channel, false, false);
        assert_eq!(of(&[UNBOUND]), Some(UNBOUND), "no more than the server takes");
        assert_eq!(of(&["HT-SHA-512-UNIQ"]), None);
    }

    #[test]
    fn an_unbound_token_is_wanted_on_this_machine_only_where_there_is_no_tls_to_bind_to() {
        let all = names(&[UNBOUND, BOUND]);
        for (encrypted, kind) in [(false, Some(UNBOUND)), (true, None)] {
            let here = Channel {
                encrypted,
                loopback: true,
                exporter: None,
            };
            assert_eq!(wanted(&all, None, &here, true, false), kind);
        }
    }

    #[test]
    fn a_token_and_a_sign_in_with_it_say_whether_they_are_bound() {
        for bound in [false, true] {
            assert_eq!(token(bound, None).is_bound(), bound);
            assert_eq!(
                TokenExchange::new(token(bound, None), &tls(None)).is_bound(),
                bound
            );
        }
    }

    #[test]
    fn the_hashes_depend_on_the_role_and_on_the_connection_if_bound() {
        let (one, two) = (tls(Some([1; 32])), tls(Some([2; 32])));
        for bound in [false, true] {
            let exchange = TokenExchange::new(token(bound, None), &one);
            let elsewhere = TokenExchange::new(token(bound, None), &two);
            assert_eq!(
                exchange.initial("me", &one) != elsewhere.initial("me", &two),
                bound
            );
            assert!(exchange.is_genuine(&exchange.expected.clone()));
            assert!(!exchange.is_genuine(b""));
            assert!(!exchange.is_genuine(&token(bound, None).hash("Initiator", &one)));
        }
    }

    /// The hash as anybody computes it: HMAC-SHA-256 with the token as key (vector made with openssl).
    #[test]
    fn the_message_is_the_name_a_nul_and_the_hash() {
        let token = Token {
            secret: Zeroizing::new("token".into()),
            ..token(false, None)
        };
        let message = STANDARD
            .decode(&*TokenExchange::new(token, &tls(None)).initial("me", &tls(None)))
            .unwrap();
        let (name, hash) = message.split_at(3);
        assert_eq!(name, b"me\0");
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, VECTOR);
    }

    const VECTOR: &str = "d24d95482f0d6e035c56e787dac4ed832bdd84ee3ea242aaadd982270c330006";

    #[test]
    fn a_token_that_cannot_be_kept_is_as_if_none_were_given() {
        let given = |attributes: &str| {
            let success =
                format!("<success xmlns='urn:xmpp:sasl:2'><token xmlns='{NS}' {attributes}/></success>");
            given(&success.parse().unwrap(), UNBOUND, "ua")
        };
        let token = given("token='abc' expiry='1970-01-01T00:00:01Z'").unwrap();
        assert_eq!(token.expires, Some(Stamp(1000)));
        assert_eq!(given("token='abc' expiry='soon'").unwrap().expires, None);
        assert_eq!(given(""), None);
        assert_eq!(given("token=''"), None);
        assert_eq!(given(&format!("token='{}'", "a".repeat(LONGEST + 1))), None);
    }
}

//! SASL2 (XEP-0388), Bind 2 (0386), FAST (0484) and inline resumption (0198) by hand, frame by frame.

use super::base64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The device that the tests are, of which tokens are one's own.
const USER_AGENT: &str =
    "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>wire</software></user-agent>";
/// Binds, with stream management.
pub const BIND: &str =
    "<bind xmlns='urn:xmpp:bind:0'><tag>wire</tag><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>";
/// Asks for a token.
pub const REQUEST_TOKEN: &str = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>";

/// Opens a stream, saying for whom: FAST is offered only then.
pub fn open(user: &str) -> String {
    format!(
        "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' from='{user}@localhost' version='1.0'/>"
    )
}

/// Signs in with a password.
pub fn by_password(user: &str, password: &str, inline: &str) -> String {
    authenticate("PLAIN", format!("\0{user}\0{password}").as_bytes(), inline)
}

/// Signs in with a token.
pub fn by_token(user: &str, token: &str, inline: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(b"Initiator");
    let mut initial = format!("{user}\0").into_bytes();
    initial.extend(mac.finalize().into_bytes());
    authenticate(
        "HT-SHA-256-NONE",
        &initial,
        &format!("{inline}<fast xmlns='urn:xmpp:fast:0'/>"),
    )
}

fn authenticate(mechanism: &str, initial: &[u8], inline: &str) -> String {
    format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'><initial-response>{}</initial-response>\
         {USER_AGENT}{inline}</authenticate>",
        base64(initial)
    )
}

/// Resumes an earlier session, having handled nothing of it.
pub fn resume(id: &str) -> String {
    format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>")
}

/// An attribute of the first element of this name, whatever its quotes.
pub fn attribute(heard: &str, element: &str, name: &str) -> Option<String> {
    let (_, after) = heard.split_once(&format!("<{element} "))?;
    let (tag, _) = after.split_once('>')?;
    let (_, value) = tag.split_once(&format!("{name}="))?;
    let quote = value.chars().next()?;
    value[1..].split(quote).next().map(str::to_owned)
}

//! A domain's description of itself (XEP-0156, RFC 6415): its links, in either of the two forms.
//!
//! It comes before anybody has proven who they are, so it is read without a tree: 64 KiB of nested elements would
//! overflow the stack when their tree is freed, and with a long namespace take hundreds of megabytes.

use minidom::rxml::{Event, Namespace, Parse, Parser};

const WEB_SOCKET: &str = "urn:xmpp:alt-connections:websocket";
const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";

/// The WebSocket links of `host-meta.json`, in their order, as they are written. None if it is no such document.
pub fn json(body: &[u8]) -> Option<Vec<String>> {
    let document: serde_json::Value = serde_json::from_slice(body).ok()?;
    let links = document.get("links")?.as_array()?;
    let link = |link: &serde_json::Value| {
        let rel = link.get("rel")?.as_str()?;
        (rel == WEB_SOCKET).then(|| link.get("href")?.as_str().map(str::to_owned))?
    };
    Some(links.iter().filter_map(link).collect())
}

/// The WebSocket links of `host-meta`, in their order, as they are written. None if it is no such document.
pub fn xml(body: &[u8]) -> Option<Vec<String>> {
    let mut rest = std::str::from_utf8(body).ok()?.trim().as_bytes();
    let mut parser = Parser::new();
    let mut links = Vec::new();
    let mut depth = 0_usize;
    // Well-formed to its end, or it says nothing.
    while let Some(event) = parser.parse(&mut rest, true).ok()? {
        match event {
            Event::StartElement(_, (namespace, name), attributes) => {
                let is = |expected| namespace.as_str() == XRD && name == expected;
                let attribute = |name: &str| attributes.get(&Namespace::NONE, name);
                if depth == 0 && !is("XRD") {
                    return None;
                }
                let ours = depth == 1 && is("Link") && attribute("rel").is_some_and(|rel| rel == WEB_SOCKET);
                if ours {
                    links.extend(attribute("href").cloned());
                }
                depth += 1;
            }
            Event::EndElement(_) => depth = depth.saturating_sub(1),
            Event::XmlDeclaration(..) | Event::Text(..) => {}
        }
    }
    Some(links)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xrd(inner: &str) -> String {
        format!("<XRD xmlns='{XRD}'>{inner}</XRD>")
    }

    #[test]
    fn links_count_where_they_stand_and_in_their_namespace_only() {
        let link = "<Link rel='urn:xmpp:alt-connections:websocket' href='wss://a.example/ws'/>";
        let found = Some(vec!["wss://a.example/ws".to_owned()]);
        assert_eq!(xml(xrd(link).as_bytes()), found);
        for elsewhere in [
            format!("<Subject>{link}</Subject>"),
            "<Link xmlns='urn:other' rel='urn:xmpp:alt-connections:websocket' href='wss://a.example/ws'/>"
                .to_owned(),
            "<Link xmlns:o='urn:o' o:rel='urn:xmpp:alt-connections:websocket' href='wss://a.example/ws'/>"
                .to_owned(),
            "<Link rel='urn:xmpp:alt-connections:websocket'/>".to_owned(),
        ] {
            assert_eq!(xml(xrd(&elsewhere).as_bytes()), Some(Vec::new()), "{elsewhere}");
        }
        for broken in [
            format!("{}<", xrd(link)),
            format!("<XRD xmlns='{XRD}'>{link}"),
            link.to_owned(),
        ] {
            assert_eq!(xml(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn a_document_nested_as_deeply_as_its_size_allows_is_read_on_a_small_stack() {
        let deep = xrd(&format!("{}{}", "<a>".repeat(9_300), "</a>".repeat(9_300)));
        let json_deep = format!("{{\"links\": {}{}}}", "[".repeat(30_000), "]".repeat(30_000));
        let read = move || (xml(deep.as_bytes()), json(json_deep.as_bytes()));
        let small = std::thread::Builder::new().stack_size(256 * 1024).spawn(read);
        assert_eq!(small.unwrap().join().unwrap(), (Some(Vec::new()), None));
    }
}

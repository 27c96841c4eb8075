//! Asking the archives (XEP-0313) by a few lines of XMPP over WebSocket (RFC 7395) that share nothing with the code under
//! test: SASL PLAIN, a resource, page after page.

use crate::Result;
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dormouse_scripts::archive::{Archived, Archives};
use minidom::Element;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

const PATIENCE: Duration = Duration::from_secs(30);
const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
const CLIENT: &str = "jabber:client";
const MAM: &str = "urn:xmpp:mam:2";
const FORWARD: &str = "urn:xmpp:forward:0";
const RSM: &str = "http://jabber.org/protocol/rsm";

/// Asks the server behind this port for the archives of these people: user and password each.
///
/// # Errors
/// When it does not answer as it should.
pub fn read(port: u16, people: &[(String, String)]) -> Result<Archives> {
    let archives = people.iter().map(|(user, password)| {
        Stream::open(port, user, password)
            .and_then(|mut stream| stream.archive())
            .with_context(|| format!("while the archive of {user} was read"))
    });
    Ok(Archives(archives.collect::<Result<_>>()?))
}

struct Stream(WebSocket<TcpStream>);

impl Stream {
    /// Signs in. Presence is not sent: nothing is delivered here.
    fn open(port: u16, user: &str, password: &str) -> Result<Self> {
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("ws://localhost:{port}/xmpp-websocket").into_client_request()?;
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", "xmpp".try_into()?);
        let (socket, _) = tungstenite::client(request, tcp).context("the WebSocket did not open")?;
        let mut stream = Self(socket);
        let open = format!("<open xmlns='{FRAMING}' to='localhost' version='1.0'/>");
        stream.ask(&open, "features")?;
        let secret = STANDARD.encode(format!("\0{user}\0{password}"));
        stream.ask(
            &format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>"),
            "success",
        )?;
        stream.ask(&open, "features")?;
        let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
        stream.ask(
            &format!("<iq xmlns='{CLIENT}' type='set' id='bind'>{bind}</iq>"),
            "iq",
        )?;
        Ok(stream)
    }

    /// Says something and waits for an element of this name.
    fn ask(&mut self, xml: &str, answer: &str) -> Result<Element> {
        self.0.send(Message::text(xml))?;
        loop {
            let element = self.hear()?;
            if element.name() == answer {
                return Ok(element);
            }
            if element.name() == "failure" {
                bail!("the server refused: {}", String::from(&element));
            }
        }
    }

    fn hear(&mut self) -> Result<Element> {
        loop {
            if let Message::Text(text) = self.0.read()? {
                // Prosody 13 sends stream errors and features with a prefix that it does not declare.
                let wrapped = format!(
                    "<frame xmlns='{CLIENT}' xmlns:stream='http://etherx.jabber.org/streams'>{text}</frame>"
                );
                let frame: Element = wrapped.parse()?;
                if let Some(element) = frame.children().next() {
                    return Ok(element.clone());
                }
            }
        }
    }

    fn archive(&mut self) -> Result<Vec<Archived>> {
        let mut entries = Vec::new();
        let mut after = String::new();
        loop {
            let query = format!(
                "<iq xmlns='{CLIENT}' type='set' id='page'><query xmlns='{MAM}'>\
                 <set xmlns='{RSM}'><max>100</max>{after}</set></query></iq>"
            );
            self.0.send(Message::text(query))?;
            let end = loop {
                let element = self.hear()?;
                if element.name() == "iq" && element.attr("id") == Some("page") {
                    break element;
                }
                entries.extend(archived(&element));
            };
            let Some(end) = end.get_child("fin", MAM) else {
                bail!("the server refused the query: {}", String::from(&end));
            };
            let last = end
                .get_child("set", RSM)
                .and_then(|set| set.get_child("last", RSM))
                .map(Element::text);
            match last {
                Some(last) if end.attr("complete") != Some("true") => {
                    after = format!("<after>{last}</after>")
                }
                _ => return Ok(entries),
            }
        }
    }
}

/// The text that a result of a query bears, if it is one and bears any.
fn archived(message: &Element) -> Option<Archived> {
    let inner = message
        .get_child("result", MAM)?
        .get_child("forwarded", FORWARD)?
        .get_child("message", CLIENT)?;
    let bare = |side: &str| {
        let address = inner.attr(side).unwrap_or_default();
        address.split('/').next().unwrap_or_default().to_owned()
    };
    Some(Archived {
        from: bare("from"),
        to: bare("to"),
        body: inner.get_child("body", CLIENT)?.text(),
    })
}

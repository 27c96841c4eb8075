//! One connection of the peer's: the upgrade, then frames until it ends.

use super::scram::Exchange;
use super::{ACCOUNT, Act, CONTACT, Conduct, DOMAIN, Heard, Resumption, Session, Shape, Signature, Step};
use super::{State, Upgrade, World, archive, frames};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minidom::Element;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::{Error, Message, WebSocket};

const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const SM: &str = "urn:xmpp:sm:3";
const CLIENT: &str = "jabber:client";
const INFO: &str = "http://jabber.org/protocol/disco#info";
const MAM: &str = "urn:xmpp:mam:2";
const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// How long it waits for the client before it looks for something to do.
const NAP: Duration = Duration::from_millis(10);

/// Why a connection ends: the client, the scenario, or the peer's own mischief.
struct Over;

/// Serves a connection to its end.
pub(crate) fn serve(world: &World, mut stream: TcpStream, number: u64) {
    let _ = stream.set_nodelay(true);
    let upgrade = world.state().conduct.upgrade.clone();
    match upgrade {
        Upgrade::Accept => {}
        Upgrade::Silent => return hold(world, &mut stream),
        Upgrade::NotHttp => {
            let _ = stream.write_all(b"220 mail.example ESMTP ready\r\n");
            return hold(world, &mut stream);
        }
        Upgrade::Status(status, retry_after) => return refuse(&mut stream, status, retry_after),
    }
    let Ok(socket) = tungstenite::accept_hdr(stream, subprotocol) else {
        return;
    };
    if socket.get_ref().set_read_timeout(Some(NAP)).is_err() {
        return;
    }
    world.with(|state| {
        state.current = number;
        state.bound = false;
        state.acts.clear();
    });
    let mut conn = Conn {
        world,
        number,
        socket,
        signed_in: false,
        silent: false,
        exchange: None,
        written: 0,
        streams: false,
        last_ping: Instant::now(),
    };
    while conn.turn().is_ok() {}
    world.with(|state| {
        if state.current == number {
            state.bound = false;
        }
    });
}

#[allow(clippy::result_large_err, reason = "tungstenite's own signature")]
fn subprotocol(
    _: &Request,
    mut response: Response,
) -> Result<Response, tungstenite::handshake::server::ErrorResponse> {
    let headers = response.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static("xmpp"));
    Ok(response)
}

/// Keeps the connection and says nothing.
fn hold(world: &World, stream: &mut TcpStream) {
    let mut sink = [0; 4096];
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    while !world.state().stop {
        match stream.read(&mut sink) {
            Ok(0) => return,
            Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return,
            _ => {}
        }
    }
}

/// Reads the request and refuses it.
fn refuse(stream: &mut TcpStream, status: u16, retry_after: Option<&str>) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && request.len() < 16_384 {
        match stream.read(&mut byte) {
            Ok(1) => request.push(byte[0]),
            _ => return,
        }
    }
    let retry_after = retry_after
        .map(|wait| format!("Retry-After: {wait}\r\n"))
        .unwrap_or_default();
    let answer =
        format!("HTTP/1.1 {status} No\r\n{retry_after}Content-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes());
}

struct Conn<'a> {
    world: &'a World,
    number: u64,
    socket: WebSocket<TcpStream>,
    signed_in: bool,
    silent: bool,
    exchange: Option<Exchange>,
    /// The number of the last stanza written here.
    written: u32,
    /// Stanzas of the session flow here.
    streams: bool,
    last_ping: Instant,
}

impl Conn<'_> {
    fn turn(&mut self) -> Result<(), Over> {
        self.write_what_is_due()?;
        match self.socket.read() {
            Ok(Message::Text(text)) if !self.silent => self.frame(text.as_str()),
            Ok(Message::Close(_)) => Err(Over),
            Ok(_) => Ok(()),
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(())
            }
            Err(_) => Err(Over),
        }
    }

    fn write_what_is_due(&mut self) -> Result<(), Over> {
        let (acts, stanzas, ping) = self.world.with(|state| {
            if state.stop || state.current != self.number {
                return Err(Over);
            }
            let mut stanzas = Vec::new();
            if let (true, Some(session)) = (self.streams, &state.session) {
                let new = session.queue.iter().filter(|(number, ..)| *number > self.written);
                stanzas.extend(new.cloned());
            }
            let acts: Vec<Act> = if self.streams {
                state.acts.drain(..).collect()
            } else {
                Vec::new()
            };
            let ping = state
                .conduct
                .pings
                .is_some_and(|every| self.last_ping.elapsed() >= every);
            Ok((acts, stanzas, ping))
        })?;
        for (number, xml, shape) in stanzas {
            self.written = number;
            match shape {
                Shape::Whole => self.bytes(&frames::text(xml))?,
                Shape::Fragments(size) => self.bytes(&frames::fragments(xml, size))?,
            }
        }
        if ping {
            self.last_ping = Instant::now();
            self.bytes(&frames::ping())?;
        }
        for act in acts {
            match act {
                Act::Bytes(bytes) => self.bytes(&bytes)?,
                Act::Text(text) => self.text(text)?,
                Act::Close(code, reason) => {
                    self.bytes(&frames::close(code, reason))?;
                    // The client answers, or drops the socket: not our haste to see its RST.
                    thread::sleep(Duration::from_millis(100));
                    return Err(Over);
                }
                Act::Eof => return Err(Over),
            }
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.socket.get_mut().write_all(bytes).map_err(|_| Over)
    }

    fn text(&mut self, xml: impl AsRef<[u8]>) -> Result<(), Over> {
        self.bytes(&frames::text(xml))
    }

    fn conduct(&self) -> Conduct {
        self.world.state().conduct.clone()
    }

    /// Whether it falls silent at this step.
    fn falls_silent(&mut self, step: Step) -> bool {
        self.silent |= self.world.state().conduct.silent_at == Some(step);
        self.silent
    }

    fn frame(&mut self, text: &str) -> Result<(), Over> {
        let Ok(element) = text.parse::<Element>() else {
            return Err(Over);
        };
        let namespace = element.ns();
        match (element.name(), namespace.as_str()) {
            ("open", FRAMING) => self.open(),
            ("close", FRAMING) => {
                self.world.with(|state| state.session = None);
                self.text(format!("<close xmlns='{FRAMING}'/>"))?;
                Err(Over)
            }
            ("auth" | "response", SASL) => self.sign_in(&element),
            (_, SM) => self.management(&element),
            ("iq" | "message" | "presence", CLIENT) => self.stanza(&element, text),
            _ => Ok(()),
        }
    }

    fn open(&mut self) -> Result<(), Over> {
        if !self.signed_in && self.falls_silent(Step::Open) {
            return Ok(());
        }
        self.text(format!(
            "<open xmlns='{FRAMING}' from='{DOMAIN}' id='stream-{}' version='1.0'/>",
            self.number
        ))?;
        let features = if self.signed_in {
            format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='{SM}'/>")
        } else {
            let offered = self.conduct().mechanisms;
            let offered: String = offered
                .iter()
                .map(|name| format!("<mechanism>{name}</mechanism>"))
                .collect();
            format!("<mechanisms xmlns='{SASL}'>{offered}</mechanisms>")
        };
        self.text(format!(
            "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>{features}</stream:features>"
        ))
    }

    fn sign_in(&mut self, element: &Element) -> Result<(), Over> {
        let conduct = self.conduct();
        if element.name() == "auth" {
            let mechanism = element.attr("mechanism").unwrap_or_default().to_owned();
            self.world.with(|state| state.sign_ins.push(mechanism.clone()));
            if self.falls_silent(Step::SignIn) {
                return Ok(());
            }
            if let Some(condition) = conduct.refusal {
                return self.text(format!("<failure xmlns='{SASL}'><{condition}/></failure>"));
            }
            if !conduct.mechanisms.iter().any(|name| *name == mechanism) {
                return self.text(format!("<failure xmlns='{SASL}'><invalid-mechanism/></failure>"));
            }
            if mechanism == "PLAIN" {
                let said = STANDARD.decode(element.text()).unwrap_or_default();
                return if said.ends_with(super::PASSWORD.as_bytes()) {
                    self.signed_in = true;
                    self.text(format!("<success xmlns='{SASL}'/>"))
                } else {
                    self.text(format!("<failure xmlns='{SASL}'><not-authorized/></failure>"))
                };
            }
            let begun = Exchange::begin(&element.text(), conduct.iterations);
            let Some((exchange, challenge)) = begun else {
                return Err(Over);
            };
            if conduct.signature == Signature::None {
                self.signed_in = true;
                return self.text(format!("<success xmlns='{SASL}'/>"));
            }
            self.exchange = Some(exchange);
            return self.text(format!("<challenge xmlns='{SASL}'>{challenge}</challenge>"));
        }
        let proof = self.exchange.take();
        match proof.and_then(|exchange| exchange.finish(&element.text(), conduct.signature)) {
            Some(success) => {
                self.signed_in = true;
                self.text(format!("<success xmlns='{SASL}'>{success}</success>"))
            }
            None => self.text(format!("<failure xmlns='{SASL}'><not-authorized/></failure>")),
        }
    }

    fn management(&mut self, element: &Element) -> Result<(), Over> {
        let h: Option<u32> = element.attr("h").and_then(|h| h.parse().ok());
        match element.name() {
            "enable" => {
                let id = self.world.with(|state| {
                    state.sessions += 1;
                    state.told = 0;
                    state.bound = true;
                    let id = format!("session-{}", state.sessions);
                    state.session = Some(Session {
                        id: id.clone(),
                        ..Session::default()
                    });
                    id
                });
                self.written = 0;
                self.streams = true;
                self.text(format!(
                    "<enabled xmlns='{SM}' id='{id}' resume='true' max='600'/>"
                ))
            }
            "resume" => self.resume(element.attr("previd").unwrap_or_default(), h.unwrap_or_default()),
            "r" if self.conduct().acknowledges => {
                let handled = self
                    .world
                    .state()
                    .session
                    .as_ref()
                    .map_or(0, |session| session.handled);
                self.text(format!("<a xmlns='{SM}' h='{handled}'/>"))
            }
            "a" => {
                let h = h.unwrap_or_default();
                self.world.with(|state| acknowledged(state, h));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn resume(&mut self, id: &str, h: u32) -> Result<(), Over> {
        if self.falls_silent(Step::Bind) {
            return Ok(());
        }
        let gone = format!("<failed xmlns='{SM}'><item-not-found xmlns='{STANZAS}'/></failed>");
        match self.conduct().resumption {
            Resumption::Honest => {}
            Resumption::Count(count) => {
                let count = count.map(|count| format!(" h='{count}'")).unwrap_or_default();
                return self.text(format!("<resumed xmlns='{SM}' previd='{id}'{count}/>"));
            }
            Resumption::Gone => {
                self.world.with(|state| state.session = None);
                return self.text(gone);
            }
            Resumption::Nonsense => return self.text("<perhaps xmlns='urn:example:nonsense'/>"),
            Resumption::Eof => return Err(Over),
        }
        let handled = self.world.with(|state| {
            let session = state.session.as_ref().filter(|session| session.id == id)?;
            let handled = session.handled;
            state.resumptions += 1;
            state.bound = true;
            acknowledged(state, h);
            Some(handled)
        });
        match handled {
            Some(handled) => {
                self.text(format!("<resumed xmlns='{SM}' previd='{id}' h='{handled}'/>"))?;
                self.written = h;
                self.streams = true;
                self.text(format!("<r xmlns='{SM}'/>"))
            }
            None => self.text(gone),
        }
    }

    fn stanza(&mut self, stanza: &Element, text: &str) -> Result<(), Over> {
        let streams = self.streams;
        self.world.with(|state| {
            if streams && let Some(session) = &mut state.session {
                session.handled = session.handled.wrapping_add(1);
            }
            match stanza.get_child("body", CLIENT) {
                Some(body) if stanza.name() == "message" => {
                    let sender = text.replacen("<message", &format!("<message from='{ACCOUNT}/desk'"), 1);
                    archive::keep(&mut state.archive, sender);
                    let attribute = |name: &str| stanza.attr(name).unwrap_or_default().to_owned();
                    state.heard.push(Heard {
                        id: attribute("id"),
                        to: attribute("to"),
                        body: body.text(),
                    });
                }
                _ => state.frames.push(text.to_owned()),
            }
        });
        if stanza.name() == "iq" && matches!(stanza.attr("type"), Some("get" | "set")) {
            return self.request(stanza);
        }
        Ok(())
    }

    fn request(&mut self, iq: &Element) -> Result<(), Over> {
        let id = iq.attr("id").unwrap_or_default();
        let result = |payload: &str| format!("<iq xmlns='{CLIENT}' type='result' id='{id}'>{payload}</iq>");
        let Some(payload) = iq.children().next() else {
            return Ok(());
        };
        let namespace = payload.ns();
        if (payload.name(), namespace.as_str()) == ("bind", "urn:ietf:params:xml:ns:xmpp-bind") {
            if self.falls_silent(Step::Bind) {
                return Ok(());
            }
            let bound = format!("<bind xmlns='{}'><jid>{ACCOUNT}/desk</jid></bind>", payload.ns());
            return self.text(result(&bound));
        }
        if !self.conduct().answers {
            return Ok(());
        }
        let to = iq.attr("to");
        let answers = match (payload.name(), namespace.as_str()) {
            ("query", "jabber:iq:roster") => vec![result(&format!(
                "<query xmlns='jabber:iq:roster'><item jid='{CONTACT}' name='Bob' subscription='both'/></query>"
            ))],
            ("query", INFO) => {
                let from = to.map(|to| format!(" from='{to}'")).unwrap_or_default();
                let features = if to == Some(DOMAIN) {
                    "<feature var='urn:xmpp:carbons:2'/>".to_owned()
                } else {
                    format!("<feature var='{MAM}'/><feature var='urn:xmpp:sid:0'/>")
                };
                vec![format!(
                    "<iq xmlns='{CLIENT}' type='result' id='{id}'{from}><query xmlns='{INFO}'>{features}</query></iq>"
                )]
            }
            ("query", MAM) => {
                let state = self.world.state();
                archive::answer(&state.archive, iq, payload, state.conduct.forged_results)
            }
            ("prefs", MAM) => vec![result(&format!("<prefs xmlns='{MAM}' default='always'/>"))],
            ("ping", _) => {
                let from = to.map(|to| format!(" from='{to}'")).unwrap_or_default();
                vec![format!("<iq xmlns='{CLIENT}' type='result' id='{id}'{from}/>")]
            }
            ("enable", _) => vec![result("")],
            _ => vec![format!(
                "<iq xmlns='{CLIENT}' type='error' id='{id}'><error type='cancel'>\
                 <service-unavailable xmlns='{STANZAS}'/></error></iq>"
            )],
        };
        self.world.with(|state| {
            for answer in answers {
                state.push(answer, Shape::Whole);
            }
        });
        Ok(())
    }
}

/// The client has everything up to this count.
fn acknowledged(state: &mut State, h: u32) {
    state.told = h;
    if let Some(session) = &mut state.session {
        session.queue.retain(|(number, ..)| *number > h);
    }
}

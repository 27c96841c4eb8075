//! Scripted exchanges: what a server says on the left, what we must answer on the right.

mod counting;
mod kept;
mod one_flight;
mod requests;
mod resumption;
mod sasl2;
mod sign_in;
mod unmanaged;

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dormouse_model::{Action, ArchiveFailure, Cause, Closing, OriginId, Outgoing};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

const PASSWORD: &str = "pencil";
const SASL_OFFER: &str = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>SCRAM-SHA-256</mechanism></mechanisms></stream:features>";
const OFFER: &str = "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>\
    <csi xmlns='urn:xmpp:csi:0'/></stream:features>";
const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='home.example' version='1.0'/>";
const ENABLED: &str = "<enabled xmlns='urn:xmpp:sm:3' id='sm-1' resume='true'/>";

/// A session, its disk, and what it has put out.
struct Script {
    session: Session,
    disk: BTreeMap<Vec<u8>, Vec<u8>>,
    conn: ConnId,
    batch: u64,
    /// Batches are durable as soon as they are issued.
    fast_disk: bool,
    frames: VecDeque<String>,
    events: Vec<Event>,
    hung_up: bool,
    now: Now,
    /// As the account keeps it: the newest that was given, none once it was refused.
    token: Option<Token>,
}

impl Script {
    fn new() -> Self {
        Self::over(BTreeMap::new())
    }

    fn over(disk: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        let account = BareJid::new("me@home.example").unwrap();
        let random = Random::from_seed([u8::try_from(disk.len() % 200).unwrap(); 32]);
        Self {
            session: Session::restore(account, Settings::default(), random, &disk).unwrap(),
            disk,
            conn: ConnId(0),
            batch: 0,
            fast_disk: true,
            frames: VecDeque::new(),
            events: Vec::new(),
            hung_up: false,
            now: Now::default(),
            token: None,
        }
    }

    /// The process dies; another takes over with what is on disk.
    fn restart(self) -> Self {
        let mut next = Self::over(self.disk);
        next.batch = self.batch;
        next.conn = self.conn;
        next.token = self.token;
        next
    }

    fn take(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Frame(conn, text) => {
                    assert_eq!(
                        conn, self.conn,
                        "a frame for a connection that was given up: {text}"
                    );
                    self.frames.push_back(text);
                }
                Output::Event(event) => {
                    match &event {
                        Event::Token(token) => self.token = Some(token.clone()),
                        Event::TokenRefused => self.token = None,
                        _ => {}
                    }
                    // As the account does it, behind its question to the archive.
                    let bound = matches!(event, Event::Bound { .. });
                    self.events.push(event);
                    if bound {
                        let out = self.session.introduce();
                        self.take(out);
                    }
                }
                Output::Hangup(conn) => {
                    assert_eq!(conn, self.conn);
                    self.hung_up = true;
                }
            }
        }
    }

    /// The end of an input: one batch.
    fn commit(&mut self) {
        self.batch += 1;
        let batch = {
            let mut draft = Draft::over(&self.disk);
            self.session.save(&mut draft);
            draft.into_batch(BatchId(self.batch))
        };
        batch.apply_to(&mut self.disk);
        self.session.issued(BatchId(self.batch));
        if self.fast_disk {
            self.durable();
        }
    }

    fn durable(&mut self) {
        let out = self.session.durable(BatchId(self.batch));
        self.take(out);
    }

    fn begin(&mut self, channel: &Channel, password: &str) {
        self.conn = self.conn.next();
        self.hung_up = false;
        let credentials = Credentials::password(password);
        let out = self
            .session
            .begin(self.now, self.conn, channel, &credentials, self.token.as_ref());
        self.take(out);
        self.commit();
    }

    /// The server says this.
    fn give(&mut self, text: &str) {
        let conn = self.conn;
        self.give_on(conn, text);
    }

    fn give_on(&mut self, conn: ConnId, text: &str) {
        let out = {
            // As the account does it: the frame's writes and the counters are one batch.
            let disk = self.disk.clone();
            let mut draft = Draft::over(&disk);
            let out = self.session.frame(self.now, conn, text, &mut draft).unwrap();
            self.batch += 1;
            draft.into_batch(BatchId(self.batch)).apply_to(&mut self.disk);
            out
        };
        self.session.issued(BatchId(self.batch));
        self.take(out);
        if self.fast_disk {
            self.durable();
        }
    }

    fn closed(&mut self, closing: &Closing) -> Option<Verdict> {
        let verdict = self.session.closed(self.now, self.conn, closing);
        self.commit();
        verdict
    }

    /// The next frame we send is of this kind.
    #[track_caller]
    fn expect(&mut self, name: &str) -> Element {
        let Some(text) = self.frames.pop_front() else {
            panic!("nothing was sent where <{name}/> was due");
        };
        let element: Element = text.parse().unwrap();
        assert_eq!(element.name(), name, "{text}");
        element
    }

    #[track_caller]
    fn expect_nothing(&mut self) {
        assert_eq!(self.frames, VecDeque::<String>::new());
    }

    /// Answers the request with this payload.
    fn answer(&mut self, iq: &Element, payload: &str) {
        let id = iq.attr("id").unwrap();
        self.give(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'>{payload}</iq>"
        ));
    }

    /// Signs in with SCRAM-SHA-256, up to the features after it.
    fn sign_in(&mut self) {
        self.begin(&tls(None), PASSWORD);
        self.sign_in_from_open();
    }

    fn sign_in_from_open(&mut self) {
        let open = self.expect("open");
        assert_eq!(open.attr("to"), Some("home.example"));
        self.give(OPEN);
        self.give(SASL_OFFER);
        let auth = self.expect("auth");
        let server = ScramServer::new(&auth, PASSWORD, 4096, &[]);
        self.give(&server.challenge());
        let response = self.expect("response");
        self.give(&server.success(&response));
        self.expect("open");
        self.give(OPEN);
    }

    /// The server resumes the session, having handled so many stanzas, and answers what it is asked behind that.
    #[track_caller]
    fn resumed(&mut self, h: u32) {
        self.give(&format!("<resumed xmlns='urn:xmpp:sm:3' previd='sm-1' h='{h}'/>"));
        self.expect("r");
        self.expect_nothing();
        self.give(&format!("<a xmlns='urn:xmpp:sm:3' h='{h}'/>"));
    }

    /// Answers the bind request and takes the flight that follows.
    fn bind(&mut self) {
        let bind = self.expect("iq");
        let resource = bind.children().next().unwrap().children().next().unwrap().text();
        self.answer(
            &bind,
            &format!(
                "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>me@home.example/{resource}</jid></bind>"
            ),
        );
    }

    /// A session with stream management, the flight behind the bind answered and confirmed.
    fn ready() -> Self {
        let mut script = Self::new();
        script.sign_in();
        script.give(OFFER);
        script.bind();
        script.expect("enable");
        let mut requests: Vec<Element> = (0..3).map(|_| script.expect("iq")).collect();
        script.expect("presence");
        script.expect("active");
        requests.extend((0..2).map(|_| script.expect("iq")));
        script.give(ENABLED);
        script.expect("r");
        script.give("<a xmlns='urn:xmpp:sm:3' h='6'/>");
        for request in requests.drain(..) {
            let payload = request.children().next().unwrap();
            let answer = format!("<{} xmlns='{}'/>", payload.name(), payload.ns());
            script.answer(&request, &answer);
        }
        script.frames.clear();
        script
    }

    fn text(&mut self, number: u64) {
        let message = Outgoing::Text {
            to: BareJid::new("bob@b.example").unwrap(),
            id: OriginId(format!("o-{number}")),
            body: "hello".into(),
            first_sent: None,
            replaces: None,
            receipt: false,
        };
        self.says(|session, draft| session.send(&message, Some(MessageId(number)), draft));
    }

    /// One batch with what this says.
    fn says(&mut self, say: impl FnOnce(&mut Session, &mut Draft<'_>) -> Vec<Output>) {
        let out = {
            let disk = self.disk.clone();
            let mut draft = Draft::over(&disk);
            let out = say(&mut self.session, &mut draft);
            self.batch += 1;
            draft.into_batch(BatchId(self.batch)).apply_to(&mut self.disk);
            out
        };
        self.session.issued(BatchId(self.batch));
        self.take(out);
        if self.fast_disk {
            self.durable();
        }
    }

    fn last_verdict(&self) -> Option<&Verdict> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Ended { verdict, .. } => Some(verdict),
            _ => None,
        })
    }

    /// The reports about messages, in order.
    fn reports(&self) -> Vec<&Event> {
        self.events
            .iter()
            .filter(|event| {
                matches!(event, Event::Bound { .. } | Event::Resumed { .. })
                    || matches!(event, Event::Acked { messages, .. } if !messages.is_empty())
            })
            .collect()
    }
}

fn tls(exporter: Option<[u8; 32]>) -> Channel {
    Channel {
        encrypted: true,
        loopback: false,
        exporter,
    }
}

fn ids(numbers: &[u64]) -> Vec<MessageId> {
    numbers.iter().copied().map(MessageId).collect()
}

/// The server's side of SCRAM-SHA-256, written from RFC 5802 section 3 on its own.
struct ScramServer {
    bare_first: String,
    server_first: String,
    salted: [u8; 32],
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn decoded(element: &Element) -> String {
    decoded_text(&element.text())
}

fn decoded_text(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

impl ScramServer {
    fn new(auth: &Element, password: &str, iterations: u32, _binding: &[u8]) -> Self {
        Self::begun(&decoded(auth), password, iterations)
    }

    fn begun(first: &str, password: &str, iterations: u32) -> Self {
        let bare_first = first.splitn(3, ',').nth(2).unwrap().to_owned();
        let nonce = bare_first.split_once("r=").unwrap().1;
        let salt = b"salt of the server";
        Self {
            server_first: format!("r={nonce}more,s={},i={iterations}", STANDARD.encode(salt)),
            bare_first,
            salted: pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt, iterations),
        }
    }

    fn challenge(&self) -> String {
        self.challenge_in("urn:ietf:params:xml:ns:xmpp-sasl")
    }

    fn challenge_in(&self, profile: &str) -> String {
        let data = STANDARD.encode(&self.server_first);
        format!("<challenge xmlns='{profile}'>{data}</challenge>")
    }

    /// Checks the proof; success with our signature, or `not-authorized`.
    fn success(&self, response: &Element) -> String {
        match self.signature(response) {
            Some(data) => format!("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{data}</success>"),
            None => failure("not-authorized"),
        }
    }

    /// Checks the proof: our signature, in base64.
    fn signature(&self, response: &Element) -> Option<String> {
        let last = decoded(response);
        let (without_proof, proof) = last.split_once(",p=").unwrap();
        let message = format!("{},{},{without_proof}", self.bare_first, self.server_first);
        let stored = Sha256::digest(hmac(&self.salted, b"Client Key"));
        let signature = hmac(&stored, message.as_bytes());
        let key: Vec<u8> = STANDARD
            .decode(proof)
            .unwrap()
            .iter()
            .zip(&signature)
            .map(|(p, s)| p ^ s)
            .collect();
        if Sha256::digest(&key) != stored {
            return None;
        }
        let signature = hmac(&hmac(&self.salted, b"Server Key"), message.as_bytes());
        Some(STANDARD.encode(format!("v={}", STANDARD.encode(signature))))
    }
}

fn failure(condition: &str) -> String {
    format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>")
}

fn refused(script: &Script) -> Option<&Cause> {
    script.last_verdict().map(|verdict| &verdict.cause)
}

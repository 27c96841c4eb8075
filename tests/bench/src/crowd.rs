//! Clients of few words: they sign in, send, and count. No state, no store: what a server can give at most.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// A server that has been given ten thousand messages answers the next question when it is through with them.
const PATIENCE: Duration = Duration::from_secs(900);
const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";

/// One of them, signed in on ws with PLAIN.
pub struct Bot(WebSocket<TcpStream>);

impl Bot {
    /// Signs in at the endpoint of a server on this machine.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn sign_in(port: u16, user: &str, password: &str) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("ws://127.0.0.1:{port}/xmpp-websocket").into_client_request()?;
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", "xmpp".parse()?);
        let (socket, _) = tungstenite::client(request, stream)
            .map_err(|error| anyhow::anyhow!("the WebSocket is not opened: {error}"))?;
        let mut bot = Self(socket);
        bot.say(OPEN)?;
        bot.until("features")?;
        let proof = STANDARD.encode(format!("\0{user}\0{password}"));
        bot.say(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{proof}</auth>"
        ))?;
        bot.until("<success")?;
        bot.say(OPEN)?;
        bot.until("features")?;
        bot.say(
            "<iq xmlns='jabber:client' type='set' id='b'>\
             <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        )?;
        bot.until("<jid>")?;
        Ok(bot)
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn say(&mut self, frame: &str) -> Result<()> {
        Ok(self.0.send(Message::text(frame))?)
    }

    fn next(&mut self) -> Result<String> {
        loop {
            match self.0.read()? {
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Close(_) => bail!("the server has closed the connection"),
                _ => {}
            }
        }
    }

    /// The first frame that has this in it.
    ///
    /// # Errors
    /// When the connection ends before.
    pub fn until(&mut self, what: &str) -> Result<String> {
        loop {
            let frame = self.next()?;
            if frame.contains(what) {
                return Ok(frame);
            }
            if frame.contains("<failure") || frame.contains("stream:error") {
                bail!("the server says: {frame}");
            }
        }
    }

    /// Waits until the server has handled all that was said before.
    ///
    /// # Errors
    /// As [`Bot::until`].
    pub fn settle(&mut self) -> Result<()> {
        self.say(
            "<iq xmlns='jabber:client' type='get' id='settled' to='localhost'>\
             <ping xmlns='urn:xmpp:ping'/></iq>",
        )?;
        self.until("settled").map(drop)
    }

    /// Reads the own archive backwards in pages of so many, down to its beginning or until there were `at_most`, and
    /// counts. One page after the other, as a client must that knows no ids ahead.
    ///
    /// # Errors
    /// As [`Bot::until`].
    pub fn count_archive(&mut self, page: usize, at_most: usize) -> Result<usize> {
        let (mut count, mut before) = (0, String::new());
        while count < at_most {
            self.say(&format!(
                "<iq xmlns='jabber:client' type='set' id='page'><query xmlns='urn:xmpp:mam:2'>\
                 <set xmlns='http://jabber.org/protocol/rsm'><max>{page}</max><before>{before}</before></set>\
                 </query></iq>"
            ))?;
            let mut got = 0;
            let end = loop {
                let frame = self.next()?;
                if frame.contains("<fin") {
                    break frame;
                }
                got += usize::from(frame.contains("<result"));
            };
            count += got;
            if got == 0 || complete(&end) {
                break;
            }
            before = first(&end)
                .context("an archive page without <first/>")?
                .to_owned();
        }
        Ok(count)
    }
}

fn complete(fin: &str) -> bool {
    fin.contains("complete='true'") || fin.contains("complete=\"true\"")
}

/// The id in `<first index='..'>id</first>`.
fn first(fin: &str) -> Option<&str> {
    let (_, rest) = fin.split_once("<first")?;
    let (_, rest) = rest.split_once('>')?;
    rest.split_once('<').map(|(id, _)| id)
}

#[test]
fn the_end_of_a_page_is_read() {
    let fin = "<iq type='result'><fin xmlns='urn:xmpp:mam:2' complete='true'><set><first index='3'>a-1</first></set></fin></iq>";
    assert!(complete(fin));
    assert_eq!(first(fin), Some("a-1"));
    assert!(!complete("<fin/>") && first("<fin/>").is_none());
}

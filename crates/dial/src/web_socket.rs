//! XMPP frames over WebSocket (RFC 6455, RFC 7395): text in, text out, and how it ended.
//!
//! Pings are answered by the library while the [`Reader`] is being read; they come out as
//! [`Inbound::Ping`] and [`Inbound::Pong`], because they prove that the peer lives. Fragments are joined by the library. XMPP is
//! never sent in binary frames (RFC 7395 section 3.2), so one of those ends the connection.

use dormouse_model::{Closing, DialFailure};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::io;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// No close frame came that bore a code (RFC 6455 section 7.1.5).
const NO_CODE: u16 = 1005;

/// Bytes both ways, over TLS or not.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

type Stream = WebSocketStream<Box<dyn Transport>>;

/// An open WebSocket. Dropping it (or both its halves) drops the connection without a word.
pub struct Socket {
    stream: Stream,
}

/// What comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// A whole message.
    Text(String),
    /// A ping: nothing to read, but a sign of life. It has been answered.
    Ping,
    /// A pong: a sign of life.
    Pong,
}

/// The half that reads.
pub struct Reader {
    stream: SplitStream<Stream>,
}

/// The half that writes.
///
/// A peer that has died and whose system's buffers are full lets a write wait for ever. Nothing here ends
/// that wait but dropping the future: whoever writes judges the link by its own probes.
pub struct Writer {
    sink: SplitSink<Stream, Message>,
}

/// The upgrade. The caller sets the deadline.
pub(crate) async fn handshake(
    url: &str,
    stream: Box<dyn Transport>,
    largest_message: usize,
) -> Result<Socket, DialFailure> {
    let not_ours = |error: Error| DialFailure::BadEndpoint(error.to_string());
    let mut request = url.into_client_request().map_err(not_ours)?;
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("xmpp"));
    let config = WebSocketConfig::default()
        .max_message_size(Some(largest_message))
        .max_frame_size(Some(largest_message));
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((stream, _)) => Ok(Socket { stream }),
        Err(error) => Err(failure(error)),
    }
}

fn failure(error: Error) -> DialFailure {
    match error {
        Error::Http(response) => {
            let header = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok());
            DialFailure::Http {
                status: response.status().as_u16(),
                retry_after: header.and_then(retry_after),
            }
        }
        Error::Io(error) => DialFailure::Broken(error.to_string()),
        Error::Protocol(ProtocolError::HandshakeIncomplete) | Error::ConnectionClosed => {
            DialFailure::Broken("the connection ended during the WebSocket handshake".into())
        }
        other => DialFailure::NotWebSocket(other.to_string()),
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3). A date is taken against our own clock; one that has
/// passed means now.
pub(crate) fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn closing(error: Error) -> Closing {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Closing::Eof,
        // TLS calls it this when the peer's last word is missing.
        Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Closing::Eof,
        Error::Io(error) => Closing::Broken(error.to_string()),
        Error::Capacity(_) => Closing::TooLarge,
        other => Closing::Malformed(other.to_string()),
    }
}

impl Socket {
    /// Its two halves.
    pub fn split(self) -> (Reader, Writer) {
        let (sink, stream) = self.stream.split();
        (Reader { stream }, Writer { sink })
    }
}

impl Reader {
    /// The next thing that comes in. Has to be called again and again for pings to be answered. Dropping
    /// the future loses nothing.
    ///
    /// # Errors
    ///
    /// How the connection ended. Nothing comes after that.
    pub async fn next(&mut self) -> Result<Inbound, Closing> {
        match self.stream.next().await {
            None => Err(Closing::Eof),
            Some(Err(error)) => Err(closing(error)),
            Some(Ok(Message::Text(text))) => Ok(Inbound::Text(text.as_str().to_owned())),
            Some(Ok(Message::Ping(_))) => Ok(Inbound::Ping),
            Some(Ok(Message::Pong(_))) => Ok(Inbound::Pong),
            Some(Ok(Message::Close(Some(frame)))) => Err(Closing::Frame {
                code: frame.code.into(),
                reason: frame.reason.as_str().to_owned(),
            }),
            Some(Ok(Message::Close(None))) => Err(Closing::Frame {
                code: NO_CODE,
                reason: String::new(),
            }),
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => {
                Err(Closing::Malformed("a binary frame".into()))
            }
        }
    }
}

impl Writer {
    /// Sends one message and hands it to the system.
    ///
    /// # Errors
    ///
    /// How the connection ended.
    pub async fn send(&mut self, text: String) -> Result<(), Closing> {
        self.sink.send(Message::text(text)).await.map_err(closing)
    }

    /// Sends several messages in as few packets as they fit in.
    ///
    /// # Errors
    ///
    /// How the connection ended; some of them may have been sent.
    pub async fn send_all(&mut self, texts: impl IntoIterator<Item = String>) -> Result<(), Closing> {
        for text in texts {
            self.sink.feed(Message::text(text)).await.map_err(closing)?;
        }
        self.sink.flush().await.map_err(closing)
    }

    /// Sends a close frame with this code (1000: done). The server's own close frame, if it comes, is the last thing
    /// that the [`Reader`] gives.
    ///
    /// # Errors
    ///
    /// How the connection ended before.
    pub async fn close(&mut self, code: u16) -> Result<(), Closing> {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: "".into(),
        };
        self.sink.send(Message::Close(Some(frame))).await.map_err(closing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 120 "), Some(Duration::from_secs(120)));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        let read = retry_after(&soon).unwrap();
        assert!(
            read > Duration::from_secs(80) && read <= Duration::from_secs(90),
            "{read:?}"
        );
        assert_eq!(retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("tomorrow"), None);
        assert_eq!(retry_after("-5"), None);
    }
}

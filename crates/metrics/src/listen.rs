//! The counts for whoever asks by HTTP, on this computer only.
//!
//! `GET /metrics` and nothing else. So many readers are served at a time, each for so long; the others wait in the
//! system's queue. A page of the web that has its name point here is refused by the name it asks for.

use crate::{Format, Metrics};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HOST, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Readers at a time.
const READERS: usize = 16;
/// How long a reader may take with all it does.
const PATIENCE: Duration = Duration::from_secs(5);
/// After an accept that failed: out of file descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(200);

/// An address of this computer that no other can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loopback(SocketAddr);

/// What was given is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLoopback {
    /// It is no address with a port.
    #[error("“{0}” is no address with a port. Give one of this computer, such as 127.0.0.1:9464.")]
    NoAddress(String),
    /// Others could reach it.
    #[error(
        "The metrics are for this computer only, and {0} can be reached from others. Give 127.0.0.1:{port} or [::1]:{port}; whoever reads from elsewhere comes through a tunnel.",
        port = .0.port()
    )]
    Reachable(SocketAddr),
}

impl FromStr for Loopback {
    type Err = NotLoopback;

    fn from_str(text: &str) -> Result<Self, NotLoopback> {
        let address: SocketAddr = text
            .parse()
            .map_err(|_| NotLoopback::NoAddress(text.to_owned()))?;
        if address.ip().is_loopback() {
            Ok(Self(address))
        } else {
            Err(NotLoopback::Reachable(address))
        }
    }
}

impl Loopback {
    /// This port of 127.0.0.1.
    pub fn port(port: u16) -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], port)))
    }
}

/// Nobody can be served there.
#[derive(Debug, thiserror::Error)]
#[error("The metrics can't be given out at {at}: {why}. Is another program there? Give another port.")]
pub struct CannotListen {
    at: SocketAddr,
    why: std::io::Error,
}

impl CannotListen {
    /// The system's reason.
    pub fn why(&self) -> &std::io::Error {
        &self.why
    }
}

/// Serves the counts until it is dropped.
#[derive(Debug)]
pub struct Listener {
    at: SocketAddr,
    task: JoinHandle<()>,
}

impl Listener {
    /// Begins to serve, on the runtime that this is called on. Port 0 is any that is free.
    ///
    /// # Errors
    /// The port is taken, or not ours to take.
    pub async fn start(metrics: Metrics, at: Loopback) -> Result<Self, CannotListen> {
        let refuse = |why| CannotListen { at: at.0, why };
        let socket = TcpListener::bind(at.0).await.map_err(refuse)?;
        let at = socket.local_addr().map_err(refuse)?;
        let task = tokio::spawn(serve(socket, metrics));
        Ok(Self { at, task })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.at.port()
    }
}

/// The URL to read.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}/metrics", self.at)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: TcpListener, metrics: Metrics) {
    let places = Arc::new(Semaphore::new(READERS));
    // Never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match socket.accept().await {
            Ok((stream, _)) => {
                let metrics = metrics.clone();
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(PATIENCE, answer(stream, metrics)).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a reader of the metrics can't be served");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, metrics: Metrics) {
    let service = service_fn(move |request| {
        let answer = respond(&request, &metrics);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a reader of the metrics left");
    }
}

fn respond(request: &Request<Incoming>, metrics: &Metrics) -> Response<Full<Bytes>> {
    let header = |name: HeaderName| {
        let value = request.headers().get(name)?;
        value.to_str().ok()
    };
    if !header(HOST).is_none_or(is_this_computer) {
        return plain(StatusCode::FORBIDDEN, "The metrics are for this computer only.\n");
    }
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "There is nothing but /metrics.\n");
    }
    if request.method() != Method::GET {
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "Only to be read.\n");
        answer
            .headers_mut()
            .insert(ALLOW, hyper::header::HeaderValue::from_static("GET"));
        return answer;
    }
    let format = Format::accepted(header(ACCEPT).unwrap_or_default());
    give(StatusCode::OK, format.media_type(), metrics.text(format))
}

/// Whether a `Host` (RFC 9110 section 7.2) names this computer, as nobody's name elsewhere can.
fn is_this_computer(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    give(status, "text/plain; charset=utf-8", text.to_owned())
}

fn give(status: StatusCode, media_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(media_type));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_that_others_can_not_reach_is_taken() {
        for good in ["127.0.0.1:9464", "127.9.9.9:1", "[::1]:9464", "127.0.0.1:0"] {
            assert!(good.parse::<Loopback>().is_ok(), "{good}");
        }
        for bad in [
            "0.0.0.0:9464",
            "[::]:9464",
            "192.168.1.7:9464",
            "[2001:db8::1]:80",
        ] {
            let refused = bad.parse::<Loopback>().unwrap_err().to_string();
            assert!(refused.contains("this computer only"), "{refused}");
        }
        for nonsense in ["9464", "localhost:9464", "127.0.0.1", ""] {
            let refused = nonsense.parse::<Loopback>().unwrap_err().to_string();
            assert!(refused.contains("127.0.0.1:9464"), "{refused}");
        }
    }

    #[test]
    fn a_name_of_the_web_that_points_here_is_not_this_computer() {
        for host in [
            "127.0.0.1:9464",
            "localhost:9464",
            "LocalHost",
            "[::1]:9464",
            "[::1]",
            "127.0.0.2",
        ] {
            assert!(is_this_computer(host), "{host}");
        }
        for host in [
            "evil.example:9464",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "10.0.0.1:1",
            "",
        ] {
            assert!(!is_this_computer(host), "{host}");
        }
    }
}

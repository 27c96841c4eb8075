//! Scripted servers on loopback, and certificates of all kinds.
#![allow(dead_code)]

use dormouse_dial::{Connected, Deadlines, Dialler, Settings, Target};
use dormouse_model::{DialFailure, Endpoint};
use futures_util::SinkExt;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

pub const SHORT: Duration = Duration::from_millis(400);

/// A certificate authority that tests may trust.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub root: CertificateDer<'static>,
}

pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Identity {
    /// Certificate and key, one behind the other, as PEM.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate) + &pem("PRIVATE KEY", self.key.secret_pkcs8_der())
    }
}

impl Authority {
    pub fn new() -> Self {
        Self::called("a test's own authority")
    }

    pub fn called(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        Self {
            issuer: Issuer::new(params, key),
            root,
        }
    }

    pub fn issue(&self, name: &str) -> Identity {
        self.issue_until(name, 4000)
    }

    pub fn issue_until(&self, name: &str, year: i32) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Identity {
            certificate,
            key: key.serialize_der().into(),
        }
    }
}

pub fn self_signed(name: &str, as_authority: bool) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if as_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let certificate = params.self_signed(&key).unwrap().der().clone();
    Identity {
        certificate,
        key: key.serialize_der().into(),
    }
}

pub fn acceptor(identity: &Identity) -> TlsAcceptor {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![identity.certificate.clone()],
            identity.key.clone_key().into(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

pub fn settings(authority: &Authority) -> Settings {
    Settings {
        extra_roots: vec![authority.root.clone()],
        hosts: [("x.example", "127.0.0.1"), ("meta.x.example", "127.0.0.1")]
            .map(|(name, address)| (name.to_owned(), vec![address.parse().unwrap()]))
            .into(),
        ..Settings::default()
    }
}

pub fn impatient() -> Settings {
    Settings {
        deadlines: Deadlines {
            discovery: SHORT,
            names: SHORT,
            tcp: SHORT,
            proxy: SHORT,
            tls: SHORT,
            web_socket: SHORT,
        },
        ..settings(&Authority::new())
    }
}

pub fn endpoint(text: String) -> Target {
    Target {
        domain: "x.example".into(),
        endpoint: Some(Endpoint(text)),
        known: None,
    }
}

pub async fn dial(settings: Settings, target: Target) -> Result<Connected, DialFailure> {
    Dialler::new(settings).dial(target).await
}

pub async fn failure(settings: Settings, target: Target) -> DialFailure {
    match dial(settings, target).await {
        Err(failure) => failure,
        Ok(connected) => panic!("connected to {}", connected.way.endpoint.0),
    }
}

/// Serves every connection with `serve`.
pub async fn serve<F, S>(serve: S) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
    S: Fn(TcpStream) -> F + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// The head of an HTTP request.
pub async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// Answers the upgrade with these bytes.
pub async fn serve_raw(answer: &'static str) -> SocketAddr {
    serve(move |mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    })
    .await
}

/// An XMPP server's side of the upgrade.
#[expect(clippy::result_large_err)]
pub async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> WebSocketStream<S> {
    tokio_tungstenite::accept_hdr_async(stream, |request: &Request, mut response: Response| {
        assert_eq!(request.headers()["sec-websocket-protocol"], "xmpp");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", "xmpp".parse().unwrap());
        Ok(response)
    })
    .await
    .unwrap()
}

/// An open connection whose server end does what the script says.
pub async fn scripted<F, S>(script: S) -> Connected
where
    F: Future<Output = ()> + Send + 'static,
    S: Fn(WebSocketStream<TcpStream>) -> F + Send + Sync + Clone + 'static,
{
    let address = serve(move |stream| {
        let script = script.clone();
        async move { script(upgrade(stream).await).await }
    })
    .await;
    let settings = Settings {
        largest_message: 100_000,
        ..Settings::default()
    };
    dial(settings, endpoint(format!("ws://{address}/ws")))
        .await
        .unwrap_or_else(|f| panic!("{f:?}"))
}

/// A listener whose queue is full: Linux drops what comes next, as a network that loses packets would.
#[cfg(target_os = "linux")]
pub async fn full(at: &str) -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(at.parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = vec![];
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        held.push(stream.unwrap());
        assert!(held.len() < 10, "the queue never filled");
    }
    (listener, held)
}

/// A server of wss that says hello.
pub async fn serve_tls(identity: &Identity) -> SocketAddr {
    let acceptor = acceptor(identity);
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                upgrade(stream).await.send(Message::text("hello")).await.unwrap();
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    })
    .await
}

/// As in a PEM file, under this label.
pub fn pem(label: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for (at, three) in bytes.chunks(3).enumerate() {
        let mut four = [0; 4];
        four[1..=three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes(four);
        for digit in 0..4 {
            let shown = DIGITS[(bits >> (18 - 6 * digit)) as usize & 63];
            text.push(if digit <= three.len() {
                char::from(shown)
            } else {
                '='
            });
        }
        if at % 16 == 15 {
            text.push('\n');
        }
    }
    format!("{text}\n-----END {label}-----\n")
}

const REL: &str = "urn:xmpp:alt-connections:websocket";

pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub fn not_found() -> String {
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()
}

pub fn redirect(to: &str) -> String {
    format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

pub fn json(href: &str) -> String {
    ok(&format!(r#"{{"links":[{{"rel":"{REL}","href":"{href}"}}]}}"#))
}

pub fn xml(href: &str) -> String {
    ok(&format!(
        "<?xml version='1.0'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'><Link rel='{REL}' href='{href}'/></XRD>"
    ))
}

/// The web server of x.example, answering so to a path and its own port.
pub async fn serve_documents(
    authority: &Authority,
    answer: impl Fn(&str, u16) -> String + Send + Sync + 'static,
) -> SocketAddr {
    let acceptor = acceptor(&authority.issue("x.example"));
    let answer = Arc::new(answer);
    serve(move |stream| {
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        async move {
            let port = stream.local_addr().unwrap().port();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let head = read_head(&mut stream).await;
            let Some(path) = head.split(' ').nth(1) else {
                return;
            };
            let _ = stream.write_all(answer(path, port).as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

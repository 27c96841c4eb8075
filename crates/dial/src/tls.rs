//! TLS: the operating system's trust store decides, sessions are resumed where the server allows it, and the
//! channel can be bound to (RFC 9266).

use crate::endpoint::Host;
use crate::issuer;
use crate::quick_ack::QuickAck;
use crate::settings::Settings;
use dormouse_model::{CertificateProblem, DialFailure};
use rustls_platform_verifier::Verifier;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::thread;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, ProtocolVersion};

/// What is made of the trust store, on a thread of its own: that is hundreds of files on Linux, and the first dial of a
/// process needs them only when TCP stands. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Readied(watch::Receiver<Option<Made>>);

type Made = Result<Tls, DialFailure>;

impl Readied {
    pub(crate) fn begin(settings: &Arc<Settings>) -> Self {
        let (done, made) = watch::channel(None);
        let of = Arc::clone(settings);
        let make = move || {
            let tls = Tls::new(&of);
            if let Err(failure) = &tls {
                tracing::error!(?failure, "there is no trust store");
            }
            done.send_replace(Some(tls));
        };
        if let Err(error) = thread::Builder::new().name("dormouse-trust".into()).spawn(make) {
            tracing::error!(%error, "the trust store could not be read");
        }
        Self(made)
    }

    /// Waits until it is there. The caller sets the deadline.
    pub(crate) async fn get(&self) -> Made {
        let mut made = self.0.clone();
        match made.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(made)) => made.clone(),
            _ => Err(other("the trust store could not be read")),
        }
    }
}

/// Made once: it keeps the sessions that can be resumed.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
}

fn other(error: impl ToString) -> DialFailure {
    DialFailure::Tls(error.to_string())
}

impl Tls {
    /// Reads the trust store: a moment's work on the disk.
    pub(crate) fn new(settings: &Settings) -> Result<Self, DialFailure> {
        let provider = Arc::new(ring::default_provider());
        let roots = settings.extra_roots.iter().cloned();
        let verifier = Verifier::new_with_extra_roots(roots, provider.clone()).map_err(other)?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(other)?
            .dangerous() // rustls' word for any verifier but its own
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        // For whoever looks at the wire (docs/operating.md): with it, everybody who can read that file reads everything.
        #[cfg(debug_assertions)]
        {
            config.key_log = Arc::new(rustls::KeyLogFile::new());
        }
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    /// The handshake. The caller sets the deadline.
    pub(crate) async fn handshake(
        &self,
        host: &Host,
        stream: QuickAck,
    ) -> Result<TlsStream<QuickAck>, DialFailure> {
        let name = match host {
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(other)?,
            Host::Address(address) => ServerName::from(*address),
        };
        self.connector
            .connect(name, stream)
            .await
            .map_err(|error| failure(&error))
    }
}

/// Channel binding data for `tls-exporter`. Only TLS 1.3 has it for certain: RFC 9266 section 4.2 allows it before
/// only with an extension that rustls does not report.
pub(crate) fn exporter(stream: &TlsStream<QuickAck>) -> Option<[u8; 32]> {
    let (_, connection) = stream.get_ref();
    if TlsVersion::of(stream) != Some(TlsVersion::V1_3) {
        return None;
    }
    connection
        .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]))
        .ok()
}

/// Who issued the server's certificate, as it says itself; none where that can't be read.
pub(crate) fn issuer(stream: &TlsStream<QuickAck>) -> Option<String> {
    let chain = stream.get_ref().1.peer_certificates()?;
    issuer::name(chain.first()?)
}

/// The versions of TLS that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    V1_2,
    /// RFC 8446.
    V1_3,
}

impl TlsVersion {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            TlsVersion::V1_2 => "TLS 1.2",
            TlsVersion::V1_3 => "TLS 1.3",
        }
    }

    pub(crate) fn of(stream: &TlsStream<QuickAck>) -> Option<Self> {
        match stream.get_ref().1.protocol_version()? {
            ProtocolVersion::TLSv1_2 => Some(TlsVersion::V1_2),
            ProtocolVersion::TLSv1_3 => Some(TlsVersion::V1_3),
            _ => None,
        }
    }
}

fn failure(error: &io::Error) -> DialFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(why)) => DialFailure::Certificate(problem(why)),
        Some(error) => other(error),
        None => match error.kind() {
            ErrorKind::UnexpectedEof => DialFailure::Broken("the connection ended during TLS".into()),
            _ => DialFailure::Broken(error.to_string()),
        },
    }
}

fn problem(why: &CertificateError) -> CertificateProblem {
    use CertificateError::*;
    match why {
        NotValidForName | NotValidForNameContext { .. } => CertificateProblem::WrongName,
        Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
            CertificateProblem::Expired
        }
        // A bad signature: somebody calls himself by a trusted issuer's name.
        UnknownIssuer | BadSignature => CertificateProblem::UnknownIssuer,
        // How a self-signed certificate made by the usual tools looks: an authority serving as its own server.
        Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            CertificateProblem::UnknownIssuer
        }
        Revoked => CertificateProblem::Revoked,
        _ => CertificateProblem::Invalid,
    }
}

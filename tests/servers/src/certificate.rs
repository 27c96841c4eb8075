//! A certificate authority and the certificates it signs, by the `openssl` command.
//!
//! For a client to trust them: `SSL_CERT_FILE` set to [`Authority::file`] (OpenSSL's variable; rustls'
//! platform verifier reads it on Linux).

use crate::error::{Result, ServerError};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// A certificate authority in a temporary folder. Two of them do not trust each other's certificates.
#[derive(Clone, Debug)]
pub struct Authority {
    folder: Arc<TempDir>,
}

/// A server's certificate (with the authority's behind it) and its key, in PEM files. The files live as long as
/// any certificate or the authority does.
#[derive(Clone, Debug)]
pub struct Certificate {
    folder: Arc<TempDir>,
    chain: PathBuf,
    key: PathBuf,
}

impl Authority {
    /// Makes an authority with a fresh key.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dormouse-authority-")
            .tempdir()
            .map_err(ServerError::io("A temporary folder cannot be made"))?;
        let authority = Self {
            folder: Arc::new(folder),
        };
        authority.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-noenc",
            "-sha256",
            "-days",
            "30",
            "-subj",
            "/CN=Dormouse test authority",
            "-keyout",
            "authority.key",
            "-out",
            "authority.pem",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ])?;
        Ok(authority)
    }

    /// The authority's own certificate (PEM): what a client must trust.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Signs a certificate for these host names and addresses, valid for 30 days from now.
    pub fn issue(&self, names: &[&str]) -> Result<Certificate> {
        let number = std::fs::read_dir(self.folder.path())
            .map(Iterator::count)
            .unwrap_or_default();
        let stem = format!("server-{number}");
        let names: Vec<String> = names
            .iter()
            .map(|name| match name.parse::<IpAddr>() {
                Ok(address) => format!("IP:{address}"),
                Err(_) => format!("DNS:{name}"),
            })
            .collect();
        let extensions = format!(
            "subjectAltName={}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n\
             keyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n",
            names.join(",")
        );
        let file = |ending: &str| format!("{stem}.{ending}");
        let path = |ending: &str| self.folder.path().join(file(ending));
        std::fs::write(path("ext"), extensions)
            .map_err(ServerError::io("A certificate's request cannot be written"))?;
        self.openssl(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-noenc",
            "-subj",
            "/CN=Dormouse test server",
            "-keyout",
            &file("key"),
            "-out",
            &file("csr"),
        ])?;
        self.openssl(&[
            "x509",
            "-req",
            "-sha256",
            "-days",
            "30",
            "-in",
            &file("csr"),
            "-CA",
            "authority.pem",
            "-CAkey",
            "authority.key",
            "-CAcreateserial",
            "-extfile",
            &file("ext"),
            "-out",
            &file("crt"),
        ])?;
        let read = |path: PathBuf| {
            std::fs::read_to_string(path).map_err(ServerError::io("A certificate is missing"))
        };
        let chain = read(path("crt"))? + &read(self.file())?;
        std::fs::write(path("pem"), chain).map_err(ServerError::io("A certificate cannot be written"))?;
        Ok(Certificate {
            folder: Arc::clone(&self.folder),
            chain: path("pem"),
            key: path("key"),
        })
    }

    fn openssl(&self, arguments: &[&str]) -> Result<()> {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .map_err(ServerError::io("`openssl` cannot be run (package openssl)"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(ServerError::new(format!(
            "openssl {} failed: {}",
            arguments.first().unwrap_or(&""),
            String::from_utf8_lossy(&output.stderr)
        )))
    }
}

impl Certificate {
    /// The name of the certificate's file in a server's folder.
    pub(crate) const CHAIN: &'static str = "certificate.pem";
    /// The name of the key's file in a server's folder.
    pub(crate) const KEY: &'static str = "certificate.key";

    /// Puts copies into a server's folder: a server with another `/` doesn't see ours.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<()> {
        for (from, name) in [(self.chain(), Self::CHAIN), (self.key(), Self::KEY)] {
            std::fs::copy(from, folder.join(name))
                .map_err(ServerError::io("A certificate cannot be copied"))?;
        }
        Ok(())
    }

    /// The certificate and its authority's (PEM).
    pub fn chain(&self) -> &Path {
        &self.chain
    }

    /// The private key (PEM).
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// The authority's certificate (PEM): what a client must trust.
    pub fn authority_file(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifies(trusted: &Path, certificate: &Certificate, check: &[&str]) -> bool {
        let output = Command::new("openssl")
            .arg("verify")
            .arg("-CAfile")
            .arg(trusted)
            .args(check)
            .arg(certificate.chain())
            .output()
            .unwrap();
        output.status.success()
    }

    #[test]
    fn a_certificate_holds_for_its_names_and_its_authority_only() {
        let authority = Authority::new().unwrap();
        let certificate = authority.issue(&["localhost", "127.0.0.1"]).unwrap();
        let trusted = authority.file();
        assert!(verifies(
            &trusted,
            &certificate,
            &["-verify_hostname", "localhost"]
        ));
        assert!(verifies(&trusted, &certificate, &["-verify_ip", "127.0.0.1"]));
        assert!(!verifies(
            &trusted,
            &certificate,
            &["-verify_hostname", "example.org"]
        ));
        let other = Authority::new().unwrap();
        assert!(!verifies(&other.file(), &certificate, &[]));
    }
}

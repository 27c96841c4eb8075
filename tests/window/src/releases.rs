//! A place that offers a new version, as a release's `latest.json` does, on loopback; and the key that signs it, or another one.

use crate::Result;
use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minisign::KeyPair;
use serde_json::json;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A key pair made for a test.
#[derive(Debug)]
pub struct Signer(KeyPair);

impl Signer {
    /// A new one.
    ///
    /// # Errors
    /// When there is no chance to be had.
    pub fn new() -> Result<Self> {
        Ok(Self(KeyPair::generate_unencrypted_keypair()?))
    }

    /// Its public half, as `tauri signer generate` writes it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn public(&self) -> Result<String> {
        Ok(BASE64_STANDARD.encode(self.0.pk.to_box()?.into_string()))
    }

    /// A signature as `tauri build` makes it: of the file, for this version.
    fn sign(&self, file: &[u8], version: &str) -> Result<String> {
        let comment = format!("timestamp:1767225600\tfile:Dormouse.AppImage\tversion:{version}");
        let (public, secret) = (&self.0.pk, &self.0.sk);
        let signature = minisign::sign(Some(public), secret, Cursor::new(file), Some(&comment), None)?;
        Ok(BASE64_STANDARD.encode(signature.into_string()))
    }
}

/// A release.
#[derive(Debug)]
pub struct Release<'a> {
    /// The version that is announced.
    pub version: &'a str,
    /// The version that it is signed as.
    pub signed_as: &'a str,
    /// Who signs it.
    pub signer: &'a Signer,
    /// What it says of itself.
    pub notes: &'a str,
    /// The AppImage.
    pub file: Vec<u8>,
    /// How long it is said to be, in bytes, where that is not how long it is.
    pub claims: Option<u64>,
}

/// The place.
#[derive(Debug)]
pub struct Releases {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Releases {
    /// Offers a release, until the test ends.
    ///
    /// # Errors
    /// When there is no port to be had or nothing can be signed.
    pub fn offer(release: Release<'_>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let described = json!({
            "version": release.version,
            "notes": release.notes,
            "pub_date": "2026-01-01T00:00:00Z",
            "platforms": {
                format!("linux-{}", std::env::consts::ARCH): {
                    "url": format!("http://{address}/Dormouse.AppImage"),
                    "signature": release.signer.sign(&release.file, release.signed_as)?,
                },
            },
        });
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&asked);
        let (file, claims) = (release.file, release.claims);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who goes away in the middle is of no interest.
                let _ = answer(stream, &noted, described.to_string().as_bytes(), &file, claims);
            }
        });
        Ok(Self { address, asked })
    }

    /// What describes the release.
    pub fn endpoint(&self) -> String {
        format!("http://{}/latest.json", self.address)
    }

    /// What has been asked for so far, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(
    mut stream: TcpStream,
    asked: &Mutex<Vec<String>>,
    described: &[u8],
    file: &[u8],
    claims: Option<u64>,
) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().context("nothing was asked")??;
    while !lines.next().context("the question has no end")??.is_empty() {}
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (body, claims) = match path.as_str() {
        "/latest.json" => (described, None),
        "/Dormouse.AppImage" => (file, claims),
        _ => (&b""[..], None),
    };
    let length = claims.unwrap_or(body.len() as u64);
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(path);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    // What was claimed and is not there is waited for, until whoever asked goes away.
    while claims.is_some() && stream.read(&mut [0])? > 0 {}
    Ok(())
}

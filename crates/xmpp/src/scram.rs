//! SCRAM (RFC 5802, RFC 7677), with channel binding to the TLS connection (RFC 9266).
//!
//! Both sides prove that they know the password and neither shows it. What the server proves is checked:
//! a `<success/>` without its signature, or with another, is not one. With `-PLUS` the proof covers
//! the TLS connection itself, so that somebody in the middle, whatever certificate he has, can't pass it on.
//!
//! The slow part (PBKDF2) depends on the password, the salt and the iteration count alone. It is kept for the life
//! of the session: waking up costs two hashes.

use crate::credentials::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Fewer iterations than RFC 7677 section 4 demands would let whoever is in between guess the password cheaply.
const FEWEST_ITERATIONS: u32 = 4096;

/// The hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        fn run<M: KeyInit + Mac>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
            // HMAC takes keys of any length.
            let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
                return Vec::new();
            };
            for part in parts {
                mac.update(part);
            }
            mac.finalize().into_bytes().to_vec()
        }
        match self {
            Hash::Sha1 => run::<Hmac<Sha1>>(key, parts),
            Hash::Sha256 => run::<Hmac<Sha256>>(key, parts),
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha1 => Sha1::digest(data).to_vec(),
            Hash::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    fn stretch(self, password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
        match self {
            Hash::Sha1 => {
                let mut key = Zeroizing::new(vec![0; 20]);
                pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut key);
                key
            }
            Hash::Sha256 => {
                let mut key = Zeroizing::new(vec![0; 32]);
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut key);
                key
            }
        }
    }
}

/// What we say about channel binding (RFC 5802 section 6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binding {
    /// We can't, or not in a way that this server knows.
    Unable,
    /// We can and think that the server can't: if it can, somebody has removed its offer, and it will refuse.
    NotOffered,
    /// Bound to this connection (`tls-exporter`).
    Exporter([u8; 32]),
}

impl Binding {
    fn header(&self) -> &'static str {
        match self {
            Binding::Unable => "n,,",
            Binding::NotOffered => "y,,",
            Binding::Exporter(_) => "p=tls-exporter,,",
        }
    }
}

/// What PBKDF2 gave for a password, a salt and an iteration count.
pub(crate) struct Stretched {
    hash: Hash,
    salt: Vec<u8>,
    iterations: u32,
    password: Zeroizing<String>,
    salted: Zeroizing<Vec<u8>>,
}

/// Why an exchange can't go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server can't prove who it is, or breaks the rules that protect the password.
    NotGenuine(&'static str),
    /// The server said why it refuses (`e=`, RFC 5802 section 7).
    Refused(String),
    /// The password can't be used in SCRAM (SASLprep forbids some characters).
    Password,
}

/// An exchange under way.
pub(crate) struct Exchange {
    hash: Hash,
    binding: Binding,
    bare_first: String,
    nonce: String,
    password: Zeroizing<String>,
    /// Set once our proof is sent: what the server must answer.
    expected: Option<Vec<u8>>,
    verified: bool,
}

impl Exchange {
    /// Begins. `nonce` is fresh randomness in printable characters without a comma.
    pub(crate) fn new(
        hash: Hash,
        binding: Binding,
        user: &str,
        credentials: &Credentials,
        nonce: String,
    ) -> Result<Self, Failure> {
        let user = stringprep::saslprep(user).map_err(|_| Failure::Password)?;
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let password = stringprep::saslprep(credentials.secret()).map_err(|_| Failure::Password)?;
        Ok(Self {
            hash,
            binding,
            bare_first: format!("n={user},r={nonce}"),
            nonce,
            password: Zeroizing::new(password.into_owned()),
            expected: None,
            verified: false,
        })
    }

    /// The client's first message.
    pub(crate) fn first(&self) -> String {
        format!("{}{}", self.binding.header(), self.bare_first)
    }

    /// Answers the server's first message with our proof. `kept` is used if it fits and replaced if not.
    pub(crate) fn prove(
        &mut self,
        server_first: &str,
        most_iterations: u32,
        kept: &mut Option<Stretched>,
    ) -> Result<String, Failure> {
        if self.expected.is_some() {
            return Err(Failure::NotGenuine("a second challenge"));
        }
        let mut parts = server_first.split(',');
        let first = parts.next().unwrap_or_default();
        if first.starts_with("m=") {
            return Err(Failure::NotGenuine("an extension that we must know and don't"));
        }
        let nonce = first.strip_prefix("r=").ok_or(Failure::NotGenuine("no nonce"))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(Failure::NotGenuine("a nonce that does not extend ours"));
        }
        let salt = parts.next().and_then(|part| part.strip_prefix("s="));
        let salt = salt.and_then(|salt| STANDARD.decode(salt).ok());
        let salt = salt
            .filter(|salt| (1..=1024).contains(&salt.len()))
            .ok_or(Failure::NotGenuine("no usable salt"))?;
        let iterations: u32 = parts
            .next()
            .and_then(|part| part.strip_prefix("i="))
            .and_then(|count| count.parse().ok())
            .ok_or(Failure::NotGenuine("no iteration count"))?;
        if iterations < FEWEST_ITERATIONS {
            return Err(Failure::NotGenuine("too few iterations"));
        }
        if iterations > most_iterations {
            return Err(Failure::NotGenuine("too many iterations"));
        }
        let salted = self.stretched(salt, iterations, kept);

        let client_key = Zeroizing::new(self.hash.hmac(&salted, &[b"Client Key"]));
        let stored_key = self.hash.digest(&client_key);
        let mut bound = self.binding.header().as_bytes().to_vec();
        if let Binding::Exporter(data) = &self.binding {
            bound.extend_from_slice(data);
        }
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(bound));
        let message = format!("{},{server_first},{without_proof}", self.bare_first);
        let signature = self.hash.hmac(&stored_key, &[message.as_bytes()]);
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(key, sign)| key ^ sign)
            .collect();
        let server_key = Zeroizing::new(self.hash.hmac(&salted, &[b"Server Key"]));
        self.expected = Some(self.hash.hmac(&server_key, &[message.as_bytes()]));
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }

    /// Whether our proof has been sent: what follows is the server's.
    pub(crate) fn has_proved(&self) -> bool {
        self.expected.is_some()
    }

    /// Whether the server has proved itself.
    pub(crate) fn is_verified(&self) -> bool {
        self.verified
    }

    fn stretched(&self, salt: Vec<u8>, iterations: u32, kept: &mut Option<Stretched>) -> Zeroizing<Vec<u8>> {
        if let Some(kept) = kept.as_ref().filter(|kept| {
            kept.hash == self.hash
                && kept.salt == salt
                && kept.iterations == iterations
                && kept.password == self.password
        }) {
            return kept.salted.clone();
        }
        let salted = self.hash.stretch(self.password.as_bytes(), &salt, iterations);
        *kept = Some(Stretched {
            hash: self.hash,
            salt,
            iterations,
            password: self.password.clone(),
            salted: salted.clone(),
        });
        salted
    }

    /// Checks the server's final message: only now is it known whom we talk to.
    pub(crate) fn verify(&mut self, server_final: &str) -> Result<(), Failure> {
        let first = server_final.split(',').next().unwrap_or_default();
        if let Some(error) = first.strip_prefix("e=") {
            return Err(Failure::Refused(error.chars().take(60).collect()));
        }
        let signature = first
            .strip_prefix("v=")
            .and_then(|signature| STANDARD.decode(signature).ok())
            .ok_or(Failure::NotGenuine("no signature"))?;
        match &self.expected {
            Some(expected) if same(expected, &signature) => {
                self.verified = true;
                Ok(())
            }
            Some(_) => Err(Failure::NotGenuine("a wrong signature")),
            None => Err(Failure::NotGenuine("success before the proof")),
        }
    }
}

/// Compares without telling by its duration where the difference lies.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
#[path = "scram_tests.rs"]
mod tests;

//! The server's side of SCRAM-SHA-256 and SCRAM-SHA-1 (RFC 5802, RFC 7677).

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// As few as a client may accept (RFC 7677 section 4).
const ITERATIONS: u32 = 4096;

/// With which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// What the server keeps of a password.
#[derive(Debug, Clone)]
pub struct Secret {
    hash: Hash,
    salt: [u8; 16],
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

/// An exchange under way.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The account's local part.
    pub user: String,
    secret: Secret,
    client_first_bare: String,
    server_first: String,
    nonce: String,
}

impl Hash {
    fn stretch(self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let mut salted = [0; 32];
        let salted = match self {
            Hash::Sha1 => {
                pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, ITERATIONS, &mut salted[..20]);
                &salted[..20]
            }
            Hash::Sha256 => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, ITERATIONS, &mut salted);
                &salted[..]
            }
        };
        salted.to_vec()
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha1 => Sha1::digest(data).to_vec(),
            Hash::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    fn mac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha1 => keyed::<Hmac<Sha1>>(key, message),
            Hash::Sha256 => keyed::<Hmac<Sha256>>(key, message),
        }
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key of any length will do for HMAC (RFC 2104).
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

impl Secret {
    /// Of this password, with this salt.
    pub fn new(hash: Hash, password: &str, salt: [u8; 16]) -> Self {
        let salted = hash.stretch(password.as_bytes(), &salt);
        Self {
            hash,
            salt,
            stored_key: hash.digest(&hash.mac(&salted, b"Client Key")),
            server_key: hash.mac(&salted, b"Server Key"),
        }
    }

    /// Who begins, from the client's first message.
    pub fn user(client_first: &str) -> Option<String> {
        let name = client_first.split(',').find_map(|part| part.strip_prefix("n="))?;
        Some(name.replace("=2C", ",").replace("=3D", "="))
    }

    /// The answer to the client's first message.
    pub fn begin(&self, user: String, client_first: &str, nonce: &str) -> Option<(Exchange, String)> {
        let mut parts = client_first.splitn(3, ',');
        let (_binding, _authzid, bare) = (parts.next()?, parts.next()?, parts.next()?);
        let client_nonce = bare.split(',').find_map(|part| part.strip_prefix("r="))?;
        let nonce = format!("{client_nonce}{nonce}");
        let salt = BASE64_STANDARD.encode(self.salt);
        let server_first = format!("r={nonce},s={salt},i={ITERATIONS}");
        let exchange = Exchange {
            user,
            secret: self.clone(),
            client_first_bare: bare.to_owned(),
            server_first: server_first.clone(),
            nonce,
        };
        Some((exchange, server_first))
    }
}

impl Exchange {
    /// The server's last message, if the client's proof is right.
    pub fn finish(&self, client_final: &str) -> Option<String> {
        let (without_proof, proof) = client_final.rsplit_once(",p=")?;
        if !without_proof
            .split(',')
            .any(|part| part.strip_prefix("r=") == Some(self.nonce.as_str()))
        {
            return None;
        }
        let signed = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let Secret {
            hash,
            stored_key,
            server_key,
            ..
        } = &self.secret;
        let signature = hash.mac(stored_key, signed.as_bytes());
        let proof = BASE64_STANDARD.decode(proof).ok()?;
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if proof.len() != signature.len() || hash.digest(&client_key) != *stored_key {
            return None;
        }
        Some(format!(
            "v={}",
            BASE64_STANDARD.encode(hash.mac(server_key, signed.as_bytes()))
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(hash: Hash, salt: &str, nonces: [&str; 2], proof: &str) -> Option<String> {
        let mut bytes = [0; 16];
        let salt = BASE64_STANDARD.decode(salt).unwrap();
        bytes[..salt.len()].copy_from_slice(&salt);
        let secret = Secret::new(hash, "pencil", bytes);
        let first = format!("n,,n=user,r={}", nonces[0]);
        let (exchange, _) = secret.begin("user".into(), &first, nonces[1]).unwrap();
        exchange.finish(&format!("c=biws,r={}{},p={proof}", nonces[0], nonces[1]))
    }

    /// RFC 7677 section 3.
    #[test]
    fn the_example_of_the_rfc_is_accepted_and_answered() {
        let nonces = ["rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"];
        let salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
        let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let answer = example(Hash::Sha256, salt, nonces, proof);
        assert_eq!(
            answer.as_deref(),
            Some("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        );
        let wrong = proof.replace("dHz", "dIz");
        assert_eq!(example(Hash::Sha256, salt, nonces, &wrong), None);
    }
}
